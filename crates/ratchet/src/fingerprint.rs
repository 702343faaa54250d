//! Fingerprints: what two people compare.
//!
//! XEP-0384 §8 advises the Curve25519 form of the identity key in lowercase hexadecimal, in eight groups of eight
//! digits, which is also what the legacy protocol shows. All 256 bits count: never compare a part.

use std::fmt;
use std::str::FromStr;

use crate::error::FingerprintError;

/// The fingerprint of an identity key: its Curve25519 form (32 bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of the identity key with this Curve25519 form (32 bytes).
    #[must_use]
    pub const fn new(curve25519: [u8; 32]) -> Self {
        Self(curve25519)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Eight groups of eight lowercase hexadecimal digits, in reading order.
    #[must_use]
    pub fn groups(&self) -> [String; 8] {
        let mut words = self.0.chunks_exact(4);
        std::array::from_fn(|_| {
            let word = words.next().unwrap_or_default();
            word.iter().map(|byte| format!("{byte:02x}")).collect()
        })
    }
}

/// The eight groups, separated by one space.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.groups().join(" "))
    }
}

/// Accepts upper and lower case, and white space, dashes and colons anywhere.
impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut digits = text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | ':'));
        let mut bytes = [0; 32];
        for byte in &mut bytes {
            *byte = digit(digits.next())? << 4 | digit(digits.next())?;
        }
        if digits.next().is_some() {
            return Err(FingerprintError);
        }
        Ok(Self(bytes))
    }
}

fn digit(c: Option<char>) -> Result<u8, FingerprintError> {
    let value = c.and_then(|c| c.to_digit(16)).ok_or(FingerprintError)?;
    u8::try_from(value).map_err(|_| FingerprintError)
}
