//! The layers below [`Session`](crate::Session), byte by byte: for test vectors and benches, not for applications.
//!
//! Nothing here keeps a key from serving twice or a secret from staying in memory.

mod primitives;
mod wire;

pub use primitives::{
    cbc_decrypt_unauthenticated, cbc_encrypt, hkdf, hkdf_zero_salt, hmac, tag_matches,
};
pub use wire::{
    Correspondents, PlainMessage, decode_identity, decode_key, encode_identity, encode_key,
    identity_as_public_key, message_keys, open_frame, seal_frame, verify_bundle_signature,
};

use zeroize::Zeroizing;

use crate::chain_key::ChainKey;
use crate::error::{KeyError, NonContributory, RandomnessError, SignatureError};
use crate::message_key::{AssociatedData, MessageKey};
use crate::public_key::{self, KeyPair, PublicKey};
use crate::randomness::Randomness;
use crate::root_key::RootKey;
use crate::secret::Secret;
use crate::suite::Version;
use crate::x3dh::{InitiatorKeys, ResponderKeys};

/// X25519: our secret and their public key (32 bytes each).
///
/// # Errors
///
/// [`NonContributory`] if the output is zero.
pub fn diffie_hellman(secret: &[u8; 32], theirs: &PublicKey) -> Result<[u8; 32], NonContributory> {
    public_key::diffie_hellman(&Secret::from_array(secret), theirs).map(|shared| shared.to_bytes())
}

/// The public key of a secret (32 bytes each).
#[must_use]
pub fn public_key(secret: &[u8; 32]) -> PublicKey {
    *KeyPair::from_secret(Secret::from_array(secret)).public()
}

/// Whether a public key lies in the prime-order group.
///
/// # Errors
///
/// [`KeyError::Torsion`] or [`KeyError::NotOnCurve`] if it does not.
pub fn check_torsion_free(key: &PublicKey) -> Result<(), KeyError> {
    key.check_torsion_free()
}

/// XEdDSA: signs with a Curve25519 secret (32 bytes).
///
/// # Errors
///
/// [`RandomnessError`] if the source fails.
pub fn xeddsa_sign(
    secret: &[u8; 32],
    message: &[u8],
    rng: &mut dyn Randomness,
) -> Result<[u8; 64], RandomnessError> {
    crate::xeddsa::sign(secret, message, rng)
}

/// Ed25519, strictly: verifies under an Ed25519 public key (32 bytes).
///
/// # Errors
///
/// [`SignatureError`] if the signature does not verify.
pub fn ed25519_verify(
    public: &[u8; 32],
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    crate::xeddsa::verify(public, message, signature)
}

/// X3DH as the initiator: identity and ephemeral secrets, then the responder's three public keys. Gives the first root
/// key (32 bytes).
///
/// # Errors
///
/// [`NonContributory`] if one of the outputs is zero.
pub fn x3dh_initiate(
    version: Version,
    identity: &[u8; 32],
    ephemeral: &[u8; 32],
    their_identity: &PublicKey,
    their_signed_pre_key: &PublicKey,
    their_pre_key: &PublicKey,
) -> Result<[u8; 32], NonContributory> {
    let responder = ResponderKeys {
        identity: their_identity,
        signed_pre_key: their_signed_pre_key,
        pre_key: their_pre_key,
    };
    let ephemeral = KeyPair::from_secret(Secret::from_array(ephemeral));
    crate::x3dh::initiate(
        version.suite(),
        &Secret::from_array(identity),
        &ephemeral,
        &responder,
    )
    .map(|root| *root.as_bytes())
}

/// X3DH as the responder: identity, signed prekey and prekey secrets, then the initiator's two public keys. Gives the
/// first root key (32 bytes).
///
/// # Errors
///
/// [`NonContributory`] if one of the outputs is zero.
pub fn x3dh_respond(
    version: Version,
    identity: &[u8; 32],
    signed_pre_key: &[u8; 32],
    pre_key: &[u8; 32],
    their_identity: &PublicKey,
    their_ephemeral: &PublicKey,
) -> Result<[u8; 32], NonContributory> {
    let initiator = InitiatorKeys {
        identity: their_identity,
        ephemeral: their_ephemeral,
    };
    let signed_pre_key = KeyPair::from_secret(Secret::from_array(signed_pre_key));
    let pre_key = KeyPair::from_secret(Secret::from_array(pre_key));
    crate::x3dh::respond(
        version.suite(),
        &Secret::from_array(identity),
        &signed_pre_key,
        &pre_key,
        &initiator,
    )
    .map(|root| *root.as_bytes())
}

/// `KDF_RK`: the next root key and a chain key (32 bytes each).
#[must_use]
pub fn root_step(version: Version, root: &[u8; 32], shared: &[u8; 32]) -> ([u8; 32], [u8; 32]) {
    let (root, chain) = RootKey::from_array(root).advance(version.suite(), shared);
    (*root.as_bytes(), *chain.as_bytes())
}

/// `KDF_CK`: the message key here and the next chain key (32 bytes each).
#[must_use]
pub fn chain_step(chain: &[u8; 32]) -> ([u8; 32], [u8; 32]) {
    let mut chain = ChainKey::from_array(chain);
    let message_key = chain.advance();
    (*message_key.as_bytes(), *chain.as_bytes())
}

/// Encrypts under a message key and tags `before ‖ ciphertext`: the ciphertext and the whole tag (32 bytes). The
/// identity keys are in their wire forms, without prefix (32 bytes each).
#[must_use]
pub fn message_seal(
    version: Version,
    message_key: &[u8; 32],
    first: &[u8; 32],
    second: &[u8; 32],
    before: &[u8],
    plaintext: &[u8],
) -> (Vec<u8>, [u8; 32]) {
    let keys = MessageKey::from_bytes(*message_key).expand(version.suite().message_info);
    let ciphertext = keys.encrypt(plaintext);
    let message = [before, &ciphertext].concat();
    let tag = keys.message_tag(version.suite(), &AssociatedData { first, second }, &message);
    (ciphertext, tag)
}

/// Decrypts under a message key, without any check.
#[must_use]
pub fn message_decrypt_unauthenticated(
    version: Version,
    message_key: &[u8; 32],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    MessageKey::from_bytes(*message_key)
        .expand(version.suite().message_info)
        .decrypt(ciphertext)
}
