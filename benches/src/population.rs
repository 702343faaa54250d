//! An account with an established session with each of a recipient's devices, and a pair of accounts that talk.

use std::time::{Duration, Instant};

use omemo::store::{Change, DeviceRow, MemoryStore, SessionRow, Store, Transaction, TrustRow};
use omemo::{
    Account, Address, BareJid, Chat, DeviceId, Element, Environment, Event, Outgoing, Settings,
    Stanza, Timestamp, Trust, Version,
};
use omemo_ratchet::IdentityKeyPair;

use crate::network::Network;
use crate::pairs::{Device, Pair};

/// Who sends.
const SENDER: &str = "juliet@capulet.example";
/// Who has the many devices.
const RECIPIENT: &str = "romeo@montague.example";
/// What is said: about as much as people write.
const BODY: &str = "But, soft! what light through yonder window breaks?";
/// Messages after which the outbox is emptied. The ids of messages stay in it for a week: this is a week of somebody
/// who writes little, and the figures do not depend on how long a bench runs.
const WEEK: u32 = 64;

/// Whose device list stands at which node, and how it looks.
struct List {
    node: &'static str,
    element: &'static str,
    namespace: &'static str,
}

const fn list(version: Version) -> List {
    match version {
        Version::Omemo2 => List {
            node: "urn:xmpp:omemo:2:devices",
            element: "devices",
            namespace: "urn:xmpp:omemo:2",
        },
        Version::Legacy => List {
            node: "eu.siacs.conversations.axolotl.devicelist",
            element: "list",
            namespace: "eu.siacs.conversations.axolotl",
        },
    }
}

/// The ids of a recipient's devices: as long as random ones mostly are.
fn ids(devices: u32) -> std::ops::Range<u32> {
    2_000_000_000..2_000_000_000 + devices
}

fn settings(version: Version) -> Settings {
    let mut settings = Settings::default();
    settings.versions = vec![version];
    settings
}

fn open<S: Store + 'static>(store: S, jid: &str, version: Version) -> Account<S> {
    let jid = BareJid::parse(jid).unwrap();
    Account::open(store, jid, settings(version), Environment::system()).unwrap()
}

/// An account that writes to a recipient with many devices.
pub struct Population<S> {
    account: Option<Account<S>>,
    network: Network,
    version: Version,
    devices: u32,
    sent: u32,
}

impl<S: Store + 'static> Population<S> {
    /// Makes the account in this empty store, and its sessions with so many devices (at most 1,024).
    #[must_use]
    pub fn new(store: S, version: Version, devices: u32) -> Self {
        let mut store = open(store, SENDER, version).into_store();
        settle_down(&mut store, version, devices);
        let List {
            node,
            element,
            namespace,
        } = list(version);
        let ids: String = ids(devices)
            .map(|id| format!("<device id='{id}'/>"))
            .collect();
        let mut network = Network::default();
        network.plant(
            RECIPIENT,
            node,
            "current",
            format!("<{element} xmlns='{namespace}'>{ids}</{element}>"),
        );
        let mut population = Self {
            account: Some(open(store, SENDER, version)),
            network,
            version,
            devices,
            sent: 0,
        };
        population.begin_week();
        population
    }

    /// Sends one message and says how long the call took. That every device was served is checked.
    pub fn send(&mut self) -> Duration {
        self.send_and_read(|| ()).0
    }

    /// The same, with what `read` gives right after the call; it is also called right before.
    pub fn send_and_read<R>(&mut self, read: impl Fn() -> R) -> (Duration, R) {
        if self.sent >= WEEK {
            self.clear_outbox();
            self.begin_week();
        }
        self.sent += 1;
        let outgoing = outgoing(RECIPIENT, &format!("message-{}", self.sent));
        let account = self.account.as_mut().unwrap();
        read();
        let start = Instant::now();
        let output = account.send(outgoing).unwrap();
        let elapsed = start.elapsed();
        let reading = read();
        assert_eq!(served(&output.events), self.devices as usize);
        confirm(account, &output.stanzas);
        (elapsed, reading)
    }

    /// A new stream, in which one message has been sent already: the recipient's list is known.
    fn begin_week(&mut self) {
        self.sent = 0;
        let account = self.account.as_mut().unwrap();
        self.network.go_online(account);
        let output = account.send(outgoing(RECIPIENT, "first")).unwrap();
        let said = self.network.settle(account, output);
        assert_eq!(served(&said.events), self.devices as usize);
        confirm(account, &said.messages);
    }

    fn clear_outbox(&mut self) {
        let mut store = self.account.take().unwrap().into_store();
        let mut tx = store.begin(&BareJid::parse(SENDER).unwrap()).unwrap();
        for row in tx.outbox().unwrap() {
            tx.write(Change::DeleteOutbox(row.ticket)).unwrap();
        }
        tx.commit().unwrap();
        store.tidy().unwrap();
        self.account = Some(open(store, SENDER, self.version));
    }
}

/// Writes the devices, the trust in them and the sessions with them, as if all of them had been met and had answered.
fn settle_down(store: &mut impl Store, version: Version, devices: u32) {
    let mut tx = store.begin(&BareJid::parse(SENDER).unwrap()).unwrap();
    let identity = IdentityKeyPair::from_bytes(*tx.account().unwrap().unwrap().identity);
    let jid = BareJid::parse(RECIPIENT).unwrap();
    for id in ids(devices) {
        let device = Device::generate(version, 1);
        let session = Pair::between(version, &identity, &device).ours;
        let address = Address {
            jid: jid.clone(),
            device: DeviceId::new(id).unwrap(),
        };
        let key = *device.identity.public();
        tx.write(Change::PutDevice(DeviceRow {
            version,
            address: address.clone(),
            listed: true,
            identity: Some(key),
            label: None,
            retry_after: None,
            failure: None,
            listed_at: None,
            heard_at: None,
            healed_at: None,
        }))
        .unwrap();
        tx.write(Change::PutTrust(TrustRow {
            jid: jid.clone(),
            key,
            level: Trust::Blind,
            decided_at: None,
        }))
        .unwrap();
        tx.write(Change::PutSession(SessionRow {
            version,
            address,
            ephemeral_key: *session.ephemeral_key(),
            state: session.to_bytes(),
            last_used: 0,
            made_at: Timestamp::from_seconds(0),
        }))
        .unwrap();
    }
    tx.commit().unwrap();
}

/// Two accounts that have met. One of them, in the store that is measured, reads.
pub struct Dialogue<S> {
    network: Network,
    reader: Account<S>,
    writer: Account<MemoryStore>,
    written: u32,
}

impl<S: Store + 'static> Dialogue<S> {
    /// Makes the reader in this empty store, and the writer; each has read a message of the other.
    #[must_use]
    pub fn new(store: S, version: Version) -> Self {
        let mut network = Network::default();
        let mut reader = open(store, SENDER, version);
        let mut writer = open(MemoryStore::new(), RECIPIENT, version);
        network.go_online(&mut reader);
        network.go_online(&mut writer);
        let mut dialogue = Self {
            network,
            reader,
            writer,
            written: 0,
        };
        dialogue.receive();
        let output = dialogue.reader.send(outgoing(RECIPIENT, "answer")).unwrap();
        let said = dialogue.network.settle(&mut dialogue.reader, output);
        confirm(&mut dialogue.reader, &said.messages);
        for stanza in said.messages {
            let stanza = from(SENDER, &stanza.element);
            let output = dialogue.writer.receive(&stanza).unwrap();
            dialogue.network.settle(&mut dialogue.writer, output);
        }
        dialogue.receive();
        dialogue
    }

    /// Reads one message and says how long the call took. The app's acknowledgement is not part of it.
    pub fn receive(&mut self) -> Duration {
        self.written += 1;
        if self.written.is_multiple_of(WEEK) {
            self.refresh_writer();
        }
        let id = self.written.to_string();
        let output = self.writer.send(outgoing(SENDER, &id)).unwrap();
        let said = self.network.settle(&mut self.writer, output);
        confirm(&mut self.writer, &said.messages);
        let mut elapsed = Duration::ZERO;
        for stanza in said.messages {
            let stanza = from(RECIPIENT, &stanza.element);
            let start = Instant::now();
            let output = self.reader.receive(&stanza).unwrap();
            elapsed += start.elapsed();
            let ids: Vec<_> = output
                .events
                .iter()
                .filter_map(|event| match event {
                    Event::Message(message) => Some(message.inbox_id),
                    _ => None,
                })
                .collect();
            self.network.settle(&mut self.reader, output);
            assert_eq!(ids.len(), 1, "one message was sent");
            self.reader.acknowledge(&ids).unwrap();
        }
        elapsed
    }

    /// The reader writes too, so that no chain grows beyond what people's do.
    fn refresh_writer(&mut self) {
        let id = format!("answer-{}", self.written);
        let output = self.reader.send(outgoing(RECIPIENT, &id)).unwrap();
        let said = self.network.settle(&mut self.reader, output);
        confirm(&mut self.reader, &said.messages);
        for stanza in said.messages {
            let stanza = from(SENDER, &stanza.element);
            let output = self.writer.receive(&stanza).unwrap();
            self.network.settle(&mut self.writer, output);
        }
    }
}

fn outgoing(to: &str, id: &str) -> Outgoing {
    Outgoing::text(id, Chat::Direct(BareJid::parse(to).unwrap()), BODY)
}

fn served(events: &[Event]) -> usize {
    events
        .iter()
        .map(|event| match event {
            Event::Sealed { served, .. } => served.len(),
            _ => 0,
        })
        .sum()
}

fn confirm<S: Store + 'static>(account: &mut Account<S>, stanzas: &[Stanza]) {
    let tickets: Vec<_> = stanzas.iter().filter_map(|stanza| stanza.ticket).collect();
    account.sent(&tickets).unwrap();
}

/// What a server makes of a stanza on its way.
fn from(sender: &str, stanza: &Element) -> Element {
    String::from(stanza)
        .replacen("<message ", &format!("<message from='{sender}/bench' "), 1)
        .parse()
        .unwrap()
}
