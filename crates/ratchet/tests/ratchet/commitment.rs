//! Does a payload commit to its key? (attack 13)
//!
//! AES-GCM does not: its tag is a polynomial over the ciphertext, so that whoever knows two keys can write one ciphertext that
//! is authentic under both, and says something else under each. The legacy protocol has to live with that; its
//! devices each get key and tag through their own session. omemo:2 has an HMAC under a key that is derived from the payload's.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use omemo_ratchet::payload::{open, seal};
use omemo_ratchet::{PayloadError, Version};

use crate::common::FixedRandomness;

/// An element of GCM's field: the first bit of the block is the highest of the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field(u128);

impl Field {
    fn of(block: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(block))
    }

    fn plus(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    fn times(self, other: Self) -> Self {
        let mut product = 0;
        let mut power = other.0;
        for bit in (0..128).rev() {
            if self.0 >> bit & 1 == 1 {
                product ^= power;
            }
            let carry = power & 1;
            power >>= 1;
            if carry == 1 {
                power ^= 0xe1 << 120;
            }
        }
        Self(product)
    }

    /// To the power of 2¹²⁸ − 2.
    fn inverse(self) -> Self {
        let mut result = Self(1 << 127);
        let mut power = self;
        for _ in 1..128 {
            power = power.times(power);
            result = result.times(power);
        }
        result
    }
}

fn encrypt(key: [u8; 16], block: [u8; 16]) -> Field {
    let mut block = block.into();
    Aes128::new(&key.into()).encrypt_block(&mut block);
    Field::of(block.into())
}

/// Two blocks, of which the second is given, and one tag that is right for both keys.
fn salamander(keys: [[u8; 16]; 2], iv: [u8; 12], second: Field) -> (Vec<u8>, [u8; 16]) {
    let mut counter = [0; 16];
    counter[..12].copy_from_slice(&iv);
    counter[15] = 1;
    // tag = C1·H³ + C2·H² + lengths·H + E(counter)
    let lengths = Field(256);
    let parts = keys.map(|key| {
        let h = encrypt(key, [0; 16]);
        let square = h.times(h);
        let rest = second
            .times(square)
            .plus(lengths.times(h))
            .plus(encrypt(key, counter));
        (square.times(h), rest)
    });
    let [(cube, rest), (other_cube, other_rest)] = parts;
    let first = rest.plus(other_rest).times(cube.plus(other_cube).inverse());
    let tag = first.times(cube).plus(rest);
    let ciphertext = [first, second].map(|block| block.0.to_be_bytes()).concat();
    (ciphertext, tag.0.to_be_bytes())
}

/// The reason why SECURITY.md warns, shown to be true.
#[test]
fn a13_a_legacy_payload_may_have_two_keys() {
    let keys = [[1; 16], [2; 16]];
    let iv = [3; 12];
    let (ciphertext, tag) = salamander(keys, iv, Field(42));
    let [one, other] = keys.map(|key| {
        let key = [key, tag].concat();
        open(Version::Legacy, &key, Some(&iv), &ciphertext).unwrap()
    });
    assert_ne!(one, other, "one payload, two texts");
    let mut changed = ciphertext;
    changed[0] ^= 1;
    let refused = open(
        Version::Legacy,
        &[keys[0], tag].concat(),
        Some(&iv),
        &changed,
    );
    assert_eq!(
        refused.unwrap_err(),
        PayloadError::Mac,
        "the tag is checked all the same"
    );
}

/// The same ciphertext, and whatever tag is right under one key, opens under no other.
#[test]
fn a13_an_omemo2_payload_has_one_key() {
    let sealed = seal(
        Version::Omemo2,
        b"one text",
        &mut FixedRandomness::new("a13"),
    )
    .unwrap();
    let (key, tag) = sealed.key.as_bytes().split_at(32);
    for bit in 0..256 {
        let mut other = key.to_vec();
        other[bit / 8] ^= 1 << (bit % 8);
        let refused = open(
            Version::Omemo2,
            &[&other, tag].concat(),
            None,
            &sealed.ciphertext,
        );
        assert_eq!(refused.unwrap_err(), PayloadError::Mac);
    }
    let (ciphertext, tag) = salamander([[1; 16], [2; 16]], [3; 12], Field(42));
    for key in [[1; 32], [2; 32]] {
        let refused = open(
            Version::Omemo2,
            &[&key[..], &tag].concat(),
            None,
            &ciphertext,
        );
        assert_eq!(refused.unwrap_err(), PayloadError::Mac);
    }
}
