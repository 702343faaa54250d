//! The outbox: ciphertext, kept until the network has it. A row goes out again byte for byte or
//! not at all.

use std::time::Duration;

use super::Call;
use crate::room::Readiness;
use crate::stanza::party::Party;
use crate::stanza::text;
use crate::store::{Change, OutboxRow, StoreError, Transaction};
use crate::{Chat, Error, Event, Stanza, Ticket, Timestamp, UnsentReason};

/// What could not be sent for so long is given up: keys and lists have moved on.
const LIFE: Duration = Duration::from_secs(86_400);
/// What another handle has handed out is left to it for so long.
const OTHER_HANDLE: Duration = Duration::from_secs(120);
/// How often a stanza is handed out that nobody ever confirms.
const MOST_TRIES: u32 = 3;
/// How long a message's id is remembered after it was sent, so that a repeated send is known.
const MEMORY: Duration = Duration::from_secs(7 * 86_400);

impl<T: Transaction> Call<'_, T> {
    /// A new stream: everything that was not confirmed is handed out again.
    pub(crate) fn forget_handed_out(&mut self) {
        self.stream.handed_out.clear();
    }

    /// The outbox has to be looked at with the next call that is online.
    pub(crate) fn look_at_outbox(&mut self) {
        self.stream.outbox_due = Some(self.now);
    }

    /// Hands out what this stream has not had yet.
    pub(super) fn hand_out_outbox(&mut self) -> Result<(), Error> {
        if self.stream.outbox_due.is_none_or(|due| self.now < due) {
            return Ok(());
        }
        self.stream.outbox_due = None;
        for row in self.tx.outbox()? {
            match row.sent_at {
                Some(at) if self.now.since(at) >= MEMORY => {
                    self.write(Change::DeleteOutbox(row.ticket))?;
                }
                Some(_) => {}
                None => self.hand_out(row)?,
            }
        }
        Ok(())
    }

    fn hand_out(&mut self, mut row: OutboxRow) -> Result<(), Error> {
        if self.stream.handed_out.contains(&row.ticket) || !self.stream.is_ready(row.version) {
            return Ok(());
        }
        if let Some((handle, at)) = row.handed_by
            && handle != self.me.handle
            && self.now.since(at) < OTHER_HANDLE
        {
            self.look_again(at.after(OTHER_HANDLE));
            return Ok(());
        }
        if let Some(reason) = self.why_not(&row)? {
            return self.give_up(row, reason);
        }
        // not in its room yet, we cannot know who belongs to it
        if !self.may_go_to(&row.chat) {
            return Ok(());
        }
        let element =
            text::parse(&row.stanza).map_err(|error| StoreError::Damaged(Box::new(error)))?;
        row.handed_out += 1;
        row.handed_by = Some((self.me.handle, self.now));
        self.stream.handed_out.insert(row.ticket);
        self.output.stanzas.push(Stanza {
            element,
            ticket: Some(row.ticket),
        });
        self.write(Change::PutOutbox(row))
    }

    fn look_again(&mut self, at: Timestamp) {
        let due = self.stream.outbox_due.map_or(at, |due| due.min(at));
        self.stream.outbox_due = Some(due);
    }

    /// Why a row may not go out any more.
    fn why_not(&self, row: &OutboxRow) -> Result<Option<UnsentReason>, Error> {
        if self.now.since(row.made_at) >= LIFE {
            return Ok(Some(UnsentReason::Expired));
        }
        if row.handed_out >= MOST_TRIES {
            return Ok(Some(UnsentReason::NeverConfirmed));
        }
        // an empty message says nothing: whom it serves does not matter
        if row.message_id.is_none() {
            return Ok(None);
        }
        if !row.tells_trust
            && let Chat::Direct(jid) = &row.chat
            && self.tx.opt_out(jid)?.is_some()
        {
            return Ok(Some(UnsentReason::OptedOut));
        }
        let is_judged = self.may_go_to(&row.chat);
        let mut recipients: Vec<super::plan::Recipient> = Vec::new();
        for device in &row.served {
            let is_left = is_judged && !self.is_for(&row.chat, &device.jid);
            if is_left && device.jid != self.me.jid {
                return Ok(Some(UnsentReason::NoLongerAllowed(device.clone())));
            }
            let known = recipients
                .iter()
                .position(|recipient| recipient.jid == device.jid);
            let recipient = match known {
                Some(at) => recipients.get(at),
                None => {
                    recipients.push(self.recipient(&device.jid)?);
                    recipients.last()
                }
            };
            let is_allowed = recipient.is_some_and(|known| {
                if row.tells_trust {
                    known.still_authenticated(device.device, row.version)
                } else {
                    known.still_allows(device.device, row.version)
                }
            });
            if !is_allowed {
                return Ok(Some(UnsentReason::NoLongerAllowed(device.clone())));
            }
        }
        Ok(None)
    }

    /// Whether a conversation can be written to: a room only while we are in it and know who belongs
    /// to it.
    fn may_go_to(&self, chat: &Chat) -> bool {
        match chat {
            Chat::Direct(_) => true,
            Chat::Room(room) => self.stream.readiness(room) == Readiness::Ready,
        }
    }

    pub(super) fn give_up(&mut self, row: OutboxRow, reason: UnsentReason) -> Result<(), Error> {
        self.write(Change::DeleteOutbox(row.ticket))?;
        if row.tells_trust {
            // one that came back would come back again
            return match reason {
                UnsentReason::Bounced(_) => Ok(()),
                _ => self.tell_again(&row),
            };
        }
        if let Some(id) = row.message_id {
            self.event(Event::Unsent {
                id,
                reason,
                maybe_delivered: row.handed_out > 0,
            });
        }
        Ok(())
    }

    /// The network has these stanzas. The ids of messages stay for a week.
    pub(crate) fn sent(&mut self, tickets: &[Ticket]) -> Result<(), Error> {
        for ticket in tickets {
            let row = self.tx.outbox_row(*ticket)?;
            let Some(row) = row.filter(|row| row.sent_at.is_none()) else {
                continue;
            };
            if row.message_id.is_none() || row.tells_trust {
                self.write(Change::DeleteOutbox(row.ticket))?;
                continue;
            }
            self.write(Change::PutOutbox(OutboxRow {
                sent_at: Some(self.now),
                stanza: String::new(),
                ..row
            }))?;
        }
        Ok(())
    }

    /// A stanza of ours came back from its addressee; `false` when it is none of ours.
    pub(super) fn bounced(
        &mut self,
        id: &str,
        from: &Party,
        condition: &str,
    ) -> Result<bool, Error> {
        let mut ours = false;
        for row in self.tx.outbox_message(id)? {
            let is_addressee = match &row.chat {
                Chat::Direct(jid) => *jid == from.bare(),
                // whoever is in a room can write to us in its name, but not as the room itself
                Chat::Room(room) => from.is_account(room),
            };
            if is_addressee {
                ours = true;
                self.give_up(row, UnsentReason::Bounced(condition.to_owned()))?;
            }
        }
        Ok(ours)
    }
}
