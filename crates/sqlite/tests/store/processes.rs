//! Several processes, killed ones too. A child is this test binary itself, told by its environment
//! what to do.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, io, thread};

use crate::common::{Outcome, VERSION, account, generation, juliet, romeo, romeos, session, write};
use omemo::store::{Change, Store, StoreError, Transaction};
use omemo_sqlite::{SqliteOptions, SqliteStore};

const STORE: &str = "OMEMO_SQLITE_TEST_STORE";

/// Runs one of the ignored tests below as a process of its own.
pub(crate) fn child(test: &str, store: &Path) -> io::Result<Child> {
    Command::new(env::current_exe()?)
        .args([
            test,
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(STORE, store)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
}

/// The store that a child is told to use; `None` when somebody runs all ignored tests.
fn store_of_child() -> Result<Option<SqliteStore>, StoreError> {
    path_of_child().map(SqliteStore::open).transpose()
}

pub(crate) fn path_of_child() -> Option<PathBuf> {
    env::var_os(STORE).map(PathBuf::from)
}

pub(crate) fn say(word: impl std::fmt::Display) {
    // The test harness has begun a line.
    println!("\n{word}");
    io::stdout().flush().unwrap();
}

/// The lines that a child says, until it ends.
pub(crate) fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
}

#[test]
#[ignore = "a child"]
fn child_is_killed_in_a_transaction() -> Outcome {
    let Some(mut store) = store_of_child()? else {
        return Ok(());
    };
    write(&mut store, [account(1), session(1, [1; 32], 1)])?;
    // So many that SQLite writes some of them to the log before the commit.
    let mut rows = store.begin(&juliet())?;
    rows.write(account(2))?;
    for device in 1..=20_000 {
        rows.write(session(device, [2; 32], 2))?;
    }
    say("written");
    // Until it is killed, or its parent is gone.
    io::stdin().read_line(&mut String::new())?;
    Ok(())
}

#[test]
fn a_killed_process_leaves_nothing_of_its_open_transaction() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    let mut child = child("processes::child_is_killed_in_a_transaction", &path)?;
    assert!(lines(&mut child).any(|line| line == "written"));
    assert!(std::fs::metadata(directory.path().join("store.db-wal"))?.len() > 1_000_000);
    child.kill()?;
    child.wait()?;

    let mut store = SqliteStore::open(&path)?;
    assert_eq!(generation(&mut store)?, 1);
    let sessions = store.begin(&juliet())?.newest_sessions(VERSION, &romeo())?;
    assert_eq!(
        sessions.iter().map(|row| row.last_used).collect::<Vec<_>>(),
        [1]
    );
    Ok(())
}

#[test]
#[ignore = "a child"]
fn child_commits_until_it_is_killed() -> Outcome {
    let Some(mut store) = store_of_child()? else {
        return Ok(());
    };
    for next in generation(&mut store)? + 1.. {
        let sessions = (1..=30).map(|device| session(device, [1; 32], next));
        write(&mut store, [account(next)].into_iter().chain(sessions))?;
        say(next);
        if next % 7 == 0 {
            store.tidy()?;
        }
    }
    Ok(())
}

#[test]
fn a_killed_process_leaves_whole_commits() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    for round in 0..10 {
        let mut child = child("processes::child_commits_until_it_is_killed", &path)?;
        let mut commits = lines(&mut child).filter_map(|line| line.parse::<u64>().ok());
        let mut said = commits.next();
        thread::sleep(Duration::from_millis(3 * round));
        child.kill()?;
        child.wait()?;
        said = commits.last().or(said);

        let mut store = SqliteStore::open(&path)?;
        let kept = generation(&mut store)?;
        assert!(Some(kept) >= said, "{kept} kept, {said:?} committed");
        let sessions = store.begin(&juliet())?.newest_sessions(VERSION, &romeo())?;
        assert_eq!(sessions.len(), 30);
        assert!(sessions.iter().all(|row| row.last_used == kept));
    }
    Ok(())
}

/// Reads, adds one, commits; tidies at times.
pub(crate) fn count(store: &mut SqliteStore, times: u32) -> Result<(), StoreError> {
    for time in 0..times {
        let mut rows = store.begin(&juliet())?;
        let counted = rows.account()?.map_or(0, |row| row.generation);
        rows.write(account(counted + 1))?;
        rows.commit()?;
        if time % 20 == 0 {
            store.tidy()?;
        }
    }
    Ok(())
}

#[test]
#[ignore = "a child"]
fn child_counts() -> Outcome {
    let Some(mut store) = store_of_child()? else {
        return Ok(());
    };
    count(&mut store, 200)?;
    Ok(())
}

#[test]
fn processes_and_threads_wait_for_each_other() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    let mut children = [
        child("processes::child_counts", &path)?,
        child("processes::child_counts", &path)?,
    ];
    let threads = [path.clone(), path.clone()].map(|path| {
        thread::spawn(move || SqliteStore::open(path).and_then(|mut store| count(&mut store, 200)))
    });
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked")??;
    }
    for child in &mut children {
        assert!(child.wait()?.success());
    }
    assert_eq!(generation(&mut SqliteStore::open(&path)?)?, 800);
    Ok(())
}

#[test]
fn a_new_file_may_be_opened_by_many_at_once() -> Outcome {
    for _ in 0..10 {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("store.db");
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                thread::spawn(move || {
                    SqliteStore::open(path).and_then(|mut store| count(&mut store, 1))
                })
            })
            .collect();
        for thread in threads {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        assert_eq!(generation(&mut SqliteStore::open(&path)?)?, 8);
    }
    Ok(())
}

#[test]
fn who_waits_too_long_is_told_that_the_store_is_locked() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    let mut options = SqliteOptions::default();
    options.busy_timeout = Duration::from_millis(50);
    let mut holder = SqliteStore::open(&path)?;
    let mut waiter = SqliteStore::open_with(&path, &options)?;

    let mut held = holder.begin(&juliet())?;
    held.write(account(1))?;
    assert!(matches!(
        waiter.begin(&juliet()),
        Err(StoreError::Locked(_))
    ));
    waiter.tidy()?;
    held.commit()?;
    assert_eq!(generation(&mut waiter)?, 1);
    Ok(())
}

#[test]
fn on_a_full_disk_nothing_is_kept_and_the_store_goes_on() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    let mut options = SqliteOptions::default();
    options.max_page_count = Some(100);
    let mut store = SqliteStore::open_with(&path, &options)?;
    write(&mut store, [account(1), session(1, [1; 32], 1)])?;

    let mut rows = store.begin(&juliet())?;
    rows.write(account(2))?;
    rows.write(session(1, [2; 32], 2))?;
    let full = (2..10_000).find_map(|device| rows.write(session(device, [2; 32], 2)).err());
    assert!(matches!(full, Some(StoreError::Full(_))), "{full:?}");
    // SQLite has ended the transaction: what follows must not be committed by itself.
    assert!(rows.write(account(3)).is_err());
    assert!(rows.commit().is_err());

    assert_eq!(generation(&mut store)?, 1);
    let sessions = store.begin(&juliet())?.newest_sessions(VERSION, &romeo())?;
    assert_eq!(
        sessions.iter().map(|row| row.last_used).collect::<Vec<_>>(),
        [1]
    );
    write(
        &mut store,
        [account(4), Change::DeleteDevice(VERSION, romeos(9))],
    )?;
    store.tidy()?;
    assert_eq!(generation(&mut SqliteStore::open(&path)?)?, 4);
    Ok(())
}
