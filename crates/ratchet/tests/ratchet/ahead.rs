//! A store that was restored from a copy is found out by the messages that were sent after the copy was made. (A19)

use std::time::{Duration, Instant};

use omemo_ratchet::{Inbound, Session, Version};

use crate::common::{
    Device, Peer, SENDING_NEXT, conversation, established, forged, message, patch,
};

/// How far `bytes`, said to be ours, is ahead of this side's session; asking must leave no trace.
fn ahead(peer: &Peer, bytes: &[u8]) -> Option<u32> {
    let before = peer.state();
    let found = peer
        .session
        .sent_ahead(&message(peer.session.version(), bytes));
    assert_eq!(peer.state(), before);
    found.map(Into::into)
}

/// As if from a backup.
fn copy(peer: &Peer) -> Peer {
    let session = Session::from_bytes(&peer.session.to_bytes()).unwrap();
    Peer::new(session, peer.rng.clone())
}

/// Both sides of a conversation: who began it is one name first in the associated data, who answered the other.
fn sides(version: Version) -> [Peer; 2] {
    let (mut juliet, mut romeo) = established(version);
    romeo.receive(&juliet.send(b"x").bytes).unwrap();
    juliet.receive(&romeo.send(b"y").bytes).unwrap();
    [juliet, romeo]
}

#[test]
fn a19_what_a_session_sent_itself_is_not_ahead_of_it() {
    for version in Version::ALL {
        for mut side in sides(version) {
            for _ in 0..3 {
                let sent = side.send(b"x").bytes;
                assert_eq!(ahead(&side, &sent), None);
                side.restore();
                assert_eq!(ahead(&side, &sent), None);
            }
        }
    }
}

#[test]
fn a19_a_restored_session_is_behind_what_was_sent() {
    for version in Version::ALL {
        for mut side in sides(version) {
            side.send(b"before the copy");
            let old = copy(&side);
            for distance in 1..=60 {
                let sent = side.send(b"after the copy").bytes;
                assert_eq!(ahead(&old, &sent), Some(distance), "{version:?}");
                assert_eq!(ahead(&side, &sent), None);
            }
        }
    }
}

#[test]
fn a19_the_message_may_stand_in_a_key_exchange() {
    for version in Version::ALL {
        let romeo = Device::new(version, "romeo");
        let mut juliet = Device::new(version, "juliet").initiate(&romeo.bundle());
        let old = copy(&juliet);
        let sent = [juliet.send(b"0").bytes, juliet.send(b"1").bytes];
        for (bytes, distance) in sent.iter().zip(1..) {
            let Inbound::KeyExchange(exchange) = Inbound::parse(version, bytes).unwrap() else {
                panic!("the peer has not answered yet");
            };
            let found = old.session.sent_ahead(exchange.message());
            assert_eq!(found.map(u32::from), Some(distance));
            assert_eq!(juliet.session.sent_ahead(exchange.message()), None);
        }
    }
}

#[test]
fn a19_every_changed_bit_of_the_message_takes_the_proof_away() {
    for version in Version::ALL {
        for mut side in sides(version) {
            let old = copy(&side);
            side.send(b"0");
            let sent = side.send(b"1").bytes;
            assert_eq!(ahead(&old, &sent), Some(2));
            for at in 0..sent.len() * 8 {
                let mut changed = sent.clone();
                changed[at / 8] ^= 1 << (at % 8);
                // What does not even parse is not asked about.
                if let Ok(Inbound::Message(message)) = Inbound::parse(version, &changed) {
                    assert_eq!(old.session.sent_ahead(&message), None, "bit {at}");
                }
            }
        }
    }
}

#[test]
fn a19_a_server_cannot_make_it_up() {
    for version in Version::ALL {
        for mut side in sides(version) {
            // It has seen the ratchet key, and every number is free.
            let sent = side.send(b"x").bytes;
            let key = *message(version, &sent).ratchet_key();
            for number in 0..10 {
                assert_eq!(ahead(&side, &forged(version, &key, number, 0)), None);
            }
        }
    }
}

#[test]
fn a19_what_is_not_of_the_sending_chain_proves_nothing() {
    for version in Version::ALL {
        let [mut juliet, mut romeo] = sides(version);
        let old = copy(&juliet);

        // The peer's own messages, though their numbers are free.
        assert_eq!(ahead(&old, &romeo.send(b"x").bytes), None);

        // A chain before: its numbers mean nothing now.
        romeo.receive(&juliet.send(b"x").bytes).unwrap();
        let late = juliet.send(b"before the turn").bytes;
        juliet.receive(&romeo.send(b"turn").bytes).unwrap();
        assert_eq!(ahead(&juliet, &late), None);

        // A chain after: drawn after the copy was made, so that nothing ties it to the copy.
        assert_eq!(ahead(&old, &juliet.send(b"after the turn").bytes), None);

        // Another session, and another protocol.
        let (mut other, _) = conversation(version);
        assert_eq!(ahead(&old, &other.send(b"x").bytes), None);
        let foreign = Version::ALL.into_iter().find(|v| *v != version).unwrap();
        let (mut other, _) = established(foreign);
        let parsed = message(foreign, &other.send(b"x").bytes);
        assert_eq!(old.session.sent_ahead(&parsed), None);
    }
}

#[test]
fn a19_the_peer_is_bound_into_the_proof() {
    for version in Version::ALL {
        let [mut side, _] = sides(version);
        let old = copy(&side);
        let sent = side.send(b"x").bytes;
        assert_eq!(ahead(&old, &sent), Some(1));
        // The same chain under another peer's name, as the stored form has it.
        let mut bytes = old.session.to_bytes().to_vec();
        let other = Device::new(version, "paris");
        bytes[35..99].copy_from_slice(&other.identity.public().to_bytes());
        let renamed = Peer::new(Session::from_bytes(&bytes).unwrap(), old.rng.clone());
        assert_eq!(ahead(&renamed, &sent), None);
    }
}

#[test]
fn a16_10000_numbers_are_looked_ahead_and_not_10001() {
    for version in Version::ALL {
        let [mut side, _] = sides(version);
        let old = copy(&side);
        for _ in 1..10_000 {
            side.send(b"");
        }
        assert_eq!(ahead(&old, &side.send(b"").bytes), Some(10_000));
        assert_eq!(ahead(&old, &side.send(b"").bytes), None);
    }
}

/// What somebody says costs nothing to hear, and the proof looks exactly so far ahead.
#[test]
fn a16_what_is_said_can_be_counted_before_it_is_believed() {
    for version in Version::ALL {
        let [mut side, _] = sides(version);
        let key = *message(version, &side.send(b"x").bytes).ratchet_key();
        let next = side.send(b"x").bytes;
        let next = message(version, &next).number() + 1;
        for (number, said) in [
            (next - 1, None),
            (next, Some(1)),
            (next + 9_999, Some(10_000)),
            (next + 10_000, None),
        ] {
            let forged = message(version, &forged(version, &key, number, 0));
            let heard = side.session.said_ahead(&forged);
            assert_eq!(heard.map(std::num::NonZeroU32::get), said, "{number}");
            assert_eq!(side.session.sent_ahead(&forged), None);
        }
    }
}

#[test]
fn a16_absurd_numbers_of_our_own_cost_nothing() {
    for version in Version::ALL {
        let [mut side, _] = sides(version);
        let key = *message(version, &side.send(b"x").bytes).ratchet_key();
        let start = Instant::now();
        for number in [10_001, 1 << 31, u32::MAX] {
            assert_eq!(ahead(&side, &forged(version, &key, number, 0)), None);
        }
        assert!(start.elapsed() < Duration::from_millis(50));
        // At the end of the numbers there is nothing to add to.
        side.session = patch(&side.session, SENDING_NEXT, u32::MAX);
        assert_eq!(ahead(&side, &forged(version, &key, u32::MAX, 0)), None);
    }
}
