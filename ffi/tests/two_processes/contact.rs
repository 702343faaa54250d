//! Somebody to talk to: an account in this process, which nobody kills.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use minidom::Element;
use omemo::store::MemoryStore;
use omemo::{
    Account, BareJid, Chat, Environment, Event, FullJid, Outgoing, Output, Settings,
    SystemRandomness, Timestamp, Version,
};

/// How far everybody's clock is ahead of the system's.
pub(crate) type Ahead = Arc<AtomicI64>;

pub(crate) struct Contact {
    account: Account<MemoryStore>,
    pub(crate) full: String,
    /// All that it ever sent and read, by id.
    pub(crate) sent: Vec<String>,
    pub(crate) read: BTreeSet<String>,
}

impl Contact {
    pub(crate) fn new(full: &str, version: Version, ahead: &Ahead) -> Self {
        let ahead = Arc::clone(ahead);
        let now = move || {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let now = i64::try_from(now.as_secs()).unwrap();
            Timestamp::from_seconds(now + ahead.load(Ordering::Relaxed))
        };
        let mut settings = Settings::default();
        settings.versions = vec![version];
        let environment = Environment::new(now, SystemRandomness);
        let jid = FullJid::parse(full).unwrap().bare();
        let account = Account::open(MemoryStore::new(), jid, settings, environment).unwrap();
        Self {
            account,
            full: full.to_owned(),
            sent: Vec::new(),
            read: BTreeSet::new(),
        }
    }

    pub(crate) fn bare(&self) -> &str {
        self.full.split('/').next().unwrap()
    }

    /// Everything that it does at its start; returns what has to be sent.
    pub(crate) fn begin(&mut self) -> Vec<Element> {
        let full = FullJid::parse(&self.full).unwrap();
        let output = self.account.online(full, false).unwrap();
        let mut stanzas = self.take(output);
        let output = self.account.caught_up().unwrap();
        stanzas.extend(self.take(output));
        stanzas
    }

    pub(crate) fn send(&mut self, to: &str) -> Vec<Element> {
        let id = format!(
            "{}-{}",
            self.bare().replace(['@', '.'], "-"),
            self.sent.len()
        );
        let chat = Chat::Direct(BareJid::parse(to).unwrap());
        let outgoing = Outgoing::text(id.as_str(), chat, body(&id).as_str());
        self.sent.push(id);
        let output = self.account.send(outgoing).unwrap();
        self.take(output)
    }

    pub(crate) fn receive(&mut self, stanza: &Element) -> Vec<Element> {
        let output = self.account.receive(stanza).unwrap();
        self.take(output)
    }

    fn take(&mut self, output: Output) -> Vec<Element> {
        let Output {
            stanzas, events, ..
        } = output;
        for event in events {
            match event {
                Event::Message(message) => {
                    let id = message.id.clone().unwrap();
                    assert_eq!(message.body().unwrap(), body(&id));
                    assert!(self.read.insert(id.clone()), "{id} was read twice");
                    self.account.acknowledge(&[message.inbox_id]).unwrap();
                }
                Event::Undecryptable { .. } | Event::Refused { .. } | Event::Unsent { .. } => {
                    panic!("{}: {event:?}", self.full)
                }
                _ => {}
            }
        }
        let tickets: Vec<_> = stanzas.iter().filter_map(|stanza| stanza.ticket).collect();
        self.account.sent(&tickets).unwrap();
        stanzas.into_iter().map(|stanza| stanza.element).collect()
    }
}

/// The text of a message.
pub(crate) fn body(id: &str) -> String {
    format!("the text of {id}")
}
