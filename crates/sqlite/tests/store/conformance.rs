//! The suite that every store must pass, in a file, in memory, and with two handles on one file, encrypted or not.

use std::io;
use std::rc::Rc;

use omemo::BareJid;
use omemo::store::{Store, StoreError};
use omemo_sqlite::{SqliteOptions, SqliteStore, SqliteTransaction};
use tempfile::TempDir;

/// A store in a directory that goes with its last handle.
struct Temporary {
    store: SqliteStore,
    _directory: Rc<TempDir>,
}

impl Store for Temporary {
    type Transaction<'store> = SqliteTransaction<'store>;

    fn begin(&mut self, account: &BareJid) -> Result<SqliteTransaction<'_>, StoreError> {
        self.store.begin(account)
    }

    fn tidy(&mut self) -> Result<(), StoreError> {
        self.store.tidy()
    }
}

fn one(options: &SqliteOptions) -> Result<Temporary, StoreError> {
    two(options).map(|(one, _)| one)
}

fn two(options: &SqliteOptions) -> Result<(Temporary, Temporary), StoreError> {
    let directory =
        tempfile::tempdir().map_err(|error: io::Error| StoreError::Unusable(error.into()))?;
    let directory = Rc::new(directory);
    let handle = || -> Result<Temporary, StoreError> {
        Ok(Temporary {
            store: SqliteStore::open_with(directory.path().join("store.db"), options)?,
            _directory: directory.clone(),
        })
    };
    Ok((handle()?, handle()?))
}

mod in_a_file {
    use omemo_sqlite::SqliteOptions;

    omemo::store_conformance!(
        super::one(&SqliteOptions::default())?,
        twice: super::two(&SqliteOptions::default())?
    );
}

#[cfg(feature = "sqlcipher")]
mod in_an_encrypted_file {
    use crate::encryption::with_key;

    omemo::store_conformance!(super::one(&with_key(1))?, twice: super::two(&with_key(1))?);
}

mod in_memory {
    omemo::store_conformance!(omemo_sqlite::SqliteStore::open_in_memory()?);
}
