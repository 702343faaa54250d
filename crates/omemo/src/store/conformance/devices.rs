//! Other people's devices, what they sent and what we owe them.

use super::sample::{device_list, device_row, duty, jid, juliet, romeo, romeos, seen};
use super::{sample, write};
use crate::BareJid;
use crate::store::{Change, DutyKind, DutyRow, Store, StoreError, Transaction, Version};

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

/// Those with a moment of subscription, by JID.
pub fn subscribed_lists_are_found(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let [first, second] = Version::ALL;
    let list = |version, jid: &BareJid, subscribed: bool| {
        let mut row = device_list(version, jid.clone(), 1);
        row.subscribed_at = subscribed.then_some(row.fetched_at);
        row
    };
    let other = jid("benvolio@montague.example");
    let rows = [
        list(first, &romeo(), true),
        list(first, &other, true),
        list(first, &juliet(), false),
        list(second, &romeo(), false),
    ];
    write(&mut store, rows.clone().map(Change::PutDeviceList))?;
    let found = store.begin(&juliet())?.subscribed_lists(first)?;
    assert_eq!(found, [rows[1].clone(), rows[0].clone()]);
    assert_eq!(store.begin(&juliet())?.subscribed_lists(second)?, []);
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
        for kind in [
            DutyKind::Answer,
            DutyKind::Heartbeat,
            DutyKind::Session,
            DutyKind::Replacement,
        ] {
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
