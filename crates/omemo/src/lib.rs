//! End-to-end encryption for XMPP clients: OMEMO in both protocols in use, without I/O.
//!
//! An [`Account`] is one device of one account. Hand it every stanza that arrives, send every stanza
//! that it hands back. Each call is one transaction on a [`Store`](store::Store): whatever an
//! [`Output`] holds is already durable, so that nothing is lost and no key used twice, whatever crashes.
//!
//! - [`Account::online`] publishes our device, [`Account::receive`] takes stanzas, [`Account::send`]
//!   encrypts, [`Account::tick`] does what is due when [`Output::wake`] says so.
//! - A decrypted [`Message`] stands in the inbox until [`Account::acknowledge`]; an encrypted stanza stands in the
//!   outbox until [`Account::sent`].
//! - `Err` means the store, the caller, or a bug. Whatever a peer or a server does is an [`Event`].
//! - Nothing falls back to plaintext. Whom a message does not reach, and why, stands in
//!   [`Event::Sealed`] or [`Event::Refused`].
//!
//! What else an app does in the life of a device, from verifying keys to rooms and recovery, stands in [`manual`].
//!
//! Keys are wiped from memory when they are dropped. Message text is not: it passes through XML elements
//! and the app.
//!
//! # Backups
//!
//! A store that is put back to an older state, by a backup, by a snapshot of a machine, or by copying its file,
//! would encrypt with message keys that were used before: whoever has both ciphertexts can read from them.
//! Keep stores out of backups. Two things can prove that one was put back all the same:
//!
//! - an [`Anchor`]: a few bytes where no backup reaches, given with [`Environment::with_anchor`]. It proves it
//!   when the account is opened, before anything is encrypted;
//! - one of our own messages that the store has not sealed yet, met in a carbon, in the archive or in a room.
//!
//! Then [`Event::Restored`] comes, nothing is encrypted or published any more, and [`Account::recover`] makes
//! new sessions and one-time keys under the old identity key: nobody sees a new fingerprint.
//!
//! Without an anchor not all can be proven. A message that is sent before one of our own comes by is sealed
//! from the old state; so are those on sessions whose ratchet has turned since the copy was made, or that did
//! not exist yet, whatever comes by; and servers need not show us anything. An app that knows that its data
//! was put back calls [`Account::recover`] by itself, before it sends. Two devices that go on from copies of one store
//! are the same thing twice: each finds the other's messages, and neither may go on. Decisions about
//! keys are as old as the store: what was distrusted since then has to be distrusted again.
//!
//! # A whole conversation
//!
//! The server here keeps what is published and answers questions about it, as a real one does.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use omemo::store::MemoryStore;
//! use omemo::{Account, BareJid, Chat, Element, Environment, Event, FullJid, Outgoing, Output, Settings};
//!
//! /// Account, node and item id, and what was published there.
//! type Nodes = BTreeMap<(String, String, String), Element>;
//! const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
//!
//! /// Answers one question, as the server of `own`.
//! fn answer(nodes: &mut Nodes, own: &str, iq: &Element) -> Option<Element> {
//!     let owner = iq.attr("to").unwrap_or(own);
//!     let id = iq.attr("id")?;
//!     let pubsub = iq.get_child("pubsub", PUBSUB)?;
//!     let mut reply = format!("<iq xmlns='jabber:client' type='result' id='{id}' from='{owner}'>");
//!     if let Some(publish) = pubsub.get_child("publish", PUBSUB) {
//!         let item = publish.get_child("item", PUBSUB)?;
//!         let place = (owner.to_owned(), publish.attr("node")?.to_owned(), item.attr("id")?.to_owned());
//!         nodes.insert(place, item.children().next()?.clone());
//!     } else {
//!         let items = pubsub.get_child("items", PUBSUB)?;
//!         let node = items.attr("node")?;
//!         reply += &format!("<pubsub xmlns='{PUBSUB}'><items node='{node}'>");
//!         for ((_, _, item), payload) in nodes.iter().filter(|((a, n, _), _)| a == owner && n == node) {
//!             reply += &format!("<item id='{item}'>{}</item>", String::from(payload));
//!         }
//!         reply += "</items></pubsub>";
//!     }
//!     (reply + "</iq>").parse().ok()
//! }
//!
//! /// Sends what an account gives out, until nothing is left; gives the messages on their way and the events.
//! fn run(
//!     account: &mut Account<MemoryStore>,
//!     nodes: &mut Nodes,
//!     output: Output,
//! ) -> Result<(Vec<Element>, Vec<Event>), omemo::Error> {
//!     let (mut messages, mut events, mut stanzas) = (Vec::new(), output.events, output.stanzas);
//!     while !stanzas.is_empty() {
//!         let stanza = stanzas.remove(0);
//!         if stanza.element.name() == "message" {
//!             messages.push(stanza.element);
//!             account.sent(stanza.ticket.as_slice())?; // the server has it
//!         } else if let Some(reply) = answer(nodes, account.jid().as_str(), &stanza.element) {
//!             let output = account.receive(&reply)?;
//!             stanzas.extend(output.stanzas);
//!             events.extend(output.events);
//!         }
//!     }
//!     Ok((messages, events))
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut nodes = Nodes::new();
//! let mut open = |jid: &str| -> Result<Account<MemoryStore>, Box<dyn std::error::Error>> {
//!     let mut account = Account::open(
//!         MemoryStore::new(),
//!         BareJid::parse(jid)?,
//!         Settings::default(),
//!         Environment::system(),
//!     )?;
//!     let output = account.online(FullJid::parse(&format!("{jid}/phone"))?, false)?;
//!     run(&mut account, &mut nodes, output)?;
//!     let output = account.caught_up()?; // there is no archive to read
//!     run(&mut account, &mut nodes, output)?;
//!     Ok(account)
//! };
//! let mut juliet = open("juliet@capulet.example")?;
//! let mut romeo = open("romeo@montague.example")?;
//!
//! let chat = Chat::Direct(romeo.jid().clone());
//! let output = juliet.send(Outgoing::text("1", chat, "Wherefore art thou Romeo?"))?;
//! let (messages, events) = run(&mut juliet, &mut nodes, output)?;
//! assert!(matches!(&events[..], [.., Event::Sealed { served, .. }] if served.len() == 1));
//!
//! // the server stamps the sender on the message and delivers it
//! let stamped = String::from(&messages[0]).replacen("<message ", "<message from='juliet@capulet.example/phone' ", 1);
//! let output = romeo.receive(&stamped.parse()?)?;
//! let (_, events) = run(&mut romeo, &mut nodes, output)?;
//! let Some(Event::Message(message)) = events.iter().find(|event| matches!(event, Event::Message(_))) else {
//!     panic!("no message");
//! };
//! assert_eq!(message.body().as_deref(), Some("Wherefore art thou Romeo?"));
//! assert_eq!(message.from.jid, *juliet.jid());
//! romeo.acknowledge(&[message.inbox_id])?; // stored by the app
//! # Ok(())
//! # }
//! ```

mod account;
mod address;
mod anchor;
mod device;
mod engine;
mod environment;
mod error;
mod event;
#[cfg(feature = "hazmat")]
pub mod hazmat;
pub mod manual;
mod message;
mod opt_out;
mod output;
mod pep;
mod protocol;
mod room;
mod settings;
mod stanza;
pub mod store;
mod stream;
mod trust;
mod uri;
pub mod xml;

pub use account::{Account, Removal};
pub use address::{Address, BareJid, DeviceId, DeviceIdError, FullJid, JidError};
pub use anchor::{Anchor, AnchorError};
pub use device::Device;
pub use environment::{Environment, Timestamp};
pub use error::{CallerError, Error};
pub use event::{Event, RestoreProof};
pub use message::{Chat, InboxId, Message, Outgoing, Ticket, TransportedKey};
pub use minidom::Element;
pub use omemo_ratchet::{
    Fingerprint, Randomness, RandomnessError, Role, SystemRandomness, Version,
};
pub use opt_out::{OptOut, OptOutAnswer};
pub use output::{
    Output, Served, Stanza, UndecryptableReason, UnsentReason, Unserved, UnservedReason,
};
pub use protocol::{namespace, short_name};
pub use settings::{Settings, StalePolicy};
pub use trust::{Trust, TrustPolicy};
pub use uri::{UriError, VerificationUri};

/// The README's example is compiled with the others.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
