//! Stores of every kind, for tests that run over each of them.

use std::path::PathBuf;

use omemo::BareJid;
use omemo::store::{Change, MemoryStore, Store, Transaction};
use omemo_sqlite::SqliteStore;
use tempfile::TempDir;

/// Makes stores of one kind, and opens one again after its process has died.
pub trait Stores {
    /// The kind.
    type Store: Store + 'static;

    /// A new one.
    fn make(&mut self) -> Self::Store;
    /// Opens the store that was made as the `n`th again.
    fn again(&self, n: usize, old: Self::Store) -> Self::Store;
    /// Closes the store that was made as the `n`th and opens a copy of its files; the original is gone.
    fn moved(&mut self, n: usize, old: Self::Store) -> Self::Store;
}

/// Stores in memory, which have no files to copy.
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

    fn moved(&mut self, _n: usize, old: MemoryStore) -> MemoryStore {
        old
    }
}

/// Stores in SQLite files, in a folder of their own.
pub struct Sqlite {
    folder: TempDir,
    files: Vec<PathBuf>,
    moves: usize,
}

impl Default for Sqlite {
    fn default() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            files: Vec::new(),
            moves: 0,
        }
    }
}

impl Sqlite {
    /// Closes the store that was made as the `n`th, keeps a copy of it as it is now, and opens it again.
    pub fn back_up(&mut self, n: usize, old: SqliteStore) -> SqliteStore {
        drop(old);
        // a store that was closed has no journal left, so that its file is all there is
        std::fs::copy(&self.files[n], self.backup(n)).unwrap();
        SqliteStore::open(&self.files[n]).unwrap()
    }

    /// Closes the store that was made as the `n`th, and opens the copy that was kept of it in its place.
    pub fn put_back(&mut self, n: usize, old: SqliteStore) -> SqliteStore {
        drop(old);
        std::fs::copy(self.backup(n), &self.files[n]).unwrap();
        SqliteStore::open(&self.files[n]).unwrap()
    }

    /// The store that was made as the `n`th counts fewer commits than it had, while a handle has it open.
    pub fn rewind(&self, n: usize, jid: &str) {
        let mut store = SqliteStore::open(&self.files[n]).unwrap();
        let mut rows = store.begin(&BareJid::parse(jid).unwrap()).unwrap();
        let mut account = rows.account().unwrap().unwrap();
        account.generation -= 3;
        rows.write(Change::PutAccount(account)).unwrap();
        rows.commit().unwrap();
    }

    fn backup(&self, n: usize) -> PathBuf {
        self.files[n].with_extension("backup")
    }

    /// All that stands in the files of the store that was made as the `n`th: the database and what lies beside it.
    #[must_use]
    pub fn on_disk(&self, n: usize) -> Vec<u8> {
        let name = self.files[n].file_name().unwrap().to_str().unwrap();
        let files = std::fs::read_dir(self.files[n].parent().unwrap()).unwrap();
        let files = files.map(|file| file.unwrap());
        let of_store = files.filter(|file| file.file_name().to_str().unwrap().starts_with(name));
        of_store
            .flat_map(|file| std::fs::read(file.path()).unwrap())
            .collect()
    }
}

impl Stores for Sqlite {
    type Store = SqliteStore;

    fn make(&mut self) -> SqliteStore {
        let file = self.folder.path().join(format!("{}.db", self.files.len()));
        self.files.push(file.clone());
        SqliteStore::open(file).unwrap()
    }

    fn again(&self, n: usize, old: SqliteStore) -> SqliteStore {
        drop(old);
        SqliteStore::open(&self.files[n]).unwrap()
    }

    fn moved(&mut self, n: usize, old: SqliteStore) -> SqliteStore {
        drop(old);
        self.moves += 1;
        let folder = self.folder.path().join(format!("moved-{}", self.moves));
        std::fs::create_dir(&folder).unwrap();
        let copy = folder.join(format!("{n}.db"));
        // a store that was closed has no journal left, so that its file is all there is
        std::fs::copy(&self.files[n], &copy).unwrap();
        std::fs::remove_file(&self.files[n]).unwrap();
        self.files[n].clone_from(&copy);
        SqliteStore::open(copy).unwrap()
    }
}
