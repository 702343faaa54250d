//! Who is served by a message, in which protocol, and who is not and why (XEP-0384 §5.5, §8).

use std::collections::{BTreeMap, BTreeSet};

use omemo_ratchet::{IdentityKey, Version};

use super::Call;
use crate::protocol;
use crate::store::{DeviceRow, SessionRow, Transaction, TrustRow};
use crate::{Address, BareJid, DeviceId, Element, Error, Timestamp, Trust, UnservedReason};

/// What is known of one account's devices.
pub(super) struct Recipient {
    pub(super) jid: BareJid,
    listed: BTreeMap<(DeviceId, Version), DeviceRow>,
    sessions: BTreeMap<(DeviceId, Version), SessionRow>,
    trust: BTreeMap<IdentityKey, Trust>,
}

/// What becomes of one device.
pub(super) enum Fate {
    /// It is served over this session.
    Served(Box<SessionRow>),
    /// It could be served if its bundle were here.
    LacksBundle(Version),
    /// It is not served.
    Unserved(UnservedReason),
}

impl<T: Transaction> Call<'_, T> {
    /// Loads what is known of an account's listed devices, ourselves left out.
    pub(super) fn recipient(&self, jid: &BareJid) -> Result<Recipient, Error> {
        let mut listed = BTreeMap::new();
        let mut sessions = BTreeMap::new();
        for protocol in self.protocols() {
            let version = protocol.version;
            for row in self.tx.devices(version, jid)? {
                if row.listed && !self.is_me(jid, row.address.device) {
                    listed.insert((row.address.device, version), row);
                }
            }
            for row in self.tx.newest_sessions(version, jid)? {
                sessions.insert((row.address.device, version), row);
            }
        }
        Ok(Recipient {
            jid: jid.clone(),
            listed,
            sessions,
            trust: levels(self.tx.trust(jid)?),
        })
    }
}

impl Recipient {
    /// The listed devices.
    pub(super) fn devices(&self) -> BTreeSet<DeviceId> {
        self.listed.keys().map(|(device, _)| *device).collect()
    }

    pub(super) fn address(&self, device: DeviceId) -> Address {
        Address {
            jid: self.jid.clone(),
            device,
        }
    }

    /// Decides about one device: the first protocol in this order that it is listed in, that
    /// carries the content, and in which a session can be had.
    pub(super) fn fate(
        &mut self,
        device: DeviceId,
        order: &[Version],
        content: &[Element],
        now: Timestamp,
    ) -> Fate {
        let mut reason = UnservedReason::NoDevices;
        for &version in order {
            let Some(row) = self.listed.get(&(device, version)) else {
                continue;
            };
            if !protocol::of(version).wrapping.carries(content) {
                reason = UnservedReason::ContentNotCarried;
                continue;
            }
            if let Some(refusal) = self.refusal(row) {
                reason = refusal;
                continue;
            }
            if let Some(session) = self.sessions.remove(&(device, version)) {
                return Fate::Served(Box::new(session));
            }
            match (&row.failure, row.retry_after) {
                (Some(failure), Some(at)) if now < at => {
                    reason = UnservedReason::BundleUnusable(failure.clone());
                }
                _ => return Fate::LacksBundle(version),
            }
        }
        Fate::Unserved(reason)
    }

    /// Whether the trust in a device's key forbids to serve it.
    fn refusal(&self, row: &DeviceRow) -> Option<UnservedReason> {
        let key = row.identity?;
        match self.trust.get(&key).copied().unwrap_or(Trust::Undecided) {
            Trust::Blind | Trust::Verified => None,
            Trust::Undecided => Some(UnservedReason::Undecided(key.fingerprint())),
            Trust::Distrusted => Some(UnservedReason::Distrusted(key.fingerprint())),
        }
    }

    /// Whether content sealed earlier for this device may still be sent.
    pub(super) fn still_allows(&self, device: DeviceId, version: Version) -> bool {
        self.listed
            .get(&(device, version))
            .is_some_and(|row| row.identity.is_some() && self.refusal(row).is_none())
    }
}

fn levels(rows: Vec<TrustRow>) -> BTreeMap<IdentityKey, Trust> {
    rows.into_iter().map(|row| (row.key, row.level)).collect()
}
