//! HKDF-SHA-256 and HMAC-SHA-256, as every other file here uses them.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The salt of X3DH, message keys and payloads: 32 zero bytes.
pub(crate) const ZERO_SALT: [u8; 32] = [0; 32];

/// HKDF-SHA-256 with `N` bytes of output.
pub(crate) fn hkdf<const N: usize>(salt: &[u8; 32], input: &[u8], info: &[u8], out: &mut [u8; N]) {
    const { assert!(N <= 255 * 32, "HKDF-SHA-256 gives at most 8160 bytes") };
    // The only error is an output that is too long, which the line above excludes.
    let expanded = Hkdf::<Sha256>::new(Some(salt), input).expand(info, out);
    debug_assert!(expanded.is_ok(), "the length was checked at compile time");
}

/// HMAC-SHA-256, keyed.
pub(crate) fn hmac(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = zeroize::Zeroizing::new([0; 64]);
    let (head, _) = block.split_at_mut(32);
    head.copy_from_slice(key);
    // A key of exactly one block, unlike a slice, leaves no error to handle; HMAC itself pads with zeros.
    Hmac::new((&*block).into())
}

/// The whole 32 bytes of a finished HMAC.
pub(crate) fn finish(mac: Hmac<Sha256>) -> [u8; 32] {
    mac.finalize().into_bytes().into()
}
