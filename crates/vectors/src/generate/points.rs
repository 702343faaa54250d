//! Points that are keys, and points that look like keys.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;
use omemo_ratchet::{IdentityKey, IdentityKeyPair, Version, hazmat};

use super::protocols;
use super::seed::Seed;

/// The canonical u-coordinates of the points of small order, on the curve and its twist.
pub(super) const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    with_first(1, [0; 32]),
    with_first(0xec, ALMOST_PRIME),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
];

/// 2²⁵⁵ − 1; the prime is 18 less.
const ALMOST_PRIME: [u8; 32] = {
    let mut bytes = [0xff; 32];
    bytes[31] = 0x7f;
    bytes
};

const fn with_first(byte: u8, mut bytes: [u8; 32]) -> [u8; 32] {
    let [first, ..] = &mut bytes;
    *first = byte;
    bytes
}

/// The public key of a seed's secret (u).
pub(super) fn public(seed: &Seed) -> [u8; 32] {
    *hazmat::public_key(&seed.array()).as_bytes()
}

/// A u-coordinate as the protocol sends it.
pub(super) fn wire(version: Version, key: &[u8; 32]) -> Vec<u8> {
    [protocols::of(version).key_prefix, key].concat()
}

/// The identity key of a seed's secret as the protocol sends it.
pub(super) fn identity(version: Version, seed: &Seed) -> Vec<u8> {
    let pair = IdentityKeyPair::from_bytes(seed.array());
    hazmat::encode_identity(version, pair.public())
}

/// What bit 7 of a signature's last byte holds for a signer with this Ed25519 form.
pub(super) const fn carried_sign(version: Version, ed25519: &[u8; 32]) -> u8 {
    let [.., last] = ed25519;
    if protocols::of(version).signature_carries_sign {
        *last & 0x80
    } else {
        0
    }
}

/// An Ed25519 form as an identity key of the protocol.
pub(super) fn identity_of(version: Version, ed25519: &[u8; 32]) -> Vec<u8> {
    IdentityKey::from_ed25519(ed25519)
        .map(|key| hazmat::encode_identity(version, &key))
        .unwrap_or_default()
}

/// What a message's tag covers first: both identity keys as they stand on the wire.
pub(super) fn associated_data(
    version: Version,
    [sender, receiver]: [&[u8]; 2],
    sender_initiated: bool,
) -> Vec<u8> {
    if protocols::of(version).initiator_first && !sender_initiated {
        [receiver, sender].concat()
    } else {
        [sender, receiver].concat()
    }
}

/// Values above the prime, and one with the bit that RFC 7748 ignores.
pub(super) fn not_canonical(seed: &Seed) -> Vec<[u8; 32]> {
    let mut key = public(seed);
    let [.., last] = &mut key;
    *last |= 0x80;
    let above = [0xef, 0xf0, 0xf7, 0xfe, 0xff];
    let above = above.map(|first| with_first(first, ALMOST_PRIME));
    above.into_iter().chain([key]).collect()
}

/// The other points with the same Diffie-Hellman results as a seed's.
pub(super) fn twins(seed: &Seed) -> Vec<[u8; 32]> {
    twins_of(&public(seed))
}

/// The other points with the same Diffie-Hellman results as this one.
pub(super) fn twins_of(key: &[u8; 32]) -> Vec<[u8; 32]> {
    twisted(key).map(|point| point.to_montgomery().0).collect()
}

/// A key on the wire, as its twin of that number (0 to 6).
pub(super) fn twin_on_wire(version: Version, key: &[u8], number: usize) -> Vec<u8> {
    let start = key.len().saturating_sub(32);
    let u = key.get(start..).and_then(|u| u.try_into().ok());
    let twins = twins_of(&u.unwrap_or_default());
    wire(version, &twins.get(number).copied().unwrap_or_default())
}

fn twisted(key: &[u8; 32]) -> impl Iterator<Item = EdwardsPoint> + use<> {
    let point = MontgomeryPoint(*key).to_edwards(0).unwrap_or_default();
    EIGHT_TORSION
        .into_iter()
        .skip(1)
        .map(move |torsion| point + torsion)
}

/// An identity key on the wire that is none, and why.
pub(super) type BadKey = (Vec<u8>, &'static str);

/// Identity keys on the wire that are none, and why.
pub(super) fn bad_identities(version: Version, seed: &Seed) -> Vec<BadKey> {
    (protocols::of(version).bad_identities)(seed)
}

/// Those of a protocol whose identity keys are Curve25519.
pub(super) fn bad_curve25519_identities(seed: &Seed) -> Vec<BadKey> {
    let named = |keys: Vec<[u8; 32]>, reason| keys.into_iter().map(move |key| (key, reason));
    let twist = (0..)
        .map(|number| seed.part(number).array())
        .filter(|key: &[u8; 32]| {
            key.last().is_some_and(|last| last & 0x80 == 0)
                && MontgomeryPoint(*key).to_edwards(0).is_none()
        });
    named(SMALL_ORDER.to_vec(), "key-of-small-order")
        .chain(named(not_canonical(seed), "key-not-canonical"))
        .chain(named(twins(seed), "key-outside-group"))
        .chain(named(twist.take(4).collect(), "key-not-on-curve"))
        .map(|(key, reason)| (wire(Version::Legacy, &key), reason))
        .collect()
}

/// Those of a protocol whose identity keys are Ed25519.
pub(super) fn bad_ed25519_identities(seed: &Seed) -> Vec<BadKey> {
    let small = EIGHT_TORSION
        .into_iter()
        .map(|point| (point.compress().0, "key-of-small-order"));
    let outside = twisted(&public(seed)).map(|point| (point.compress().0, "key-outside-group"));
    let off = (0..)
        .map(|number| seed.part(number).array())
        .filter(|key| {
            curve25519_dalek::edwards::CompressedEdwardsY(*key)
                .decompress()
                .is_none()
        })
        .take(4)
        .map(|key| (key, "key-not-on-curve"));
    small
        .chain(outside)
        .chain(off)
        .map(|(key, reason)| (key.to_vec(), reason))
        .collect()
}
