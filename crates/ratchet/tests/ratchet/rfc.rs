//! The vectors of the RFCs that our cryptography stands on, through our own code.

use omemo_ratchet::hazmat::{
    diffie_hellman, ed25519_verify, hkdf, hkdf_zero_salt, hmac, public_key, tag_matches,
};
use omemo_ratchet::{IdentityKey, KeyError, PublicKey};

use crate::common::{unhex, unhex32};
use crate::wycheproof::same_key;

fn x25519(scalar: &str, u: &str) -> [u8; 32] {
    diffie_hellman(&unhex32(scalar), &PublicKey::parse(&unhex(u)).unwrap()).unwrap()
}

#[test]
fn rfc_7748_section_5_2_first_vector() {
    assert_eq!(
        x25519(
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        ),
        unhex32("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")
    );
}

/// This one's coordinate has bit 255 set, which the RFC tells X25519 to ignore. No honest device sends such a key, and it
/// would be a second name of another one (A6): it is refused, and computed without that bit.
#[test]
fn rfc_7748_section_5_2_second_vector() {
    let mut u = unhex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493");
    assert_eq!(PublicKey::parse(&u).unwrap_err(), KeyError::NonCanonical);
    u[31] &= 0x7f;
    let scalar = unhex32("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d");
    assert_eq!(
        diffie_hellman(&scalar, &PublicKey::parse(&u).unwrap()).unwrap(),
        unhex32("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957")
    );
}

/// The RFC's loop. Scalars are arbitrary bytes, clamped at use. Coordinates are outputs of X25519, which are always reduced,
/// so that each of them is a key that we take.
fn iterate(times: u32) -> [u8; 32] {
    let mut k = [0; 32];
    k[0] = 9;
    let mut u = k;
    for _ in 0..times {
        let next = diffie_hellman(&k, &PublicKey::parse(&u).unwrap()).unwrap();
        u = k;
        k = next;
    }
    k
}

#[test]
fn rfc_7748_section_5_2_iterated_once_and_a_thousand_times() {
    assert_eq!(
        iterate(1),
        unhex32("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079")
    );
    assert_eq!(
        iterate(1000),
        unhex32("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51")
    );
}

#[test]
#[cfg_attr(
    debug_assertions,
    ignore = "a million ladders: cargo test --release -p omemo-ratchet --all-features --test ratchet rfc_7748"
)]
fn rfc_7748_section_5_2_iterated_a_million_times() {
    assert_eq!(
        iterate(1_000_000),
        unhex32("7c3911e0ab2586fd864497297e575e6f3bc601c0883c30df5f4dd2d24f665424")
    );
}

#[test]
fn rfc_7748_section_6_1() {
    let alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    let bob = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
    let alice_public = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
    let bob_public = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    let shared = unhex32("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    assert_eq!(
        public_key(&unhex32(alice)).as_bytes(),
        &unhex32(alice_public)
    );
    assert_eq!(public_key(&unhex32(bob)).as_bytes(), &unhex32(bob_public));
    assert_eq!(x25519(alice, bob_public), shared);
    assert_eq!(x25519(bob, alice_public), shared);
}

/// Only verification: our own signatures are XEdDSA's, which draw their nonce. Public key, message, signature.
#[test]
fn rfc_8032_section_7_1() {
    let long: String = include_str!("../vectors/rfc-8032-test-1024.hex")
        .lines()
        .collect();
    let vectors = [
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0\
             595bbe24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eae\
             b4302aeeb00d291612bb0c00",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9\
             716ed28dc027beceea1ec40a",
        ),
        (
            "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
            &long,
            "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350aa5371b1508f9f4528ecea23c436d94b5e8fcd4f\
             681e30a6ac00a9704a188a03",
        ),
        (
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423\
             643ce80e2a9ac94fa54ca49f",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c\
             138ac17ad9bef1177331a704",
        ),
    ];
    for (at, (key, message, signature)) in vectors.into_iter().enumerate() {
        let (key, message, mut signature) = (unhex32(key), unhex(message), unhex(signature));
        ed25519_verify(&key, &message, &signature).unwrap();
        let identity = IdentityKey::from_ed25519(&key).unwrap();
        identity.verify(&message, &signature).unwrap();
        signature[at] ^= 1;
        ed25519_verify(&key, &message, &signature).unwrap_err();
    }
}

fn range(from: u8, to: u8) -> Vec<u8> {
    (from..=to).collect()
}

/// The cases of SHA-256. Case 2 has a salt of 80 bytes, which HMAC hashes to ours.
#[test]
fn rfc_5869_appendix_a() {
    let salt = same_key(&range(0x00, 0x0c)).unwrap();
    assert_eq!(
        hkdf::<42>(&salt, &[0x0b; 22], &range(0xf0, 0xf9))[..],
        unhex(
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        )
    );
    let salt = same_key(&range(0x60, 0xaf)).unwrap();
    assert_eq!(
        hkdf::<82>(&salt, &range(0x00, 0x4f), &range(0xb0, 0xff))[..],
        unhex(
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da327560\
             0c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
        )
    );
    assert_eq!(
        hkdf_zero_salt::<42>(&[0x0b; 22], b"")[..],
        unhex(
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        )
    );
}

/// The cases of SHA-256. Case 5 shows only the first 16 bytes of its tag.
#[test]
fn rfc_4231_section_4() {
    let long_key = [0xaa; 131];
    let cases: [(&[u8], &[u8], &str); 7] = [
        (
            &[0x0b; 20],
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            &[0xaa; 20],
            &[0xdd; 50],
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        ),
        (
            &range(0x01, 0x19),
            &[0xcd; 50],
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        ),
        (
            &[0x0c; 20],
            b"Test With Truncation",
            "a3b6167473100ee06e0c796c2955552b",
        ),
        (
            &long_key,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            &long_key,
            b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be \
              hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ];
    for (key, message, expected) in cases {
        let tag = hmac(&same_key(key).unwrap(), message);
        let expected = unhex(expected);
        assert_eq!(tag[..expected.len()], expected);
        assert!(tag_matches(&tag, expected.len(), &expected));
    }
}
