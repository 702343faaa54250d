//! Other people's devices, what we decided about them and what we owe them.

use super::sample::{
    device_list, device_row, duty, identity_key, jid, juliet, romeo, romeos, seen,
};
use super::{sample, write};
use crate::Trust;
use crate::store::{
    Change, ContactRow, DutyKind, DutyRow, IdentityKey, Store, StoreError, Transaction, TrustRow,
    Version,
};

/// By protocol and JID.
pub fn device_lists_are_kept(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let [first, second] = Version::ALL;
    for n in [1, 2] {
        let row = device_list(first, romeo(), n);
        write(&mut store, [Change::PutDeviceList(row.clone())])?;
        let rows = store.begin(&juliet())?;
        assert_eq!(rows.device_list(first, &romeo())?, Some(row));
        assert_eq!(rows.device_list(second, &romeo())?, None);
        assert_eq!(rows.device_list(first, &juliet())?, None);
    }
    Ok(())
}

/// By protocol, JID and id, in order of the id.
pub fn devices_are_kept_by_id(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    for version in Version::ALL {
        let ids = [300, 2, 1, 0x7fff_ffff];
        let rows = ids.map(|id| device_row(version, romeos(id), 1));
        write(&mut store, rows.map(Change::PutDevice))?;
        let known = device_row(version, romeos(300), 2);
        let delete = Change::DeleteDevice(version, romeos(2));
        write(&mut store, [Change::PutDevice(known), delete])?;

        let expected = [(1, 1), (300, 2), (0x7fff_ffff, 1)];
        let expected = expected.map(|(id, n)| device_row(version, romeos(id), n));
        let rows = store.begin(&juliet())?;
        assert_eq!(rows.devices(version, &romeo())?, expected);
        assert_eq!(
            rows.device(version, &romeos(300))?.as_ref(),
            expected.get(1)
        );
        assert_eq!(rows.device(version, &romeos(2))?, None);
        assert_eq!(rows.devices(version, &juliet())?, []);
        // A JID that begins with another one is another one.
        assert_eq!(
            rows.devices(version, &jid("romeo@montague.example.org"))?,
            []
        );
    }
    Ok(())
}

/// By JID and Curve25519 value: the same key with the other sign is the same key, and comes back
/// with the sign that was put last.
pub fn trust_is_kept_by_curve25519_value(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let key = identity_key(1);
    let mut mirrored = key.to_bytes();
    if let Some(sign) = mirrored.last_mut() {
        *sign ^= 0x80;
    }
    let mirrored = IdentityKey::from_bytes(&mirrored).map_err(|error| {
        StoreError::Damaged(format!("the sample is no identity key: {error}").into())
    })?;
    let trust = |jid, key, level| TrustRow { jid, key, level };
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

/// By protocol, JID and device.
pub fn seen_keys_are_kept(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let [first, second] = Version::ALL;
    for n in [1, 2] {
        write(&mut store, [Change::PutSeen(seen(first, n))])?;
        let rows = store.begin(&juliet())?;
        assert_eq!(rows.seen(first, &romeos(1))?, Some(seen(first, n)));
        assert_eq!(rows.seen(first, &romeos(2))?, None);
        assert_eq!(rows.seen(second, &romeos(1))?, None);
    }
    Ok(())
}

/// By protocol, JID, device and kind.
pub fn duties_are_kept(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let mut expected = Vec::new();
    for version in Version::ALL {
        for kind in [DutyKind::Answer, DutyKind::Heartbeat, DutyKind::Session] {
            let duty = |device| DutyRow {
                version,
                address: romeos(device),
                kind,
            };
            expected.extend([duty(1), duty(2)]);
        }
    }
    for _ in 0..2 {
        write(&mut store, expected.iter().cloned().map(Change::PutDuty))?;
    }
    let sorted = |mut duties: Vec<DutyRow>| {
        duties.sort_by_key(|duty| (duty.version, duty.kind, duty.address.device));
        duties
    };
    assert_eq!(sorted(store.begin(&juliet())?.duties()?), expected);

    let [first, _] = Version::ALL;
    write(&mut store, [Change::DeleteDuty(duty(first))])?;
    expected.retain(|row| *row != duty(first));
    assert_eq!(sorted(store.begin(&juliet())?.duties()?), expected);
    Ok(())
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
