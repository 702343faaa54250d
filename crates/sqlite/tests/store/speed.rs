//! How long a message to a thousand devices takes. Printed, not judged: `cargo test --release
//! speed -- --nocapture`.

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
