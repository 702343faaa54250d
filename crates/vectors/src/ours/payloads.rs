//! Payloads.

use omemo_ratchet::{Version, payload};
use serde_json::Map;

use super::Outcome;
use super::fields::{Fields, bytes, output};

pub(super) fn seal(version: Version, input: &Fields<'_>) -> Outcome {
    let plaintext = input.bytes("plaintext")?;
    let sealed = payload::seal(version, &plaintext, &mut input.randomness()?)?;
    let mut fields = output([
        ("key", bytes(sealed.key.as_bytes())),
        ("payload", bytes(sealed.ciphertext)),
    ]);
    if let Some(iv) = sealed.iv {
        fields.insert("iv".into(), bytes(iv));
    }
    Ok(fields)
}

pub(super) fn open(version: Version, input: &Fields<'_>) -> Outcome {
    let iv = input.has("iv").then(|| input.bytes("iv")).transpose()?;
    let (key, ciphertext) = (input.bytes("key")?, input.bytes("payload")?);
    let plaintext = payload::open(version, &key, iv.as_deref(), &ciphertext)?;
    Ok(output([("plaintext", bytes(&*plaintext))]))
}

pub(super) fn open_empty(version: Version, input: &Fields<'_>) -> Outcome {
    payload::open_empty(version, &input.bytes("key")?)?;
    Ok(Map::new())
}
