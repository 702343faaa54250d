//! Identity keys, signatures and fingerprints.

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use omemo_ratchet::{Fingerprint, IdentityKey, IdentityKeyPair, KeyError, SystemRandomness};
use proptest::prelude::*;

use crate::common::{FixedRandomness, NoRandomness, unhex, unhex32};

fn pair(secret: [u8; 32]) -> IdentityKeyPair {
    IdentityKeyPair::from_bytes(secret)
}

/// RFC 8032 §7.1, tests 1 to 3: public key, message, signature.
const RFC_8032: [(&str, &str, &str); 3] = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
];

#[test]
fn kat_rfc_8032_signatures_verify() {
    for (public, message, signature) in RFC_8032 {
        let key = IdentityKey::from_ed25519(&unhex(public)).unwrap();
        key.verify(&unhex(message), &unhex(signature)).unwrap();
        assert!(key.verify(b"something else", &unhex(signature)).is_err());
    }
}

#[test]
fn kat_rfc_7748_base_point_converts() {
    let base = EdwardsPoint::mul_base(&Scalar::ONE).compress().0;
    let key = IdentityKey::from_ed25519(&base).unwrap();
    let mut nine = [0; 32];
    nine[0] = 9;
    assert_eq!(key.curve25519(), &nine);
    assert_eq!(IdentityKey::from_curve25519(&nine).unwrap().ed25519(), base);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rule_12_an_external_verifier_accepts_our_signatures(secret: [u8; 32], message: Vec<u8>) {
        let pair = pair(secret);
        let signature = pair.sign(&message, &mut SystemRandomness).unwrap();
        let verifier = VerifyingKey::from_bytes(&pair.public().ed25519()).unwrap();
        verifier.verify_strict(&message, &Signature::from_bytes(&signature)).unwrap();
        pair.public().verify(&message, &signature).unwrap();
        prop_assert_eq!(signature[63] & 0x80, 0);
    }

    #[test]
    fn quirk_25_our_sign_is_always_0_and_both_forms_are_one_key(secret: [u8; 32]) {
        let key = *pair(secret).public();
        prop_assert_eq!(key.ed25519()[31] & 0x80, 0);

        let mut other = key.ed25519();
        other[31] |= 0x80;
        let other = IdentityKey::from_ed25519(&other).unwrap();
        prop_assert_eq!(other, key);
        prop_assert_eq!(other.fingerprint(), key.fingerprint());
        prop_assert_eq!(IdentityKey::from_curve25519(key.curve25519()).unwrap(), key);
        prop_assert_ne!(other.ed25519(), key.ed25519());
        prop_assert_eq!(other.cmp(&key), std::cmp::Ordering::Equal);
        prop_assert_eq!(std::collections::HashSet::from([key, other]).len(), 1);
        for key in [key, other] {
            let restored = IdentityKey::from_bytes(&key.to_bytes()).unwrap();
            prop_assert_eq!(restored.ed25519(), key.ed25519());
            prop_assert_eq!(restored.curve25519(), key.curve25519());
        }
    }

    #[test]
    fn conversions_agree_with_the_curve_library(secret: [u8; 32]) {
        let key = *pair(secret).public();
        prop_assert_eq!(key.curve25519(), &MontgomeryPoint::mul_base_clamped(secret).0);
        let point = CompressedEdwardsY(key.ed25519()).decompress().unwrap();
        prop_assert_eq!(&point.to_montgomery().0, key.curve25519());
    }

    #[test]
    fn secrets_come_back(secret: [u8; 32]) {
        let pair = pair(secret);
        prop_assert_eq!(*pair.to_bytes(), secret);
    }

    #[test]
    fn fingerprints_come_back_from_text(bytes: [u8; 32]) {
        let fingerprint = Fingerprint::new(bytes);
        let text = fingerprint.to_string();
        prop_assert_eq!(text.parse(), Ok(fingerprint));
        prop_assert_eq!(text.to_uppercase().replace(' ', "-").parse(), Ok(fingerprint));
        prop_assert_eq!(text.replace(' ', ":").parse(), Ok(fingerprint));
        prop_assert_eq!(format!("\n {text}\t").parse(), Ok(fingerprint));
    }
}

#[test]
fn an_ed25519_signer_with_either_sign_is_accepted() {
    let mut signs = [0; 2];
    for seed in 0..32 {
        let signer = SigningKey::from_bytes(&[seed; 32]);
        let public = signer.verifying_key().to_bytes();
        let key = IdentityKey::from_ed25519(&public).unwrap();
        assert_eq!(key.ed25519(), public);
        key.verify(b"label", &signer.sign(b"label").to_bytes())
            .unwrap();
        signs[usize::from(public[31] >> 7)] += 1;
    }
    assert!(signs[0] > 4 && signs[1] > 4, "both signs were tried");
}

#[test]
fn a24_all_512_bit_flips_are_refused() {
    let pair = pair([5; 32]);
    let signature = pair
        .sign(b"message", &mut FixedRandomness::new("a24"))
        .unwrap();
    for bit in 0..512 {
        let mut flipped = signature;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(
            pair.public().verify(b"message", &flipped).is_err(),
            "bit {bit}"
        );
    }
}

#[test]
fn a24_a_second_encoding_of_s_is_refused() {
    let order = unhex32("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let pair = pair([6; 32]);
    let mut signature = pair
        .sign(b"message", &mut FixedRandomness::new("a24"))
        .unwrap();
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert!(pair.public().verify(b"message", &signature).is_err());
}

#[test]
fn a24_small_order_commitments_and_wrong_lengths_are_refused() {
    let pair = pair([7; 32]);
    for length in [0, 32, 63, 65, 128] {
        assert!(pair.public().verify(b"", &vec![0; length]).is_err());
    }
    // R the identity element, S = 0: valid for a key of small order only, and refused for its R alone.
    let mut signature = [0; 64];
    signature[0] = 1;
    assert!(pair.public().verify(b"", &signature).is_err());
}

#[test]
fn a_signature_binds_its_signer() {
    let signature = pair([8; 32])
        .sign(b"message", &mut SystemRandomness)
        .unwrap();
    assert!(
        pair([9; 32])
            .public()
            .verify(b"message", &signature)
            .is_err()
    );
}

#[test]
fn two_signatures_of_one_message_differ() {
    let pair = pair([10; 32]);
    let mut rng = FixedRandomness::new("nonces");
    let first = pair.sign(b"message", &mut rng).unwrap();
    assert_ne!(first, pair.sign(b"message", &mut rng).unwrap());
}

#[test]
fn failing_randomness_is_reported() {
    assert!(IdentityKeyPair::generate(&mut NoRandomness).is_err());
    assert!(pair([1; 32]).sign(b"", &mut NoRandomness).is_err());
}

#[test]
fn rule_37_the_fingerprint_is_eight_groups_of_the_curve25519_form() {
    let mut nine = [0; 32];
    nine[0] = 9;
    let fingerprint = IdentityKey::from_curve25519(&nine).unwrap().fingerprint();
    assert_eq!(
        fingerprint.to_string(),
        "09000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000"
    );
    assert_eq!(fingerprint.groups()[0], "09000000");
    assert_eq!(fingerprint.as_bytes(), &nine);
}

#[test]
fn quirk_36_only_64_digits_are_a_fingerprint() {
    let digits = "0123456789abcdef".repeat(4);
    assert!(digits.parse::<Fingerprint>().is_ok());
    for wrong in [
        "",
        &digits[1..],
        &format!("{digits}0"),
        &format!("{}g", &digits[1..]),
    ] {
        assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
    }
    assert!(digits.replace('a', "ａ").parse::<Fingerprint>().is_err());
}

#[test]
fn a30_near_collisions_of_fingerprints_are_unequal() {
    let first = [0x11; 32];
    for at in [0, 4, 16, 27, 31] {
        let mut second = first;
        second[at] ^= 1;
        assert_ne!(Fingerprint::new(first), Fingerprint::new(second));
    }
}

#[test]
fn a28_secrets_do_not_show_in_debug_output() {
    let text = format!("{:?}", pair([0xab; 32]));
    assert!(text.contains("redacted"));
    assert!(!text.contains("171, 171"), "{text}");
}

#[test]
fn stored_forms_that_we_never_write_are_refused() {
    let good = pair([3; 32]).public().to_bytes();
    assert_eq!(IdentityKey::from_bytes(&good[..63]), Err(KeyError::Length));
    assert_eq!(IdentityKey::from_bytes(&[]), Err(KeyError::Length));
    let mut wrong = good;
    wrong[..32].fill(0xff);
    assert_eq!(IdentityKey::from_bytes(&wrong), Err(KeyError::NonCanonical));
    wrong[..32].fill(0);
    assert_eq!(IdentityKey::from_bytes(&wrong), Err(KeyError::SmallOrder));
}
