//! Other people's devices, what they sent and what is owed to them.

use omemo::store::{DeviceListRow, DeviceRow, DutyKind, DutyRow, SeenRow, StoreError, Version};
use omemo::{Address, BareJid, Timestamp};
use rusqlite::params;

use crate::rows::{Cells, Rows};

pub(crate) fn device_list(
    rows: &Rows<'_>,
    version: Version,
    jid: &BareJid,
) -> Result<Option<DeviceListRow>, StoreError> {
    let sql = "SELECT * FROM device_list WHERE account = ?1 AND version = ?2 AND jid = ?3";
    rows.one(
        "device_list",
        sql,
        params![version.to_byte(), jid.as_str()],
        |cells| {
            Ok(DeviceListRow {
                version,
                jid: jid.clone(),
                fetched_at: cells.moment("fetched_at")?,
                subscribed_at: cells.optional("subscribed_at", Cells::moment)?,
            })
        },
    )
}

pub(crate) fn subscribed_lists(
    rows: &Rows<'_>,
    version: Version,
) -> Result<Vec<DeviceListRow>, StoreError> {
    rows.all(
        "device_list",
        "SELECT * FROM device_list
         WHERE account = ?1 AND version = ?2 AND subscribed_at IS NOT NULL ORDER BY jid",
        params![version.to_byte()],
        |cells| {
            Ok(DeviceListRow {
                version,
                jid: cells.jid("jid")?,
                fetched_at: cells.moment("fetched_at")?,
                subscribed_at: cells.optional("subscribed_at", Cells::moment)?,
            })
        },
    )
}

pub(crate) fn put_device_list(rows: &Rows<'_>, row: &DeviceListRow) -> Result<(), StoreError> {
    rows.write(
        "REPLACE INTO device_list (account, version, jid, fetched_at, subscribed_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            row.version.to_byte(),
            row.jid.as_str(),
            row.fetched_at.seconds(),
            row.subscribed_at.map(Timestamp::seconds),
        ],
    )
}

pub(crate) fn devices(
    rows: &Rows<'_>,
    version: Version,
    jid: &BareJid,
) -> Result<Vec<DeviceRow>, StoreError> {
    rows.all(
        "device",
        "SELECT * FROM device WHERE account = ?1 AND version = ?2 AND jid = ?3 ORDER BY device",
        params![version.to_byte(), jid.as_str()],
        |cells| read_device(cells, version, jid),
    )
}

pub(crate) fn device(
    rows: &Rows<'_>,
    version: Version,
    address: &Address,
) -> Result<Option<DeviceRow>, StoreError> {
    rows.one(
        "device",
        "SELECT * FROM device WHERE account = ?1 AND version = ?2 AND jid = ?3 AND device = ?4",
        params![
            version.to_byte(),
            address.jid.as_str(),
            address.device.get()
        ],
        |cells| read_device(cells, version, &address.jid),
    )
}

fn read_device(
    cells: &Cells<'_>,
    version: Version,
    jid: &BareJid,
) -> Result<DeviceRow, StoreError> {
    let label = cells.optional("label", Cells::string)?;
    let signature = cells
        .optional("label_signature", Cells::bytes)?
        .map(Into::into);
    Ok(DeviceRow {
        version,
        address: Address {
            jid: jid.clone(),
            device: cells.device("device")?,
        },
        listed: cells.flag("listed")?,
        identity: cells.optional("identity", Cells::identity_key)?,
        label: cells.pair(label, "label_signature", signature)?,
        retry_after: cells.optional("retry_after", Cells::moment)?,
        failure: cells.optional("failure", Cells::string)?,
        listed_at: cells.optional("listed_at", Cells::moment)?,
        heard_at: cells.optional("heard_at", Cells::moment)?,
        healed_at: cells.optional("healed_at", Cells::moment)?,
    })
}

pub(crate) fn put_device(rows: &Rows<'_>, row: &DeviceRow) -> Result<(), StoreError> {
    let (label, signature) = row
        .label
        .as_ref()
        .map(|(label, signature)| (label, signature))
        .unzip();
    rows.write(
        "REPLACE INTO device
             (account, version, jid, device, listed, identity, label, label_signature, retry_after, failure,
              listed_at, heard_at, healed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            row.version.to_byte(),
            row.address.jid.as_str(),
            row.address.device.get(),
            row.listed,
            row.identity.map(|key| key.to_bytes()),
            label,
            signature,
            row.retry_after.map(Timestamp::seconds),
            row.failure,
            row.listed_at.map(Timestamp::seconds),
            row.heard_at.map(Timestamp::seconds),
            row.healed_at.map(Timestamp::seconds),
        ],
    )
}

pub(crate) fn delete_device(
    rows: &Rows<'_>,
    version: Version,
    address: &Address,
) -> Result<(), StoreError> {
    rows.write(
        "DELETE FROM device WHERE account = ?1 AND version = ?2 AND jid = ?3 AND device = ?4",
        params![
            version.to_byte(),
            address.jid.as_str(),
            address.device.get()
        ],
    )
}

pub(crate) fn seen(
    rows: &Rows<'_>,
    version: Version,
    address: &Address,
) -> Result<Option<SeenRow>, StoreError> {
    rows.one(
        "seen",
        "SELECT keys FROM seen WHERE account = ?1 AND version = ?2 AND jid = ?3 AND device = ?4",
        params![
            version.to_byte(),
            address.jid.as_str(),
            address.device.get()
        ],
        |cells| {
            Ok(SeenRow {
                version,
                address: address.clone(),
                keys: cells.bytes("keys")?.into(),
            })
        },
    )
}

pub(crate) fn put_seen(rows: &Rows<'_>, row: &SeenRow) -> Result<(), StoreError> {
    rows.write(
        "REPLACE INTO seen (account, version, jid, device, keys) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            row.version.to_byte(),
            row.address.jid.as_str(),
            row.address.device.get(),
            row.keys,
        ],
    )
}

pub(crate) fn duties(rows: &Rows<'_>) -> Result<Vec<DutyRow>, StoreError> {
    let sql = "SELECT * FROM duty WHERE account = ?1 ORDER BY version, jid, device, kind";
    rows.all("duty", sql, &[], |cells| {
        Ok(DutyRow {
            version: cells.version()?,
            address: cells.address()?,
            kind: cells.checked("kind", "a kind of duty", kind_of_name(cells.text("kind")?))?,
        })
    })
}

pub(crate) fn put_duty(rows: &Rows<'_>, row: &DutyRow) -> Result<(), StoreError> {
    rows.write(
        "REPLACE INTO duty (account, version, jid, device, kind) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            row.version.to_byte(),
            row.address.jid.as_str(),
            row.address.device.get(),
            kind_name(row.kind),
        ],
    )
}

pub(crate) fn delete_duty(rows: &Rows<'_>, row: &DutyRow) -> Result<(), StoreError> {
    rows.write(
        "DELETE FROM duty WHERE account = ?1 AND version = ?2 AND jid = ?3 AND device = ?4 AND kind = ?5",
        params![
            row.version.to_byte(),
            row.address.jid.as_str(),
            row.address.device.get(),
            kind_name(row.kind),
        ],
    )
}

const fn kind_name(kind: DutyKind) -> &'static str {
    match kind {
        DutyKind::Answer => "answer",
        DutyKind::Heartbeat => "heartbeat",
        DutyKind::Session => "session",
        DutyKind::Replacement => "replacement",
    }
}

fn kind_of_name(name: &str) -> Option<DutyKind> {
    let kinds = [
        DutyKind::Answer,
        DutyKind::Heartbeat,
        DutyKind::Session,
        DutyKind::Replacement,
    ];
    kinds.into_iter().find(|kind| kind_name(*kind) == name)
}
