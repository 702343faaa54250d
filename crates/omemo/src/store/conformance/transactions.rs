//! All or nothing, and who sees what.

use super::dump::dump;
use super::sample::{
    every_delete, every_put, juliet, public_key, romeo, romeos, session, skipped, skipped_id,
};
use super::{sample, write};
use crate::store::{Change, ContactRow, Store, StoreError, Transaction, Version};

/// Later reads of a transaction see its writes.
pub fn a_transaction_reads_what_it_wrote(mut store: impl Store) -> Result<(), StoreError> {
    let mut rows = store.begin(&juliet())?;
    let empty = dump(&rows)?;
    for change in every_put(1) {
        rows.write(change)?;
    }
    let full = dump(&rows)?;
    assert_ne!(full, empty);
    rows.commit()?;
    assert_eq!(dump(&store.begin(&juliet())?)?, full);
    Ok(())
}

/// A row that is put again is there once, as it was put last.
pub fn a_put_replaces(mut store: impl Store) -> Result<(), StoreError> {
    let mut rows = store.begin(&juliet())?;
    for change in every_put(2) {
        rows.write(change)?;
    }
    let expected = dump(&rows)?;
    drop(rows);
    for n in [1, 2] {
        write(&mut store, every_put(n))?;
    }
    assert_eq!(dump(&store.begin(&juliet())?)?, expected);
    Ok(())
}

/// A row that is deleted is gone, and may be deleted again.
pub fn a_delete_deletes(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, every_put(1))?;
    write(&mut store, every_delete())?;
    let deleted = dump(&store.begin(&juliet())?)?;
    write(&mut store, every_delete())?;
    let rows = store.begin(&juliet())?;
    assert_eq!(dump(&rows)?, deleted);
    assert_eq!(rows.inbox()?, []);
    assert_eq!(rows.outbox()?, []);
    assert_eq!(rows.duties()?, []);
    Ok(())
}

/// Every row goes, and none of another account; the same account may begin again.
pub fn an_account_is_deleted_with_every_row(mut store: impl Store) -> Result<(), StoreError> {
    let empty = dump(&store.begin(&juliet())?)?;
    let mut rows = store.begin(&romeo())?;
    for change in every_put(2) {
        rows.write(change)?;
    }
    rows.commit()?;
    let other = dump(&store.begin(&romeo())?)?;

    write(&mut store, every_put(1))?;
    let mut rows = store.begin(&juliet())?;
    rows.write(Change::DeleteAccount)?;
    assert_eq!(dump(&rows)?, empty);
    drop(rows);
    assert_ne!(dump(&store.begin(&juliet())?)?, empty);
    for _ in 0..2 {
        write(&mut store, [Change::DeleteAccount])?;
        assert_eq!(dump(&store.begin(&juliet())?)?, empty);
    }
    assert_eq!(dump(&store.begin(&romeo())?)?, other);

    write(&mut store, [Change::PutAccount(sample::account(3))])?;
    let rows = store.begin(&juliet())?;
    assert_eq!(rows.account()?.map(|row| row.generation), Some(3));
    assert_eq!(rows.contact(&romeo())?, None);
    Ok(())
}

/// Dropped without a commit: neither its new rows, nor its replaced ones, nor its deletions.
pub fn a_dropped_transaction_leaves_nothing(mut store: impl Store) -> Result<(), StoreError> {
    for committed in [Vec::new(), every_put(1), every_put(2), every_delete()] {
        write(&mut store, committed)?;
        let before = dump(&store.begin(&juliet())?)?;
        for attempt in [every_put(3), every_delete()] {
            let mut rows = store.begin(&juliet())?;
            for change in attempt
                .into_iter()
                .chain(every_put(4))
                .chain(every_delete())
            {
                rows.write(change)?;
            }
            drop(rows);
            assert_eq!(dump(&store.begin(&juliet())?)?, before);
        }
    }
    Ok(())
}

/// What a dropped transaction wrote does not come up with the next commit.
pub fn a_transaction_may_follow_a_dropped_one(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let mut rows = store.begin(&juliet())?;
    for change in every_put(2) {
        rows.write(change)?;
    }
    drop(rows);
    write(&mut store, [Change::PutAccount(sample::account(3))])?;
    let rows = store.begin(&juliet())?;
    assert_eq!(rows.account()?.map(|row| row.generation), Some(3));
    assert_eq!(rows.inbox()?, []);
    Ok(())
}

/// A commit without it is refused.
pub fn rows_need_their_account(mut store: impl Store) -> Result<(), StoreError> {
    let contact = || Change::PutContact(ContactRow { jid: romeo() });
    assert!(write(&mut store, [contact()]).is_err());
    assert_eq!(store.begin(&juliet())?.contact(&romeo())?, None);
    write(
        &mut store,
        [contact(), Change::PutAccount(sample::account(1))],
    )
}

/// A commit without it is refused.
pub fn skipped_keys_need_their_session(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let [version, _] = Version::ALL;
    let session = session(version, romeos(1), public_key(1), 1, 1);
    let key = || Change::PutSkipped(skipped(&session, 5, 6, 7));
    assert!(write(&mut store, [key()]).is_err());
    let rows = store.begin(&juliet())?;
    assert!(rows.skipped(&skipped_id(&session, 5, 6))?.is_none());
    drop(rows);
    write(&mut store, [key(), Change::PutSession(session.clone())])
}

/// Two accounts in one store have the same keys for different rows.
pub fn accounts_are_apart(mut store: impl Store) -> Result<(), StoreError> {
    let accounts = [(juliet(), 1), (romeo(), 2)];
    let mut dumps = Vec::new();
    for (account, n) in &accounts {
        let mut rows = store.begin(account)?;
        for change in every_put(*n) {
            rows.write(change)?;
        }
        dumps.push(dump(&rows)?);
        rows.commit()?;
    }
    for ((account, _), dumped) in accounts.iter().zip(&dumps) {
        assert_eq!(dump(&store.begin(account)?)?, *dumped);
    }
    write(&mut store, every_delete())?;
    assert_eq!(Some(&dump(&store.begin(&romeo())?)?), dumps.last());
    Ok(())
}

/// [`Store::tidy`] is about what is no row any more.
pub fn tidying_changes_no_row(mut store: impl Store) -> Result<(), StoreError> {
    store.tidy()?;
    write(&mut store, every_put(1))?;
    let before = dump(&store.begin(&juliet())?)?;
    store.tidy()?;
    assert_eq!(dump(&store.begin(&juliet())?)?, before);
    Ok(())
}

/// At once, and also after the committing handle is gone.
pub fn a_commit_is_seen_by_the_other_handle<S: Store>(
    (mut one, mut other): (S, S),
) -> Result<(), StoreError> {
    let mut dumps = Vec::new();
    for changes in [every_put(1), every_put(2), every_delete()] {
        write(&mut one, changes)?;
        let dumped = dump(&one.begin(&juliet())?)?;
        assert_eq!(dump(&other.begin(&juliet())?)?, dumped);
        dumps.push(dumped);
    }
    drop(one);
    assert_eq!(Some(&dump(&other.begin(&juliet())?)?), dumps.last());
    Ok(())
}

/// Neither then nor later.
pub fn a_dropped_transaction_is_not_seen_by_the_other_handle<S: Store>(
    (mut one, mut other): (S, S),
) -> Result<(), StoreError> {
    write(&mut one, every_put(1))?;
    let before = dump(&other.begin(&juliet())?)?;
    let mut rows = one.begin(&juliet())?;
    for change in every_put(2) {
        rows.write(change)?;
    }
    drop(rows);
    assert_eq!(dump(&other.begin(&juliet())?)?, before);
    one.tidy()?;
    drop(one);
    assert_eq!(dump(&other.begin(&juliet())?)?, before);
    Ok(())
}

/// Each builds on what the other has just written.
pub fn the_handles_take_turns<S: Store>((mut one, mut other): (S, S)) -> Result<(), StoreError> {
    write(&mut one, [Change::PutAccount(sample::account(0))])?;
    for _ in 0..20 {
        for store in [&mut other, &mut one] {
            let mut rows = store.begin(&juliet())?;
            if let Some(mut account) = rows.account()? {
                account.generation += 1;
                rows.write(Change::PutAccount(account))?;
            }
            rows.commit()?;
        }
    }
    let account = one.begin(&juliet())?.account()?;
    assert_eq!(account.map(|row| row.generation), Some(40));
    Ok(())
}
