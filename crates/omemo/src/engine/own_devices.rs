//! Our account's devices on the server: this one's label, and others that are taken off the list
//! with their bundles (XEP-0384 §5.3.1, §6).
//!
//! The list has one publisher, the publish plan: it leaves out who is being removed. Here is what
//! follows once it is published.

use std::time::Duration;

use omemo_ratchet::Version;

use super::Call;
use super::questions::Reply;
use crate::protocol::{self, Protocol};
use crate::stanza::devices::SignedLabel;
use crate::stanza::pubsub;
use crate::store::Transaction;
use crate::stream::{Ask, Removing, Stage};
use crate::{Address, CallerError, DeviceId, Element, Error, Event};

/// How long a removal may take in one stream: some questions, and the pauses of the publish plan.
const REMOVAL_TIME: Duration = Duration::from_secs(120);
/// How often the list is published against a device that announces itself again.
const MOST_ATTEMPTS: u32 = 3;

impl<T: Transaction> Call<'_, T> {
    /// Another label, which is announced wherever there are labels.
    pub(crate) fn rename(&mut self, label: Option<&str>) -> Result<(), Error> {
        self.check_not_leaving()?;
        if label.is_some_and(|label| !SignedLabel::fits(label)) {
            return Err(CallerError::Label.into());
        }
        if self.account.label.as_deref() == label {
            return Ok(());
        }
        self.account.label = label.map(str::to_owned);
        self.written = true;
        for protocol in self.protocols().filter(|protocol| protocol.has_labels) {
            if let Some(publishing) = self.stream.publishing.get_mut(&protocol.version) {
                publishing.amend();
            }
        }
        Ok(())
    }

    /// Begins to take a device off.
    pub(crate) fn remove_device(&mut self, device: DeviceId) -> Result<(), Error> {
        self.check_not_leaving()?;
        if !self.is_online() {
            return Err(CallerError::Offline.into());
        }
        if device == self.account.device {
            return Err(CallerError::OwnDevice.into());
        }
        let address = Address {
            jid: self.me.jid.clone(),
            device,
        };
        let mut known = false;
        for protocol in self.protocols() {
            known |= self.tx.device(protocol.version, &address)?.is_some();
        }
        if !known {
            return Err(CallerError::UnknownDevice(address).into());
        }
        let stages = self
            .protocols()
            .map(|protocol| (protocol.version, Stage::List { attempts: 0 }))
            .collect();
        self.stream.removing.insert(
            device,
            Removing {
                deadline: self.now.after(REMOVAL_TIME),
                stages,
                incomplete: Vec::new(),
            },
        );
        for publishing in self.stream.publishing.values_mut() {
            publishing.amend();
        }
        Ok(())
    }

    /// A new stream: removals begin again, and have their time.
    pub(crate) fn restart_removals(&mut self) {
        let deadline = self.now.after(REMOVAL_TIME);
        for removing in self.stream.removing.values_mut() {
            removing.deadline = deadline;
            removing.incomplete.clear();
            for stage in removing.stages.values_mut() {
                *stage = Stage::List { attempts: 0 };
            }
        }
    }

    /// Takes every removal as far as it goes now.
    pub(super) fn go_on_removing(&mut self) -> Result<(), Error> {
        let devices: Vec<DeviceId> = self.stream.removing.keys().copied().collect();
        for device in devices {
            for protocol in self.protocols() {
                self.go_on_with(protocol, device)?;
            }
            let done = |removing: &mut Removing| {
                let mut stages = removing.stages.values();
                stages.all(|stage| *stage == Stage::Done)
            };
            if self.stream.removing.get_mut(&device).is_some_and(done)
                && let Some(removing) = self.stream.removing.remove(&device)
            {
                self.event(Event::DeviceRemoved {
                    device,
                    incomplete: removing.incomplete,
                });
            }
        }
        Ok(())
    }

    fn go_on_with(&mut self, protocol: &'static Protocol, device: DeviceId) -> Result<(), Error> {
        let version = protocol.version;
        let Some(removing) = self.stream.removing.get(&device) else {
            return Ok(());
        };
        let late = removing.deadline <= self.now;
        match removing.stages.get(&version) {
            Some(&Stage::List { attempts }) => self.look_at_list(protocol, device, attempts, late),
            Some(Stage::Bundle) if late => {
                self.gave_up(protocol, device, "its bundle could not be removed in time");
                self.enter(device, version, Stage::Done);
                Ok(())
            }
            Some(Stage::Bundle) => {
                let me = self.me.jid.clone();
                self.ask(&me, Ask::RemoveBundle(version, device), |id, _| {
                    bundle_removal(id, version, device)
                })
            }
            Some(Stage::Done) | None => Ok(()),
        }
    }

    /// Whether the plan has published a list without the device.
    fn look_at_list(
        &mut self,
        protocol: &'static Protocol,
        device: DeviceId,
        attempts: u32,
        late: bool,
    ) -> Result<(), Error> {
        let version = protocol.version;
        let Some(publishing) = self.stream.publishing.get_mut(&version) else {
            return Ok(());
        };
        let listed = publishing.list.contains(device);
        if publishing.is_settled() && !listed {
            let list = publishing.list.clone();
            self.keep_list(version, &self.me.jid.clone(), &list)?;
            self.enter(device, version, Stage::Bundle);
            return self.go_on_with(protocol, device);
        }
        if publishing.is_settled() && attempts < MOST_ATTEMPTS {
            publishing.amend();
            let attempts = attempts + 1;
            self.enter(device, version, Stage::List { attempts });
            return Ok(());
        }
        if !publishing.is_off() && !publishing.is_settled() && !late {
            return Ok(());
        }
        let reason = match publishing.refused() {
            _ if publishing.is_settled() => {
                "it announces itself again: it is still in use".to_owned()
            }
            Some(refused) => format!("the list could not be published: {refused}"),
            None => "the list could not be published in time".to_owned(),
        };
        self.gave_up(protocol, device, &reason);
        // one that nobody can begin to write to any more is better than nothing
        let next = if late { Stage::Done } else { Stage::Bundle };
        self.enter(device, version, next);
        self.go_on_with(protocol, device)
    }

    /// The answer to the question to remove a bundle; one that is not there is removed.
    pub(super) fn bundle_removed(&mut self, version: Version, device: DeviceId, reply: &Reply<'_>) {
        match reply {
            Reply::Given(_) => {}
            Reply::Refused(error) if error.is_item_not_found() => {}
            Reply::Refused(error) => {
                let reason = format!("its bundle could not be removed: {error}");
                self.gave_up(protocol::of(version), device, &reason);
            }
            Reply::Nothing => {
                let reason = "its bundle could not be removed: no answer in time";
                self.gave_up(protocol::of(version), device, reason);
            }
        }
        self.enter(device, version, Stage::Done);
    }

    fn enter(&mut self, device: DeviceId, version: Version, stage: Stage) {
        if let Some(removing) = self.stream.removing.get_mut(&device) {
            removing.stages.insert(version, stage);
        }
    }

    fn gave_up(&mut self, protocol: &Protocol, device: DeviceId, reason: &str) {
        if let Some(removing) = self.stream.removing.get_mut(&device) {
            let text = format!("{}: {reason}", protocol.short_name);
            removing.incomplete.push(text);
        }
    }
}

/// Where a node holds the bundles of all devices, one item goes, else the whole node.
pub(super) fn bundle_removal(id: &str, version: Version, device: DeviceId) -> Element {
    let protocol = protocol::of(version);
    let place = protocol.shape.bundle_place(device);
    if protocol.bundles_share_a_node {
        pubsub::retract(id, &place.node, &place.item)
    } else {
        pubsub::delete(id, &place.node)
    }
}
