//! The layers below a session, as the feature `hazmat` opens them.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use omemo_ratchet::hazmat::{
    chain_step, check_torsion_free, diffie_hellman, ed25519_verify,
    message_decrypt_unauthenticated, message_seal, public_key, root_step, x3dh_initiate,
    x3dh_respond, xeddsa_sign,
};
use omemo_ratchet::{IdentityKeyPair, MessageKey, OpenError, Version};

use crate::common::proto::Field::{Bytes, Number};
use crate::common::{FixedRandomness, Peer, established, message, proto};

#[test]
fn both_sides_of_x3dh_agree_and_every_key_counts() {
    let secrets: [[u8; 32]; 5] = std::array::from_fn(|at| [u8::try_from(at).unwrap() + 1; 32]);
    let agree = |version, [ik_a, ek_a, ik_b, spk_b, pk_b]: &[[u8; 32]; 5]| {
        let [bob, signed, one_time] = [ik_b, spk_b, pk_b].map(public_key);
        let initiated = x3dh_initiate(version, ik_a, ek_a, &bob, &signed, &one_time).unwrap();
        let [alice, ephemeral] = [ik_a, ek_a].map(public_key);
        let responded = x3dh_respond(version, ik_b, spk_b, pk_b, &alice, &ephemeral).unwrap();
        assert_eq!(initiated, responded);
        initiated
    };
    for version in Version::ALL {
        let expected = agree(version, &secrets);
        for at in 0..5 {
            let mut other = secrets;
            other[at] = [99; 32];
            assert_ne!(agree(version, &other), expected);
        }
    }
    assert_ne!(
        agree(Version::Omemo2, &secrets),
        agree(Version::Legacy, &secrets)
    );
}

#[test]
fn the_protocols_share_the_chain_and_nothing_else() {
    let omemo2 = root_step(Version::Omemo2, &[1; 32], &[2; 32]);
    let legacy = root_step(Version::Legacy, &[1; 32], &[2; 32]);
    assert_ne!(omemo2, legacy);
    let (message_key, next) = chain_step(&[3; 32]);
    assert_ne!(message_key, next);

    let (first, second) = ([4; 32], [5; 32]);
    for version in Version::ALL {
        let (ciphertext, tag) =
            message_seal(version, &message_key, &first, &second, b"head", b"text");
        let text = message_decrypt_unauthenticated(version, &message_key, &ciphertext).unwrap();
        assert_eq!(text.as_slice(), b"text");
        let (_, swapped) = message_seal(version, &message_key, &second, &first, b"head", b"text");
        assert_ne!(tag, swapped, "the tag binds the order of the identity keys");
    }
}

#[test]
fn the_layers_agree_with_the_types_above_them() {
    let pair = IdentityKeyPair::from_bytes([7; 32]);
    let public = public_key(&[7; 32]);
    assert_eq!(public.as_bytes(), pair.public().curve25519());
    check_torsion_free(&public).unwrap();
    let other = public_key(&[8; 32]);
    assert_eq!(
        diffie_hellman(&[7; 32], &other),
        diffie_hellman(&[8; 32], &public)
    );
    let signature = xeddsa_sign(&[7; 32], b"text", &mut FixedRandomness::new("layers")).unwrap();
    ed25519_verify(&pair.public().ed25519(), b"text", &signature).unwrap();
    pair.public().verify(b"text", &signature).unwrap();
}

/// A late message of `sender`, made again with the identity keys in the order that is asked for.
fn reordered(sender: &mut Peer, receiver: &mut Peer, swapped: bool) -> (Vec<u8>, MessageKey) {
    let version = sender.session.version();
    let late = message(version, &sender.send(b"late").bytes);
    receiver.receive(&sender.send(b"x").bytes).unwrap();
    let key = receiver
        .skipped
        .remove(&(*late.ratchet_key(), late.number()))
        .unwrap();

    let [from, to] =
        [receiver.session.peer(), sender.session.peer()].map(|identity| match version {
            Version::Omemo2 => identity.ed25519(),
            Version::Legacy => *identity.curve25519(),
        });
    let sender_first = version == Version::Legacy || sender.session.initiated_by_us();
    let (first, second) = if sender_first != swapped {
        (from, to)
    } else {
        (to, from)
    };
    let header = match version {
        Version::Omemo2 => proto::write(&[
            Number(1, late.number().into()),
            Number(2, late.previous().into()),
            Bytes(3, late.ratchet_key().as_bytes().to_vec()),
        ]),
        Version::Legacy => [
            vec![0x33],
            proto::write(&[
                Bytes(1, [&[5][..], late.ratchet_key().as_bytes()].concat()),
                Number(2, late.number().into()),
                Number(3, late.previous().into()),
            ]),
        ]
        .concat(),
    };
    // field 4, and the length of a text of one block
    let before = [&header[..], &[0x22, 16]].concat();
    let (ciphertext, tag) = message_seal(version, &key, &first, &second, &before, b"made again");
    let all = [before, ciphertext].concat();
    let bytes = match version {
        Version::Omemo2 => proto::write(&[Bytes(1, tag[..16].to_vec()), Bytes(2, all)]),
        Version::Legacy => [&all[..], &tag[..8]].concat(),
    };
    (bytes, MessageKey::from_bytes(key))
}

/// The initiator's key stands first in omemo:2, the sender's in legacy; no other order is tried.
#[test]
fn quirk_01_no_other_order_of_the_identity_keys_is_accepted() {
    for version in Version::ALL {
        for from_initiator in [true, false] {
            let (mut sender, mut receiver) = established(version);
            if !from_initiator {
                std::mem::swap(&mut sender, &mut receiver);
            }
            for swapped in [false, true] {
                let (bytes, key) = reordered(&mut sender, &mut receiver, swapped);
                let parsed = message(version, &bytes);
                let opened = receiver.session.open(&parsed, Some(key), &mut receiver.rng);
                match opened {
                    Ok(opened) => assert!(!swapped && opened.plaintext() == b"made again"),
                    Err(error) => assert!(swapped && error == OpenError::Mac, "{error}"),
                }
            }
        }
    }
}

/// Under a key of small order whoever likes can sign: S = s, R = s·B, and a message whose hash makes h·A vanish.
#[test]
fn a24_a_key_of_small_order_verifies_nothing() {
    let s = Scalar::from(7_u64);
    let commitment = EdwardsPoint::mul_base(&s).compress().0;
    let signature = [commitment, s.to_bytes()].concat();
    let forged = Signature::from_slice(&signature).unwrap();
    for point in EIGHT_TORSION {
        let public = point.compress().0;
        let lenient = VerifyingKey::from_bytes(&public).unwrap();
        let message = (0..=u8::MAX)
            .map(|byte| [byte])
            .find(|message| lenient.verify(message, &forged).is_ok())
            .expect("one message in eight at least");
        assert!(ed25519_verify(&public, &message, &signature).is_err());
    }
}
