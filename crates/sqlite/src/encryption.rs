//! Encrypted files: their key, how a connection gets it, and what it means when a file cannot be read.
//!
//! Nothing here depends on the feature `sqlcipher`: whether the library behind `rusqlite` can encrypt is asked of itself. So
//! a key is never taken and then not used, whatever else a program is built from.

use std::fmt;
use std::fs;
use std::path::Path;

use omemo::store::StoreError;
use rusqlite::{Connection, Error, ErrorCode, OpenFlags, OptionalExtension};
use zeroize::Zeroizing;

use crate::error::sqlite;

/// Asked for before the key. Both are for the whole process, and cannot be taken back: memory that SQLite frees is
/// overwritten and, as far as the system allows, never swapped out; and nothing is written to the standard error of a program
/// that gets every error as a value.
const BEFORE_THE_KEY: &str = "
    PRAGMA cipher_log_level = NONE;
    PRAGMA cipher_memory_security = ON;
";

/// The format of files is that of SQLCipher 4 (AES-256-CBC and HMAC-SHA-512 for each page) even where a later library has
/// another one.
const AFTER_THE_KEY: &str = "PRAGMA cipher_compatibility = 4";

/// Of what every file of ours is a multiple, encrypted or not.
const PAGE_SIZE: u64 = 4_096;

/// The key of an encrypted store: 32 bytes that nobody can guess, such as random ones that the system's keyring keeps. It is
/// wiped from memory when it is dropped.
///
/// Passwords have to be stretched first, by Argon2 for example, and only the application can keep the salt that this takes.
#[derive(Clone)]
pub struct StoreKey(Zeroizing<[u8; 32]>);

impl StoreKey {
    /// Takes the key's bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The statement that hands the key over as it is: nothing is derived from it first.
    fn statement(&self, pragma: &str) -> Zeroizing<String> {
        const DIGITS: [char; 16] = [
            '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
        ];
        // Large enough, so that no copy is left behind when it grows.
        let mut statement = Zeroizing::new(String::with_capacity(128));
        statement.push_str("PRAGMA ");
        statement.push_str(pragma);
        statement.push_str(" = \"x'");
        for byte in self.0.iter() {
            let nibbles = [byte >> 4, byte & 15];
            let digits = nibbles.map(|nibble| DIGITS.get(usize::from(nibble)));
            statement.extend(digits.into_iter().flatten());
        }
        statement.push_str("'\"");
        statement
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreKey").finish_non_exhaustive()
    }
}

/// Whether this program can encrypt; asked before a file is touched.
pub(crate) fn require() -> Result<(), StoreError> {
    let connection = Connection::open_in_memory().map_err(sqlite)?;
    let version = connection
        .query_row("PRAGMA cipher_version", [], |row| row.get::<_, String>(0))
        .optional()
        .map_err(sqlite)?;
    version.map(drop).ok_or(StoreError::NoEncryption)
}

/// Gives a connection its key, before anything is read.
pub(crate) fn unlock(connection: &Connection, key: &StoreKey) -> Result<(), StoreError> {
    connection.execute_batch(BEFORE_THE_KEY).map_err(sqlite)?;
    connection
        .execute_batch(&key.statement("key"))
        .map_err(sqlite)?;
    connection.execute_batch(AFTER_THE_KEY).map_err(sqlite)
}

/// Keeps everybody else out of the file until the connection is closed, and leaves no log: what is encrypted with the old key
/// is only in the file then. Fails with [`StoreError::Locked`] while somebody has the file open.
pub(crate) fn seize(connection: &Connection) -> Result<(), StoreError> {
    let alone = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE";
    connection.execute_batch(alone).map_err(sqlite)
}

/// Encrypts every page anew, in one transaction. The connection is of no use afterwards: if this fails, it writes with
/// one key and reads with the other.
pub(crate) fn rekey(connection: Connection, new: &StoreKey) -> Result<(), StoreError> {
    connection
        .execute_batch(&new.statement("rekey"))
        .map_err(sqlite)
}

/// Says what it means that SQLite takes a file for no database.
///
/// The file itself is not opened here to look at its first bytes: closing it would end the locks that other handles of this
/// process have on it (POSIX advisory locks belong to process and file).
pub(crate) fn explain(error: StoreError, path: &Path, key: Option<&StoreKey>) -> StoreError {
    let whole_pages =
        fs::metadata(path).is_ok_and(|file| file.len() > 0 && file.len() % PAGE_SIZE == 0);
    if !is_no_database(&error) {
        return error;
    }
    match key {
        Some(_) if is_plain(path) => StoreError::NotEncrypted,
        Some(_) if whole_pages => StoreError::WrongKey,
        None if whole_pages => StoreError::Encrypted,
        _ => error,
    }
}

fn is_no_database(error: &StoreError) -> bool {
    let StoreError::Damaged(source) = error else {
        return false;
    };
    let code = source
        .downcast_ref::<Error>()
        .and_then(Error::sqlite_error_code);
    code == Some(ErrorCode::NotADatabase)
}

/// Whether the file can be read without a key.
fn is_plain(path: &Path) -> bool {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let count = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
            row.get::<_, i64>(0)
        })
    });
    count.is_ok()
}
