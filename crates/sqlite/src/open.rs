//! Opening a file, beginning transactions, and tidying.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use omemo::BareJid;
use omemo::store::{Store, StoreError};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::encryption::{self, StoreKey};
use crate::error::{self, Refusal, sqlite};
use crate::rows::Rows;
use crate::schema;
use crate::transaction::SqliteTransaction;

/// Set on every connection before its first write:
/// a commit is on the disk when it returns, deleted content is overwritten with zeros, and what is
/// sorted never stands in a file of its own.
const SETTINGS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;
";

/// More than this crate has statements.
const STATEMENTS: usize = 128;

/// How long tidying waits for other processes: what they hold up is done the next time.
const TIDYING_PATIENCE: Duration = Duration::from_millis(250);

/// How long a change of the key waits for others to close the file. Nobody closes it in the middle of its work, so this is
/// only for those who are about to.
const SEIZING_PATIENCE: Duration = Duration::from_secs(1);

/// Between two attempts to begin what another process holds up.
const PAUSE: Duration = Duration::from_millis(1);

/// A [`Store`] in an SQLite file.
pub struct SqliteStore {
    connection: Connection,
    busy_timeout: Duration,
    /// How much had been written when the database was last built anew.
    rebuilt: u64,
}

/// How to open a [`SqliteStore`]; `SqliteOptions::default()` is what [`SqliteStore::open`] takes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// How long a transaction waits for those of other processes before it fails with
    /// [`StoreError::Locked`]; 10 seconds by default.
    pub busy_timeout: Duration,
    /// The most pages (of 4,096 bytes) that the file may have: beyond them a write fails with
    /// [`StoreError::Full`], as on a full disk. None by default.
    pub max_page_count: Option<u32>,
    /// The key of an encrypted file; a new file is encrypted with it. Needs the feature `sqlcipher`. None by default: the file
    /// is not encrypted.
    pub key: Option<StoreKey>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(10),
            max_page_count: None,
            key: None,
        }
    }
}

impl SqliteStore {
    /// Opens a file, or makes a new one, which only its owner may read and write.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a file of a newer version of this crate, [`StoreError::Encrypted`] for one that needs a key,
    /// [`StoreError::Damaged`] for one that is no database, [`StoreError::Unusable`] for the database of another program
    /// and for a path that cannot be opened, and the others as the disk may have it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, &SqliteOptions::default())
    }

    /// Opens a file with options.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], and with a key [`StoreError::WrongKey`], [`StoreError::NotEncrypted`] for a file that has
    /// none, and [`StoreError::NoEncryption`] in a program without the feature `sqlcipher`.
    pub fn open_with(path: impl AsRef<Path>, options: &SqliteOptions) -> Result<Self, StoreError> {
        let path = &absolute(path.as_ref())?;
        if options.key.is_some() {
            encryption::require()?;
        }
        create(path)?;
        connect(path, options).map(|connection| Self::over(connection, options))
    }

    /// Gives an encrypted file another key. Nobody may have it open meanwhile; afterwards nothing in it or beside it can be
    /// read with the old key. A process that is killed leaves the file with one of the two.
    ///
    /// # Errors
    /// As [`SqliteStore::open_with`]; [`StoreError::Locked`] while a handle has it open, in this process or another one.
    pub fn rekey(path: impl AsRef<Path>, old: &StoreKey, new: &StoreKey) -> Result<(), StoreError> {
        let path = &absolute(path.as_ref())?;
        encryption::require()?;
        let with = |key: &StoreKey| SqliteOptions {
            key: Some(key.clone()),
            ..SqliteOptions::default()
        };
        let connection = connect(path, &with(old))?;
        patiently(SEIZING_PATIENCE, || encryption::seize(&connection))?;
        encryption::rekey(connection, new)?;
        // The library does not say whether its commit went well.
        match connect(path, &with(new)) {
            Err(StoreError::WrongKey) => Err(Refusal::KeyStays.into()),
            outcome => outcome.map(drop),
        }
    }

    /// A store that is gone when it is dropped.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when there is no memory left.
    pub fn open_in_memory() -> Result<Self, StoreError> {
        let options = SqliteOptions::default();
        let mut connection = Connection::open_in_memory().map_err(sqlite)?;
        prepare(&mut connection, &options)?;
        Ok(Self::over(connection, &options))
    }

    fn over(connection: Connection, options: &SqliteOptions) -> Self {
        let rebuilt = connection.total_changes();
        Self {
            connection,
            busy_timeout: options.busy_timeout,
            rebuilt,
        }
    }
}

/// An absolute path is never one of SQLite's special names.
fn absolute(path: &Path) -> Result<PathBuf, StoreError> {
    std::path::absolute(path).map_err(|error| error::io(path, &error))
}

/// A connection to a file that is there.
fn connect(path: &Path, options: &SqliteOptions) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
    let key = options.key.as_ref();
    if let Some(key) = key {
        encryption::unlock(&connection, key)?;
    }
    match prepare(&mut connection, options) {
        Ok(()) => Ok(connection),
        Err(error) => Err(encryption::explain(error, path, key)),
    }
}

fn prepare(connection: &mut Connection, options: &SqliteOptions) -> Result<(), StoreError> {
    connection.busy_timeout(Duration::ZERO).map_err(sqlite)?;
    patiently(options.busy_timeout, || {
        set_up(connection, options.max_page_count)
    })?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Tries until nothing of another process is in the way. SQLite itself does not wait in every step
/// of opening, and in the others it would ask ever more rarely: beside a busy process it would
/// hardly ever have its turn.
fn patiently<T>(
    patience: Duration,
    mut attempt: impl FnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut left = patience;
    loop {
        match attempt() {
            Err(StoreError::Locked(_)) if !left.is_zero() => thread::sleep(PAUSE),
            outcome => return outcome,
        }
        left = left.saturating_sub(PAUSE);
    }
}

/// Makes an empty file with narrow permissions if there is none. SQLite gives those of the
/// database to the files beside it.
fn create(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error::io(path, &error)),
        _ => Ok(()),
    }
}

/// Everything between opening a connection and its first transaction; may be repeated.
fn set_up(connection: &mut Connection, max_page_count: Option<u32>) -> Result<(), StoreError> {
    schema::check(connection)?;
    if connection.is_readonly("main").map_err(sqlite)? {
        return Err(Refusal::ReadOnly.into());
    }
    connection.execute_batch(SETTINGS).map_err(sqlite)?;
    if let Some(pages) = max_page_count {
        let limit = format!("PRAGMA max_page_count = {pages}");
        connection.execute_batch(&limit).map_err(sqlite)?;
    }
    let journal = connection.query_row("PRAGMA journal_mode = WAL", [], |row| {
        row.get::<_, String>(0)
    });
    match journal.map_err(sqlite)?.as_str() {
        "wal" | "memory" => schema::migrate(connection),
        _ => Err(Refusal::NoWriteAheadLog.into()),
    }
}

impl Store for SqliteStore {
    type Transaction<'store> = SqliteTransaction<'store>;

    fn begin(&mut self, account: &BareJid) -> Result<SqliteTransaction<'_>, StoreError> {
        let connection = &self.connection;
        let behavior = TransactionBehavior::Immediate;
        let begin = || Transaction::new_unchecked(connection, behavior).map_err(sqlite);
        let transaction = patiently(self.busy_timeout, begin)?;
        schema::version(&transaction)?;
        // The number of an account that is not there yet is the next one.
        let number = transaction
            .prepare_cached(
                "SELECT coalesce(
                     (SELECT id FROM account WHERE jid = ?1),
                     (SELECT max(id) + 1 FROM account),
                     1)",
            )
            .and_then(|mut statement| statement.query_row([account.as_str()], |row| row.get(0)))
            .map_err(sqlite)?;
        let rows = Rows {
            transaction,
            account: number,
        };
        Ok(SqliteTransaction::new(rows, account.clone()))
    }

    /// Moves the write-ahead log into the database and empties it, and builds the database anew if
    /// this handle has written since the last time. What other processes hold up, or a full disk,
    /// is left for the next time.
    fn tidy(&mut self) -> Result<(), StoreError> {
        self.connection
            .busy_timeout(TIDYING_PATIENCE)
            .map_err(sqlite)?;
        let tidied = self.rebuild().and_then(|()| self.checkpoint());
        self.connection
            .busy_timeout(Duration::ZERO)
            .map_err(sqlite)?;
        tidied
    }
}

impl SqliteStore {
    /// `secure_delete` overwrites what is deleted, but when SQLite moves a row within its page the
    /// bytes at the old place may stay, beyond the row's own deletion.
    fn rebuild(&mut self) -> Result<(), StoreError> {
        let written = self.connection.total_changes();
        if written == self.rebuilt {
            return Ok(());
        }
        match self.connection.execute_batch("VACUUM").map_err(sqlite) {
            Ok(()) => self.rebuilt = written,
            Err(StoreError::Locked(_) | StoreError::Full(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn checkpoint(&self) -> Result<(), StoreError> {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        match self
            .connection
            .query_row(sql, [], |_| Ok(()))
            .map_err(sqlite)
        {
            Err(StoreError::Locked(_)) => Ok(()),
            result => result,
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Nobody is left to be told; the next opening finds the log and goes on.
        let _tidied = self.tidy();
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}
