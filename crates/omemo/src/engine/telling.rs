//! Trust messages on their way out (XEP-0450 §4): what is owed stands in the store, waits for lists and
//! bundles as every send does, and is sealed only for devices whose keys are authenticated.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Call;
use super::questions::ANSWER_TIME;
use crate::message::Readers;
use crate::stanza::trust_message::{self, Decision};
use crate::store::{Change, OutboxRow, OwedDecisionRow, Transaction};
use crate::stream::Waiting;
use crate::{Address, BareJid, Chat, Error, Outgoing, Served, Trust, TrustPolicy};

/// When a device could not be served it is tried again after this time, and with every new stream.
const PAUSE: Duration = Duration::from_secs(600);
/// Decisions in one trust message: with usual JIDs they fit into the smallest stanza that an app may
/// ask for.
const MOST_IN_ONE: usize = 32;

impl<T: Transaction> Call<'_, T> {
    /// Begins to tell what is owed. During the catch-up nothing is told: what is still in the archive
    /// may be later.
    pub(super) fn go_on_telling(&mut self) -> Result<(), Error> {
        if self.settings.trust != TrustPolicy::Automatic || !self.is_settled() {
            return Ok(());
        }
        let owed = self.tx.owed_decisions()?;
        let own = self.me.jid.clone();
        self.stream
            .telling
            .retain(|jid, _| owed.iter().any(|row| row.to.jid == *jid));
        let accounts: BTreeSet<&BareJid> = owed.iter().map(|row| &row.to.jid).collect();
        // our own devices read what contacts are told as carbons, and need it only once
        let (ours, others): (Vec<_>, Vec<_>) = accounts.into_iter().partition(|jid| **jid == own);
        for jid in others.into_iter().chain(ours) {
            let pausing = self
                .stream
                .telling
                .get(jid)
                .is_some_and(|at| self.now < *at);
            let chat = Chat::Direct(jid.clone());
            let waits = self.stream.waiting.iter().any(|waiting| {
                waiting.outgoing.chat == chat && waiting.outgoing.readers != Readers::Allowed
            });
            if pausing || waits {
                continue;
            }
            let devices = owed.iter().map(|row| &row.to).filter(|to| to.jid == *jid);
            let readers = Readers::Authenticated(devices.cloned().collect());
            // what is waited for depends on the protocols that carry such a message
            let kind = vec![trust_message::build(&[])];
            let outgoing = Outgoing {
                readers,
                ..Outgoing::new(self.random_id()?, chat, kind)
            };
            self.stream.telling.remove(jid);
            self.stream.waiting.push(Waiting {
                outgoing,
                deadline: self.now.after(ANSWER_TIME),
                failed_lists: BTreeMap::new(),
            });
        }
        Ok(())
    }

    /// Seals what is owed to an account by now.
    pub(super) fn tell(&mut self, send: &Waiting) -> Result<(), Error> {
        let jid = send.outgoing.chat.jid();
        let mut owed = self.tx.owed_decisions()?;
        let mut current = BTreeMap::new();
        for row in &owed {
            let about = self.trust_row(&row.owner, &row.key)?;
            if let Some(decision) =
                about.and_then(|about| decision(row, about.level, about.decided_at))
            {
                current.insert((row.owner.clone(), row.key), decision);
            } else {
                self.write(Change::DeleteOwedDecision(row.clone()))?;
            }
        }
        owed.retain(|row| current.contains_key(&(row.owner.clone(), row.key)));
        self.forget_unauthenticated(&mut owed)?;
        let for_them = owed.iter().filter(|row| row.to.jid == *jid);
        let wanted: BTreeSet<_> = for_them.map(|row| (&row.owner, &row.key)).collect();
        let decisions: Vec<Decision> = current
            .iter()
            .filter(|((owner, key), _)| wanted.contains(&(owner, key)))
            .map(|(_, decision)| decision.clone())
            .collect();
        for (n, part) in decisions.chunks(MOST_IN_ONE).enumerate() {
            let served = self.tell_part(send, n, part, &owed)?;
            for row in &owed {
                let said = part.iter().any(|said| is_about(said, row));
                if said && served.iter().any(|served| served.device == row.to) {
                    self.write(Change::DeleteOwedDecision(row.clone()))?;
                }
            }
        }
        let left = self.tx.owed_decisions()?;
        if left.iter().any(|row| row.to.jid == *jid) {
            let pause = self.now.after(PAUSE);
            self.stream.telling.insert(jid.clone(), pause);
        }
        Ok(())
    }

    /// One message: for the account's devices that are owed any of it, and for our own, which read what
    /// we send to others as a carbon (XEP-0450 §4.2).
    fn tell_part(
        &mut self,
        send: &Waiting,
        n: usize,
        part: &[Decision],
        owed: &[OwedDecisionRow],
    ) -> Result<Vec<Served>, Error> {
        let jid = send.outgoing.chat.jid();
        let readers = owed
            .iter()
            .filter(|row| row.to.jid == *jid || row.to.jid == self.me.jid)
            .filter(|row| part.iter().any(|said| is_about(said, row)))
            .map(|row| row.to.clone());
        let id = if n == 0 {
            send.outgoing.id.clone()
        } else {
            self.random_id()?
        };
        let content = vec![trust_message::build(part)];
        let send = Waiting {
            outgoing: Outgoing {
                readers: Readers::Authenticated(readers.collect()),
                ..Outgoing::new(id, send.outgoing.chat.clone(), content)
            },
            ..send.clone()
        };
        self.seal(&send)
    }

    /// Devices whose key is authenticated no more are owed nothing.
    fn forget_unauthenticated(&mut self, owed: &mut Vec<OwedDecisionRow>) -> Result<(), Error> {
        let mut kept = Vec::new();
        for row in owed.drain(..) {
            if self.is_authenticated(&row.to)? {
                kept.push(row);
            } else {
                self.write(Change::DeleteOwedDecision(row))?;
            }
        }
        *owed = kept;
        Ok(())
    }

    fn is_authenticated(&self, device: &Address) -> Result<bool, Error> {
        for protocol in self.protocols() {
            let row = self.tx.device(protocol.version, device)?;
            if let Some(key) = row.and_then(|row| row.identity)
                && self.trust_in(&device.jid, &key)? == Trust::Verified
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A trust message was given up before the network had it: its readers are told anew, all of it,
    /// since nobody knows any more what it said.
    pub(super) fn tell_again(&mut self, row: &OutboxRow) -> Result<(), Error> {
        for device in &row.served {
            let known = self.tx.device(row.version, device)?;
            let Some(key) = known.and_then(|known| known.identity) else {
                continue;
            };
            let rows = self.tx.trust(&device.jid)?;
            let reader = rows.into_iter().find(|trust| trust.key == key);
            if let Some(reader) = reader.filter(|reader| reader.level == Trust::Verified) {
                self.tell_older_decisions(&reader)?;
            }
        }
        Ok(())
    }
}

/// What is told of a row that is owed; `None` when it was decided otherwise since.
fn decision(
    row: &OwedDecisionRow,
    level: Trust,
    decided_at: Option<crate::Timestamp>,
) -> Option<Decision> {
    let now = match level {
        Trust::Verified => true,
        Trust::Distrusted => false,
        Trust::Undecided | Trust::Blind => return None,
    };
    (now == row.trust).then(|| Decision {
        owner: row.owner.clone(),
        key: row.key,
        trust: row.trust,
        decided_at,
    })
}

fn is_about(said: &Decision, row: &OwedDecisionRow) -> bool {
    said.owner == row.owner && said.key == row.key
}
