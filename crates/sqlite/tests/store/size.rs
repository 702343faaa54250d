//! What one session may cost on the disk, whatever its peer does (A16): at most 256 kB.

use std::path::Path;

use crate::common::{Outcome, account, juliet, public_key, write};
use omemo::store::{Change, MessageKey, SessionRow, SkippedRow, Store, Transaction, Version};
use omemo::{Address, BareJid, DeviceId, Timestamp};
use omemo_sqlite::SqliteStore;
use rusqlite::Connection;
use zeroize::Zeroizing;

const MOST_BYTES: i64 = 256 * 1_024;
/// RFC 7622 §3.3: a local part has so many bytes at most.
const LONGEST_PART: usize = 1_023;

/// A session as large as sessions become, with as many skipped keys as are kept: `turns` of them in chains of their own.
fn fill(store: &mut SqliteStore, jid: &BareJid, version: Version, turns: u32) -> Outcome {
    let address = Address {
        jid: jid.clone(),
        device: DeviceId::new(DeviceId::MAX)?,
    };
    let session = SessionRow {
        version,
        address: address.clone(),
        ephemeral_key: public_key(1),
        state: Zeroizing::new(vec![1; 400]),
        last_used: 1,
        made_at: Timestamp::from_seconds(1_700_000_000),
    };
    write(store, [Change::PutSession(session)])?;
    let keys = u32::try_from(version.suite().max_stored_skipped())?;
    for n in 0..keys {
        // one transaction a key, in no order: the worst for the tree
        let key = SkippedRow {
            version,
            address: address.clone(),
            ephemeral_key: public_key(1),
            ratchet_key: public_key(100 + n % turns),
            number: 1_000_000 + n,
            key: MessageKey::from_bytes([7; 32]),
            order: u64::from(1_000_000 + n),
        };
        let mut rows = store.begin(&juliet())?;
        rows.write(Change::PutSkipped(key))?;
        rows.commit()?;
    }
    Ok(())
}

fn bytes(path: &Path) -> rusqlite::Result<i64> {
    let file = Connection::open(path)?;
    let number = |pragma| file.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let used = number("PRAGMA page_count")? - number("PRAGMA freelist_count")?;
    Ok(used * number("PRAGMA page_size")?)
}

#[test]
fn a16_a_session_takes_at_most_256_kilobytes() -> Outcome {
    let part = "x".repeat(LONGEST_PART);
    let long = format!("{part}@elsewhere.example");
    for jid in ["mallory@elsewhere.example", &long] {
        for version in Version::ALL {
            for turns in [1, 4_000] {
                let directory = tempfile::tempdir()?;
                let path = directory.path().join("store.db");
                let mut store = SqliteStore::open(&path)?;
                write(&mut store, [account(1)])?;
                drop(store);
                let before = bytes(&path)?;
                let mut store = SqliteStore::open(&path)?;
                fill(&mut store, &jid.parse()?, version, turns)?;
                drop(store);
                let taken = bytes(&path)? - before;
                println!(
                    "{version:?}, {turns} chains, a JID of {} bytes: {taken} bytes",
                    jid.len()
                );
                assert!(
                    taken <= MOST_BYTES,
                    "{version:?} {turns} {}: {taken}",
                    jid.len()
                );
            }
        }
    }
    Ok(())
}
