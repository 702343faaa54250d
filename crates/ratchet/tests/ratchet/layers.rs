//! The layers below a session, as the feature `hazmat` opens them.

use omemo_ratchet::hazmat::{
    chain_step, check_torsion_free, diffie_hellman, ed25519_verify,
    message_decrypt_unauthenticated, message_seal, public_key, root_step, x3dh_initiate,
    x3dh_respond, xeddsa_sign,
};
use omemo_ratchet::{IdentityKeyPair, Version};

use crate::common::FixedRandomness;

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
