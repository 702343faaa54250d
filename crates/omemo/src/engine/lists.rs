//! Device lists: fetched, pushed, kept (XEP-0384 §5.2, §5.3.1).

use std::collections::BTreeSet;
use std::time::Duration;

use omemo_ratchet::Version;

use super::Call;
use super::questions::Reply;
use crate::protocol;
use crate::stanza::devices::DeviceList;
use crate::stanza::pubsub::{self, EventKind, Items};
use crate::store::{Change, DeviceListRow, DeviceRow, Transaction};
use crate::stream::Ask;
use crate::{Address, BareJid, DeviceId, Element, Error, Event};

/// In a long stream a list is fetched again after this time, in case nobody pushes it to us.
const LIST_AGE: Duration = Duration::from_secs(86_400);
/// A device that is not on its list makes us fetch the list again, but not more often than this.
const REFETCH_PAUSE: Duration = Duration::from_secs(60);

impl<T: Transaction> Call<'_, T> {
    /// Asks for a list.
    pub(super) fn fetch_list(&mut self, version: Version, jid: &BareJid) -> Result<(), Error> {
        let node = protocol::of(version).devices_node;
        self.ask(jid, Ask::List(version, jid.clone()), |id, to| {
            pubsub::fetch_newest(id, to, node)
        })
    }

    /// Whether the list is as good as it gets without asking.
    pub(super) fn is_list_fresh(&self, version: Version, jid: &BareJid) -> Result<bool, Error> {
        if !self.stream.heard.contains(&(version, jid.clone())) {
            return Ok(false);
        }
        Ok(self
            .tx
            .device_list(version, jid)?
            .is_some_and(|row| self.now.since(row.fetched_at) < LIST_AGE))
    }

    /// The answer to [`Call::fetch_list`].
    pub(super) fn list_answered(
        &mut self,
        version: Version,
        jid: &BareJid,
        reply: &Reply<'_>,
    ) -> Result<(), Error> {
        let failure = match reply {
            Reply::Nothing => "no answer in time".to_owned(),
            Reply::Refused(error) if error.is_item_not_found() => {
                return self.keep_list(version, jid, &DeviceList::default());
            }
            Reply::Refused(error) => error.to_string(),
            Reply::Given(answer) => match read_list(version, answer) {
                Ok(list) => return self.keep_list(version, jid, &list),
                Err(reason) => {
                    self.event(Event::ListRefused {
                        jid: jid.clone(),
                        version,
                        reason: reason.clone(),
                    });
                    reason
                }
            },
        };
        for waiting in &mut self.stream.waiting {
            waiting
                .failed_lists
                .insert((version, jid.clone()), failure.clone());
        }
        Ok(())
    }

    /// The node with a list has changed.
    pub(super) fn list_event(
        &mut self,
        version: Version,
        jid: &BareJid,
        event: &EventKind<'_>,
    ) -> Result<(), Error> {
        let list = match event {
            EventKind::Items { published, .. } if !published.items.is_empty() => {
                chosen_list(version, published)
            }
            EventKind::Items { .. } | EventKind::Purged | EventKind::Deleted => {
                Ok(DeviceList::default())
            }
            EventKind::Other => return Ok(()),
        };
        match list {
            Ok(list) => {
                if *jid == self.me.jid {
                    self.own_list_pushed(version, &list);
                }
                self.keep_list(version, jid, &list)
            }
            Err(reason) => {
                self.event(Event::ListRefused {
                    jid: jid.clone(),
                    version,
                    reason,
                });
                Ok(())
            }
        }
    }

    /// Writes a list: what is on it is listed, what is not is no longer.
    pub(super) fn keep_list(
        &mut self,
        version: Version,
        jid: &BareJid,
        list: &DeviceList,
    ) -> Result<(), Error> {
        let known = self.tx.devices(version, jid)?;
        let mut changed = false;
        let mut listed = BTreeSet::new();
        for entry in &list.devices {
            listed.insert(entry.id);
            let label = entry
                .label
                .as_ref()
                .map(|label| (label.text.clone(), label.signature.clone()));
            let old = known.iter().find(|row| row.address.device == entry.id);
            if old.is_some_and(|row| row.listed && row.label == label) {
                continue;
            }
            changed |= old.is_none_or(|row| !row.listed);
            let row = match old {
                Some(row) => DeviceRow {
                    listed: true,
                    label,
                    ..row.clone()
                },
                None => DeviceRow {
                    listed: true,
                    label,
                    ..unknown_device(version, jid, entry.id)
                },
            };
            self.write(Change::PutDevice(row))?;
        }
        for row in known {
            if row.listed && !listed.contains(&row.address.device) {
                changed = true;
                self.write(Change::PutDevice(DeviceRow {
                    listed: false,
                    ..row
                }))?;
            }
        }
        self.write(Change::PutDeviceList(DeviceListRow {
            version,
            jid: jid.clone(),
            fetched_at: self.now,
        }))?;
        if self.is_online() {
            self.stream.heard.insert((version, jid.clone()));
        }
        if changed {
            self.event(Event::DevicesChanged {
                jid: jid.clone(),
                version,
            });
        }
        Ok(())
    }

    /// A device wrote to us that is not on the list we have: the list may be old
    /// (XEP-0384 §6).
    pub(super) fn check_listed(
        &mut self,
        version: Version,
        address: &Address,
    ) -> Result<(), Error> {
        let listed = self
            .tx
            .device(version, address)?
            .is_some_and(|row| row.listed);
        if listed || !self.is_online() {
            return Ok(());
        }
        let recent = self
            .tx
            .device_list(version, &address.jid)?
            .is_some_and(|row| self.now.since(row.fetched_at) < REFETCH_PAUSE);
        let heard = self.stream.heard.contains(&(version, address.jid.clone()));
        if recent && heard {
            return Ok(());
        }
        self.fetch_list(version, &address.jid)
    }
}

/// A device of which only the id is known.
pub(super) fn unknown_device(version: Version, jid: &BareJid, device: DeviceId) -> DeviceRow {
    DeviceRow {
        version,
        address: Address {
            jid: jid.clone(),
            device,
        },
        listed: false,
        identity: None,
        label: None,
        retry_after: None,
        failure: None,
    }
}

/// The list in the answer to a fetch; an empty node is an empty list.
pub(super) fn read_list(version: Version, answer: &Element) -> Result<DeviceList, String> {
    let items = pubsub::items(answer).map_err(|error| error.to_string())?;
    chosen_list(version, &items)
}

fn chosen_list(version: Version, items: &Items<'_>) -> Result<DeviceList, String> {
    match items.choose("current").and_then(|item| item.payload) {
        None => Ok(DeviceList::default()),
        Some(payload) => protocol::of(version)
            .shape
            .parse_devices(payload)
            .map_err(|error| error.to_string()),
    }
}
