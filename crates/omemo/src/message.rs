//! What the app hands in and what it gets: outgoing and received messages.

use std::collections::BTreeSet;
use std::fmt;

use minidom::Element;
use omemo_ratchet::Version;
use zeroize::Zeroizing;

use crate::{Address, BareJid, Timestamp, Trust};

/// Names one stanza of ours until the network has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(u64);

/// Names one received message until the app has stored it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InboxId(u64);

impl Ticket {
    /// A ticket from its number, for stores and bindings.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl InboxId {
    /// An id from its number, for stores and bindings.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number: later messages have higher ones.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Chat {
    /// With one account.
    Direct(BareJid),
    /// In a room (XEP-0045); its own JID.
    Room(BareJid),
}

impl Chat {
    /// The JID that the conversation's stanzas are addressed to.
    #[must_use]
    pub const fn jid(&self) -> &BareJid {
        match self {
            Self::Direct(jid) | Self::Room(jid) => jid,
        }
    }
}

impl fmt::Display for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.jid().fmt(f)
    }
}

/// Which devices a message may be encrypted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Readers {
    /// All that the trust policy allows: what the app sends.
    Allowed,
    /// Of these the ones whose keys are authenticated: trust messages of our own making (XEP-0450),
    /// of which no event tells.
    Authenticated(BTreeSet<Address>),
}

impl Readers {
    /// Whether a device is among them, given the trust in its key.
    pub(crate) fn include(&self, device: &Address, trust: Option<Trust>) -> bool {
        match self {
            Self::Allowed => true,
            Self::Authenticated(devices) => {
                trust == Some(Trust::Verified) && devices.contains(device)
            }
        }
    }
}

/// A message that the app wants to be encrypted and sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct Outgoing {
    /// The app's own id of the message: it becomes the stanza id and origin-id of all its stanzas
    /// and stands in every event about it. Sending the same id again sends nothing twice.
    pub id: String,
    /// Where to.
    pub chat: Chat,
    /// What is encrypted: any elements in omemo:2 (bodies, reactions, replies, corrections, receipts,
    /// markers, chat states, ...), the `<body/>` alone in legacy. Devices that only speak legacy are
    /// left unserved when there is more than a body or no body; a message that serves nobody else is
    /// refused with [`UnservedReason::ContentNotCarried`](crate::UnservedReason), for a chat state as
    /// for everything. What is for servers (XEP-0420 §9) makes a send fail here.
    pub content: Vec<Element>,
    /// What stands beside the encrypted element in the clear, for servers: hints (XEP-0334), `<private/>`
    /// (XEP-0280) and `<addresses/>` (XEP-0033). Anything else makes a send fail, for it would be plain
    /// text: threads, markers and requests for receipts are content. `<store/>` is always there.
    pub hints: Vec<Element>,
    pub(crate) readers: Readers,
}

impl Outgoing {
    /// A message with these content elements.
    #[must_use]
    pub fn new(id: impl Into<String>, chat: Chat, content: Vec<Element>) -> Self {
        Self {
            id: id.into(),
            chat,
            content,
            hints: Vec::new(),
            readers: Readers::Allowed,
        }
    }

    /// A message of plain text: one `<body/>`.
    #[must_use]
    pub fn text(id: impl Into<String>, chat: Chat, body: &str) -> Self {
        let body = Element::builder("body", "jabber:client")
            .append(body)
            .build();
        Self::new(id, chat, vec![body])
    }
}

/// A decrypted message. It stands in the inbox until the app acknowledges it.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// What [`Account::acknowledge`](crate::Account::acknowledge) wants once the app has stored it.
    pub inbox_id: InboxId,
    /// The `id` of the stanza, which is the sender's own id of the message.
    pub id: Option<String>,
    /// The device that wrote it, proven by its session.
    pub from: Address,
    /// The conversation it belongs to: the contact's, also when another device of ours wrote it.
    pub chat: Chat,
    /// In which protocol it came.
    pub version: Version,
    /// How far the sender's key was trusted when it was decrypted.
    pub trust: Trust,
    /// When the server received it, if it came late (XEP-0203) or from the archive.
    pub delay: Option<Timestamp>,
    /// The sender's own time differs from the server's by more than a day: a server that
    /// reorders, or a wrong clock.
    pub time_differs: bool,
    /// The content elements, each with its own namespace. Nothing that stood beside the encrypted
    /// element is among them, and nothing that only servers and rooms may say (XEP-0420 §9).
    pub content: Vec<Element>,
    /// What a legacy message without payload hands over instead of content (XEP-0384 0.3.0 §4.6);
    /// only with [`Settings::key_transport`](crate::Settings::key_transport). Automatic answers look
    /// just the same, and their keys mean nothing: what a key is for, something else has to say.
    pub transported: Option<TransportedKey>,
}

/// A key that a legacy message hands over for something else, such as a file (XEP-0384 0.3.0 §4.6).
/// Wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct TransportedKey {
    bytes: Zeroizing<Vec<u8>>,
}

impl TransportedKey {
    /// Key and tag as they go through the ratchet, of which the tag is left out.
    pub(crate) fn new(key_and_tag: &[u8], iv: Option<&[u8]>) -> Self {
        let key = key_and_tag.get(..16).unwrap_or_default();
        Self::from_bytes(Zeroizing::new([key, iv.unwrap_or_default()].concat()))
    }

    /// From its stored form: the key (16 bytes) and then the initialization vector.
    pub(crate) const fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self { bytes }
    }

    /// Both: the key and then the initialization vector, 16 to 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key for AES-128-GCM, 16 bytes.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.bytes.get(..16).unwrap_or_default()
    }

    /// The initialization vector, 12 or 16 bytes; empty when the sender gave none.
    #[must_use]
    pub fn iv(&self) -> &[u8] {
        self.bytes.get(16..).unwrap_or_default()
    }
}

impl fmt::Debug for TransportedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes: _ } = self;
        f.write_str("TransportedKey([redacted])")
    }
}

impl Message {
    /// The text of the `<body/>`, if there is one.
    #[must_use]
    pub fn body(&self) -> Option<String> {
        self.content
            .iter()
            .find(|element| element.is("body", "jabber:client"))
            .map(Element::text)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            inbox_id,
            id,
            from,
            chat,
            version,
            trust,
            delay,
            time_differs,
            content: _, // what people write belongs into no log
            transported: _,
        } = self;
        f.debug_struct("Message")
            .field("inbox_id", inbox_id)
            .field("id", id)
            .field("from", from)
            .field("chat", chat)
            .field("version", version)
            .field("trust", trust)
            .field("delay", delay)
            .field("time_differs", time_differs)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            chat,
            content: _, // what people write belongs into no log
            hints,
            readers: _,
        } = self;
        f.debug_struct("Outgoing")
            .field("id", id)
            .field("chat", chat)
            .field("hints", hints)
            .finish_non_exhaustive()
    }
}
