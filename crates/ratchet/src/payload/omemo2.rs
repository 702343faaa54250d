//! Payloads of omemo:2 (XEP-0384 §4.4, §4.5).
//!
//! ```text
//! K ‖ A ‖ IV = HKDF-SHA-256(salt = 00×32, input = key, "OMEMO Payload", 32 + 32 + 16 bytes)
//! C = AES-256-CBC/PKCS#7(K, IV, plaintext)      T = HMAC-SHA-256(A, C)[..16]
//! through the ratchet: key (32) ‖ T (16)        empty message: 00×32
//! ```

use zeroize::Zeroizing;

use super::{EmptyPayload, PayloadKey, Scheme, SealedPayload, TransportedKey};
use crate::error::PayloadError;
use crate::kdf;
use crate::message_key::{CipherKeys, tag_matches};
use crate::randomness::{Randomness, Role};

/// The payload scheme of omemo:2.
pub(crate) struct Omemo2;

const INFO: &[u8] = b"OMEMO Payload";
const KEY_LENGTH: usize = 32;
const TAG_LENGTH: usize = 16;

impl Scheme for Omemo2 {
    fn seal(
        &self,
        plaintext: &[u8],
        rng: &mut dyn Randomness,
    ) -> Result<SealedPayload, PayloadError> {
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        rng.fill(Role::PayloadKey, key.as_mut_slice())?;
        let keys = expand(key.as_slice());
        let ciphertext = keys.encrypt(plaintext);
        let tag = keys.payload_tag(&ciphertext);
        let (tag, _) = tag.split_at(TAG_LENGTH);
        Ok(SealedPayload {
            ciphertext,
            iv: None,
            key: PayloadKey::new([key.as_slice(), tag].concat()),
        })
    }

    fn open(
        &self,
        ratchet_plaintext: &[u8],
        _iv: Option<&[u8]>,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, PayloadError> {
        if ratchet_plaintext.len() != KEY_LENGTH + TAG_LENGTH {
            return Err(PayloadError::KeyLength);
        }
        let (key, tag) = ratchet_plaintext.split_at(KEY_LENGTH);
        let keys = expand(key);
        if !tag_matches(&keys.payload_tag(ciphertext), TAG_LENGTH, tag) {
            return Err(PayloadError::Mac);
        }
        keys.decrypt(ciphertext).ok_or(PayloadError::Ciphertext)
    }

    fn empty(&self, _rng: &mut dyn Randomness) -> Result<EmptyPayload, PayloadError> {
        Ok(EmptyPayload {
            iv: None,
            key: PayloadKey::new(vec![0; KEY_LENGTH]),
        })
    }

    fn open_empty(&self, ratchet_plaintext: &[u8]) -> Result<Option<TransportedKey>, PayloadError> {
        if ratchet_plaintext.len() == KEY_LENGTH {
            Ok(None)
        } else {
            Err(PayloadError::KeyLength)
        }
    }
}

fn expand(key: &[u8]) -> CipherKeys {
    CipherKeys::split(&kdf::hkdf_zero_salt(key, INFO))
}
