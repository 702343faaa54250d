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
use x25519_dalek::{PublicKey, SharedSecret, StaticSecret};

const KEY: [u8; 32] = [0x42; 32];

pub(crate) fn all(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("primitives");
    let key = KEY;

    group.bench_function("x25519", |bencher| {
        bencher.iter(x25519());
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
        bencher.iter(hmac);
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

/// X25519 of one key with another.
pub(crate) fn x25519() -> impl Fn() -> SharedSecret {
    let secret = StaticSecret::from(KEY);
    let theirs = PublicKey::from(&StaticSecret::from([0x17; 32]));
    move || black_box(&secret).diffie_hellman(black_box(&theirs))
}

/// HMAC-SHA-256 of one byte.
pub(crate) fn hmac() -> impl AsRef<[u8]> {
    let mac = Hmac::<Sha256>::new_from_slice(black_box(&KEY)).unwrap();
    mac.chain_update(black_box([1])).finalize().into_bytes()
}
