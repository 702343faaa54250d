//! What we decided about people and their keys, and what they asked for.

use super::sample::{at, held, identity_key, jid, juliet, opt_out, owed, romeo, romeos};
use super::{sample, write};
use crate::store::{Change, ContactRow, IdentityKey, Store, StoreError, Transaction, TrustRow};
use crate::{BareJid, Trust};

/// By JID and Curve25519 value: the same key with the other sign is the same key, and comes back
/// with the sign that was put last.
pub fn trust_is_kept_by_curve25519_value(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let key = identity_key(1);
    let mirrored = mirrored(&key)?;
    let changes = [
        trust(romeo(), key, Trust::Undecided),
        trust(romeo(), identity_key(2), Trust::Distrusted),
        trust(juliet(), key, Trust::Verified),
        trust(romeo(), mirrored, Trust::Blind),
    ];
    write(&mut store, changes.map(Change::PutTrust))?;

    let rows = store.begin(&juliet())?;
    let facts = |jid| -> Result<Vec<_>, StoreError> {
        let mut facts: Vec<_> = rows.trust(&jid)?;
        facts.sort_by_key(|row| row.level);
        Ok(facts
            .iter()
            .map(|row| (row.jid.clone(), row.key.to_bytes(), row.level))
            .collect())
    };
    let of_romeo = [
        (romeo(), mirrored.to_bytes(), Trust::Blind),
        (romeo(), identity_key(2).to_bytes(), Trust::Distrusted),
    ];
    assert_eq!(facts(romeo())?, of_romeo);
    assert_eq!(
        facts(juliet())?,
        [(juliet(), key.to_bytes(), Trust::Verified)]
    );
    Ok(())
}

/// What was verified or distrusted, of every account, with its moment; by account and key.
pub fn decisions_are_found_over_all_accounts(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let decided = |jid, key, level, n| TrustRow {
        decided_at: Some(at(n)),
        ..trust(jid, identity_key(key), level)
    };
    let verified = decided(romeo(), 1, Trust::Verified, 5);
    let distrusted = decided(juliet(), 2, Trust::Distrusted, 6);
    let changes = [
        verified.clone(),
        distrusted.clone(),
        trust(romeo(), identity_key(3), Trust::Blind),
        trust(juliet(), identity_key(4), Trust::Undecided),
    ];
    write(&mut store, changes.map(Change::PutTrust))?;
    assert_eq!(store.begin(&juliet())?.decisions()?, [distrusted, verified]);
    Ok(())
}

/// Every account that has shown it, with either sign, once; whatever was decided.
pub fn key_owners_are_found_by_curve25519_value(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let key = identity_key(1);
    let changes = [
        trust(romeo(), key, Trust::Distrusted),
        trust(romeo(), identity_key(2), Trust::Verified),
        trust(juliet(), mirrored(&key)?, Trust::Undecided),
    ];
    write(&mut store, changes.map(Change::PutTrust))?;

    let rows = store.begin(&juliet())?;
    let owners = |n| rows.key_owners(&identity_key(n).fingerprint());
    assert_eq!(owners(1)?, [juliet(), romeo()]);
    assert_eq!(owners(2)?, [romeo()]);
    assert_eq!(owners(3)?, []);
    Ok(())
}

const fn trust(jid: BareJid, key: IdentityKey, level: Trust) -> TrustRow {
    TrustRow {
        jid,
        key,
        level,
        decided_at: None,
    }
}

/// The same Curve25519 value with the other sign.
fn mirrored(key: &IdentityKey) -> Result<IdentityKey, StoreError> {
    let mut bytes = key.to_bytes();
    if let Some(sign) = bytes.last_mut() {
        *sign ^= 0x80;
    }
    IdentityKey::from_bytes(&bytes).map_err(|error| {
        StoreError::Damaged(format!("the sample is no identity key: {error}").into())
    })
}

/// By JID.
pub fn contacts_are_kept(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    for _ in 0..2 {
        write(
            &mut store,
            [Change::PutContact(ContactRow { jid: romeo() })],
        )?;
    }
    let rows = store.begin(&juliet())?;
    assert_eq!(rows.contact(&romeo())?, Some(ContactRow { jid: romeo() }));
    assert_eq!(rows.contact(&juliet())?, None);
    Ok(())
}

/// By JID.
pub fn opt_outs_are_kept(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let other = jid("nurse@capulet.example");
    for n in [1, 2] {
        let rows = [opt_out(romeo(), n), opt_out(other.clone(), n + 1)];
        write(&mut store, rows.clone().map(Change::PutOptOut))?;
        let kept = store.begin(&juliet())?;
        let [first, second] = rows;
        assert_eq!(kept.opt_out(&romeo())?, Some(first));
        assert_eq!(kept.opt_out(&other)?, Some(second));
        assert_eq!(kept.opt_out(&juliet())?, None);
    }
    write(&mut store, [Change::DeleteOptOut(romeo())])?;
    let kept = store.begin(&juliet())?;
    assert_eq!(kept.opt_out(&romeo())?, None);
    assert!(kept.opt_out(&other)?.is_some());
    Ok(())
}

/// By teller, teller's key, owner and key, in their order.
pub fn held_decisions_come_in_their_order(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let mut of_another = held(1, 1, 5, true);
    of_another.teller = juliet();
    let mut about_another = held(1, 1, 6, false);
    about_another.owner = romeo();
    let rows = [
        held(1, 1, 9, true),
        held(1, 2, 2, false),
        held(2, 1, 300, true),
        of_another.clone(),
        about_another.clone(),
    ];
    write(&mut store, rows.map(Change::PutHeldDecision))?;
    let changed = held(1, 1, 1, false);
    // The row that a deletion names is found by its unique key.
    let delete = Change::DeleteHeldDecision(held(2, 1, 0, false));
    write(
        &mut store,
        [Change::PutHeldDecision(changed.clone()), delete],
    )?;

    let expected = [changed, held(1, 2, 2, false), of_another, about_another];
    assert_eq!(store.begin(&juliet())?.held_decisions()?, expected);
    Ok(())
}

/// By addressee, owner and key, in that order.
pub fn owed_decisions_are_kept(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let rows = [
        owed(romeos(2), romeo(), 1, true),
        owed(romeos(2), juliet(), 1, true),
        owed(romeos(1), romeo(), 1, false),
        owed(romeos(1), juliet(), 1, true),
    ];
    write(&mut store, rows.map(Change::PutOwedDecision))?;
    let changed = owed(romeos(2), romeo(), 1, false);
    let delete = Change::DeleteOwedDecision(owed(romeos(1), juliet(), 1, false));
    let delete_none = Change::DeleteOwedDecision(owed(romeos(1), romeo(), 2, false));
    let put = Change::PutOwedDecision(changed.clone());
    write(&mut store, [put, delete, delete_none])?;

    let expected = [
        owed(romeos(1), romeo(), 1, false),
        owed(romeos(2), juliet(), 1, true),
        changed,
    ];
    assert_eq!(store.begin(&juliet())?.owed_decisions()?, expected);
    Ok(())
}
