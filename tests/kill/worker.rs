//! One process: an app on an account. It does what the documentation asks of an app, and no more.
//!
//! - A received message is written to the app's own log, durably, and acknowledged after that. After a restart, the inbox is
//!   read first; what stands in the log already is acknowledged again and not written twice.
//! - A stanza is reported as sent when the server has said that it has it.
//!
//! It talks with the server in JSON lines. In: `stanza` (with `queued`, it wants `handled` when it is done), `caught_up`,
//! `send`, `got`, `ping`. Out: `stanza`, `handled`, `pong`, `event`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::time::Instant;

use omemo::{
    Account, BareJid, Chat, Environment, Event, FullJid, Message, Outgoing, Output, Settings,
    SystemRandomness, Ticket, Timestamp, Version,
};
use omemo_sqlite::{FileAnchor, SqliteStore};
use serde_json::{Value, json};

/// What makes this program a worker.
pub(crate) const ARGUMENT: &str = "work";

/// The app's log of received messages: inbox id, message id and text.
pub(crate) const LOG: &str = "received";

/// The folder of the anchor, for a process that has one.
pub(crate) const ANCHOR: &str = "anchor";

struct App {
    account: Account<SqliteStore>,
    log: File,
    /// Inbox ids that stand in the log.
    logged: BTreeSet<u64>,
    /// Whether stanzas are sent before messages are logged, or after: apps do either.
    stanzas_first: bool,
}

/// Arguments: folder, full JID, protocols, seconds since 1970 at the start.
pub(crate) fn work(arguments: &[String]) {
    let [folder, jid, protocols, clock] = arguments else {
        panic!("arguments of a worker: {arguments:?}")
    };
    let folder = Path::new(folder);
    let full = FullJid::parse(jid).unwrap();
    let clock: i64 = clock.parse().unwrap();
    let started = Instant::now();
    let environment = Environment::new(
        move || {
            Timestamp::from_seconds(clock + i64::try_from(started.elapsed().as_secs()).unwrap())
        },
        SystemRandomness,
    );
    // the control has none: it is there to see what happens then
    let anchor = folder.join(ANCHOR);
    let environment = if anchor.exists() {
        environment.with_anchor(FileAnchor::new(anchor.join("record")))
    } else {
        environment
    };
    let mut settings = Settings::default();
    settings.versions = match protocols.as_str() {
        "omemo2" => vec![Version::Omemo2],
        "legacy" => vec![Version::Legacy],
        _ => Version::ALL.to_vec(),
    };
    let store = SqliteStore::open(folder.join("omemo.db")).unwrap();
    let account = Account::open(store, full.bare(), settings, environment).unwrap();
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join(LOG))
        .unwrap();
    let logged = read_log(folder)
        .into_iter()
        .map(|entry| entry.inbox_id)
        .collect();
    let mut app = App {
        account,
        log,
        logged,
        stanzas_first: clock % 2 == 0,
    };

    for message in app.account.unacknowledged().unwrap() {
        app.store(&message);
    }
    let output = app.account.online(full, false).unwrap();
    app.take(output);
    for line in io::stdin().lock().lines() {
        let command: Value = serde_json::from_str(&line.unwrap()).unwrap();
        app.obey(&command);
    }
}

impl App {
    fn obey(&mut self, command: &Value) {
        if let Some(stanza) = command["stanza"].as_str() {
            let output = self.account.receive(&stanza.parse().unwrap()).unwrap();
            self.take(output);
            if command["queued"] == true {
                say(&json!({"handled": true}));
            }
        } else if command["caught_up"] == true {
            let output = self.account.caught_up().unwrap();
            self.take(output);
        } else if let Some(id) = command["send"].as_str() {
            let to = BareJid::parse(command["to"].as_str().unwrap()).unwrap();
            let outgoing = Outgoing::text(id, Chat::Direct(to), command["body"].as_str().unwrap());
            let output = self.account.send(outgoing).unwrap();
            self.take(output);
        } else if let Some(ticket) = command["got"].as_u64() {
            self.account.sent(&[Ticket::new(ticket)]).unwrap();
        } else if let Some(number) = command["ping"].as_u64() {
            let output = self.account.tick().unwrap();
            self.take(output);
            say(&json!({"pong": number}));
        } else {
            panic!("a command that no worker knows: {command}");
        }
    }

    fn take(&mut self, output: Output) {
        let Output {
            stanzas, events, ..
        } = output;
        let send = || {
            for stanza in &stanzas {
                say(
                    &json!({"stanza": String::from(&stanza.element), "ticket": stanza.ticket.map(Ticket::get)}),
                );
            }
        };
        if self.stanzas_first {
            send();
        }
        for event in &events {
            match event {
                Event::Message(message) => self.store(message),
                other => say(&json!({"event": kind(other), "details": format!("{other:?}")})),
            }
        }
        if !self.stanzas_first {
            send();
        }
    }

    fn store(&mut self, message: &Message) {
        let inbox_id = message.inbox_id.get();
        if self.logged.insert(inbox_id) {
            let id = message.id.as_deref().unwrap_or("-");
            let line = format!("{inbox_id}\t{id}\t{}\n", message.body().unwrap_or_default());
            self.log.write_all(line.as_bytes()).unwrap();
            self.log.sync_data().unwrap();
        }
        self.account.acknowledge(&[message.inbox_id]).unwrap();
    }
}

/// The events that the server cares for, by a name of its own.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::Sealed { unserved, .. } if unserved.is_empty() => "sealed",
        Event::Sealed { .. } => "partly sealed",
        Event::Refused { .. } => "refused",
        Event::Unsent { .. } => "unsent",
        Event::Undecryptable { .. } => "undecryptable",
        Event::Published { .. } => "published",
        Event::Restored { .. } => "restored",
        Event::AnchorFailed { .. } => "anchor failed",
        _ => "other",
    }
}

fn say(value: &Value) {
    let mut line = value.to_string();
    line.push('\n');
    // One write a line, so that a kill leaves a line or none. A server that is gone does not matter.
    let _ = io::stdout().lock().write_all(line.as_bytes());
    let _ = io::stdout().lock().flush();
}

/// One line of the app's log.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) inbox_id: u64,
    pub(crate) id: String,
    pub(crate) body: String,
}

/// Everything in the app's log.
pub(crate) fn read_log(folder: &Path) -> Vec<Entry> {
    let text = fs::read_to_string(folder.join(LOG)).unwrap_or_default();
    text.lines()
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [inbox_id, id, body] = columns[..] else {
                panic!("a line of the app's log: {line}")
            };
            Entry {
                inbox_id: inbox_id.parse().unwrap(),
                id: id.to_owned(),
                body: body.to_owned(),
            }
        })
        .collect()
}
