//! Files of earlier versions of the schema become files of this one, and keep every row.

use std::path::Path;

use crate::common::{Outcome, VERSION, juliet, public_key, romeo, romeos};
use omemo::store::{MessageId, Standing, Store, Transaction};
use omemo::{Chat, InboxId, Ticket, Timestamp, Trust};
use omemo_sqlite::SqliteStore;
use rusqlite::{Connection, params};

/// What stands in the header of a file of version 1, and a row of every table that has changed since.
fn write_version_1(path: &Path) -> Outcome {
    let file = Connection::open(path)?;
    file.execute_batch(include_str!("../../migrations/0001.sql"))?;
    file.execute_batch(
        "PRAGMA application_id = 0x4f4d454d;
         PRAGMA user_version = 1;
         PRAGMA journal_mode = WAL;
         INSERT INTO account VALUES (1, 'juliet@capulet.example', 7, zeroblob(32), 5, 6, NULL);
         INSERT INTO pre_key VALUES (1, 1, 3, zeroblob(32), 1700000001);
         INSERT INTO device_list VALUES (1, 1, 'romeo@montague.example', 1700000002);
         INSERT INTO device
             VALUES (1, 1, 'romeo@montague.example', 1, 1, NULL, NULL, NULL, NULL, 'no bundle');
         INSERT INTO outbox
             VALUES (1, 4, 'one', 'romeo@montague.example', 1, 'romeo@montague.example 1',
                     1700000003, 0, NULL, NULL, NULL, '<message/>');",
    )?;
    let key = public_key(1);
    let key = key.as_bytes().as_slice();
    file.execute(
        "INSERT INTO session VALUES (1, 1, 'romeo@montague.example', 1, ?1, x'0102', 9)",
        params![key],
    )?;
    file.execute(
        "INSERT INTO skipped VALUES (1, 1, 'romeo@montague.example', 1, ?1, ?1, 3, zeroblob(32), 4)",
        params![key],
    )?;
    file.execute(
        "INSERT INTO inbox
             VALUES (1, 2, 1, 'romeo@montague.example', 1, ?1, 8, 'romeo@montague.example', 'blind',
                     NULL, NULL, 0, 1700000004, '<content/>')",
        params![key],
    )?;
    Ok(())
}

#[test]
fn a_file_of_version_1_is_brought_up_and_keeps_its_rows() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    write_version_1(&path)?;
    let mut store = SqliteStore::open(&path)?;

    let rows = store.begin(&juliet())?;
    let account = rows.account()?.unwrap();
    assert_eq!((account.generation, account.next_number), (5, 6));
    assert_eq!((account.label, account.standing), (None, Standing::Active));
    assert!(!account.anchored);
    let [pre_key] = rows
        .pre_keys(VERSION)?
        .try_into()
        .unwrap_or_else(|_| panic!("one prekey"));
    let used_at = Timestamp::from_seconds(1_700_000_001);
    assert_eq!(
        (pre_key.used_at, pre_key.withdrawn_at),
        (Some(used_at), None)
    );
    let list = rows.device_list(VERSION, &romeo())?.unwrap();
    assert_eq!(list.subscribed_at, None);
    let device = rows.device(VERSION, &romeos(1))?.unwrap();
    assert_eq!(device.failure.as_deref(), Some("no bundle"));
    assert_eq!(
        (device.listed_at, device.heard_at, device.healed_at),
        (None, None, None)
    );
    let [session] = rows
        .sessions(VERSION, &romeos(1))?
        .try_into()
        .unwrap_or_else(|_| panic!("one session"));
    assert_eq!((session.last_used, session.made_at.seconds()), (9, 0));
    assert_eq!(*session.state, [1, 2]);
    let [skipped] = rows
        .skipped_beyond(VERSION, &romeos(1), &public_key(1), 0)?
        .try_into()
        .unwrap_or_else(|_| panic!("one skipped key"));
    assert_eq!((skipped.ratchet_key, skipped.number), (public_key(1), 3));
    assert_eq!(rows.skipped(&skipped)?.unwrap().order, 4);

    let message = MessageId {
        version: VERSION,
        address: romeos(1),
        ratchet_key: public_key(1),
        number: 8,
    };
    let received = rows.inbox_message(&message)?.unwrap();
    assert_eq!(
        (received.id, received.trust),
        (InboxId::new(2), Trust::Blind)
    );
    assert_eq!(received.chat, Chat::Direct(romeo()));
    assert_eq!(received.transported, None);
    let sealed = rows.outbox_row(Ticket::new(4))?.unwrap();
    assert_eq!(sealed.chat, Chat::Direct(romeo()));
    assert_eq!(sealed.served, [romeos(1)]);
    assert_eq!(rows.opt_out(&romeo())?, None);
    Ok(())
}

/// The migrated schema is the one that a new file has.
#[test]
fn a_migrated_schema_is_that_of_a_new_file() -> Outcome {
    let directory = tempfile::tempdir()?;
    let [old, new] = ["old.db", "new.db"].map(|name| directory.path().join(name));
    write_version_1(&old)?;
    for path in [&old, &new] {
        drop(SqliteStore::open(path)?);
    }
    assert_eq!(schema(&old)?, schema(&new)?);
    Ok(())
}

fn schema(path: &Path) -> rusqlite::Result<(i64, Vec<String>)> {
    let file = Connection::open(path)?;
    let version = file.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let mut objects =
        file.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")?;
    let objects = objects.query_map([], |row| row.get(0))?;
    Ok((version, objects.collect::<Result<_, _>>()?))
}
