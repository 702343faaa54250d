//! The one home of 32 secret bytes.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::RandomnessError;
use crate::randomness::{Randomness, Role};

/// 32 secret bytes: on the heap, so that moving the owner leaves no copy behind, and wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Secret(Box<[u8; 32]>);

impl Secret {
    pub(crate) fn generate(role: Role, rng: &mut dyn Randomness) -> Result<Self, RandomnessError> {
        let mut secret = Self(Box::new([0; 32]));
        rng.fill(role, secret.0.as_mut_slice())?;
        Ok(secret)
    }

    pub(crate) fn from_array(bytes: &[u8; 32]) -> Self {
        Self(Box::new(*bytes))
    }

    /// The left and the right half of 64 secret bytes.
    pub(crate) fn halves(bytes: &[u8; 64]) -> (Self, Self) {
        let mut halves = (Self(Box::new([0; 32])), Self(Box::new([0; 32])));
        let (left, right) = bytes.split_at(32);
        halves.0.as_mut_bytes().copy_from_slice(left);
        halves.1.as_mut_bytes().copy_from_slice(right);
        halves
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn as_mut_bytes(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }

    /// A copy for the store, which the caller cannot forget to wipe.
    pub(crate) fn export(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(*self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.write_str("[redacted]")
    }
}
