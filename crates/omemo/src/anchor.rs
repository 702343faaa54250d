//! The anchor: a few bytes that an app keeps where backups do not reach, so that a store which was put
//! back to an older state is noticed before anything is encrypted from it.

use omemo_ratchet::IdentityKey;
use sha2::{Digest, Sha256};

/// A place for a record of 16 bytes that no backup contains and no restored backup brings back: the
/// keychain or key store of the operating system (set to stay on this device), a file that backups
/// leave out, a counter in hardware.
///
/// The library reads it when an account is opened, and writes it after each commit and before the
/// call returns; it does both while it holds the store, so that processes that share a store and an
/// anchor never meet in it. One anchor belongs to one account. The record is not secret. It names
/// the store without naming the account, and counts its commits.
///
/// A file that backups leave out is `omemo_sqlite::FileAnchor`.
pub trait Anchor {
    /// The record that was written last; `None` when there never was one.
    ///
    /// # Errors
    /// [`AnchorError`] when it is not known whether there is one. Opening an account fails then:
    /// nobody could say whether its store is the newest.
    fn read(&mut self) -> Result<Option<[u8; 16]>, AnchorError>;

    /// Puts this record in the place of the old one. When it returns, the record is durable: it is
    /// there after a crash, and either the old or the new one is after a crash in the middle.
    ///
    /// # Errors
    /// [`AnchorError`]; it is reported as [`Event::AnchorFailed`](crate::Event), and the next call
    /// tries again.
    fn write(&mut self, record: &[u8; 16]) -> Result<(), AnchorError>;
}

/// Why an anchor cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the anchor cannot be used: {0}")]
pub struct AnchorError(Box<dyn std::error::Error + Send + Sync>);

impl AnchorError {
    /// An error with this cause, for people and logs.
    #[must_use]
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// Which store, and how many commits it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchored {
    store: [u8; 8],
    pub(crate) generation: u64,
}

impl Anchored {
    /// The record of the store with this identity key.
    pub(crate) fn new(identity: &IdentityKey, generation: u64) -> Self {
        let mut hash = Sha256::new_with_prefix(b"omemo anchor\0");
        hash.update(identity.curve25519());
        let mut store = [0; 8];
        for (byte, of_hash) in store.iter_mut().zip(hash.finalize()) {
            *byte = of_hash;
        }
        Self { store, generation }
    }

    /// Whether both are of one store.
    pub(crate) fn is_same_store(self, other: Self) -> bool {
        self.store == other.store
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        let mut store = [0; 8];
        let mut generation = [0; 8];
        let (first, last) = bytes.split_at(8);
        store.copy_from_slice(first);
        generation.copy_from_slice(last);
        Self {
            store,
            generation: u64::from_be_bytes(generation),
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        let (first, last) = bytes.split_at_mut(8);
        first.copy_from_slice(&self.store);
        last.copy_from_slice(&self.generation.to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use omemo_ratchet::IdentityKeyPair;

    use super::Anchored;

    #[test]
    fn a_record_names_its_store_and_keeps_its_generation() {
        let key = |n| *IdentityKeyPair::from_bytes([n; 32]).public();
        let one = Anchored::new(&key(1), 0x0102_0304_0506_0708);
        assert_eq!(Anchored::from_bytes(one.to_bytes()), one);
        // the form is for ever: what is outside the store cannot be migrated with it
        assert_eq!(one.to_bytes()[8..], [1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(one.is_same_store(Anchored::new(&key(1), 9)));
        assert!(!one.is_same_store(Anchored::new(&key(2), 9)));
        assert_ne!(one.to_bytes()[..8], key(1).curve25519()[..8]);
    }
}
