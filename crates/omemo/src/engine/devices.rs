//! What is known of an account's devices, for people.

use omemo_ratchet::IdentityKey;

use super::Call;
use crate::stanza::devices::SignedLabel;
use crate::store::{DeviceRow, Transaction};
use crate::{Address, BareJid, Device, Error, Trust};

impl<T: Transaction> Call<'_, T> {
    /// All devices that are on a list or that we have a key of, by id. An id under which two
    /// protocols show two keys is two devices.
    pub(crate) fn devices(&self, jid: &BareJid) -> Result<Vec<Device>, Error> {
        let mut devices: Vec<Device> = Vec::new();
        for protocol in self.protocols() {
            let version = protocol.version;
            for row in self.tx.devices(version, jid)? {
                if !row.listed && row.identity.is_none() {
                    continue;
                }
                let at = devices.iter().position(|device| is_same(device, &row));
                let mut device = match at {
                    Some(at) => devices.swap_remove(at),
                    None => self.blank(row.address.clone()),
                };
                if row.listed {
                    device.listed.push(version);
                }
                if !self.tx.sessions(version, &row.address)?.is_empty() {
                    device.sessions.push(version);
                }
                self.describe(&mut device, &row)?;
                devices.push(device);
            }
        }
        if *jid == self.me.jid && devices.iter().all(|device| !device.own) {
            devices.push(self.blank(Address {
                jid: jid.clone(),
                device: self.account.device,
            }));
        }
        self.mark_stale(jid, &mut devices)?;
        devices.sort_by_key(|device| device.address.device);
        Ok(devices)
    }

    fn mark_stale(&self, jid: &BareJid, devices: &mut [Device]) -> Result<(), Error> {
        let recipient = self.recipient(jid)?;
        for target in recipient.targets() {
            if !recipient.would_be_stale(&target, &self.settings.versions) {
                continue;
            }
            let address = recipient.address(&target);
            for device in devices
                .iter_mut()
                .filter(|device| device.address == address)
            {
                device.stale = true;
            }
        }
        Ok(())
    }

    fn blank(&self, address: Address) -> Device {
        let own = self.is_me(&address.jid, address.device);
        Device {
            address,
            listed: Vec::new(),
            sessions: Vec::new(),
            fingerprint: own.then(|| self.me.identity.public().fingerprint()),
            trust: if own {
                Trust::Verified
            } else {
                Trust::Undecided
            },
            label: if own {
                self.account.label.clone()
            } else {
                None
            },
            failure: None,
            heard_at: None,
            stale: false,
            own,
        }
    }

    fn describe(&self, device: &mut Device, row: &DeviceRow) -> Result<(), Error> {
        if device.failure.is_none() {
            device.failure.clone_from(&row.failure);
        }
        device.heard_at = device.heard_at.max(row.heard_at);
        if let (Some(key), false) = (row.identity, device.own) {
            device.fingerprint = Some(key.fingerprint());
            device.trust = self.trust_in(&device.address.jid, &key)?;
            if let Some(label) = signed_label(row, &key) {
                device.label = Some(label);
            }
        }
        Ok(())
    }
}

fn is_same(device: &Device, row: &DeviceRow) -> bool {
    let shown = row.identity.map(|key| key.fingerprint());
    let agree = match (device.fingerprint, shown) {
        (Some(known), Some(shown)) => known == shown,
        _ => true,
    };
    device.address == row.address && (agree || device.own)
}

/// A label is hidden until the key is known and its signature holds (XEP-0384 §5.3.1).
fn signed_label(row: &DeviceRow, key: &IdentityKey) -> Option<String> {
    let (text, signature) = row.label.as_ref()?;
    // a text that does not fit could be a signed prekey, whose signature would pass here
    let signed = SignedLabel::fits(text) && key.verify(text.as_bytes(), signature).is_ok();
    signed.then(|| text.clone())
}
