//! profanity, a client for people: it runs in a tmux of its own, is typed to, and is read from its logs and its screen.
//!
//! It speaks legacy OMEMO through a C library of its own, so that it is as foreign as a peer can be.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::lab::{Account, Lab};
use crate::patience::{PATIENCE, wait_for};
use crate::process::tail;
use crate::wire::LEGACY;

/// Its input line drops keys that come faster than it draws.
const AFTER_TYPING: Duration = Duration::from_millis(250);

const SETTINGS: &str = "[logging]\nchlog=true\nmaxsize=100000000\nrotate=false\n\
    [ui]\nsplash=false\nenc.warn=true\n\
    [omemo]\npolicy=automatic\ntrustmode=blind\nlog=on\n\
    [notifications]\nmessage=off\nroom=off\ninvite=off\nsub=off\n\
    [connection]\nautoping=0\n";

/// A running profanity that has published its device.
#[derive(Debug)]
pub struct Profanity {
    jid: String,
    folder: PathBuf,
    device: u64,
    /// How many lines of the chat logs were read already.
    read: usize,
}

impl Profanity {
    /// Starts it with a new device.
    ///
    /// # Panics
    ///
    /// When it does not come online or does not publish its device.
    #[must_use]
    pub fn start(lab: &Lab, account: &Account) -> Self {
        let name = format!("profanity-{}", account.jid);
        let folder = lab.folder(&name);
        for subfolder in ["config/profanity", "data/profanity"] {
            fs::create_dir_all(folder.join(subfolder)).expect("profanity's folders");
        }
        fs::write(folder.join("config/profanity/profrc"), SETTINGS).expect("profanity's settings");
        let accounts = format!(
            "[{jid}]\nenabled=true\njid={jid}\nresource=profanity\nserver={}\nport={}\ntls.policy=trust\npassword={}\n\
             omemo.policy=automatic\n",
            account.server.ip(),
            account.server.port(),
            account.password,
            jid = account.jid,
        );
        fs::write(folder.join("data/profanity/accounts"), accounts).expect("profanity's account");

        let mut profanity = Self {
            jid: account.jid.clone(),
            folder,
            device: 0,
            read: 0,
        };
        let log = profanity.log_file().display().to_string();
        profanity.tmux(&[
            "new-session",
            "-d",
            "-s",
            "p",
            "-x",
            "200",
            "-y",
            "60",
            "profanity",
            "-l",
            "DEBUG",
            "-f",
            &log,
        ]);
        let id = profanity.tmux(&["display-message", "-p", "#{pid}"]);
        lab.watch(&name, id.trim().parse().expect("the id of tmux"));
        profanity.connect();
        profanity
    }

    fn connect(&mut self) {
        self.await_log(&["initialising"]);
        sleep(AFTER_TYPING);
        self.type_line(&format!("/connect {}", self.jid));
        self.await_log(&["logged in successfully"]);
        sleep(Duration::from_secs(1));
        // profanity leaves its nodes to the default access (contacts only) on a server that announces publish-options on
        // accounts only, and there it does not create a missing device list either. So both nodes are made before it
        // publishes to them: an empty list to add itself to, and a bundle node that it will overwrite.
        self.type_line("/xmlconsole");
        self.type_line(&publish(
            &format!("{LEGACY}.devicelist"),
            &format!("<list xmlns='{LEGACY}'/>"),
        ));
        self.type_line("/omemo gen");
        self.await_log(&["bundle published successfully"]);
        let identity = self.identity();
        let device = identity
            .lines()
            .find_map(|line| line.strip_prefix("device_id="))
            .expect("a device id in the identity");
        self.device = device.parse().expect("a number");
        self.type_line(&open(&format!("{LEGACY}.bundles:{device}")));
        // Its list reaches the server when it hears of the empty one.
        self.await_log(&[
            "SENT: <iq",
            &format!("{LEGACY}.devicelist"),
            &format!("<device id=\"{device}\""),
        ]);
    }

    /// The id of its device.
    #[must_use]
    pub const fn device(&self) -> u64 {
        self.device
    }

    /// Opens a chat and turns encryption on.
    pub fn chat_with(&mut self, jid: &str) {
        self.type_line(&format!("/msg {jid}"));
        self.type_line("/omemo start");
        // It fetches a list and bundles, and says nothing when it has them.
        sleep(Duration::from_secs(3));
    }

    /// Joins a room under a name, and knows of what kind it is and who its members are when this returns.
    ///
    /// # Panics
    ///
    /// When the room does not say so.
    pub fn enter(&mut self, room: &str, nick: &str) {
        self.type_line(&format!("/join {room} nick {nick}"));
        // It asks for the lists of members before this.
        self.await_log(&["Received disco#info response for room", room]);
    }

    /// Turns encryption on in the open room, where it has a session with each of these devices when this returns.
    ///
    /// # Panics
    ///
    /// When it gets none.
    pub fn encrypt_in_room(&mut self, devices: &[(&str, u64)]) {
        self.type_line("/omemo start");
        for (jid, device) in devices {
            self.await_log(&[&format!("session with {jid} device {device}")]);
        }
    }

    /// Sends a line in the open chat or room.
    pub fn say(&mut self, text: &str) {
        self.type_line(text);
    }

    /// Waits until somebody's message with this text was shown.
    ///
    /// # Panics
    ///
    /// When it does not come.
    pub fn expect(&mut self, text: &str) {
        let found = wait_for(PATIENCE, || {
            self.shown()
                .iter()
                .skip(self.read)
                .position(|line| line.contains(text))
        });
        match found {
            Some(at) => self.read += at + 1,
            None => panic!("profanity did not show '{text}'\n{}", self.story()),
        }
    }

    /// Every line of others in its chat logs, oldest first; of rooms its own lines, too.
    ///
    /// # Panics
    ///
    /// When the logs cannot be read.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        let mut files = Vec::new();
        collect_logs(&self.folder.join("data/profanity/chatlogs"), &mut files);
        files.sort();
        files
            .iter()
            .flat_map(|file| {
                let text =
                    String::from_utf8_lossy(&fs::read(file).expect("a chat log")).into_owned();
                text.lines().map(str::to_owned).collect::<Vec<_>>()
            })
            .filter(|line| !line.contains(" - me: "))
            .collect()
    }

    /// What a person would see now.
    #[must_use]
    pub fn screen(&self) -> String {
        let screen = self.tmux(&["capture-pane", "-p", "-t", "p"]);
        screen
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Its debug log.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(self.log_file())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Types a line and the return key.
    pub fn type_line(&mut self, line: &str) {
        self.tmux(&["send-keys", "-t", "p", "-l", line]);
        sleep(AFTER_TYPING);
        self.tmux(&["send-keys", "-t", "p", "Enter"]);
        sleep(AFTER_TYPING);
    }

    fn identity(&self) -> String {
        let folder = self.folder.join("data/profanity/omemo");
        let find = || {
            let accounts = fs::read_dir(&folder).ok()?;
            accounts
                .flatten()
                .find_map(|account| fs::read_to_string(account.path().join("identity.txt")).ok())
        };
        wait_for(PATIENCE, find)
            .unwrap_or_else(|| panic!("profanity made no identity\n{}", self.story()))
    }

    /// Waits for a line of the log in which all words stand.
    fn await_log(&self, words: &[&str]) {
        let found = wait_for(PATIENCE, || {
            self.log()
                .lines()
                .any(|line| words.iter().all(|word| line.contains(word)))
                .then_some(())
        });
        assert!(
            found.is_some(),
            "profanity's log has no line with {words:?}\n{}",
            self.story()
        );
    }

    fn story(&self) -> String {
        format!(
            "its screen:\n{}\nits log:\n{}",
            self.screen(),
            tail(&self.log_file(), 20)
        )
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("profanity.log")
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux")
            .args(["-u", "-f", "/dev/null"])
            .args(arguments)
            .env_remove("TMUX")
            .env("TMUX_TMPDIR", &self.folder)
            .env("XDG_CONFIG_HOME", self.folder.join("config"))
            .env("XDG_DATA_HOME", self.folder.join("data"))
            .env("LANG", "C.UTF-8")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("tmux does not start: {error}"));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Profanity {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// Why it cannot run here, if it cannot.
#[must_use]
pub fn lacking() -> Option<String> {
    let missing = |program: &&str| {
        let result = Command::new(program)
            .arg("-V")
            .stdin(Stdio::null())
            .output();
        matches!(result, Err(error) if error.kind() == ErrorKind::NotFound)
    };
    ["profanity", "tmux"]
        .iter()
        .find(|program| missing(program))
        .map(|program| format!("{program} is not installed"))
}

fn publish(node: &str, payload: &str) -> String {
    format!(
        "<iq type='set' id='lab-publish'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='{node}'>\
         <item id='current'>{payload}</item></publish><publish-options><x xmlns='jabber:x:data' type='submit'>\
         <field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>\
         <field var='pubsub#access_model'><value>open</value></field></x></publish-options></pubsub></iq>"
    )
}

fn open(node: &str) -> String {
    format!(
        "<iq type='set' id='lab-open'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='{node}'>\
         <x xmlns='jabber:x:data' type='submit'>\
         <field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#node_config</value></field>\
         <field var='pubsub#access_model'><value>open</value></field></x></configure></pubsub></iq>"
    )
}

fn collect_logs(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect_logs(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "log") {
            files.push(path);
        }
    }
}
