//! What encrypted files promise: nothing readable, one key, any number of processes.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::{key, with_key};
use crate::common::{
    Outcome, VERSION, account, generation, juliet, pre_key, public_key, romeo, romeos, session,
    skipped, write,
};
use crate::processes::{child, count, lines, path_of_child, say};
use crate::secrets::{found, secret};
use omemo::store::{Change, Store, StoreError, Transaction};
use omemo_sqlite::SqliteStore;

/// The names of all files in a directory.
fn names(directory: &Path) -> io::Result<Vec<String>> {
    let files = fs::read_dir(directory)?;
    let mut names = files
        .map(|file| Ok(file?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Whether an address stands in one of the files of a directory.
fn shows_addresses(directory: &Path) -> io::Result<bool> {
    for file in fs::read_dir(directory)? {
        let bytes = fs::read(file?.path())?;
        if bytes.windows(8).any(|place| place == b"montague") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn fill(store: &mut SqliteStore) -> Result<(), StoreError> {
    write(store, [account(3), session(1, secret(2, 0), 1)])?;
    let changes = (1..=500).flat_map(|n| {
        [
            pre_key(n, secret(1, n)),
            session(n + 1, secret(2, n), 1),
            Change::PutSkipped(skipped(n, n, secret(3, n), n.into())),
        ]
    });
    write(store, changes)
}

#[test]
fn nothing_can_be_read_in_an_encrypted_file_and_its_log() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    let plain = tempfile::tempdir()?;
    let mut readable = SqliteStore::open(plain.path().join("store.db"))?;
    fill(&mut readable)?;
    assert!(found(plain.path()).len() > 1_500);
    assert!(shows_addresses(plain.path())?);

    let mut store = SqliteStore::open_with(&path, &with_key(1))?;
    fill(&mut store)?;
    assert_eq!(
        names(directory.path())?,
        ["store.db", "store.db-shm", "store.db-wal"]
    );
    assert!(fs::metadata(directory.path().join("store.db-wal"))?.len() > 100_000);
    for moment in ["in the log", "in the file"] {
        assert!(found(directory.path()).is_empty(), "{moment}");
        assert!(!shows_addresses(directory.path())?, "{moment}");
        store.tidy()?;
    }
    drop(store);
    assert_eq!(names(directory.path())?, ["store.db"]);
    assert!(found(directory.path()).is_empty());
    assert!(!fs::read(&path)?.starts_with(b"SQLite format 3"));

    let mut store = SqliteStore::open_with(&path, &with_key(1))?;
    assert_eq!(generation(&mut store)?, 3);
    let sessions = store.begin(&juliet())?.newest_sessions(VERSION, &romeo())?;
    assert_eq!(sessions.len(), 501);
    Ok(())
}

#[test]
fn tidying_gives_the_room_back() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    let mut store = SqliteStore::open_with(&path, &with_key(1))?;
    fill(&mut store)?;
    store.tidy()?;
    let full = fs::metadata(&path)?.len();
    let gone = (1..=501).map(|n| Change::DeleteSession(VERSION, romeos(n), public_key(n)));
    write(&mut store, gone)?;
    store.tidy()?;
    assert!(fs::metadata(&path)?.len() < full / 2);
    assert_eq!(generation(&mut store)?, 3);
    Ok(())
}

#[test]
fn another_key_or_none_is_refused_and_the_file_left_alone() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    fill(&mut SqliteStore::open_with(&path, &with_key(1))?)?;
    let before = fs::read(&path)?;

    let wrong = SqliteStore::open_with(&path, &with_key(2)).unwrap_err();
    assert!(matches!(wrong, StoreError::WrongKey), "{wrong}");
    let none = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(none, StoreError::Encrypted), "{none}");
    assert!(fs::read(&path)? == before);

    // The same while somebody uses it, who is not disturbed.
    let mut user = SqliteStore::open_with(&path, &with_key(1))?;
    write(&mut user, [account(4)])?;
    let wrong = SqliteStore::open_with(&path, &with_key(2)).unwrap_err();
    assert!(matches!(wrong, StoreError::WrongKey), "{wrong}");
    let none = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(none, StoreError::Encrypted), "{none}");
    write(&mut user, [account(5)])?;
    drop(user);
    assert_eq!(
        generation(&mut SqliteStore::open_with(&path, &with_key(1))?)?,
        5
    );
    Ok(())
}

#[test]
fn a_plain_file_and_a_letter_have_no_key() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    fill(&mut SqliteStore::open(&path)?)?;
    let before = fs::read(&path)?;
    let refused = SqliteStore::open_with(&path, &with_key(1)).unwrap_err();
    assert!(matches!(refused, StoreError::NotEncrypted), "{refused}");
    let refused = SqliteStore::rekey(&path, &key(1), &key(2)).unwrap_err();
    assert!(matches!(refused, StoreError::NotEncrypted), "{refused}");
    assert!(fs::read(&path)? == before);
    assert_eq!(generation(&mut SqliteStore::open(&path)?)?, 3);

    let path = directory.path().join("letter.txt");
    let letter = "O Romeo, Romeo! ".repeat(1_000);
    fs::write(&path, &letter)?;
    let refused = SqliteStore::open_with(&path, &with_key(1)).unwrap_err();
    assert!(matches!(refused, StoreError::Damaged(_)), "{refused}");
    assert_eq!(fs::read_to_string(&path)?, letter);
    Ok(())
}

/// Each page has a MAC of its own. Reading says what is wrong; tidying reads every page, and what it says is the library's word:
/// after such a page SQLCipher tells those who write that there is no memory.
#[test]
fn a_page_that_somebody_changed_is_noticed() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    fill(&mut SqliteStore::open_with(&path, &with_key(1))?)?;
    let sound = fs::read(&path)?;
    let open = || SqliteStore::open_with(&path, &with_key(1));
    let read = || {
        let mut store = open()?;
        let rows = store.begin(&juliet())?;
        rows.account()?;
        rows.pre_keys(VERSION)?;
        rows.newest_sessions(VERSION, &romeo()).map(drop)
    };
    let tidy = || {
        let mut store = open()?;
        write(&mut store, [account(4)])?;
        store.tidy()
    };
    let mut noticed = 0;
    for page in 1..sound.len() / 4_096 {
        let mut bytes = sound.clone();
        bytes[page * 4_096 + 1_000] ^= 1;
        fs::write(&path, &bytes)?;
        if let Err(broken) = read() {
            assert!(matches!(broken, StoreError::Damaged(_)), "{page}: {broken}");
            noticed += 1;
        }
        assert!(tidy().is_err(), "{page}");
    }
    assert!(noticed > sound.len() / 4_096 / 2);
    fs::write(&path, sound)?;
    read()?;
    tidy()?;
    Ok(())
}

#[test]
fn a_new_key_takes_the_place_of_the_old_one() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    fill(&mut SqliteStore::open_with(&path, &with_key(1))?)?;
    let before = fs::read(&path)?;

    let wrong = SqliteStore::rekey(&path, &key(3), &key(2)).unwrap_err();
    assert!(matches!(wrong, StoreError::WrongKey), "{wrong}");
    assert!(fs::read(&path)? == before);

    SqliteStore::rekey(&path, &key(1), &key(2))?;
    assert_eq!(names(directory.path())?, ["store.db"]);
    let after = fs::read(&path)?;
    let same = before
        .chunks(4_096)
        .filter(|old| after.chunks(4_096).any(|new| new == *old));
    assert_eq!(same.count(), 0, "pages of the old key are left");
    let old = SqliteStore::open_with(&path, &with_key(1)).unwrap_err();
    assert!(matches!(old, StoreError::WrongKey), "{old}");
    let mut store = SqliteStore::open_with(&path, &with_key(2))?;
    let sessions = store.begin(&juliet())?.newest_sessions(VERSION, &romeo())?;
    assert_eq!(sessions.len(), 501);
    write(&mut store, [account(4)])?;
    drop(store);
    assert_eq!(
        generation(&mut SqliteStore::open_with(&path, &with_key(2))?)?,
        4
    );
    Ok(())
}

#[test]
fn the_key_of_a_file_that_is_not_there_cannot_be_changed() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    let refused = SqliteStore::rekey(&path, &key(1), &key(2)).unwrap_err();
    assert!(matches!(refused, StoreError::Unusable(_)), "{refused}");
    assert!(names(directory.path())?.is_empty());
    Ok(())
}

#[test]
#[ignore = "a child"]
fn child_has_it_open() -> Outcome {
    let Some(path) = path_of_child() else {
        return Ok(());
    };
    let mut store = SqliteStore::open_with(path, &with_key(1))?;
    say(generation(&mut store)?);
    io::stdin().read_line(&mut String::new())?;
    write(&mut store, [account(4)])?;
    Ok(())
}

#[test]
fn a_file_that_somebody_has_open_keeps_its_key() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    let mut here = SqliteStore::open_with(&path, &with_key(1))?;
    fill(&mut here)?;
    let refused = SqliteStore::rekey(&path, &key(1), &key(2)).unwrap_err();
    assert!(matches!(refused, StoreError::Locked(_)), "{refused}");
    drop(here);

    let mut other = child("encryption::built_in::child_has_it_open", &path)?;
    let mut said = lines(&mut other);
    assert!(said.any(|line| line == "3"));
    let refused = SqliteStore::rekey(&path, &key(1), &key(2)).unwrap_err();
    assert!(matches!(refused, StoreError::Locked(_)), "{refused}");
    drop(other.stdin.take());
    assert!(other.wait()?.success());
    assert_eq!(
        generation(&mut SqliteStore::open_with(&path, &with_key(1))?)?,
        4
    );
    SqliteStore::rekey(&path, &key(1), &key(2))?;
    Ok(())
}

#[test]
#[ignore = "a child"]
fn child_changes_the_key_until_it_is_killed() -> Outcome {
    let Some(path) = path_of_child() else {
        return Ok(());
    };
    let (mut from, mut to) = (1, 2);
    if SqliteStore::open_with(&path, &with_key(1)).is_err() {
        (from, to) = (to, from);
    }
    say("begun");
    loop {
        SqliteStore::rekey(&path, &key(from), &key(to))?;
        (from, to) = (to, from);
    }
}

#[test]
fn who_is_killed_while_changing_the_key_leaves_one_of_the_two() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    fill(&mut SqliteStore::open_with(&path, &with_key(1))?)?;
    for round in 0..20 {
        let mut child = child(
            "encryption::built_in::child_changes_the_key_until_it_is_killed",
            &path,
        )?;
        assert!(lines(&mut child).any(|line| line == "begun"));
        thread::sleep(Duration::from_millis(7 * round));
        child.kill()?;
        child.wait()?;

        let opened = [1, 2].map(|key| SqliteStore::open_with(&path, &with_key(key)));
        let mut keys = 0;
        for outcome in opened {
            match outcome {
                Ok(mut store) => {
                    keys += 1;
                    let rows = store.begin(&juliet())?;
                    assert_eq!(rows.newest_sessions(VERSION, &romeo())?.len(), 501);
                }
                Err(error) => assert!(matches!(error, StoreError::WrongKey), "{error}"),
            }
        }
        assert_eq!(keys, 1);
    }
    Ok(())
}

#[test]
#[ignore = "a child"]
fn child_counts() -> Outcome {
    let Some(path) = path_of_child() else {
        return Ok(());
    };
    count(&mut SqliteStore::open_with(path, &with_key(1))?, 200)?;
    Ok(())
}

#[test]
fn processes_and_threads_wait_for_each_other_at_an_encrypted_file() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    let mut children = [
        child("encryption::built_in::child_counts", &path)?,
        child("encryption::built_in::child_counts", &path)?,
    ];
    let here = path.clone();
    let thread = thread::spawn(move || {
        SqliteStore::open_with(here, &with_key(1)).and_then(|mut store| count(&mut store, 200))
    });
    thread.join().map_err(|_| "a thread panicked")??;
    for child in &mut children {
        assert!(child.wait()?.success());
    }
    let mut store = SqliteStore::open_with(&path, &with_key(1))?;
    assert_eq!(generation(&mut store)?, 600);
    Ok(())
}

/// A new file gets a random salt from whoever writes first: everybody else has to take that one.
#[test]
fn a_new_encrypted_file_may_be_opened_by_many_at_once() -> Outcome {
    for _ in 0..10 {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("store.db");
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                thread::spawn(move || {
                    SqliteStore::open_with(path, &with_key(1))
                        .and_then(|mut store| count(&mut store, 1))
                })
            })
            .collect();
        for thread in threads {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        let mut store = SqliteStore::open_with(&path, &with_key(1))?;
        assert_eq!(generation(&mut store)?, 8);
    }
    Ok(())
}
