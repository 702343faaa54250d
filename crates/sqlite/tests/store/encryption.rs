//! Encrypted files. Without the feature `sqlcipher` there are none, and a key is refused.

use std::fs;

use crate::common::{Outcome, account, generation, write};
use omemo::store::StoreError;
use omemo_sqlite::{SqliteOptions, SqliteStore, StoreKey};

#[cfg(feature = "sqlcipher")]
mod built_in;

pub(crate) fn key(byte: u8) -> StoreKey {
    StoreKey::from_bytes([byte; 32])
}

pub(crate) fn with_key(byte: u8) -> SqliteOptions {
    let mut options = SqliteOptions::default();
    options.key = Some(key(byte));
    options
}

#[test]
fn a_key_is_not_printed() {
    assert_eq!(format!("{:?}", key(7)), "StoreKey { .. }");
    assert!(!format!("{:?}", with_key(7)).contains('7'));
}

/// With random bytes where a store is expected, whether this program can encrypt or not.
#[test]
fn what_begins_like_no_database_may_be_encrypted() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    let noise: Vec<u8> = (0..256).flat_map(crate::common::noise).collect();
    assert_eq!(noise.len(), 2 * 4_096);
    fs::write(&path, &noise)?;
    let refused = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(refused, StoreError::Encrypted), "{refused}");
    assert_eq!(fs::read(&path)?, noise);
    Ok(())
}

#[cfg(not(feature = "sqlcipher"))]
#[test]
fn a_key_is_refused_where_encryption_is_not_built_in() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    let refused = SqliteStore::open_with(&path, &with_key(1)).unwrap_err();
    assert!(matches!(refused, StoreError::NoEncryption), "{refused}");
    let refused = SqliteStore::rekey(&path, &key(1), &key(2)).unwrap_err();
    assert!(matches!(refused, StoreError::NoEncryption), "{refused}");
    assert!(!path.exists());

    write(&mut SqliteStore::open(&path)?, [account(3)])?;
    let refused = SqliteStore::open_with(&path, &with_key(1)).unwrap_err();
    assert!(matches!(refused, StoreError::NoEncryption), "{refused}");
    assert_eq!(generation(&mut SqliteStore::open(&path)?)?, 3);
    Ok(())
}

#[cfg(feature = "sqlcipher")]
#[test]
fn stores_without_a_key_are_plain() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    write(&mut SqliteStore::open(&path)?, [account(3)])?;
    assert!(fs::read(&path)?.starts_with(b"SQLite format 3\0"));
    assert_eq!(generation(&mut SqliteStore::open(&path)?)?, 3);
    Ok(())
}
