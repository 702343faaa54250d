//! Sending and receiving chains.
//!
//! ```text
//! MK = HMAC-SHA-256(CK, 01)      CK′ = HMAC-SHA-256(CK, 02)
//! ```
//!
//! XEP-0384 §4.3, `KDF_CK`; the same in both protocols.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::kdf;
use crate::message_key::MessageKey;
use crate::secret::Secret;

/// A chain key (32 bytes): gives a message key at each step and forgets how it came to be.
#[derive(Debug)]
pub(crate) struct ChainKey(Secret);

impl ChainKey {
    pub(crate) const fn new(secret: Secret) -> Self {
        Self(secret)
    }

    pub(crate) fn from_array(bytes: &[u8; 32]) -> Self {
        Self(Secret::from_array(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// A second chain at the same point, to try a message on.
    pub(crate) fn fork(&self) -> Self {
        Self::from_array(self.as_bytes())
    }

    /// The message key here.
    pub(crate) fn message_key(&self) -> MessageKey {
        message_key(kdf::hmac(self.as_bytes()))
    }

    /// The message key here; the chain moves on by one.
    pub(crate) fn advance(&mut self) -> MessageKey {
        // Both outputs have one key, so its two blocks are hashed once.
        let keyed = kdf::hmac(self.as_bytes());
        self.step(keyed.clone());
        message_key(keyed)
    }

    /// The chain moves on by one, for who does not need the message key here.
    pub(crate) fn pass(&mut self) {
        self.step(kdf::hmac(self.as_bytes()));
    }

    fn step(&mut self, keyed: Hmac<Sha256>) {
        let next = Zeroizing::new(kdf::finish(keyed.chain_update([2])));
        *self.0.as_mut_bytes() = *next;
    }
}

fn message_key(keyed: Hmac<Sha256>) -> MessageKey {
    let key = Zeroizing::new(kdf::finish(keyed.chain_update([1])));
    MessageKey::new(Secret::from_array(&key))
}
