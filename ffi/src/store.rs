//! The file that accounts are in, and its key.

use std::ffi::c_char;

use omemo_sqlite::{SqliteOptions, SqliteStore, StoreKey};
use zeroize::Zeroizing;

use crate::last_error;
use crate::ptr;
use crate::status::{Failure, omemo_status};

/// A key that was handed in.
pub(crate) fn key(key: *const u8, length: usize) -> Result<StoreKey, Failure> {
    let mut bytes = Zeroizing::new([0; 32]);
    if length != bytes.len() {
        return Err(omemo_status::OMEMO_BAD_VALUE.into());
    }
    bytes.copy_from_slice(ptr::items(key, length)?);
    Ok(StoreKey::from_bytes(*bytes))
}

/// Opens the file of an account.
pub(crate) fn open(path: &str, key: Option<StoreKey>) -> Result<SqliteStore, Failure> {
    let mut options = SqliteOptions::default();
    options.key = key;
    Ok(SqliteStore::open_with(path, &options)?)
}

/// Gives an encrypted store another key. All accounts in it have to be closed, in every process. Afterwards nothing can be read
/// with the old key; a process that is killed meanwhile leaves a store that one of the two opens.
///
/// `path`: the store's file. `old_key`, `new_key`: 32 bytes each, as for `omemo_settings_set_store_key`, with their lengths.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_BAD_VALUE` for another length, `OMEMO_NO_ENCRYPTION`, or one of
/// `OMEMO_STORE_...`: `OMEMO_STORE_LOCKED` if somebody has the store open, `OMEMO_STORE_UNUSABLE` if there is none. Writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_store_rekey(
    path: *const c_char,
    old_key: *const u8,
    old_length: usize,
    new_key: *const u8,
    new_length: usize,
) -> omemo_status {
    last_error::without_account(|| {
        let path = ptr::text(path)?;
        let (old, new) = (key(old_key, old_length)?, key(new_key, new_length)?);
        Ok(SqliteStore::rekey(path, &old, &new)?)
    })
}
