//! Whose file it is, which version its schema has, and how an older one becomes a newer one.

use omemo::store::StoreError;
use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Refusal, sqlite};

/// Stands in the header of our files: "OMEM".
const APPLICATION_ID: i32 = 0x4f4d_454d;

/// The steps from each version to the next one, the first from an empty file. A step that was
/// released is never changed.
const MIGRATIONS: [&str; 2] = [
    include_str!("../migrations/0001.sql"),
    include_str!("../migrations/0002.sql"),
];

/// The version that this program writes.
const KNOWN: usize = MIGRATIONS.len();

/// Leaves a file alone that is not ours or too new.
pub(crate) fn check(connection: &mut Connection) -> Result<(), StoreError> {
    let snapshot = connection.transaction().map_err(sqlite)?;
    found(&snapshot).map(|_version| ())
}

/// Brings the schema to the version of this program.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    if version(connection)? == KNOWN {
        return Ok(());
    }
    let behavior = TransactionBehavior::Immediate;
    let transaction = connection
        .transaction_with_behavior(behavior)
        .map_err(sqlite)?;
    // Another process may have been faster.
    for step in MIGRATIONS.iter().skip(found(&transaction)?) {
        transaction.execute_batch(step).map_err(sqlite)?;
    }
    let id_and_version =
        format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {KNOWN}");
    transaction.execute_batch(&id_and_version).map_err(sqlite)?;
    transaction.commit().map_err(sqlite)
}

/// The version of a schema, which may have changed while the file was open: a newer program may
/// have it open too.
pub(crate) fn version(connection: &Connection) -> Result<usize, StoreError> {
    let version = integer(connection, "PRAGMA user_version")?;
    match usize::try_from(version) {
        Ok(version) if version <= KNOWN => Ok(version),
        _ => Err(StoreError::Newer {
            found: version.cast_unsigned(),
            known: u32::try_from(KNOWN).unwrap_or(u32::MAX),
        }),
    }
}

/// The version of a file that is ours, or empty and to become ours.
fn found(snapshot: &Connection) -> Result<usize, StoreError> {
    let empty = integer(snapshot, "SELECT count(*) FROM sqlite_schema")? == 0;
    match integer(snapshot, "PRAGMA application_id")? {
        APPLICATION_ID => version(snapshot),
        0 if empty => Ok(0),
        _ => Err(Refusal::Foreign.into()),
    }
}

fn integer(connection: &Connection, sql: &str) -> Result<i32, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(sqlite)?;
    statement.query_row([], |row| row.get(0)).map_err(sqlite)
}
