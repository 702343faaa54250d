//! The inbox: what was decrypted stands there until the app has it.

use super::Call;
use crate::stanza::malformed::Malformed;
use crate::stanza::text;
use crate::store::{Change, InboxRow, StoreError, Transaction};
use crate::{Element, Error, InboxId, Message, TransportedKey};

impl<T: Transaction> Call<'_, T> {
    /// The app has stored these messages.
    pub(crate) fn acknowledge(&mut self, ids: &[InboxId]) -> Result<(), Error> {
        for id in ids {
            self.write(Change::DeleteInbox(*id))?;
        }
        Ok(())
    }

    /// All messages that the app has not acknowledged.
    pub(crate) fn unacknowledged(&self) -> Result<Vec<Message>, Error> {
        self.tx.inbox()?.into_iter().map(message_of).collect()
    }
}

/// The message of a row.
pub(super) fn message_of(row: InboxRow) -> Result<Message, Error> {
    let content =
        text::parse(&row.content).map_err(|error| StoreError::Damaged(Box::new(error)))?;
    Ok(Message {
        inbox_id: row.id,
        id: row.stanza_id,
        from: row.message.address,
        chat: row.chat,
        version: row.message.version,
        trust: row.trust,
        delay: row.delay,
        time_differs: row.time_differs,
        content: content.children().cloned().collect(),
        transported: row.transported.map(TransportedKey::from_bytes),
    })
}

/// The stored form of content: its elements inside one.
pub(super) fn content_text(content: &[Element]) -> Result<String, Malformed> {
    let element = Element::builder("content", "urn:xmpp:sce:1")
        .append_all(content.iter().cloned())
        .build();
    text::to_string(&element)
}
