//! Who is served by a message, in which protocol, and who is not and why (XEP-0384 §5.5, §8).

use std::collections::BTreeMap;

use omemo_ratchet::{IdentityKey, Session, Version};

use super::Call;
use super::bundles::IDENTITY_CHANGED;
use super::downgrade::keys_agree;
use super::replace::is_overdue;
use crate::protocol::{self, Protocol};
use crate::store::{DeviceRow, SessionRow, Transaction, TrustRow};
use crate::{
    Address, BareJid, DeviceId, Element, Error, StalePolicy, Timestamp, Trust, UnservedReason,
};

/// What is known of one account's devices.
pub(super) struct Recipient {
    pub(super) jid: BareJid,
    listed: BTreeMap<(DeviceId, Version), DeviceRow>,
    sessions: BTreeMap<(DeviceId, Version), SessionRow>,
    /// The keys of devices that were seen in a protocol and are not on its list (any more).
    unlisted: BTreeMap<(DeviceId, Version), IdentityKey>,
    trust: BTreeMap<IdentityKey, Trust>,
    /// When a device counts as stale, and what time it is.
    stale: Option<(StalePolicy, Timestamp)>,
}

/// One device as it is served: an id in the lists of several protocols is one device, until two keys
/// are known under it.
pub(super) struct Target {
    pub(super) device: DeviceId,
    versions: Vec<Version>,
    identity: Option<IdentityKey>,
}

/// Whether a missing bundle is worth waiting for, at this moment.
#[derive(Clone, Copy)]
pub(super) enum Patience {
    Until(Timestamp),
    Over(Timestamp),
}

/// What becomes of one device.
pub(super) enum Fate {
    /// It is served over this session.
    Served(Box<SessionRow>),
    /// It could be served over this session, but has been silent for too long: only when nobody else
    /// of its account can be, and then perhaps over a new one.
    Stale {
        session: Box<SessionRow>,
        renews: bool,
    },
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
        let mut unlisted = BTreeMap::new();
        for protocol in self.protocols() {
            let version = protocol.version;
            for row in self.tx.devices(version, jid)? {
                let place = (row.address.device, version);
                if self.is_me(jid, row.address.device) || self.is_going(jid, &row) {
                    continue;
                }
                if row.listed {
                    listed.insert(place, row);
                } else if let Some(key) = row.identity {
                    unlisted.insert(place, key);
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
            unlisted,
            trust: levels(self.tx.trust(jid)?),
            stale: self.settings.stale.map(|policy| (policy, self.now)),
        })
    }

    /// A device of ours that is being removed is not served on its way out.
    fn is_going(&self, jid: &BareJid, row: &DeviceRow) -> bool {
        *jid == self.me.jid && self.stream.removing.contains_key(&row.address.device)
    }
}

impl Recipient {
    /// The listed devices, by id.
    pub(super) fn targets(&self) -> Vec<Target> {
        let mut targets: Vec<Target> = Vec::new();
        for ((device, version), row) in &self.listed {
            // in order of the id, so that those of the same one stand last
            let same = targets
                .iter_mut()
                .rev()
                .take_while(|target| target.device == *device)
                .find(|target| keys_agree(target.identity, row.identity));
            match same {
                Some(target) => {
                    target.versions.push(*version);
                    target.identity = target.identity.or(row.identity);
                }
                None => targets.push(Target {
                    device: *device,
                    versions: vec![*version],
                    identity: row.identity,
                }),
            }
        }
        targets
    }

    pub(super) fn address(&self, target: &Target) -> Address {
        Address {
            jid: self.jid.clone(),
            device: target.device,
        }
    }

    /// Decides about one device: the first protocol in this order that it is listed in, that
    /// carries the content, and in which a session can be had. Without `patience` a protocol whose
    /// bundle is still missing is passed over.
    pub(super) fn fate(
        &mut self,
        target: &Target,
        order: &[Version],
        content: &[Element],
        patience: Patience,
    ) -> Fate {
        let mut reason = UnservedReason::NoDevices;
        let mut withheld = Vec::new();
        let order = order
            .iter()
            .filter(|version| target.versions.contains(version));
        for &version in order {
            let place = (target.device, version);
            let Some(row) = self.listed.get(&place) else {
                continue;
            };
            let protocol = protocol::of(version);
            if self.has_left_better(target, protocol) {
                reason = UnservedReason::Downgraded;
                continue;
            }
            // whoever withholds the bundle of a device that is known must not choose its protocol
            if protocol
                .better
                .iter()
                .any(|better| withheld.contains(better))
            {
                continue;
            }
            if !protocol.wrapping.carries(content) {
                reason = UnservedReason::ContentNotCarried;
                continue;
            }
            if let Some(refusal) = self.refusal(row) {
                reason = refusal;
                continue;
            }
            let pausing = |now: Timestamp| row.retry_after.is_some_and(|at| now < at);
            if let Some(session) = self.sessions.remove(&place) {
                // one that cannot be renewed serves all the same
                let renews = match patience {
                    Patience::Until(now) => is_overdue(&session, now) && !pausing(now),
                    Patience::Over(_) => false,
                };
                let session = Box::new(session);
                return match (self.is_stale(target, &session), renews) {
                    (true, renews) => Fate::Stale { session, renews },
                    (false, true) => Fate::LacksBundle(version),
                    (false, false) => Fate::Served(session),
                };
            }
            if row.identity.is_some() {
                withheld.push(version);
            }
            reason = match (patience, &row.failure) {
                (Patience::Until(now) | Patience::Over(now), Some(failure)) if pausing(now) => {
                    unusable(failure)
                }
                (Patience::Until(_), _) => return Fate::LacksBundle(version),
                (Patience::Over(_), _) => {
                    UnservedReason::BundleUnusable("no answer in time".into())
                }
            };
        }
        Fate::Unserved(reason)
    }

    /// Whether a device spoke a better protocol than this one and is off its list.
    fn has_left_better(&self, target: &Target, protocol: &Protocol) -> bool {
        protocol.better.iter().any(|better| {
            let known = self.unlisted.get(&(target.device, *better)).copied();
            known.is_some() && keys_agree(known, target.identity)
        })
    }

    /// What is thought of a device's key; `None` while it is not known.
    pub(super) fn trust_in(&self, target: &Target) -> Option<Trust> {
        let key = target.identity?;
        Some(self.trust.get(&key).copied().unwrap_or(Trust::Undecided))
    }

    /// Whether a device counts as stale, in the protocol that it would be served in.
    pub(super) fn would_be_stale(&self, target: &Target, order: &[Version]) -> bool {
        order
            .iter()
            .filter(|version| target.versions.contains(version))
            .find_map(|version| self.sessions.get(&(target.device, *version)))
            .is_some_and(|session| self.is_stale(target, session))
    }

    /// Whether a device has been silent for so long, and for so many messages, that it has to be
    /// taken for one that is used no more. Its sessions cannot renew themselves without an answer, so
    /// that each further message would stay readable with keys that never change.
    fn is_stale(&self, target: &Target, session: &SessionRow) -> bool {
        let Some((policy, now)) = self.stale else {
            return false;
        };
        let rows = || {
            let rows = target.versions.iter();
            rows.filter_map(|version| self.listed.get(&(target.device, *version)))
        };
        let heard = rows().filter_map(|row| row.heard_at).max();
        let listed = rows().filter_map(|row| row.listed_at).max();
        let silent = heard
            .or(listed)
            .is_some_and(|since| now.since(since) >= policy.silent_for);
        // what cannot be read is not stale: sealing reports it
        silent
            && Session::from_bytes(&session.state)
                .is_ok_and(|session| session.unanswered() >= policy.unanswered)
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

    /// The same for what only devices with authenticated keys may read.
    pub(super) fn still_authenticated(&self, device: DeviceId, version: Version) -> bool {
        let row = self.listed.get(&(device, version));
        let trust = row.and_then(|row| self.trust.get(&row.identity?).copied());
        trust == Some(Trust::Verified)
    }
}

fn unusable(failure: &str) -> UnservedReason {
    if failure == IDENTITY_CHANGED {
        UnservedReason::IdentityChanged
    } else {
        UnservedReason::BundleUnusable(failure.to_owned())
    }
}

fn levels(rows: Vec<TrustRow>) -> BTreeMap<IdentityKey, Trust> {
    rows.into_iter().map(|row| (row.key, row.level)).collect()
}
