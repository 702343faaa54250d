//! Payloads: the message proper, encrypted once for all recipients.
//!
//! What comes out beside the ciphertext is a small [`PayloadKey`], which each recipient's session then seals. It
//! holds the payload's authentication tag too: every recipient knows the key, so a tag that travelled outside would
//! let any of them put another text under the sender's name.

use zeroize::Zeroizing;

use crate::error::PayloadError;
use crate::randomness::Randomness;
use crate::suite::Version;

pub(crate) mod legacy;
pub(crate) mod omemo2;

/// How one protocol encrypts payloads.
pub(crate) trait Scheme: Sync {
    fn seal(
        &self,
        plaintext: &[u8],
        rng: &mut dyn Randomness,
    ) -> Result<SealedPayload, PayloadError>;

    fn open(
        &self,
        ratchet_plaintext: &[u8],
        iv: Option<&[u8]>,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, PayloadError>;

    fn empty(&self, rng: &mut dyn Randomness) -> Result<EmptyPayload, PayloadError>;

    fn open_empty(&self, ratchet_plaintext: &[u8]) -> Result<Option<TransportedKey>, PayloadError>;
}

/// What a session seals for each recipient of a payload: key and tag (omemo:2 48 bytes, legacy 32), or what stands for
/// them in an empty message (32 bytes).
pub struct PayloadKey(Zeroizing<Vec<u8>>);

impl PayloadKey {
    fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes to hand to [`Session::seal`](crate::Session::seal).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for PayloadKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(_) = self;
        f.write_str("PayloadKey([redacted])")
    }
}

/// A payload, encrypted.
#[derive(Debug)]
#[non_exhaustive]
pub struct SealedPayload {
    /// What goes into `<payload/>`. As long as the plaintext in legacy, up to 16 bytes longer in omemo:2.
    pub ciphertext: Vec<u8>,
    /// What goes into the legacy `<iv/>` (12 bytes).
    pub iv: Option<Vec<u8>>,
    /// What each recipient's session seals.
    pub key: PayloadKey,
}

/// What an empty message consists of.
#[derive(Debug)]
#[non_exhaustive]
pub struct EmptyPayload {
    /// What goes into the legacy `<iv/>` (12 bytes).
    pub iv: Option<Vec<u8>>,
    /// What each recipient's session seals.
    pub key: PayloadKey,
}

/// The key that a legacy message without payload carries (16 bytes). Some applications give it a use.
pub struct TransportedKey(Zeroizing<[u8; 16]>);

impl TransportedKey {
    /// The key (16 bytes).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::fmt::Debug for TransportedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(_) = self;
        f.write_str("TransportedKey([redacted])")
    }
}

/// Encrypts a payload under a fresh key.
///
/// # Errors
///
/// [`PayloadError::Randomness`] if the source fails; [`PayloadError::Ciphertext`] if the payload exceeds the cipher's
/// limit (legacy: 64 GiB).
pub fn seal(
    version: Version,
    plaintext: &[u8],
    rng: &mut dyn Randomness,
) -> Result<SealedPayload, PayloadError> {
    version.suite().payload.seal(plaintext, rng)
}

/// Checks and decrypts a payload with what came through the ratchet. `iv` is what stood in the legacy `<iv/>`
/// (12 or 16 bytes); omemo:2 ignores it.
///
/// # Errors
///
/// [`PayloadError`]; no plaintext is given out before its tag has been checked.
pub fn open(
    version: Version,
    ratchet_plaintext: &[u8],
    iv: Option<&[u8]>,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, PayloadError> {
    version
        .suite()
        .payload
        .open(ratchet_plaintext, iv, ciphertext)
}

/// What a session seals for a message without payload.
///
/// # Errors
///
/// [`PayloadError::Randomness`] if the source fails.
pub fn empty(version: Version, rng: &mut dyn Randomness) -> Result<EmptyPayload, PayloadError> {
    version.suite().payload.empty(rng)
}

/// Checks what came through the ratchet with a message without payload. In legacy that is a key of its own.
///
/// # Errors
///
/// [`PayloadError::KeyLength`] if it is not what the protocol sends (omemo:2 32 bytes, legacy 16 or 32).
pub fn open_empty(
    version: Version,
    ratchet_plaintext: &[u8],
) -> Result<Option<TransportedKey>, PayloadError> {
    version.suite().payload.open_empty(ratchet_plaintext)
}
