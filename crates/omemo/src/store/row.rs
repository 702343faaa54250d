//! The rows: plain values, one struct a table. All of them belong to one account, whose JID is
//! given to [`Store::begin`](super::Store::begin) and stands in no row. Numbers that count or order
//! stay below 2⁶³, as databases want it.

use omemo_ratchet::{
    Fingerprint, IdentityKey, MessageKey, PreKeyId, PublicKey, SignedPreKeyId, Version,
};
use zeroize::Zeroizing;

use crate::{Address, BareJid, Chat, DeviceId, InboxId, Ticket, Timestamp, Trust};

/// The account itself: one row.
#[derive(Clone)]
pub struct AccountRow {
    /// This device's id, the same in both protocols.
    pub device: DeviceId,
    /// The Curve25519 identity secret, 32 bytes.
    pub identity: Zeroizing<[u8; 32]>,
    /// Goes up by one with every commit; restore detection needs it.
    pub generation: u64,
    /// The next number for tickets, inbox ids and every other order of this account.
    pub next_number: u64,
    /// When the catch-up that is open was opened.
    pub catching_up: Option<Timestamp>,
    /// What people call this device, published and signed.
    pub label: Option<String>,
    /// What this device may still do.
    pub standing: Standing,
    /// Whether an anchor was ever written for this store: if it is gone, the store was taken elsewhere.
    pub anchored: bool,
}

/// What a device may still do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Standing {
    /// Everything.
    #[default]
    Active,
    /// The store is older than what was sent from it: nothing is encrypted before it has recovered.
    Restored,
    /// Everything; its new keys, made after it was restored, are not published yet.
    Recovering,
    /// It is being taken off the server; its secrets go with the last answer.
    RemovingDevice,
    /// The same for all devices of the account.
    RemovingAccount,
}

/// What is published in one protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicationRow {
    /// The protocol.
    pub version: Version,
    /// Goes up when our bundle changes.
    pub bundle_revision: u64,
    /// The bundle revision that the server last confirmed; 0 before the first.
    pub published_revision: u64,
    /// Whether our id has ever been on our published list: from then on it is surely ours.
    pub announced: bool,
    /// The id that the next prekey gets.
    pub next_pre_key: PreKeyId,
    /// The id that the next signed prekey gets.
    pub next_signed_pre_key: SignedPreKeyId,
}

/// A one-time prekey of ours.
#[derive(Clone)]
pub struct PreKeyRow {
    /// The protocol.
    pub version: Version,
    /// Its id; unique by (protocol, id).
    pub id: PreKeyId,
    /// The secret, 32 bytes.
    pub secret: Zeroizing<[u8; 32]>,
    /// When a key exchange used it: it is no longer published and waits for deletion.
    pub used_at: Option<Timestamp>,
    /// When the server confirmed a bundle without it: from here on only those who fetched an older
    /// one can name it.
    pub withdrawn_at: Option<Timestamp>,
}

/// A signed prekey of ours.
#[derive(Clone)]
pub struct SignedPreKeyRow {
    /// The protocol.
    pub version: Version,
    /// Its id; unique by (protocol, id).
    pub id: SignedPreKeyId,
    /// The secret, 32 bytes.
    pub secret: Zeroizing<[u8; 32]>,
    /// Our signature over the public part, 64 bytes.
    pub signature: [u8; 64],
    /// When it was made.
    pub made_at: Timestamp,
    /// When its successor was published: the period of grace runs from here.
    pub retired_at: Option<Timestamp>,
}

/// That the device list of an account is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceListRow {
    /// The protocol.
    pub version: Version,
    /// Whose list.
    pub jid: BareJid,
    /// When it was last fetched or pushed.
    pub fetched_at: Timestamp,
    /// When we last asked to be subscribed to it explicitly, because no presence subscription made
    /// its server push it.
    pub subscribed_at: Option<Timestamp>,
}

/// One device that was seen on a list, in a bundle or in a key exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// The protocol.
    pub version: Version,
    /// Which device; unique by (protocol, JID, id).
    pub address: Address,
    /// Whether it is on the newest list.
    pub listed: bool,
    /// Its identity key, once a verified bundle or key exchange has shown it. Never replaced.
    pub identity: Option<IdentityKey>,
    /// Its label with its signature of 64 bytes, believed only once the key is known and the
    /// signature holds.
    pub label: Option<(String, Vec<u8>)>,
    /// Its bundle is not asked for before this moment.
    pub retry_after: Option<Timestamp>,
    /// Why the last attempt to reach it failed.
    pub failure: Option<String>,
    /// When we first saw it on a list.
    pub listed_at: Option<Timestamp>,
    /// When a message of it was last decrypted: a device that never answers goes stale.
    pub heard_at: Option<Timestamp>,
    /// When a broken session with it was last healed by itself.
    pub healed_at: Option<Timestamp>,
}

/// The decision about one identity key of one account, in all protocols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRow {
    /// Whose key.
    pub jid: BareJid,
    /// The key; unique by (JID, Curve25519 value).
    pub key: IdentityKey,
    /// The decision.
    pub level: Trust,
    /// When it was made, here or by a device that told us (XEP-0450): of two decisions the later one
    /// counts. `None` when nobody has decided.
    pub decided_at: Option<Timestamp>,
}

/// One session with one device; at most four a device are kept.
#[derive(Clone)]
pub struct SessionRow {
    /// The protocol.
    pub version: Version,
    /// With whom.
    pub address: Address,
    /// The ephemeral key of its key exchange; unique by (protocol, JID, device, ephemeral key).
    pub ephemeral_key: PublicKey,
    /// [`omemo_ratchet::Session::to_bytes`]: at most 400 bytes.
    pub state: Zeroizing<Vec<u8>>,
    /// Of a device's sessions the one with the highest number sends.
    pub last_used: u64,
    /// When it was made, by us or by a key exchange: one that was never answered is renewed while the
    /// peer still has the signed prekey.
    pub made_at: Timestamp,
}

/// The key of a message that has not arrived. Goes with its session, which must be there when the
/// transaction commits.
pub struct SkippedRow {
    /// The protocol.
    pub version: Version,
    /// Whose messages.
    pub address: Address,
    /// Of which session.
    pub ephemeral_key: PublicKey,
    /// The ratchet key of the chain.
    pub ratchet_key: PublicKey,
    /// The message's number in the chain; unique by (session, ratchet key, number).
    pub number: u32,
    /// The key that opens it.
    pub key: MessageKey,
    /// Goes up with each stored key: the lowest are discarded first.
    pub order: u64,
}

impl SkippedRow {
    /// Which one it is.
    #[must_use]
    pub fn id(&self) -> SkippedId {
        SkippedId {
            version: self.version,
            address: self.address.clone(),
            ephemeral_key: self.ephemeral_key,
            ratchet_key: self.ratchet_key,
            number: self.number,
        }
    }
}

/// Which skipped key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SkippedId {
    /// The protocol.
    pub version: Version,
    /// Whose messages.
    pub address: Address,
    /// Of which session.
    pub ephemeral_key: PublicKey,
    /// The ratchet key of the chain.
    pub ratchet_key: PublicKey,
    /// The message's number in the chain.
    pub number: u32,
}

/// What a device has sent us: its last receiving ratchet and ephemeral keys, in the engine's
/// own versioned encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRow {
    /// The protocol.
    pub version: Version,
    /// Whose messages; unique by (protocol, JID, device).
    pub address: Address,
    /// The encoded keys, at most 1,100 bytes.
    pub keys: Vec<u8>,
}

/// What we owe a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DutyKind {
    /// An empty message in answer to a key exchange (XEP-0384 §6).
    Answer,
    /// An empty message that turns the ratchet (XEP-0384 §6, counter 53).
    Heartbeat,
    /// A session of our making, because it wrote in one that we do not have (XEP-0384 §6).
    Session,
    /// A session of our making that takes the place of what is there, and an empty message in it.
    Replacement,
}

/// An automatic answer that is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyRow {
    /// The protocol.
    pub version: Version,
    /// To whom; unique by (protocol, JID, device, kind).
    pub address: Address,
    /// What.
    pub kind: DutyKind,
}

/// Somebody who may get automatic answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactRow {
    /// The account.
    pub jid: BareJid,
}

/// A contact who asked for plain text (XEP-0384 §5.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOutRow {
    /// The account; unique.
    pub jid: BareJid,
    /// Why, in the contact's words.
    pub reason: Option<String>,
    /// When it was received.
    pub received_at: Timestamp,
    /// Whether a person has agreed to plain text.
    pub confirmed: bool,
}

/// What a trust message says and what cannot be believed or applied yet (XEP-0450 §4.2): its sender
/// is not authenticated, or the key was not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldDecisionRow {
    /// Who said it.
    pub teller: BareJid,
    /// With which identity key.
    pub teller_key: Fingerprint,
    /// Whose key it is about.
    pub owner: BareJid,
    /// The key; unique by (teller, teller's key, owner, key).
    pub key: Fingerprint,
    /// Whether it is to be trusted.
    pub trust: bool,
    /// When that was decided.
    pub decided_at: Timestamp,
    /// Goes up with each row: the lowest are discarded first.
    pub order: u64,
}

/// A decision that others have to be told in a trust message (XEP-0450 §4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedDecisionRow {
    /// Which device we owe it.
    pub to: Address,
    /// Whose key it is about.
    pub owner: BareJid,
    /// The key; unique by (to, owner, key).
    pub key: Fingerprint,
    /// Whether it is to be trusted.
    pub trust: bool,
}

/// Which received message: what makes an inbox row unique.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId {
    /// The protocol.
    pub version: Version,
    /// From which device.
    pub address: Address,
    /// The ratchet key in its header.
    pub ratchet_key: PublicKey,
    /// Its number in that chain.
    pub number: u32,
}

/// A decrypted message that the app has not acknowledged. One that is put takes the place of those
/// with the same id or the same message.
#[derive(Clone, PartialEq)]
pub struct InboxRow {
    /// Its id, in order of arrival.
    pub id: InboxId,
    /// What makes it unique.
    pub message: MessageId,
    /// The conversation: the contact, also for messages of our own other devices, or the room.
    pub chat: Chat,
    /// The trust of its sender at that moment.
    pub trust: Trust,
    /// The `id` of the stanza.
    pub stanza_id: Option<String>,
    /// When a server delayed or archived it.
    pub delay: Option<Timestamp>,
    /// Whether the `time` inside differs from the server's by more than a day.
    pub time_differs: bool,
    /// When we decrypted it.
    pub received_at: Timestamp,
    /// The content elements as XML, wrapped in one `<content/>` element.
    pub content: String,
    /// What a legacy message without payload hands over (XEP-0384 0.3.0 §4.6): the key of 16 bytes
    /// and then the initialization vector.
    pub transported: Option<Zeroizing<Vec<u8>>>,
}

impl std::fmt::Debug for InboxRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            id,
            message,
            chat,
            trust,
            stanza_id,
            delay,
            time_differs,
            received_at,
            content: _, // what people write belongs into no log
            transported: _,
        } = self;
        f.debug_struct("InboxRow")
            .field("id", id)
            .field("message", message)
            .field("chat", chat)
            .field("trust", trust)
            .field("stanza_id", stanza_id)
            .field("delay", delay)
            .field("time_differs", time_differs)
            .field("received_at", received_at)
            .finish_non_exhaustive()
    }
}

/// A finished stanza that the network may not have yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its ticket, in the order of sealing.
    pub ticket: Ticket,
    /// The app's id of the message; `None` for an automatic answer.
    pub message_id: Option<String>,
    /// The conversation: its JID is the stanza's addressee.
    pub chat: Chat,
    /// The protocol.
    pub version: Version,
    /// The devices that it serves.
    pub served: Vec<Address>,
    /// When it was sealed.
    pub made_at: Timestamp,
    /// Whether it is a trust message of the library's own making (XEP-0450), which no event names.
    pub tells_trust: bool,
    /// How often it was handed out.
    pub handed_out: u32,
    /// By which handle last, and when.
    pub handed_by: Option<(u64, Timestamp)>,
    /// When the network had it. Such a row has an empty stanza and only keeps the id from being
    /// sealed again.
    pub sent_at: Option<Timestamp>,
    /// The stanza as XML.
    pub stanza: String,
}
