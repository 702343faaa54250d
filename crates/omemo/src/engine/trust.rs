//! Keys that are met, and what people think of them (XEP-0384 §8).

use omemo_ratchet::{Fingerprint, IdentityKey};

use super::Call;
use super::decisions::names;
use crate::store::{Change, Transaction, TrustRow};
use crate::{
    Address, BareJid, CallerError, Error, Event, Timestamp, Trust, TrustPolicy, VerificationUri,
};

impl<T: Transaction> Call<'_, T> {
    /// What is thought of a key of this account.
    pub(super) fn trust_in(&self, jid: &BareJid, key: &IdentityKey) -> Result<Trust, Error> {
        Ok(level(&self.tx.trust(jid)?, key).unwrap_or(Trust::Undecided))
    }

    /// A verified bundle or key exchange has shown a key: if it is new, the policy decides, and then
    /// what was said about it before. Gives the level in the end.
    ///
    /// No policy trusts blindly what another account has shown before: identity keys are published
    /// for everybody to copy, and whoever shows somebody else's as its own wants messages to be
    /// taken for the other's. The first one keeps its trust, for else anybody could end it.
    pub(super) fn meet(&mut self, address: &Address, key: &IdentityKey) -> Result<Trust, Error> {
        let jid = &address.jid;
        let rows = self.tx.trust(jid)?;
        if let Some(level) = level(&rows, key) {
            return Ok(level);
        }
        let fingerprint = key.fingerprint();
        let mut accounts = self.tx.key_owners(&fingerprint)?;
        let level = if accounts.is_empty() {
            let others = rows.iter().map(|row| row.level);
            self.settings.trust.first_sight(others)
        } else {
            Trust::Undecided
        };
        self.write(Change::PutTrust(TrustRow {
            jid: jid.clone(),
            key: *key,
            level,
            decided_at: None,
        }))?;
        self.event(Event::NewKey {
            device: address.clone(),
            fingerprint,
            trust: level,
        });
        if !accounts.is_empty() {
            accounts.push(jid.clone());
            accounts.sort();
            self.event(Event::SharedKey {
                fingerprint,
                accounts,
            });
        }
        self.apply_what_was_said(jid, key)?;
        self.trust_in(jid, key)
    }

    /// A person has decided.
    pub(crate) fn decide(
        &mut self,
        jid: &BareJid,
        fingerprint: &Fingerprint,
        trust: Trust,
    ) -> Result<(), Error> {
        let row = self
            .trust_row(jid, fingerprint)?
            .ok_or_else(|| CallerError::UnknownKey(jid.clone()))?;
        self.decided(row, trust)
    }

    /// A person believes what a URI says.
    pub(crate) fn verify(&mut self, uri: &VerificationUri) -> Result<(), Error> {
        let jid = uri.jid();
        let (mut decided, mut held, mut contradicted) = (Vec::new(), Vec::new(), Vec::new());
        let trusted = uri.keys().iter().map(|(device, key)| (*device, *key, true));
        let distrusted = uri.distrusted().iter().map(|key| (None, *key, false));
        for (device, said, trust) in trusted.chain(distrusted) {
            let address = device.map(|device| Address {
                jid: jid.clone(),
                device,
            });
            if let Some(address) = address
                && self.contradicts(&address, &said)?
            {
                contradicted.push(address);
                continue;
            }
            if self.is_own_key(jid, &said) {
                continue;
            }
            match self.trust_row(jid, &said)? {
                Some(row) => {
                    decided.push(row.key.fingerprint());
                    let level = if trust {
                        Trust::Verified
                    } else {
                        Trust::Distrusted
                    };
                    self.decided(row, level)?;
                }
                None => {
                    held.push(said);
                    self.hold_own(jid, said, trust)?;
                }
            }
        }
        self.event(Event::Verified {
            jid: jid.clone(),
            decided,
            held,
            contradicted,
        });
        Ok(())
    }

    /// Whether a device is known with another key than this one.
    fn contradicts(&self, address: &Address, said: &Fingerprint) -> Result<bool, Error> {
        let mut known = Vec::new();
        if self.is_me(&address.jid, address.device) {
            known.push(*self.me.identity.public());
        }
        for protocol in self.protocols() {
            let row = self.tx.device(protocol.version, address)?;
            known.extend(row.and_then(|row| row.identity));
        }
        Ok(!known.is_empty() && !known.iter().any(|key| names(said, key)))
    }

    /// Writes a person's decision and what follows from it.
    pub(super) fn decided(&mut self, row: TrustRow, level: Trust) -> Result<(), Error> {
        let before = row.level;
        // later than all that was said so far, whatever the clocks of those who said it show
        let decided_at = row.decided_at.map_or(self.now, |at| {
            self.now
                .max(Timestamp::from_seconds(at.seconds().saturating_add(1)))
        });
        let row = TrustRow {
            level,
            decided_at: Some(decided_at),
            ..row
        };
        self.write(Change::PutTrust(row.clone()))?;
        if level == before {
            return Ok(());
        }
        match level {
            Trust::Verified => {
                self.tell_others(&row)?;
                self.key_authenticated(&row)
            }
            Trust::Distrusted => self.tell_others(&row),
            Trust::Undecided | Trust::Blind => Ok(()),
        }
    }

    /// From the first verified key of an account on, those that were only trusted because nothing was
    /// known are trusted no more (XEP-0450 §7.2): verified devices tell soon which ones are true.
    pub(super) fn end_blind_trust(&mut self, jid: &BareJid) -> Result<(), Error> {
        if self.settings.trust != TrustPolicy::Automatic {
            return Ok(());
        }
        for row in self.tx.trust(jid)? {
            if row.level == Trust::Blind && row.decided_at.is_none() {
                let row = TrustRow {
                    level: Trust::Undecided,
                    ..row
                };
                self.write(Change::PutTrust(row.clone()))?;
                self.trust_changed(&row, None);
            }
        }
        Ok(())
    }

    pub(super) fn trust_changed(&mut self, row: &TrustRow, told_by: Option<Address>) {
        self.event(Event::TrustChanged {
            jid: row.jid.clone(),
            fingerprint: row.key.fingerprint(),
            trust: row.level,
            told_by,
        });
    }

    /// The key of an account that somebody names.
    pub(super) fn trust_row(
        &self,
        jid: &BareJid,
        said: &Fingerprint,
    ) -> Result<Option<TrustRow>, Error> {
        let rows = self.tx.trust(jid)?;
        Ok(rows.into_iter().find(|row| names(said, &row.key)))
    }

    pub(super) fn is_own_key(&self, jid: &BareJid, said: &Fingerprint) -> bool {
        *jid == self.me.jid && names(said, self.me.identity.public())
    }
}

/// The level of a key among an account's rows.
pub(super) fn level(rows: &[TrustRow], key: &IdentityKey) -> Option<Trust> {
    rows.iter().find(|row| row.key == *key).map(|row| row.level)
}
