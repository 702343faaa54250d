//! Keys that are met, and what is thought of them (XEP-0384 §8).

use omemo_ratchet::{Fingerprint, IdentityKey};

use super::Call;
use crate::store::{Change, Transaction, TrustRow};
use crate::{Address, BareJid, CallerError, Error, Event, Trust};

impl<T: Transaction> Call<'_, T> {
    /// What is thought of a key of this account.
    pub(super) fn trust_in(&self, jid: &BareJid, key: &IdentityKey) -> Result<Trust, Error> {
        Ok(level(&self.tx.trust(jid)?, key).unwrap_or(Trust::Undecided))
    }

    /// A verified bundle or key exchange has shown a key: if it is new, the policy decides.
    pub(super) fn meet(&mut self, address: &Address, key: &IdentityKey) -> Result<Trust, Error> {
        let rows = self.tx.trust(&address.jid)?;
        if let Some(level) = level(&rows, key) {
            return Ok(level);
        }
        let level = self
            .settings
            .trust
            .first_sight(rows.iter().map(|row| row.level));
        self.write(Change::PutTrust(TrustRow {
            jid: address.jid.clone(),
            key: *key,
            level,
            decided_at: None,
        }))?;
        self.event(Event::NewKey {
            device: address.clone(),
            fingerprint: key.fingerprint(),
            trust: level,
        });
        Ok(level)
    }

    /// A person has decided.
    pub(crate) fn decide(
        &mut self,
        jid: &BareJid,
        fingerprint: &Fingerprint,
        trust: Trust,
    ) -> Result<(), Error> {
        let mut row = self
            .tx
            .trust(jid)?
            .into_iter()
            .find(|row| row.key.fingerprint() == *fingerprint)
            .ok_or_else(|| CallerError::UnknownKey(jid.clone()))?;
        row.level = trust;
        self.write(Change::PutTrust(row))
    }
}

/// The level of a key among an account's rows.
pub(super) fn level(rows: &[TrustRow], key: &IdentityKey) -> Option<Trust> {
    rows.iter().find(|row| row.key == *key).map(|row| row.level)
}
