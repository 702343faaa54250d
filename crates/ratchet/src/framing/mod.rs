//! Messages and key exchanges as bytes.
//!
//! Reading decides between the two by the wire type of one protobuf field and never by what stands around the bytes:
//! clients exist that repeat a key exchange without marking it (XEP-0384 §4.3 asks to repeat). Whatever is received
//! stays as it was received: the authentication tag covers those very bytes, and nothing is ever encoded again.

use crate::error::FrameError;
use crate::identity::IdentityKey;
use crate::pre_key::{PreKeyId, SignedPreKeyId};
use crate::public_key::PublicKey;
use crate::suite::{Suite, Version};

pub(crate) mod legacy;
pub(crate) mod omemo2;
mod protobuf;

/// How one protocol turns messages into bytes and back.
pub(crate) trait Framing: Sync {
    /// The bytes that the authentication tag covers, after the associated data.
    fn encode_message(&self, header: &Header, ciphertext: Vec<u8>) -> Vec<u8>;

    /// The finished message.
    fn encode_frame(&self, message: Vec<u8>, tag: &[u8]) -> Vec<u8>;

    /// The finished message inside a key exchange.
    fn encode_key_exchange(
        &self,
        introduction: &Introduction<'_>,
        message: Vec<u8>,
        tag: &[u8],
    ) -> Vec<u8>;

    /// Reads either.
    fn parse(&self, bytes: &[u8]) -> Result<Inbound, FrameError>;
}

/// The part of a message that is not encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) ratchet_key: PublicKey,
    pub(crate) number: u32,
    pub(crate) previous: u32,
}

/// What a key exchange says besides its message.
#[derive(Debug)]
pub(crate) struct Introduction<'a> {
    pub(crate) pre_key_id: PreKeyId,
    pub(crate) signed_pre_key_id: SignedPreKeyId,
    pub(crate) registration_id: u32,
    /// The wire form without prefix.
    pub(crate) identity: &'a [u8; 32],
    pub(crate) ephemeral: &'a PublicKey,
}

/// What came out of a `<key/>` element.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the wire knows these two")]
pub enum Inbound {
    /// A message that brings the means to build its session.
    KeyExchange(KeyExchange),
    /// A message of a session that exists.
    Message(RatchetMessage),
}

impl Inbound {
    /// Reads what a peer sent. The field that decides between the two is the first one in omemo:2 and the second one
    /// in legacy, and both are told apart by being a number or bytes.
    ///
    /// # Errors
    ///
    /// [`FrameError`] if the bytes are neither; nothing in it depends on any secret.
    pub fn parse(version: Version, bytes: &[u8]) -> Result<Self, FrameError> {
        version.suite().framing.parse(bytes)
    }
}

/// A key exchange as received, with the message inside it (XEP-0384 §4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyExchange {
    pre_key_id: PreKeyId,
    signed_pre_key_id: SignedPreKeyId,
    identity: IdentityKey,
    ephemeral_key: PublicKey,
    message: RatchetMessage,
}

impl KeyExchange {
    /// The protocol that it belongs to.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.message.version
    }

    /// Which of our prekeys it uses.
    #[must_use]
    pub const fn pre_key_id(&self) -> PreKeyId {
        self.pre_key_id
    }

    /// Which of our signed prekeys it uses.
    #[must_use]
    pub const fn signed_pre_key_id(&self) -> SignedPreKeyId {
        self.signed_pre_key_id
    }

    /// The identity key that the sender claims. The message proves it, once it opens.
    #[must_use]
    pub const fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    /// What tells a repetition of this key exchange from another one.
    #[must_use]
    pub const fn ephemeral_key(&self) -> &PublicKey {
        &self.ephemeral_key
    }

    /// The message inside.
    #[must_use]
    pub const fn message(&self) -> &RatchetMessage {
        &self.message
    }
}

/// A message as received: its header, and the bytes that its tag covers (XEP-0384 §4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatchetMessage {
    version: Version,
    header: Header,
    /// Exactly as received.
    authenticated: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

impl RatchetMessage {
    /// The protocol that it belongs to.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The sender's ratchet key.
    #[must_use]
    pub const fn ratchet_key(&self) -> &PublicKey {
        &self.header.ratchet_key
    }

    /// Its number in the chain of that key (`n`), from 0 on.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.header.number
    }

    /// How many messages the sender's previous chain had (`pn`), or one less: clients differ.
    #[must_use]
    pub const fn previous(&self) -> u32 {
        self.header.previous
    }

    pub(crate) fn authenticated(&self) -> &[u8] {
        &self.authenticated
    }

    pub(crate) fn ciphertext(&self) -> &[u8] {
        &self.ciphertext
    }

    pub(crate) fn tag(&self) -> &[u8] {
        &self.tag
    }
}

/// A field that the schema calls required.
fn required<T>(field: Option<T>, name: &'static str) -> Result<T, FrameError> {
    field.ok_or(FrameError::MissingField(name))
}

/// A public key in a field of that name.
fn key_field(
    suite: &Suite,
    field: Option<Vec<u8>>,
    name: &'static str,
) -> Result<PublicKey, FrameError> {
    suite
        .decode_key(&required(field, name)?)
        .map_err(|error| FrameError::Key(name, error))
}
