//! `payloads`: what is encrypted once for all recipients.

use serde_json::{Map, Value, json};

use super::Disagreement;
use super::layer::Layer;
use super::protocols;
use crate::implementation::Operation;

pub(super) const ABOUT: &str = "Payloads and the keys that go through the ratchet for them. The authentication tag is with the key, so that \
     no recipient can put another text under the sender's name.";

pub(super) fn write(layer: &mut Layer) -> Result<(), Disagreement> {
    for length in [0, 1, 15, 16, 17, 32, 255] {
        let sealed = seal(layer, length)?;
        layer.accepted(
            format!("open-{length}"),
            format!("The same payload of {length} bytes, opened."),
            Operation::OpenPayload,
            sealed.into(),
        )?;
    }
    let sealed = seal(layer, 40)?;
    flips(layer, &sealed)?;
    key_lengths(layer, &sealed)?;
    payload_lengths(layer, &sealed)?;
    if sealed.contains_key("iv") {
        vectors(layer, &sealed)?;
    }
    empty(layer)
}

fn seal(layer: &mut Layer, length: usize) -> Result<Map<String, Value>, Disagreement> {
    let seed = layer.seed(length);
    let key = protocols::of(layer.version).payload_key;
    layer.accepted(
        format!("seal-{length}"),
        format!("A payload of {length} bytes, with the random bytes given."),
        Operation::SealPayload,
        json!({
            "plaintext": seed.part("plaintext").hex(length),
            "randomness": {
                "payload-key": seed.part("key").hex(key),
                "payload-iv": seed.part("iv").hex(12),
            },
        }),
    )
}

fn with(sealed: &Map<String, Value>, name: &str, bytes: &[u8]) -> Value {
    let mut fields = sealed.clone();
    fields.insert(name.into(), hex::encode(bytes).into());
    fields.into()
}

fn bytes(sealed: &Map<String, Value>, name: &str) -> Vec<u8> {
    let text = sealed.get(name).and_then(Value::as_str).unwrap_or_default();
    hex::decode(text).unwrap_or_default()
}

/// One bit in each byte of everything.
fn flips(layer: &mut Layer, sealed: &Map<String, Value>) -> Result<(), Disagreement> {
    for name in ["key", "payload", "iv"] {
        let good = bytes(sealed, name);
        for at in 0..good.len() {
            let mut flipped = good.clone();
            if let Some(byte) = flipped.get_mut(at) {
                *byte ^= 1 << (at % 8);
            }
            layer.refused(
                format!("flip-{name}-{at:02}"),
                format!("One bit of the {name} is flipped."),
                "payload-mac",
                Operation::OpenPayload,
                with(sealed, name, &flipped),
            )?;
        }
    }
    Ok(())
}

fn key_lengths(layer: &mut Layer, sealed: &Map<String, Value>) -> Result<(), Disagreement> {
    let protocol = protocols::of(layer.version);
    let (key, tag) = (protocol.payload_key, protocol.payload_tag);
    let good = bytes(sealed, "key");
    for length in [0, 1, 16, 31, 32, 33, 47, 48, 49, 64] {
        if length == key + tag {
            continue;
        }
        let mut other = good.repeat(4);
        other.truncate(length);
        let about = if length == key {
            "A key without authentication tag: any recipient could have replaced the payload."
                .into()
        } else {
            format!("What came through the ratchet has {length} bytes.")
        };
        layer.refused(
            format!("key-length-{length}"),
            about,
            "payload-key-length",
            Operation::OpenPayload,
            with(sealed, "key", &other),
        )?;
    }
    Ok(())
}

fn payload_lengths(layer: &mut Layer, sealed: &Map<String, Value>) -> Result<(), Disagreement> {
    let good = bytes(sealed, "payload");
    for cut in [1, 15, 16, 17, good.len()] {
        let (short, _) = good.split_at(good.len() - cut);
        layer.refused(
            format!("payload-shorter-by-{cut}"),
            "The end of the payload is missing.",
            "payload-mac",
            Operation::OpenPayload,
            with(sealed, "payload", short),
        )?;
    }
    for more in [1, 16] {
        let long = [good.as_slice(), &vec![0; more]].concat();
        layer.refused(
            format!("payload-longer-by-{more}"),
            "Something was added to the payload.",
            "payload-mac",
            Operation::OpenPayload,
            with(sealed, "payload", &long),
        )?;
    }
    Ok(())
}

/// Initialisation vectors, which only legacy has.
fn vectors(layer: &mut Layer, sealed: &Map<String, Value>) -> Result<(), Disagreement> {
    for length in [0, 8, 11, 13, 15, 17, 24] {
        layer.refused(
            format!("iv-length-{length}"),
            format!("An initialisation vector of {length} bytes."),
            "iv-length",
            Operation::OpenPayload,
            with(sealed, "iv", &vec![7; length]),
        )?;
    }
    let mut without = sealed.clone();
    without.remove("iv");
    layer.refused(
        "iv-missing",
        "No initialisation vector.",
        "missing-iv",
        Operation::OpenPayload,
        without.into(),
    )
}

fn empty(layer: &mut Layer) -> Result<(), Disagreement> {
    let lengths = protocols::of(layer.version).empty;
    for length in [0, 1, 15, 16, 17, 31, 32, 33, 48, 64] {
        let zeros = json!({"key": hex::encode(vec![0; length])});
        if lengths.contains(&length) {
            layer.accepted(
                format!("empty-{length}"),
                "What goes through the ratchet where there is no payload.",
                Operation::OpenEmpty,
                zeros,
            )?;
        } else {
            layer.refused(
                format!("empty-{length}"),
                format!("No message without payload carries {length} bytes."),
                "payload-key-length",
                Operation::OpenEmpty,
                zeros,
            )?;
        }
    }
    Ok(())
}
