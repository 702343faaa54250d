//! The table: everything in which the two protocols differ.
//!
//! What is a value stands in a row of [`Suite`]; what is behaviour stands behind the sealed traits
//! [`Framing`] and [`Scheme`], which the row points to. Nothing else in this crate asks which version it works for.

use crate::error::KeyError;
use crate::framing::Framing;
use crate::identity::IdentityKey;
use crate::payload::Scheme;
use crate::public_key::PublicKey;

mod legacy;
mod omemo2;

/// One of the two protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Version {
    /// `urn:xmpp:omemo:2` (XEP-0384 since 0.4).
    Omemo2 = 1,
    /// `eu.siacs.conversations.axolotl` (XEP-0384 0.3).
    Legacy = 2,
}

impl Version {
    /// All versions, the preferred one first.
    pub const ALL: [Self; 2] = [Self::Omemo2, Self::Legacy];

    /// This version's row of the table.
    #[must_use]
    pub const fn suite(self) -> &'static Suite {
        match self {
            Self::Omemo2 => &omemo2::SUITE,
            Self::Legacy => &legacy::SUITE,
        }
    }

    /// The number that stands for this version in stored data: 1 or 2, for ever.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        self as u8
    }

    /// The version that a stored number stands for.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|version| version.to_byte() == byte)
    }
}

/// A row of the table: the constants of one protocol.
pub struct Suite {
    pub(crate) version: Version,
    /// Stands before every public Curve25519 key on the wire, and before identity keys.
    pub(crate) key_prefix: &'static [u8],
    /// The 32 bytes of an identity key's wire form, without prefix.
    pub(crate) identity_to_wire: fn(&IdentityKey) -> [u8; 32],
    /// Reads those 32 bytes.
    pub(crate) identity_from_wire: fn(&[u8]) -> Result<IdentityKey, KeyError>,
    /// Whether bit 7 of a signature's last byte holds the sign of the signer's Ed25519 form.
    pub(crate) signature_carries_sign: bool,
    /// Whether the associated data names the sender first (else the initiator).
    pub(crate) associated_data_by_sender: bool,
    /// HKDF info of X3DH.
    pub(crate) x3dh_info: &'static [u8],
    /// HKDF info of the root chain.
    pub(crate) root_info: &'static [u8],
    /// HKDF info of message keys.
    pub(crate) message_info: &'static [u8],
    /// Bytes of a message's authentication tag.
    pub(crate) mac_length: usize,
    /// Keys that one message may skip, both chains together.
    pub(crate) max_jump: u32,
    /// Skipped keys that the store keeps for a session.
    pub(crate) max_stored_skipped: usize,
    /// The number from which on a message calls for a heartbeat.
    pub(crate) heartbeat_at: u32,
    /// How messages become bytes.
    pub(crate) framing: &'static dyn Framing,
    /// How payloads are encrypted.
    pub(crate) payload: &'static dyn Scheme,
}

impl Suite {
    /// The version of this row.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// How many skipped message keys a store keeps for one session, the newest ones (omemo:2 1000, legacy 2000).
    #[must_use]
    pub const fn max_stored_skipped(&self) -> usize {
        self.max_stored_skipped
    }

    /// How many keys one message may skip, in both chains together (2000).
    #[must_use]
    pub const fn max_jump(&self) -> u32 {
        self.max_jump
    }

    /// A public key as it goes over the wire (omemo:2 32 bytes, legacy 33).
    pub(crate) fn encode_key(&self, key: &[u8; 32]) -> Vec<u8> {
        [self.key_prefix, key].concat()
    }

    /// Reads a public key from the wire.
    pub(crate) fn decode_key(&self, bytes: &[u8]) -> Result<PublicKey, KeyError> {
        PublicKey::parse(self.strip_prefix(bytes)?)
    }

    /// Reads an identity key from the wire.
    pub(crate) fn decode_identity(&self, bytes: &[u8]) -> Result<IdentityKey, KeyError> {
        (self.identity_from_wire)(self.strip_prefix(bytes)?)
    }

    fn strip_prefix<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], KeyError> {
        if bytes.len() != self.key_prefix.len() + 32 {
            return Err(KeyError::Length);
        }
        bytes.strip_prefix(self.key_prefix).ok_or(KeyError::Type)
    }
}

impl std::fmt::Debug for Suite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Suite")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
