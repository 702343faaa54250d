//! Sessions and the keys of messages that have not arrived.

use omemo::store::{MessageKey, PublicKey, SessionRow, SkippedId, SkippedRow, StoreError, Version};
use omemo::{Address, BareJid};
use rusqlite::params;
use zeroize::Zeroizing;

use crate::rows::{Cells, Rows, number};

pub(crate) fn sessions(
    rows: &Rows<'_>,
    version: Version,
    address: &Address,
) -> Result<Vec<SessionRow>, StoreError> {
    rows.all(
        "session",
        "SELECT * FROM session
         WHERE account = ?1 AND version = ?2 AND jid = ?3 AND device = ?4
         ORDER BY last_used DESC",
        params![
            version.to_byte(),
            address.jid.as_str(),
            address.device.get()
        ],
        |cells| read_session(cells, version, &address.jid),
    )
}

pub(crate) fn newest_sessions(
    rows: &Rows<'_>,
    version: Version,
    jid: &BareJid,
) -> Result<Vec<SessionRow>, StoreError> {
    rows.all(
        "session",
        // Beside a single max() SQLite takes the other columns from the row that has the maximum.
        "SELECT device, ephemeral_key, state, made_at, max(last_used) AS last_used FROM session
         WHERE account = ?1 AND version = ?2 AND jid = ?3
         GROUP BY device",
        params![version.to_byte(), jid.as_str()],
        |cells| read_session(cells, version, jid),
    )
}

pub(crate) fn session_peers(rows: &Rows<'_>, version: Version) -> Result<Vec<Address>, StoreError> {
    rows.all(
        "session",
        "SELECT DISTINCT jid, device FROM session WHERE account = ?1 AND version = ?2
         ORDER BY jid, device",
        params![version.to_byte()],
        |cells| cells.address(),
    )
}

fn read_session(
    cells: &Cells<'_>,
    version: Version,
    jid: &BareJid,
) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        version,
        address: Address {
            jid: jid.clone(),
            device: cells.device("device")?,
        },
        ephemeral_key: cells.public_key("ephemeral_key")?,
        state: Zeroizing::new(cells.bytes("state")?.into()),
        last_used: cells.number("last_used")?,
        made_at: cells.moment("made_at")?,
    })
}

/// Updates in place: a replaced row would take its skipped keys with it.
pub(crate) fn put_session(rows: &Rows<'_>, row: &SessionRow) -> Result<(), StoreError> {
    rows.write(
        "INSERT INTO session (account, version, jid, device, ephemeral_key, state, last_used, made_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (account, version, jid, device, ephemeral_key)
         DO UPDATE SET
             state = excluded.state,
             last_used = excluded.last_used,
             made_at = excluded.made_at",
        params![
            row.version.to_byte(),
            row.address.jid.as_str(),
            row.address.device.get(),
            row.ephemeral_key.as_bytes().as_slice(),
            row.state.as_slice(),
            number(row.last_used)?,
            row.made_at.seconds(),
        ],
    )
}

/// Its skipped keys go by `ON DELETE CASCADE`.
pub(crate) fn delete_session(
    rows: &Rows<'_>,
    version: Version,
    address: &Address,
    ephemeral_key: &PublicKey,
) -> Result<(), StoreError> {
    rows.write(
        "DELETE FROM session
         WHERE account = ?1 AND version = ?2 AND jid = ?3 AND device = ?4 AND ephemeral_key = ?5",
        params![
            version.to_byte(),
            address.jid.as_str(),
            address.device.get(),
            ephemeral_key.as_bytes().as_slice(),
        ],
    )
}

pub(crate) fn skipped(rows: &Rows<'_>, id: &SkippedId) -> Result<Option<SkippedRow>, StoreError> {
    rows.one(
        "skipped_key",
        "SELECT message_key, sequence FROM skipped_key
         WHERE session = (SELECT number FROM skipping
                 WHERE account = ?1 AND version = ?2 AND jid = ?3 AND device = ?4 AND ephemeral_key = ?5)
             AND ratchet_key = ?6 AND number = ?7",
        params![
            id.version.to_byte(),
            id.address.jid.as_str(),
            id.address.device.get(),
            id.ephemeral_key.as_bytes().as_slice(),
            id.ratchet_key.as_bytes().as_slice(),
            id.number,
        ],
        |cells| {
            Ok(SkippedRow {
                version: id.version,
                address: id.address.clone(),
                ephemeral_key: id.ephemeral_key,
                ratchet_key: id.ratchet_key,
                number: id.number,
                key: MessageKey::from_bytes(*cells.secret("message_key")?),
                order: cells.number("sequence")?,
            })
        },
    )
}

pub(crate) fn skipped_beyond(
    rows: &Rows<'_>,
    version: Version,
    address: &Address,
    ephemeral_key: &PublicKey,
    keep: usize,
) -> Result<Vec<SkippedId>, StoreError> {
    let mut newest_first = rows.all(
        "skipped_key",
        "SELECT ratchet_key, number FROM skipped_key
         WHERE session = (SELECT number FROM skipping
             WHERE account = ?1 AND version = ?2 AND jid = ?3 AND device = ?4 AND ephemeral_key = ?5)
         ORDER BY sequence DESC
         LIMIT -1 OFFSET ?6",
        params![
            version.to_byte(),
            address.jid.as_str(),
            address.device.get(),
            ephemeral_key.as_bytes().as_slice(),
            i64::try_from(keep).unwrap_or(i64::MAX),
        ],
        |cells| {
            Ok(SkippedId {
                version,
                address: address.clone(),
                ephemeral_key: *ephemeral_key,
                ratchet_key: cells.public_key("ratchet_key")?,
                number: cells.number("number")?,
            })
        },
    )?;
    newest_first.reverse();
    Ok(newest_first)
}

/// The session may come later in the same transaction: its number is there before.
pub(crate) fn put_skipped(rows: &Rows<'_>, row: &SkippedRow) -> Result<(), StoreError> {
    rows.write(
        "INSERT INTO skipping (account, version, jid, device, ephemeral_key)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
        params![
            row.version.to_byte(),
            row.address.jid.as_str(),
            row.address.device.get(),
            row.ephemeral_key.as_bytes().as_slice(),
        ],
    )?;
    rows.write(
        "REPLACE INTO skipped_key (session, ratchet_key, number, message_key, sequence)
         SELECT number, ?6, ?7, ?8, ?9 FROM skipping
         WHERE account = ?1 AND version = ?2 AND jid = ?3 AND device = ?4 AND ephemeral_key = ?5",
        params![
            row.version.to_byte(),
            row.address.jid.as_str(),
            row.address.device.get(),
            row.ephemeral_key.as_bytes().as_slice(),
            row.ratchet_key.as_bytes().as_slice(),
            row.number,
            row.key.to_bytes().as_slice(),
            number(row.order)?,
        ],
    )
}

pub(crate) fn delete_skipped(rows: &Rows<'_>, id: &SkippedId) -> Result<(), StoreError> {
    rows.write(
        "DELETE FROM skipped_key
         WHERE session = (SELECT number FROM skipping
                 WHERE account = ?1 AND version = ?2 AND jid = ?3 AND device = ?4 AND ephemeral_key = ?5)
             AND ratchet_key = ?6 AND number = ?7",
        params![
            id.version.to_byte(),
            id.address.jid.as_str(),
            id.address.device.get(),
            id.ephemeral_key.as_bytes().as_slice(),
            id.ratchet_key.as_bytes().as_slice(),
            id.number,
        ],
    )
}
