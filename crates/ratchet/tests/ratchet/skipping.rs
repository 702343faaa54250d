//! Late and lost messages: what is kept for them, and how far a message may jump.

use std::time::{Duration, Instant};

use omemo_ratchet::{OpenError, PublicKey, Version};

use crate::common::{Device, Peer, SENDING_PREVIOUS, established, forged, message, patch};

fn skip(peer: &mut Peer, count: u32) {
    for _ in 0..count {
        peer.send(b"");
    }
}

#[test]
fn a16_a_message_may_skip_2000_and_not_2001() {
    for version in Version::ALL {
        let limit = version.suite().max_jump();
        assert_eq!(limit, 2000);
        let (mut juliet, mut romeo) = established(version);
        skip(&mut juliet, limit);
        let at_limit = juliet.send(b"at the limit").bytes;
        let beyond = juliet.send(b"beyond").bytes;
        let before = romeo.state();
        assert_eq!(romeo.receive(&beyond), Err(OpenError::TooFarAhead));
        assert_eq!(romeo.state(), before);
        assert_eq!(romeo.receive(&at_limit).unwrap().0, b"at the limit");
        assert_eq!(romeo.skipped.len(), 2000);
        assert_eq!(romeo.receive(&beyond).unwrap().0, b"beyond");
    }
}

#[test]
fn a16_both_chains_count_together() {
    for version in Version::ALL {
        for (old, new, fits) in [
            (1200, 800, true),
            (1200, 801, false),
            (2000, 0, true),
            (0, 2001, false),
        ] {
            let (mut juliet, mut romeo) = established(version);
            // A turn each, so that both have a chain to end.
            romeo.receive(&juliet.send(b"x").bytes).unwrap();
            let turn = romeo.send(b"turn").bytes;
            skip(&mut juliet, old);
            juliet.receive(&turn).unwrap();
            skip(&mut juliet, new);
            let bytes = juliet.send(b"new chain").bytes;
            let received = romeo.receive(&bytes);
            if fits {
                assert_eq!(received.unwrap().0, b"new chain");
                assert_eq!(romeo.skipped.len(), usize::try_from(old + new).unwrap());
            } else {
                assert_eq!(received, Err(OpenError::TooFarAhead));
            }
        }
    }
}

#[test]
fn a16_absurd_numbers_fail_at_once() {
    for version in Version::ALL {
        let (_, romeo) = established(version);
        let known = *romeo.session.receiving_ratchet_key().unwrap();
        let unknown = *Device::new(version, "unknown").signed_pre_key.public();
        let before = romeo.state();
        let mut rng = romeo.rng.clone();
        let start = Instant::now();
        for (key, number, previous) in [
            (known, u32::MAX, 0),
            (unknown, u32::MAX, 0),
            (unknown, 0, u32::MAX),
            (unknown, u32::MAX, u32::MAX),
        ] {
            let parsed = message(version, &forged(version, &key, number, previous));
            let refused = romeo.session.open(&parsed, None, &mut rng);
            assert_eq!(refused.err(), Some(OpenError::TooFarAhead));
        }
        assert!(start.elapsed() < Duration::from_millis(50));
        assert_eq!(romeo.state(), before);
    }
}

#[test]
fn a16_the_store_is_told_how_much_to_keep() {
    assert_eq!(Version::Omemo2.suite().max_stored_skipped(), 1000);
    assert_eq!(Version::Legacy.suite().max_stored_skipped(), 2000);
}

#[test]
fn skipped_keys_come_oldest_first() {
    for version in Version::ALL {
        let (mut juliet, mut romeo) = established(version);
        romeo.receive(&juliet.send(b"x").bytes).unwrap();
        let turn = romeo.send(b"turn").bytes;
        skip(&mut juliet, 2);
        juliet.receive(&turn).unwrap();
        skip(&mut juliet, 2);
        let parsed = message(version, &juliet.send(b"y").bytes);
        let opened = romeo.session.open(&parsed, None, &mut romeo.rng).unwrap();
        let old = *romeo.session.receiving_ratchet_key().unwrap();
        let new = *parsed.ratchet_key();
        let names: Vec<(PublicKey, u32)> = opened
            .step()
            .skipped()
            .iter()
            .map(|key| (key.ratchet_key, key.number))
            .collect();
        assert_eq!(names, [(old, 1), (old, 2), (new, 0), (new, 1)]);
    }
}

#[test]
fn a_late_message_opens_with_its_key_and_changes_nothing_else() {
    for version in Version::ALL {
        let (mut juliet, mut romeo) = established(version);
        let late = juliet.send(b"late").bytes;
        romeo.receive(&juliet.send(b"x").bytes).unwrap();
        let parsed = message(version, &late);
        let key = romeo.skipped[&(*parsed.ratchet_key(), parsed.number())];
        let before = romeo.session.to_bytes();
        let key = omemo_ratchet::MessageKey::from_bytes(key);
        let opened = romeo
            .session
            .open(&parsed, Some(key), &mut romeo.rng)
            .unwrap();
        assert!(opened.via_skipped() && opened.step().used_skipped());
        assert!(opened.step().skipped().is_empty() && !opened.heartbeat_due());
        assert_eq!(opened.plaintext(), b"late");
        let _ = romeo.session.apply(opened.into_parts().1);
        assert_eq!(romeo.session.to_bytes(), before);
        // Without the key it is a message that was there before.
        let refused = romeo.session.open(&parsed, None, &mut romeo.rng);
        assert_eq!(refused.err(), Some(OpenError::AlreadyUsed));
    }
}

/// Juliet's chain of three, of which the last is late; then her next chain's first message, with a `pn` that differs from
/// the truth by `error`.
fn last_of_chain_is_late(version: Version, error: u32) -> (Peer, Peer, Vec<u8>, Vec<u8>) {
    let (mut juliet, mut romeo) = established(version);
    romeo.receive(&juliet.send(b"0").bytes).unwrap();
    let turn = romeo.send(b"turn").bytes;
    romeo.receive(&juliet.send(b"1").bytes).unwrap();
    let late = juliet.send(b"2").bytes;
    juliet.receive(&turn).unwrap();
    juliet.session = patch(&juliet.session, SENDING_PREVIOUS, 3 - error);
    let next = juliet.send(b"next chain").bytes;
    assert_eq!(message(version, &next).previous(), 3 - error);
    (juliet, romeo, late, next)
}

#[test]
fn quirk_02_we_send_pn_n() {
    for version in Version::ALL {
        let (mut juliet, mut romeo) = established(version);
        romeo.receive(&juliet.send(b"0").bytes).unwrap();
        skip(&mut juliet, 4);
        juliet.receive(&romeo.send(b"turn").bytes).unwrap();
        let parsed = message(version, &juliet.send(b"x").bytes);
        assert_eq!(parsed.previous(), 5);
        assert_eq!(parsed.number(), 0);
    }
}

#[test]
fn quirk_02_the_last_message_of_a_chain_arrives_late_whatever_pn_says() {
    for version in Version::ALL {
        for error in [0, 1] {
            let (_, mut romeo, late, next) = last_of_chain_is_late(version, error);
            romeo.receive(&next).unwrap();
            assert_eq!(romeo.skipped.len(), if error == 0 { 1 } else { 0 });
            romeo.restore();

            // A forgery in its name does not use the key up.
            let before = romeo.state();
            let mut forgery = late.clone();
            *forgery.last_mut().unwrap() ^= 1;
            assert_eq!(romeo.receive(&forgery), Err(OpenError::Mac));
            assert_eq!(romeo.state(), before);

            let parsed = message(version, &late);
            if error == 1 {
                let opened = romeo.session.open(&parsed, None, &mut romeo.rng).unwrap();
                assert!(opened.via_skipped() && !opened.step().used_skipped());
            }
            assert_eq!(romeo.receive(&late).unwrap().0, b"2");
            romeo.restore();
            assert!(romeo.receive(&late).is_err(), "once");
        }
    }
}

#[test]
fn quirk_02_the_spare_key_lives_until_the_next_turn() {
    for version in Version::ALL {
        let (mut juliet, mut romeo, late, next) = last_of_chain_is_late(version, 1);
        romeo.receive(&next).unwrap();
        juliet.receive(&romeo.send(b"turn").bytes).unwrap();
        romeo.receive(&juliet.send(b"x").bytes).unwrap();
        assert!(romeo.receive(&late).is_err());
    }
}

#[test]
fn quirk_02_phantom_keys_do_not_fill_the_store() {
    for version in Version::ALL {
        let (mut juliet, mut romeo) = established(version);
        for _ in 0..20 {
            romeo.receive(&juliet.send(b"ping").bytes).unwrap();
            juliet.receive(&romeo.send(b"pong").bytes).unwrap();
        }
        assert!(juliet.skipped.is_empty() && romeo.skipped.is_empty());
    }
}

#[test]
fn a_pn_below_what_was_received_is_harmless() {
    for version in Version::ALL {
        let (_, mut romeo, _, next) = last_of_chain_is_late(version, 3);
        assert_eq!(romeo.receive(&next).unwrap().0, b"next chain");
        assert!(romeo.skipped.is_empty());
    }
}
