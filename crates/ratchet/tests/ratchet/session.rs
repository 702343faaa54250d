//! A session's life.

use omemo_ratchet::{MessageKey, OpenError, PreKeyId, Session, SessionError, Version};

use crate::common::{
    Device, NoRandomness, Peer, RECEIVING_NEXT, SENDING_NEXT, conversation, established, forged,
    key_exchange, message, patch,
};

#[test]
fn rule_16_the_kex_is_repeated_with_one_ephemeral_key_until_the_peer_answers() {
    for version in Version::ALL {
        let mut romeo = Device::new(version, "romeo");
        let mut to_romeo = Device::new(version, "juliet").initiate(&romeo.bundle());
        assert!(to_romeo.session.initiated_by_us());
        assert_eq!(to_romeo.session.receiving_ratchet_key(), None);

        let sent: Vec<_> = [&b"one"[..], b"two", b"three"]
            .map(|text| to_romeo.send(text))
            .into();
        for (number, sealed) in sent.iter().enumerate() {
            assert!(sealed.is_key_exchange && to_romeo.session.awaits_answer());
            let exchange = key_exchange(version, &sealed.bytes);
            assert_eq!(exchange.ephemeral_key(), to_romeo.session.ephemeral_key());
            assert_eq!(usize::try_from(exchange.message().number()), Ok(number));
            assert_eq!(
                exchange.pre_key_id(),
                key_exchange(version, &sent[0].bytes).pre_key_id()
            );
        }

        let (mut to_juliet, first) = romeo.respond(&sent[0].bytes).unwrap();
        assert_eq!(first, b"one");
        assert!(!to_juliet.session.awaits_answer() && !to_juliet.session.initiated_by_us());
        assert_eq!(
            to_juliet.session.ephemeral_key(),
            to_romeo.session.ephemeral_key()
        );

        let answer = to_juliet.send(b"answer");
        assert!(!answer.is_key_exchange);
        to_romeo.receive(&answer.bytes).unwrap();
        assert!(!to_romeo.session.awaits_answer());
        assert!(!to_romeo.send(b"four").is_key_exchange);
        // rule 23: of a repeated key exchange only the message inside counts.
        assert_eq!(to_juliet.receive(&sent[2].bytes).unwrap().0, b"three");
        assert_eq!(to_juliet.receive(&sent[1].bytes).unwrap().0, b"two");
    }
}

#[test]
fn each_side_knows_the_other() {
    for version in Version::ALL {
        let mut romeo = Device::new(version, "romeo");
        let mut juliet = Device::new(version, "juliet");
        let mut to_romeo = juliet.initiate(&romeo.bundle());
        let (to_juliet, _) = romeo.respond(&to_romeo.send(b"x").bytes).unwrap();
        assert_eq!(to_romeo.session.peer(), romeo.identity.public());
        assert_eq!(to_juliet.session.peer(), juliet.identity.public());
        assert_eq!(to_juliet.session.version(), version);
        assert!(to_juliet.session.receiving_ratchet_key().is_some());
    }
}

#[test]
fn a02_another_prekey_than_the_kex_names_is_refused() {
    for version in Version::ALL {
        let mut romeo = Device::new(version, "romeo");
        let mut peer = Device::new(version, "juliet").initiate(&romeo.bundle());
        let exchange = key_exchange(version, &peer.send(b"x").bytes);
        let wrong = romeo
            .pre_keys
            .iter()
            .find(|key| key.id() != exchange.pre_key_id())
            .unwrap();
        let mut respond = |signed, pre_key| {
            Session::respond(
                version,
                &romeo.identity,
                signed,
                pre_key,
                &exchange,
                &mut romeo.rng,
            )
            .map(|_| ())
        };
        assert_eq!(
            respond(&romeo.signed_pre_key, wrong),
            Err(SessionError::PreKey)
        );
        // Under a false name it is refused by what it gives.
        let renamed = omemo_ratchet::PreKeyPair::from_parts(exchange.pre_key_id(), *wrong.secret());
        assert_eq!(
            respond(&romeo.signed_pre_key, &renamed),
            Err(SessionError::Open(OpenError::Mac))
        );
        let other = omemo_ratchet::SignedPreKeyPair::from_parts(
            omemo_ratchet::SignedPreKeyId::parse(8).unwrap(),
            *romeo.signed_pre_key.secret(),
            *romeo.signed_pre_key.signature(),
        );
        let right = romeo
            .pre_keys
            .iter()
            .find(|key| key.id() == exchange.pre_key_id())
            .unwrap();
        assert_eq!(respond(&other, right), Err(SessionError::SignedPreKey));
        assert_eq!(respond(&romeo.signed_pre_key, right), Ok(()));
    }
}

#[test]
fn a_kex_for_another_device_is_refused() {
    for version in Version::ALL {
        let romeo = Device::new(version, "romeo");
        let mut tybalt = Device::new(version, "tybalt");
        let mut peer = Device::new(version, "juliet").initiate(&romeo.bundle());
        let refused = tybalt.respond(&peer.send(b"x").bytes);
        assert_eq!(refused.err(), Some(SessionError::Open(OpenError::Mac)));
    }
}

#[test]
fn a15_duplicates_are_named_and_change_nothing() {
    for version in Version::ALL {
        let (mut juliet, mut romeo) = established(version);
        let first = juliet.send(b"one").bytes;
        let second = juliet.send(b"two").bytes;
        romeo.receive(&first).unwrap();
        romeo.receive(&second).unwrap();
        let before = romeo.state();
        for _ in 0..1000 {
            assert_eq!(romeo.receive(&first), Err(OpenError::AlreadyUsed));
        }
        assert_eq!(romeo.receive(&second), Err(OpenError::AlreadyUsed));
        assert_eq!(romeo.state(), before);
    }
}

#[test]
fn rule_33_open_changes_nothing_until_applied() {
    for version in Version::ALL {
        let (mut juliet, mut romeo) = established(version);
        let turn = romeo.send(b"turn").bytes;
        for bytes in [turn, romeo.send(b"same chain").bytes] {
            let before = juliet.state();
            let parsed = message(version, &bytes);
            let opened = juliet.session.open(&parsed, None, &mut juliet.rng).unwrap();
            assert_eq!(juliet.state(), before);
            drop(opened);
            juliet.receive(&bytes).unwrap();
            assert_ne!(juliet.state().0, before.0);
        }
    }
}

#[test]
fn a_wrong_skipped_key_is_refused_and_changes_nothing() {
    for version in Version::ALL {
        let (mut juliet, romeo) = established(version);
        let parsed = message(version, &juliet.send(b"x").bytes);
        let before = romeo.state();
        let wrong = MessageKey::from_bytes([1; 32]);
        let refused = romeo.session.open(&parsed, Some(wrong), &mut NoRandomness);
        assert_eq!(refused.err(), Some(OpenError::Mac));
        assert_eq!(romeo.state(), before);
    }
}

#[test]
fn a12_a_message_of_the_other_protocol_is_refused() {
    let (mut omemo2, _) = established(Version::Omemo2);
    let (_, legacy) = established(Version::Legacy);
    let parsed = message(Version::Omemo2, &omemo2.send(b"x").bytes);
    let refused = legacy.session.open(&parsed, None, &mut NoRandomness);
    assert_eq!(refused.err(), Some(OpenError::Version));
}

#[test]
fn a_message_from_a_third_device_is_refused() {
    for version in Version::ALL {
        let (mut juliet, _) = established(version);
        let mut romeo = Device::new(version, "another romeo");
        let mut other = Device::new(version, "another juliet").initiate(&romeo.bundle());
        let (mut stranger, _) = romeo.respond(&other.send(b"x").bytes).unwrap();
        let before = juliet.state();
        assert_eq!(
            juliet.receive(&stranger.send(b"x").bytes),
            Err(OpenError::Mac)
        );
        assert_eq!(juliet.state(), before);
    }
}

#[test]
fn a_reflected_message_is_refused() {
    for version in Version::ALL {
        let (mut juliet, _) = established(version);
        let own = juliet.send(b"x").bytes;
        assert!(juliet.receive(&own).is_err());
    }
}

#[test]
fn rule_30_a_heartbeat_is_due_once_per_chain_from_53_on() {
    for version in Version::ALL {
        let (mut juliet, mut romeo) = established(version);
        for turn in 0..2 {
            for number in 0..56 {
                let (_, due) = romeo.receive(&juliet.send(b"x").bytes).unwrap();
                assert_eq!(due, number == 53, "number {number} of chain {turn}");
                romeo.restore();
            }
            juliet.receive(&romeo.send(b"heartbeat").bytes).unwrap();
        }
        // Numbers 0 to 59 are late: 60 asks, and none of the others does.
        let mut sent: Vec<_> = (0..=60).map(|_| juliet.send(b"x").bytes).collect();
        assert!(romeo.receive(&sent.pop().unwrap()).unwrap().1);
        for late in sent {
            assert!(!romeo.receive(&late).unwrap().1);
        }
        assert!(!romeo.receive(&juliet.send(b"x").bytes).unwrap().1);
    }
}

#[test]
fn rule_30_the_first_message_of_all_may_be_the_one() {
    for version in Version::ALL {
        let romeo = Device::new(version, "romeo");
        let mut peer = Device::new(version, "juliet").initiate(&romeo.bundle());
        let last = (0..=53).map(|_| peer.send(b"x").bytes).last().unwrap();
        let exchange = key_exchange(version, &last);
        let (_, opened) = Session::respond(
            version,
            &romeo.identity,
            &romeo.signed_pre_key,
            romeo.pre_key(exchange.pre_key_id()),
            &exchange,
            &mut romeo.rng.clone(),
        )
        .unwrap();
        assert!(opened.heartbeat_due());
        assert_eq!(opened.step().skipped().len(), 53);
        assert!(!opened.via_skipped() && !opened.step().used_skipped());
    }
}

#[test]
fn pn_counts_what_was_sent_between_open_and_apply() {
    for version in Version::ALL {
        let (mut juliet, mut romeo) = established(version);
        let turn = message(version, &romeo.send(b"turn").bytes);
        // Romeo's chain is the one that Juliet has seen: make him turn first.
        romeo.receive(&juliet.send(b"a").bytes).unwrap();
        drop(turn);
        let turn = message(version, &romeo.send(b"turn").bytes);
        juliet.send(b"b");
        let opened = juliet.session.open(&turn, None, &mut juliet.rng).unwrap();
        let in_between = juliet.send(b"c").bytes;
        let _ = juliet.session.apply(opened.into_parts().1);
        let after = juliet.send(b"d").bytes;
        assert_eq!(message(version, &after).previous(), 3);
        assert_eq!(romeo.receive(&after).unwrap().0, b"d");
        assert_eq!(romeo.receive(&in_between).unwrap().0, b"c");
    }
}

#[test]
fn a_stale_step_never_turns_the_ratchet_back() {
    for version in Version::ALL {
        let (mut juliet, mut romeo) = established(version);
        let one = message(version, &juliet.send(b"one").bytes);
        let two = message(version, &juliet.send(b"two").bytes);
        let stale = romeo
            .session
            .open(&one, None, &mut romeo.rng)
            .unwrap()
            .into_parts()
            .1;
        let newer = romeo
            .session
            .open(&two, None, &mut romeo.rng)
            .unwrap()
            .into_parts()
            .1;
        let _ = romeo.session.apply(newer);
        let before = romeo.state();
        let _ = romeo.session.apply(stale);
        assert_eq!(romeo.state(), before);

        let turn = message(version, &romeo.send(b"turn").bytes);
        let mut open = || {
            juliet
                .session
                .open(&turn, None, &mut juliet.rng)
                .unwrap()
                .into_parts()
                .1
        };
        let (first, second) = (open(), open());
        let _ = juliet.session.apply(first);
        juliet.send(b"x");
        let before = juliet.state();
        let _ = juliet.session.apply(second);
        assert_eq!(juliet.state(), before);
    }
}

#[test]
fn randomness_is_asked_for_only_after_a_good_tag() {
    for version in Version::ALL {
        let (juliet, mut romeo) = established(version);
        let mut bytes = {
            let (mut again, _) = established(version);
            let (mut third, _) = conversation(version);
            drop((again.send(b""), third.send(b"")));
            romeo.send(b"x").bytes
        };
        // A turn whose tag is good, and no randomness: reported, and nothing lost.
        let parsed = message(version, &bytes);
        if parsed.ratchet_key() != juliet.session.receiving_ratchet_key().unwrap() {
            let refused = juliet.session.open(&parsed, None, &mut NoRandomness);
            assert!(matches!(refused, Err(OpenError::Randomness(_))));
        }
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let refused = juliet
            .session
            .open(&message(version, &bytes), None, &mut NoRandomness);
        assert_eq!(refused.err(), Some(OpenError::Mac));
    }
}

#[test]
fn a_chain_without_numbers_left_says_so() {
    for version in Version::ALL {
        let (mut juliet, romeo) = established(version);
        juliet.session = patch(&juliet.session, SENDING_NEXT, u32::MAX);
        let before = juliet.state();
        assert_eq!(juliet.session.seal(b"x"), Err(SessionError::Exhausted));
        assert_eq!(juliet.state(), before);

        let key = *romeo.session.receiving_ratchet_key().unwrap();
        let romeo = patch(&romeo.session, RECEIVING_NEXT, u32::MAX - 5);
        let last = message(version, &forged(version, &key, u32::MAX, 0));
        let refused = romeo.open(&last, None, &mut NoRandomness);
        assert_eq!(refused.err(), Some(OpenError::Exhausted));
    }
}

#[test]
fn both_sides_may_begin_at_once() {
    for version in Version::ALL {
        let mut romeo = Device::new(version, "romeo");
        let mut juliet = Device::new(version, "juliet");
        let mut from_juliet = juliet.initiate(&romeo.bundle());
        let mut from_romeo = romeo.initiate(&juliet.bundle());
        let to_romeo = from_juliet.send(b"j").bytes;
        let to_juliet = from_romeo.send(b"r").bytes;
        assert_eq!(romeo.respond(&to_romeo).unwrap().1, b"j");
        assert_eq!(juliet.respond(&to_juliet).unwrap().1, b"r");
    }
}

#[test]
fn a_session_with_another_device_of_ones_own_works() {
    for version in Version::ALL {
        let mut phone = Device::new(version, "phone");
        let mut laptop = Device::new(version, "laptop");
        let mut peer: Peer = phone.initiate(&laptop.bundle());
        for length in [0, 1, 15, 16, 17, 48, 1000] {
            let text = vec![7; length];
            let (_, opened) = laptop.respond(&peer.send(&text).bytes).unwrap();
            assert_eq!(opened, text);
        }
    }
}

#[test]
fn a28_sessions_and_steps_do_not_show_secrets() {
    let (mut juliet, romeo) = established(Version::Omemo2);
    let parsed = message(Version::Omemo2, &juliet.send(b"canary").bytes);
    let mut rng = juliet.rng.clone();
    let opened = romeo.session.open(&parsed, None, &mut rng).unwrap();
    let text = format!("{:?} {opened:?}", romeo.session);
    assert!(text.contains("redacted"));
    assert!(!text.contains("99, 97, 110, 97, 114, 121"), "{text}");
}

#[test]
fn prekey_ids_are_what_they_were() {
    assert_eq!(PreKeyId::parse(5).unwrap().to_string(), "5");
}
