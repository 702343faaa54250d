//! Devices that change protocol. Whoever controls a server can take a device off the list of the
//! better protocol and leave it on that of the weaker one: content must not follow (A12).
//!
//! A device whose key is known in a better protocol is pinned to it, in the store, by its row there.
//! While it is on that list it is never served in a weaker protocol because its bundle is withheld, and
//! off it, it is not served at all before a person has agreed.

use std::time::Duration;

use omemo_ratchet::{IdentityKey, Version};

use super::Call;
use crate::protocol;
use crate::store::{Change, DeviceRow, Transaction};
use crate::{Address, BareJid, CallerError, DeviceId, Error, Event};

/// So long a device spoke one protocol before another one is news.
const UPGRADE_AGE: Duration = Duration::from_secs(3_600);

/// What a new list changes.
#[derive(Default)]
pub(super) struct ListChange {
    /// A list of this protocol was known before.
    pub(super) known_before: bool,
    /// Devices that were not on it.
    pub(super) appeared: Vec<DeviceId>,
    /// Devices that are on it no more and whose key is known.
    pub(super) gone: Vec<DeviceRow>,
}

impl<T: Transaction> Call<'_, T> {
    /// Reports devices that are now only on the list of a weaker protocol, or on that of a better one
    /// for the first time.
    pub(super) fn note_changes_of_protocol(
        &mut self,
        version: Version,
        jid: &BareJid,
        change: &ListChange,
    ) -> Result<(), Error> {
        for row in &change.gone {
            if self
                .listed_in_weaker(version, &row.address, row.identity)?
                .is_some()
            {
                self.event(Event::Downgraded {
                    device: row.address.clone(),
                });
            }
        }
        for device in &change.appeared {
            let address = Address {
                jid: jid.clone(),
                device: *device,
            };
            if self.is_me(jid, *device) {
                continue;
            }
            let row = self.tx.device(version, &address)?;
            let key = row.and_then(|row| row.identity);
            if self.has_left_better(version, &address, key)? {
                self.event(Event::Downgraded { device: address });
            } else if change.known_before
                && let Some(row) = self.listed_in_weaker(version, &address, key)?
                // a new device announces itself in one protocol after the other
                && row.listed_at.is_none_or(|at| self.now.since(at) >= UPGRADE_AGE)
            {
                self.event(Event::Upgraded { device: address });
            }
        }
        Ok(())
    }

    /// A person agrees that a device is served in a weaker protocol: what is known of it in the better
    /// one, whose list it has left, is forgotten.
    pub(crate) fn allow_downgrade(&mut self, address: &Address) -> Result<(), Error> {
        let mut forgotten = false;
        for protocol in self.protocols() {
            let version = protocol.version;
            let row = self.tx.device(version, address)?;
            let Some(row) = row.filter(|row| !row.listed && row.identity.is_some()) else {
                continue;
            };
            if self
                .listed_in_weaker(version, address, row.identity)?
                .is_none()
            {
                continue;
            }
            // a session would serve it without a look at its key, were it listed again
            for session in self.tx.sessions(version, address)? {
                let key = session.ephemeral_key;
                self.write(Change::DeleteSession(version, address.clone(), key))?;
            }
            self.write(Change::DeleteDevice(version, address.clone()))?;
            forgotten = true;
        }
        if forgotten {
            return Ok(());
        }
        Err(CallerError::UnknownDevice(address.clone()).into())
    }

    /// A device with this key on the list of a protocol that is weaker than `version`.
    fn listed_in_weaker(
        &self,
        version: Version,
        address: &Address,
        key: Option<IdentityKey>,
    ) -> Result<Option<DeviceRow>, Error> {
        for protocol in self.protocols() {
            if !protocol.better.contains(&version) {
                continue;
            }
            let row = self.tx.device(protocol.version, address)?;
            let listed = row.filter(|row| row.listed && keys_agree(row.identity, key));
            if listed.is_some() {
                return Ok(listed);
            }
        }
        Ok(None)
    }

    /// Whether a device with this key is known in a better protocol than `version`, and off its list.
    fn has_left_better(
        &self,
        version: Version,
        address: &Address,
        key: Option<IdentityKey>,
    ) -> Result<bool, Error> {
        for better in protocol::of(version).better {
            if !self.settings.versions.contains(better)
                || self.tx.device_list(*better, &address.jid)?.is_none()
            {
                continue;
            }
            let row = self.tx.device(*better, address)?;
            if row.is_some_and(|row| {
                !row.listed && row.identity.is_some() && keys_agree(row.identity, key)
            }) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// An id in the lists of two protocols is one device until two keys are known under it.
pub(super) fn keys_agree(one: Option<IdentityKey>, other: Option<IdentityKey>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}
