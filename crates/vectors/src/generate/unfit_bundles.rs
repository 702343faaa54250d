//! Bundles that a device must not begin a session with, after which it must begin one with the good bundle.

use serde_json::Value;

use super::Disagreement;
use super::layer::Layer;
use super::points;
use super::talk::Talk;
use crate::case::Flag;

pub(super) fn write(layer: &mut Layer) -> Result<(), Disagreement> {
    let version = layer.version;
    let seed = layer.seed("bundle");
    let foreign = hex::encode(points::wire(version, &points::public(&seed)));
    bundle(
        layer,
        "bundle-signature",
        "The signature is not the identity key's.",
        "signature",
        None,
        &|bundle| {
            set(bundle, "signature", seed.part("signature").hex(64).into());
        },
    )?;
    bundle(
        layer,
        "bundle-signature-length",
        "The signature is too short.",
        "signature",
        None,
        &|bundle| {
            set(bundle, "signature", seed.hex(63).into());
        },
    )?;
    bundle(
        layer,
        "bundle-signed-prekey",
        "Another signed prekey than was signed.",
        "signature",
        None,
        &|bundle| {
            set(bundle, "signed_pre_key", foreign.clone().into());
        },
    )?;
    bundle(
        layer,
        "bundle-identity-key",
        "Another identity key than signed.",
        "signature",
        None,
        &|bundle| {
            let identity = points::identity(version, &seed.part("identity"));
            set(bundle, "identity_key", hex::encode(identity).into());
        },
    )?;
    bundle(
        layer,
        "bundle-signed-prekey-id",
        "A signed prekey id above 2³¹ − 1.",
        "id-out-of-range",
        None,
        &|bundle| {
            set(bundle, "signed_pre_key_id", 0x8000_0000_u32.into());
        },
    )?;
    bundle(
        layer,
        "bundle-prekey-id",
        "The only prekey has an id above 2³¹ − 1.",
        "no-usable-prekey",
        None,
        &|bundle| {
            set(bundle, "pre_key_id", 0x8000_0000_u32.into());
        },
    )?;
    bundle(
        layer,
        "bundle-prekey-length",
        "The only prekey has the wrong length.",
        "no-usable-prekey",
        None,
        &|bundle| {
            set(
                bundle,
                "pre_key",
                foreign.get(2..).unwrap_or_default().into(),
            );
        },
    )?;
    for (number, key) in (1..).zip(points::SMALL_ORDER) {
        bundle(
            layer,
            &format!("bundle-prekey-small-order-{number}"),
            "The only prekey is a point of small order.",
            "no-usable-prekey",
            Some(Flag::Hardening),
            &|bundle| {
                set(
                    bundle,
                    "pre_key",
                    hex::encode(points::wire(version, &key)).into(),
                )
            },
        )?;
    }
    for (number, (key, reason)) in (1..).zip(points::bad_identities(version, &seed)) {
        bundle(
            layer,
            &format!("bundle-identity-key-hostile-{number}"),
            &format!("The identity key is none: {reason}."),
            reason,
            None,
            &|bundle| set(bundle, "identity_key", hex::encode(&key).into()),
        )?;
    }
    Ok(())
}

fn set(bundle: &mut Value, name: &str, value: Value) {
    if let Some(field) = bundle.get_mut(name) {
        *field = value;
    }
}

fn bundle(
    layer: &mut Layer,
    id: &str,
    about: &str,
    reason: &str,
    flag: Option<Flag>,
    spoil: &dyn Fn(&mut Value),
) -> Result<(), Disagreement> {
    let mut talk = Talk::begin(layer, id, about)?;
    if let Some(flag) = flag {
        talk = talk.flag(flag);
    }
    let mut bad = talk.bundle("romeo")?;
    spoil(&mut bad);
    talk.we_refuse_bundle(reason, "romeo", &bad)?;
    talk.we_initiate("romeo")?;
    talk.tell("romeo")?;
    talk.end();
    Ok(())
}
