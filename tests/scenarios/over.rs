//! Runs one scenario over every store, and over both protocols where it makes a difference.

use omemo::Version;
use omemo::store::{MemoryStore, Store};
use omemo_sqlite::SqliteStore;
use tempfile::TempDir;

/// Makes stores of one kind, and opens one again after its process has died.
pub trait Stores {
    type Store: Store + 'static;

    fn make(&mut self) -> Self::Store;
    /// Opens the store that was made as the `n`th again.
    fn again(&self, n: usize, old: Self::Store) -> Self::Store;
}

#[derive(Default)]
pub struct Memory;

impl Stores for Memory {
    type Store = MemoryStore;

    fn make(&mut self) -> MemoryStore {
        MemoryStore::new()
    }

    fn again(&self, _n: usize, old: MemoryStore) -> MemoryStore {
        old
    }
}

pub struct Sqlite {
    folder: TempDir,
    made: usize,
}

impl Sqlite {
    fn open(&self, n: usize) -> SqliteStore {
        SqliteStore::open(self.folder.path().join(format!("{n}.db"))).unwrap()
    }
}

impl Default for Sqlite {
    fn default() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            made: 0,
        }
    }
}

impl Stores for Sqlite {
    type Store = SqliteStore;

    fn make(&mut self) -> SqliteStore {
        self.made += 1;
        self.open(self.made - 1)
    }

    fn again(&self, n: usize, old: SqliteStore) -> SqliteStore {
        drop(old);
        self.open(n)
    }
}

pub const BOTH: [Version; 2] = Version::ALL;

/// `over!(name)` makes a test a store from the function `name<S: Stores>(stores: S)`;
/// `over!(name, versions)` one a store and protocol from `name<S: Stores>(stores: S, version: Version)`.
macro_rules! over {
    ($($name:ident),* $(,)?) => {
        mod in_memory { $(#[test] fn $name() { super::$name($crate::over::Memory) })* }
        mod in_sqlite { $(#[test] fn $name() { super::$name($crate::over::Sqlite::default()) })* }
    };
}

/// The same once a protocol.
macro_rules! over_versions {
    ($($name:ident),* $(,)?) => {
        mod in_memory_by_protocol { $(#[test] fn $name() {
            for version in $crate::over::BOTH { super::$name($crate::over::Memory, version) }
        })* }
        mod in_sqlite_by_protocol { $(#[test] fn $name() {
            for version in $crate::over::BOTH { super::$name($crate::over::Sqlite::default(), version) }
        })* }
    };
}
