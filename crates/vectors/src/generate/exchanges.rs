//! `key-exchanges`: the message that makes a session, and bundles that make one.

use serde_json::json;

use super::Disagreement;
use super::frames::{Frames, bytes_of, mistyped, with, without};
use super::layer::Layer;
use super::points;
use super::protobuf::{Content, Field};
use super::protocols;
use super::talk::Talk;
use super::unfit_bundles;
use crate::case::Flag;
use crate::implementation::Operation;

pub(super) const ABOUT: &str = "Key exchanges as a device with given prekeys receives them, and bundles as it meets them. After each refusal the \
     same device must still accept the good one: a refusal changes nothing.";

pub(super) fn write(layer: &mut Layer) -> Result<(), Disagreement> {
    good(layer)?;
    prekeys(layer)?;
    fields(layer)?;
    hostile_keys(layer)?;
    forged(layer)?;
    unfit_bundles::write(layer)
}

/// Where a field is.
type Place = fn(&Frames) -> u32;

/// A case of a number that is wrong: its name, what it is about, why it is refused, where the number stands, and the
/// number.
type NumberCase = (&'static str, &'static str, &'static str, Place, u64);

/// How a key is spoilt.
type Change = fn(Vec<u8>) -> Vec<u8>;

/// How a frame is spoilt.
type Spoil<'a> = &'a dyn Fn(&Frames, Vec<Field>) -> Vec<Field>;

/// A case in which a spoilt key exchange is refused, and then the good one accepted.
fn spoilt(
    layer: &mut Layer,
    id: &str,
    about: &str,
    reason: Option<&str>,
    flag: Option<Flag>,
    spoil: Spoil<'_>,
) -> Result<(), Disagreement> {
    let frames = protocols::of(layer.version).frames;
    let mut talk = Talk::begin(layer, id, about)?;
    if let Some(flag) = flag {
        talk = talk.flag(flag);
    }
    talk.they_initiate("romeo", 1, 1)?;
    let frame = talk.they_seal("romeo")?;
    let bad = frames.close_exchange(&spoil(frames, frames.open_exchange(&frame)));
    match reason {
        Some(reason) => talk.we_refuse(reason, "romeo", &bad)?,
        None => talk.we_refuse_somehow("romeo", &bad)?,
    }
    talk.we_open("romeo", &frame)?;
    talk.end();
    Ok(())
}

fn good(layer: &mut Layer) -> Result<(), Disagreement> {
    for number in 1..=3 {
        let mut talk = Talk::begin(
            layer,
            &format!("good-{number}"),
            "A key exchange, and the answer to it.",
        )?;
        talk.they_initiate("romeo", 1, number)?;
        talk.hear("romeo")?;
        talk.tell("romeo")?;
        talk.end();
    }
    let mut talk = Talk::begin(
        layer,
        "repeated",
        "Until there is an answer every message repeats the key exchange: only the message inside counts.",
    )?;
    talk.they_initiate("romeo", 1, 1)?;
    for _ in 0..3 {
        talk.hear("romeo")?;
    }
    talk.tell("romeo")?;
    talk.hear("romeo")?;
    talk.end();

    let mut talk = Talk::begin(
        layer,
        "ours",
        "A key exchange of our own, repeated until the answer comes.",
    )?;
    talk.we_initiate("romeo")?;
    for _ in 0..2 {
        talk.tell("romeo")?;
    }
    talk.hear("romeo")?;
    talk.tell("romeo")?;
    talk.end();
    Ok(())
}

fn prekeys(layer: &mut Layer) -> Result<(), Disagreement> {
    spoilt(
        layer,
        "no-prekey",
        "A key exchange without a prekey.",
        Some("no-prekey"),
        None,
        &|frames, fields| without(&fields, frames.pre_key_id),
    )?;
    let number = |field: Place, value: u64| {
        move |frames: &Frames, fields: Vec<Field>| {
            with(&fields, field(frames), &Content::Number(value))
        }
    };
    let cases: [NumberCase; 6] = [
        (
            "prekey-swapped",
            "It names another prekey than it uses: that one must not be used up.",
            "mac",
            |f| f.pre_key_id,
            2,
        ),
        (
            "prekey-unknown",
            "A prekey that the device never had.",
            "unknown-prekey",
            |f| f.pre_key_id,
            99,
        ),
        (
            "prekey-zero",
            "Prekey 0, which the device never had.",
            "unknown-prekey",
            |f| f.pre_key_id,
            0,
        ),
        (
            "prekey-out-of-range",
            "A prekey id above 2³¹ − 1.",
            "id-out-of-range",
            |f| f.pre_key_id,
            0x8000_0000,
        ),
        (
            "signed-prekey-unknown",
            "A signed prekey that the device never had.",
            "unknown-signed-prekey",
            |f| f.signed_pre_key_id,
            99,
        ),
        (
            "signed-prekey-out-of-range",
            "A signed prekey id above 2³¹ − 1.",
            "id-out-of-range",
            |f| f.signed_pre_key_id,
            0xffff_ffff,
        ),
    ];
    for (id, about, reason, field, value) in cases {
        spoilt(layer, id, about, Some(reason), None, &number(field, value))?;
    }

    let mut talk = Talk::begin(layer, "prekey-deleted", "A prekey that has been deleted.")?;
    talk.they_initiate("romeo", 1, 2)?;
    let frame = talk.they_seal("romeo")?;
    talk.we(Operation::ForgetPreKey, json!({"id": 2}))?;
    talk.we_refuse("unknown-prekey", "romeo", &frame)?;
    talk.they_initiate("romeo", 1, 3)?;
    talk.hear("romeo")?;
    talk.end();

    let mut talk = Talk::begin(
        layer,
        "prekey-deleted-after-use",
        "A key exchange whose prekey has served and is deleted: the session remains, and repetitions open.",
    )?;
    talk.they_initiate("romeo", 1, 2)?;
    talk.hear("romeo")?;
    talk.we(Operation::ForgetPreKey, json!({"id": 2}))?;
    talk.hear("romeo")?;
    talk.tell("romeo")?;
    talk.end();
    Ok(())
}

fn fields(layer: &mut Layer) -> Result<(), Disagreement> {
    let frames = protocols::of(layer.version).frames;
    for (number, name) in frames.key_exchange {
        spoilt(
            layer,
            &format!("missing-{name}"),
            &format!("The field {name} is missing."),
            None,
            None,
            &|_, fields| without(&fields, *number),
        )?;
        spoilt(
            layer,
            &format!("mistyped-{name}"),
            &format!("The field {name} has the wrong type."),
            None,
            None,
            &|_, fields| mistyped(&fields, *number),
        )?;
    }
    let keys: [(&str, Place); 2] = [
        ("identity-key", |frames| frames.identity_key),
        ("ephemeral-key", |frames| frames.ephemeral_key),
    ];
    for (name, field) in keys {
        let lengths: [(&str, Change); 3] = [
            ("empty", |_| Vec::new()),
            ("short", |mut key| {
                key.pop();
                key
            }),
            ("long", |mut key| {
                key.push(0);
                key
            }),
        ];
        for (fault, change) in lengths {
            spoilt(
                layer,
                &format!("{name}-{fault}"),
                &format!("The {name} has the wrong length."),
                Some("key-length"),
                None,
                &|frames, fields| {
                    let field = field(frames);
                    let key = change(bytes_of(&fields, field));
                    with(&fields, field, &Content::Bytes(key))
                },
            )?;
        }
    }
    Ok(())
}

fn hostile_keys(layer: &mut Layer) -> Result<(), Disagreement> {
    let version = layer.version;
    let seed = layer.seed("hostile");
    let ephemeral = points::SMALL_ORDER
        .map(|key| (key, "key-of-small-order"))
        .into_iter()
        .chain(
            points::not_canonical(&seed)
                .into_iter()
                .map(|key| (key, "key-not-canonical")),
        );
    for (number, (key, reason)) in (1..).zip(ephemeral) {
        spoilt(
            layer,
            &format!("ephemeral-key-hostile-{number}"),
            &format!("The ephemeral key is none: {reason}."),
            Some(reason),
            None,
            &|frames, fields| {
                let key = Content::Bytes(points::wire(version, &key));
                with(&fields, frames.ephemeral_key, &key)
            },
        )?;
    }
    for number in 0..7 {
        spoilt(
            layer,
            &format!("ephemeral-key-twin-{number}"),
            "A twin of the ephemeral key, with the same Diffie-Hellman results: one key exchange passed off as another.",
            Some("key-outside-group"),
            Some(Flag::Hardening),
            &|frames, fields| {
                let key = bytes_of(&fields, frames.ephemeral_key);
                let twin = points::twin_on_wire(version, &key, number);
                with(&fields, frames.ephemeral_key, &Content::Bytes(twin))
            },
        )?;
    }
    for (number, (key, reason)) in (1..).zip(points::bad_identities(version, &seed)) {
        spoilt(
            layer,
            &format!("identity-key-hostile-{number}"),
            &format!("The identity key is none: {reason}."),
            Some(reason),
            None,
            &|frames, fields| with(&fields, frames.identity_key, &Content::Bytes(key.clone())),
        )?;
    }
    Ok(())
}

fn forged(layer: &mut Layer) -> Result<(), Disagreement> {
    let version = layer.version;
    let seed = layer.seed("forged");
    let (identity, ephemeral) = (
        points::identity(version, &seed.part("identity")),
        points::wire(version, &points::public(&seed.part("ephemeral"))),
    );
    spoilt(
        layer,
        "other-identity-key",
        "Somebody else's identity key in the sender's key exchange.",
        Some("mac"),
        None,
        &|frames, fields| {
            with(
                &fields,
                frames.identity_key,
                &Content::Bytes(identity.clone()),
            )
        },
    )?;
    spoilt(
        layer,
        "other-ephemeral-key",
        "Another ephemeral key than the message was made with.",
        Some("mac"),
        None,
        &|frames, fields| {
            with(
                &fields,
                frames.ephemeral_key,
                &Content::Bytes(ephemeral.clone()),
            )
        },
    )?;
    let mut talk = Talk::begin(
        layer,
        "flips",
        "A bit of the key exchange is flipped, one after the other in every third byte.",
    )?;
    talk.they_initiate("romeo", 1, 1)?;
    let frame = talk.they_seal("romeo")?;
    let frames = protocols::of(version).frames;
    let untouchable = unauthenticated(frames, &frame);
    for at in (0..frame.len())
        .step_by(3)
        .filter(|at| !untouchable.contains(at))
    {
        let mut flipped = frame.clone();
        if let Some(byte) = flipped.get_mut(at) {
            *byte ^= 1 << (at % 8);
        }
        talk.we_refuse_somehow("romeo", &flipped)?;
    }
    talk.we_open("romeo", &frame)?;
    talk.end();
    for length in [0, 1, 2, 20, 60] {
        let mut talk = Talk::begin(
            layer,
            &format!("cut-{length}"),
            "Only the beginning of a key exchange.",
        )?;
        talk.they_initiate("romeo", 1, 1)?;
        let frame = talk.they_seal("romeo")?;
        let (start, _) = frame.split_at(length);
        talk.we_refuse_somehow("romeo", start)?;
        talk.we_open("romeo", &frame)?;
        talk.end();
    }
    Ok(())
}

/// Where the bytes of legacy's registration id are, which mean nothing in OMEMO and which no tag covers.
fn unauthenticated(frames: &Frames, frame: &[u8]) -> Vec<usize> {
    let fields = frames.open_exchange(frame);
    let Some(at) = fields
        .iter()
        .position(|Field(number, _)| !frames.is_meant(*number))
    else {
        return Vec::new();
    };
    let (before, rest) = fields.split_at(at);
    let start = frames.close_exchange(before).len();
    let length = super::protobuf::encode(rest.get(..1).unwrap_or_default()).len();
    (start..start + length).collect()
}
