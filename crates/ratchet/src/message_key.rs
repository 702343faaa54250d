//! Message keys: one key, one message.
//!
//! ```text
//! K ‖ A ‖ IV = HKDF-SHA-256(salt = 00×32, input = MK, info, 32 + 32 + 16 bytes)
//! C = AES-256-CBC/PKCS#7(K, IV, plaintext)
//! T = HMAC-SHA-256(A, AD ‖ message)[..16 or ..8]       message holds C
//! ```
//!
//! XEP-0384 §4.3, `ENCRYPT`. The tag is checked before anything is decrypted.

use aes::Aes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::Mac;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::kdf;
use crate::secret::Secret;
use crate::suite::Suite;

/// A message key (32 bytes). It opens or seals one message and is gone.
#[derive(Debug)]
pub struct MessageKey(Secret);

impl MessageKey {
    pub(crate) const fn new(secret: Secret) -> Self {
        Self(secret)
    }

    /// Restores a key that the store kept (32 bytes).
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self(Secret::from_array(&bytes))
    }

    /// The key (32 bytes), for the store.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.export()
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// A second one for the session's spare slot, which must survive an attempt that fails.
    pub(crate) fn fork(&self) -> Self {
        Self(Secret::from_array(self.as_bytes()))
    }

    /// Derives what the cipher and the authentication tag need. The key is used up.
    pub(crate) fn expand(self, info: &[u8]) -> CipherKeys {
        CipherKeys::split(&kdf::hkdf_zero_salt(self.0.as_bytes(), info))
    }
}

/// The two identity keys that a message is bound to, in the order of their owners' roles.
#[derive(Debug)]
pub(crate) struct AssociatedData<'a> {
    pub(crate) first: &'a [u8; 32],
    pub(crate) second: &'a [u8; 32],
}

/// What a message key or payload key expands to (80 bytes).
pub(crate) struct CipherKeys {
    encryption: Zeroizing<[u8; 32]>,
    authentication: Zeroizing<[u8; 32]>,
    iv: Zeroizing<[u8; 16]>,
}

impl CipherKeys {
    pub(crate) fn split(bytes: &[u8; 80]) -> Self {
        let mut keys = Self {
            encryption: Zeroizing::new([0; 32]),
            authentication: Zeroizing::new([0; 32]),
            iv: Zeroizing::new([0; 16]),
        };
        let (encryption, rest) = bytes.split_at(32);
        let (authentication, iv) = rest.split_at(32);
        keys.encryption.copy_from_slice(encryption);
        keys.authentication.copy_from_slice(authentication);
        keys.iv.copy_from_slice(iv);
        keys
    }

    /// Key of the cipher, key of the tag, initialisation vector.
    #[cfg(feature = "hazmat")]
    pub(crate) fn parts(&self) -> ([u8; 32], [u8; 32], [u8; 16]) {
        (*self.encryption, *self.authentication, *self.iv)
    }

    pub(crate) fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
        cbc::Encryptor::<Aes256>::new((&*self.encryption).into(), (&*self.iv).into())
            .encrypt_padded_vec::<Pkcs7>(plaintext)
    }

    /// `None` if the ciphertext is not of this cipher. To be called with authenticated ciphertext only.
    pub(crate) fn decrypt(&self, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let length = cbc::Decryptor::<Aes256>::new((&*self.encryption).into(), (&*self.iv).into())
            .decrypt_padded::<Pkcs7>(buffer.as_mut_slice())
            .ok()?
            .len();
        if let Some(padding) = buffer.get_mut(length..) {
            padding.zeroize();
        }
        buffer.truncate(length);
        Some(buffer)
    }

    /// The tag over a payload's ciphertext (32 bytes, to be truncated).
    pub(crate) fn payload_tag(&self, ciphertext: &[u8]) -> [u8; 32] {
        kdf::finish(kdf::hmac(&self.authentication).chain_update(ciphertext))
    }

    /// The tag over a message (32 bytes, to be truncated).
    pub(crate) fn message_tag(
        &self,
        suite: &Suite,
        data: &AssociatedData<'_>,
        message: &[u8],
    ) -> [u8; 32] {
        kdf::finish(
            kdf::hmac(&self.authentication)
                .chain_update(suite.key_prefix)
                .chain_update(data.first)
                .chain_update(suite.key_prefix)
                .chain_update(data.second)
                .chain_update(message),
        )
    }
}

/// Compares a full tag, truncated to `length`, with a received one, in constant time.
pub(crate) fn tag_matches(tag: &[u8; 32], length: usize, received: &[u8]) -> bool {
    // `ct_eq` of slices of different length is false, so a received tag of another length never matches.
    tag.get(..length)
        .is_some_and(|tag| tag.ct_eq(received).into())
}
