//! Sessions and skipped keys.

use super::dump::{session_parts, skipped as skipped_parts};
use super::sample::{juliet, public_key, romeo, romeos, session, skipped, skipped_id};
use super::{sample, write};
use crate::Address;
use crate::store::{Change, SessionRow, SkippedId, Store, StoreError, Transaction, Version};

/// All of one device, the highest number first.
pub fn sessions_come_last_used_first(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    for version in Version::ALL {
        let row = |ephemeral, used| session(version, romeos(1), public_key(ephemeral), used, 1);
        let elsewhere = session(version, romeos(2), public_key(1), 9, 1);
        let rows = [row(1, 3), row(2, 7), row(3, 5), row(4, 1), elsewhere];
        write(&mut store, rows.map(Change::PutSession))?;
        let expected = [row(2, 7), row(3, 5), row(1, 3), row(4, 1)].map(|row| session_parts(&row));
        let kept = store.begin(&juliet())?.sessions(version, &romeos(1))?;
        assert_eq!(kept.iter().map(session_parts).collect::<Vec<_>>(), expected);
    }
    Ok(())
}

/// The one with the highest number for each device of an account that has any.
pub fn newest_sessions_are_one_a_device(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    for version in Version::ALL {
        let row = |device, ephemeral, used, n| {
            session(version, romeos(device), public_key(ephemeral), used, n)
        };
        let of_juliet = Address {
            jid: juliet(),
            device: sample::device(1),
        };
        let of_juliet = session(version, of_juliet, public_key(1), 9, 1);
        let rows = [
            row(2, 1, 4, 1),
            row(2, 2, 6, 2),
            row(2, 3, 5, 3),
            row(1, 8, 3, 4),
            of_juliet,
        ];
        write(&mut store, rows.map(Change::PutSession))?;

        let expected = [row(1, 8, 3, 4), row(2, 2, 6, 2)].map(|row| session_parts(&row));
        let mut kept = store.begin(&juliet())?.newest_sessions(version, &romeo())?;
        kept.sort_by_key(|row| row.address.device);
        assert_eq!(kept.iter().map(session_parts).collect::<Vec<_>>(), expected);
    }
    Ok(())
}

/// By address, of one protocol, once however many sessions there are.
pub fn session_peers_are_named_once(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let [version, other_version] = Version::ALL;
    let of_juliet = Address {
        jid: juliet(),
        device: sample::device(9),
    };
    let row = |version, address: &Address, ephemeral| {
        session(version, address.clone(), public_key(ephemeral), 1, 1)
    };
    let rows = [
        row(version, &romeos(300), 1),
        row(version, &romeos(2), 1),
        row(version, &romeos(2), 2),
        row(version, &of_juliet, 1),
        row(other_version, &romeos(4), 1),
    ];
    write(&mut store, rows.map(Change::PutSession))?;

    let kept = store.begin(&juliet())?;
    let expected = [of_juliet, romeos(2), romeos(300)];
    assert_eq!(kept.session_peers(version)?, expected);
    assert_eq!(kept.session_peers(other_version)?, [romeos(4)]);
    Ok(())
}

/// A session that is written again, as with every message, loses none of its skipped keys.
pub fn a_session_is_replaced_and_keeps_its_skipped_keys(
    mut store: impl Store,
) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let [version, _] = Version::ALL;
    let row = |n| session(version, romeos(1), public_key(1), u64::from(n), n);
    write(
        &mut store,
        [
            Change::PutSession(row(1)),
            Change::PutSkipped(skipped(&row(1), 5, 6, 7)),
        ],
    )?;
    write(&mut store, [Change::PutSession(row(2))])?;

    let rows = store.begin(&juliet())?;
    let kept = rows.sessions(version, &romeos(1))?;
    assert_eq!(
        kept.iter().map(session_parts).collect::<Vec<_>>(),
        [session_parts(&row(2))]
    );
    assert!(rows.skipped(&skipped_id(&row(1), 5, 6))?.is_some());
    Ok(())
}

/// The session and its skipped keys, and nothing of another session.
pub fn a_session_is_deleted_with_its_skipped_keys(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let [version, other_version] = Version::ALL;
    let gone = session(version, romeos(1), public_key(1), 1, 1);
    let others = [
        session(version, romeos(1), public_key(2), 2, 2),
        session(version, romeos(2), public_key(1), 1, 1),
        session(other_version, romeos(1), public_key(1), 1, 1),
    ];
    for row in others.iter().chain([&gone]) {
        let keys =
            [1, 2, 3].map(|number| Change::PutSkipped(skipped(row, 5, number, number.into())));
        write(
            &mut store,
            [Change::PutSession(row.clone())].into_iter().chain(keys),
        )?;
    }
    write(
        &mut store,
        [Change::DeleteSession(version, romeos(1), public_key(1))],
    )?;

    let rows = store.begin(&juliet())?;
    let skipped_of = |row: &SessionRow| {
        rows.skipped_beyond(row.version, &row.address, &row.ephemeral_key, 0)
            .map(|ids| ids.len())
    };
    assert_eq!(skipped_of(&gone)?, 0);
    assert_eq!(rows.sessions(version, &romeos(1))?.len(), 1);
    for row in &others {
        assert_eq!(skipped_of(row)?, 3);
    }
    drop(rows);

    // A session that comes back has no keys from its earlier life.
    write(&mut store, [Change::PutSession(gone.clone())])?;
    let rows = store.begin(&juliet())?;
    assert!(rows.skipped(&skipped_id(&gone, 5, 1))?.is_none());
    Ok(())
}

/// By session, ratchet key and number, which may be any.
pub fn skipped_keys_are_kept(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    for version in Version::ALL {
        let row = session(version, romeos(1), public_key(1), 1, 1);
        write(&mut store, [Change::PutSession(row.clone())])?;
        let keys = [(5, 0), (5, u32::MAX), (6, 0)];
        for order in [1, 2] {
            let rows = keys.map(|(ratchet, number)| skipped(&row, ratchet, number, order));
            write(&mut store, rows.map(Change::PutSkipped))?;
        }
        write(&mut store, [Change::DeleteSkipped(skipped_id(&row, 6, 0))])?;

        let rows = store.begin(&juliet())?;
        let kept = |ratchet, number| -> Result<_, StoreError> {
            let kept = rows.skipped(&skipped_id(&row, ratchet, number))?;
            Ok(kept.as_ref().map(skipped_parts))
        };
        assert_eq!(kept(5, 0)?, Some(skipped_parts(&skipped(&row, 5, 0, 2))));
        assert_eq!(
            kept(5, u32::MAX)?,
            Some(skipped_parts(&skipped(&row, 5, u32::MAX, 2)))
        );
        assert_eq!(kept(6, 0)?, None);
        assert_eq!(kept(5, 1)?, None);
    }
    Ok(())
}

/// Within a transaction the order of writing does not matter.
pub fn skipped_keys_may_come_before_their_session(mut store: impl Store) -> Result<(), StoreError> {
    let [version, _] = Version::ALL;
    let row = session(version, romeos(1), public_key(1), 1, 1);
    let key = skipped(&row, 5, 6, 7);
    let account = sample::account(1);
    let changes = [
        Change::PutSkipped(key),
        Change::PutSession(row.clone()),
        Change::PutAccount(account),
    ];
    write(&mut store, changes)?;
    assert!(
        store
            .begin(&juliet())?
            .skipped(&skipped_id(&row, 5, 6))?
            .is_some()
    );
    Ok(())
}

/// By their order and not by their number; none while there are no more than are kept.
pub fn skipped_keys_beyond_the_newest_come_oldest_first(
    mut store: impl Store,
) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    for version in Version::ALL {
        let row = session(version, romeos(1), public_key(1), 1, 1);
        let other = session(version, romeos(1), public_key(2), 2, 1);
        write(
            &mut store,
            [&row, &other].map(|row| Change::PutSession(row.clone())),
        )?;
        let keys = [(5, 9, 30), (6, 1, 40), (5, 8, 10), (6, 0, 20)];
        let keys = keys.map(|(ratchet, number, order)| skipped(&row, ratchet, number, order));
        write(&mut store, keys.map(Change::PutSkipped))?;
        write(&mut store, [Change::PutSkipped(skipped(&other, 5, 7, 1))])?;

        let oldest_first = [(5, 8), (6, 0), (5, 9), (6, 1)];
        let oldest_first = oldest_first.map(|(ratchet, number)| skipped_id(&row, ratchet, number));
        let rows = store.begin(&juliet())?;
        for keep in 0..6 {
            let beyond = rows.skipped_beyond(version, &romeos(1), &public_key(1), keep)?;
            let expected: Vec<SkippedId> = oldest_first
                .iter()
                .take(4_usize.saturating_sub(keep))
                .cloned()
                .collect();
            assert_eq!(beyond, expected, "{keep} kept");
        }
    }
    Ok(())
}

/// A message to a thousand devices: one load, one commit.
pub fn a_thousand_sessions_fit_in_one_transaction(mut store: impl Store) -> Result<(), StoreError> {
    let [version, _] = Version::ALL;
    let row = |device, n| session(version, romeos(device), public_key(device), u64::from(n), n);
    let first = (1..=1_000).map(|device| Change::PutSession(row(device, 1)));
    write(
        &mut store,
        [Change::PutAccount(sample::account(1))]
            .into_iter()
            .chain(first),
    )?;

    let mut rows = store.begin(&juliet())?;
    assert_eq!(rows.newest_sessions(version, &romeo())?.len(), 1_000);
    for device in 1..=1_000 {
        rows.write(Change::PutSession(row(device, 2)))?;
    }
    rows.commit()?;

    let mut kept = store.begin(&juliet())?.newest_sessions(version, &romeo())?;
    kept.sort_by_key(|row| row.address.device);
    let expected: Vec<_> = (1..=1_000)
        .map(|device| session_parts(&row(device, 2)))
        .collect();
    assert_eq!(kept.iter().map(session_parts).collect::<Vec<_>>(), expected);
    Ok(())
}
