//! Device lists: fetched, pushed, kept (XEP-0384 §5.2, §5.3.1).

use std::collections::BTreeMap;
use std::time::Duration;

use omemo_ratchet::Version;

use super::Call;
use super::downgrade::ListChange;
use super::questions::Reply;
use super::repair::ORPHAN;
use super::trust::level;
use crate::protocol;
use crate::stanza::devices::DeviceList;
use crate::stanza::pubsub::{self, EventKind, Items};
use crate::store::{Change, DeviceListRow, DeviceRow, Transaction};
use crate::stream::Ask;
use crate::{Address, BareJid, DeviceId, Element, Error, Event};

/// A list that the server pushes to us is fetched again after this time all the same.
const PUSHED_AGE: Duration = Duration::from_secs(86_400);
/// Without a presence subscription nobody pushes a list, and a new device would not be served.
const FETCHED_AGE: Duration = Duration::from_secs(600);
/// Lists of strangers whose pushes are remembered in one stream.
const MOST_PUSHED: usize = 500;
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

    /// Whether the list is as good as it gets without asking: pushed in this stream, where the next
    /// change will be pushed too, or fetched a moment ago.
    pub(super) fn is_list_fresh(&self, version: Version, jid: &BareJid) -> Result<bool, Error> {
        let place = (version, jid.clone());
        if !self.stream.heard.contains(&place) {
            return Ok(false);
        }
        let age = if self.stream.pushed.contains(&place) {
            PUSHED_AGE
        } else {
            FETCHED_AGE
        };
        Ok(self
            .tx
            .device_list(version, jid)?
            .is_some_and(|row| self.now.since(row.fetched_at) < age))
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
                Ok(list) => {
                    self.keep_list(version, jid, &list)?;
                    return self.subscribe_to_list(version, jid);
                }
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
        let place = (version, jid.clone());
        if !self.may_push(version, jid)? {
            // but its server does push
            if self.is_online() && self.stream.pushed.len() < MOST_PUSHED {
                self.stream.pushed.insert(place);
            }
            return Ok(());
        }
        let list = match event {
            EventKind::Items { published, .. } if shows_a_list(published) => {
                chosen_list(version, published)
            }
            // something was taken back, and what is left the event does not say
            EventKind::Items { .. } => {
                self.stream.heard.remove(&place);
                if *jid == self.me.jid
                    && let Some(publishing) = self.stream.publishing.get_mut(&version)
                {
                    publishing.look_again();
                }
                return Ok(());
            }
            EventKind::Purged | EventKind::Deleted => Ok(DeviceList::default()),
            EventKind::Other => return Ok(()),
        };
        if self.is_online() {
            self.stream.pushed.insert(place);
        }
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

    /// Lists of strangers are fetched when a message needs them; pushed unasked they would only fill
    /// the store.
    fn may_push(&self, version: Version, jid: &BareJid) -> Result<bool, Error> {
        Ok(self.is_familiar(jid)? || self.tx.device_list(version, jid)?.is_some())
    }

    /// Writes a list: what is on it is listed, what is not is no longer.
    pub(super) fn keep_list(
        &mut self,
        version: Version,
        jid: &BareJid,
        list: &DeviceList,
    ) -> Result<(), Error> {
        let mut known: BTreeMap<DeviceId, DeviceRow> = self
            .tx
            .devices(version, jid)?
            .into_iter()
            .map(|row| (row.address.device, row))
            .collect();
        let before = self.tx.device_list(version, jid)?;
        let mut changed = false;
        let mut change = ListChange {
            known_before: before.is_some(),
            ..ListChange::default()
        };
        for entry in &list.devices {
            let label = entry
                .label
                .as_ref()
                .map(|label| (label.text.clone(), label.signature.clone()));
            let old = known.remove(&entry.id);
            if old.as_ref().is_none_or(|row| !row.listed) {
                changed = true;
                change.appeared.push(entry.id);
            }
            if old
                .as_ref()
                .is_some_and(|row| row.listed && row.label == label && row.listed_at.is_some())
            {
                continue;
            }
            let row = old.unwrap_or_else(|| unknown_device(version, jid, entry.id));
            if change.known_before && row.listed_at.is_none() {
                self.newly_listed(version, &row.address)?;
            }
            // no orphan any more; a key that was only looked at is met like any other
            let orphan = row.failure.as_deref() == Some(ORPHAN);
            let met = match &row.identity {
                Some(key) if orphan => level(&self.tx.trust(jid)?, key).is_some(),
                _ => true,
            };
            let row = DeviceRow {
                identity: row.identity.filter(|_| met),
                retry_after: row.retry_after.filter(|_| !orphan),
                failure: row.failure.filter(|_| !orphan),
                ..row
            };
            self.write(Change::PutDevice(DeviceRow {
                listed: true,
                label,
                listed_at: row.listed_at.or(Some(self.now)),
                ..row
            }))?;
        }
        for row in known.into_values() {
            changed |= row.listed;
            if row.identity.is_none() {
                self.write(Change::DeleteDevice(version, row.address))?;
            } else if row.listed {
                change.gone.push(row.clone());
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
            subscribed_at: before.and_then(|row| row.subscribed_at),
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
        self.note_changes_of_protocol(version, jid, &change)
    }

    /// A device is on a list of an account whose list was known before. It is new unless another
    /// protocol has shown it.
    fn newly_listed(&mut self, version: Version, address: &Address) -> Result<(), Error> {
        if self.is_me(&address.jid, address.device) {
            return Ok(());
        }
        for protocol in self.protocols() {
            let row = self.tx.device(protocol.version, address)?;
            if row.is_some_and(|row| row.listed_at.is_some()) {
                return Ok(());
            }
        }
        let device = address.clone();
        self.event(Event::NewDevice { device, version });
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
        // a question tells a stranger's server that we have read the message
        if listed || !self.is_online() || !self.is_familiar(&address.jid)? {
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
        listed_at: None,
        heard_at: None,
        healed_at: None,
    }
}

/// The list in the answer to a fetch; an empty node is an empty list.
pub(super) fn read_list(version: Version, answer: &Element) -> Result<DeviceList, String> {
    let items = pubsub::items(answer).map_err(|error| error.to_string())?;
    chosen_list(version, &items)
}

fn shows_a_list(items: &Items<'_>) -> bool {
    items
        .choose("current")
        .is_some_and(|item| item.payload.is_some())
}

fn chosen_list(version: Version, items: &Items<'_>) -> Result<DeviceList, String> {
    match items.choose("current") {
        None => Ok(DeviceList::default()),
        Some(item) => {
            let payload = item.payload.ok_or("the item holds no list")?;
            let shape = protocol::of(version).shape;
            shape
                .parse_devices(payload)
                .map_err(|error| error.to_string())
        }
    }
}
