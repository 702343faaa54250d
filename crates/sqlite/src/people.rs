//! What was decided about people and their keys, and what they asked for.

use omemo::store::{
    ContactRow, Fingerprint, HeldDecisionRow, OptOutRow, OwedDecisionRow, StoreError, TrustRow,
};
use omemo::{Address, BareJid, Timestamp};
use rusqlite::params;

use crate::rows::{Cells, Rows, number};

pub(crate) fn trust(rows: &Rows<'_>, jid: &BareJid) -> Result<Vec<TrustRow>, StoreError> {
    let sql = "SELECT * FROM trust WHERE account = ?1 AND jid = ?2 ORDER BY curve25519";
    rows.all("trust", sql, params![jid.as_str()], read_trust)
}

/// Few of the rows that are read are left out: people decide about the keys that they meet, or
/// trust them blindly.
pub(crate) fn decisions(rows: &Rows<'_>) -> Result<Vec<TrustRow>, StoreError> {
    let sql = "SELECT * FROM trust WHERE account = ?1 AND level IN ('verified', 'distrusted')
               ORDER BY jid, curve25519";
    rows.all("trust", sql, &[], read_trust)
}

fn read_trust(cells: &Cells<'_>) -> Result<TrustRow, StoreError> {
    Ok(TrustRow {
        jid: cells.jid("jid")?,
        key: cells.identity_key("identity")?,
        level: cells.trust("level")?,
        decided_at: cells.optional("decided_at", Cells::moment)?,
    })
}

pub(crate) fn put_trust(rows: &Rows<'_>, row: &TrustRow) -> Result<(), StoreError> {
    rows.write(
        "REPLACE INTO trust (account, jid, curve25519, identity, level, decided_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            row.jid.as_str(),
            row.key.curve25519().as_slice(),
            row.key.to_bytes().as_slice(),
            row.level.as_str(),
            row.decided_at.map(Timestamp::seconds),
        ],
    )
}

/// By the index on keys.
pub(crate) fn key_owners(rows: &Rows<'_>, key: &Fingerprint) -> Result<Vec<BareJid>, StoreError> {
    let sql = "SELECT jid FROM trust WHERE account = ?1 AND curve25519 = ?2 ORDER BY jid";
    rows.all("trust", sql, params![key.as_bytes().as_slice()], |cells| {
        cells.jid("jid")
    })
}

pub(crate) fn contact(rows: &Rows<'_>, jid: &BareJid) -> Result<Option<ContactRow>, StoreError> {
    let sql = "SELECT jid FROM contact WHERE account = ?1 AND jid = ?2";
    rows.one("contact", sql, params![jid.as_str()], |_| {
        Ok(ContactRow { jid: jid.clone() })
    })
}

pub(crate) fn put_contact(rows: &Rows<'_>, row: &ContactRow) -> Result<(), StoreError> {
    rows.write(
        "REPLACE INTO contact (account, jid) VALUES (?1, ?2)",
        params![row.jid.as_str()],
    )
}

pub(crate) fn opt_out(rows: &Rows<'_>, jid: &BareJid) -> Result<Option<OptOutRow>, StoreError> {
    let sql = "SELECT * FROM opt_out WHERE account = ?1 AND jid = ?2";
    rows.one("opt_out", sql, params![jid.as_str()], |cells| {
        Ok(OptOutRow {
            jid: jid.clone(),
            reason: cells.optional("reason", Cells::string)?,
            received_at: cells.moment("received_at")?,
            confirmed: cells.flag("confirmed")?,
        })
    })
}

pub(crate) fn put_opt_out(rows: &Rows<'_>, row: &OptOutRow) -> Result<(), StoreError> {
    rows.write(
        "REPLACE INTO opt_out (account, jid, reason, received_at, confirmed) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            row.jid.as_str(),
            row.reason,
            row.received_at.seconds(),
            row.confirmed,
        ],
    )
}

pub(crate) fn delete_opt_out(rows: &Rows<'_>, jid: &BareJid) -> Result<(), StoreError> {
    let sql = "DELETE FROM opt_out WHERE account = ?1 AND jid = ?2";
    rows.write(sql, params![jid.as_str()])
}

pub(crate) fn held_decisions(rows: &Rows<'_>) -> Result<Vec<HeldDecisionRow>, StoreError> {
    let sql = "SELECT * FROM held_decision WHERE account = ?1
               ORDER BY sequence, teller, teller_key, owner, key";
    rows.all("held_decision", sql, &[], |cells| {
        Ok(HeldDecisionRow {
            teller: cells.jid("teller")?,
            teller_key: cells.fingerprint("teller_key")?,
            owner: cells.jid("owner")?,
            key: cells.fingerprint("key")?,
            trust: cells.flag("trust")?,
            decided_at: cells.moment("decided_at")?,
            order: cells.number("sequence")?,
        })
    })
}

pub(crate) fn put_held_decision(rows: &Rows<'_>, row: &HeldDecisionRow) -> Result<(), StoreError> {
    rows.write(
        "REPLACE INTO held_decision
             (account, teller, teller_key, owner, key, trust, decided_at, sequence)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            row.teller.as_str(),
            row.teller_key.as_bytes().as_slice(),
            row.owner.as_str(),
            row.key.as_bytes().as_slice(),
            row.trust,
            row.decided_at.seconds(),
            number(row.order)?,
        ],
    )
}

pub(crate) fn delete_held_decision(
    rows: &Rows<'_>,
    row: &HeldDecisionRow,
) -> Result<(), StoreError> {
    rows.write(
        "DELETE FROM held_decision
         WHERE account = ?1 AND teller = ?2 AND teller_key = ?3 AND owner = ?4 AND key = ?5",
        params![
            row.teller.as_str(),
            row.teller_key.as_bytes().as_slice(),
            row.owner.as_str(),
            row.key.as_bytes().as_slice(),
        ],
    )
}

pub(crate) fn owed_decisions(rows: &Rows<'_>) -> Result<Vec<OwedDecisionRow>, StoreError> {
    let sql = "SELECT * FROM owed_decision WHERE account = ?1 
               ORDER BY recipient, device, owner, key";
    rows.all("owed_decision", sql, &[], |cells| {
        Ok(OwedDecisionRow {
            to: Address {
                jid: cells.jid("recipient")?,
                device: cells.device("device")?,
            },
            owner: cells.jid("owner")?,
            key: cells.fingerprint("key")?,
            trust: cells.flag("trust")?,
        })
    })
}

pub(crate) fn put_owed_decision(rows: &Rows<'_>, row: &OwedDecisionRow) -> Result<(), StoreError> {
    rows.write(
        "REPLACE INTO owed_decision (account, recipient, device, owner, key, trust)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            row.to.jid.as_str(),
            row.to.device.get(),
            row.owner.as_str(),
            row.key.as_bytes().as_slice(),
            row.trust,
        ],
    )
}

pub(crate) fn delete_owed_decision(
    rows: &Rows<'_>,
    row: &OwedDecisionRow,
) -> Result<(), StoreError> {
    rows.write(
        "DELETE FROM owed_decision
         WHERE account = ?1 AND recipient = ?2 AND device = ?3 AND owner = ?4 AND key = ?5",
        params![
            row.to.jid.as_str(),
            row.to.device.get(),
            row.owner.as_str(),
            row.key.as_bytes().as_slice(),
        ],
    )
}
