//! The world of one schedule: honest devices, the server between them, villains, and the observer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use minidom::Element;
use omemo::store::MemoryStore;
use omemo::{
    Account, BareJid, Chat, Environment, Error, Event, FullJid, Outgoing, Output, Settings, Ticket,
    Timestamp, Version,
};
use omemo_ratchet::{Randomness, Role};
use omemo_tests::chance::Chance;
use omemo_tests::glass::{Glass, Pane};
use omemo_tests::hub::{Seeded, set};
use omemo_tests::wire::bare;

use crate::observer::{Observer, Text, WORD, Watch};
use crate::room::{ROOM, Said};
use crate::server::Server;
use crate::shape::{carbon, devices_node, push};
use crate::view::{Key, View};
use crate::villain::Villain;

/// What may be replayed: the newest so many messages.
const REMEMBERED: usize = 200;
/// More than these in one mailbox are lost: a client would close the stream.
const MAILBOX: usize = 3_000;

/// One honest device.
pub struct Device {
    pub jid: String,
    pub versions: Vec<Version>,
    pub account: Option<Account<Glass>>,
    full: String,
    pane: Pane,
    settings: Settings,
    pub mailbox: VecDeque<String>,
    pub online: bool,
    pub confirms: bool,
    pub key: Key,
    tickets: Vec<Ticket>,
    /// The texts that it has shown.
    pub read: BTreeSet<String>,
    pub events: BTreeMap<String, usize>,
    /// What it said since somebody wanted to know.
    pub last_events: Vec<Event>,
}

impl Device {
    pub fn heals_legacy(&self) -> bool {
        self.settings.heal_legacy
    }
}

pub struct World {
    clock: Arc<AtomicI64>,
    seeds: Chance,
    pub devices: Vec<Device>,
    pub villains: Vec<Villain>,
    pub server: Server,
    pub observer: Observer,
    /// Messages that crossed, as servers hand them on: to whom, and the stanza.
    pub history: VecDeque<(String, String)>,
    /// Answers that the server keeps back.
    pub late: Vec<(usize, String)>,
    /// The accounts that somebody honest may think about.
    pub jids: Vec<BareJid>,
    /// Whether servers push lists by themselves.
    pub pushes: bool,
    written: usize,
    /// Replacements in the end.
    pub replaced: usize,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            clock: Arc::new(AtomicI64::new(1_800_000_000)),
            seeds: Chance::new(seed),
            devices: Vec::new(),
            villains: Vec::new(),
            server: Server::default(),
            observer: Observer::default(),
            history: VecDeque::new(),
            late: Vec::new(),
            jids: Vec::new(),
            pushes: true,
            written: 0,
            replaced: 0,
        }
    }

    /// A new honest device, offline.
    pub fn add(&mut self, jid: &str, settings: Settings) -> usize {
        let at = self.devices.len();
        let pane = Pane::default();
        let environment = self.environment();
        let bare = BareJid::parse(jid).unwrap();
        let store = Glass::new(MemoryStore::new(), &pane);
        let account = Account::open(store, bare, settings.clone(), environment).unwrap();
        let key = *account.fingerprint().as_bytes();
        self.know(jid);
        let watch = Watch::new(jid, account.device().get(), settings.trust);
        self.observer.watches.push(watch);
        self.observer
            .true_keys
            .entry(jid.into())
            .or_default()
            .insert(key);
        self.devices.push(Device {
            jid: jid.into(),
            versions: settings.versions.clone(),
            account: Some(account),
            full: format!("{jid}/{at}"),
            pane,
            settings,
            mailbox: VecDeque::new(),
            online: false,
            confirms: true,
            key,
            tickets: Vec::new(),
            read: BTreeSet::new(),
            events: BTreeMap::new(),
            last_events: Vec::new(),
        });
        at
    }

    /// From now on the observer looks at this account, too.
    pub fn know(&mut self, jid: &str) {
        let jid = BareJid::parse(jid).unwrap();
        if !self.jids.contains(&jid) {
            self.jids.push(jid);
        }
    }

    fn environment(&mut self) -> Environment {
        let clock = Arc::clone(&self.clock);
        // drawn, since near seeds give one stream from different places on
        let mut seed = [0; 8];
        Seeded(self.seeds.below(u64::MAX))
            .fill(Role::Handle, &mut seed)
            .unwrap();
        Environment::new(
            move || Timestamp::from_seconds(clock.load(Ordering::Relaxed)),
            Seeded(u64::from_le_bytes(seed)),
        )
    }

    /// Time passes, and every device ticks.
    pub fn pass(&mut self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
        for at in 0..self.devices.len() {
            self.call(at, Account::tick);
        }
    }

    pub fn id(&self, at: usize) -> u32 {
        self.observer.watches[at].id
    }

    pub fn go_online(&mut self, at: usize, caught_up: bool) {
        self.devices[at].online = true;
        // no room knows a new stream
        self.expel(at, &[]);
        self.observer.watches[at].said = Said::default();
        let full = FullJid::parse(&self.devices[at].full).unwrap();
        self.call(at, move |account| account.online(full, false));
        if caught_up {
            self.call(at, Account::caught_up);
        }
    }

    pub fn resume(&mut self, at: usize) {
        self.devices[at].online = true;
        let full = FullJid::parse(&self.devices[at].full).unwrap();
        self.call(at, move |account| account.online(full, true));
    }

    pub fn go_offline(&mut self, at: usize) {
        self.devices[at].online = false;
        self.expel(at, &[]);
        if let Some(account) = &mut self.devices[at].account {
            account.offline();
        }
        // answers belonged to the stream
        self.devices[at]
            .mailbox
            .retain(|text| !text.starts_with("<iq"));
    }

    /// The process dies and comes back, offline.
    pub fn restart(&mut self, at: usize) {
        let store = self.devices[at]
            .account
            .take()
            .unwrap()
            .into_store()
            .into_inner();
        self.go_offline(at);
        let environment = self.environment();
        let device = &mut self.devices[at];
        let jid = BareJid::parse(&device.jid).unwrap();
        let store = Glass::new(store, &device.pane);
        let account = Account::open(store, jid, device.settings.clone(), environment).unwrap();
        device.account = Some(account);
        device.tickets.clear();
        self.observer.watches[at].said = Said::default();
    }

    /// A person writes something that nobody has written before.
    pub fn write(&mut self, from: usize, to: &str) -> String {
        let text = self.unique();
        let device = &self.devices[from];
        let author = Text {
            jid: device.jid.clone(),
            key: device.key,
            to: Some(to.into()),
        };
        self.observer.texts.insert(text.clone(), author);
        let chat = Chat::Direct(BareJid::parse(to).unwrap());
        let outgoing = Outgoing::text(format!("m{}", self.written), chat, &text);
        self.call(from, move |account| account.send(outgoing));
        text
    }

    /// A text for a villain to write.
    pub fn villainous(&mut self, villain: usize) -> String {
        let text = self.unique();
        let author = Text {
            jid: self.villains[villain].jid.clone(),
            key: self.villains[villain].key(),
            to: None,
        };
        self.observer.texts.insert(text.clone(), author);
        text
    }

    pub fn unique(&mut self) -> String {
        self.written += 1;
        format!("{WORD} {}", self.written)
    }

    /// Calls a device that nothing was handed to.
    pub fn call(
        &mut self,
        at: usize,
        call: impl FnOnce(&mut Account<Glass>) -> Result<Output, Error>,
    ) -> Vec<Event> {
        self.call_about(at, &BTreeSet::new(), call)
    }

    /// Calls a device and takes care of what follows. `concerns` names the accounts about which it may have learnt
    /// something.
    fn call_about(
        &mut self,
        at: usize,
        concerns: &BTreeSet<String>,
        call: impl FnOnce(&mut Account<Glass>) -> Result<Output, Error>,
    ) -> Vec<Event> {
        let Some(account) = &mut self.devices[at].account else {
            return Vec::new();
        };
        let output = match call(account) {
            Ok(output) => output,
            Err(error) => panic!("ERROR: a call of {at} failed: {error}"),
        };
        self.observer.watches[at].id = account.device().get();
        let jids = self.jids.clone();
        let view = self.look(at, move |tx| View::of(tx, &jids));
        self.observer.rows(at, view, concerns);
        self.take_events(at, &output.events);
        let mut tickets = Vec::new();
        for stanza in output.stanzas {
            tickets.extend(stanza.ticket);
            let text = String::from(&stanza.element);
            let element: Element = text.parse().expect("a stanza that cannot be read");
            self.observer.stanza(at, &text, &element);
            if self.devices[at].online {
                self.route(at, element);
            }
        }
        if self.devices[at].confirms && self.devices[at].online {
            self.account(at).sent(&tickets).unwrap();
        } else {
            self.devices[at].tickets.extend(tickets);
        }
        output.events
    }

    pub fn account(&mut self, at: usize) -> &mut Account<Glass> {
        self.devices[at].account.as_mut().unwrap()
    }

    /// Looks at a device's rows.
    pub fn look<R: Send + 'static>(
        &mut self,
        at: usize,
        what: impl FnOnce(&omemo::store::MemoryTransaction<'_>) -> R + Send + 'static,
    ) -> R {
        let device = &mut self.devices[at];
        let pane = device.pane.clone();
        let account = device.account.as_mut().unwrap();
        pane.look(what, || drop(account.unacknowledged().unwrap()))
    }

    fn take_events(&mut self, at: usize, events: &[Event]) {
        for event in events {
            let debug = format!("{event:?}");
            assert!(!debug.contains(WORD), "PLAINTEXT: in an event: {debug}");
            let name = debug.split(['(', ' ']).next().unwrap_or_default();
            *self.devices[at].events.entry(name.into()).or_default() += 1;
            self.devices[at].last_events.push(event.clone());
            if self.devices[at].last_events.len() > 20 {
                self.devices[at].last_events.remove(0);
            }
            if let Event::Message(message) = event {
                self.observer.shown(at, message);
                self.devices[at].read.extend(message.body());
                let id = message.inbox_id;
                self.account(at).acknowledge(&[id]).unwrap();
            }
        }
    }

    /// A stanza arrives.
    pub fn deliver(&mut self, at: usize, text: &str) -> Vec<Event> {
        let Ok(stanza) = text.parse::<Element>() else {
            return Vec::new();
        };
        let own = self.devices[at].jid.clone();
        let mut concerns = BTreeSet::new();
        speakers(&stanza, &own, 0, &mut concerns);
        if concerns.contains(ROOM) && text.contains("<encrypted") {
            // a room vouches for its occupants
            concerns.extend(self.jids.iter().map(ToString::to_string));
        }
        self.observer.watches[at].said.hear(&stanza);
        self.call_about(at, &concerns, |account| account.receive(&stanza))
    }

    /// The oldest stanza in a mailbox arrives.
    pub fn deliver_one(&mut self, at: usize) -> bool {
        if !self.devices[at].online {
            return false;
        }
        let Some(text) = self.devices[at].mailbox.pop_front() else {
            return false;
        };
        self.deliver(at, &text);
        true
    }

    /// Delivers until nothing moves any more.
    pub fn settle(&mut self) {
        for _ in 0..20_000 {
            let busy = (0..self.devices.len())
                .find(|at| self.devices[*at].online && !self.devices[*at].mailbox.is_empty());
            match busy {
                Some(at) => drop(self.deliver_one(at)),
                None => return,
            }
        }
        panic!("REST: the network never comes to rest");
    }

    pub fn post(&mut self, at: usize, text: String) {
        let mailbox = &mut self.devices[at].mailbox;
        if mailbox.len() < MAILBOX {
            mailbox.push_back(text);
        }
    }

    fn route(&mut self, at: usize, mut stanza: Element) {
        let full = self.devices[at].full.clone();
        set(&mut stanza, "from", full.as_str());
        if stanza.name() == "iq" {
            if stanza.attr("to") == Some(ROOM) {
                self.observer.watches[at].said.asked(&stanza);
            }
            let own = self.devices[at].jid.clone();
            let answer = self.server.answer(&own, &full, &stanza);
            for reply in answer.replies {
                self.post(at, String::from(&reply));
            }
            let late = answer.late.iter().map(|reply| (at, String::from(reply)));
            self.late.extend(late);
            if let Some((jid, node, list)) = answer.changed.filter(|_| self.pushes) {
                self.push_to_all(&jid, &node, &list);
            }
        } else if stanza.name() == "message" {
            self.route_message(at, &stanza);
        }
    }

    fn route_message(&mut self, at: usize, message: &Element) {
        let to = bare(message.attr("to").unwrap());
        let own = self.devices[at].jid.clone();
        let text = String::from(message);
        self.history.push_back((to.clone(), text.clone()));
        if self.history.len() > REMEMBERED {
            self.history.pop_front();
        }
        if to == ROOM {
            return self.reflect(at, message);
        }
        for other in 0..self.devices.len() {
            let jid = &self.devices[other].jid;
            if other == at {
                continue;
            } else if *jid == to {
                self.post(other, text.clone());
            } else if *jid == own {
                self.post(other, carbon(&own, "sent", &text));
            }
        }
        for villain in &mut self.villains {
            if villain.jid == to || villain.jid == own {
                villain.receive(&own, message);
            }
        }
    }

    /// The room hands on a message to everybody who is there, also to who has sent it.
    fn reflect(&mut self, at: usize, message: &Element) {
        let Some(nick) = self.server.room.nicks.get(&at).cloned() else {
            return;
        };
        let own = self.devices[at].jid.clone();
        let mut reflected = message.clone();
        set(&mut reflected, "from", format!("{ROOM}/{nick}"));
        let text = String::from(&reflected);
        let there: Vec<_> = self.server.room.nicks.keys().copied().collect();
        for other in there {
            self.post(other, text.clone());
        }
        for villain in &mut self.villains {
            villain.receive(&own, message);
        }
    }

    /// Everybody who is online hears of a list.
    pub fn push_to_all(&mut self, jid: &str, node: &str, list: &Element) {
        let text = push(Some(jid), node, list);
        for at in 0..self.devices.len() {
            if self.devices[at].online {
                self.post(at, text.clone());
            }
        }
    }

    /// Everybody who is online hears of the true lists.
    pub fn push_truth(&mut self) {
        for jid in self.jids.clone() {
            for version in Version::ALL {
                let node = devices_node(version);
                if let Some(list) = self.server.truth(jid.as_str(), node, "current").cloned() {
                    self.push_to_all(jid.as_str(), node, &list);
                }
            }
        }
    }
}

/// The accounts that a stanza is from, also those inside copies.
fn speakers(element: &Element, own: &str, depth: usize, found: &mut BTreeSet<String>) {
    let is_stanza = matches!(element.name(), "message" | "iq");
    if is_stanza {
        found.insert(element.attr("from").map_or_else(|| own.to_owned(), bare));
    }
    if depth < 6 {
        for child in element.children() {
            speakers(child, own, depth + 1, found);
        }
    }
}
