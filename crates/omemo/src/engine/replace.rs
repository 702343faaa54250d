//! Sessions that are made anew: on demand (XEP-0384 §8), after a recovery, and, where the app wants
//! it, to heal a broken one in legacy. The new one sends from then on, and an empty message moves the
//! peer to it; the old ones can still be read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use omemo_ratchet::{Session, Version};

use super::Call;
use crate::protocol::Protocol;
use crate::store::{Change, DeviceRow, DutyKind, DutyRow, SessionRow, Transaction};
use crate::{
    Address, BareJid, CallerError, DeviceId, Error, Event, Timestamp, UndecryptableReason,
};

/// A device's session is healed once in this time at most.
const HEALING_PAUSE: Duration = Duration::from_secs(86_400);

/// A session that nobody has answered for so long is renewed before more content is sealed in it. Its
/// peer keeps the signed prekey of the bundle for a week at least, of which a sealed stanza may spend
/// a day in the outbox.
const LONGEST_UNANSWERED: Duration = Duration::from_secs(6 * 86_400);

/// Whether a session still sends key exchanges that the peer may soon be unable to open.
pub(super) fn is_overdue(row: &SessionRow, now: Timestamp) -> bool {
    // the age first: it is known without reading the state
    now.since(row.made_at) >= LONGEST_UNANSWERED
        && Session::from_bytes(&row.state).is_ok_and(|session| session.awaits_answer())
}

impl<T: Transaction> Call<'_, T> {
    /// Sessions with one or all devices of an account are to be made anew.
    pub(crate) fn replace_sessions(
        &mut self,
        jid: &BareJid,
        device: Option<DeviceId>,
    ) -> Result<(), Error> {
        let mut duties = self.replaceable(jid)?;
        if let Some(device) = device {
            duties.retain(|duty| duty.address.device == device);
            if duties.is_empty() {
                let jid = jid.clone();
                return Err(CallerError::UnknownDevice(Address { jid, device }).into());
            }
        }
        for duty in duties {
            self.write(Change::PutDuty(duty))?;
        }
        Ok(())
    }

    /// The same for everybody familiar that there is a session with.
    pub(crate) fn replace_all_sessions(&mut self) -> Result<(), Error> {
        let mut jids = BTreeSet::new();
        for protocol in self.protocols() {
            let peers = self.tx.session_peers(protocol.version)?;
            jids.extend(peers.into_iter().map(|address| address.jid));
        }
        for jid in jids {
            if self.is_familiar(&jid)? {
                self.replace_sessions(&jid, None)?;
            }
        }
        Ok(())
    }

    /// What is still to be made anew.
    pub(crate) fn replacing(&self) -> Result<Vec<(Version, Address)>, Error> {
        let duties = self.tx.duties()?.into_iter();
        let owed = duties.filter(|duty| duty.kind == DutyKind::Replacement);
        Ok(owed.map(|duty| (duty.version, duty.address)).collect())
    }

    /// What is to be replaced for an account: in each protocol the sessions with its listed devices,
    /// and with a device that there is no session with yet one in its best protocol.
    fn replaceable(&self, jid: &BareJid) -> Result<Vec<DutyRow>, Error> {
        let mut duties = Vec::new();
        let mut without = BTreeMap::new();
        let mut with = BTreeSet::new();
        for protocol in self.protocols() {
            let version = protocol.version;
            for row in self.tx.devices(version, jid)? {
                let device = row.address.device;
                if !row.listed || self.is_me(jid, device) {
                    continue;
                }
                let duty = DutyRow {
                    version,
                    address: row.address,
                    kind: DutyKind::Replacement,
                };
                if self.tx.sessions(version, &duty.address)?.is_empty() {
                    without.entry(device).or_insert(duty);
                } else {
                    with.insert(device);
                    duties.push(duty);
                }
            }
        }
        let fresh = without
            .into_iter()
            .filter(|(device, _)| !with.contains(device));
        duties.extend(fresh.map(|(_, duty)| duty));
        Ok(duties)
    }

    /// Does what is owed in this way: a fresh bundle is fetched, unless the device has gone.
    pub(super) fn begin_replacement(&mut self, duty: &DutyRow) -> Result<(), Error> {
        let row = self.tx.device(duty.version, &duty.address)?;
        if !row.is_some_and(|row| row.listed) {
            let gone = "it is not on its account's list of devices";
            return self.not_replaced(duty.version, &duty.address, gone);
        }
        self.fetch_bundle(duty.version, &duty.address)
    }

    /// Whether a session with a device is to be made anew.
    pub(super) fn owes_replacement(
        &self,
        version: Version,
        address: &Address,
    ) -> Result<bool, Error> {
        let owed = replacement(version, address);
        Ok(!self.is_restored() && self.tx.duties()?.contains(&owed))
    }

    /// The new session is there: the peer hears of it.
    pub(super) fn replaced(&mut self, session: SessionRow) -> Result<(), Error> {
        let version = session.version;
        let address = session.address.clone();
        self.write(Change::DeleteDuty(replacement(version, &address)))?;
        self.seal_empty(session)?;
        self.event(Event::SessionReplaced {
            device: address,
            version,
        });
        Ok(())
    }

    /// There will be no new session, if one was to be made.
    pub(super) fn not_replaced(
        &mut self,
        version: Version,
        address: &Address,
        reason: &str,
    ) -> Result<(), Error> {
        if !self.owes_replacement(version, address)? {
            return Ok(());
        }
        self.write(Change::DeleteDuty(replacement(version, address)))?;
        self.event(Event::SessionNotReplaced {
            device: address.clone(),
            version,
            reason: reason.to_owned(),
        });
        Ok(())
    }

    /// A message could not be read for a reason that a new session would cure.
    pub(super) fn heal(
        &mut self,
        protocol: &Protocol,
        address: &Address,
        reason: &UndecryptableReason,
    ) -> Result<(), Error> {
        let curable = matches!(
            reason,
            UndecryptableReason::NoSession
                | UndecryptableReason::SessionRefused(_)
                | UndecryptableReason::UnknownPreKey
        );
        if !curable || !protocol.may_heal || !self.settings.heal_legacy || self.is_restored() {
            return Ok(());
        }
        let Some(row) = self.tx.device(protocol.version, address)? else {
            return Ok(());
        };
        let healed = row.healed_at.map(|at| self.now.since(at));
        let recent = healed.is_some_and(|ago| ago < HEALING_PAUSE);
        if recent || !row.listed || !self.is_familiar(&address.jid)? {
            return Ok(());
        }
        self.write(Change::PutDevice(DeviceRow {
            healed_at: Some(self.now),
            ..row
        }))?;
        let duty = replacement(protocol.version, address);
        self.write(Change::PutDuty(duty))
    }
}

fn replacement(version: Version, address: &Address) -> DutyRow {
    DutyRow {
        version,
        address: address.clone(),
        kind: DutyKind::Replacement,
    }
}
