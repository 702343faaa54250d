//! Files that are refused and left as they are, and what a new one may be read by.

use std::fs;

use crate::common::{Outcome, account, generation, juliet, write};
use omemo::store::{Store, StoreError};
use omemo_sqlite::SqliteStore;
use rusqlite::Connection;

/// An application may move the store to a thread of its own.
const fn is_send<T: Send>() {}
const _: () = is_send::<SqliteStore>();

#[test]
fn a_newer_schema_is_refused_and_left_alone() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    let mut open_before = SqliteStore::open(&path)?;
    write(&mut open_before, [account(3)])?;
    Connection::open(&path)?.execute_batch("PRAGMA user_version = 3")?;

    let refused = SqliteStore::open(&path).unwrap_err();
    assert!(
        matches!(refused, StoreError::Newer { found: 3, known: 2 }),
        "{refused}"
    );
    let refused = open_before.begin(&juliet()).unwrap_err();
    assert!(
        matches!(refused, StoreError::Newer { found: 3, known: 2 }),
        "{refused}"
    );

    Connection::open(&path)?.execute_batch("PRAGMA user_version = 2")?;
    assert_eq!(generation(&mut SqliteStore::open(&path)?)?, 3);
    Ok(())
}

#[test]
fn a_foreign_database_is_refused_and_left_alone() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("bookmarks.db");
    Connection::open(&path)?.execute_batch("CREATE TABLE bookmark (url TEXT)")?;
    let before = fs::read(&path)?;

    let refused = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(refused, StoreError::Unusable(_)));
    assert!(
        refused
            .to_string()
            .contains("it is the database of another program"),
        "{refused}"
    );
    assert_eq!(fs::read(&path)?, before);

    // An empty database that another program has put its name on is foreign too.
    let path = directory.path().join("named.db");
    Connection::open(&path)?.execute_batch("PRAGMA application_id = 7")?;
    assert!(matches!(
        SqliteStore::open(&path),
        Err(StoreError::Unusable(_))
    ));
    Ok(())
}

#[test]
fn what_is_no_database_is_damaged_and_left_alone() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("letter.txt");
    let letter = "O Romeo, Romeo! ".repeat(1_000);
    fs::write(&path, &letter)?;
    let refused = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(refused, StoreError::Damaged(_)), "{refused}");
    assert_eq!(fs::read_to_string(&path)?, letter);
    Ok(())
}

#[test]
fn a_file_with_broken_pages_is_damaged() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    write(&mut SqliteStore::open(&path)?, [account(3)])?;
    let mut bytes = fs::read(&path)?;
    bytes[4_096..].fill(0xaa);
    fs::write(&path, bytes)?;
    let broken = SqliteStore::open(&path)
        .and_then(|mut store| generation(&mut store))
        .unwrap_err();
    assert!(matches!(broken, StoreError::Damaged(_)), "{broken}");
    Ok(())
}

#[test]
fn a_path_that_cannot_be_opened_is_unusable_and_named() -> Outcome {
    let directory = tempfile::tempdir()?;
    for path in [
        directory.path().join("no such directory/store.db"),
        directory.path().into(),
    ] {
        let refused = SqliteStore::open(&path).unwrap_err();
        assert!(matches!(refused, StoreError::Unusable(_)));
        let named = path.to_str().ok_or("a path")?;
        assert!(refused.to_string().contains(named), "{refused}");
    }
    assert!(matches!(
        SqliteStore::open(""),
        Err(StoreError::Unusable(_))
    ));
    Ok(())
}

#[cfg(unix)]
#[test]
fn new_files_are_for_their_owner_only() -> Outcome {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir()?;
    let mut store = SqliteStore::open(directory.path().join("store.db"))?;
    write(&mut store, [account(1)])?;
    let mut names = Vec::new();
    for file in fs::read_dir(directory.path())? {
        let file = file?;
        assert_eq!(file.metadata()?.permissions().mode() & 0o777, 0o600);
        names.push(file.file_name());
    }
    names.sort();
    assert_eq!(names, ["store.db", "store.db-shm", "store.db-wal"]);
    Ok(())
}

/// A file that may only be read. The administrator may write everything, so as root this shows
/// nothing.
#[cfg(unix)]
#[test]
fn a_read_only_file_is_unusable() -> Outcome {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    write(&mut SqliteStore::open(&path)?, [account(1)])?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400))?;
    if fs::OpenOptions::new().write(true).open(&path).is_err() {
        let refused = SqliteStore::open(&path).unwrap_err();
        assert!(matches!(refused, StoreError::Unusable(_)), "{refused}");
    }
    Ok(())
}
