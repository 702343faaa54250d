//! The primitives below the key derivations, with their keys in hand.
//!
//! Each calls the very function that sessions and payloads use, so it takes what they give it: salts and keys of 32 bytes.
//! AES-128-GCM needs no door here: [`payload::open`](crate::payload::open) takes any key and initialisation vector.

use zeroize::Zeroizing;

use crate::kdf;
use crate::message_key::{self, CipherKeys};

/// HKDF-SHA-256 with a salt (32 bytes) and `N` bytes of output.
///
/// ```
/// let key = omemo_ratchet::hazmat::hkdf::<8160>(&[1; 32], b"input", b"info");
/// assert_ne!(key[..32], key[32..64]);
/// ```
///
/// More than 8160 bytes (255 blocks) do not compile:
///
/// ```compile_fail,E0080
/// let key = omemo_ratchet::hazmat::hkdf::<8161>(&[1; 32], b"input", b"info");
/// ```
#[must_use]
pub fn hkdf<const N: usize>(salt: &[u8; 32], input: &[u8], info: &[u8]) -> Zeroizing<[u8; N]> {
    kdf::hkdf(salt, input, info)
}

/// HKDF-SHA-256 with a salt of 32 zero bytes and `N` bytes of output.
#[must_use]
pub fn hkdf_zero_salt<const N: usize>(input: &[u8], info: &[u8]) -> Zeroizing<[u8; N]> {
    kdf::hkdf_zero_salt(input, info)
}

/// HMAC-SHA-256, as it tags payloads: all 32 bytes.
#[must_use]
pub fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    cipher_keys(&[0; 32], key, &[0; 16]).payload_tag(message)
}

/// Whether the first `length` bytes of a tag are what was received.
#[must_use]
pub fn tag_matches(tag: &[u8; 32], length: usize, received: &[u8]) -> bool {
    message_key::tag_matches(tag, length, received)
}

/// AES-256-CBC with PKCS#7 padding: encrypts.
#[must_use]
pub fn cbc_encrypt(key: &[u8; 32], iv: &[u8; 16], plaintext: &[u8]) -> Vec<u8> {
    cipher_keys(key, &[0; 32], iv).encrypt(plaintext)
}

/// AES-256-CBC with PKCS#7 padding: decrypts, without any check but the padding's.
#[must_use]
pub fn cbc_decrypt_unauthenticated(
    key: &[u8; 32],
    iv: &[u8; 16],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    cipher_keys(key, &[0; 32], iv).decrypt(ciphertext)
}

fn cipher_keys(encryption: &[u8; 32], authentication: &[u8; 32], iv: &[u8; 16]) -> CipherKeys {
    let mut bytes = Zeroizing::new([0; 80]);
    let (first, rest) = bytes.split_at_mut(32);
    let (second, third) = rest.split_at_mut(32);
    first.copy_from_slice(encryption);
    second.copy_from_slice(authentication);
    third.copy_from_slice(iv);
    CipherKeys::split(&bytes)
}
