//! The echo bot in C: see `ffi/examples/echo_bot.c`. It is compiled as its readers would, against the shared library.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::Value;

use crate::lab::{Account, Lab};
use crate::patience::PATIENCE;
use crate::process::{Talker, run};

const INTERFACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ffi/include");
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ffi/examples/echo_bot.c");

/// The names under which an installed library is found: by compilers and by programs.
const NAMES: [&str; 2] = ["libomemo.so", "libomemo.so.0"];

/// `OMEMO_PROTOCOL_2` and `OMEMO_PROTOCOL_LEGACY`.
const PROTOCOLS: [u8; 2] = [1, 2];

/// A compiled bot with a folder for its store.
#[derive(Debug)]
pub struct EchoBot {
    /// Who it is.
    pub account: Account,
    folder: PathBuf,
}

/// A bot that is online.
#[derive(Debug)]
pub struct Running {
    /// What it says.
    pub talker: Talker,
    /// Its device id.
    pub device: u64,
    /// Its fingerprint in hexadecimal, as people are shown it.
    pub fingerprint: Value,
}

impl EchoBot {
    /// Compiles the bot.
    ///
    /// # Panics
    ///
    /// When it does not compile without a warning.
    #[must_use]
    pub fn compile(lab: &Lab, account: &Account) -> Self {
        let folder = lab.folder(&format!("echo-bot-{}", account.jid));
        for name in NAMES {
            symlink(library(), folder.join(name)).expect("a link to the library");
        }
        run(Command::new("cc")
            .args(["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror"])
            .arg("-fsanitize=address,undefined")
            .args(["-I", INTERFACE, SOURCE, "-L"])
            .arg(&folder)
            .args(["-Wl,-rpath,$ORIGIN", "-lomemo", "-lstrophe", "-o"])
            .arg(folder.join("echo_bot")));
        Self {
            account: account.clone(),
            folder,
        }
    }

    /// Starts it, for the first time or again.
    ///
    /// # Panics
    ///
    /// When it does not publish its device.
    #[must_use]
    pub fn start(&self) -> Running {
        let mut command = Command::new(self.folder.join("echo_bot"));
        command
            .arg(&self.account.jid)
            .arg(self.folder.join("store"))
            .arg(self.account.server.ip().to_string())
            .arg(self.account.server.port().to_string())
            .arg(&self.account.ca_file)
            .env("OMEMO_PASSWORD", &self.account.password)
            .current_dir(&self.folder);
        let mut talker = Talker::start("echo_bot", &self.folder, &mut command);
        let [published, _] = PROTOCOLS.map(|protocol| {
            talker.expect("published", PATIENCE, |event| event["protocol"] == protocol)
        });
        Running {
            device: published["device"].as_u64().expect("a device id"),
            fingerprint: published["fingerprint"].clone(),
            talker,
        }
    }
}

impl EchoBot {
    /// All that it and its sanitizers said on its standard error, in all its lives: what it could not read or send.
    ///
    /// # Panics
    ///
    /// When its folder cannot be read.
    #[must_use]
    pub fn complaints(&self) -> String {
        let files = fs::read_dir(&self.folder).expect("the bot's folder");
        files
            .map(|file| file.expect("a file of the bot's").path())
            .filter(|path| path.extension() == Some("stderr".as_ref()))
            .map(|path| fs::read_to_string(path).expect("what the bot said"))
            .collect()
    }
}

impl Running {
    /// Asks it to end, which it has to do in good order and without leaving memory behind.
    ///
    /// # Panics
    ///
    /// When it does not, or not in time.
    pub fn stop(self) {
        run(Command::new("kill").args(["-TERM", &self.talker.id().to_string()]));
        let finished = self.talker.finish(PATIENCE);
        assert!(
            finished.status.success(),
            "{}\n{}",
            finished.status,
            finished.story
        );
    }
}

/// Why it cannot run here, if it cannot.
#[must_use]
pub fn lacking() -> Option<String> {
    let library = library();
    if !library.exists() {
        return Some(format!(
            "{} is not built: cargo build -p omemo-ffi",
            library.display()
        ));
    }
    let runs = |program: &str, arguments: &[&str]| {
        Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !runs("cc", &["--version"]) {
        return Some("cc is not installed".to_owned());
    }
    (!runs("pkg-config", &["--exists", "libstrophe >= 0.12"]))
        .then(|| "pkg-config finds no libstrophe 0.12 or newer".to_owned())
}

/// Cargo puts it beside the folder `deps`, in which this program lies.
fn library() -> PathBuf {
    let own = env::current_exe().expect("the path of this program");
    own.ancestors()
        .nth(2)
        .map(Path::to_path_buf)
        .expect("a program in a folder of cargo's")
        .join("libomemo_ffi.so")
}
