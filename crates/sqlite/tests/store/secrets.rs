//! What was deleted is not in the files any more.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::common::{
    Outcome, VERSION, account, juliet, pre_key, public_key, romeos, session, skipped, write,
};
use omemo::store::{Change, PreKeyId, Store, Transaction};
use omemo_sqlite::SqliteStore;

/// Four times the same eight bytes: one of them is enough to find it.
pub(crate) fn secret(kind: u32, n: u32) -> [u8; 32] {
    let name = kind * 10_000 + n;
    let part = [*MARK, name.to_be_bytes()].concat();
    part.repeat(4).try_into().unwrap()
}

const MARK: &[u8; 4] = b"\xf5\xf1\xf8\xf3";
const PRE_KEY: u32 = 1;
const SESSION: u32 = 2;
const SKIPPED: u32 = 3;

/// The secrets of which a part stands in the database or in a file beside it.
pub(crate) fn found(directory: &Path) -> BTreeSet<u32> {
    let files = fs::read_dir(directory).unwrap();
    let bytes = files.flat_map(|file| fs::read(file.unwrap().path()).unwrap());
    let bytes: Vec<u8> = bytes.collect();
    let places = bytes.windows(8).filter(|place| place.starts_with(MARK));
    places
        .map(|place| u32::from_be_bytes(place[4..].try_into().unwrap()))
        .collect()
}

fn names(kinds: &[u32], numbers: impl Iterator<Item = u32> + Clone) -> BTreeSet<u32> {
    let of_kind = |kind: &u32| {
        numbers
            .clone()
            .map(|n| kind * 10_000 + n)
            .collect::<Vec<_>>()
    };
    kinds.iter().flat_map(of_kind).collect()
}

fn assert_same(found: &BTreeSet<u32>, expected: &BTreeSet<u32>) {
    let difference: Vec<_> = found.symmetric_difference(expected).take(10).collect();
    assert!(difference.is_empty(), "{difference:?} and perhaps more");
}

#[test]
fn deleted_secrets_leave_the_files_when_the_store_is_tidied() -> Outcome {
    let directory = tempfile::tempdir()?;
    let mut store = SqliteStore::open(directory.path().join("store.db"))?;
    write(&mut store, [account(1), session(1, [0; 32], 1)])?;

    // In no order, so that the pages of the trees are divided, joined and filled again.
    let shuffled = (0..2_000)
        .map(|n| 1 + n * 7_919 % 2_000)
        .collect::<Vec<u32>>();
    for numbers in shuffled.chunks(100) {
        let changes = numbers.iter().flat_map(|&n| {
            [
                pre_key(n, secret(PRE_KEY, n)),
                session(n + 1, secret(SESSION, n), 1),
                Change::PutSkipped(skipped(n, n, secret(SKIPPED, n), n.into())),
            ]
        });
        write(&mut store, changes)?;
    }
    let written = names(&[PRE_KEY, SESSION, SKIPPED], 1..=2_000);
    assert!(found(directory.path()).is_superset(&written));

    let goes = |n: &u32| !n.is_multiple_of(3);
    let going: Vec<u32> = shuffled.into_iter().filter(goes).collect();
    for numbers in going.chunks(100) {
        let changes = numbers.iter().flat_map(|&n| {
            [
                Change::DeletePreKey(VERSION, PreKeyId::parse(n).unwrap()),
                session(n + 1, [1; 32], 2),
                Change::DeleteSkipped(skipped(n, n, [0; 32], 0).id()),
            ]
        });
        write(&mut store, changes)?;
    }
    store.tidy()?;
    let stays = (1..=2_000).filter(|n| !goes(n));
    let kept = names(&[PRE_KEY, SESSION, SKIPPED], stays.clone());
    assert_same(&found(directory.path()), &kept);

    write(
        &mut store,
        [Change::DeleteSession(VERSION, romeos(1), public_key(1))],
    )?;
    drop(store);
    assert_same(&found(directory.path()), &names(&[PRE_KEY, SESSION], stays));
    Ok(())
}

#[test]
fn a_deleted_account_leaves_no_secret_in_the_files() -> Outcome {
    let directory = tempfile::tempdir()?;
    let mut store = SqliteStore::open(directory.path().join("store.db"))?;
    let changes = (1..=500).flat_map(|n| {
        [
            pre_key(n, secret(PRE_KEY, n)),
            session(n, secret(SESSION, n), 1),
            Change::PutSkipped(skipped(n, n, secret(SKIPPED, n), n.into())),
        ]
    });
    write(&mut store, [account(1)].into_iter().chain(changes))?;
    let identity: &[u8] = &[7; 32];
    assert!(stands_anywhere(directory.path(), identity));
    assert!(stands_anywhere(directory.path(), b"juliet@capulet.example"));

    write(&mut store, [Change::DeleteAccount])?;
    store.tidy()?;
    assert_eq!(found(directory.path()), BTreeSet::new());
    assert!(!stands_anywhere(directory.path(), identity));
    assert!(!stands_anywhere(
        directory.path(),
        b"juliet@capulet.example"
    ));
    Ok(())
}

fn stands_anywhere(directory: &Path, bytes: &[u8]) -> bool {
    let mut files = fs::read_dir(directory).unwrap();
    files.any(|file| {
        let file = fs::read(file.unwrap().path()).unwrap();
        file.windows(bytes.len()).any(|place| place == bytes)
    })
}

/// What a transaction wrote before it was dropped may have reached the log.
#[test]
fn secrets_of_a_dropped_transaction_leave_the_files_too() -> Outcome {
    let directory = tempfile::tempdir()?;
    let mut store = SqliteStore::open(directory.path().join("store.db"))?;
    write(&mut store, [account(1)])?;
    let mut rows = store.begin(&juliet())?;
    for n in 1..=20_000 {
        rows.write(session(n, secret(SESSION, n), 1))?;
    }
    assert!(!found(directory.path()).is_empty());
    drop(rows);
    store.tidy()?;
    assert_eq!(found(directory.path()), BTreeSet::new());
    Ok(())
}
