//! A value that this crate cannot have written is named by table and column; nothing panics.

use crate::common::{
    Outcome, VERSION, account, juliet, pre_key, public_key, romeo, romeos, session, skipped, write,
};
use omemo::store::{
    Change, DeviceListRow, DeviceRow, DutyKind, DutyRow, HeldDecisionRow, IdentityKey, InboxRow,
    MessageId, OptOutRow, OutboxRow, OwedDecisionRow, PreKeyId, PublicationRow, SeenRow,
    SignedPreKeyId, SignedPreKeyRow, Store, StoreError, Transaction, TrustRow,
};
use omemo::{Chat, InboxId, Ticket, Timestamp, Trust};
use omemo_sqlite::SqliteStore;
use rusqlite::Connection;
use zeroize::Zeroizing;

const AT: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn one_row_of_every_table() -> Vec<Change> {
    let id = PreKeyId::parse(1).unwrap();
    let signed_id = SignedPreKeyId::parse(1).unwrap();
    // The base point of Curve25519, with sign 0.
    let mut key = [0; 32];
    key[0] = 9;
    let key = IdentityKey::from_curve25519(&key).unwrap();
    vec![
        account(1),
        Change::PutPublication(PublicationRow {
            version: VERSION,
            bundle_revision: 1,
            published_revision: 1,
            announced: true,
            next_pre_key: id,
            next_signed_pre_key: signed_id,
        }),
        pre_key(1, [1; 32]),
        Change::PutSignedPreKey(SignedPreKeyRow {
            version: VERSION,
            id: signed_id,
            secret: Zeroizing::new([1; 32]),
            signature: [1; 64],
            made_at: AT,
            retired_at: None,
        }),
        Change::PutDeviceList(DeviceListRow {
            version: VERSION,
            jid: romeo(),
            fetched_at: AT,
            subscribed_at: None,
        }),
        Change::PutDevice(DeviceRow {
            version: VERSION,
            address: romeos(1),
            listed: true,
            identity: Some(key),
            label: None,
            retry_after: None,
            failure: None,
            listed_at: None,
            heard_at: None,
            healed_at: None,
        }),
        Change::PutTrust(TrustRow {
            jid: romeo(),
            key,
            level: Trust::Blind,
            decided_at: None,
        }),
        session(1, [1; 32], 1),
        Change::PutSkipped(skipped(1, 1, [1; 32], 1)),
        Change::PutSeen(SeenRow {
            version: VERSION,
            address: romeos(1),
            keys: vec![1],
        }),
        Change::PutDuty(DutyRow {
            version: VERSION,
            address: romeos(1),
            kind: DutyKind::Answer,
        }),
        Change::PutOptOut(OptOutRow {
            jid: romeo(),
            reason: None,
            received_at: AT,
            confirmed: false,
        }),
        Change::PutHeldDecision(HeldDecisionRow {
            teller: romeo(),
            teller_key: key.fingerprint(),
            owner: juliet(),
            key: key.fingerprint(),
            trust: true,
            decided_at: AT,
            order: 1,
        }),
        Change::PutOwedDecision(OwedDecisionRow {
            to: romeos(1),
            owner: juliet(),
            key: key.fingerprint(),
            trust: true,
        }),
        Change::PutInbox(InboxRow {
            id: InboxId::new(1),
            message: MessageId {
                version: VERSION,
                address: romeos(1),
                ratchet_key: public_key(1),
                number: 1,
            },
            chat: Chat::Direct(romeo()),
            trust: Trust::Blind,
            stanza_id: None,
            delay: None,
            time_differs: false,
            received_at: AT,
            content: "<content/>".into(),
            transported: None,
        }),
        Change::PutOutbox(OutboxRow {
            ticket: Ticket::new(1),
            message_id: None,
            chat: Chat::Direct(romeo()),
            version: VERSION,
            served: vec![romeos(1)],
            made_at: AT,
            tells_trust: false,
            handed_out: 0,
            handed_by: None,
            sent_at: None,
            stanza: "<message/>".into(),
        }),
    ]
}

fn load_everything(store: &mut SqliteStore) -> Result<(), StoreError> {
    let rows = store.begin(&juliet())?;
    rows.account()?;
    rows.publications()?;
    rows.pre_keys(VERSION)?;
    rows.signed_pre_keys(VERSION)?;
    rows.device_list(VERSION, &romeo())?;
    rows.devices(VERSION, &romeo())?;
    rows.trust(&romeo())?;
    rows.sessions(VERSION, &romeos(1))?;
    rows.session_peers(VERSION)?;
    rows.newest_sessions(VERSION, &romeo())?;
    rows.skipped(&skipped(1, 1, [0; 32], 0).id())?;
    rows.skipped_beyond(VERSION, &romeos(1), &public_key(1), 0)?;
    rows.seen(VERSION, &romeos(1))?;
    rows.duties()?;
    rows.opt_out(&romeo())?;
    rows.held_decisions()?;
    rows.owed_decisions()?;
    rows.inbox()?;
    rows.outbox()?;
    Ok(())
}

#[test]
fn a_value_that_makes_no_sense_is_damaged_and_named() -> Outcome {
    let nonsense = [
        ("account", "device", "0"),
        ("account", "device", "2147483648"),
        ("account", "identity", "x'00'"),
        ("account", "generation", "-1"),
        ("account", "standing", "'none'"),
        ("account", "anchored", "2"),
        ("publication", "version", "3"),
        ("publication", "announced", "2"),
        ("publication", "next_pre_key", "-1"),
        ("publication", "next_signed_pre_key", "4294967296"),
        ("pre_key", "id", "2147483648"),
        ("pre_key", "secret", "zeroblob(33)"),
        ("signed_pre_key", "secret", "x''"),
        ("signed_pre_key", "signature", "zeroblob(63)"),
        ("device", "device", "0"),
        ("device", "identity", "zeroblob(64)"),
        ("device", "label_signature", "x'00'"),
        ("trust", "identity", "x'02'"),
        ("trust", "level", "'very'"),
        ("session", "device", "-1"),
        ("session", "ephemeral_key", "zeroblob(32)"),
        ("session", "last_used", "-1"),
        ("skipped_key", "ratchet_key", "zeroblob(31)"),
        ("skipped_key", "number", "4294967296"),
        ("skipped_key", "message_key", "zeroblob(31)"),
        ("skipped_key", "sequence", "-1"),
        ("duty", "jid", "'@'"),
        ("duty", "kind", "'none'"),
        ("opt_out", "confirmed", "2"),
        ("held_decision", "teller", "''"),
        ("held_decision", "teller_key", "zeroblob(31)"),
        ("held_decision", "trust", "2"),
        ("held_decision", "sequence", "-1"),
        ("owed_decision", "recipient", "''"),
        ("owed_decision", "device", "0"),
        ("owed_decision", "key", "zeroblob(33)"),
        ("owed_decision", "trust", "-1"),
        ("inbox", "id", "-1"),
        ("inbox", "version", "0"),
        ("inbox", "jid", "'romeo@montague.example/garden'"),
        ("inbox", "chat", "''"),
        ("inbox", "room", "2"),
        ("inbox", "trust", "''"),
        ("inbox", "time_differs", "-1"),
        ("outbox", "ticket", "-1"),
        ("outbox", "recipient", "' '"),
        ("outbox", "room", "-1"),
        ("outbox", "served", "'romeo@montague.example'"),
        ("outbox", "served", "'romeo@montague.example 0'"),
        ("outbox", "served", "'romeo@montague.example 1 '"),
        ("outbox", "handed_out", "-1"),
        ("outbox", "handed_at", "0"),
    ];
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store.db");
    let mut store = SqliteStore::open(&path)?;
    write(&mut store, one_row_of_every_table())?;
    load_everything(&mut store)?;

    let other = Connection::open(&path)?;
    other.execute_batch("PRAGMA foreign_keys = OFF")?;
    for (table, column, value) in nonsense {
        other.execute_batch(&format!(
            "CREATE TEMP TABLE kept AS SELECT * FROM {table};
             UPDATE {table} SET {column} = {value}",
        ))?;

        let damaged = load_everything(&mut store).unwrap_err();
        assert!(
            matches!(damaged, StoreError::Damaged(_)),
            "{table}.{column}: {damaged}"
        );
        assert!(
            damaged
                .to_string()
                .contains(&format!("{table}.{column} is not")),
            "{damaged}"
        );

        other.execute_batch(&format!(
            "DELETE FROM {table};
             INSERT INTO {table} SELECT * FROM kept;
             DROP TABLE kept",
        ))?;
    }
    load_everything(&mut store)?;
    Ok(())
}
