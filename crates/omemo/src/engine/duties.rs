//! Automatic answers: empty messages that complete a key exchange, turn a ratchet or replace a
//! session that we do not have (XEP-0384 §6). They go to our own account, to people we wrote to
//! and to those that the app calls known; to a stranger they would betray that we are online.

use super::Call;
use crate::protocol::Protocol;
use crate::store::{Change, ContactRow, DutyKind, DutyRow, Transaction};
use crate::{Address, BareJid, Error};

/// Answers sealed in one call: after a long absence there may be many, and each is a stanza.
const MOST_AT_ONCE: usize = 50;
/// Answers owed before strangers are owed nothing more.
const MOST_OWED: usize = 200;

impl<T: Transaction> Call<'_, T> {
    /// The app vouches for an account.
    pub(crate) fn known(&mut self, jid: &BareJid) -> Result<(), Error> {
        if self.tx.contact(jid)?.is_some() {
            return Ok(());
        }
        self.write(Change::PutContact(ContactRow { jid: jid.clone() }))
    }

    /// Does what is owed and may be done now.
    pub(super) fn discharge_duties(&mut self) -> Result<(), Error> {
        self.stream.duties_due = None;
        if !self.is_settled() {
            return Ok(());
        }
        let mut sealed = Vec::new();
        for duty in self.tx.duties()? {
            if sealed.len() >= MOST_AT_ONCE {
                self.stream.duties_due = Some(self.now);
                break;
            }
            let device = (duty.version, duty.address.clone());
            if duty.kind == DutyKind::Replacement {
                if self.stream.is_ready(duty.version) {
                    self.begin_replacement(&duty)?;
                }
                continue;
            }
            if sealed.contains(&device) || !self.may_answer(&duty)? {
                continue;
            }
            if self.discharge(&duty)? {
                sealed.push(device);
            }
        }
        Ok(())
    }

    fn may_answer(&self, duty: &DutyRow) -> Result<bool, Error> {
        if !self.stream.is_ready(duty.version) {
            return Ok(false);
        }
        self.is_familiar(&duty.address.jid)
    }

    /// Our own account, somebody we wrote to, somebody the app calls known, or who shares a room with
    /// us and sees us there.
    pub(super) fn is_familiar(&self, jid: &BareJid) -> Result<bool, Error> {
        Ok(
            *jid == self.me.jid
                || self.is_in_a_room_with_us(jid)
                || self.tx.contact(jid)?.is_some(),
        )
    }

    /// Notes what is owed. To strangers only so much: who becomes familiar later is answered then,
    /// but nobody may fill the store.
    pub(super) fn owe(
        &mut self,
        protocol: &Protocol,
        address: &Address,
        kind: DutyKind,
    ) -> Result<(), Error> {
        let familiar = self.is_familiar(&address.jid)?;
        if !familiar && (kind == DutyKind::Session || self.tx.duties()?.len() >= MOST_OWED) {
            return Ok(());
        }
        self.write(Change::PutDuty(DutyRow {
            version: protocol.version,
            address: address.clone(),
            kind,
        }))
    }

    /// Whether an empty message was sealed, once a device, over the session in force.
    fn discharge(&mut self, duty: &DutyRow) -> Result<bool, Error> {
        let sessions = self.tx.sessions(duty.version, &duty.address)?;
        let Some(session) = sessions.into_iter().next() else {
            return self.lacks_session(duty).map(|()| false);
        };
        self.seal_empty(session)?;
        Ok(true)
    }

    fn lacks_session(&mut self, duty: &DutyRow) -> Result<(), Error> {
        let row = self.tx.device(duty.version, &duty.address)?;
        let listed = row.as_ref().is_some_and(|row| row.listed);
        let paused = row
            .and_then(|row| row.retry_after)
            .is_some_and(|at| self.now < at);
        if duty.kind != DutyKind::Session || paused || !listed {
            return self.write(Change::DeleteDuty(duty.clone()));
        }
        self.fetch_bundle(duty.version, &duty.address)
    }
}
