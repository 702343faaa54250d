//! The stored form is frozen: a released step is never changed, a new one is added.

use crate::common::Outcome;
use omemo_sqlite::SqliteStore;
use rusqlite::Connection;

#[test]
fn the_schema_is_frozen() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    drop(SqliteStore::open(&path)?);

    let file = Connection::open(&path)?;
    let number = |pragma| file.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let mut dump = format!(
        "application_id {:#010x}\nuser_version {}\n",
        number("PRAGMA application_id")?,
        number("PRAGMA user_version")?,
    );
    let mut objects =
        file.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")?;
    for sql in objects.query_map([], |row| row.get::<_, String>(0))? {
        dump += &format!("\n{}\n", sql?);
    }
    insta::assert_snapshot!(dump);
    Ok(())
}
