//! A whole XMPP network in memory: accounts with several devices each, PEP nodes, pushes, carbons and offline
//! storage, so that a conversation of many devices runs in milliseconds. Every stanza crosses as text, as it would on
//! a wire, and everything that crossed is kept for a look.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use minidom::Element;
use omemo::store::{
    AccountRow, Change, ContactRow, DeviceListRow, DeviceRow, DutyRow, InboxRow, MessageId,
    OutboxRow, PreKeyId, PreKeyRow, PublicKey, PublicationRow, SeenRow, SessionRow, SignedPreKeyId,
    SignedPreKeyRow, SkippedId, SkippedRow, Store, StoreError, Transaction, TrustRow,
};
use omemo::{
    Account, Address, BareJid, Chat, Environment, Event, FullJid, Message, Outgoing, Output,
    Randomness, RandomnessError, Role, Settings, Ticket, Timestamp, Version,
};

const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
const OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
const ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

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

struct Node {
    items: Vec<(String, Element)>,
    max_items: usize,
    configured: bool,
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
    /// Whether servers answer questions at all.
    pub answers: bool,
    /// What `online` is followed by: `caught_up` at once, or not at all.
    pub catches_up: bool,
    /// A stanza for which this says `false` is lost.
    pub lets_pass: fn(&Element) -> bool,
    /// What servers say instead of doing what they are asked.
    pub objects: Objection,
    /// Accounts without a device on the hub whose rows belong into a dump.
    pub strangers: Vec<String>,
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
            answers: true,
            catches_up: true,
            lets_pass: |_| true,
            objects: Box::new(|_, _| None),
            strangers: Vec::new(),
        }
    }

    /// An environment on the hub's clock.
    pub fn environment(&mut self) -> Environment {
        let clock = Arc::clone(&self.clock);
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        Environment::new(
            move || Timestamp::from_seconds(clock.load(Ordering::Relaxed)),
            Seeded(self.seed),
        )
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.clock.load(Ordering::Relaxed))
    }

    /// Lets time pass, and ticks every device that is on.
    pub fn pass(&mut self, seconds: i64) {
        self.pass_quietly(seconds);
        self.settle();
    }

    /// The same, and nothing is delivered.
    pub fn pass_quietly(&mut self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
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
        let environment = self.environment();
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
            messages: Vec::new(),
            events: Vec::new(),
            tickets: Vec::new(),
            acknowledges: true,
            confirms: true,
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
        let environment = self.environment();
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

    /// The items of a node.
    #[must_use]
    pub fn items(&self, jid: &str, node: &str) -> Vec<(String, Element)> {
        self.nodes
            .get(&(jid.to_owned(), node.to_owned()))
            .map(|node| node.items.clone())
            .unwrap_or_default()
    }

    /// Publishes as somebody else would: a client that is not ours, or a server that means ill.
    pub fn plant(&mut self, jid: &str, node: &str, item: &str, payload: Element) {
        self.publish(jid, node, item, payload, true);
    }

    /// Takes an item away without telling anybody.
    pub fn drop_item(&mut self, jid: &str, node: &str, item: &str) {
        if let Some(node) = self.nodes.get_mut(&(jid.to_owned(), node.to_owned())) {
            node.items.retain(|(id, _)| id != item);
        }
    }

    fn take(&mut self, at: At, output: Output) {
        for event in output.events {
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
        if self.devices[at.0].confirms {
            let account = self.devices[at.0].account.as_mut().unwrap();
            account.sent(&tickets).unwrap();
        } else {
            self.devices[at.0].tickets.extend(tickets);
        }
    }

    fn route(&mut self, at: At, mut stanza: Element) {
        let full = self.devices[at.0].full.as_str().to_owned();
        set(&mut stanza, "from", full);
        match stanza.name() {
            "iq" if self.answers => {
                let reply = self.answer(at, &stanza);
                self.post(at, &reply);
            }
            "message" => self.route_message(at, &stanza),
            _ => {}
        }
    }

    fn route_message(&mut self, at: At, message: &Element) {
        let to = message.attr("to").unwrap().to_owned();
        let own = self.devices[at.0].jid.to_string();
        for other in 0..self.devices.len() {
            let jid = self.devices[other].jid.to_string();
            if jid == to && other != at.0 {
                self.post(At(other), message);
            } else if jid == own && other != at.0 {
                let carbon = carbon(&own, message);
                self.post(At(other), &carbon);
            }
        }
    }

    /// Puts a stanza into a device's mailbox.
    pub fn post(&mut self, to: At, stanza: &Element) {
        self.devices[to.0].mailbox.push_back(String::from(stanza));
    }

    fn answer(&mut self, at: At, iq: &Element) -> Element {
        let own = self.devices[at.0].jid.to_string();
        let owner = iq.attr("to").map_or(own.clone(), str::to_owned);
        let result = self.perform(&own, &owner, iq);
        let id = iq.attr("id").unwrap();
        let mut reply = Element::builder("iq", "jabber:client")
            .attr("id".try_into().unwrap(), id)
            .attr("from".try_into().unwrap(), owner)
            .build();
        match result {
            Ok(payload) => {
                set(&mut reply, "type", "result");
                if let Some(payload) = payload {
                    reply.append_child(payload);
                }
            }
            Err(error) => {
                set(&mut reply, "type", "error");
                reply.append_child(error);
            }
        }
        reply
    }

    fn perform(
        &mut self,
        own: &str,
        owner: &str,
        iq: &Element,
    ) -> Result<Option<Element>, Element> {
        if let Some(error) = (self.objects)(owner, iq) {
            return Err(error);
        }
        if let Some(configure) = iq
            .get_child("pubsub", OWNER)
            .and_then(|pubsub| pubsub.get_child("configure", OWNER))
        {
            let node = configure.attr("node").unwrap().to_owned();
            let known = self.nodes.get_mut(&(own.to_owned(), node));
            let node = known.ok_or_else(|| error("cancel", "item-not-found", None))?;
            node.max_items = usize::MAX;
            node.configured = true;
            return Ok(None);
        }
        let pubsub = iq.get_child("pubsub", PUBSUB).unwrap();
        if let Some(items) = pubsub.get_child("items", PUBSUB) {
            return self.fetch(owner, items).map(Some);
        }
        let publish = pubsub.get_child("publish", PUBSUB).unwrap();
        let options = pubsub
            .get_child("publish-options", PUBSUB)
            .map(String::from);
        self.check_options(own, publish.attr("node").unwrap(), options.as_deref())?;
        let item = publish.get_child("item", PUBSUB).unwrap();
        let payload = item.children().next().unwrap().clone();
        let max = options.is_some_and(|options| options.contains("max_items"));
        let node = publish.attr("node").unwrap();
        self.publish(own, node, item.attr("id").unwrap(), payload, max);
        Ok(None)
    }

    fn check_options(
        &mut self,
        own: &str,
        node: &str,
        options: Option<&str>,
    ) -> Result<(), Element> {
        let configured = self
            .nodes
            .get(&(own.to_owned(), node.to_owned()))
            .is_some_and(|node| node.configured);
        match self.manners {
            Manners::RefusesMaxItems
                if options.is_some_and(|options| options.contains("max_items")) =>
            {
                Err(error("wait", "resource-constraint", None))
            }
            Manners::PreconditionNotMet if !configured => {
                self.nodes
                    .entry((own.to_owned(), node.to_owned()))
                    .or_insert(Node {
                        items: Vec::new(),
                        max_items: 1,
                        configured: false,
                    });
                Err(error("cancel", "conflict", Some("precondition-not-met")))
            }
            Manners::RefusesPublishing => Err(error("cancel", "forbidden", None)),
            _ => Ok(()),
        }
    }

    fn fetch(&self, owner: &str, items: &Element) -> Result<Element, Element> {
        let node = items.attr("node").unwrap();
        let found = self
            .nodes
            .get(&(owner.to_owned(), node.to_owned()))
            .ok_or_else(|| error("cancel", "item-not-found", None))?;
        let wanted = items
            .get_child("item", PUBSUB)
            .and_then(|item| item.attr("id"));
        let chosen = found
            .items
            .iter()
            .filter(|(id, _)| wanted.is_none_or(|wanted| wanted == id))
            .map(|(id, payload)| item(id, payload, PUBSUB));
        let items = Element::builder("items", PUBSUB)
            .attr("node".try_into().unwrap(), node)
            .append_all(chosen)
            .build();
        Ok(Element::builder("pubsub", PUBSUB).append(items).build())
    }

    fn publish(&mut self, jid: &str, node: &str, id: &str, payload: Element, max: bool) {
        let place = (jid.to_owned(), node.to_owned());
        let entry = self.nodes.entry(place).or_insert(Node {
            items: Vec::new(),
            max_items: if max { usize::MAX } else { 1 },
            configured: false,
        });
        entry.items.retain(|(known, _)| known != id);
        entry.items.push((id.to_owned(), payload.clone()));
        while entry.items.len() > entry.max_items {
            entry.items.remove(0);
        }
        if self.pushes && node.contains("device") {
            self.push(jid, node, id, &payload);
        }
    }

    fn push(&mut self, jid: &str, node: &str, id: &str, payload: &Element) {
        const EVENT: &str = "http://jabber.org/protocol/pubsub#event";
        let items = Element::builder("items", EVENT)
            .attr("node".try_into().unwrap(), node)
            .append(item(id, payload, EVENT))
            .build();
        let message = Element::builder("message", "jabber:client")
            .attr("from".try_into().unwrap(), jid)
            .attr("type".try_into().unwrap(), "headline")
            .append(Element::builder("event", EVENT).append(items).build())
            .build();
        for at in 0..self.devices.len() {
            if self.devices[at].online {
                self.post(At(at), &message);
            }
        }
    }
}

/// Sets an attribute.
pub fn set(element: &mut Element, name: &str, value: impl Into<String>) {
    element.set_attr(
        minidom::rxml::Namespace::NONE,
        name.try_into().unwrap(),
        value.into(),
    );
}

fn item(id: &str, payload: &Element, namespace: &str) -> Element {
    Element::builder("item", namespace)
        .attr("id".try_into().unwrap(), id)
        .append(payload.clone())
        .build()
}

/// The error in an answer.
#[must_use]
pub fn error(kind: &str, condition: &str, pubsub: Option<&str>) -> Element {
    let mut error = Element::builder("error", "jabber:client")
        .attr("type".try_into().unwrap(), kind)
        .append(Element::bare(condition, ERRORS))
        .build();
    if let Some(pubsub) = pubsub {
        error.append_child(Element::bare(
            pubsub,
            "http://jabber.org/protocol/pubsub#errors",
        ));
    }
    error
}

/// What another device of the sender gets of its message (XEP-0280).
#[must_use]
pub fn carbon(own: &str, message: &Element) -> Element {
    let forwarded = Element::builder("forwarded", "urn:xmpp:forward:0")
        .append(message.clone())
        .build();
    let sent = Element::builder("sent", "urn:xmpp:carbons:2")
        .append(forwarded)
        .build();
    Element::builder("message", "jabber:client")
        .attr("from".try_into().unwrap(), own)
        .attr("type".try_into().unwrap(), "chat")
        .append(sent)
        .build()
}

/// Settings with these protocols only.
#[must_use]
pub fn speaks(versions: &[Version]) -> Settings {
    let mut settings = Settings::default();
    settings.versions = versions.to_vec();
    settings
}

/// A store that can be looked into while an account uses it: the next transaction writes a dump of what it finds, and
/// changes nothing.
pub struct Watched<S> {
    inner: S,
    request: Request,
    fails: Arc<AtomicBool>,
}

type Request = Arc<Mutex<Option<Wanted>>>;

#[derive(Default)]
struct Wanted {
    jids: Vec<BareJid>,
    lines: Option<Vec<String>>,
}

impl<S> Watched<S> {
    fn new(inner: S, request: &Request, fails: &Arc<AtomicBool>) -> Self {
        Self {
            inner,
            request: Arc::clone(request),
            fails: Arc::clone(fails),
        }
    }
}

impl<S: Store> Store for Watched<S> {
    type Transaction<'store>
        = Fragile<S::Transaction<'store>>
    where
        Self: 'store;

    fn begin(&mut self, account: &BareJid) -> Result<Self::Transaction<'_>, StoreError> {
        let tx = self.inner.begin(account)?;
        if let Some(wanted) = self.request.lock().unwrap().as_mut() {
            wanted.lines = Some(dump(&tx, &wanted.jids)?);
        }
        Ok(Fragile {
            inner: tx,
            fails: Arc::clone(&self.fails),
        })
    }

    fn tidy(&mut self) -> Result<(), StoreError> {
        self.inner.tidy()
    }
}

/// A transaction that may fail when it is committed.
pub struct Fragile<T> {
    inner: T,
    fails: Arc<AtomicBool>,
}

/// Hands every read on.
macro_rules! reads {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $row:ty;)*) => {
        $(fn $name(&self, $($argument: $kind),*) -> Result<$row, StoreError> {
            self.inner.$name($($argument),*)
        })*
    };
}

impl<T: Transaction> Transaction for Fragile<T> {
    reads! {
        account() -> Option<AccountRow>;
        publications() -> Vec<PublicationRow>;
        pre_key(version: Version, id: PreKeyId) -> Option<PreKeyRow>;
        pre_keys(version: Version) -> Vec<PreKeyRow>;
        used_pre_keys(version: Version) -> Vec<PreKeyRow>;
        signed_pre_key(version: Version, id: SignedPreKeyId) -> Option<SignedPreKeyRow>;
        signed_pre_keys(version: Version) -> Vec<SignedPreKeyRow>;
        device_list(version: Version, jid: &BareJid) -> Option<DeviceListRow>;
        devices(version: Version, jid: &BareJid) -> Vec<DeviceRow>;
        device(version: Version, address: &Address) -> Option<DeviceRow>;
        trust(jid: &BareJid) -> Vec<TrustRow>;
        sessions(version: Version, address: &Address) -> Vec<SessionRow>;
        newest_sessions(version: Version, jid: &BareJid) -> Vec<SessionRow>;
        skipped(id: &SkippedId) -> Option<SkippedRow>;
        skipped_beyond(version: Version, address: &Address, key: &PublicKey, keep: usize) -> Vec<SkippedId>;
        seen(version: Version, address: &Address) -> Option<SeenRow>;
        duties() -> Vec<DutyRow>;
        contact(jid: &BareJid) -> Option<ContactRow>;
        inbox() -> Vec<InboxRow>;
        inbox_message(message: &MessageId) -> Option<InboxRow>;
        outbox() -> Vec<OutboxRow>;
        outbox_row(ticket: Ticket) -> Option<OutboxRow>;
        outbox_message(message_id: &str) -> Vec<OutboxRow>;
    }

    fn write(&mut self, change: Change) -> Result<(), StoreError> {
        self.inner.write(change)
    }

    fn commit(self) -> Result<(), StoreError> {
        if self.fails.swap(false, Ordering::Relaxed) {
            return Err(StoreError::Full("the test wants it so".into()));
        }
        self.inner.commit()
    }
}

/// The rows about these accounts.
fn dump(tx: &impl Transaction, jids: &[BareJid]) -> Result<Vec<String>, StoreError> {
    let mut lines = Vec::new();
    if let Some(row) = tx.account()? {
        let (device, identity, number, open) =
            (row.device, *row.identity, row.next_number, row.catching_up);
        lines.push(format!(
            "account {device} {identity:02x?} {number} {open:?}"
        ));
    }
    lines.extend(tx.publications()?.into_iter().map(|row| format!("{row:?}")));
    for version in Version::ALL {
        for row in tx.pre_keys(version)? {
            let (id, secret, used) = (row.id, *row.secret, row.used_at);
            lines.push(format!("prekey {version:?} {id:?} {secret:02x?} {used:?}"));
        }
        for row in tx.signed_pre_keys(version)? {
            let (id, secret, retired) = (row.id, *row.secret, row.retired_at);
            lines.push(format!(
                "signed prekey {version:?} {id:?} {secret:02x?} {retired:?}"
            ));
        }
        for jid in jids {
            dump_account(tx, version, jid, &mut lines)?;
        }
    }
    for jid in jids {
        lines.extend(tx.trust(jid)?.into_iter().map(|row| format!("{row:?}")));
        lines.extend(tx.contact(jid)?.map(|row| format!("{row:?}")));
    }
    lines.extend(tx.duties()?.into_iter().map(|row| format!("{row:?}")));
    lines.extend(tx.inbox()?.into_iter().map(|row| format!("{row:?}")));
    lines.extend(tx.outbox()?.into_iter().map(|row| format!("{row:?}")));
    Ok(lines)
}

fn dump_account(
    tx: &impl Transaction,
    version: Version,
    jid: &BareJid,
    lines: &mut Vec<String>,
) -> Result<(), StoreError> {
    let mut addresses: Vec<Address> = tx
        .newest_sessions(version, jid)?
        .into_iter()
        .map(|row| row.address)
        .collect();
    for mut row in tx.devices(version, jid)? {
        (row.retry_after, row.failure) = (None, None);
        addresses.push(row.address.clone());
        // a row that says nothing but this is none
        if row.listed || row.identity.is_some() || row.label.is_some() {
            lines.push(format!("{row:?}"));
        }
    }
    addresses.sort();
    addresses.dedup();
    for address in addresses {
        for row in tx.sessions(version, &address)? {
            let (key, state, used) = (row.ephemeral_key, row.state, row.last_used);
            lines.push(format!(
                "session {version:?} {address} {key:?} {:02x?} {used}",
                *state
            ));
            let skipped = tx.skipped_beyond(version, &address, &key, 0)?;
            lines.extend(skipped.into_iter().map(|id| format!("{id:?}")));
        }
        lines.extend(tx.seen(version, &address)?.map(|row| format!("{row:?}")));
    }
    Ok(())
}

/// Repeatable randomness; not for anything that matters.
pub struct Seeded(pub u64);

impl Randomness for Seeded {
    fn fill(&mut self, _role: Role, out: &mut [u8]) -> Result<(), RandomnessError> {
        for byte in out {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = u8::try_from((mixed ^ (mixed >> 31)) & 0xff).unwrap_or(0);
        }
        Ok(())
    }
}
