//! Contacts who want plain text: heard, kept, and nothing sent before a person has answered
//! (XEP-0384 §5.7).
//!
//! A server that could opt contacts out would lead people into plain text. So it counts only in a
//! direct message, from the contact itself, and from a device whose key may have content; from any
//! other the message is an ordinary one, whose trust the app sees. An opt-out that another device of
//! ours sends is news to us and blocks nothing: a person has decided it there.

use super::Call;
use crate::message::Readers;
use crate::stanza::body;
use crate::stanza::omemo2::opt_out;
use crate::store::{Change, OptOutRow, Transaction};
use crate::{BareJid, Chat, Element, Error, Event, OptOut, OptOutAnswer, Outgoing, Trust};

/// What content says about encryption itself.
pub(super) enum Wish {
    /// Nothing.
    None,
    /// Plain text from now on.
    PlainText {
        /// Why.
        reason: Option<String>,
        /// Whether the content says nothing else.
        alone: bool,
    },
    /// Somebody has written a text, and encrypted it. Receipts and the like are no such sign, since
    /// programs send them by themselves.
    Encryption,
}

impl Wish {
    pub(super) fn of(content: &[Element]) -> Self {
        match content.iter().find(|child| opt_out::is_opt_out(child)) {
            Some(found) => Self::PlainText {
                reason: opt_out::reason(found),
                alone: content.len() == 1,
            },
            None if content.iter().any(body::is_body) => Self::Encryption,
            None => Self::None,
        }
    }
}

impl<T: Transaction> Call<'_, T> {
    /// Tells a contact that we would like plain text.
    pub(crate) fn send_opt_out(
        &mut self,
        id: String,
        jid: BareJid,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let content = vec![opt_out::build(reason)];
        self.send(Outgoing::new(id, Chat::Direct(jid), content))
    }

    /// What is known about a contact's wish.
    pub(crate) fn opted_out(&self, jid: &BareJid) -> Result<Option<OptOut>, Error> {
        let row = self.tx.opt_out(jid)?;
        Ok(row.map(|row| OptOut {
            jid: row.jid,
            reason: row.reason,
            received_at: row.received_at,
            confirmed: row.confirmed,
        }))
    }

    /// A person has answered.
    pub(crate) fn answer_opt_out(
        &mut self,
        jid: &BareJid,
        answer: OptOutAnswer,
    ) -> Result<(), Error> {
        let Some(row) = self.tx.opt_out(jid)? else {
            return Ok(());
        };
        self.write(match answer {
            OptOutAnswer::PlainText => Change::PutOptOut(OptOutRow {
                confirmed: true,
                ..row
            }),
            OptOutAnswer::KeepEncrypting => Change::DeleteOptOut(row.jid),
        })
    }

    /// Whether a message is refused for that. It is about one contact's own messages, and not about what
    /// devices tell each other; a room has no such wish.
    pub(super) fn is_unwanted(&self, outgoing: &Outgoing) -> Result<bool, Error> {
        match &outgoing.chat {
            Chat::Direct(jid) if outgoing.readers == Readers::Allowed => {
                Ok(self.tx.opt_out(jid)?.is_some())
            }
            Chat::Direct(_) | Chat::Room(_) => Ok(false),
        }
    }

    /// Takes note of what a message says about encryption; whether that was all that it says. `late`
    /// is one that was overtaken by newer ones, and whose author may have opted out since.
    pub(super) fn heed(
        &mut self,
        wish: &Wish,
        chat: &Chat,
        sender: &BareJid,
        trust: Trust,
        late: bool,
    ) -> Result<bool, Error> {
        let is_theirs =
            matches!(chat, Chat::Direct(jid) if jid == sender) && *sender != self.me.jid;
        if !is_theirs || !trust.allows_content() {
            return Ok(false);
        }
        let known = self.tx.opt_out(sender)?;
        match (wish, known) {
            (Wish::PlainText { reason, alone }, known) => {
                self.write(Change::PutOptOut(OptOutRow {
                    jid: sender.clone(),
                    reason: reason.clone(),
                    received_at: self.now,
                    confirmed: known.is_some_and(|row| row.confirmed),
                }))?;
                self.event(Event::OptedOut {
                    jid: sender.clone(),
                    reason: reason.clone(),
                });
                Ok(*alone)
            }
            (Wish::Encryption, Some(row)) if !late => {
                let jid = row.jid;
                self.write(Change::DeleteOptOut(jid.clone()))?;
                self.event(Event::OptedIn { jid });
                Ok(false)
            }
            _ => Ok(false),
        }
    }
}
