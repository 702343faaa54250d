//! Keys, signatures and frames as they stand on the wire, one at a time.

use zeroize::Zeroizing;

use crate::bundle;
use crate::error::{KeyError, OpenError, SignatureError};
use crate::framing::{Header, RatchetMessage};
use crate::identity::IdentityKey;
use crate::message_key::{AssociatedData, CipherKeys, MessageKey, tag_matches};
use crate::public_key::PublicKey;
use crate::suite::Version;

/// Reads a public key that is not an identity key (omemo:2 32 bytes, legacy 33).
///
/// # Errors
///
/// [`KeyError`] says what is wrong with it.
pub fn decode_key(version: Version, bytes: &[u8]) -> Result<PublicKey, KeyError> {
    version.suite().decode_key(bytes)
}

/// A public key that is not an identity key as it goes over the wire (omemo:2 32 bytes, legacy 33).
#[must_use]
pub fn encode_key(version: Version, key: &PublicKey) -> Vec<u8> {
    version.suite().encode_key(key.as_bytes())
}

/// Reads an identity key (omemo:2 32 bytes, legacy 33).
///
/// # Errors
///
/// [`KeyError`] says what is wrong with it.
pub fn decode_identity(version: Version, bytes: &[u8]) -> Result<IdentityKey, KeyError> {
    version.suite().decode_identity(bytes)
}

/// An identity key as it goes over the wire (omemo:2 32 bytes, legacy 33).
#[must_use]
pub fn encode_identity(version: Version, key: &IdentityKey) -> Vec<u8> {
    let suite = version.suite();
    suite.encode_key(&(suite.identity_to_wire)(key))
}

/// An identity key as a partner of Diffie-Hellman.
#[must_use]
pub const fn identity_as_public_key(key: &IdentityKey) -> PublicKey {
    key.diffie_hellman_key()
}

/// Verifies a signature (64 bytes) as bundles hold it; in legacy it brings the sign of the signer's Ed25519 form along.
///
/// # Errors
///
/// [`SignatureError`] if it does not verify.
pub fn verify_bundle_signature(
    version: Version,
    identity: &IdentityKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    bundle::verify_signature(version.suite(), identity, message, signature)
}

/// What a message key expands to: the cipher's key, the tag's key (32 bytes each) and the initialisation vector
/// (16 bytes).
#[must_use]
pub fn message_keys(version: Version, message_key: &[u8; 32]) -> ([u8; 32], [u8; 32], [u8; 16]) {
    expand(version, message_key).parts()
}

/// Who sent a message to whom: its tag covers both identity keys, in an order that depends on the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "what a tag covers is fixed by the protocols"
)]
pub struct Correspondents {
    /// The sender's identity key.
    pub sender: IdentityKey,
    /// The receiver's identity key.
    pub receiver: IdentityKey,
    /// Whether the sender began the session.
    pub sender_initiated: bool,
}

/// A message of the ratchet: what its header says and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "what a message consists of is fixed by the protocols"
)]
pub struct PlainMessage {
    /// The sender's ratchet key.
    pub ratchet_key: PublicKey,
    /// `n`.
    pub number: u32,
    /// `pn`.
    pub previous: u32,
    /// What is encrypted.
    pub plaintext: Vec<u8>,
}

/// Encrypts, tags and frames a message under a message key.
#[must_use]
pub fn seal_frame(
    version: Version,
    message_key: &[u8; 32],
    correspondents: &Correspondents,
    message: &PlainMessage,
) -> Vec<u8> {
    let suite = version.suite();
    let keys = expand(version, message_key);
    let header = Header {
        ratchet_key: message.ratchet_key,
        number: message.number,
        previous: message.previous,
    };
    let encoded = suite
        .framing
        .encode_message(&header, keys.encrypt(&message.plaintext));
    let tag = tag(version, &keys, correspondents, &encoded);
    let (tag, _) = tag.split_at(suite.mac_length);
    suite.framing.encode_frame(encoded, tag)
}

/// Checks a message's tag under a message key and decrypts it.
///
/// # Errors
///
/// [`OpenError::Mac`] or [`OpenError::Ciphertext`].
pub fn open_frame(
    message_key: &[u8; 32],
    correspondents: &Correspondents,
    message: &RatchetMessage,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let version = message.version();
    let keys = expand(version, message_key);
    let tag = tag(version, &keys, correspondents, message.authenticated());
    if !tag_matches(&tag, version.suite().mac_length, message.tag()) {
        return Err(OpenError::Mac);
    }
    keys.decrypt(message.ciphertext())
        .ok_or(OpenError::Ciphertext)
}

fn expand(version: Version, message_key: &[u8; 32]) -> CipherKeys {
    MessageKey::from_bytes(*message_key).expand(version.suite().message_info)
}

fn tag(
    version: Version,
    keys: &CipherKeys,
    correspondents: &Correspondents,
    message: &[u8],
) -> [u8; 32] {
    let suite = version.suite();
    let sender = (suite.identity_to_wire)(&correspondents.sender);
    let receiver = (suite.identity_to_wire)(&correspondents.receiver);
    let sender_first = suite.associated_data_by_sender || correspondents.sender_initiated;
    let (first, second) = if sender_first {
        (&sender, &receiver)
    } else {
        (&receiver, &sender)
    };
    keys.message_tag(suite, &AssociatedData { first, second }, message)
}
