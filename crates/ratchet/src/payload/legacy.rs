//! Payloads of the legacy protocol (XEP-0384 0.3 §4.5).
//!
//! ```text
//! C ‖ T = AES-128-GCM(key, IV, plaintext)        IV: 12 bytes (16 are accepted)
//! through the ratchet: key (16) ‖ T (16)         payload: C
//! ```
//!
//! With a payload the tag must have come through the ratchet. The form from before 2017, a key of 16 bytes and the
//! tag at the end of the payload, is refused: any recipient could exchange the payload (A1). GCM does not commit to
//! its key: a malicious sender can make one payload mean different things to different devices (A13).

use aes::Aes128;
use aes_gcm::aead::array::ArraySize;
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::{AeadInOut, AesGcm, KeyInit};
use zeroize::Zeroizing;

use super::{EmptyPayload, PayloadKey, Scheme, SealedPayload, TransportedKey};
use crate::error::PayloadError;
use crate::randomness::{Randomness, Role};

/// The payload scheme of the legacy protocol.
pub(crate) struct Legacy;

const KEY_LENGTH: usize = 16;
const TAG_LENGTH: usize = 16;
const IV_LENGTH: usize = 12;

impl Scheme for Legacy {
    fn seal(
        &self,
        plaintext: &[u8],
        rng: &mut dyn Randomness,
    ) -> Result<SealedPayload, PayloadError> {
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        let mut iv = [0; IV_LENGTH];
        rng.fill(Role::PayloadKey, key.as_mut_slice())?;
        rng.fill(Role::PayloadIv, &mut iv)?;
        let mut buffer = plaintext.to_vec();
        let tag = AesGcm::<Aes128, U12>::new((&*key).into())
            .encrypt_inout_detached((&iv).into(), b"", buffer.as_mut_slice().into())
            .map_err(|_| PayloadError::Ciphertext)?;
        let key = PayloadKey::new([key.as_slice(), tag.as_slice()].concat());
        Ok(SealedPayload {
            ciphertext: buffer,
            iv: Some(iv.to_vec()),
            key,
        })
    }

    fn open(
        &self,
        ratchet_plaintext: &[u8],
        iv: Option<&[u8]>,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, PayloadError> {
        if ratchet_plaintext.len() != KEY_LENGTH + TAG_LENGTH {
            return Err(PayloadError::KeyLength);
        }
        let (key, tag) = ratchet_plaintext.split_at(KEY_LENGTH);
        let iv = iv.ok_or(PayloadError::MissingIv)?;
        match iv.len() {
            12 => decrypt::<U12>(key, iv, ciphertext, tag),
            16 => decrypt::<U16>(key, iv, ciphertext, tag),
            _ => Err(PayloadError::IvLength),
        }
    }

    fn empty(&self, rng: &mut dyn Randomness) -> Result<EmptyPayload, PayloadError> {
        // The encryption of nothing: a fresh key, and a tag that is the right one for it.
        let SealedPayload {
            ciphertext: _,
            iv,
            key,
        } = self.seal(b"", rng)?;
        Ok(EmptyPayload { iv, key })
    }

    fn open_empty(&self, ratchet_plaintext: &[u8]) -> Result<Option<TransportedKey>, PayloadError> {
        match ratchet_plaintext.split_first_chunk::<KEY_LENGTH>() {
            Some((key, tag)) if tag.is_empty() || tag.len() == TAG_LENGTH => {
                Ok(Some(TransportedKey(Zeroizing::new(*key))))
            }
            _ => Err(PayloadError::KeyLength),
        }
    }
}

fn decrypt<IvLength: ArraySize>(
    key: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
    tag: &[u8],
) -> Result<Zeroizing<Vec<u8>>, PayloadError> {
    let cipher =
        AesGcm::<Aes128, IvLength>::new_from_slice(key).map_err(|_| PayloadError::KeyLength)?;
    let iv = iv.try_into().map_err(|_| PayloadError::IvLength)?;
    let tag = tag.try_into().map_err(|_| PayloadError::KeyLength)?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    // Checks the tag first; the buffer stays ciphertext when it is wrong.
    cipher
        .decrypt_inout_detached(iv, b"", buffer.as_mut_slice().into(), tag)
        .map_err(|_| PayloadError::Mac)?;
    Ok(buffer)
}
