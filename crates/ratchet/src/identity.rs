//! Identity keys: one key, two forms.
//!
//! ```text
//! u = (1 + y) / (1 − y)          y = (u − 1) / (u + 1)          p = 2²⁵⁵ − 19
//! ```
//!
//! The Curve25519 form `u` does Diffie-Hellman, is what the legacy protocol sends, and is the fingerprint. The
//! Ed25519 form, `y` and the sign of `x`, verifies signatures and is what omemo:2 sends (XEP-0384 §4.2). The sign is
//! lost in `u`, so the same identity may arrive with either sign: identities are equal when their `u` is. Our own
//! Ed25519 form always has sign 0.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::montgomery::MontgomeryPoint;
use zeroize::Zeroizing;

use crate::error::{KeyError, RandomnessError, SignatureError};
use crate::fingerprint::Fingerprint;
use crate::public_key::{self, PublicKey};
use crate::randomness::{Randomness, Role};
use crate::secret::Secret;
use crate::xeddsa;

/// A public identity key, in both of its forms (32 bytes each).
///
/// Equality, order and hash are those of the Curve25519 form: the two signs of one key are one identity.
#[derive(Debug, Clone, Copy)]
pub struct IdentityKey {
    curve25519: [u8; 32],
    ed25519: [u8; 32],
}

impl IdentityKey {
    /// Reads the Ed25519 form (32 bytes), as omemo:2 sends it.
    ///
    /// # Errors
    ///
    /// [`KeyError`] unless the bytes are the canonical encoding of a point of the prime-order group.
    pub fn from_ed25519(bytes: &[u8]) -> Result<Self, KeyError> {
        let ed25519: [u8; 32] = bytes.try_into().map_err(|_| KeyError::Length)?;
        let point = CompressedEdwardsY(ed25519)
            .decompress()
            .ok_or(KeyError::NotOnCurve)?;
        // Decompression reduces y and forgives a sign on x = 0: only what encodes back to itself is canonical.
        if point.compress().0 != ed25519 {
            return Err(KeyError::NonCanonical);
        }
        check_group(&point)?;
        Ok(Self {
            curve25519: point.to_montgomery().0,
            ed25519,
        })
    }

    /// Reads the Curve25519 form (32 bytes, without the type byte of the legacy protocol). The Ed25519 form gets
    /// sign 0.
    ///
    /// # Errors
    ///
    /// [`KeyError`] unless the bytes are the canonical u-coordinate of a point of the prime-order group.
    pub fn from_curve25519(bytes: &[u8]) -> Result<Self, KeyError> {
        let curve25519: [u8; 32] = bytes.try_into().map_err(|_| KeyError::Length)?;
        let point = lift(&curve25519, 0)?;
        check_group(&point)?;
        Ok(Self {
            curve25519,
            ed25519: point.compress().0,
        })
    }

    /// Reads the stored form (64 bytes) that [`to_bytes`](Self::to_bytes) wrote. A message to a thousand devices reads
    /// two thousand keys, so nothing is derived again: that the two forms belong together, and to the prime-order
    /// group, was checked when the key first arrived.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the bytes cannot come from `to_bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: &[u8; 64] = bytes.try_into().map_err(|_| KeyError::Length)?;
        let (curve25519, ed25519) = bytes.split_at(32);
        let curve25519 = *PublicKey::parse(curve25519)?.as_bytes();
        let ed25519 = ed25519.try_into().map_err(|_| KeyError::Length)?;
        Ok(Self::from_stored(curve25519, ed25519))
    }

    /// The stored form: the Curve25519 form, then the Ed25519 form with its sign (64 bytes).
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        let (curve25519, ed25519) = bytes.split_at_mut(32);
        curve25519.copy_from_slice(&self.curve25519);
        ed25519.copy_from_slice(&self.ed25519);
        bytes
    }

    /// The Ed25519 form (32 bytes), with the sign that it arrived with.
    #[must_use]
    pub const fn ed25519(&self) -> [u8; 32] {
        self.ed25519
    }

    /// The Curve25519 form (32 bytes).
    #[must_use]
    pub const fn curve25519(&self) -> &[u8; 32] {
        &self.curve25519
    }

    /// What people compare.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new(self.curve25519)
    }

    /// Verifies an Ed25519 signature (64 bytes) against the Ed25519 form, strictly: no small-order point, no second
    /// encoding of `S`.
    ///
    /// # Errors
    ///
    /// [`SignatureError`] if it does not verify.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        xeddsa::verify(&self.ed25519, message, signature)
    }

    /// The same identity with the other or the same sign.
    pub(crate) const fn with_sign(&self, sign: bool) -> Self {
        let mut ed25519 = self.ed25519;
        let [.., last] = &mut ed25519;
        *last = *last & 0x7f | (sign as u8) << 7;
        Self {
            curve25519: self.curve25519,
            ed25519,
        }
    }

    /// The key as a partner of Diffie-Hellman.
    pub(crate) const fn diffie_hellman_key(&self) -> PublicKey {
        PublicKey::from_checked(self.curve25519)
    }

    /// For forms that this crate computed together and stored together.
    pub(crate) const fn from_stored(curve25519: [u8; 32], ed25519: [u8; 32]) -> Self {
        Self {
            curve25519,
            ed25519,
        }
    }
}

/// The point with this u-coordinate and sign.
fn lift(curve25519: &[u8; 32], sign: u8) -> Result<EdwardsPoint, KeyError> {
    if !public_key::is_canonical(curve25519) {
        return Err(KeyError::NonCanonical);
    }
    if public_key::is_small_order(curve25519) {
        return Err(KeyError::SmallOrder);
    }
    MontgomeryPoint(*curve25519)
        .to_edwards(sign)
        .ok_or(KeyError::NotOnCurve)
}

fn check_group(point: &EdwardsPoint) -> Result<(), KeyError> {
    if point.is_small_order() {
        Err(KeyError::SmallOrder)
    } else if !point.is_torsion_free() {
        Err(KeyError::Torsion)
    } else {
        Ok(())
    }
}

impl PartialEq for IdentityKey {
    fn eq(&self, other: &Self) -> bool {
        self.curve25519 == other.curve25519
    }
}

impl Eq for IdentityKey {}

impl Hash for IdentityKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.curve25519.hash(state);
    }
}

impl PartialOrd for IdentityKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for IdentityKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.curve25519.cmp(&other.curve25519)
    }
}

/// Our own identity: a Curve25519 secret (32 bytes) and its public forms.
#[derive(Debug)]
pub struct IdentityKeyPair {
    secret: Secret,
    public: IdentityKey,
}

impl IdentityKeyPair {
    /// Draws a new identity.
    ///
    /// # Errors
    ///
    /// [`RandomnessError`] if the source fails.
    pub fn generate(rng: &mut dyn Randomness) -> Result<Self, RandomnessError> {
        Ok(Self::from_secret(Secret::generate(Role::IdentityKey, rng)?))
    }

    /// Restores an identity from its secret (32 bytes). Every value is one: X25519 clamps it at use.
    #[must_use]
    pub fn from_bytes(secret: [u8; 32]) -> Self {
        let secret = Zeroizing::new(secret);
        Self::from_secret(Secret::from_array(&secret))
    }

    fn from_secret(secret: Secret) -> Self {
        let public = xeddsa::public_key(secret.as_bytes());
        let public = IdentityKey {
            curve25519: public.to_montgomery().0,
            ed25519: public.compress().0,
        };
        Self { secret, public }
    }

    /// The secret (32 bytes), for the store.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.secret.export()
    }

    /// The public part. The sign of its Ed25519 form is always 0.
    #[must_use]
    pub const fn public(&self) -> &IdentityKey {
        &self.public
    }

    /// Signs with XEdDSA: 64 bytes, valid as Ed25519 under the public part's Ed25519 form.
    ///
    /// # Errors
    ///
    /// [`RandomnessError`] if the source fails.
    pub fn sign(
        &self,
        message: &[u8],
        rng: &mut dyn Randomness,
    ) -> Result<[u8; 64], RandomnessError> {
        xeddsa::sign(self.secret.as_bytes(), message, rng)
    }

    pub(crate) const fn secret(&self) -> &Secret {
        &self.secret
    }
}
