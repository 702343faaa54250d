//! The real devices: each transition is done to them, and what they show is held against the abstract network.

use std::collections::{BTreeMap, BTreeSet};

use minidom::Element;
use omemo::store::{Change, Store, Transaction};
use omemo::{
    Address, BareJid, Chat, DeviceId, Event, InboxId, Outgoing, Served, Settings,
    UndecryptableReason, Version,
};
use omemo_tests::hub::{At, Hub, speaks};
use omemo_tests::stores::Stores;
use omemo_tests::wire::Ledger;

use crate::network::{Network, RESTART};
use crate::proof::Proof;
use crate::transition::{Fate, Parcel, Text, Transition};

/// The accounts.
pub const JIDS: [&str; 3] = [
    "juliet@capulet.example",
    "romeo@montague.example",
    "mercutio@verona.example",
];

/// The devices and what is known about them.
pub struct Play<S: Stores> {
    pub hub: Hub<S::Store>,
    stores: S,
    pub online: Vec<bool>,
    /// The id of each device, also of those that are gone.
    pub ids: Vec<u32>,
    /// What apps asked for and saw no answer to.
    asked: BTreeMap<usize, Vec<(Text, usize)>>,
    pub ledger: Ledger,
    pub proof: Proof,
    /// How much of the wire and of each device's events was looked at.
    crossed: usize,
    shown: Vec<usize>,
    /// Whom messages say that they serve.
    sealed: BTreeMap<Text, BTreeSet<(String, u32, Version)>>,
    unsent: BTreeSet<Text>,
    /// What devices have shown, and as which message.
    shown_as: BTreeMap<(usize, Text), InboxId>,
    excused: BTreeSet<(usize, Text)>,
    /// Who discarded its sessions with whom, and then could not make itself heard.
    pub unheard: BTreeSet<(usize, usize)>,
}

impl<S: Stores + Default> Play<S> {
    /// Everybody comes online, and has read the archive.
    pub fn new(network: &Network) -> Self {
        let mut play = Self {
            hub: Hub::new(5),
            stores: S::default(),
            online: Vec::new(),
            ids: Vec::new(),
            asked: BTreeMap::new(),
            ledger: Ledger::default(),
            proof: Proof::default(),
            crossed: 0,
            shown: Vec::new(),
            sealed: BTreeMap::new(),
            unsent: BTreeSet::new(),
            shown_as: BTreeMap::new(),
            excused: BTreeSet::new(),
            unheard: BTreeSet::new(),
        };
        play.hub.catches_up = false;
        for device in &network.devices {
            play.join(device.account, speaks(&device.versions));
        }
        play
    }

    fn join(&mut self, account: usize, settings: Settings) {
        let store = self.stores.make();
        let at = self.hub.add(JIDS[account], store, settings);
        self.online.push(true);
        self.shown.push(0);
        self.hub.go_online(at);
        self.calm();
        self.hub.call(at, omemo::Account::caught_up);
        self.calm();
        self.ids.push(self.hub.id(at));
    }

    /// Does it.
    pub fn apply(&mut self, network: &Network, transition: &Transition) {
        match transition {
            Transition::Send {
                from,
                to,
                text,
                confirmed,
            } => {
                if !self.online[*from] {
                    self.asked.entry(*from).or_default().push((*text, *to));
                }
                self.confirming(*from, *confirmed, |play| play.send(*from, *to, *text));
            }
            Transition::DieSending { from, to, text } => {
                let account = self.hub.devices[*from].account.as_mut().unwrap();
                drop(account.send(outgoing(*to, *text)).unwrap());
                self.asked.entry(*from).or_default().push((*text, *to));
                self.restart(*from, |stores, old| stores.again(*from, old));
            }
            Transition::Deliver(parcel) => self.deliver(*parcel),
            Transition::Archive(at) => self.read_archive(*at),
            Transition::DieReading(parcel) => {
                let at = parcel.0;
                let stanza = self.take(*parcel);
                let now = self.hub.now().seconds();
                self.proof.arrives(&stanza, self.ids[at], now);
                let account = self.hub.devices[at].account.as_mut().unwrap();
                drop(account.receive(&stanza).unwrap());
                self.restart(at, |stores, old| stores.again(at, old));
            }
            Transition::Lose(parcel) => drop(self.take(*parcel)),
            Transition::Double(parcel) => {
                let place = self.place(*parcel);
                let mailbox = self.hub.mailbox(At(parcel.0));
                let copy = mailbox[place].clone();
                mailbox.push_back(copy);
            }
            Transition::Automatic { to, which, fate } => self.automatic(*to, *which, *fate),
            Transition::Offline(device) => self.offline(*device),
            Transition::Online { device, confirmed } => {
                self.confirming(*device, *confirmed, |play| play.go_online(*device));
            }
            Transition::CaughtUp(device) => {
                self.hub.call(At(*device), omemo::Account::caught_up);
                self.calm();
            }
            Transition::Restart(at) => self.restart(*at, |stores, old| stores.again(*at, old)),
            Transition::Move(at) => self.restart(*at, |stores, old| stores.moved(*at, old)),
            Transition::Replace(device) => self.replace(network, *device),
            Transition::Forget { device, peer } => self.forget(*device, *peer),
            Transition::Pass(seconds) => {
                self.hub.pass_quietly(*seconds);
                self.calm();
            }
        }
        self.look(network);
    }

    fn send(&mut self, from: usize, to: usize, text: Text) {
        let message = outgoing(to, text);
        self.hub.call(At(from), |account| account.send(message));
        self.calm();
    }

    /// Answers and events of servers arrive at once; messages wait.
    pub fn calm(&mut self) {
        for _ in 0..10_000 {
            let found = (0..self.online.len())
                .filter(|at| self.online[*at])
                .find_map(|at| {
                    let mailbox = self.hub.mailbox(At(at));
                    let place = mailbox.iter().position(|text| !is_message(text))?;
                    Some((at, mailbox.remove(place).unwrap()))
                });
            let Some((at, text)) = found else {
                return;
            };
            self.hub.deliver(At(at), &text.parse().unwrap());
        }
        panic!("the network never comes to rest");
    }

    /// Does something while the device hears nothing of its messages' fate, or while it does. Empty messages are always
    /// confirmed, since the model knows nothing of them.
    fn confirming(&mut self, at: usize, confirmed: bool, act: impl FnOnce(&mut Self)) {
        let crossed = self.hub.wire.len();
        let tickets = self.hub.devices[at].tickets.len();
        self.hub.devices[at].confirms = confirmed;
        act(self);
        self.hub.devices[at].confirms = true;
        let messages = self.hub.wire[crossed..].iter();
        let empty = messages
            .filter(|crossed| crossed.from == At(at) && crossed.text.starts_with("<message"))
            .map(|crossed| text_of(&crossed.text).is_none());
        let device = &mut self.hub.devices[at];
        let new = device.tickets[tickets..].iter().copied();
        let done: Vec<_> = new
            .zip(empty)
            .filter_map(|(ticket, empty)| empty.then_some(ticket))
            .collect();
        device.account.as_mut().unwrap().sent(&done).unwrap();
    }

    /// Where a copy of the parcel lies.
    fn place(&mut self, (to, text, version): Parcel) -> usize {
        let namespace = namespace(version);
        let ours = |stanza: &String| text_of(stanza) == Some(text) && stanza.contains(namespace);
        let place = self.hub.mailbox(At(to)).iter().position(ours);
        place.unwrap_or_else(|| panic!("message {text} is not on its way to device {to}"))
    }

    fn take(&mut self, parcel: Parcel) -> Element {
        let place = self.place(parcel);
        let text = self.hub.mailbox(At(parcel.0)).remove(place).unwrap();
        text.parse().unwrap()
    }

    fn deliver(&mut self, parcel: Parcel) {
        let stanza = self.take(parcel);
        self.hand_over(parcel.0, &stanza);
    }

    fn read_archive(&mut self, at: usize) {
        // everything but messages has arrived already
        let stanzas = std::mem::take(self.hub.mailbox(At(at)));
        let stanzas: Vec<Element> = stanzas.iter().map(|text| text.parse().unwrap()).collect();
        for stanza in &stanzas {
            let now = self.hub.now().seconds();
            self.proof.arrives(stanza, self.ids[at], now);
        }
        self.hub
            .call(At(at), |account| account.receive_all(&stanzas));
        self.calm();
    }

    fn automatic(&mut self, to: usize, which: usize, fate: Fate) {
        let mailbox = self.hub.mailbox(At(to));
        let empty = |(_, text): &(usize, &String)| is_message(text) && text_of(text).is_none();
        let places: Vec<usize> = mailbox
            .iter()
            .enumerate()
            .filter(empty)
            .map(|(at, _)| at)
            .collect();
        if places.is_empty() {
            return;
        }
        let place = places[which % places.len()];
        if fate == Fate::Doubled {
            let copy = mailbox[place].clone();
            mailbox.push_back(copy);
            return;
        }
        let stanza = mailbox.remove(place).unwrap();
        if fate == Fate::Delivered {
            self.hand_over(to, &stanza.parse().unwrap());
        }
    }

    fn hand_over(&mut self, to: usize, stanza: &Element) {
        let now = self.hub.now().seconds();
        self.proof.arrives(stanza, self.ids[to], now);
        self.hub.deliver(At(to), stanza);
        self.calm();
    }

    fn offline(&mut self, at: usize) {
        self.online[at] = false;
        self.hub.go_offline(At(at));
        // what servers had answered to this stream is gone with it
        self.hub.mailbox(At(at)).retain(|text| is_message(text));
    }

    pub fn go_online(&mut self, at: usize) {
        self.online[at] = true;
        self.asked.remove(&at);
        self.hub.go_online(At(at));
        self.calm();
    }

    /// The process dies. Two minutes later the app is there again, reads what it had not seen and asks again for what it has
    /// not seen sent.
    fn restart(&mut self, at: usize, reopen: impl FnOnce(&mut S, S::Store) -> S::Store) {
        let was_online = self.online[at];
        self.offline(at);
        let stores = &mut self.stores;
        self.hub.restart_quietly(At(at), |old| reopen(stores, old));
        self.hub.pass_quietly(RESTART);
        self.calm();
        let device = &mut self.hub.devices[at];
        let account = device.account.as_mut().unwrap();
        for message in account.unacknowledged().unwrap() {
            account.acknowledge(&[message.inbox_id]).unwrap();
            device.messages.push(message);
        }
        for (text, to) in self.asked.get(&at).cloned().unwrap_or_default() {
            self.send(at, to, text);
        }
        if was_online {
            self.go_online(at);
        }
    }

    fn replace(&mut self, network: &Network, at: usize) {
        self.offline(at);
        drop(self.hub.leave(At(at)));
        self.hub.mailbox(At(at)).clear();
        self.asked.remove(&at);
        let versions = &network.devices[at].versions;
        self.join(network.devices[at].account, speaks(versions));
    }

    /// Also what the device's automatic answers would tell the peer is lost.
    fn forget(&mut self, at: usize, peer: usize) {
        let own = JIDS
            .iter()
            .find(|jid| **jid == self.hub.devices[at].jid.as_str());
        let own = BareJid::parse(own.unwrap()).unwrap();
        let address = Address {
            jid: self.hub.devices[peer].jid.clone(),
            device: DeviceId::new(self.ids[peer]).unwrap(),
        };
        let sid = format!("sid='{}'", self.ids[at]);
        let quoted = sid.replace('\'', "\"");
        self.hub.mailbox(At(peer)).retain(|text| {
            text_of(text).is_some() || !(text.contains(&sid) || text.contains(&quoted))
        });
        self.restart(at, |stores, mut old| {
            let mut tx = old.begin(&own).unwrap();
            for version in Version::ALL {
                for row in tx.sessions(version, &address).unwrap() {
                    let gone = Change::DeleteSession(version, address.clone(), row.ephemeral_key);
                    tx.write(gone).unwrap();
                }
            }
            tx.commit().unwrap();
            stores.again(at, old)
        });
    }

    /// Looks at everything that is new.
    fn look(&mut self, network: &Network) {
        for crossed in &self.hub.wire[self.crossed..] {
            let stanza = crossed.text.parse().unwrap();
            let jid = self.hub.devices[crossed.from.0].jid.as_str();
            self.ledger.enter(&stanza, jid).unwrap();
            self.proof.note(&stanza, text_of(&crossed.text));
        }
        self.crossed = self.hub.wire.len();
        for at in 0..self.online.len() {
            let events = self.hub.devices[at].events[self.shown[at]..].to_vec();
            self.shown[at] += events.len();
            for event in events {
                self.event(network, at, event);
            }
        }
    }

    fn event(&mut self, network: &Network, at: usize, event: Event) {
        match event {
            Event::Message(message) => {
                let text = text_of(&message.body().unwrap()).unwrap();
                // twice in one archive: until the app has acknowledged it, it is handed out again as what it is
                let known = self.shown_as.insert((at, text), message.inbox_id);
                let same = known.is_none_or(|known| known == message.inbox_id);
                assert!(same, "device {at} shows {text} again");
            }
            Event::Undecryptable { id, reason, .. } => {
                let text = id
                    .as_deref()
                    .and_then(text_of)
                    .expect("only messages are missed");
                let known = &network.texts[&text];
                let excuse = match reason {
                    UndecryptableReason::NotForThisDevice => !known.served.contains_key(&at),
                    _ => self.is_excused(network, at, text),
                };
                assert!(excuse, "message {text} to device {at}: {reason}");
            }
            Event::Sealed {
                id,
                served,
                unserved,
                ..
            } => {
                let text = text_of(&id).unwrap();
                assert!(unserved.is_empty(), "{unserved:?}");
                let name = |one: &Served| {
                    let device = one.device.device.get();
                    (one.device.jid.to_string(), device, one.version)
                };
                let served = served.iter().map(name).collect();
                let known = self.sealed.insert(text, served);
                assert!(known.is_none_or(|known| known == self.sealed[&text]));
                let author = network.texts[&text].from;
                for reader in network.texts[&text].served.keys() {
                    if self.unheard.contains(&(*reader, author)) {
                        self.excused.insert((*reader, text));
                    }
                }
            }
            Event::Unsent { id, .. } => drop(self.unsent.insert(text_of(&id).unwrap())),
            Event::Refused { .. } | Event::IdentityChanged { .. } | Event::ListRefused { .. } => {
                panic!("device {at}: {event:?}");
            }
            _ => {}
        }
    }

    /// Whether a device may be unable to read a message that it was served.
    fn is_excused(&self, network: &Network, at: usize, text: Text) -> bool {
        let now = self.hub.now().seconds();
        network.texts[&text].doubtful.contains(&at)
            || self.excused.contains(&(at, text))
            || self.proof.excuses(text, self.ids[at], now)
    }

    /// Holds everything against the abstract network.
    pub fn check(&mut self, network: &Network) {
        for (text, sealed) in &network.texts {
            let alive = |(at, version): (&usize, &Version)| {
                let jid = JIDS[network.devices[*at].account].to_owned();
                (jid, self.ids[*at], *version)
            };
            let expected: BTreeSet<_> = sealed.served.iter().map(alive).collect();
            let served = self.sealed.get(text);
            let served = served.unwrap_or_else(|| panic!("message {text} was not sealed"));
            // those that were replaced still stand on the lists
            assert!(
                expected.is_subset(served),
                "message {text}: {served:?}, {expected:?}"
            );
            let gone = served.difference(&expected).all(|(_, id, _)| {
                let at = self.ids.iter().position(|known| known == id).unwrap();
                !network.devices[at].alive
            });
            assert!(gone, "message {text}: {served:?}, {expected:?}");
        }
        assert_eq!(self.sealed.len(), network.texts.len());
        assert_eq!(self.unsent, network.unsent);
        for at in 0..network.devices.len() {
            self.check_reading(network, at);
        }
    }

    fn check_reading(&mut self, network: &Network, at: usize) {
        let mut read = BTreeSet::new();
        for message in &self.hub.devices[at].messages {
            let text = text_of(&message.body().unwrap()).unwrap();
            assert!(
                read.insert(text),
                "message {text} was read twice by device {at}"
            );
            let author = network.texts[&text].from;
            assert_eq!(message.from.device.get(), self.ids[author]);
        }
        for text in &read {
            assert!(
                network.delivered.contains(&(at, *text)),
                "nobody brought {text}"
            );
        }
        for (_, text) in network.delivered.range((at, 0)..=(at, Text::MAX)) {
            let pair = (network.texts[text].from, at);
            if read.contains(text) {
                self.unheard.remove(&pair);
            } else {
                assert!(
                    self.is_excused(network, at, *text),
                    "message {text} was not read by device {at}"
                );
                self.excused.insert((at, *text));
                if network.forgotten.contains(&pair) {
                    self.unheard.insert(pair);
                }
            }
        }
    }
}

fn outgoing(to: usize, text: Text) -> Outgoing {
    let chat = Chat::Direct(BareJid::parse(JIDS[to]).unwrap());
    let id = format!("text-{text}-");
    Outgoing::text(id.clone(), chat, &id)
}

/// The number of the message that this is or holds.
pub fn text_of(stanza: &str) -> Option<Text> {
    let (_, rest) = stanza.split_once("text-")?;
    rest.split('-').next()?.parse().ok()
}

/// Which stanzas may be lost, shuffled and doubled: those between people. Answers of servers keep their order.
pub fn is_message(stanza: &str) -> bool {
    stanza.contains("<encrypted")
}

pub const fn namespace(version: Version) -> &'static str {
    match version {
        Version::Omemo2 => omemo_tests::wire::OMEMO2,
        Version::Legacy => omemo_tests::wire::LEGACY,
    }
}
