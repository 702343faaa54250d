//! Bytes that look random and are always the same.

use sha2::{Digest, Sha256};

/// A source of bytes by name: what is drawn depends on nothing but the names.
#[derive(Debug, Clone)]
pub(super) struct Seed(String);

impl Seed {
    pub(super) fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// A source for a part.
    pub(super) fn part(&self, name: impl std::fmt::Display) -> Self {
        Self(format!("{}/{name}", self.0))
    }

    /// So many bytes.
    pub(super) fn bytes(&self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 32);
        for block in 0_u32.. {
            if bytes.len() >= length {
                break;
            }
            let name = format!("omemo test vectors/{}/{block}", self.0);
            bytes.extend_from_slice(&Sha256::digest(name));
        }
        bytes.truncate(length);
        bytes
    }

    /// So many bytes, as an array.
    pub(super) fn array<const N: usize>(&self) -> [u8; N] {
        let mut array = [0; N];
        array.copy_from_slice(&self.bytes(N));
        array
    }

    /// So many bytes, in hexadecimal.
    pub(super) fn hex(&self, length: usize) -> String {
        hex::encode(self.bytes(length))
    }
}
