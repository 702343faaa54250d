//! How long a message to a thousand devices takes, and what encryption adds to a message to one. Printed, not judged:
//! `cargo test --release speed -- --nocapture`.

use std::time::Instant;

use crate::common::{Outcome, VERSION, account, juliet, romeo, session, write};
use omemo::store::{Change, Store, Transaction};
use omemo_sqlite::SqliteStore;

#[test]
fn a_thousand_sessions() -> Outcome {
    let directory = tempfile::tempdir()?;
    let mut store = SqliteStore::open(directory.path().join("store.db"))?;
    let sessions = |used| (1..=1_000).map(move |device| session(device, [3; 32], used));
    write(&mut store, [account(1)].into_iter().chain(sessions(1)))?;
    store.tidy()?;

    for used in 2..7 {
        let start = Instant::now();
        let mut rows = store.begin(&juliet())?;
        let loaded = rows.newest_sessions(VERSION, &romeo())?;
        let load = start.elapsed();
        for mut row in loaded {
            row.last_used = used;
            rows.write(Change::PutSession(row))?;
        }
        let write = start.elapsed() - load;
        rows.commit()?;
        let commit = start.elapsed() - load - write;
        store.tidy()?;
        let tidy = start.elapsed() - load - write - commit;
        println!(
            "1,000 sessions: load {load:.1?}, write {write:.1?}, commit {commit:.1?}, tidy {tidy:.1?}"
        );
    }
    Ok(())
}

/// One message in a store that has a thousand sessions: a session is read and written again.
#[cfg(feature = "sqlcipher")]
#[test]
fn one_message_in_an_encrypted_file() -> Outcome {
    use crate::common::romeos;
    use crate::encryption::with_key;
    use omemo_sqlite::SqliteOptions;
    use std::time::Duration;

    const ROUNDS: u32 = 200;
    let directory = tempfile::tempdir()?;
    let mut stores = Vec::new();
    for (name, options) in [
        ("plain.db", SqliteOptions::default()),
        ("encrypted.db", with_key(1)),
    ] {
        let mut store = SqliteStore::open_with(directory.path().join(name), &options)?;
        let sessions = (1..=1_000).map(|device| session(device, [3; 32], 1));
        write(&mut store, [account(1)].into_iter().chain(sessions))?;
        store.tidy()?;
        stores.push((store, Duration::ZERO));
    }
    for round in 1..=ROUNDS {
        for (store, spent) in &mut stores {
            let start = Instant::now();
            let mut rows = store.begin(&juliet())?;
            let loaded = rows.sessions(VERSION, &romeos(round))?;
            assert_eq!(loaded.len(), 1);
            for mut row in loaded {
                row.last_used = 2;
                rows.write(Change::PutSession(row))?;
            }
            rows.commit()?;
            *spent += start.elapsed();
        }
    }
    if let [(_, plain), (_, encrypted)] = stores.as_slice() {
        let ratio = encrypted.as_secs_f64() / plain.as_secs_f64();
        let (plain, encrypted) = (*plain / ROUNDS, *encrypted / ROUNDS);
        println!("one message: plain {plain:.1?}, encrypted {encrypted:.1?}: {ratio:.2} times");
    }
    Ok(())
}
