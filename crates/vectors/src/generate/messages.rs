//! `messages`: single messages of the ratchet, under a message key that is given.

use omemo_ratchet::hazmat;
use serde_json::{Map, Value, json};

use super::Disagreement;
use super::frames::{self, mistyped, with, without};
use super::layer::Layer;
use super::points;
use super::protobuf::{Content, Field};
use super::protocols;
use super::seed::Seed;
use crate::implementation::Operation;

pub(super) const ABOUT: &str = "Messages of the ratchet under a given message key: framing, associated data, tag, cipher. The tag covers the \
     very bytes that were received.";

/// A sealed message and what it takes to open it.
struct Sealed {
    frame: Vec<u8>,
    input: Map<String, Value>,
    /// For messages that are authentic and malformed.
    tag_key: [u8; 32],
    data: Vec<u8>,
}

pub(super) fn write(layer: &mut Layer) -> Result<(), Disagreement> {
    for (number, (length, (n, pn))) in (1..).zip([0, 15, 16, 32, 48, 100].into_iter().zip([
        (0, 0),
        (1, 0),
        (52, 3),
        (127, 128),
        (u32::MAX, u32::MAX),
        (300, 0),
    ])) {
        for sender_initiated in [true, false] {
            let name = format!(
                "{number}-{}",
                if sender_initiated {
                    "initiator"
                } else {
                    "responder"
                }
            );
            let sealed = seal(layer, &name, length, (n, pn), sender_initiated)?;
            accept(
                layer,
                &format!("open-{name}"),
                "The same message, opened.",
                &sealed,
                &sealed.frame,
            )?;
        }
    }
    let sealed = seal(layer, "spoilt", 32, (7, 4), false)?;
    flips_and_cuts(layer, &sealed)?;
    fields(layer, &sealed)?;
    keys(layer, &sealed)?;
    tags(layer, &sealed)?;
    associated_data(layer, &sealed)?;
    authentic(layer, &sealed)
}

fn seal(
    layer: &mut Layer,
    name: &str,
    length: usize,
    (number, previous): (u32, u32),
    sender_initiated: bool,
) -> Result<Sealed, Disagreement> {
    let version = layer.version;
    let seed = layer.seed(name);
    let message_key: [u8; 32] = seed.part("message key").array();
    let [sender, receiver] =
        ["sender", "receiver"].map(|one| points::identity(version, &seed.part(one)));
    let common = json!({
        "message_key": hex::encode(message_key),
        "sender": hex::encode(&sender),
        "receiver": hex::encode(&receiver),
        "sender_initiated": sender_initiated,
    });
    let input = common.as_object().cloned().unwrap_or_default();
    let mut request = input.clone();
    let ratchet_key = points::wire(version, &points::public(&seed.part("ratchet key")));
    request.insert("ratchet_key".into(), hex::encode(ratchet_key).into());
    request.insert("number".into(), number.into());
    request.insert("previous".into(), previous.into());
    request.insert(
        "plaintext".into(),
        seed.part("plaintext").hex(length).into(),
    );
    let output = layer.accepted(
        format!("seal-{name}"),
        format!(
            "A message of {length} bytes with number {number}, by who {}.",
            if sender_initiated {
                "began"
            } else {
                "answered"
            }
        ),
        Operation::SealMessage,
        request.into(),
    )?;
    let (_, tag_key, _) = hazmat::message_keys(version, &message_key);
    Ok(Sealed {
        frame: bytes(&output, "frame"),
        input,
        tag_key,
        data: points::associated_data(version, [&sender, &receiver], sender_initiated),
    })
}

fn bytes(fields: &Map<String, Value>, name: &str) -> Vec<u8> {
    let text = fields.get(name).and_then(Value::as_str).unwrap_or_default();
    hex::decode(text).unwrap_or_default()
}

impl Sealed {
    fn input(&self, frame: &[u8]) -> Value {
        let mut input = self.input.clone();
        input.insert("frame".into(), hex::encode(frame).into());
        input.into()
    }
}

fn accept(
    layer: &mut Layer,
    id: &str,
    about: &str,
    sealed: &Sealed,
    frame: &[u8],
) -> Result<(), Disagreement> {
    let input = sealed.input(frame);
    layer
        .accepted(id, about, Operation::OpenMessage, input)
        .map(drop)
}

fn refuse(
    layer: &mut Layer,
    id: String,
    about: &str,
    reason: &str,
    input: Value,
) -> Result<(), Disagreement> {
    layer.refused(id, about, reason, Operation::OpenMessage, input)
}

fn flips_and_cuts(layer: &mut Layer, sealed: &Sealed) -> Result<(), Disagreement> {
    for at in 0..sealed.frame.len() {
        let mut frame = sealed.frame.clone();
        if let Some(byte) = frame.get_mut(at) {
            *byte ^= 1 << (at % 8);
        }
        layer.refused_somehow(
            format!("flip-{at:03}"),
            "One bit is flipped.",
            Operation::OpenMessage,
            sealed.input(&frame),
        )?;
    }
    for length in (0..sealed.frame.len()).step_by(9) {
        let (frame, _) = sealed.frame.split_at(length);
        layer.refused_somehow(
            format!("cut-{length:03}"),
            "The end is missing.",
            Operation::OpenMessage,
            sealed.input(frame),
        )?;
    }
    for version_byte in [0x00, 0x22, 0x23, 0x32, 0x34, 0x43, 0x44, 0xff] {
        let mut frame = sealed.frame.clone();
        if let Some(byte) = frame.first_mut() {
            *byte = version_byte;
        }
        layer.refused_somehow(
            format!("first-byte-{version_byte:02x}"),
            "Another first byte: in legacy, a version that nobody speaks or that had no associated data.",
            Operation::OpenMessage,
            sealed.input(&frame),
        )?;
    }
    Ok(())
}

fn fields(layer: &mut Layer, sealed: &Sealed) -> Result<(), Disagreement> {
    let frames = protocols::of(layer.version).frames;
    let (fields, _) = frames.open(&sealed.frame);
    for (number, name) in frames.message {
        for (fault, spoilt) in [
            ("missing", without(&fields, *number)),
            ("mistyped", mistyped(&fields, *number)),
        ] {
            let tag = frames.authenticate(&spoilt, &sealed.tag_key, &sealed.data);
            layer.refused_somehow(
                format!("{fault}-{name}"),
                format!("The field {name} is {fault}; the tag is right."),
                Operation::OpenMessage,
                sealed.input(&frames.close(&spoilt, &tag)),
            )?;
        }
    }
    Ok(())
}

fn keys(layer: &mut Layer, sealed: &Sealed) -> Result<(), Disagreement> {
    let version = layer.version;
    let frames = protocols::of(version).frames;
    let (fields, _) = frames.open(&sealed.frame);
    let good = frames::bytes_of(&fields, frames.ratchet_key);
    let spoil = |key: &[u8]| {
        let spoilt = with(&fields, frames.ratchet_key, &Content::Bytes(key.to_vec()));
        let tag = frames.authenticate(&spoilt, &sealed.tag_key, &sealed.data);
        sealed.input(&frames.close(&spoilt, &tag))
    };
    let (short, _) = good.split_at(good.len() - 1);
    for (name, key) in [
        ("empty", Vec::new()),
        ("short", short.to_vec()),
        ("long", [good.as_slice(), &[0]].concat()),
    ] {
        refuse(
            layer,
            format!("ratchet-key-{name}"),
            "A ratchet key of the wrong length; the tag is right.",
            "key-length",
            spoil(&key),
        )?;
    }
    for (number, key) in (1..).zip(points::SMALL_ORDER) {
        layer.hardened(
            format!("ratchet-key-small-order-{number}"),
            "A ratchet key of small order; the tag is right.",
            "key-of-small-order",
            Operation::OpenMessage,
            spoil(&points::wire(version, &key)),
        )?;
    }
    for (number, key) in (1..).zip(points::not_canonical(&layer.seed("canonical"))) {
        layer.hardened(
            format!("ratchet-key-not-canonical-{number}"),
            "A ratchet key in a second encoding; the tag is right.",
            "key-not-canonical",
            Operation::OpenMessage,
            spoil(&points::wire(version, &key)),
        )?;
    }
    Ok(())
}

fn tags(layer: &mut Layer, sealed: &Sealed) -> Result<(), Disagreement> {
    let frames = protocols::of(layer.version).frames;
    let (fields, tag) = frames.open(&sealed.frame);
    let full = hazmat::hmac(&sealed.tag_key, b"anything").to_vec();
    for length in [0, 1, 4, 7, 8, 9, 15, 16, 17, 32] {
        if length == tag.len() {
            continue;
        }
        let mut other = [tag.as_slice(), &full].concat();
        other.truncate(length);
        layer.refused_somehow(
            format!("tag-length-{length}"),
            format!("The beginning of the tag, in {length} bytes."),
            Operation::OpenMessage,
            sealed.input(&frames.close(&fields, &other)),
        )?;
    }
    for (name, tag) in [
        ("zero", vec![0; tag.len()]),
        ("ones", vec![0xff; tag.len()]),
    ] {
        refuse(
            layer,
            format!("tag-{name}"),
            "A tag that somebody guesses.",
            "mac",
            sealed.input(&frames.close(&fields, &tag)),
        )?;
    }
    Ok(())
}

/// A case of a wrong attribution: its name, what it is about, and the fields that differ.
type Attribution<'a> = (&'a str, &'a str, Vec<(&'a str, Value)>);

fn associated_data(layer: &mut Layer, sealed: &Sealed) -> Result<(), Disagreement> {
    let version = layer.version;
    let value = |name: &str| sealed.input.get(name).cloned().unwrap_or_default();
    let changed = |changes: &[(&str, Value)]| {
        let mut input = sealed.input(&sealed.frame);
        for (name, new) in changes {
            if let Some(field) = input.get_mut(*name) {
                *field = new.clone();
            }
        }
        input
    };
    let other = hex::encode(points::identity(version, &layer.seed("other")));
    let cases: [Attribution<'_>; 5] = [
        (
            "other-sender",
            "Attributed to another sender.",
            vec![("sender", other.clone().into())],
        ),
        (
            "other-receiver",
            "Delivered to another receiver.",
            vec![("receiver", other.into())],
        ),
        (
            "swapped",
            "Reflected: sender and receiver are swapped, and with them who began.",
            vec![("sender", value("receiver")), ("receiver", value("sender"))],
        ),
        (
            "reflected",
            "Reflected to its sender within the same session.",
            vec![
                ("sender", value("receiver")),
                ("receiver", value("sender")),
                ("sender_initiated", true.into()),
            ],
        ),
        (
            "other-key",
            "Under another message key.",
            vec![("message_key", layer.seed("other key").hex(32).into())],
        ),
    ];
    let initiator_first = protocols::of(version).initiator_first;
    for (id, about, changes) in cases {
        let input = changed(&changes);
        // In omemo:2 the initiator's key comes first in both directions: the associated data is the same for a
        // reflected message, which fails on its message key in a real session.
        if id == "reflected" && initiator_first {
            layer.accepted(
                id,
                "The associated data of omemo:2 is the same in both directions.",
                Operation::OpenMessage,
                input,
            )?;
        } else {
            refuse(layer, id.into(), about, "mac", input)?;
        }
    }
    let input = changed(&[("sender_initiated", true.into())]);
    if initiator_first {
        refuse(
            layer,
            "other-role".into(),
            "The initiator's key must come first, whoever sends.",
            "mac",
            input,
        )
    } else {
        layer
            .accepted(
                "other-role",
                "In legacy the sender's key comes first, whoever began.",
                Operation::OpenMessage,
                input,
            )
            .map(drop)
    }
}

/// The tag is right, and the message still is not what an honest sender makes, or is what only few make.
fn authentic(layer: &mut Layer, sealed: &Sealed) -> Result<(), Disagreement> {
    let frames = protocols::of(layer.version).frames;
    let (fields, _) = frames.open(&sealed.frame);
    let spoil = |fields: &[Field]| {
        let tag = frames.authenticate(fields, &sealed.tag_key, &sealed.data);
        frames.close(fields, &tag)
    };
    let good = frames::bytes_of(&fields, frames.ciphertext);
    let seed: Seed = layer.seed("padding");
    let (cut, _) = good.split_at(good.len() - 1);
    for (name, ciphertext) in [
        ("empty", Vec::new()),
        ("cut", cut.to_vec()),
        ("one-byte", vec![1]),
    ] {
        let spoilt = with(&fields, frames.ciphertext, &Content::Bytes(ciphertext));
        refuse(
            layer,
            format!("ciphertext-{name}"),
            "A ciphertext that is none of the cipher, with the right tag.",
            "ciphertext",
            sealed.input(&spoil(&spoilt)),
        )?;
    }
    let mut found = (0_u32..)
        .map(|number| seed.part(number).bytes(32))
        .filter(|ciphertext| {
            let message_key = bytes(&sealed.input, "message_key")
                .try_into()
                .unwrap_or([0; 32]);
            hazmat::message_decrypt_unauthenticated(layer.version, &message_key, ciphertext)
                .is_none()
        });
    let spoilt = with(
        &fields,
        frames.ciphertext,
        &Content::Bytes(found.next().unwrap_or_default()),
    );
    refuse(
        layer,
        "ciphertext-padding".into(),
        "A ciphertext with wrong padding and the right tag.",
        "ciphertext",
        sealed.input(&spoil(&spoilt)),
    )?;

    let mut reversed = fields.clone();
    reversed.reverse();
    let unknown = [
        fields.as_slice(),
        &[Field(15, Content::Bytes(b"new".to_vec()))],
    ]
    .concat();
    accept(
        layer,
        "unknown-field",
        "A field that nobody knows yet, covered by the tag.",
        sealed,
        &spoil(&unknown),
    )?;
    // Legacy tells its two kinds of frame apart by the first field that they have in common, wherever it stands.
    accept(
        layer,
        "other-order",
        "The fields in another order, covered by the tag.",
        sealed,
        &spoil(&reversed),
    )
}
