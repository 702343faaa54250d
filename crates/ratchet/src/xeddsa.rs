//! XEdDSA: Ed25519 signatures from a Curve25519 key (XEP-0384 §4.2, "Sig(PK, M)").
//!
//! ```text
//! E = k·B        a = k if sign(E) = 0, else −k        A = a·B, whose sign is 0
//! r = SHA-512(FE ‖ FF×31 ‖ a ‖ M ‖ Z) mod L           Z: 64 random bytes
//! R = r·B        h = SHA-512(R ‖ A ‖ M) mod L        S = r + h·a mod L        signature = R ‖ S
//! ```
//!
//! `k` is the clamped secret. The signature is a plain Ed25519 one, so any Ed25519 library verifies it.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha512};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{RandomnessError, SignatureError};
use crate::randomness::{Randomness, Role};

/// hash₁ of the XEdDSA specification: SHA-512 over 2²⁵⁶ − 1 − 1 first, which no encoded point can be.
const HASH_1_PREFIX: [u8; 32] = {
    let mut prefix = [0xff; 32];
    prefix[0] = 0xfe;
    prefix
};

/// The public point of a secret, negated if necessary so that its sign is 0.
pub(crate) fn public_key(secret: &[u8; 32]) -> EdwardsPoint {
    let (mut scalar, public) = key_pair(secret);
    scalar.zeroize();
    public
}

/// Signs `message`. The result is 64 bytes, and bit 7 of the last one is 0.
pub(crate) fn sign(
    secret: &[u8; 32],
    message: &[u8],
    rng: &mut dyn Randomness,
) -> Result<[u8; 64], RandomnessError> {
    let mut nonce = Zeroizing::new([0; 64]);
    rng.fill(Role::SignatureNonce, nonce.as_mut_slice())?;
    let (mut a, public) = key_pair(secret);
    let public = public.compress();

    let encoded_a = Zeroizing::new(a.to_bytes());
    let mut r = hash(&[
        &HASH_1_PREFIX,
        encoded_a.as_slice(),
        message,
        nonce.as_slice(),
    ]);
    let commitment = EdwardsPoint::mul_base(&r).compress();
    let h = hash(&[commitment.as_bytes(), public.as_bytes(), message]);
    let s = r + h * a;
    r.zeroize();
    a.zeroize();

    let mut signature = [0; 64];
    let (left, right) = signature.split_at_mut(32);
    left.copy_from_slice(commitment.as_bytes());
    right.copy_from_slice(s.as_bytes());
    Ok(signature)
}

/// Verifies an Ed25519 signature strictly (RFC 8032, cofactorless, no small-order key or commitment).
pub(crate) fn verify(
    public: &[u8; 32],
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    let signature: [u8; 64] = signature.try_into().map_err(|_| SignatureError)?;
    let signature = Signature::from_bytes(&signature);
    // S < L is checked here too: a feature of the library below, which any crate in a build can switch on, relaxes it.
    if bool::from(Scalar::from_canonical_bytes(*signature.s_bytes()).is_none()) {
        return Err(SignatureError);
    }
    VerifyingKey::from_bytes(public)
        .and_then(|key| key.verify_strict(message, &signature))
        .map_err(|_| SignatureError)
}

/// (a, A) of the formula above.
fn key_pair(secret: &[u8; 32]) -> (Scalar, EdwardsPoint) {
    let clamped = Zeroizing::new(clamp_integer(*secret));
    let k = Scalar::from_bytes_mod_order(*clamped);
    let point = EdwardsPoint::mul_base(&k);
    // Which of the two forms our secret gives is public knowledge for whoever sees both, but branching on a secret
    // is a habit to avoid.
    let [.., last] = point.compress().0;
    let sign = subtle::Choice::from(last >> 7);
    let a = <Scalar as subtle::ConditionallySelectable>::conditional_select(&k, &-k, sign);
    let public = <EdwardsPoint as subtle::ConditionallySelectable>::conditional_select(
        &point, &-point, sign,
    );
    (a, public)
}

fn hash(parts: &[&[u8]]) -> Scalar {
    let mut digest = Sha512::new();
    for part in parts {
        digest.update(part);
    }
    let wide = Zeroizing::new(<[u8; 64]>::from(digest.finalize()));
    Scalar::from_bytes_mod_order_wide(&wide)
}
