//! Decisions about keys that others tell us in trust messages (XEP-0450): whom we believe, what we
//! hold until we can, and what we owe to whom.
//!
//! Devices of our own account may say something about anybody's keys, a contact's devices about that
//! contact's keys alone, and each only once its own key is authenticated here: until then, and until a
//! key is met that was spoken of, what was said is held. Of two decisions about one key the later one
//! counts, and of two of the same second the one that distrusts, so that all devices agree in the end,
//! whatever order the messages come in.

use std::collections::BTreeMap;
use std::time::Duration;

use omemo_ratchet::{Fingerprint, IdentityKey};

use super::Call;
use crate::protocol;
use crate::stanza::trust_message::{Decision, ENCRYPTION};
use crate::store::{Change, HeldDecisionRow, OwedDecisionRow, Transaction, TrustRow};
use crate::{Address, BareJid, Error, Timestamp, Trust, TrustPolicy};

/// Decisions held in all.
const MOST_HELD: usize = 1_000;
/// Decisions held of one contact, which can only be about its own devices.
const MOST_OF_A_CONTACT: usize = 64;
/// How far the clock of a device that tells may be ahead. A decision from the future would be the last.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(86_400);

impl<T: Transaction> Call<'_, T> {
    /// A device has told us decisions. Its key is the one that its session has proven.
    pub(super) fn told(
        &mut self,
        teller: &Address,
        key: &IdentityKey,
        decisions: &[Decision],
        written_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        if self.settings.trust != TrustPolicy::Automatic {
            return Ok(());
        }
        let believed = self.trust_in(&teller.jid, key)? == Trust::Verified;
        let mut held = Vec::new();
        for decision in decisions {
            let may_say = teller.jid == self.me.jid || decision.owner == teller.jid;
            if !may_say || self.is_own_key(&decision.owner, &decision.key) {
                continue;
            }
            let said_at = decision.decided_at.or(written_at).unwrap_or(self.now);
            let row = HeldDecisionRow {
                teller: teller.jid.clone(),
                teller_key: key.fingerprint(),
                owner: decision.owner.clone(),
                key: decision.key,
                trust: decision.trust,
                decided_at: said_at.min(self.now.after(CLOCK_TOLERANCE)),
                order: 0,
            };
            match self.trust_row(&row.owner, &row.key)? {
                Some(about) if believed => self.apply(about, &row)?,
                _ => held.push(row),
            }
        }
        self.hold(held)
    }

    /// Holds a person's own decision about a key that was not met yet.
    pub(super) fn hold_own(
        &mut self,
        owner: &BareJid,
        key: Fingerprint,
        trust: bool,
    ) -> Result<(), Error> {
        self.hold(vec![HeldDecisionRow {
            teller: self.me.jid.clone(),
            teller_key: self.me.identity.public().fingerprint(),
            owner: owner.clone(),
            key,
            trust,
            decided_at: self.now,
            order: 0,
        }])
    }

    /// A key was met: what was held about it is applied, as far as those who said it are believed.
    pub(super) fn apply_what_was_said(
        &mut self,
        owner: &BareJid,
        key: &IdentityKey,
    ) -> Result<(), Error> {
        for held in self.tx.held_decisions()? {
            if held.owner == *owner && names(&held.key, key) && self.is_believed(&held)? {
                self.apply_held(&held)?;
            }
        }
        Ok(())
    }

    /// A key is authenticated from now on, by a person or by what a device has told: blind trust in
    /// the account's other keys ends, the device is told what we know, and what it has said counts.
    pub(super) fn key_authenticated(&mut self, row: &TrustRow) -> Result<(), Error> {
        if self.settings.trust != TrustPolicy::Automatic {
            return Ok(());
        }
        self.end_blind_trust(&row.jid)?;
        self.tell_older_decisions(row)?;
        for held in self.tx.held_decisions()? {
            if held.teller == row.jid && held.teller_key == row.key.fingerprint() {
                self.apply_held(&held)?;
            }
        }
        Ok(())
    }

    /// Applies a decision that was held, if its key is known by now.
    fn apply_held(&mut self, held: &HeldDecisionRow) -> Result<(), Error> {
        let Some(about) = self.trust_row(&held.owner, &held.key)? else {
            return Ok(());
        };
        self.write(Change::DeleteHeldDecision(held.clone()))?;
        if self.is_own_key(&held.teller, &held.teller_key) {
            let level = level_of(held.trust);
            self.decided(about.clone(), level)?;
            if about.level != level {
                self.trust_changed(&TrustRow { level, ..about }, None);
            }
            return Ok(());
        }
        self.apply(about, held)
    }

    /// Applies what a device that we believe has said.
    fn apply(&mut self, about: TrustRow, said: &HeldDecisionRow) -> Result<(), Error> {
        let rank = (said.decided_at, !said.trust);
        let known = about
            .decided_at
            .map(|at| (at, about.level == Trust::Distrusted));
        if known.is_some_and(|known| rank <= known) {
            return Ok(());
        }
        let before = about.level;
        let row = TrustRow {
            level: level_of(said.trust),
            decided_at: Some(said.decided_at),
            ..about
        };
        self.write(Change::PutTrust(row.clone()))?;
        if row.level == before {
            return Ok(());
        }
        let told_by = self.holder(&said.teller, &said.teller_key)?;
        self.trust_changed(&row, told_by);
        if row.level == Trust::Verified {
            self.key_authenticated(&row)?;
        }
        Ok(())
    }

    fn is_believed(&self, held: &HeldDecisionRow) -> Result<bool, Error> {
        if self.is_own_key(&held.teller, &held.teller_key) {
            return Ok(true);
        }
        let row = self.trust_row(&held.teller, &held.teller_key)?;
        Ok(self.settings.trust == TrustPolicy::Automatic
            && row.is_some_and(|row| row.level == Trust::Verified))
    }

    /// Holds decisions. Nobody may fill the store: of a contact's the oldest go, and of all the
    /// oldest of those whom we do not believe.
    fn hold(&mut self, rows: Vec<HeldDecisionRow>) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut held = self.tx.held_decisions()?;
        for row in rows {
            let known = held.iter().position(|known| is_same(known, &row));
            let rank = |row: &HeldDecisionRow| (row.decided_at, !row.trust);
            if let Some(known) = known {
                if held
                    .get(known)
                    .is_some_and(|known| rank(known) >= rank(&row))
                {
                    continue;
                }
                held.remove(known);
            }
            let order = self.number();
            let row = HeldDecisionRow { order, ..row };
            self.write(Change::PutHeldDecision(row.clone()))?;
            held.push(row);
        }
        self.discard_surplus(held)
    }

    fn discard_surplus(&mut self, held: Vec<HeldDecisionRow>) -> Result<(), Error> {
        let mut of_contact = BTreeMap::<BareJid, usize>::new();
        let (mut believed, mut others, mut surplus) = (Vec::new(), Vec::new(), Vec::new());
        // the newest first
        for row in held.into_iter().rev() {
            let count = of_contact.entry(row.teller.clone()).or_default();
            *count += 1;
            if row.teller != self.me.jid && *count > MOST_OF_A_CONTACT {
                surplus.push(row);
            } else if self.is_believed(&row)? {
                believed.push(row);
            } else {
                others.push(row);
            }
        }
        believed.append(&mut others);
        surplus.extend(believed.into_iter().skip(MOST_HELD));
        for row in surplus {
            self.write(Change::DeleteHeldDecision(row))?;
        }
        Ok(())
    }

    /// A person has decided about a key (XEP-0450 §4): our own devices are told of anybody's, contacts
    /// of our own account's, and only devices whose keys are authenticated are told anything.
    pub(super) fn tell_others(&mut self, about: &TrustRow) -> Result<(), Error> {
        for reader in self.authenticated()? {
            let is_itself = reader.jid == about.jid && reader.key == about.key;
            if !is_itself && self.may_tell(&reader.jid, about) {
                self.owe_decision(&reader, about)?;
            }
        }
        Ok(())
    }

    /// A device whose key has just been authenticated is told all that was decided before. XEP-0450 §4
    /// asks for it when a person has authenticated the key. When another device has told us, it is
    /// needed as well: who decides while a device joins does not know that one yet.
    pub(super) fn tell_older_decisions(&mut self, reader: &TrustRow) -> Result<(), Error> {
        for about in self.tx.decisions()? {
            let is_itself = reader.jid == about.jid && reader.key == about.key;
            if !is_itself && self.may_tell(&reader.jid, &about) {
                self.owe_decision(reader, &about)?;
            }
        }
        Ok(())
    }

    /// All keys that are told anything at all.
    fn authenticated(&self) -> Result<Vec<TrustRow>, Error> {
        if self.settings.trust != TrustPolicy::Automatic {
            return Ok(Vec::new());
        }
        let mut rows = self.tx.decisions()?;
        rows.retain(|row| row.level == Trust::Verified);
        Ok(rows)
    }

    fn may_tell(&self, reader: &BareJid, about: &TrustRow) -> bool {
        *reader == self.me.jid || about.jid == self.me.jid
    }

    fn owe_decision(&mut self, reader: &TrustRow, about: &TrustRow) -> Result<(), Error> {
        let Some(protocol) = protocol::with_namespace(ENCRYPTION) else {
            return Ok(());
        };
        for device in self.tx.devices(protocol.version, &reader.jid)? {
            if device.identity != Some(reader.key) {
                continue;
            }
            self.stream.telling.remove(&reader.jid);
            self.write(Change::PutOwedDecision(OwedDecisionRow {
                to: device.address,
                owner: about.jid.clone(),
                key: about.key.fingerprint(),
                trust: about.level == Trust::Verified,
            }))?;
        }
        Ok(())
    }

    /// The device that holds a key, as far as it is known.
    fn holder(&self, jid: &BareJid, key: &Fingerprint) -> Result<Option<Address>, Error> {
        for protocol in self.protocols() {
            let devices = self.tx.devices(protocol.version, jid)?;
            let holder = devices.into_iter().find(|row| {
                row.identity
                    .is_some_and(|identity| identity.fingerprint() == *key)
            });
            if let Some(row) = holder {
                return Ok(Some(row.address));
            }
        }
        Ok(None)
    }
}

/// Whether these 32 bytes name a key: by its fingerprint, or by its Ed25519 form, as some clients
/// name keys in trust messages.
pub(super) fn names(said: &Fingerprint, key: &IdentityKey) -> bool {
    let Some((sign, rest)) = said.as_bytes().split_last() else {
        return false;
    };
    let ed25519 = key.ed25519();
    // the two signs of one key are one identity
    let is_ed25519 = ed25519
        .split_last()
        .is_some_and(|(its_sign, its_rest)| rest == its_rest && (sign ^ its_sign) & 0x7f == 0);
    *said == key.fingerprint() || is_ed25519
}

fn is_same(one: &HeldDecisionRow, other: &HeldDecisionRow) -> bool {
    let name = |row: &HeldDecisionRow| (row.teller_key, row.key);
    name(one) == name(other) && one.teller == other.teller && one.owner == other.owner
}

const fn level_of(trust: bool) -> Trust {
    if trust {
        Trust::Verified
    } else {
        Trust::Distrusted
    }
}
