//! What every call returns: stanzas to send, and who was served by them.

use std::fmt;

use minidom::Element;
use omemo_ratchet::{Fingerprint, Version};

use crate::{Address, BareJid, DeviceId, Event, Ticket, Timestamp};

/// The result of a call. Everything in it is already durable.
#[derive(Debug, Default)]
#[must_use = "the stanzas have to be sent"]
#[non_exhaustive]
pub struct Output {
    /// The stanza handed in was ours: the app neither shows nor routes it. Of an encrypted message
    /// nothing that stands beside the encrypted element counts: not a body, and no other content
    /// (XEP-0420 §9).
    pub consumed: bool,
    /// What has to be sent now, in this order.
    pub stanzas: Vec<Stanza>,
    /// What happened.
    pub events: Vec<Event>,
    /// When [`Account::tick`](crate::Account::tick) is due.
    pub wake: Option<Timestamp>,
}

/// One stanza to send.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Stanza {
    /// The `<message/>` or `<iq/>`, in the namespace `jabber:client`.
    pub element: Element,
    /// Messages have one: give it to [`Account::sent`](crate::Account::sent) once the server has
    /// the stanza (XEP-0198, or the stream closed in good order).
    pub ticket: Option<Ticket>,
}

/// A device that a message was encrypted for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Served {
    /// Which device.
    pub device: Address,
    /// In which protocol.
    pub version: Version,
}

/// Somebody that a message was not encrypted for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unserved {
    /// Whose device.
    pub jid: BareJid,
    /// Which device; `None` when the account as a whole could not be served.
    pub device: Option<DeviceId>,
    /// Why.
    pub reason: UnservedReason,
}

/// Why a device or an account was not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnservedReason {
    /// The account has no list of devices, or an empty one, in any protocol that we speak.
    #[error("has no OMEMO devices")]
    NoDevices,
    /// The list was not sent, or was refused, and none is known.
    #[error("the device list cannot be had: {0}")]
    ListUnavailable(String),
    /// There is no session yet and the bundle is missing, late or was refused.
    #[error("its bundle cannot be used: {0}")]
    BundleUnusable(String),
    /// The key is not decided about.
    #[error("its key is undecided: compare and trust fingerprint {0}")]
    Undecided(Fingerprint),
    /// The key is distrusted.
    #[error("its key is distrusted: {0}")]
    Distrusted(Fingerprint),
    /// It shows another identity key than the one known under its id.
    #[error("its identity key changed, which is never accepted under the same device id")]
    IdentityChanged,
    /// No protocol that the device speaks carries this content: legacy takes a body alone, or a key,
    /// and omemo:2 no key.
    #[error(
        "the protocol that it speaks does not carry this: legacy takes a text or a key alone, omemo:2 no key"
    )]
    ContentNotCarried,
    /// A message to our own account, which has no device but this one.
    #[error("this is the only device of our account")]
    NoOtherDevice,
    /// It spoke omemo:2 and is only listed for legacy now. A server could have done that:
    /// [`Account::allow_downgrade`](crate::Account::allow_downgrade) serves it in legacy.
    #[error("it spoke omemo:2 and is only listed for the weaker legacy protocol now")]
    Downgraded,
    /// It has not answered for so long that it is not served any more
    /// ([`Settings::stale`](crate::Settings::stale)).
    #[error("it is stale: nothing was heard of it for a long time")]
    Stale,
    /// The contact has asked for plain text (XEP-0384 §5.7), and nothing is sent before a person has
    /// decided.
    #[error("has opted out of encryption")]
    OptedOut,
    /// We are not in the room, or do not know its members yet.
    #[error("we are not in this room, or its members are not known: {0}")]
    NotInRoom(String),
    /// The room hides the real JIDs of its members (XEP-0384 §5.8).
    #[error("the room hides who its members are, so that nobody can be encrypted to")]
    RoomAnonymous,
    /// The store is older than what was sent from it.
    #[error("the store was put back to an older state: recover the account first")]
    Restored,
    /// Our own device is not published in any protocol, so that nobody could answer.
    #[error("our own device could not be published")]
    NotPublished,
}

/// Why a stanza could not be decrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UndecryptableReason {
    /// The element or a key in it is malformed.
    #[error("malformed: {0}")]
    Malformed(String),
    /// The message holds no key for this device.
    #[error("it was not encrypted for this device")]
    NotForThisDevice,
    /// There is no session that it belongs to.
    #[error("there is no session with this device")]
    NoSession,
    /// A session is there, but does not open it.
    #[error("no session with this device opens it: {0}")]
    SessionRefused(String),
    /// The key exchange names a prekey that we do not have (any more).
    #[error("its key exchange names a prekey that is not ours or was used before")]
    UnknownPreKey,
    /// The key exchange shows another identity key than the one known under the device id.
    #[error("its identity key changed, which is never accepted under the same device id")]
    IdentityChanged,
    /// The key exchange is invalid.
    #[error("its key exchange is invalid: {0}")]
    KeyExchangeRefused(String),
    /// So many messages were missing before it that its key was discarded.
    #[error("it is too old: its key was discarded after too many missing messages")]
    TooOld,
    /// The payload does not open with its key.
    #[error("its payload is damaged: {0}")]
    PayloadRefused(String),
    /// The envelope inside contradicts the stanza (XEP-0420 §4).
    #[error("its envelope was refused: {0}")]
    EnvelopeRefused(String),
    /// The account that wrote it is not known for sure.
    #[error("its sender is unknown")]
    SenderUnknown,
}

/// Why a sealed stanza was given up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsentReason {
    /// Older than a day.
    #[error("it could not be sent for a day")]
    Expired,
    /// A device that it serves would not be served now.
    #[error("device {0} may no longer read it")]
    NoLongerAllowed(Address),
    /// Three times handed out and never reported as sent.
    #[error("it was handed to the network three times and never confirmed")]
    NeverConfirmed,
    /// The store is older than what was sent from it, and what it had sealed may have been sent long ago.
    #[error("the store was put back to an older state")]
    Restored,
    /// The contact has asked for plain text meanwhile (XEP-0384 §5.7).
    #[error("its recipient has opted out of encryption")]
    OptedOut,
    /// This device was deactivated before it left.
    #[error("this device was deactivated")]
    Deactivated,
    /// The addressee or its server answered with an error.
    #[error("it came back with the error {0}")]
    Bounced(String),
}

impl fmt::Display for Unserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.device {
            Some(device) => write!(f, "device {device} of {}: {}", self.jid, self.reason),
            None => write!(f, "{}: {}", self.jid, self.reason),
        }
    }
}
