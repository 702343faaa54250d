//! Our own client: the `omemo` command, as scripts use it.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::lab::{Account, Lab};
use crate::process::Talker;

/// One command that goes online and does one thing. It has time-outs of its own, which are shorter.
const COMMAND_PATIENCE: Duration = Duration::from_secs(150);

/// A listener that nobody ends, ends itself.
const LISTEN_SECONDS: &str = "240";

/// What devices say of each other in any conversation, and of messages that come twice, which nobody is shown.
const HINTS: &[&str] = &[
    "published",
    "reannounced",
    "devices-changed",
    "new-device",
    "upgraded",
    "new-key",
    "duplicate",
];

/// A device, made and published by `omemo init`.
#[derive(Debug)]
pub struct Device {
    /// Whose device it is.
    pub account: Account,
    /// Its id.
    pub id: u64,
    /// Its fingerprint in hexadecimal, without spaces.
    pub fingerprint: String,
    folder: PathBuf,
}

/// What `omemo send` has done.
#[derive(Debug)]
pub struct Sent {
    /// The exit code.
    pub code: i32,
    /// The devices of all accounts that can read the message, with the namespace of the protocol.
    pub served: Vec<(String, u64, String)>,
    /// Those that cannot, with the reason.
    pub unserved: Vec<(String, Option<u64>, String)>,
    /// Everything that it said, for a failure's message.
    pub story: String,
}

impl Device {
    /// Makes a device. `protocols` is as on the command line: `both`, `omemo2` or `legacy`.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[must_use]
    pub fn init(lab: &Lab, account: &Account, protocols: &str) -> Self {
        Self::init_with(lab, account, protocols, |_| Vec::new())
    }

    /// The same with more options, which may name files in the device's folder. Its keys lie below, in `data`.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[must_use]
    pub fn init_with(
        lab: &Lab,
        account: &Account,
        protocols: &str,
        options: impl FnOnce(&Path) -> Vec<String>,
    ) -> Self {
        let folder = new_folder(lab, &account.jid);
        let (code, story) = try_init_with(account, protocols, &folder, &options(&folder));
        assert_eq!(code, 0, "omemo init failed\n{story}");
        let mut device = Self {
            account: account.clone(),
            id: 0,
            fingerprint: String::new(),
            folder,
        };
        let (code, events, story) = device.run(&["fingerprint", "--json"]);
        assert_eq!(code, 0, "omemo fingerprint failed\n{story}");
        let own = events
            .first()
            .unwrap_or_else(|| panic!("omemo fingerprint said nothing\n{story}"));
        device.id = own["device"].as_u64().expect("a device id");
        device.fingerprint = hexadecimal(&own["fingerprint"]);
        device
    }

    /// `omemo send`, to its end.
    ///
    /// # Panics
    ///
    /// When it does not end in time, or says it was done without saying for whom.
    #[must_use]
    pub fn send(&self, to: &str, text: &str) -> Sent {
        let talker = self.start(&["send", to, text, "--json"]);
        let (code, events, story) = end(talker);
        let sent = events.iter().find(|event| event["event"] == "sent");
        assert!(
            sent.is_some() || (code != 0 && code != 3),
            "omemo send ended with {code} and said no `sent`\n{story}"
        );
        let list = |name: &str| {
            sent.and_then(|sent| sent[name].as_array())
                .cloned()
                .unwrap_or_default()
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Sent {
            code,
            served: list("served")
                .iter()
                .map(|one| {
                    (
                        text(&one["jid"]),
                        one["device"].as_u64().unwrap_or_default(),
                        text(&one["protocol"]),
                    )
                })
                .collect(),
            unserved: list("unserved")
                .iter()
                .map(|one| {
                    (
                        text(&one["jid"]),
                        one["device"].as_u64(),
                        text(&one["reason"]),
                    )
                })
                .collect(),
            story,
        }
    }

    /// `omemo send`, which has to reach these devices of the recipient, each in this protocol.
    ///
    /// # Panics
    ///
    /// When it reaches others, or in another way.
    pub fn send_to(&self, to: &str, text: &str, devices: &[(u64, &str)]) {
        let sent = self.send(to, text);
        assert_eq!(sent.code, 0, "omemo send failed\n{}", sent.story);
        let mut served: Vec<_> = sent
            .served
            .iter()
            .filter(|(jid, ..)| jid == to)
            .map(|(_, device, protocol)| (*device, protocol.as_str()))
            .collect();
        let mut wanted = devices.to_vec();
        served.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(
            served, wanted,
            "the message was not encrypted for whom it should\n{}",
            sent.story
        );
    }

    /// `omemo send`, which may be killed in the middle.
    #[must_use]
    pub fn start_send(&self, to: &str, text: &str) -> Talker {
        self.start(&["send", to, text, "--json"])
    }

    /// `omemo listen`, once it is online. Without `--count` or `--for` among the options it ends by itself after some minutes.
    ///
    /// # Panics
    ///
    /// When it does not come online, or as somebody else.
    #[must_use]
    pub fn listen(&self, options: &[&str]) -> Talker {
        let mut arguments = vec!["listen", "--json"];
        arguments.extend(options);
        if !options.contains(&"--for") {
            arguments.extend(["--for", LISTEN_SECONDS]);
        }
        let mut talker = self.start(&arguments);
        let ready = talker.expect("ready", COMMAND_PATIENCE, |_| true);
        assert_eq!(
            ready["jid"],
            self.account.jid.as_str(),
            "{}",
            talker.story()
        );
        assert_eq!(ready["device"], self.id, "{}", talker.story());
        assert_eq!(
            hexadecimal(&ready["fingerprint"]),
            self.fingerprint,
            "{}",
            talker.story()
        );
        talker
    }

    /// `omemo room listen`, once it is in the room and knows its members.
    ///
    /// # Panics
    ///
    /// When it does not get there.
    #[must_use]
    pub fn listen_in(&self, room: &str, options: &[&str]) -> Talker {
        let mut arguments = vec!["room", "listen", room, "--json", "--for", LISTEN_SECONDS];
        arguments.extend(options);
        let mut talker = self.start(&arguments);
        talker.expect("ready", COMMAND_PATIENCE, |_| true);
        talker.expect("room", COMMAND_PATIENCE, |event| event["room"] == room);
        talker
    }

    /// `omemo room send`, which has to reach exactly these devices: account, device, namespace of the protocol.
    ///
    /// # Panics
    ///
    /// When it reaches others, or in another way.
    pub fn send_in(&self, room: &str, text: &str, devices: &[(&str, u64, &str)]) {
        let (code, events, story) = self.run(&["room", "send", room, text, "--json"]);
        assert_eq!(code, 0, "omemo room send failed\n{story}");
        let sent = events.iter().find(|event| event["event"] == "sent");
        let sent = sent.unwrap_or_else(|| panic!("omemo room send said no `sent`\n{story}"));
        let mut served: Vec<_> = sent["served"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                let text = |name: &str| one[name].as_str().unwrap_or_default();
                (
                    text("jid"),
                    one["device"].as_u64().unwrap_or_default(),
                    text("protocol"),
                )
            })
            .collect();
        let mut wanted = devices.to_vec();
        served.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(
            served, wanted,
            "it was not encrypted for whom it should\n{story}"
        );
    }

    /// `omemo devices`: one object for each device.
    ///
    /// # Panics
    ///
    /// When it fails.
    #[must_use]
    pub fn devices(&self, jid: &str) -> Vec<Value> {
        let (code, events, story) = self.run(&["devices", jid, "--json"]);
        assert_eq!(code, 0, "omemo devices failed\n{story}");
        events
            .into_iter()
            .filter(|event| event["device"].is_u64())
            .collect()
    }

    /// `omemo trust` or `omemo distrust`.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn decide(&self, decision: &str, jid: &str, fingerprint: &str) {
        let (code, _, story) = self.run(&[decision, jid, fingerprint]);
        assert_eq!(code, 0, "omemo {decision} failed\n{story}");
    }

    /// Where its configuration and its keys lie.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Runs the command to its end: the exit code, the events, and everything for a failure's message.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> (i32, Vec<Value>, String) {
        end(self.start(arguments))
    }

    fn start(&self, arguments: &[&str]) -> Talker {
        start(
            &self.folder,
            &self.account.password,
            arguments.iter().map(AsRef::as_ref),
        )
    }
}

/// `omemo init`, which may fail: the exit code and everything that it said.
#[must_use]
pub fn try_init(account: &Account, protocols: &str, folder: &Path) -> (i32, String) {
    try_init_with(account, protocols, folder, &[])
}

fn try_init_with(
    account: &Account,
    protocols: &str,
    folder: &Path,
    options: &[String],
) -> (i32, String) {
    let server = account.server.to_string();
    let arguments: [&OsStr; 8] = [
        "init".as_ref(),
        account.jid.as_ref(),
        "--server".as_ref(),
        server.as_ref(),
        "--ca-file".as_ref(),
        account.ca_file.as_ref(),
        "--protocols".as_ref(),
        protocols.as_ref(),
    ];
    let options = options.iter().map(AsRef::as_ref);
    let arguments = arguments.into_iter().chain(options);
    let (code, _, story) = end(start(folder, &account.password, arguments));
    (code, story)
}

/// A folder for a device.
#[must_use]
pub fn new_folder(lab: &Lab, jid: &str) -> PathBuf {
    // Devices of one account may be made at the same time.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _look_and_take = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let name = (0..)
        .map(|number| format!("omemo-{jid}-{number}"))
        .find(|name| !lab.root().join(name).exists());
    lab.folder(&name.expect("a free name"))
}

/// A fingerprint as it stands in JSON, without spaces.
#[must_use]
pub fn hexadecimal(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_default()
        .split_whitespace()
        .collect()
}

fn start<'a>(folder: &Path, password: &str, arguments: impl Iterator<Item = &'a OsStr>) -> Talker {
    let arguments: Vec<_> = arguments.collect();
    let name = arguments
        .first()
        .map_or_else(String::new, |name| format!("omemo-{}", name.display()));
    let mut command = Command::new(program());
    command
        .arg("--data")
        .arg(folder.join("data"))
        .args(&arguments)
        .env("OMEMO_PASSWORD", password)
        .env_remove("OMEMO_DATA")
        .current_dir(folder);
    Talker::start(&name, folder, &mut command).with_hints(HINTS)
}

fn end(talker: Talker) -> (i32, Vec<Value>, String) {
    let finished = talker.finish(COMMAND_PATIENCE);
    (
        finished.status.code().unwrap_or(-1),
        finished.events,
        finished.story,
    )
}

/// Why it cannot run here, if it cannot.
#[must_use]
pub fn lacking() -> Option<String> {
    let program = program();
    (!program.exists()).then(|| {
        format!(
            "{} is not built: cargo build -p omemo-cli",
            program.display()
        )
    })
}

/// Cargo puts it beside the folder `deps`, in which this program lies.
fn program() -> PathBuf {
    let own = env::current_exe().expect("the path of this program");
    own.ancestors()
        .nth(2)
        .expect("a program in a folder of cargo's")
        .join("omemo")
}
