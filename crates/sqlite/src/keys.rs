//! The account, what it publishes, and its own keys.

use omemo::store::{
    AccountRow, PreKeyId, PreKeyRow, PublicationRow, SignedPreKeyId, SignedPreKeyRow, Standing,
    StoreError, Version,
};
use omemo::{BareJid, Timestamp};
use rusqlite::params;

use crate::rows::{Cells, Rows, number};

pub(crate) fn account(rows: &Rows<'_>) -> Result<Option<AccountRow>, StoreError> {
    rows.one(
        "account",
        "SELECT * FROM account WHERE id = ?1",
        &[],
        |cells| {
            Ok(AccountRow {
                device: cells.device("device")?,
                identity: cells.secret("identity")?,
                generation: cells.number("generation")?,
                next_number: cells.number("next_number")?,
                catching_up: cells.optional("catching_up", Cells::moment)?,
                label: cells.optional("label", Cells::string)?,
                standing: cells.checked(
                    "standing",
                    "a standing",
                    standing_of_name(cells.text("standing")?),
                )?,
                anchored: cells.flag("anchored")?,
            })
        },
    )
}

pub(crate) fn put_account(
    rows: &Rows<'_>,
    jid: &BareJid,
    row: &AccountRow,
) -> Result<(), StoreError> {
    rows.write(
        "INSERT INTO account (id, jid, device, identity, generation, next_number, catching_up, label, standing, anchored)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (id) DO UPDATE SET
             device = excluded.device,
             identity = excluded.identity,
             generation = excluded.generation,
             next_number = excluded.next_number,
             catching_up = excluded.catching_up,
             label = excluded.label,
             standing = excluded.standing,
             anchored = excluded.anchored",
        params![
            jid.as_str(),
            row.device.get(),
            row.identity.as_slice(),
            number(row.generation)?,
            number(row.next_number)?,
            row.catching_up.map(Timestamp::seconds),
            row.label,
            standing_name(row.standing),
            row.anchored,
        ],
    )
}

/// The account and every row of it, those that refer to others first.
pub(crate) fn delete_account(rows: &Rows<'_>) -> Result<(), StoreError> {
    for table in TABLES {
        rows.write(&format!("DELETE FROM {table} WHERE account = ?1"), &[])?;
    }
    rows.write("DELETE FROM account WHERE id = ?1", &[])
}

/// Every table of rows that belong to an account. Skipped keys go with their session.
const TABLES: [&str; 16] = [
    "skipping",
    "session",
    "publication",
    "pre_key",
    "signed_pre_key",
    "device_list",
    "device",
    "trust",
    "seen",
    "duty",
    "contact",
    "opt_out",
    "held_decision",
    "owed_decision",
    "inbox",
    "outbox",
];

const fn standing_name(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Restored => "restored",
        Standing::Recovering => "recovering",
        Standing::RemovingDevice => "removing device",
        Standing::RemovingAccount => "removing account",
    }
}

fn standing_of_name(name: &str) -> Option<Standing> {
    let standings = [
        Standing::Active,
        Standing::Restored,
        Standing::Recovering,
        Standing::RemovingDevice,
        Standing::RemovingAccount,
    ];
    standings
        .into_iter()
        .find(|standing| standing_name(*standing) == name)
}

pub(crate) fn publications(rows: &Rows<'_>) -> Result<Vec<PublicationRow>, StoreError> {
    let sql = "SELECT * FROM publication WHERE account = ?1 ORDER BY version";
    rows.all("publication", sql, &[], |cells| {
        Ok(PublicationRow {
            version: cells.version()?,
            bundle_revision: cells.number("bundle_revision")?,
            published_revision: cells.number("published_revision")?,
            announced: cells.flag("announced")?,
            next_pre_key: cells.pre_key_id("next_pre_key")?,
            next_signed_pre_key: cells.signed_pre_key_id("next_signed_pre_key")?,
        })
    })
}

pub(crate) fn put_publication(rows: &Rows<'_>, row: &PublicationRow) -> Result<(), StoreError> {
    rows.write(
        "REPLACE INTO publication
             (account, version, bundle_revision, published_revision, announced, next_pre_key, next_signed_pre_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            row.version.to_byte(),
            number(row.bundle_revision)?,
            number(row.published_revision)?,
            row.announced,
            row.next_pre_key.get(),
            row.next_signed_pre_key.get(),
        ],
    )
}

pub(crate) fn pre_key(
    rows: &Rows<'_>,
    version: Version,
    id: PreKeyId,
) -> Result<Option<PreKeyRow>, StoreError> {
    let sql = "SELECT * FROM pre_key WHERE account = ?1 AND version = ?2 AND id = ?3";
    rows.one(
        "pre_key",
        sql,
        params![version.to_byte(), id.get()],
        read_pre_key,
    )
}

pub(crate) fn pre_keys(rows: &Rows<'_>, version: Version) -> Result<Vec<PreKeyRow>, StoreError> {
    let sql = "SELECT * FROM pre_key WHERE account = ?1 AND version = ?2 ORDER BY id";
    rows.all("pre_key", sql, params![version.to_byte()], read_pre_key)
}

pub(crate) fn used_pre_keys(
    rows: &Rows<'_>,
    version: Version,
) -> Result<Vec<PreKeyRow>, StoreError> {
    let sql = "SELECT * FROM pre_key WHERE account = ?1 AND version = ?2 AND used_at IS NOT NULL ORDER BY id";
    rows.all("pre_key", sql, params![version.to_byte()], read_pre_key)
}

fn read_pre_key(cells: &Cells<'_>) -> Result<PreKeyRow, StoreError> {
    Ok(PreKeyRow {
        version: cells.version()?,
        id: cells.pre_key_id("id")?,
        secret: cells.secret("secret")?,
        used_at: cells.optional("used_at", Cells::moment)?,
        withdrawn_at: cells.optional("withdrawn_at", Cells::moment)?,
    })
}

pub(crate) fn put_pre_key(rows: &Rows<'_>, row: &PreKeyRow) -> Result<(), StoreError> {
    rows.write(
        "REPLACE INTO pre_key (account, version, id, secret, used_at, withdrawn_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            row.version.to_byte(),
            row.id.get(),
            row.secret.as_slice(),
            row.used_at.map(Timestamp::seconds),
            row.withdrawn_at.map(Timestamp::seconds),
        ],
    )
}

pub(crate) fn delete_pre_key(
    rows: &Rows<'_>,
    version: Version,
    id: PreKeyId,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM pre_key WHERE account = ?1 AND version = ?2 AND id = ?3";
    rows.write(sql, params![version.to_byte(), id.get()])
}

pub(crate) fn signed_pre_key(
    rows: &Rows<'_>,
    version: Version,
    id: SignedPreKeyId,
) -> Result<Option<SignedPreKeyRow>, StoreError> {
    let sql = "SELECT * FROM signed_pre_key WHERE account = ?1 AND version = ?2 AND id = ?3";
    let parameters = params![version.to_byte(), id.get()];
    rows.one("signed_pre_key", sql, parameters, read_signed_pre_key)
}

pub(crate) fn signed_pre_keys(
    rows: &Rows<'_>,
    version: Version,
) -> Result<Vec<SignedPreKeyRow>, StoreError> {
    let sql = "SELECT * FROM signed_pre_key WHERE account = ?1 AND version = ?2 ORDER BY id";
    rows.all(
        "signed_pre_key",
        sql,
        params![version.to_byte()],
        read_signed_pre_key,
    )
}

fn read_signed_pre_key(cells: &Cells<'_>) -> Result<SignedPreKeyRow, StoreError> {
    Ok(SignedPreKeyRow {
        version: cells.version()?,
        id: cells.signed_pre_key_id("id")?,
        secret: cells.secret("secret")?,
        signature: cells.signature("signature")?,
        made_at: cells.moment("made_at")?,
        retired_at: cells.optional("retired_at", Cells::moment)?,
    })
}

pub(crate) fn put_signed_pre_key(rows: &Rows<'_>, row: &SignedPreKeyRow) -> Result<(), StoreError> {
    rows.write(
        "REPLACE INTO signed_pre_key (account, version, id, secret, signature, made_at, retired_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            row.version.to_byte(),
            row.id.get(),
            row.secret.as_slice(),
            row.signature.as_slice(),
            row.made_at.seconds(),
            row.retired_at.map(Timestamp::seconds),
        ],
    )
}

pub(crate) fn delete_signed_pre_key(
    rows: &Rows<'_>,
    version: Version,
    id: SignedPreKeyId,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM signed_pre_key WHERE account = ?1 AND version = ?2 AND id = ?3";
    rows.write(sql, params![version.to_byte(), id.get()])
}
