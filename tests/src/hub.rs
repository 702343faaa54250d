//! A whole XMPP network in memory: accounts with several devices each, PEP nodes, pushes, carbons and offline
//! storage, so that a conversation of many devices runs in milliseconds. Every stanza crosses as text, as it would on
//! a wire, and everything that crossed is kept for a look.

mod pocket;
mod room;
mod seeded;
mod server;
mod watched;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use minidom::Element;
use omemo::store::Store;
use omemo::{
    Account, BareJid, Chat, Environment, Event, FullJid, Message, Outgoing, Output, Randomness,
    Role, Settings, Ticket, Timestamp, Version,
};

pub use self::pocket::{Mishap, Pocket};
pub use self::room::Room;
pub use self::seeded::Seeded;
pub use self::server::{carbon, error, set};
pub use self::watched::{Fragile, Watched};

use self::server::Node;
use self::watched::{Request, Wanted};

/// Which device of the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct At(pub usize);

/// How the hub's servers treat publishing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manners {
    /// All that XEP-0384 asks for.
    #[default]
    Proper,
    /// As ejabberd 23: `max_items` in publish-options is refused, and a node keeps one item until it is configured.
    RefusesMaxItems,
    /// Nodes exist with another configuration: publish-options fail until the owner has configured them.
    PreconditionNotMet,
    /// Publishing is refused.
    RefusesPublishing,
}

/// Servers' own words: an error in answer to a question to an account, instead of what the hub would do.
pub type Objection = Box<dyn Fn(&str, &Element) -> Option<Element>>;

/// One device.
pub struct Device<S> {
    /// Its account.
    pub jid: BareJid,
    full: FullJid,
    /// The library's handle; `None` while it is switched off.
    pub account: Option<Account<Watched<S>>>,
    request: Request,
    fails: Arc<AtomicBool>,
    settings: Settings,
    mailbox: VecDeque<String>,
    online: bool,
    /// It was deactivated: the hub calls it no more.
    pub removed: bool,
    /// All messages that it has shown, acknowledged or not.
    pub messages: Vec<Message>,
    /// All events.
    pub events: Vec<Event>,
    /// Tickets that were not reported as sent.
    pub tickets: Vec<Ticket>,
    /// Whether messages are acknowledged as they come.
    pub acknowledges: bool,
    /// Whether stanzas are reported as sent as they leave.
    pub confirms: bool,
    /// When the library wants its next tick.
    pub wake: Option<Timestamp>,
}

/// One stanza that crossed.
#[derive(Debug, Clone)]
pub struct Crossed {
    /// Which device sent it.
    pub from: At,
    /// The stanza as it left.
    pub text: String,
}

/// The network.
pub struct Hub<S> {
    nodes: BTreeMap<(String, String), Node>,
    /// The devices in the order in which they joined.
    pub devices: Vec<Device<S>>,
    /// Everything that crossed.
    pub wire: Vec<Crossed>,
    clock: Arc<AtomicI64>,
    seed: u64,
    /// How publishing is treated.
    pub manners: Manners,
    /// Whether lists are pushed to everybody.
    pub pushes: bool,
    /// Who has subscribed to which node: owner, node, subscriber. They are told of changes in any case.
    pub subscriptions: BTreeSet<(String, String, String)>,
    /// The features that servers announce for every account.
    pub features: Vec<String>,
    /// Whether servers answer questions at all.
    pub answers: bool,
    /// What `online` is followed by: `caught_up` at once, or not at all.
    pub catches_up: bool,
    /// A stanza for which this says `false` is lost.
    pub lets_pass: fn(&Element) -> bool,
    /// What servers say instead of doing what they are asked.
    pub objects: Objection,
    /// The anchors of devices that have one.
    pub anchors: BTreeMap<At, Pocket>,
    /// Accounts without a device on the hub whose rows belong into a dump.
    pub strangers: Vec<String>,
    /// The rooms.
    pub rooms: Vec<Room>,
}

impl<S: Store + 'static> Default for Hub<S> {
    fn default() -> Self {
        Self::new(1)
    }
}

impl<S: Store + 'static> Hub<S> {
    /// An empty network; all randomness follows from the seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            nodes: BTreeMap::new(),
            devices: Vec::new(),
            wire: Vec::new(),
            clock: Arc::new(AtomicI64::new(1_800_000_000)),
            seed,
            manners: Manners::Proper,
            pushes: true,
            subscriptions: BTreeSet::new(),
            features: server::FEATURES.map(str::to_owned).to_vec(),
            answers: true,
            catches_up: true,
            lets_pass: |_| true,
            objects: Box::new(|_, _| None),
            anchors: BTreeMap::new(),
            strangers: Vec::new(),
            rooms: Vec::new(),
        }
    }

    /// An environment on the hub's clock.
    pub fn environment(&mut self) -> Environment {
        let clock = Arc::clone(&self.clock);
        // a seed that was drawn, since near seeds give one stream from different places on
        let mut seed = [0; 8];
        let _ = Seeded(self.seed).fill(Role::Handle, &mut seed);
        self.seed = u64::from_le_bytes(seed);
        Environment::new(
            move || Timestamp::from_seconds(clock.load(Ordering::Relaxed)),
            Seeded(self.seed),
        )
    }

    fn environment_of(&mut self, at: At) -> Environment {
        let environment = self.environment();
        match self.anchors.get(&at) {
            Some(anchor) => environment.with_anchor(anchor.clone()),
            None => environment,
        }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.clock.load(Ordering::Relaxed))
    }

    /// Lets time pass, and nothing happens.
    pub fn advance(&mut self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Lets time pass, and ticks every device that is on.
    pub fn pass(&mut self, seconds: i64) {
        self.pass_quietly(seconds);
        self.settle();
    }

    /// The same, and nothing is delivered.
    pub fn pass_quietly(&mut self, seconds: i64) {
        self.advance(seconds);
        for at in 0..self.devices.len() {
            self.call(At(at), Account::tick);
        }
    }

    /// A new device goes online, and everything that follows happens.
    pub fn join(&mut self, jid: &str, store: S, settings: Settings) -> At {
        let at = self.add(jid, store, settings);
        self.go_online(at);
        self.settle();
        at
    }

    /// A new device that stays offline.
    pub fn add(&mut self, jid: &str, store: S, settings: Settings) -> At {
        let jid = BareJid::parse(jid).unwrap();
        let at = At(self.devices.len());
        let full = FullJid::parse(&format!("{jid}/{}", at.0)).unwrap();
        let environment = self.environment_of(at);
        let request = Request::default();
        let fails = Arc::new(AtomicBool::new(false));
        let store = Watched::new(store, &request, &fails);
        let account = Account::open(store, jid.clone(), settings.clone(), environment).unwrap();
        self.devices.push(Device {
            jid,
            full,
            account: Some(account),
            request,
            fails,
            settings,
            mailbox: VecDeque::new(),
            online: false,
            removed: false,
            messages: Vec::new(),
            events: Vec::new(),
            tickets: Vec::new(),
            acknowledges: true,
            confirms: true,
            wake: None,
        });
        at
    }

    /// A new stream.
    pub fn go_online(&mut self, at: At) {
        self.devices[at.0].online = true;
        let full = self.devices[at.0].full.clone();
        self.call(at, move |account| account.online(full, false));
        if self.catches_up {
            self.call(at, Account::caught_up);
        }
    }

    /// The stream breaks; what arrives from now on waits.
    pub fn go_offline(&mut self, at: At) {
        self.devices[at.0].online = false;
        if let Some(account) = &mut self.devices[at.0].account {
            account.offline();
        }
        self.expel_everywhere(at);
    }

    /// The process dies and comes back on the store that it left, opened again by `reopen`.
    pub fn restart(&mut self, at: At, reopen: impl FnOnce(S) -> S) {
        self.restart_quietly(at, reopen);
        self.go_online(at);
        self.settle();
    }

    /// The process dies and is there again, offline, on the store that it left, opened again by `reopen`.
    pub fn restart_quietly(&mut self, at: At, reopen: impl FnOnce(S) -> S) {
        let account = self.devices[at.0].account.take().unwrap();
        let store = reopen(account.into_store().inner);
        let environment = self.environment_of(at);
        let device = &mut self.devices[at.0];
        let store = Watched::new(store, &device.request, &device.fails);
        let account = Account::open(
            store,
            device.jid.clone(),
            device.settings.clone(),
            environment,
        )
        .unwrap();
        device.account = Some(account);
        device.tickets.clear();
        device.online = false;
        device.removed = false;
        self.expel_everywhere(at);
    }

    /// Gives the store away, as when a device is switched off for good.
    pub fn leave(&mut self, at: At) -> S {
        self.devices[at.0].online = false;
        self.devices[at.0]
            .account
            .take()
            .unwrap()
            .into_store()
            .inner
    }

    /// The same stream goes on (XEP-0198).
    pub fn resume(&mut self, at: At) {
        self.devices[at.0].online = true;
        let full = self.devices[at.0].full.clone();
        self.call(at, move |account| account.online(full, true));
    }

    /// Everything that a device's store holds about the accounts here, one line a row. Left out is what a refused
    /// input may change: when something was asked last and why it failed, and the count of commits.
    pub fn dump(&mut self, at: At) -> Vec<String> {
        let mut jids: Vec<BareJid> = self
            .devices
            .iter()
            .map(|device| device.jid.clone())
            .collect();
        jids.extend(
            self.strangers
                .iter()
                .map(|jid| BareJid::parse(jid).unwrap()),
        );
        jids.sort();
        jids.dedup();
        let device = &mut self.devices[at.0];
        *device.request.lock().unwrap() = Some(Wanted { jids, lines: None });
        device.account.as_mut().unwrap().unacknowledged().unwrap();
        device
            .request
            .lock()
            .unwrap()
            .take()
            .unwrap()
            .lines
            .unwrap()
    }

    /// The next commit of a device fails, and nothing of it is kept.
    pub fn fail_next_commit(&mut self, at: At) {
        self.devices[at.0].fails.store(true, Ordering::Relaxed);
    }

    /// Hands a stanza to a device, whatever it is; gives the events of that, and of nothing that follows.
    pub fn deliver(&mut self, to: At, stanza: &Element) -> Vec<Event> {
        let start = self.devices[to.0].events.len();
        self.call(to, |account| account.receive(stanza));
        self.devices[to.0].events[start..].to_vec()
    }

    /// The messages that a device has put on the wire, as servers hand them on.
    #[must_use]
    pub fn messages_of(&self, from: At) -> Vec<Element> {
        self.of_kind(from, "message")
    }

    /// The questions that a device has put on the wire.
    #[must_use]
    pub fn questions_of(&self, from: At) -> Vec<Element> {
        self.of_kind(from, "iq")
    }

    fn of_kind(&self, from: At, name: &str) -> Vec<Element> {
        let crossed = self.wire.iter().filter(|crossed| crossed.from == from);
        let stanzas = crossed.map(|crossed| crossed.text.parse::<Element>().unwrap());
        let full = self.devices[from.0].full.as_str();
        stanzas
            .filter(|stanza| stanza.name() == name)
            .map(|mut stanza| {
                set(&mut stanza, "from", full);
                stanza
            })
            .collect()
    }

    /// The full JID of a device.
    #[must_use]
    pub fn full(&self, at: At) -> &FullJid {
        &self.devices[at.0].full
    }

    /// A device's id in OMEMO.
    #[must_use]
    pub fn id(&self, at: At) -> u32 {
        self.devices[at.0].account.as_ref().unwrap().device().get()
    }

    /// Sends a text and lets everything happen; gives the events of that.
    pub fn send(&mut self, from: At, to: &str, id: &str, body: &str) -> Vec<Event> {
        let start = self.devices[from.0].events.len();
        self.write(from, to, id, body);
        self.settle();
        self.devices[from.0].events[start..].to_vec()
    }

    /// Sends a text and lets nothing else happen.
    pub fn write(&mut self, from: At, to: &str, id: &str, body: &str) {
        let chat = Chat::Direct(BareJid::parse(to).unwrap());
        let outgoing = Outgoing::text(id, chat, body);
        self.call(from, move |account| account.send(outgoing));
    }

    /// Calls a device and takes care of the output.
    pub fn call(
        &mut self,
        at: At,
        call: impl FnOnce(&mut Account<Watched<S>>) -> Result<Output, omemo::Error>,
    ) {
        if self.devices[at.0].removed {
            return;
        }
        let Some(account) = &mut self.devices[at.0].account else {
            return;
        };
        let output = call(account).unwrap();
        self.take(at, output);
    }

    /// Delivers until nothing moves any more.
    pub fn settle(&mut self) {
        for _ in 0..100_000 {
            let next = self
                .devices
                .iter()
                .position(|device| device.online && !device.mailbox.is_empty());
            let Some(at) = next else {
                return;
            };
            self.deliver_one(At(at));
        }
        panic!("the network never comes to rest");
    }

    /// Delivers the oldest stanza that waits for a device.
    pub fn deliver_one(&mut self, at: At) {
        if let Some(text) = self.devices[at.0].mailbox.pop_front() {
            let stanza: Element = text.parse().unwrap();
            self.call(at, |account| account.receive(&stanza));
        }
    }

    /// What waits for a device.
    pub fn mailbox(&mut self, at: At) -> &mut VecDeque<String> {
        &mut self.devices[at.0].mailbox
    }

    /// The texts that a device has shown, oldest first.
    #[must_use]
    pub fn bodies(&self, at: At) -> Vec<String> {
        self.devices[at.0]
            .messages
            .iter()
            .filter_map(Message::body)
            .collect()
    }

    fn take(&mut self, at: At, output: Output) {
        self.devices[at.0].wake = output.wake;
        for event in output.events {
            self.devices[at.0].removed |= matches!(event, Event::Deactivated { .. });
            if let Event::Message(message) = &event {
                let message = message.as_ref().clone();
                let known = self.devices[at.0]
                    .messages
                    .iter()
                    .any(|known| known.inbox_id == message.inbox_id);
                if self.devices[at.0].acknowledges {
                    let account = self.devices[at.0].account.as_mut().unwrap();
                    account.acknowledge(&[message.inbox_id]).unwrap();
                }
                if !known {
                    self.devices[at.0].messages.push(message);
                }
            }
            self.devices[at.0].events.push(event);
        }
        let mut tickets = Vec::new();
        for stanza in output.stanzas {
            let text = String::from(&stanza.element);
            self.wire.push(Crossed {
                from: at,
                text: text.clone(),
            });
            tickets.extend(stanza.ticket);
            let element: Element = text.parse().unwrap();
            if self.devices[at.0].online && (self.lets_pass)(&element) {
                self.route(at, element);
            }
        }
        if self.devices[at.0].confirms && !tickets.is_empty() {
            let account = self.devices[at.0].account.as_mut().unwrap();
            account.sent(&tickets).unwrap();
        } else {
            self.devices[at.0].tickets.extend(tickets);
        }
    }
}

/// Settings with these protocols only.
#[must_use]
pub fn speaks(versions: &[Version]) -> Settings {
    let mut settings = Settings::default();
    settings.versions = versions.to_vec();
    settings
}
