//! The root chain.
//!
//! ```text
//! RK′ ‖ CK = HKDF-SHA-256(salt = RK, input = DH, info, 64 bytes)
//! ```
//!
//! XEP-0384 §4.3, `KDF_RK`. The info is "OMEMO Root Chain" in omemo:2 and "WhisperRatchet" in legacy.

use crate::chain_key::ChainKey;
use crate::kdf;
use crate::secret::Secret;
use crate::suite::Suite;

/// A root key (32 bytes): what both chains of a session grow from.
#[derive(Debug)]
pub(crate) struct RootKey(Secret);

impl RootKey {
    pub(crate) fn from_array(bytes: &[u8; 32]) -> Self {
        Self(Secret::from_array(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Mixes in a Diffie-Hellman output: the next root key, and the key of a new chain.
    pub(crate) fn advance(&self, suite: &Suite, shared: &[u8; 32]) -> (Self, ChainKey) {
        let output = kdf::hkdf::<64>(self.0.as_bytes(), shared, suite.root_info);
        let (root, chain) = Secret::halves(&output);
        (Self(root), ChainKey::new(chain))
    }
}
