//! The store of the omemo crate on SQLite.
//!
//! One file holds any number of accounts, and any number of processes may have it open:
//!
//! ```
//! use omemo::BareJid;
//! use omemo::store::{Store, Transaction};
//! use omemo_sqlite::SqliteStore;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("juliet.db");
//! let mut store = SqliteStore::open(path)?;
//! let transaction = store.begin(&BareJid::parse("juliet@capulet.example")?)?;
//! assert!(transaction.account()?.is_none());
//! transaction.commit()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//!
//! - A commit is on the disk when it returns: write-ahead log, `synchronous=FULL`. A process that
//!   is killed, and a machine that loses power, leave all of a transaction or nothing.
//! - Transactions exclude each other over all processes from their beginning, and wait up to
//!   [`SqliteOptions::busy_timeout`] for each other.
//! - Deleted content is gone from the files after [`Store::tidy`](omemo::store::Store::tidy).
//!   Until then older versions of pages stand in the write-ahead log, and copies of rows that
//!   SQLite has moved in their pages. Closing tidies too. What another process or a full disk
//!   holds up is done the next time.
//! - A new file may be read and written by its owner only (on Unix).
//! - The file of a newer version of this crate and the database of another program are refused
//!   and left as they are.
//!
//! # Features
//!
//! | feature | what it adds | what it needs |
//! | --- | --- | --- |
//! | `sqlcipher` | [`SqliteOptions::key`]: files that are encrypted as a whole | OpenSSL's libcrypto, and its headers where it is compiled |
//!
//! With it, SQLCipher takes the place of SQLite in the whole program; files without a key stay as they are. Encrypted files
//! are those of SQLCipher 4 with a raw key: AES-256-CBC and an HMAC-SHA-512 for each page, in the database, in the write-ahead
//! log and in journals. Sizes and times of access can be seen, and whoever may write to the file can put an old one in its
//! place. A file begins encrypted or never is; [`SqliteStore::rekey`] changes the key.
//!
//! The first key switches `cipher_memory_security` on and SQLCipher's own log off, both for the whole process: what SQLite frees
//! is overwritten, and kept from being swapped out as far as the system allows.
//!
//! Without the feature a key is refused with [`StoreError::NoEncryption`](omemo::store::StoreError::NoEncryption), before
//! anything is opened.
//!
//! # What is not promised
//!
//! Without a key the file is not encrypted: protect the directory or the disk. Copying it while it is open, or
//! restoring an old copy, is dangerous whatever the format: see the `omemo` crate, and keep a [`FileAnchor`] where
//! no backup reaches. Secrets that pass
//! through this crate's hands are wiped from memory, but SQLite's page cache, its statement buffers
//! and the operating system's cache hold copies that are not.

mod anchor;
mod boxes;
mod devices;
mod encryption;
mod error;
mod keys;
mod open;
mod people;
mod rows;
mod schema;
mod sessions;
mod transaction;

pub use anchor::FileAnchor;
pub use encryption::StoreKey;
pub use open::{SqliteOptions, SqliteStore};
pub use transaction::SqliteTransaction;
