//! HKDF-SHA-256 (RFC 5869) and HMAC-SHA-256, as every other file here uses them.
//!
//! ```text
//! PRK = HMAC(salt, input)        T(i) = HMAC(PRK, T(i − 1) ‖ info ‖ i)        output = T(1) ‖ T(2) ‖ …
//! ```

use std::sync::LazyLock;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// HMAC keyed with 32 zero bytes, the salt of X3DH, message keys and payloads. A constant that is worth keeping: it
/// saves two of the 26 blocks that are hashed for a message.
static ZERO_SALT: LazyLock<Hmac<Sha256>> = LazyLock::new(|| hmac(&[0; 32]));

/// HKDF-SHA-256 with `N` bytes of output.
pub(crate) fn hkdf<const N: usize>(
    salt: &[u8; 32],
    input: &[u8],
    info: &[u8],
) -> Zeroizing<[u8; N]> {
    expand(hmac(salt).chain_update(input), info)
}

/// HKDF-SHA-256 with a salt of 32 zero bytes and `N` bytes of output.
pub(crate) fn hkdf_zero_salt<const N: usize>(input: &[u8], info: &[u8]) -> Zeroizing<[u8; N]> {
    expand(ZERO_SALT.clone().chain_update(input), info)
}

#[expect(
    clippy::expect_used,
    reason = "both lengths are known at compile time, and zeros instead of a key would be worse"
)]
fn expand<const N: usize>(extracted: Hmac<Sha256>, info: &[u8]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 255 * 32, "HKDF-SHA-256 gives at most 8160 bytes") };
    let pseudorandom_key = Zeroizing::new(finish(extracted));
    let mut output = Zeroizing::new([0; N]);
    Hkdf::<Sha256>::from_prk(pseudorandom_key.as_slice())
        .expect("32 bytes are enough")
        .expand(info, output.as_mut_slice())
        .expect("not more than 8160 bytes");
    output
}

/// HMAC-SHA-256, keyed.
pub(crate) fn hmac(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; 64]);
    let (head, _) = block.split_at_mut(32);
    head.copy_from_slice(key);
    // A key of exactly one block, unlike a slice, leaves no error to handle; HMAC itself pads with zeros.
    Hmac::new((&*block).into())
}

/// The whole 32 bytes of a finished HMAC.
pub(crate) fn finish(mac: Hmac<Sha256>) -> [u8; 32] {
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
