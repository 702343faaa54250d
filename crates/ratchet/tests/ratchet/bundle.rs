//! Bundles: what is published, what is accepted.

use ed25519_dalek::{Signer, SigningKey};
use omemo_ratchet::{
    Bundle, BundleError, IdentityKey, KeyError, PreKeyId, PreKeyPair, Session, SessionError,
    SignedPreKeyId, Version,
};

use crate::common::{Device, NoRandomness, key_exchange};

#[test]
fn what_we_publish_verifies_and_has_the_protocols_lengths() {
    for (version, length) in [(Version::Omemo2, 32), (Version::Legacy, 33)] {
        let device = Device::new(version, "romeo");
        let bundle = device.bundle();
        assert_eq!(bundle.identity_key.len(), length);
        assert_eq!(bundle.signed_pre_key.len(), length);
        assert_eq!(bundle.signed_pre_key_signature.len(), 64);
        assert!(bundle.pre_keys.iter().all(|(_, key)| key.len() == length));
        let verified = bundle.verify(version).unwrap();
        assert_eq!(verified.identity(), device.identity.public());
        assert_eq!(verified.pre_key_count(), 3);
        assert_eq!(verified.version(), version);
    }
}

#[test]
fn rule_13_a_flipped_bit_in_signature_or_signed_prekey_is_refused() {
    for version in Version::ALL {
        let bundle = Device::new(version, "romeo").bundle();
        for bit in 0..512 {
            let mut flipped = bundle.clone();
            flipped.signed_pre_key_signature[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                flipped.verify(version).unwrap_err(),
                BundleError::Signature,
                "bit {bit}"
            );
        }
        for bit in 0..bundle.signed_pre_key.len() * 8 {
            let mut flipped = bundle.clone();
            flipped.signed_pre_key[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(flipped.verify(version).unwrap_err(), BundleError::Signature);
        }
        for length in [0, 63, 65] {
            let mut short = bundle.clone();
            short.signed_pre_key_signature.resize(length, 0);
            assert_eq!(short.verify(version).unwrap_err(), BundleError::Signature);
        }
    }
}

#[test]
fn rule_13_another_devices_signature_is_refused() {
    for version in Version::ALL {
        let mut bundle = Device::new(version, "romeo").bundle();
        bundle.signed_pre_key_signature = Device::new(version, "tybalt")
            .bundle()
            .signed_pre_key_signature;
        assert_eq!(bundle.verify(version).unwrap_err(), BundleError::Signature);
    }
}

/// A legacy bundle of a device whose identity is an Ed25519 key with the given sign.
fn legacy_bundle(sign: u8) -> Bundle {
    let signer = (0..)
        .map(|seed| SigningKey::from_bytes(&[seed; 32]))
        .find(|signer| signer.verifying_key().to_bytes()[31] >> 7 == sign)
        .unwrap();
    let identity = IdentityKey::from_ed25519(&signer.verifying_key().to_bytes()).unwrap();
    let mut bundle = Device::new(Version::Legacy, "signs").bundle();
    bundle.identity_key = [&[5][..], identity.curve25519()].concat();
    bundle.signed_pre_key_signature = signer.sign(&bundle.signed_pre_key).to_bytes().to_vec();
    bundle.signed_pre_key_signature[63] |= sign << 7;
    bundle
}

#[test]
fn quirk_24_a_legacy_signature_carries_the_sign_of_its_signer() {
    for sign in [0, 1] {
        let mut bundle = legacy_bundle(sign);
        bundle.verify(Version::Legacy).unwrap();
        bundle.signed_pre_key_signature[63] ^= 0x80;
        assert_eq!(
            bundle.verify(Version::Legacy).unwrap_err(),
            BundleError::Signature
        );
    }
}

#[test]
fn quirk_25_an_identity_with_sign_1_is_accepted() {
    let device = Device::new(Version::Omemo2, "romeo");
    for seed in 0..16 {
        let signer = SigningKey::from_bytes(&[seed; 32]);
        let mut bundle = device.bundle();
        bundle.identity_key = signer.verifying_key().to_bytes().to_vec();
        bundle.signed_pre_key_signature = signer.sign(&bundle.signed_pre_key).to_bytes().to_vec();
        bundle.verify(Version::Omemo2).unwrap();
    }
    // The sign on the wire is the one that must verify.
    let mut bundle = device.bundle();
    bundle.identity_key[31] ^= 0x80;
    assert_eq!(
        bundle.verify(Version::Omemo2).unwrap_err(),
        BundleError::Signature
    );
}

#[test]
fn a12_a_bundle_of_the_other_protocol_is_refused() {
    let omemo2 = Device::new(Version::Omemo2, "romeo").bundle();
    assert_eq!(
        omemo2.verify(Version::Legacy).unwrap_err(),
        BundleError::IdentityKey(KeyError::Length)
    );
    let legacy = Device::new(Version::Legacy, "romeo").bundle();
    assert_eq!(
        legacy.verify(Version::Omemo2).unwrap_err(),
        BundleError::IdentityKey(KeyError::Length)
    );

    let mut juliet = Device::new(Version::Legacy, "juliet");
    let verified = omemo2.verify(Version::Omemo2).unwrap();
    let refused = Session::initiate(
        Version::Legacy,
        &juliet.identity,
        1,
        &verified,
        &mut juliet.rng,
    );
    assert!(matches!(refused, Err(SessionError::Version)));
}

#[test]
fn quirk_26_the_type_byte_must_be_5() {
    let mut bundle = Device::new(Version::Legacy, "romeo").bundle();
    bundle.identity_key[0] = 4;
    assert_eq!(
        bundle.verify(Version::Legacy).unwrap_err(),
        BundleError::IdentityKey(KeyError::Type)
    );
}

#[test]
fn bad_prekeys_are_passed_over_while_a_good_one_remains() {
    for version in Version::ALL {
        let device = Device::new(version, "romeo");
        let mut bundle = device.bundle();
        bundle.pre_keys[0].1.pop();
        bundle.pre_keys[1].0 = 0x8000_0000;
        assert_eq!(bundle.verify(version).unwrap().pre_key_count(), 1);
        bundle.pre_keys.push(bundle.pre_keys[2].clone());
        assert_eq!(
            bundle.verify(version).unwrap().pre_key_count(),
            1,
            "one id, one key"
        );
        bundle.pre_keys.truncate(2);
        assert_eq!(bundle.verify(version).unwrap_err(), BundleError::NoPreKey);
        bundle.pre_keys.clear();
        assert_eq!(bundle.verify(version).unwrap_err(), BundleError::NoPreKey);
    }
}

#[test]
fn quirk_27_a_bundle_with_one_prekey_is_enough() {
    for version in Version::ALL {
        let mut romeo = Device::new(version, "romeo");
        let mut bundle = romeo.bundle();
        bundle.pre_keys.truncate(1);
        assert_eq!(bundle.verify(version).unwrap().pre_key_count(), 1);
        let mut peer = Device::new(version, "juliet").initiate(&bundle);
        let (_, text) = romeo.respond(&peer.send(b"first").bytes).unwrap();
        assert_eq!(text, b"first");
    }
}

#[test]
fn a_signed_prekey_id_out_of_range_is_refused() {
    for version in Version::ALL {
        let mut bundle = Device::new(version, "romeo").bundle();
        bundle.signed_pre_key_id = 0x8000_0000;
        assert_eq!(
            bundle.verify(version).unwrap_err(),
            BundleError::SignedPreKeyId
        );
    }
}

#[test]
fn rule_14_every_prekey_is_drawn() {
    for version in Version::ALL {
        let bundle = Device::new(version, "romeo").bundle();
        let mut juliet = Device::new(version, "juliet");
        let mut drawn = [0; 4];
        for _ in 0..300 {
            let sealed = juliet.initiate(&bundle).send(b"x");
            let id = key_exchange(version, &sealed.bytes).pre_key_id().get();
            drawn[usize::try_from(id).unwrap()] += 1;
        }
        assert_eq!(drawn[0], 0);
        assert!(drawn[1..].iter().all(|count| *count > 60), "{drawn:?}");
    }
}

#[test]
fn quirk_17_prekey_0_is_the_last_resort() {
    for version in Version::ALL {
        let mut bundle = Device::new(version, "romeo").bundle();
        bundle.signed_pre_key_id = 0;
        bundle.pre_keys.truncate(2);
        bundle.pre_keys[0].0 = 0;
        let mut juliet = Device::new(version, "juliet");
        for _ in 0..50 {
            let sealed = juliet.initiate(&bundle).send(b"x");
            assert_eq!(key_exchange(version, &sealed.bytes).pre_key_id().get(), 2);
        }
        bundle.pre_keys.truncate(1);
        let sealed = juliet.initiate(&bundle).send(b"x");
        let exchange = key_exchange(version, &sealed.bytes);
        assert_eq!(exchange.pre_key_id().get(), 0);
        assert_eq!(exchange.signed_pre_key_id().get(), 0);
    }
}

#[test]
fn rule_09_ids_run_to_2_31_and_have_two_spaces() {
    assert!(PreKeyId::parse(0x7fff_ffff).is_ok());
    assert!(PreKeyId::parse(0x8000_0000).is_err());
    assert!(SignedPreKeyId::parse(0).is_ok());
    assert!(SignedPreKeyId::parse(u32::MAX).is_err());
    for version in Version::ALL {
        let mut romeo = Device::new(version, "romeo");
        let same = PreKeyId::parse(romeo.signed_pre_key.id().get()).unwrap();
        romeo.pre_keys = vec![PreKeyPair::generate(same, &mut romeo.rng).unwrap()];
        let mut peer = Device::new(version, "juliet").initiate(&romeo.bundle());
        assert_eq!(
            romeo.respond(&peer.send(b"equal ids").bytes).unwrap().1,
            b"equal ids"
        );
    }
}

#[test]
fn quirk_20_the_greatest_id_of_our_own_is_below_0xffffff() {
    assert_eq!(PreKeyId::MAX_OWN.get(), 0xff_fffe);
    assert_eq!(SignedPreKeyId::MAX_OWN.get(), 0xff_fffe);
}

#[test]
fn prekeys_come_back_from_their_parts() {
    for version in Version::ALL {
        let device = Device::new(version, "romeo");
        let pre_key = &device.pre_keys[0];
        let restored = PreKeyPair::from_parts(pre_key.id(), *pre_key.secret());
        assert_eq!(restored.public(), pre_key.public());
        let signed = &device.signed_pre_key;
        let restored = omemo_ratchet::SignedPreKeyPair::from_parts(
            signed.id(),
            *signed.secret(),
            *signed.signature(),
        );
        assert_eq!(restored.public(), signed.public());
        assert_eq!(restored.signature(), signed.signature());
    }
}

#[test]
fn failing_randomness_builds_nothing() {
    let bundle = Device::new(Version::Omemo2, "romeo")
        .bundle()
        .verify(Version::Omemo2)
        .unwrap();
    let juliet = Device::new(Version::Omemo2, "juliet");
    let refused = Session::initiate(
        Version::Omemo2,
        &juliet.identity,
        1,
        &bundle,
        &mut NoRandomness,
    );
    assert!(matches!(refused, Err(SessionError::Randomness(_))));
}
