//! `keys`: what stands on the wire, and which points are keys.

use serde_json::json;

use super::Disagreement;
use super::layer::Layer;
use super::points;
use crate::implementation::Operation;

pub(super) const ABOUT: &str = "Encodings of public keys, conversions between Curve25519 and Ed25519, and X25519. What must be refused here \
     must be refused wherever such a key arrives.";

pub(super) fn write(layer: &mut Layer) -> Result<(), Disagreement> {
    secrets(layer)?;
    lengths_and_types(layer)?;
    points_that_are_no_keys(layer)?;
    identities_that_are_no_keys(layer)?;
    no_contribution(layer)
}

fn secrets(layer: &mut Layer) -> Result<(), Disagreement> {
    for number in 1..=6 {
        let seed = layer.seed(format!("secret {number}"));
        let (one, other) = (seed.part("one").hex(32), seed.part("other").hex(32));
        let public = layer.accepted(
            format!("public-key-{number}"),
            "The public key of a secret, which is clamped at use.",
            Operation::PublicKey,
            json!({"secret": one}),
        )?;
        layer.accepted(
            format!("diffie-hellman-{number}"),
            "X25519 with that public key.",
            Operation::DiffieHellman,
            json!({"secret": other, "public": public.get("public")}),
        )?;
        let key = layer.accepted(
            format!("identity-{number}"),
            "The identity key of the same secret as it stands on the wire; an Ed25519 form has sign bit 0.",
            Operation::EncodeIdentity,
            json!({"secret": one}),
        )?;
        layer.accepted(
            format!("identity-back-{number}"),
            "The identity key as Curve25519: what people compare as fingerprint.",
            Operation::DecodeIdentity,
            json!({"key": key.get("key")}),
        )?;
    }
    Ok(())
}

fn lengths_and_types(layer: &mut Layer) -> Result<(), Disagreement> {
    let version = layer.version;
    let good = points::wire(version, &points::public(&layer.seed("length")));
    let without = good.get(..good.len() - 1).unwrap_or_default();
    let mut wrong = vec![
        ("empty", Vec::new()),
        ("short", without.to_vec()),
        ("long", [good.as_slice(), &[0]].concat()),
        ("double", [good.as_slice(), &good].concat()),
    ];
    // What the other protocol has in its place.
    wrong.push((
        "other-protocol",
        match good.split_first() {
            Some((5, key)) => key.to_vec(),
            _ => [&[5], good.as_slice()].concat(),
        },
    ));
    for (name, key) in &wrong {
        for (slot, operation) in [
            ("key", Operation::DecodeKey),
            ("identity", Operation::DecodeIdentity),
        ] {
            layer.refused(
                format!("{slot}-length-{name}"),
                "A key of the wrong length.",
                "key-length",
                operation,
                json!({"key": hex::encode(key)}),
            )?;
        }
    }
    layer.accepted(
        "key-decode",
        "A key as it stands on the wire.",
        Operation::DecodeKey,
        json!({"key": hex::encode(&good)}),
    )?;
    if good.len() == 33 {
        types(layer, &good)?;
    }
    Ok(())
}

/// The byte before a key must be 05.
fn types(layer: &mut Layer, good: &[u8]) -> Result<(), Disagreement> {
    for byte in [0x00, 0x01, 0x04, 0x06, 0x0a, 0x33, 0x85, 0xff] {
        let mut key = good.to_vec();
        if let Some(first) = key.first_mut() {
            *first = byte;
        }
        for (slot, operation) in [
            ("key", Operation::DecodeKey),
            ("identity", Operation::DecodeIdentity),
        ] {
            layer.refused(
                format!("{slot}-type-{byte:02x}"),
                "A key whose first byte does not say that it is a Curve25519 key.",
                "key-type",
                operation,
                json!({"key": hex::encode(&key)}),
            )?;
        }
    }
    Ok(())
}

fn points_that_are_no_keys(layer: &mut Layer) -> Result<(), Disagreement> {
    let version = layer.version;
    for (number, key) in (1..).zip(points::SMALL_ORDER) {
        layer.hardened(
            format!("key-small-order-{number}"),
            "A point of small order: every Diffie-Hellman result with it is zero.",
            "key-of-small-order",
            Operation::DecodeKey,
            json!({"key": hex::encode(points::wire(version, &key))}),
        )?;
    }
    for (number, key) in (1..).zip(points::not_canonical(&layer.seed("canonical"))) {
        layer.hardened(
            format!("key-not-canonical-{number}"),
            "A second encoding of a value that has a smaller one, so that equal keys have different bytes.",
            "key-not-canonical",
            Operation::DecodeKey,
            json!({"key": hex::encode(points::wire(version, &key))}),
        )?;
    }
    for (number, key) in (1..).zip(points::twins(&layer.seed("torsion"))) {
        layer.hardened(
            format!("key-torsion-{number}"),
            "A point with a component of small order: it gives the same Diffie-Hellman results as a twin with other bytes.",
            "key-outside-group",
            Operation::DecodeKey,
            json!({"key": hex::encode(points::wire(version, &key))}),
        )?;
    }
    Ok(())
}

fn identities_that_are_no_keys(layer: &mut Layer) -> Result<(), Disagreement> {
    let version = layer.version;
    let seed = layer.seed("identity");
    for (number, (key, reason)) in (1..).zip(points::bad_identities(version, &seed)) {
        let input = json!({"key": hex::encode(&key)});
        let id = format!("identity-no-key-{number}");
        let operation = Operation::DecodeIdentity;
        let about = format!("An identity key that is none: {reason}.");
        // X25519 takes a u-coordinate of the twist; only the conversion to Ed25519 has no meaning there.
        if reason == "key-not-on-curve" && key.len() == 32 {
            layer.refused(id, about, reason, operation, input)?;
        } else {
            layer.hardened(id, about, reason, operation, input)?;
        }
    }
    Ok(())
}

fn no_contribution(layer: &mut Layer) -> Result<(), Disagreement> {
    let secret = layer.seed("zero").hex(32);
    for (number, key) in (1..).zip(points::SMALL_ORDER) {
        layer.hardened(
            format!("diffie-hellman-zero-{number}"),
            "A Diffie-Hellman result of zero: the other side contributed nothing.",
            "key-of-small-order",
            Operation::DiffieHellman,
            json!({"secret": secret, "public": hex::encode(key)}),
        )?;
    }
    Ok(())
}
