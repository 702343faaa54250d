//! Frames: what is told apart, what is demanded, and that nothing panics.

use omemo_ratchet::{FrameError, Inbound, KeyError, SessionError, Version};
use proptest::prelude::*;

use crate::common::proto::Field::{self, Bytes, Number};
use crate::common::{
    Device, NoRandomness, Peer, established, forged, key_exchange, message, proto,
};

/// Without what stands before the protobuf.
fn body(version: Version, bytes: &[u8]) -> &[u8] {
    match version {
        Version::Omemo2 => bytes,
        Version::Legacy => &bytes[1..],
    }
}

fn with_body(version: Version, body: &[u8]) -> Vec<u8> {
    match version {
        Version::Omemo2 => body.to_vec(),
        Version::Legacy => [&[0x33][..], body].concat(),
    }
}

fn edited(version: Version, bytes: &[u8], edit: impl FnOnce(&mut Vec<Field>)) -> Vec<u8> {
    let mut fields = proto::read(body(version, bytes));
    edit(&mut fields);
    with_body(version, &proto::write(&fields))
}

fn without(version: Version, bytes: &[u8], id: u8) -> Vec<u8> {
    edited(version, bytes, |fields| {
        fields.retain(|field| field.id() != id)
    })
}

fn first_message(version: Version) -> (Device, Peer, Vec<u8>) {
    let romeo = Device::new(version, "romeo");
    let mut peer = Device::new(version, "juliet").initiate(&romeo.bundle());
    let bytes = peer.send(b"first").bytes;
    (romeo, peer, bytes)
}

#[test]
fn quirk_03_quirk_05_the_field_type_decides_between_kex_and_message() {
    for version in Version::ALL {
        let (_, _, kex) = first_message(version);
        assert!(matches!(
            Inbound::parse(version, &kex),
            Ok(Inbound::KeyExchange(_))
        ));
        let (mut juliet, _) = established(version);
        let message = juliet.send(b"x").bytes;
        assert!(matches!(
            Inbound::parse(version, &message),
            Ok(Inbound::Message(_))
        ));
    }
}

#[test]
fn rule_11_a02_a_kex_without_prekey_is_refused() {
    for (version, field) in [(Version::Omemo2, 1), (Version::Legacy, 1)] {
        let (_, _, kex) = first_message(version);
        assert_eq!(
            Inbound::parse(version, &without(version, &kex, field)),
            Err(FrameError::NoPreKey)
        );
    }
}

#[test]
fn a21_every_required_field_of_a_kex_is_demanded() {
    let tables = [
        (
            Version::Omemo2,
            &[(2, "spk_id"), (3, "ik"), (4, "ek"), (5, "message")][..],
        ),
        (
            Version::Legacy,
            &[(3, "identityKey"), (4, "message"), (6, "signedPreKeyId")][..],
        ),
    ];
    for (version, fields) in tables {
        let (_, _, kex) = first_message(version);
        for (id, name) in fields {
            assert_eq!(
                Inbound::parse(version, &without(version, &kex, *id)),
                Err(FrameError::MissingField(name))
            );
        }
    }
    let (_, _, kex) = first_message(Version::Legacy);
    assert_eq!(
        Inbound::parse(Version::Legacy, &without(Version::Legacy, &kex, 2)),
        Err(FrameError::Unrecognised),
        "the base key is what makes it a key exchange"
    );
}

#[test]
fn a21_every_required_field_of_a_message_is_demanded() {
    for (id, name) in [(1, "n"), (2, "pn"), (3, "dh_pub"), (4, "ciphertext")] {
        let (mut juliet, _) = established(Version::Omemo2);
        let bytes = edited(Version::Omemo2, &juliet.send(b"x").bytes, |fields| {
            let Bytes(2, inner) = &fields[1] else {
                panic!()
            };
            fields[1] = Bytes(2, without(Version::Omemo2, inner, id));
        });
        assert_eq!(
            Inbound::parse(Version::Omemo2, &bytes),
            Err(FrameError::MissingField(name))
        );
    }
    for (id, name) in [(1, "mac"), (2, "message")] {
        let (mut juliet, _) = established(Version::Omemo2);
        let bytes = without(Version::Omemo2, &juliet.send(b"x").bytes, id);
        let expected = if id == 1 {
            FrameError::Unrecognised
        } else {
            FrameError::MissingField(name)
        };
        assert_eq!(Inbound::parse(Version::Omemo2, &bytes), Err(expected));
    }
    for (id, name) in [(1, "ratchetKey"), (3, "previousCounter"), (4, "ciphertext")] {
        let (mut juliet, _) = established(Version::Legacy);
        let bytes = juliet.send(b"x").bytes;
        let (message, tag) = bytes.split_at(bytes.len() - 8);
        let bytes = [&without(Version::Legacy, message, id)[..], tag].concat();
        assert_eq!(
            Inbound::parse(Version::Legacy, &bytes),
            Err(FrameError::MissingField(name))
        );
    }
}

#[test]
fn quirk_22_zeros_are_encoded() {
    let (_, _, kex) = first_message(Version::Omemo2);
    let Bytes(5, frame) = &proto::read(&kex)[4] else {
        panic!()
    };
    let Bytes(2, inner) = &proto::read(frame)[1] else {
        panic!()
    };
    assert_eq!(inner[..4], [0x08, 0x00, 0x10, 0x00]);

    let (_, _, kex) = first_message(Version::Legacy);
    let fields = proto::read(&kex[1..]);
    let Bytes(4, frame) = &fields[3] else {
        panic!()
    };
    let inner = proto::read(&frame[1..frame.len() - 8]);
    assert_eq!(inner[1..3], [Number(2, 0), Number(3, 0)]);
    assert_eq!(frame[0], 0x33);
}

#[test]
fn quirk_21_a_legacy_kex_holds_our_device_id_and_needs_none() {
    let (mut romeo, _, kex) = first_message(Version::Legacy);
    assert_eq!(proto::read(&kex[1..])[4], Number(5, 27183));
    let without_it = without(Version::Legacy, &kex, 5);
    assert_eq!(romeo.respond(&without_it).unwrap().1, b"first");
}

#[test]
fn quirk_26_other_version_bytes_are_refused() {
    let (_, _, kex) = first_message(Version::Legacy);
    let (mut juliet, _) = established(Version::Legacy);
    for bytes in [kex, juliet.send(b"x").bytes] {
        for byte in (0..=255).filter(|byte| *byte != 0x33) {
            let mut bytes = bytes.clone();
            bytes[0] = byte;
            assert_eq!(
                Inbound::parse(Version::Legacy, &bytes),
                Err(FrameError::UnknownVersion)
            );
        }
    }
    // The message inside a key exchange has a version byte of its own.
    let (_, _, kex) = first_message(Version::Legacy);
    let bytes = edited(Version::Legacy, &kex, |fields| {
        let Bytes(4, inner) = &mut fields[3] else {
            panic!()
        };
        inner[0] = 0x22;
    });
    assert_eq!(
        Inbound::parse(Version::Legacy, &bytes),
        Err(FrameError::UnknownVersion)
    );
}

#[test]
fn quirk_26_keys_of_another_type_or_length_are_refused() {
    let (_, _, kex) = first_message(Version::Legacy);
    for (id, name) in [(2, "baseKey"), (3, "identityKey")] {
        let edit = |change: fn(&mut Vec<u8>)| {
            edited(Version::Legacy, &kex, |fields| {
                let Some(Bytes(_, key)) = fields.iter_mut().find(|field| field.id() == id) else {
                    panic!()
                };
                change(key);
            })
        };
        assert_eq!(
            Inbound::parse(Version::Legacy, &edit(|key| key[0] = 6)),
            Err(FrameError::Key(name, KeyError::Type))
        );
        assert_eq!(
            Inbound::parse(Version::Legacy, &edit(|key| key.truncate(32))),
            Err(FrameError::Key(name, KeyError::Length))
        );
    }
    let (_, _, kex) = first_message(Version::Omemo2);
    let prefixed = edited(Version::Omemo2, &kex, |fields| {
        let Bytes(4, key) = &mut fields[3] else {
            panic!()
        };
        key.insert(0, 5);
    });
    assert_eq!(
        Inbound::parse(Version::Omemo2, &prefixed),
        Err(FrameError::Key("ek", KeyError::Length))
    );
}

#[test]
fn rule_09_ids_out_of_range_are_refused() {
    for (version, fields) in [
        (Version::Omemo2, [(1, "pk_id"), (2, "spk_id")]),
        (Version::Legacy, [(1, "preKeyId"), (6, "signedPreKeyId")]),
    ] {
        let (_, _, kex) = first_message(version);
        for (id, name) in fields {
            let set = |value: u64| {
                edited(version, &kex, |fields| {
                    for field in fields {
                        if field.id() == id {
                            *field = Number(id, value);
                        }
                    }
                })
            };
            for value in [0x8000_0000, 0xffff_ffff] {
                assert_eq!(
                    Inbound::parse(version, &set(value)),
                    Err(FrameError::Id(name))
                );
            }
            assert!(Inbound::parse(version, &set(0x7fff_ffff)).is_ok());
            assert!(Inbound::parse(version, &set(0)).is_ok());
        }
    }
}

#[test]
fn quirk_23_unknown_and_reordered_fields_around_the_message_are_accepted() {
    for version in Version::ALL {
        let (mut romeo, _, kex) = first_message(version);
        let bytes = edited(version, &kex, |fields| {
            fields.push(Bytes(15, vec![1, 2, 3]));
            fields.insert(0, Number(14, 5));
            fields.reverse();
        });
        assert_eq!(romeo.respond(&bytes).unwrap().1, b"first");
    }
    let (mut juliet, mut romeo) = established(Version::Omemo2);
    let bytes = edited(Version::Omemo2, &juliet.send(b"x").bytes, |fields| {
        fields.push(Number(9, 1));
        fields.reverse();
    });
    assert_eq!(romeo.receive(&bytes).unwrap().0, b"x");
}

#[test]
fn quirk_23_the_tag_covers_the_bytes_as_received() {
    // The same fields in another order: equal to a parser, and not to the tag.
    let (mut juliet, mut romeo) = established(Version::Omemo2);
    let sealed = juliet.send(b"x").bytes;
    let bytes = edited(Version::Omemo2, &sealed, |fields| {
        let Bytes(2, inner) = &mut fields[1] else {
            panic!()
        };
        let mut parts = proto::read(inner);
        parts.reverse();
        *inner = proto::write(&parts);
    });
    let first = message(Version::Omemo2, &sealed);
    let second = message(Version::Omemo2, &bytes);
    assert_eq!(first.number(), second.number());
    assert_eq!(first.ratchet_key(), second.ratchet_key());
    assert!(romeo.receive(&bytes).is_err());
    assert_eq!(romeo.receive(&sealed).unwrap().0, b"x");
}

#[test]
fn a_tag_of_another_length_is_refused() {
    let (mut juliet, _) = established(Version::Omemo2);
    let sealed = juliet.send(b"x").bytes;
    for length in [0, 8, 15, 17, 32] {
        let bytes = edited(Version::Omemo2, &sealed, |fields| {
            let Bytes(1, tag) = &mut fields[0] else {
                panic!()
            };
            tag.resize(length, 0);
        });
        assert_eq!(
            Inbound::parse(Version::Omemo2, &bytes),
            Err(FrameError::MacLength)
        );
    }
    for length in 0..9 {
        let bytes = &[0x33, 0x10, 0x00, 0, 0, 0, 0, 0, 0][..length];
        assert!(Inbound::parse(Version::Legacy, bytes).is_err());
    }
}

#[test]
fn a12_frames_of_the_other_protocol_are_refused() {
    for (version, other) in [
        (Version::Omemo2, Version::Legacy),
        (Version::Legacy, Version::Omemo2),
    ] {
        let (_, _, kex) = first_message(version);
        assert!(Inbound::parse(other, &kex).is_err());
        let (mut juliet, _) = established(version);
        assert!(Inbound::parse(other, &juliet.send(b"x").bytes).is_err());

        let romeo = Device::new(version, "romeo");
        let exchange = key_exchange(version, &kex);
        let refused = omemo_ratchet::Session::respond(
            other,
            &romeo.identity,
            &romeo.signed_pre_key,
            romeo.pre_key(exchange.pre_key_id()),
            &exchange,
            &mut NoRandomness,
        );
        assert_eq!(refused.err(), Some(SessionError::Version));
    }
}

#[test]
fn a21_duplicate_fields_are_read_as_protobuf_says() {
    // The last one counts, here as in every other parser.
    let (_, _, kex) = first_message(Version::Omemo2);
    let bytes = edited(Version::Omemo2, &kex, |fields| {
        fields.insert(0, Number(1, 99));
        fields.push(Number(2, 98));
    });
    let exchange = key_exchange(Version::Omemo2, &bytes);
    assert_eq!(
        exchange.pre_key_id(),
        key_exchange(Version::Omemo2, &kex).pre_key_id()
    );
    assert_eq!(exchange.signed_pre_key_id().get(), 98);
}

#[test]
fn forged_messages_parse_so_that_other_tests_mean_something() {
    for version in Version::ALL {
        let key = *Device::new(version, "key").signed_pre_key.public();
        let parsed = message(version, &forged(version, &key, u32::MAX, 7));
        assert_eq!(parsed.number(), u32::MAX);
        assert_eq!(parsed.previous(), 7);
        assert_eq!(parsed.ratchet_key(), &key);
        assert_eq!(parsed.version(), version);
    }
}

/// One way to spoil a frame.
#[derive(Debug, Clone)]
enum Mutation {
    Flip(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Insert(prop::sample::Index, u8),
    Truncate(prop::sample::Index),
    Append(Vec<u8>),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), 0..8u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        1 => at().prop_map(Mutation::Remove),
        1 => (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        1 => at().prop_map(Mutation::Truncate),
        1 => prop::collection::vec(any::<u8>(), 1..20).prop_map(Mutation::Append),
    ]
}

fn mutate(bytes: &[u8], mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for mutation in mutations {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match mutation {
            Mutation::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Mutation::Remove(at) => drop(bytes.remove(at.index(length))),
            Mutation::Insert(at, byte) => bytes.insert(at.index(length), *byte),
            Mutation::Truncate(at) => bytes.truncate(at.index(length)),
            Mutation::Append(tail) => bytes.extend_from_slice(tail),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a21_random_bytes_never_panic(bytes: Vec<u8>) {
        for version in Version::ALL {
            let _ = Inbound::parse(version, &bytes);
            let _ = Inbound::parse(version, &with_body(version, &bytes));
        }
    }

    #[test]
    fn a21_mutated_messages_never_open_as_something_else(
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        for version in Version::ALL {
            let (mut juliet, mut romeo) = established(version);
            let bytes = mutate(&juliet.send(b"a text").bytes, &mutations);
            let before = romeo.state();
            if let Ok(Inbound::Message(parsed)) = Inbound::parse(version, &bytes) {
                match romeo.session.open(&parsed, None, &mut romeo.rng) {
                    // What stands around the tag and the bytes that it covers may be rearranged.
                    Ok(opened) => prop_assert_eq!(opened.plaintext(), b"a text"),
                    Err(_) => prop_assert_eq!(romeo.state(), before),
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a21_mutated_kexes_never_open_as_something_else(
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        for version in Version::ALL {
            let (mut romeo, _, kex) = first_message(version);
            let bytes = mutate(&kex, &mutations);
            if let Ok(Inbound::KeyExchange(parsed)) = Inbound::parse(version, &bytes)
                && romeo.pre_keys.iter().any(|key| key.id() == parsed.pre_key_id())
                && let Ok((peer, plaintext)) = romeo.respond(&bytes)
            {
                prop_assert_eq!(plaintext, b"first");
                let original = key_exchange(version, &kex);
                prop_assert_eq!(peer.session.peer(), original.identity());
                prop_assert_eq!(peer.session.ephemeral_key(), original.ephemeral_key());
            }
        }
    }
}

#[test]
fn rule_33_every_bit_of_a_message_counts() {
    for version in Version::ALL {
        let (mut juliet, mut romeo) = established(version);
        let sealed = juliet.send(b"a text").bytes;
        let before = romeo.state();
        for bit in 0..sealed.len() * 8 {
            let mut bytes = sealed.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(Inbound::Message(parsed)) = Inbound::parse(version, &bytes) {
                assert!(
                    romeo.session.open(&parsed, None, &mut romeo.rng).is_err(),
                    "bit {bit}"
                );
            }
        }
        assert_eq!(romeo.state(), before);
        assert_eq!(romeo.receive(&sealed).unwrap().0, b"a text");
    }
}
