//! Sending and receiving chains.
//!
//! ```text
//! MK = HMAC-SHA-256(CK, 01)      CK′ = HMAC-SHA-256(CK, 02)
//! ```
//!
//! XEP-0384 §4.4, `KDF_CK`; the same in both protocols.

use hmac::Mac;

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
        self.split().0
    }

    /// The message key here; the chain moves on by one.
    pub(crate) fn advance(&mut self) -> MessageKey {
        let (message_key, next) = self.split();
        self.0 = next;
        message_key
    }

    fn split(&self) -> (MessageKey, Secret) {
        let keyed = kdf::hmac(self.0.as_bytes());
        let message_key = zeroize::Zeroizing::new(kdf::finish(keyed.clone().chain_update([1])));
        let next = zeroize::Zeroizing::new(kdf::finish(keyed.chain_update([2])));
        (
            MessageKey::new(Secret::from_array(&message_key)),
            Secret::from_array(&next),
        )
    }
}
