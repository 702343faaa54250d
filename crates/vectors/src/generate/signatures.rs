//! `signatures`: XEdDSA, and signatures as bundles hold them.

use curve25519_dalek::constants::EIGHT_TORSION;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::json;

use super::Disagreement;
use super::layer::Layer;
use super::points;
use super::seed::Seed;
use crate::implementation::Operation;

pub(super) const ABOUT: &str = "XEdDSA signatures, and their verification as for the signed prekey of a bundle. In legacy, bit 7 of the last \
     byte is no part of the signature: it holds the sign of the signer's Ed25519 form.";

/// The order of the base point, little-endian.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// An identity key on the wire, a signed prekey on the wire, and the signature.
struct Signed {
    identity_key: Vec<u8>,
    message: Vec<u8>,
    signature: [u8; 64],
}

pub(super) fn write(layer: &mut Layer) -> Result<(), Disagreement> {
    valid(layer)?;
    both_signs(layer)?;
    let signed = signed_pre_key(layer)?;
    bit_flips(layer, &signed)?;
    other_content(layer, &signed)?;
    great_s(layer, &signed)?;
    small_order(layer, &signed)?;
    lengths(layer, &signed)
}

fn verify(
    layer: &mut Layer,
    id: impl Into<String>,
    about: &str,
    signed: &Signed,
) -> Result<(), Disagreement> {
    layer.refused(id, about, "signature", Operation::Verify, input(signed))
}

fn input(signed: &Signed) -> serde_json::Value {
    json!({
        "identity_key": hex::encode(&signed.identity_key),
        "message": hex::encode(&signed.message),
        "signature": hex::encode(signed.signature),
    })
}

fn valid(layer: &mut Layer) -> Result<(), Disagreement> {
    let version = layer.version;
    for length in [0, 1, 31, 32, 33, 34, 64, 255] {
        let seed = layer.seed(format!("valid {length}"));
        let message = seed.part("message").hex(length);
        let secret = seed.part("secret");
        let signature = layer.accepted(
            format!("sign-{length}"),
            format!("XEdDSA over {length} bytes, with the nonce given."),
            Operation::Sign,
            json!({"secret": secret.hex(32), "message": message, "nonce": seed.part("nonce").hex(64)}),
        )?;
        let identity_key = points::identity(version, &secret);
        layer.accepted(
            format!("verify-{length}"),
            "The same signature.",
            Operation::Verify,
            json!({
                "identity_key": hex::encode(identity_key),
                "message": message,
                "signature": signature.get("signature"),
            }),
        )?;
    }
    Ok(())
}

/// Signers whose Ed25519 form has sign bit 1 exist: Ed25519 keys that were made as such.
fn both_signs(layer: &mut Layer) -> Result<(), Disagreement> {
    for sign in [0, 1] {
        let (key, seed) = signer(layer, sign);
        let mut signed = sign_as(layer, &key, &seed);
        layer.accepted(
            format!("ed25519-sign-{sign}"),
            format!("An Ed25519 key with sign bit {sign} signs its prekey."),
            Operation::Verify,
            input(&signed),
        )?;
        mistake_sign(layer, &mut signed);
        verify(
            layer,
            format!("ed25519-sign-{sign}-mistaken"),
            "The same with the other sign bit: another key, which has not signed.",
            &signed,
        )?;
    }
    Ok(())
}

fn signer(layer: &Layer, sign: u8) -> (SigningKey, Seed) {
    let mut number = 0;
    loop {
        let seed = layer.seed(format!("signer {sign} {number}"));
        let key = SigningKey::from_bytes(&seed.array());
        if key.verifying_key().to_bytes().last().map(|last| last >> 7) == Some(sign) {
            return (key, seed);
        }
        number += 1;
    }
}

fn sign_as(layer: &Layer, key: &SigningKey, seed: &Seed) -> Signed {
    let ed25519 = key.verifying_key();
    let message = points::wire(layer.version, &points::public(&seed.part("prekey")));
    let mut signature = key.sign(&message).to_bytes();
    let identity_key = points::identity_of(layer.version, &ed25519.to_bytes());
    let carried = points::carried_sign(layer.version, &ed25519.to_bytes());
    if let Some(last) = signature.last_mut() {
        *last |= carried;
    }
    Signed {
        identity_key,
        message,
        signature,
    }
}

/// The sign stands in the identity key, or in the signature.
fn mistake_sign(layer: &Layer, signed: &mut Signed) {
    let in_key = points::carried_sign(layer.version, &[0xff; 32]) == 0;
    let last = if in_key {
        signed.identity_key.last_mut()
    } else {
        signed.signature.last_mut()
    };
    if let Some(last) = last {
        *last ^= 0x80;
    }
}

fn signed_pre_key(layer: &mut Layer) -> Result<Signed, Disagreement> {
    let version = layer.version;
    let seed = layer.seed("signed prekey");
    let secret = seed.part("secret");
    let message = points::wire(version, &points::public(&seed.part("prekey")));
    let output = layer.accepted(
        "sign-prekey",
        "A signed prekey as it stands on the wire is signed.",
        Operation::Sign,
        json!({
            "secret": secret.hex(32),
            "message": hex::encode(&message),
            "nonce": seed.part("nonce").hex(64),
        }),
    )?;
    let mut signature = [0; 64];
    let text = output.get("signature").and_then(|value| value.as_str());
    let _ = hex::decode_to_slice(text.unwrap_or_default(), &mut signature);
    let signed = Signed {
        identity_key: points::identity(version, &secret),
        message,
        signature,
    };
    layer.accepted(
        "verify-prekey",
        "The signature that the cases below spoil.",
        Operation::Verify,
        input(&signed),
    )?;
    Ok(signed)
}

fn bit_flips(layer: &mut Layer, signed: &Signed) -> Result<(), Disagreement> {
    for bit in 0..512_u32 {
        let mut signature = signed.signature;
        if let Some(byte) = signature.get_mut(bit as usize / 8) {
            *byte ^= 1 << (bit % 8);
        }
        let flipped = Signed {
            identity_key: signed.identity_key.clone(),
            message: signed.message.clone(),
            signature,
        };
        verify(
            layer,
            format!("flip-{bit:03}"),
            "One bit of the signature is flipped.",
            &flipped,
        )?;
    }
    Ok(())
}

fn other_content(layer: &mut Layer, signed: &Signed) -> Result<(), Disagreement> {
    for at in 0..signed.message.len() {
        let mut message = signed.message.clone();
        if let Some(byte) = message.get_mut(at) {
            *byte ^= 0x01;
        }
        let other = Signed {
            identity_key: signed.identity_key.clone(),
            message,
            signature: signed.signature,
        };
        verify(
            layer,
            format!("message-flip-{at:02}"),
            "One bit of the signed prekey is flipped.",
            &other,
        )?;
    }
    let without_type = signed
        .message
        .iter()
        .skip(signed.message.len() - 32)
        .copied();
    let forms: [(&str, &str, Vec<u8>); 3] = [
        (
            "message-other-protocol",
            "The same prekey in the other protocol's form: a signature for one protocol is none for the other.",
            if signed.message.len() == 32 {
                [&[5], signed.message.as_slice()].concat()
            } else {
                without_type.collect()
            },
        ),
        ("message-empty", "Nothing is signed.", Vec::new()),
        (
            "message-longer",
            "A byte more than was signed.",
            [signed.message.as_slice(), &[0]].concat(),
        ),
    ];
    for (id, about, message) in forms {
        let other = Signed {
            identity_key: signed.identity_key.clone(),
            message,
            signature: signed.signature,
        };
        verify(layer, id, about, &other)?;
    }
    for number in 1..=4 {
        let other = Signed {
            identity_key: points::identity(layer.version, &layer.seed(format!("other {number}"))),
            message: signed.message.clone(),
            signature: signed.signature,
        };
        verify(
            layer,
            format!("other-signer-{number}"),
            "Signed by somebody else.",
            &other,
        )?;
    }
    Ok(())
}

/// S + kL is the same number modulo L, and must not be taken for S.
fn great_s(layer: &mut Layer, signed: &Signed) -> Result<(), Disagreement> {
    let mut signature = signed.signature;
    for multiple in 1..=7 {
        add_order(&mut signature);
        let great = Signed {
            identity_key: signed.identity_key.clone(),
            message: signed.message.clone(),
            signature,
        };
        verify(
            layer,
            format!("s-plus-{multiple}-l"),
            "S is not below the order of the base point: a second signature out of the first one.",
            &great,
        )?;
    }
    Ok(())
}

fn add_order(signature: &mut [u8; 64]) {
    let mut carry = 0;
    for (byte, addend) in signature.iter_mut().skip(32).zip(L) {
        let [low, high] = (u16::from(*byte) + u16::from(addend) + carry).to_le_bytes();
        *byte = low;
        carry = u16::from(high);
    }
}

/// With a commitment or key of small order one signature can fit many messages.
fn small_order(layer: &mut Layer, signed: &Signed) -> Result<(), Disagreement> {
    for (number, point) in (1..).zip(EIGHT_TORSION) {
        let mut signature = [0; 64];
        signature
            .iter_mut()
            .zip(point.compress().0)
            .for_each(|(to, from)| *to = from);
        let forged = Signed {
            identity_key: signed.identity_key.clone(),
            message: signed.message.clone(),
            signature,
        };
        verify(
            layer,
            format!("small-order-r-{number}"),
            "R is a point of small order and S is 0.",
            &forged,
        )?;
    }
    let forged = points::bad_identities(layer.version, &layer.seed("small order"))
        .into_iter()
        .filter(|(_, reason)| *reason == "key-of-small-order");
    for (number, (identity_key, reason)) in (1..).zip(forged) {
        let mut signature = [0; 64];
        if let Some(first) = signature.first_mut() {
            *first = 1;
        }
        let input = input(&Signed {
            identity_key,
            message: signed.message.clone(),
            signature,
        });
        layer.hardened(
            format!("small-order-a-{number}"),
            "The signer's key is a point of small order: R = 1, S = 0 fits every eighth message or every one.",
            reason,
            Operation::Verify,
            input,
        )?;
    }
    Ok(())
}

fn lengths(layer: &mut Layer, signed: &Signed) -> Result<(), Disagreement> {
    for length in [0, 1, 32, 63, 65, 128] {
        let mut signature = signed.signature.repeat(2);
        signature.truncate(length);
        let about = format!("A signature of {length} bytes.");
        layer.refused(
            format!("length-{length}"),
            about,
            "signature",
            Operation::Verify,
            json!({
                "identity_key": hex::encode(&signed.identity_key),
                "message": hex::encode(&signed.message),
                "signature": hex::encode(signature),
            }),
        )?;
    }
    Ok(())
}
