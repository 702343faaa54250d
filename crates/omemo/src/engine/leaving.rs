//! The end of a device: off the lists, off the server, and out of the store (XEP-0384 §6).
//!
//! ```text
//! per protocol   the list  ->  the list without us (or no list)  ->  our bundle (or all)
//! at the end     every row of the account is deleted in one transaction
//! ```
//!
//! Each question is asked once: what the server refuses is told, and keeps no secret alive.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use omemo_ratchet::Version;

use super::Call;
use super::lists::read_list;
use super::own_devices::bundle_removal;
use super::publish::{OPEN, PERSIST};
use super::questions::Reply;
use crate::account::Removal;
use crate::protocol::{self, Protocol};
use crate::stanza::devices::DeviceList;
use crate::stanza::pubsub;
use crate::store::{Standing, Transaction};
use crate::stream::{Ask, Leaving, Parting};
use crate::{CallerError, DeviceId, Error, Event, UnsentReason, Unserved, UnservedReason};

/// How long servers have from the first question on, whatever becomes of the stream.
const LEAVING_TIME: Duration = Duration::from_secs(120);
/// Questions that are open at the same time.
const MOST_OPEN: usize = 16;

impl<T: Transaction> Call<'_, T> {
    /// Whether this device is on its way out: then nothing is sent and nothing decrypted.
    pub(crate) const fn is_leaving(&self) -> bool {
        matches!(
            self.account.standing,
            Standing::RemovingDevice | Standing::RemovingAccount
        )
    }

    pub(crate) fn check_not_leaving(&self) -> Result<(), Error> {
        if self.is_leaving() {
            return Err(CallerError::Removed.into());
        }
        Ok(())
    }

    /// From here on there is no way back.
    pub(crate) fn deactivate(&mut self, removal: Removal) -> Result<(), Error> {
        let standing = match removal {
            Removal::Device => Standing::RemovingDevice,
            Removal::Account => Standing::RemovingAccount,
        };
        // whoever has asked for everything is not content with less
        if self.account.standing.max(standing) == self.account.standing {
            return Ok(());
        }
        self.give_up_everything()?;
        self.account.standing = standing;
        self.written = true;
        self.start_leaving();
        Ok(())
    }

    /// What has not left yet never will.
    fn give_up_everything(&mut self) -> Result<(), Error> {
        for waiting in self.take_waiting() {
            let unserved = Unserved {
                jid: waiting.outgoing.chat.jid().clone(),
                device: None,
                reason: UnservedReason::NotPublished,
            };
            self.event(Event::Refused {
                id: waiting.outgoing.id,
                chat: waiting.outgoing.chat,
                unserved: vec![unserved],
            });
        }
        for row in self.tx.outbox()? {
            if row.sent_at.is_none() {
                self.give_up(row, UnsentReason::Deactivated)?;
            }
        }
        Ok(())
    }

    /// A stream is up, or the device has just been given up: begins at the beginning. What was
    /// tried in an earlier stream is not tried for longer than it had left.
    pub(crate) fn start_leaving(&mut self) {
        self.stream.questions.clear();
        self.stream.publishing.clear();
        self.stream.inspecting.clear();
        self.stream.removing.clear();
        let begun = self.stream.leaving.take().map(|leaving| leaving.deadline);
        if !self.is_online() {
            return;
        }
        let todo = self
            .protocols()
            .map(|protocol| Parting::FetchList(protocol.version))
            .collect();
        self.stream.leaving = Some(Leaving {
            deadline: begun.unwrap_or_else(|| self.now.after(LEAVING_TIME)),
            todo,
            lists: BTreeMap::new(),
            incomplete: Vec::new(),
        });
    }

    /// Asks what is to be asked; with the last answer, or without it, the secrets go.
    pub(super) fn go_on_leaving(&mut self) -> Result<(), Error> {
        if self.stream.leaving.is_none() {
            self.start_leaving();
        }
        self.drop_overdue_questions()?;
        let Some(mut leaving) = self.stream.leaving.take() else {
            return Ok(());
        };
        if leaving.deadline <= self.now {
            let open = std::mem::take(&mut self.stream.questions);
            let open = open
                .into_values()
                .filter_map(|question| match question.ask {
                    Ask::Leave(parting) => Some(parting),
                    _ => None,
                });
            for parting in open.chain(leaving.todo) {
                leaving.incomplete.push(tell(&parting, "no answer in time"));
            }
            self.erase(leaving.incomplete);
            return Ok(());
        }
        let asks = self.is_online();
        while asks && self.stream.questions.len() < MOST_OPEN {
            let Some(parting) = leaving.todo.pop_front() else {
                break;
            };
            self.ask_parting(parting, &leaving.lists)?;
        }
        if self.stream.questions.is_empty() && leaving.todo.is_empty() {
            self.erase(leaving.incomplete);
        } else {
            self.stream.leaving = Some(leaving);
        }
        Ok(())
    }

    /// Every row of the account goes with this call's transaction.
    fn erase(&mut self, incomplete: Vec<String>) {
        self.erased = true;
        self.event(Event::Deactivated { incomplete });
    }

    fn ask_parting(
        &mut self,
        parting: Parting,
        lists: &BTreeMap<Version, DeviceList>,
    ) -> Result<(), Error> {
        let me = self.me.jid.clone();
        let ask = Ask::Leave(parting.clone());
        match parting {
            Parting::FetchList(version) => {
                let node = protocol::of(version).devices_node;
                self.ask(&me, ask, |id, to| pubsub::fetch_newest(id, to, node))
            }
            Parting::PublishList { version, optional } => {
                let protocol = protocol::of(version);
                let list = lists.get(&version).cloned().unwrap_or_default();
                let element = protocol.shape.build_devices(&list);
                let options: &[_] = if optional { &[] } else { &[OPEN, PERSIST] };
                self.ask(&me, ask, |id, to| {
                    pubsub::publish(id, to, protocol.devices_node, "current", element, options)
                })
            }
            Parting::DeleteNode(_, node) => self.ask(&me, ask, |id, _| pubsub::delete(id, &node)),
            Parting::Unsubscribe(version, jid) => {
                let node = protocol::of(version).devices_node;
                self.ask(&jid, ask, |id, to| pubsub::unsubscribe(id, to, node, &me))
            }
            Parting::RemoveBundle(version) => {
                let device = self.account.device;
                self.ask(&me, ask, |id, _| bundle_removal(id, version, device))
            }
        }
    }

    /// The answer to one of these questions, which may lead to the next.
    pub(super) fn parting_answered(
        &mut self,
        parting: Parting,
        reply: &Reply<'_>,
    ) -> Result<(), Error> {
        let Some(mut leaving) = self.stream.leaving.take() else {
            return Ok(());
        };
        match (&parting, reply) {
            (Parting::FetchList(version), reply) => {
                self.list_seen(*version, reply, &mut leaving)?;
            }
            (
                Parting::PublishList {
                    version,
                    optional: false,
                },
                Reply::Refused(error),
            ) if error.is_precondition_not_met() => {
                leaving.todo.push_front(Parting::PublishList {
                    version: *version,
                    optional: true,
                });
            }
            (Parting::PublishList { version, .. }, reply) => {
                note(&parting, reply, &mut leaving);
                leaving.todo.push_back(Parting::RemoveBundle(*version));
            }
            (Parting::DeleteNode(..) | Parting::RemoveBundle(_), reply) => {
                note(&parting, reply, &mut leaving);
            }
            // one that is refused was none
            (Parting::Unsubscribe(..), Reply::Nothing) => {
                note(&parting, reply, &mut leaving);
            }
            (Parting::Unsubscribe(..), Reply::Given(_) | Reply::Refused(_)) => {}
        }
        self.stream.leaving = Some(leaving);
        Ok(())
    }

    /// Our list, or why there is none: without it other devices' entries would be lost, so that only
    /// whoever wants them all gone goes on with it.
    fn list_seen(
        &self,
        version: Version,
        reply: &Reply<'_>,
        leaving: &mut Leaving,
    ) -> Result<(), Error> {
        let protocol = protocol::of(version);
        let list = match reply {
            Reply::Given(answer) => read_list(version, answer),
            Reply::Refused(error) if error.is_item_not_found() => Ok(DeviceList::default()),
            Reply::Refused(error) => Err(error.to_string()),
            Reply::Nothing => Err("no answer in time".to_owned()),
        };
        if self.account.standing == Standing::RemovingAccount {
            let ids = list.unwrap_or_default().devices;
            let ids = ids.into_iter().map(|device| device.id).collect();
            self.everything_goes(protocol, ids, leaving)?;
            return self.subscriptions_go(version, leaving);
        }
        match list {
            Ok(list) if list.contains(self.account.device) => {
                let list = list.without(self.account.device);
                // they are the account's: its other devices need them
                if list.devices.is_empty() {
                    self.subscriptions_go(version, leaving)?;
                }
                leaving.lists.insert(version, list);
                leaving.todo.push_back(Parting::PublishList {
                    version,
                    optional: false,
                });
            }
            Ok(_) => leaving.todo.push_back(Parting::RemoveBundle(version)),
            Err(reason) => {
                leaving
                    .incomplete
                    .push(tell(&Parting::FetchList(version), &reason));
                leaving.todo.push_back(Parting::RemoveBundle(version));
            }
        }
        Ok(())
    }

    fn subscriptions_go(&self, version: Version, leaving: &mut Leaving) -> Result<(), Error> {
        let lists = self.tx.subscribed_lists(version)?;
        let lists = lists
            .into_iter()
            .map(|row| Parting::Unsubscribe(version, row.jid));
        leaving.todo.extend(lists);
        Ok(())
    }

    /// The list and the bundles of all devices that are listed or known.
    fn everything_goes(
        &self,
        protocol: &Protocol,
        mut ids: BTreeSet<DeviceId>,
        leaving: &mut Leaving,
    ) -> Result<(), Error> {
        let version = protocol.version;
        ids.insert(self.account.device);
        for row in self.tx.devices(version, &self.me.jid)? {
            ids.insert(row.address.device);
        }
        let list = protocol.devices_node.to_owned();
        leaving.todo.push_back(Parting::DeleteNode(version, list));
        let nodes: BTreeSet<String> = ids
            .into_iter()
            .map(|id| protocol.shape.bundle_place(id).node)
            .collect();
        let nodes = nodes
            .into_iter()
            .map(|node| Parting::DeleteNode(version, node));
        leaving.todo.extend(nodes);
        Ok(())
    }
}

/// What is not there is removed; anything else that is no answer is told.
fn note(parting: &Parting, reply: &Reply<'_>, leaving: &mut Leaving) {
    match reply {
        Reply::Given(_) => {}
        Reply::Refused(error) if error.is_item_not_found() => {}
        Reply::Refused(error) => leaving.incomplete.push(tell(parting, &error.to_string())),
        Reply::Nothing => leaving.incomplete.push(tell(parting, "no answer in time")),
    }
}

fn tell(parting: &Parting, reason: &str) -> String {
    let name = |version: Version| protocol::of(version).short_name;
    match parting {
        Parting::FetchList(version) => {
            format!("{}: the list could not be read: {reason}", name(*version))
        }
        Parting::PublishList { version, .. } => {
            format!(
                "{}: we could not be taken off the list: {reason}",
                name(*version)
            )
        }
        Parting::DeleteNode(version, node) => {
            format!(
                "{}: the node {node} could not be deleted: {reason}",
                name(*version)
            )
        }
        Parting::Unsubscribe(version, jid) => {
            format!(
                "{}: the subscription to {jid} could not be ended: {reason}",
                name(*version)
            )
        }
        Parting::RemoveBundle(version) => {
            format!(
                "{}: our bundle could not be removed: {reason}",
                name(*version)
            )
        }
    }
}
