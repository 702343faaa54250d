//! The stored form of sessions, frozen: a change here breaks every store in the field.

use omemo_ratchet::{Session, SessionError, Version};

use crate::common::{Device, Peer, established};

/// In lines of 32 bytes behind the three of the head.
fn dump(session: &Session) -> String {
    let bytes = session.to_bytes();
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let (head, rest) = bytes.split_at(3);
    let lines: Vec<String> = rest.chunks(32).map(hex).collect();
    format!("{}\n{}", hex(head), lines.join("\n"))
}

fn phases(version: Version) -> [(&'static str, Peer); 4] {
    let romeo = Device::new(version, "romeo");
    let awaiting = Device::new(version, "juliet").initiate(&romeo.bundle());
    let (answered, responder) = established(version);
    let (mut juliet, mut with_spare) = established(version);
    with_spare.receive(&juliet.send(b"0").bytes).unwrap();
    juliet.receive(&with_spare.send(b"turn").bytes).unwrap();
    for _ in 0..54 {
        with_spare.receive(&juliet.send(b"x").bytes).unwrap();
    }
    [
        ("awaiting", awaiting),
        ("answered", answered),
        ("responder", responder),
        ("spare_and_heartbeat", with_spare),
    ]
}

#[test]
fn the_layout_is_frozen() {
    for version in Version::ALL {
        for (name, peer) in phases(version) {
            insta::assert_snapshot!(format!("{version:?}_{name}"), dump(&peer.session));
        }
    }
}

#[test]
fn every_phase_comes_back_and_fits_into_400_bytes() {
    for version in Version::ALL {
        for (_, peer) in phases(version) {
            let bytes = peer.session.to_bytes();
            assert!(bytes.len() <= 400);
            let restored = Session::from_bytes(&bytes).unwrap();
            assert_eq!(restored.to_bytes(), bytes);
            assert_eq!(restored.peer(), peer.session.peer());
            assert_eq!(restored.version(), version);
            assert_eq!(restored.awaits_answer(), peer.session.awaits_answer());
            assert_eq!(restored.initiated_by_us(), peer.session.initiated_by_us());
        }
    }
}

#[test]
fn other_layouts_are_refused() {
    for version in Version::ALL {
        for (_, peer) in phases(version) {
            let good = peer.session.to_bytes().to_vec();
            let refused = |bytes: &[u8]| {
                assert_eq!(Session::from_bytes(bytes).err(), Some(SessionError::Stored))
            };
            refused(&[]);
            refused(&good[..good.len() - 1]);
            refused(&[&good[..], &[0]].concat());
            for (at, value) in [
                (0, 0),
                (0, 2),
                (1, 0),
                (1, 3),
                (2, 0x10 | good[2]),
                (2, 4),
                (2, 8),
            ] {
                let mut wrong = good.clone();
                wrong[at] = value;
                refused(&wrong);
            }
        }
    }
}

#[test]
fn bytes_behind_the_end_of_a_phase_are_zero() {
    for version in Version::ALL {
        let mut bytes = phases(version)[0].1.session.to_bytes().to_vec();
        *bytes.last_mut().unwrap() = 1;
        assert_eq!(
            Session::from_bytes(&bytes).err(),
            Some(SessionError::Stored)
        );
    }
}

#[test]
fn version_numbers_are_for_ever() {
    assert_eq!(Version::Omemo2.to_byte(), 1);
    assert_eq!(Version::Legacy.to_byte(), 2);
    assert_eq!(Version::from_byte(1), Some(Version::Omemo2));
    assert_eq!(Version::from_byte(2), Some(Version::Legacy));
    assert_eq!(Version::from_byte(0), None);
    assert_eq!(Version::from_byte(3), None);
}
