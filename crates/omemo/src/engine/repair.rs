//! What devices that are gone have left on the server (XEP-0384 §5.3.2).

use std::time::Duration;

use omemo_ratchet::{IdentityKey, Version};

use super::Call;
use super::lists::unknown_device;
use super::own_devices::bundle_removal;
use super::questions::Reply;
use crate::protocol;
use crate::stanza::pubsub;
use crate::store::{Change, DeviceRow, Transaction};
use crate::stream::Ask;
use crate::{Address, CallerError, DeviceId, Element, Error, Event};

/// What a device row says about a bundle that is on no list. Until its `retry_after` it may be that of
/// a device that is about to announce itself.
pub(super) const ORPHAN: &str = "it has a bundle and is on no list";
/// How long an orphan is left alone.
const ORPHAN_PAUSE: Duration = Duration::from_secs(86_400);

/// What was found.
#[derive(Default)]
struct Findings {
    removed: Vec<DeviceId>,
    orphans: Vec<DeviceId>,
    present: Vec<DeviceId>,
}

impl<T: Transaction> Call<'_, T> {
    /// Asks for all our bundles.
    pub(crate) fn repair(&mut self) -> Result<(), Error> {
        self.check_not_leaving()?;
        if !self.is_online() {
            return Err(CallerError::Offline.into());
        }
        let me = self.me.jid.clone();
        for protocol in self.protocols().filter(|one| one.bundles_share_a_node) {
            let node = protocol.shape.bundle_place(self.account.device).node;
            self.ask(&me, Ask::OwnBundles(protocol.version), |id, to| {
                pubsub::fetch_all(id, to, &node)
            })?;
        }
        Ok(())
    }

    /// The answer: what is on no list is noted, or removed when it was noted a day ago.
    pub(super) fn own_bundles_answered(
        &mut self,
        version: Version,
        reply: &Reply<'_>,
    ) -> Result<(), Error> {
        let mut findings = Findings::default();
        let mut without_bundle = Vec::new();
        let found = bundles(reply).and_then(|bundles| Ok((self.own_list(version)?, bundles)));
        let failure = match found {
            Ok((listed, bundles)) => {
                for (device, bundle) in bundles {
                    self.sort_bundle(version, device, bundle, &listed, &mut findings)?;
                }
                without_bundle = listed;
                without_bundle.retain(|id| !findings.present.contains(id));
                None
            }
            Err(failure) => Some(failure),
        };
        self.event(Event::Repaired {
            version,
            removed: findings.removed,
            orphans: findings.orphans,
            without_bundle,
            failure,
        });
        Ok(())
    }

    /// The devices on our list, if it is known for sure.
    fn own_list(&self, version: Version) -> Result<Vec<DeviceId>, String> {
        let publishing = self.stream.publishing.get(&version);
        let Some(publishing) = publishing.filter(|publishing| publishing.is_settled()) else {
            return Err("our own list is not known for sure now: try again later".into());
        };
        let listed = publishing.list.devices.iter().map(|device| device.id);
        Ok(listed.collect())
    }

    fn sort_bundle(
        &mut self,
        version: Version,
        device: DeviceId,
        bundle: Option<&Element>,
        listed: &[DeviceId],
        findings: &mut Findings,
    ) -> Result<(), Error> {
        let me = self.me.jid.clone();
        let address = Address {
            jid: me.clone(),
            device,
        };
        if listed.contains(&device) {
            findings.present.push(device);
            return Ok(());
        }
        if device == self.account.device || self.is_listed_anywhere(&address)? {
            return Ok(());
        }
        let row = self.tx.device(version, &address)?;
        let row = row.unwrap_or_else(|| unknown_device(version, &me, device));
        let noted = row.failure.as_deref() == Some(ORPHAN);
        if noted && row.retry_after.is_some_and(|at| at <= self.now) {
            findings.removed.push(device);
            return self.ask(&me, Ask::RemoveBundle(version, device), |id, _| {
                bundle_removal(id, version, device)
            });
        }
        findings.orphans.push(device);
        // without a key there would be nothing to keep the note with
        let key = row.identity.or_else(|| verified_key(version, bundle?));
        if noted || key.is_none() {
            return Ok(());
        }
        self.write(Change::PutDevice(DeviceRow {
            identity: key,
            failure: Some(ORPHAN.into()),
            retry_after: Some(self.now.after(ORPHAN_PAUSE)),
            ..row
        }))
    }

    fn is_listed_anywhere(&self, address: &Address) -> Result<bool, Error> {
        for protocol in self.protocols() {
            let row = self.tx.device(protocol.version, address)?;
            if row.is_some_and(|row| row.listed) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The items of the node whose id is one of a device.
fn bundles<'a>(reply: &Reply<'a>) -> Result<Vec<(DeviceId, Option<&'a Element>)>, String> {
    let answer = match reply {
        Reply::Given(answer) => answer,
        Reply::Refused(error) if error.is_item_not_found() => return Ok(Vec::new()),
        Reply::Refused(error) => return Err(error.to_string()),
        Reply::Nothing => return Err("no answer in time".into()),
    };
    let items = pubsub::items(answer).map_err(|error| error.to_string())?;
    let bundles = items.items.iter().filter_map(|item| {
        let id = item.id?.parse().ok()?;
        Some((DeviceId::new(id).ok()?, item.payload))
    });
    Ok(bundles.collect())
}

fn verified_key(version: Version, bundle: &Element) -> Option<IdentityKey> {
    let bundle = protocol::of(version).shape.parse_bundle(bundle).ok()?;
    Some(*bundle.verify(version).ok()?.identity())
}
