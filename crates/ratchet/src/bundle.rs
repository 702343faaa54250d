//! Bundles: the public keys that a device publishes (XEP-0384 §5.3.2).
//!
//! ```text
//! Sig(IK, Encode(SPK))           Encode: 32 bytes u (omemo:2), 05 ‖ u (legacy)
//! ```
//!
//! A [`Bundle`] is what came from the server and proves nothing. [`Bundle::verify`] turns it into a
//! [`VerifiedBundle`], and only that reaches X3DH.

use std::collections::BTreeSet;

use crate::error::{BundleError, SessionError, SignatureError};
use crate::identity::IdentityKey;
use crate::pre_key::{PreKeyId, PreKeyPair, SignedPreKeyId, SignedPreKeyPair};
use crate::public_key::PublicKey;
use crate::randomness::{Randomness, Role};
use crate::suite::{Suite, Version};

/// A bundle as it stands on the wire, unverified. Legacy keys have 33 bytes, the first one 0x05.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "what a bundle consists of is fixed by the protocol"
)]
pub struct Bundle {
    /// The identity key: omemo:2 its Ed25519 form (32 bytes), legacy its Curve25519 form (33 bytes).
    pub identity_key: Vec<u8>,
    /// The signed prekey's id.
    pub signed_pre_key_id: u32,
    /// The signed prekey (32 or 33 bytes).
    pub signed_pre_key: Vec<u8>,
    /// The identity key's signature over the signed prekey (64 bytes).
    pub signed_pre_key_signature: Vec<u8>,
    /// The prekeys (32 or 33 bytes each) with their ids.
    pub pre_keys: Vec<(u32, Vec<u8>)>,
}

impl Bundle {
    /// What we publish.
    #[must_use]
    pub fn publish(
        version: Version,
        identity: &IdentityKey,
        signed_pre_key: &SignedPreKeyPair,
        pre_keys: &[PreKeyPair],
    ) -> Self {
        let suite = version.suite();
        Self {
            identity_key: suite.encode_key(&(suite.identity_to_wire)(identity)),
            signed_pre_key_id: signed_pre_key.id().get(),
            signed_pre_key: suite.encode_key(signed_pre_key.public().as_bytes()),
            signed_pre_key_signature: signed_pre_key.signature().to_vec(),
            pre_keys: pre_keys
                .iter()
                .map(|pre_key| {
                    (
                        pre_key.id().get(),
                        suite.encode_key(pre_key.public().as_bytes()),
                    )
                })
                .collect(),
        }
    }

    /// Checks keys and signature. A single bad prekey is passed over as long as a good one remains.
    ///
    /// # Errors
    ///
    /// [`BundleError`] says what makes the bundle useless.
    pub fn verify(&self, version: Version) -> Result<VerifiedBundle, BundleError> {
        let suite = version.suite();
        let identity = suite
            .decode_identity(&self.identity_key)
            .map_err(BundleError::IdentityKey)?;
        verify_signature(
            suite,
            &identity,
            &self.signed_pre_key,
            &self.signed_pre_key_signature,
        )
        .map_err(|SignatureError| BundleError::Signature)?;

        let signed_pre_key_id = SignedPreKeyId::parse(self.signed_pre_key_id)
            .map_err(|_| BundleError::SignedPreKeyId)?;
        let signed_pre_key = suite
            .decode_key(&self.signed_pre_key)
            .map_err(BundleError::SignedPreKey)?;
        signed_pre_key
            .check_torsion_free()
            .map_err(BundleError::SignedPreKey)?;

        let pre_keys = usable_pre_keys(suite, &self.pre_keys);
        if pre_keys.is_empty() {
            return Err(BundleError::NoPreKey);
        }
        Ok(VerifiedBundle {
            version,
            identity,
            signed_pre_key_id,
            signed_pre_key,
            pre_keys,
        })
    }
}

/// Signatures of the legacy protocol carry the sign of the signer's Ed25519 form, which its wire form has lost, in a
/// bit that is 0 in every valid signature. Read it, then clear it.
pub(crate) fn verify_signature(
    suite: &Suite,
    identity: &IdentityKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    if !suite.signature_carries_sign {
        return identity.verify(message, signature);
    }
    let mut signature: [u8; 64] = signature.try_into().map_err(|_| SignatureError)?;
    let [.., last] = &mut signature;
    let sign = *last & 0x80 != 0;
    *last &= 0x7f;
    identity.with_sign(sign).verify(message, &signature)
}

/// The prekeys that parse, in the bundle's order; of several with one id, the first.
fn usable_pre_keys(suite: &Suite, pre_keys: &[(u32, Vec<u8>)]) -> Vec<(PreKeyId, PublicKey)> {
    let mut seen = BTreeSet::new();
    pre_keys
        .iter()
        .filter_map(|(id, key)| Some((PreKeyId::parse(*id).ok()?, suite.decode_key(key).ok()?)))
        .filter(|(id, _)| seen.insert(*id))
        .collect()
}

/// A bundle whose keys are sound and whose signed prekey is signed by its identity key.
///
/// Whose identity key that is remains to be judged: verification says nothing about trust.
#[derive(Debug, Clone)]
pub struct VerifiedBundle {
    version: Version,
    identity: IdentityKey,
    signed_pre_key_id: SignedPreKeyId,
    signed_pre_key: PublicKey,
    pre_keys: Vec<(PreKeyId, PublicKey)>,
}

impl VerifiedBundle {
    /// The protocol that the bundle was verified for.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The device's identity key.
    #[must_use]
    pub const fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    /// How many usable prekeys it has; at least one.
    #[must_use]
    pub const fn pre_key_count(&self) -> usize {
        self.pre_keys.len()
    }

    pub(crate) const fn signed_pre_key_id(&self) -> SignedPreKeyId {
        self.signed_pre_key_id
    }

    pub(crate) const fn signed_pre_key(&self) -> &PublicKey {
        &self.signed_pre_key
    }

    /// Picks a prekey at random; id 0 only when there is no other, because a widely used library reads a key
    /// exchange that names it wrongly. Only the chosen one pays for the check of its group; one that fails it is out
    /// of the draw.
    pub(crate) fn choose_pre_key(
        &self,
        rng: &mut dyn Randomness,
    ) -> Result<(PreKeyId, PublicKey), SessionError> {
        let (mut candidates, mut last_resort): (Vec<_>, Vec<_>) = self
            .pre_keys
            .iter()
            .copied()
            .partition(|(id, _)| id.get() != 0);
        loop {
            if candidates.is_empty() {
                candidates = std::mem::take(&mut last_resort);
            }
            let chosen = candidates.swap_remove(draw_index(candidates.len(), rng)?);
            if chosen.1.check_torsion_free().is_ok() {
                return Ok(chosen);
            }
        }
    }
}

/// A random index below `count`.
fn draw_index(count: usize, rng: &mut dyn Randomness) -> Result<usize, SessionError> {
    let mut bytes = [0; 8];
    rng.fill(Role::PreKeyChoice, &mut bytes)?;
    // With fewer than 2²⁴ prekeys the remainder's bias is below 2⁻⁴⁰.
    let count = u64::try_from(count).map_err(|_| SessionError::NoPreKey)?;
    let index = u64::from_le_bytes(bytes)
        .checked_rem(count)
        .ok_or(SessionError::NoPreKey)?;
    usize::try_from(index).map_err(|_| SessionError::NoPreKey)
}
