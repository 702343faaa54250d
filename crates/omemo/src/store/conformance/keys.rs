//! The account, what it publishes and its own keys.

use super::dump::{account, pre_key, signed_pre_key};
use super::sample::{self, juliet, pre_key_id, publication, signed_pre_key_id};
use super::write;
use crate::store::{Change, Store, StoreError, Transaction, Version};

/// Nothing is there before it is put.
pub fn an_account_is_absent_before_it_is_put(mut store: impl Store) -> Result<(), StoreError> {
    let rows = store.begin(&juliet())?;
    assert!(rows.account()?.is_none());
    assert!(rows.publications()?.is_empty());
    Ok(())
}

/// The account's row comes back, with secrets and the moment of the catch-up or without it, and
/// with numbers up to 2⁶³−1.
pub fn an_account_is_kept(mut store: impl Store) -> Result<(), StoreError> {
    for n in 1..=5 {
        let mut row = sample::account(n);
        row.generation = u64::MAX >> 1;
        let expected = account(&row);
        write(&mut store, [Change::PutAccount(row)])?;
        let rows = store.begin(&juliet())?;
        assert_eq!(rows.account()?.as_ref().map(account), Some(expected));
    }
    Ok(())
}

/// One row a protocol.
pub fn publications_are_kept(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    for n in [1, 2] {
        let rows = Version::ALL.map(|version| publication(version, n));
        write(&mut store, rows.clone().map(Change::PutPublication))?;
        let mut kept = store.begin(&juliet())?.publications()?;
        kept.sort_by_key(|row| row.version);
        assert_eq!(kept, rows);
    }
    Ok(())
}

/// By protocol and id, in order of the id.
pub fn pre_keys_are_kept_by_id(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    for version in Version::ALL {
        let keys = [300, 2, 0, 0x7fff_ffff].map(|id| sample::pre_key(version, id, 1));
        write(&mut store, keys.map(Change::PutPreKey))?;
        let used = sample::pre_key(version, 300, 2);
        write(
            &mut store,
            [
                Change::PutPreKey(used),
                Change::DeletePreKey(version, pre_key_id(2)),
            ],
        )?;

        let expected = [(0, 1), (300, 2), (0x7fff_ffff, 1)];
        let expected = expected.map(|(id, n)| pre_key(&sample::pre_key(version, id, n)));
        let rows = store.begin(&juliet())?;
        let kept: Vec<_> = rows.pre_keys(version)?.iter().map(pre_key).collect();
        assert_eq!(kept, expected);
        let used: Vec<_> = rows
            .used_pre_keys(version)?
            .iter()
            .map(|row| row.id)
            .collect();
        let expected_used: Vec<_> = rows
            .pre_keys(version)?
            .iter()
            .filter(|row| row.used_at.is_some())
            .map(|row| row.id)
            .collect();
        assert_eq!(used, expected_used);
        let one = rows.pre_key(version, pre_key_id(300))?;
        assert_eq!(one.as_ref().map(pre_key).as_ref(), expected.get(1));
        assert!(rows.pre_key(version, pre_key_id(2))?.is_none());
    }
    Ok(())
}

/// By protocol and id, in order of the id, apart from the prekeys.
pub fn signed_pre_keys_are_kept_by_id(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    for version in Version::ALL {
        let keys = [300, 2, 0, 0x7fff_ffff].map(|id| sample::signed_pre_key(version, id, 1));
        write(&mut store, keys.map(Change::PutSignedPreKey))?;
        let retired = Change::PutSignedPreKey(sample::signed_pre_key(version, 300, 2));
        let delete = Change::DeleteSignedPreKey(version, signed_pre_key_id(2));
        write(&mut store, [retired, delete])?;

        let expected = [(0, 1), (300, 2), (0x7fff_ffff, 1)];
        let expected =
            expected.map(|(id, n)| signed_pre_key(&sample::signed_pre_key(version, id, n)));
        let rows = store.begin(&juliet())?;
        let kept: Vec<_> = rows
            .signed_pre_keys(version)?
            .iter()
            .map(signed_pre_key)
            .collect();
        assert_eq!(kept, expected);
        let one = rows.signed_pre_key(version, signed_pre_key_id(300))?;
        assert_eq!(one.as_ref().map(signed_pre_key).as_ref(), expected.get(1));
        assert!(
            rows.signed_pre_key(version, signed_pre_key_id(2))?
                .is_none()
        );
        assert!(rows.pre_keys(version)?.is_empty());
    }
    Ok(())
}
