//! The key agreement X3DH (XEP-0384 §4.2).
//!
//! ```text
//! initiator a, responder b
//! DH1 = DH(IKa, SPKb)   DH2 = DH(EKa, IKb)   DH3 = DH(EKa, SPKb)   DH4 = DH(EKa, PKb)
//! SK = HKDF-SHA-256(salt = 00×32, input = FF×32 ‖ DH1 ‖ DH2 ‖ DH3 ‖ DH4, info, 32 bytes)
//! ```
//!
//! OMEMO demands the one-time prekey: there is no variant without DH4.

use x25519_dalek::SharedSecret;
use zeroize::Zeroizing;

use crate::error::NonContributory;
use crate::kdf;
use crate::public_key::{KeyPair, PublicKey, diffie_hellman};
use crate::root_key::RootKey;
use crate::secret::Secret;
use crate::suite::Suite;

/// What the responder brings, seen from the initiator.
pub(crate) struct ResponderKeys<'a> {
    pub(crate) identity: &'a PublicKey,
    pub(crate) signed_pre_key: &'a PublicKey,
    pub(crate) pre_key: &'a PublicKey,
}

/// The initiator's side.
pub(crate) fn initiate(
    suite: &Suite,
    identity: &Secret,
    ephemeral: &KeyPair,
    responder: &ResponderKeys<'_>,
) -> Result<RootKey, NonContributory> {
    Ok(agree(
        suite,
        &[
            diffie_hellman(identity, responder.signed_pre_key)?,
            ephemeral.diffie_hellman(responder.identity)?,
            ephemeral.diffie_hellman(responder.signed_pre_key)?,
            ephemeral.diffie_hellman(responder.pre_key)?,
        ],
    ))
}

/// What the initiator brings, seen from the responder.
pub(crate) struct InitiatorKeys<'a> {
    pub(crate) identity: &'a PublicKey,
    pub(crate) ephemeral: &'a PublicKey,
}

/// The responder's side.
pub(crate) fn respond(
    suite: &Suite,
    identity: &Secret,
    signed_pre_key: &KeyPair,
    pre_key: &KeyPair,
    initiator: &InitiatorKeys<'_>,
) -> Result<RootKey, NonContributory> {
    Ok(agree(
        suite,
        &[
            signed_pre_key.diffie_hellman(initiator.identity)?,
            diffie_hellman(identity, initiator.ephemeral)?,
            signed_pre_key.diffie_hellman(initiator.ephemeral)?,
            pre_key.diffie_hellman(initiator.ephemeral)?,
        ],
    ))
}

fn agree(suite: &Suite, outputs: &[SharedSecret; 4]) -> RootKey {
    let mut input = Zeroizing::new([0xff; 5 * 32]);
    for (slot, output) in input.chunks_exact_mut(32).skip(1).zip(outputs) {
        slot.copy_from_slice(output.as_bytes());
    }
    RootKey::from_array(&kdf::hkdf_zero_salt(input.as_slice(), suite.x3dh_info))
}
