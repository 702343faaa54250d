//! `x3dh` and `kdf`: from keys to the first root key, and from there on.

use serde_json::json;

use super::Disagreement;
use super::layer::Layer;
use super::points;
use crate::implementation::Operation;

pub(super) const X3DH: &str = "X3DH: the first root key of a session, as both sides compute it. No signature is checked here.";
pub(super) const KDF: &str = "The three key derivations of the Double Ratchet.";

pub(super) fn write_x3dh(layer: &mut Layer) -> Result<(), Disagreement> {
    let version = layer.version;
    for number in 1..=6 {
        let seed = layer.seed(format!("agree {number}"));
        let [alice, ephemeral, bob, signed, one_time] =
            ["alice", "ephemeral", "bob", "signed prekey", "prekey"].map(|name| seed.part(name));
        let wire = |seed| hex::encode(points::wire(version, &points::public(seed)));
        layer.accepted(
            format!("initiate-{number}"),
            "The root key of who begins.",
            Operation::X3dhInitiate,
            json!({
                "identity_secret": alice.hex(32),
                "ephemeral_secret": ephemeral.hex(32),
                "identity_key": hex::encode(points::identity(version, &bob)),
                "signed_pre_key": wire(&signed),
                "pre_key": wire(&one_time),
            }),
        )?;
        layer.accepted(
            format!("respond-{number}"),
            "The same root key, of who answers.",
            Operation::X3dhRespond,
            json!({
                "identity_secret": bob.hex(32),
                "signed_pre_key_secret": signed.hex(32),
                "pre_key_secret": one_time.hex(32),
                "identity_key": hex::encode(points::identity(version, &alice)),
                "ephemeral_key": wire(&ephemeral),
            }),
        )?;
    }
    zero(layer)
}

/// A point of small order in each of the places for a key.
fn zero(layer: &mut Layer) -> Result<(), Disagreement> {
    let version = layer.version;
    let seed = layer.seed("zero");
    let good = hex::encode(points::wire(version, &points::public(&seed.part("good"))));
    let identity = hex::encode(points::identity(version, &seed.part("identity")));
    let secret = seed.part("secret").hex(32);
    let initiate = json!({
        "identity_secret": secret, "ephemeral_secret": secret,
        "identity_key": identity, "signed_pre_key": good, "pre_key": good,
    });
    let respond = json!({
        "identity_secret": secret, "signed_pre_key_secret": secret, "pre_key_secret": secret,
        "identity_key": identity, "ephemeral_key": good,
    });
    let slots = [
        (Operation::X3dhInitiate, &initiate, "signed_pre_key"),
        (Operation::X3dhInitiate, &initiate, "pre_key"),
        (Operation::X3dhRespond, &respond, "ephemeral_key"),
    ];
    for (operation, input, slot) in slots {
        for (number, key) in (1..).zip(points::SMALL_ORDER) {
            let mut input = input.clone();
            if let Some(field) = input.get_mut(slot) {
                *field = hex::encode(points::wire(version, &key)).into();
            }
            layer.hardened(
                format!("zero-{}-{number}", slot.replace('_', "-")),
                format!(
                    "{slot} is a point of small order: one of the Diffie-Hellman results is zero."
                ),
                "key-of-small-order",
                operation,
                input,
            )?;
        }
    }
    let small = points::bad_identities(version, &seed)
        .into_iter()
        .filter(|(_, reason)| *reason == "key-of-small-order");
    for (number, (key, reason)) in (1..).zip(small) {
        for (operation, side, input) in [
            (Operation::X3dhInitiate, "responder", &initiate),
            (Operation::X3dhRespond, "initiator", &respond),
        ] {
            let mut input = input.clone();
            if let Some(field) = input.get_mut("identity_key") {
                *field = hex::encode(&key).into();
            }
            layer.hardened(
                format!("zero-identity-{side}-{number}"),
                format!("The {side}'s identity key is a point of small order."),
                reason,
                operation,
                input,
            )?;
        }
    }
    Ok(())
}

pub(super) fn write_kdf(layer: &mut Layer) -> Result<(), Disagreement> {
    for number in 1..=6 {
        let seed = layer.seed(number);
        let (one, other) = (seed.part("one").hex(32), seed.part("other").hex(32));
        layer.accepted(
            format!("root-step-{number}"),
            "KDF_RK: a root key and a Diffie-Hellman result give the next root key and a chain key.",
            Operation::RootStep,
            json!({"root_key": one, "shared": other}),
        )?;
        layer.accepted(
            format!("chain-step-{number}"),
            "KDF_CK: a chain key gives a message key and the next chain key.",
            Operation::ChainStep,
            json!({"chain_key": one}),
        )?;
        layer.accepted(
            format!("message-keys-{number}"),
            "What a message key gives to the cipher and the authentication tag.",
            Operation::MessageKeys,
            json!({"message_key": one}),
        )?;
    }
    Ok(())
}
