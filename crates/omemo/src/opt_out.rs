//! Contacts who want plain text (XEP-0384 §5.7).

use crate::{BareJid, Timestamp};

/// A contact has asked for plain text. Until a person has answered nothing is sent to it, and nothing
/// here ever sends plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OptOut {
    /// Who.
    pub jid: BareJid,
    /// Why, in the contact's words: at most 1,024 characters.
    pub reason: Option<String>,
    /// When it was received.
    pub received_at: Timestamp,
    /// A person has agreed to plain text.
    pub confirmed: bool,
}

/// What a person answers to a contact who wants plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptOutAnswer {
    /// Agreed: from now on the app itself sends plain text, if it can and will.
    /// [`Account::send`](crate::Account::send) goes on refusing.
    PlainText,
    /// Not agreed, or not any more: messages are encrypted again.
    KeepEncrypting,
}
