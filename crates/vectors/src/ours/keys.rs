//! Keys, signatures and X3DH.

use omemo_ratchet::{IdentityKeyPair, PublicKey, Role, Version, hazmat};
use serde_json::Map;

use super::Outcome;
use super::fields::{Fields, One, bytes, output};

pub(super) fn public_key(input: &Fields<'_>) -> Outcome {
    let public = hazmat::public_key(&input.array("secret")?);
    Ok(output([("public", bytes(public.as_bytes()))]))
}

pub(super) fn diffie_hellman(input: &Fields<'_>) -> Outcome {
    let theirs = PublicKey::parse(&input.bytes("public")?)?;
    let shared = hazmat::diffie_hellman(&input.array("secret")?, &theirs)?;
    Ok(output([("shared", bytes(shared))]))
}

pub(super) fn decode_key(version: Version, input: &Fields<'_>) -> Outcome {
    let key = hazmat::decode_key(version, &input.bytes("key")?)?;
    hazmat::check_torsion_free(&key)?;
    Ok(output([("public", bytes(key.as_bytes()))]))
}

pub(super) fn decode_identity(version: Version, input: &Fields<'_>) -> Outcome {
    let key = hazmat::decode_identity(version, &input.bytes("key")?)?;
    Ok(output([("public", bytes(key.curve25519()))]))
}

pub(super) fn encode_identity(version: Version, input: &Fields<'_>) -> Outcome {
    let identity = IdentityKeyPair::from_bytes(input.array("secret")?);
    let key = hazmat::encode_identity(version, identity.public());
    Ok(output([("key", bytes(key))]))
}

pub(super) fn sign(input: &Fields<'_>) -> Outcome {
    let identity = IdentityKeyPair::from_bytes(input.array("secret")?);
    let mut nonce = One(Role::SignatureNonce, input.bytes("nonce")?);
    let signature = identity.sign(&input.bytes("message")?, &mut nonce)?;
    Ok(output([("signature", bytes(signature))]))
}

pub(super) fn verify(version: Version, input: &Fields<'_>) -> Outcome {
    let identity = hazmat::decode_identity(version, &input.bytes("identity_key")?)?;
    let (message, signature) = (input.bytes("message")?, input.bytes("signature")?);
    hazmat::verify_bundle_signature(version, &identity, &message, &signature)?;
    Ok(Map::new())
}

pub(super) fn x3dh_initiate(version: Version, input: &Fields<'_>) -> Outcome {
    let identity = hazmat::decode_identity(version, &input.bytes("identity_key")?)?;
    let root = hazmat::x3dh_initiate(
        version,
        &input.array("identity_secret")?,
        &input.array("ephemeral_secret")?,
        &hazmat::identity_as_public_key(&identity),
        &hazmat::decode_key(version, &input.bytes("signed_pre_key")?)?,
        &hazmat::decode_key(version, &input.bytes("pre_key")?)?,
    )?;
    Ok(output([("root_key", bytes(root))]))
}

pub(super) fn x3dh_respond(version: Version, input: &Fields<'_>) -> Outcome {
    let identity = hazmat::decode_identity(version, &input.bytes("identity_key")?)?;
    let root = hazmat::x3dh_respond(
        version,
        &input.array("identity_secret")?,
        &input.array("signed_pre_key_secret")?,
        &input.array("pre_key_secret")?,
        &hazmat::identity_as_public_key(&identity),
        &hazmat::decode_key(version, &input.bytes("ephemeral_key")?)?,
    )?;
    Ok(output([("root_key", bytes(root))]))
}
