//! The inbox and the outbox.

use super::sample::{inbox, juliet, message, outbox, romeos};
use super::{sample, write};
use crate::store::{Change, Store, StoreError, Transaction, Version};
use crate::{InboxId, Ticket};

/// In order of the id.
pub fn the_inbox_is_kept_by_id(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let [version, other_version] = Version::ALL;
    let rows = [
        inbox(300, message(version, romeos(1), 1), 1),
        inbox(2, message(version, romeos(1), u32::MAX), 2),
        inbox(9, message(version, romeos(2), 1), 3),
        inbox(0, message(other_version, romeos(1), 1), 4),
    ];
    write(&mut store, rows.clone().map(Change::PutInbox))?;
    let [third, second, _, first] = rows;
    write(
        &mut store,
        [
            Change::DeleteInbox(InboxId::new(9)),
            Change::DeleteInbox(InboxId::new(8)),
        ],
    )?;

    let kept = store.begin(&juliet())?;
    for row in [&first, &second, &third] {
        assert_eq!(kept.inbox_message(&row.message)?.as_ref(), Some(row));
    }
    assert_eq!(kept.inbox()?, [first, second, third]);
    assert_eq!(kept.inbox_message(&message(version, romeos(2), 1))?, None);
    assert_eq!(kept.inbox_message(&message(version, romeos(1), 2))?, None);
    Ok(())
}

/// What is put takes the place of the row with its id and of the row with its message.
pub fn an_inbox_message_is_unique(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let [version, _] = Version::ALL;
    let message = |number| message(version, romeos(1), number);
    let rows = [
        inbox(1, message(1), 1),
        inbox(2, message(2), 2),
        inbox(3, message(3), 3),
    ];
    write(&mut store, rows.map(Change::PutInbox))?;
    let replacing = inbox(1, message(2), 4);
    write(&mut store, [Change::PutInbox(replacing.clone())])?;

    let kept = store.begin(&juliet())?;
    assert_eq!(kept.inbox_message(&message(1))?, None);
    assert_eq!(kept.inbox_message(&message(2))?.as_ref(), Some(&replacing));
    assert_eq!(kept.inbox()?, [replacing, inbox(3, message(3), 3)]);
    Ok(())
}

/// In order of the ticket; who is served keeps its order too.
pub fn the_outbox_is_kept_by_ticket(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let rows = [
        outbox(300, Some("one"), 4),
        outbox(2, None, 3),
        outbox(1, Some("two"), 2),
        outbox(9, None, 0),
    ];
    write(&mut store, rows.map(Change::PutOutbox))?;
    let handed_out = outbox(2, Some("one"), 1);
    let delete = [
        Change::DeleteOutbox(Ticket::new(1)),
        Change::DeleteOutbox(Ticket::new(8)),
    ];
    write(
        &mut store,
        [Change::PutOutbox(handed_out.clone())]
            .into_iter()
            .chain(delete),
    )?;

    let expected = [handed_out, outbox(9, None, 0), outbox(300, Some("one"), 4)];
    let kept = store.begin(&juliet())?;
    for row in &expected {
        assert_eq!(kept.outbox_row(row.ticket)?.as_ref(), Some(row));
    }
    assert_eq!(kept.outbox_row(Ticket::new(1))?, None);
    assert_eq!(kept.outbox()?, expected);
    Ok(())
}

/// All of them, in order of the ticket.
pub fn an_outbox_message_may_have_many_rows(mut store: impl Store) -> Result<(), StoreError> {
    write(&mut store, [Change::PutAccount(sample::account(1))])?;
    let rows = [
        outbox(8, Some("one"), 4),
        outbox(5, Some("two"), 3),
        outbox(3, None, 2),
        outbox(2, Some("one"), 1),
    ];
    write(&mut store, rows.clone().map(Change::PutOutbox))?;
    let [last, other, _, first] = rows;
    let kept = store.begin(&juliet())?;
    assert_eq!(kept.outbox_message("one")?, [first, last]);
    assert_eq!(kept.outbox_message("two")?, [other]);
    assert_eq!(kept.outbox_message("")?, []);
    Ok(())
}
