//! Payloads: what opens, and everything that must not.

use omemo_ratchet::payload::{empty, open, open_empty, seal};
use omemo_ratchet::{PayloadError, Version};
use proptest::prelude::*;

use crate::common::{FixedRandomness, NoRandomness, unhex};

proptest! {
    #[test]
    fn payloads_come_back(text: Vec<u8>, seed: u64) {
        for version in Version::ALL {
            let mut rng = FixedRandomness::new(&seed.to_string());
            let sealed = seal(version, &text, &mut rng).unwrap();
            let opened = open(version, sealed.key.as_bytes(), sealed.iv.as_deref(), &sealed.ciphertext);
            prop_assert_eq!(&*opened.unwrap(), &text);
        }
    }

    #[test]
    fn a25_every_change_is_noticed(text: Vec<u8>, at: prop::sample::Index, bit in 0..8u8) {
        for version in Version::ALL {
            let sealed = seal(version, &text, &mut FixedRandomness::new("a25")).unwrap();
            let mut all = [sealed.key.as_bytes(), &sealed.ciphertext].concat();
            let length = sealed.key.as_bytes().len();
            let at = at.index(all.len());
            all[at] ^= 1 << bit;
            let (key, ciphertext) = all.split_at(length);
            let refused = open(version, key, sealed.iv.as_deref(), ciphertext);
            prop_assert_eq!(refused.unwrap_err(), PayloadError::Mac);
        }
    }
}

#[test]
fn the_two_protocols_have_their_own_lengths() {
    let rng = &mut FixedRandomness::new("lengths");
    let omemo2 = seal(Version::Omemo2, b"text", rng).unwrap();
    assert_eq!(omemo2.key.as_bytes().len(), 48);
    assert_eq!(omemo2.ciphertext.len(), 16);
    assert_eq!(omemo2.iv, None);
    let legacy = seal(Version::Legacy, b"text", rng).unwrap();
    assert_eq!(legacy.key.as_bytes().len(), 32);
    assert_eq!(legacy.ciphertext.len(), 4);
    assert_eq!(legacy.iv.unwrap().len(), 12);
}

#[test]
fn a01_quirk_07_quirk_08_a_payload_key_of_another_length_is_refused() {
    for (version, right) in [(Version::Omemo2, 48), (Version::Legacy, 32)] {
        let sealed = seal(version, b"text", &mut FixedRandomness::new("a01")).unwrap();
        for length in (0..80).filter(|length| *length != right) {
            let mut key = sealed.key.as_bytes().to_vec();
            key.resize(length, 0);
            let refused = open(version, &key, sealed.iv.as_deref(), &sealed.ciphertext);
            assert_eq!(refused.unwrap_err(), PayloadError::KeyLength, "{length}");
        }
        // The form from before 2017: the tag behind the ciphertext.
        let (key, tag) = sealed.key.as_bytes().split_at(right - 16);
        let long = [&sealed.ciphertext[..], tag].concat();
        let refused = open(version, key, sealed.iv.as_deref(), &long);
        assert_eq!(refused.unwrap_err(), PayloadError::KeyLength);
    }
}

#[test]
fn a01_another_recipient_cannot_exchange_the_payload() {
    for version in Version::ALL {
        let rng = &mut FixedRandomness::new("a01");
        let sealed = seal(version, b"meet me at the tomb", rng).unwrap();
        let other = seal(version, b"meet me at the feast", rng).unwrap();
        let refused = open(
            version,
            sealed.key.as_bytes(),
            other.iv.as_deref(),
            &other.ciphertext,
        );
        assert_eq!(refused.unwrap_err(), PayloadError::Mac);
        // Knowing the key as every recipient does, with the tag that the sender's message carries.
        let mut forged = sealed.ciphertext.clone();
        forged[0] ^= 1;
        let refused = open(
            version,
            sealed.key.as_bytes(),
            sealed.iv.as_deref(),
            &forged,
        );
        assert_eq!(refused.unwrap_err(), PayloadError::Mac);
    }
}

/// Made with Python's `cryptography` 50: key 00..0f, IV 00..0f (16 bytes), plaintext "sixteen byte iv".
#[test]
fn kat_quirk_06_a_legacy_iv_of_16_bytes_is_accepted() {
    let key = unhex(IV16_KEY_AND_TAG);
    let iv: Vec<u8> = (0..16).collect();
    let text = open(Version::Legacy, &key, Some(&iv), &unhex(IV16_CIPHERTEXT)).unwrap();
    assert_eq!(text.as_slice(), b"sixteen byte iv");
}

const IV16_KEY_AND_TAG: &str = "000102030405060708090a0b0c0d0e0f555a0270b9f5398dd11d94b8851f633d";
const IV16_CIPHERTEXT: &str = "d9c1ebeafce7a7e393c1630ba416de";

#[test]
fn quirk_06_a_legacy_iv_of_another_length_is_refused() {
    let sealed = seal(Version::Legacy, b"text", &mut FixedRandomness::new("iv")).unwrap();
    let key = sealed.key.as_bytes();
    for length in (0..40).filter(|length| ![12, 16].contains(length)) {
        let refused = open(
            Version::Legacy,
            key,
            Some(&vec![0; length]),
            &sealed.ciphertext,
        );
        assert_eq!(refused.unwrap_err(), PayloadError::IvLength, "{length}");
    }
    let refused = open(Version::Legacy, key, None, &sealed.ciphertext);
    assert_eq!(refused.unwrap_err(), PayloadError::MissingIv);
    let refused = open(Version::Legacy, key, Some(&[0; 16]), &sealed.ciphertext);
    assert_eq!(refused.unwrap_err(), PayloadError::Mac);
}

#[test]
fn empty_messages_are_32_bytes_in_both_protocols() {
    let rng = &mut FixedRandomness::new("empty");
    let omemo2 = empty(Version::Omemo2, rng).unwrap();
    assert_eq!(omemo2.key.as_bytes(), [0; 32]);
    assert_eq!(omemo2.iv, None);
    assert!(
        open_empty(Version::Omemo2, omemo2.key.as_bytes())
            .unwrap()
            .is_none()
    );

    let legacy = empty(Version::Legacy, rng).unwrap();
    let key = legacy.key.as_bytes();
    assert_eq!(key.len(), 32);
    let carried = open_empty(Version::Legacy, key).unwrap().unwrap();
    assert_eq!(carried.as_bytes(), &key[..16]);
    let nothing = open(Version::Legacy, key, legacy.iv.as_deref(), b"").unwrap();
    assert!(nothing.is_empty(), "the tag is a right one");
    assert_ne!(empty(Version::Legacy, rng).unwrap().key.as_bytes(), key);
}

#[test]
fn quirk_09_key_transport_of_16_or_32_bytes_is_accepted() {
    for length in 0..80 {
        let key = vec![7; length];
        assert_eq!(
            open_empty(Version::Legacy, &key).is_ok(),
            [16, 32].contains(&length)
        );
        assert_eq!(open_empty(Version::Omemo2, &key).is_ok(), length == 32);
    }
}

#[test]
fn an_authentic_ciphertext_of_a_wrong_length_is_no_panic() {
    // The empty ciphertext, under a tag that is right for it.
    let tag = unhex("ee980220538a2aca1e057635b8e606b3");
    let key = [&[9; 32][..], &tag].concat();
    let refused = open(Version::Omemo2, &key, None, b"");
    assert_eq!(refused.unwrap_err(), PayloadError::Ciphertext);
}

#[test]
fn legacy_03_no_key_or_iv_comes_twice() {
    let rng = &mut omemo_ratchet::SystemRandomness;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..10_000 {
        let sealed = seal(Version::Legacy, b"", rng).unwrap();
        assert!(seen.insert((sealed.key.as_bytes()[..16].to_vec(), sealed.iv)));
    }
}

#[test]
fn a28_payload_keys_do_not_show_in_debug_output() {
    let sealed = seal(Version::Omemo2, b"text", &mut FixedRandomness::new("debug")).unwrap();
    assert!(format!("{sealed:?}").contains("redacted"));
}

#[test]
fn failing_randomness_is_reported() {
    for version in Version::ALL {
        assert!(matches!(
            seal(version, b"", &mut NoRandomness),
            Err(PayloadError::Randomness(_))
        ));
    }
}
