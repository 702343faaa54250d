//! The echo bot on slixmpp-omemo: see `tests/peers/slixmpp_echo.py`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::lab::{Account, Lab};
use crate::patience::PATIENCE;
use crate::process::Talker;

const BOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/slixmpp_echo.py");

/// What a bot publishes and speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// omemo:2 and legacy.
    Both,
    /// Only omemo:2.
    Omemo2,
    /// Only legacy.
    Legacy,
}

impl Speaks {
    const fn option(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Omemo2 => "omemo2",
            Self::Legacy => "legacy",
        }
    }
}

/// A running bot that has published its device.
#[derive(Debug)]
pub struct Slixmpp {
    /// What it says and takes.
    pub talker: Talker,
    /// Its device id.
    pub device: u64,
    /// Its fingerprint, as people compare it: the Curve25519 key in hexadecimal.
    pub fingerprint: String,
}

impl Slixmpp {
    /// Starts a bot with a new device.
    ///
    /// # Panics
    ///
    /// When it does not come online.
    #[must_use]
    pub fn start(lab: &Lab, account: &Account, speaks: Speaks, options: &[&str]) -> Self {
        let name = format!("slixmpp-{}-{}", speaks.option(), account.jid);
        let folder = (0..)
            .map(|number| format!("{name}-{number}"))
            .find(|name| !lab.root().join(name).exists());
        let folder = lab.folder(&folder.expect("a free name"));
        let mut command = Command::new(python());
        command
            .arg(BOT)
            .args(["--jid", &account.jid])
            .args(["--host", &account.server.ip().to_string()])
            .args(["--port", &account.server.port().to_string()])
            .arg("--ca")
            .arg(&account.ca_file)
            .arg("--data")
            .arg(folder.join("data.json"))
            .args(["--namespace", speaks.option()])
            .args(options)
            .env("PEER_PASSWORD", &account.password)
            .current_dir(&folder);
        let mut talker = Talker::start(&name, &folder, &mut command);
        let ready = talker.expect("ready", PATIENCE, |_| true);
        Self {
            device: ready["device"].as_u64().expect("a device id"),
            fingerprint: ready["fingerprint"]
                .as_str()
                .expect("a fingerprint")
                .to_owned(),
            talker,
        }
    }

    /// Has the bot send a message.
    pub fn send(&mut self, to: &str, body: &str) {
        self.talker
            .command(&serde_json::json!({"cmd": "send", "to": to, "body": body}));
    }
}

/// Why the bot cannot run here, if it cannot.
#[must_use]
pub fn lacking() -> Option<String> {
    let found = Command::new(python())
        .args(["-c", "import slixmpp, slixmpp_omemo, twomemo, oldmemo"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    (!found).then(|| format!("{} has no slixmpp-omemo", python().display()))
}

/// The Python that has the bot's libraries: named by the environment, or where `cargo xtask` puts it.
fn python() -> PathBuf {
    env::var_os("OMEMO_PEERS_PYTHON").map_or_else(
        || target_folder().join("peers/venv/bin/python"),
        PathBuf::from,
    )
}

/// Cargo's target folder: this program lies in `TARGET/PROFILE/deps`.
fn target_folder() -> PathBuf {
    let program = env::current_exe().expect("the path of this program");
    program
        .ancestors()
        .nth(3)
        .map(Path::to_path_buf)
        .expect("a program below the target folder")
}
