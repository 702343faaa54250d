//! Randomness, drawn by role.
//!
//! Every draw names what it is for. A test can then answer each draw by name instead of by its position in a stream,
//! and recorded vectors stay valid when the order of draws changes. The only source meant for use is
//! [`SystemRandomness`].

use crate::error::RandomnessError;

/// What random bytes are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Role {
    /// The secret of an identity key (32 bytes).
    IdentityKey,
    /// The secret of a signed prekey (32 bytes).
    SignedPreKey,
    /// The secret of a prekey (32 bytes).
    PreKey,
    /// Which prekey of a bundle is used (8 bytes).
    PreKeyChoice,
    /// The secret of X3DH's ephemeral key (32 bytes).
    EphemeralKey,
    /// The secret of a ratchet key (32 bytes).
    RatchetKey,
    /// The nonce of an XEdDSA signature (64 bytes).
    SignatureNonce,
    /// The key of a payload (omemo:2 32 bytes, legacy 16 bytes).
    PayloadKey,
    /// The initialisation vector of a legacy payload (12 bytes).
    PayloadIv,
    /// A device id. Drawn by the layer above.
    DeviceId,
    /// Where the ids of new prekeys begin (8 bytes). Drawn by the layer above.
    PreKeyId,
    /// The padding of an envelope. Drawn by the layer above.
    Padding,
    /// The id of a stanza. Drawn by the layer above.
    StanzaId,
    /// A handle of the layer above.
    Handle,
}

/// A source of random bytes.
///
/// Everything secret here hangs on it: an implementation for use must be a cryptographically secure generator.
pub trait Randomness {
    /// Fills `out` with bytes for `role`.
    ///
    /// # Errors
    ///
    /// [`RandomnessError`] if no bytes are to be had; `out` is then not used.
    fn fill(&mut self, role: Role, out: &mut [u8]) -> Result<(), RandomnessError>;
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&mut self, _role: Role, out: &mut [u8]) -> Result<(), RandomnessError> {
        getrandom::fill(out).map_err(|_| RandomnessError)
    }
}
