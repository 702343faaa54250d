//! The inbox and the outbox.

use omemo::store::{InboxRow, MessageId, OutboxRow, StoreError};
use omemo::{Address, BareJid, Chat, InboxId, Ticket, Timestamp};
use rusqlite::params;
use zeroize::Zeroizing;

use crate::rows::{Cells, Rows, number};

pub(crate) fn inbox(rows: &Rows<'_>) -> Result<Vec<InboxRow>, StoreError> {
    rows.all(
        "inbox",
        "SELECT * FROM inbox WHERE account = ?1 ORDER BY id",
        &[],
        read_inbox,
    )
}

pub(crate) fn inbox_message(
    rows: &Rows<'_>,
    message: &MessageId,
) -> Result<Option<InboxRow>, StoreError> {
    rows.one(
        "inbox",
        "SELECT * FROM inbox
         WHERE account = ?1 AND version = ?2 AND jid = ?3 AND device = ?4 AND ratchet_key = ?5 AND number = ?6",
        params![
            message.version.to_byte(),
            message.address.jid.as_str(),
            message.address.device.get(),
            message.ratchet_key.as_bytes().as_slice(),
            message.number,
        ],
        read_inbox,
    )
}

fn read_inbox(cells: &Cells<'_>) -> Result<InboxRow, StoreError> {
    Ok(InboxRow {
        id: InboxId::new(cells.number("id")?),
        message: MessageId {
            version: cells.version()?,
            address: cells.address()?,
            ratchet_key: cells.public_key("ratchet_key")?,
            number: cells.number("number")?,
        },
        chat: read_chat(cells, "chat")?,
        trust: cells.trust("trust")?,
        stanza_id: cells.optional("stanza_id", Cells::string)?,
        delay: cells.optional("delay", Cells::moment)?,
        time_differs: cells.flag("time_differs")?,
        received_at: cells.moment("received_at")?,
        content: cells.string("content")?,
        transported: cells
            .optional("transported", Cells::bytes)?
            .map(|bytes| Zeroizing::new(bytes.into())),
    })
}

/// Takes the place of the row with its id and of the row with its message: both are unique.
pub(crate) fn put_inbox(rows: &Rows<'_>, row: &InboxRow) -> Result<(), StoreError> {
    rows.write(
        "REPLACE INTO inbox
             (account, id, version, jid, device, ratchet_key, number,
              chat, room, trust, stanza_id, delay, time_differs, received_at, content, transported)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        params![
            number(row.id.get())?,
            row.message.version.to_byte(),
            row.message.address.jid.as_str(),
            row.message.address.device.get(),
            row.message.ratchet_key.as_bytes().as_slice(),
            row.message.number,
            row.chat.jid().as_str(),
            is_room(&row.chat),
            row.trust.as_str(),
            row.stanza_id,
            row.delay.map(Timestamp::seconds),
            row.time_differs,
            row.received_at.seconds(),
            row.content,
            row.transported.as_deref(),
        ],
    )
}

/// The number of a row that is looked for, which may be any: one that SQLite cannot keep is no row's, and NULL finds none.
fn wanted(number: u64) -> Option<i64> {
    i64::try_from(number).ok()
}

pub(crate) fn delete_inbox(rows: &Rows<'_>, id: InboxId) -> Result<(), StoreError> {
    rows.write(
        "DELETE FROM inbox WHERE account = ?1 AND id = ?2",
        params![wanted(id.get())],
    )
}

pub(crate) fn outbox(rows: &Rows<'_>) -> Result<Vec<OutboxRow>, StoreError> {
    rows.all(
        "outbox",
        "SELECT * FROM outbox WHERE account = ?1 ORDER BY ticket",
        &[],
        read_outbox,
    )
}

pub(crate) fn outbox_row(rows: &Rows<'_>, ticket: Ticket) -> Result<Option<OutboxRow>, StoreError> {
    let sql = "SELECT * FROM outbox WHERE account = ?1 AND ticket = ?2";
    rows.one("outbox", sql, params![wanted(ticket.get())], read_outbox)
}

pub(crate) fn outbox_message(
    rows: &Rows<'_>,
    message_id: &str,
) -> Result<Vec<OutboxRow>, StoreError> {
    let sql = "SELECT * FROM outbox WHERE account = ?1 AND message_id = ?2 ORDER BY ticket";
    rows.all("outbox", sql, params![message_id], read_outbox)
}

fn read_outbox(cells: &Cells<'_>) -> Result<OutboxRow, StoreError> {
    // A handle's name is any 64 bits, which SQLite shows with a sign.
    let handed_by = cells
        .optional("handed_by", Cells::integer)?
        .map(i64::cast_unsigned);
    let handed_at = cells.optional("handed_at", Cells::moment)?;
    let served = served_from_text(cells.text("served")?);
    Ok(OutboxRow {
        ticket: Ticket::new(cells.number("ticket")?),
        message_id: cells.optional("message_id", Cells::string)?,
        chat: read_chat(cells, "recipient")?,
        version: cells.version()?,
        served: cells.checked("served", "lines of addresses", served)?,
        made_at: cells.moment("made_at")?,
        tells_trust: cells.flag("tells_trust")?,
        handed_out: cells.number("handed_out")?,
        handed_by: cells.pair(handed_by, "handed_at", handed_at)?,
        sent_at: cells.optional("sent_at", Cells::moment)?,
        stanza: cells.string("stanza")?,
    })
}

pub(crate) fn put_outbox(rows: &Rows<'_>, row: &OutboxRow) -> Result<(), StoreError> {
    let (handed_by, handed_at) = row.handed_by.unzip();
    rows.write(
        "REPLACE INTO outbox
             (account, ticket, message_id, recipient, room, version, served, made_at,
              tells_trust, handed_out, handed_by, handed_at, sent_at, stanza)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            number(row.ticket.get())?,
            row.message_id,
            row.chat.jid().as_str(),
            is_room(&row.chat),
            row.version.to_byte(),
            served_to_text(&row.served),
            row.made_at.seconds(),
            row.tells_trust,
            row.handed_out,
            handed_by.map(u64::cast_signed),
            handed_at.map(Timestamp::seconds),
            row.sent_at.map(Timestamp::seconds),
            row.stanza,
        ],
    )
}

pub(crate) fn delete_outbox(rows: &Rows<'_>, ticket: Ticket) -> Result<(), StoreError> {
    rows.write(
        "DELETE FROM outbox WHERE account = ?1 AND ticket = ?2",
        params![wanted(ticket.get())],
    )
}

/// From the columns of its JID and `room`.
fn read_chat(cells: &Cells<'_>, column: &'static str) -> Result<Chat, StoreError> {
    let jid = cells.jid(column)?;
    Ok(if cells.flag("room")? {
        Chat::Room(jid)
    } else {
        Chat::Direct(jid)
    })
}

const fn is_room(chat: &Chat) -> bool {
    matches!(chat, Chat::Room(_))
}

/// A line for each run of addresses of one account: its JID and the device ids, separated by
/// spaces, which no bare JID contains.
fn served_to_text(served: &[Address]) -> String {
    let line = |run: &[Address]| {
        let jid = run.first().map(|address| address.jid.to_string());
        let ids = run.iter().map(|address| address.device.to_string());
        jid.into_iter().chain(ids).collect::<Vec<_>>().join(" ")
    };
    let runs = served.chunk_by(|one, next| one.jid == next.jid);
    runs.map(line).collect::<Vec<_>>().join("\n")
}

fn served_from_text(text: &str) -> Option<Vec<Address>> {
    let mut served = Vec::new();
    for line in text.lines() {
        let (jid, ids) = line.split_once(' ')?;
        let jid = BareJid::parse(jid).ok()?;
        for id in ids.split(' ') {
            served.push(Address {
                jid: jid.clone(),
                device: id.parse().ok()?,
            });
        }
    }
    Some(served)
}
