//! What the ratchet is made of, straight from the libraries that it uses.

use std::hint::black_box;

use aes::Aes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use criterion::Criterion;
use ed25519_dalek::{Signer, SigningKey};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};

pub(crate) fn all(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("primitives");
    let key = [0x42; 32];

    group.bench_function("x25519", |bencher| {
        let secret = StaticSecret::from(key);
        let theirs = PublicKey::from(&StaticSecret::from([0x17; 32]));
        bencher.iter(|| black_box(&secret).diffie_hellman(black_box(&theirs)));
    });
    group.bench_function("x25519-key-generation", |bencher| {
        bencher.iter(|| PublicKey::from(&StaticSecret::from(black_box(key))));
    });
    group.bench_function("ed25519-verify", |bencher| {
        let signer = SigningKey::from_bytes(&key);
        let public = signer.verifying_key().to_bytes();
        let message = [0x05; 33];
        let signature = signer.sign(&message);
        // A key that is met for the first time comes as bytes.
        bencher.iter(|| {
            ed25519_dalek::VerifyingKey::from_bytes(black_box(&public))
                .unwrap()
                .verify_strict(black_box(&message), &signature)
                .unwrap();
        });
    });
    group.bench_function("hmac-sha256", |bencher| {
        bencher.iter(|| {
            let mac = Hmac::<Sha256>::new_from_slice(black_box(&key)).unwrap();
            mac.chain_update(black_box([1])).finalize().into_bytes()
        });
    });
    group.bench_function("hkdf-sha256-80", |bencher| {
        let salt = [0; 32];
        bencher.iter(|| {
            let mut out = [0; 80];
            Hkdf::<Sha256>::new(Some(black_box(&salt)), black_box(&key))
                .expand(b"OMEMO Message Key Material", &mut out)
                .unwrap();
            out
        });
    });
    group.bench_function("aes-256-cbc-48", |bencher| {
        let plaintext = [0x2a; 48];
        let iv = [0x07; 16];
        bencher.iter(|| {
            cbc::Encryptor::<Aes256>::new(black_box(&key).into(), black_box(&iv).into())
                .encrypt_padded_vec::<Pkcs7>(black_box(&plaintext))
        });
    });
    group.finish();
}
