//! Curve25519 keys of the ratchet: prekeys, ephemeral keys, ratchet keys.
//!
//! ```text
//! DH(a, B) = X25519(a, B)        refused when zero
//! ```
//!
//! XEP-0384 §4.2; RFC 7748. Identity keys have more duties and live in [`crate::identity`].

use curve25519_dalek::montgomery::MontgomeryPoint;
use x25519_dalek::{SharedSecret, StaticSecret};

use crate::error::{KeyError, NonContributory, RandomnessError};
use crate::randomness::{Randomness, Role};
use crate::secret::Secret;

/// 2²⁵⁵ − 19, little-endian: the first value that is not a canonical coordinate.
const PRIME: [u8; 32] = [
    0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
];

/// The canonical u-coordinates of all points of small order on the curve and its twist: 0, 1, p − 1 and the two of
/// order 8. X25519 with any of them yields zero.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
];

/// A public Curve25519 key (32 bytes): a prekey, signed prekey, ephemeral key or ratchet key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Accepts exactly 32 bytes: the canonical encoding of a u-coordinate that is not of small order.
    ///
    /// # Errors
    ///
    /// [`KeyError::Length`], [`KeyError::NonCanonical`] or [`KeyError::SmallOrder`].
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| KeyError::Length)?;
        if !is_canonical(&bytes) {
            return Err(KeyError::NonCanonical);
        }
        if SMALL_ORDER.contains(&bytes) {
            return Err(KeyError::SmallOrder);
        }
        Ok(Self(bytes))
    }

    /// The u-coordinate (32 bytes, little-endian).
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// For bytes that this crate computed or checked before.
    pub(crate) const fn from_checked(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Demands a point of the prime-order group.
    ///
    /// A point outside it has twins that give the same Diffie-Hellman outputs, which could pass one key exchange off
    /// as several. Costs about as much as a Diffie-Hellman operation, so ratchet keys are spared: their chain is
    /// found by the authenticated bytes.
    pub(crate) fn check_torsion_free(&self) -> Result<(), KeyError> {
        let point = MontgomeryPoint(self.0)
            .to_edwards(0)
            .ok_or(KeyError::NotOnCurve)?;
        if point.is_torsion_free() {
            Ok(())
        } else {
            Err(KeyError::Torsion)
        }
    }
}

/// Whether `bytes` is below p as a little-endian number. The key is public, so time does not matter.
pub(crate) fn is_canonical(bytes: &[u8; 32]) -> bool {
    bytes.iter().rev().lt(PRIME.iter().rev())
}

/// Whether these 32 bytes are the u-coordinate of a point of small order.
pub(crate) fn is_small_order(bytes: &[u8; 32]) -> bool {
    SMALL_ORDER.contains(bytes)
}

/// A Curve25519 key pair.
#[derive(Debug)]
pub(crate) struct KeyPair {
    secret: Secret,
    public: PublicKey,
}

impl KeyPair {
    pub(crate) fn generate(role: Role, rng: &mut dyn Randomness) -> Result<Self, RandomnessError> {
        Ok(Self::from_secret(Secret::generate(role, rng)?))
    }

    pub(crate) fn from_secret(secret: Secret) -> Self {
        let public = PublicKey(
            x25519_dalek::PublicKey::from(&StaticSecret::from(*secret.as_bytes())).to_bytes(),
        );
        Self { secret, public }
    }

    /// Puts together what was computed before, to save the multiplication.
    pub(crate) const fn from_stored(secret: Secret, public: PublicKey) -> Self {
        Self { secret, public }
    }

    pub(crate) const fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) const fn secret(&self) -> &Secret {
        &self.secret
    }

    pub(crate) fn diffie_hellman(
        &self,
        theirs: &PublicKey,
    ) -> Result<SharedSecret, NonContributory> {
        diffie_hellman(&self.secret, theirs)
    }
}

/// X25519, refusing the all-zero output.
pub(crate) fn diffie_hellman(
    secret: &Secret,
    theirs: &PublicKey,
) -> Result<SharedSecret, NonContributory> {
    let shared = StaticSecret::from(*secret.as_bytes())
        .diffie_hellman(&x25519_dalek::PublicKey::from(*theirs.as_bytes()));
    if shared.was_contributory() {
        Ok(shared)
    } else {
        Err(NonContributory)
    }
}

#[cfg(test)]
mod tests;
