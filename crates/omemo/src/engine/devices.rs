//! What is known of an account's devices, for people.

use std::collections::BTreeMap;

use omemo_ratchet::IdentityKey;

use super::Call;
use crate::stanza::devices::SignedLabel;
use crate::store::{DeviceRow, Transaction};
use crate::{Address, BareJid, Device, DeviceId, Error, Trust};

impl<T: Transaction> Call<'_, T> {
    /// All devices that are on a list or that we have a key of, by id.
    pub(crate) fn devices(&self, jid: &BareJid) -> Result<Vec<Device>, Error> {
        let mut devices: BTreeMap<DeviceId, Device> = BTreeMap::new();
        for protocol in self.protocols() {
            let version = protocol.version;
            for row in self.tx.devices(version, jid)? {
                if !row.listed && row.identity.is_none() {
                    continue;
                }
                let address = row.address.clone();
                let sessions = self.tx.sessions(version, &address)?;
                let device = devices
                    .entry(address.device)
                    .or_insert_with(|| self.blank(address));
                if row.listed {
                    device.listed.push(version);
                }
                if !sessions.is_empty() {
                    device.sessions.push(version);
                }
                self.describe(device, &row)?;
            }
        }
        if *jid == self.me.jid {
            let own = Address {
                jid: jid.clone(),
                device: self.account.device,
            };
            devices.entry(own.device).or_insert_with(|| self.blank(own));
        }
        Ok(devices.into_values().collect())
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
                self.settings.label.clone()
            } else {
                None
            },
            failure: None,
            own,
        }
    }

    fn describe(&self, device: &mut Device, row: &DeviceRow) -> Result<(), Error> {
        if device.failure.is_none() {
            device.failure.clone_from(&row.failure);
        }
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

/// A label is hidden until the key is known and its signature holds (XEP-0384 §5.3.1).
fn signed_label(row: &DeviceRow, key: &IdentityKey) -> Option<String> {
    let (text, signature) = row.label.as_ref()?;
    // a text that does not fit could be a signed prekey, whose signature would pass here
    let signed = SignedLabel::fits(text) && key.verify(text.as_bytes(), signature).is_ok();
    signed.then(|| text.clone())
}
