//! Sends that wait: what a message lacks is asked for, and with the last answer it is sealed.

use std::collections::{BTreeMap, BTreeSet};

use omemo_ratchet::Version;

use super::Call;
use super::plan::{Fate, Patience};
use super::questions::ANSWER_TIME;
use crate::message::Readers;
use crate::stanza::message::{self, MessageKind};
use crate::stanza::{hints, sce, text};
use crate::store::Transaction;
use crate::stream::{Ask, Inspection, Waiting};
use crate::{BareJid, CallerError, Chat, Element, Error, Event, Outgoing, Served};

/// With more bundles than these on their way a waiting send is not looked at again.
const LOOK_AGAIN: usize = 16;
/// Device lists asked for at the same time: a room of hundreds must not flood our server. Some never
/// answer, so that there is room for many of those.
const MOST_OPEN_LISTS: usize = 256;
/// With more lists than these on their way a message to a room is not looked at again.
const LOOK_AGAIN_AT_LISTS: usize = 128;
const OTHER_CHAT: CallerError = CallerError::Message("its id belongs to a message in another chat");
/// The longest id of a message, in bytes: it becomes an XML attribute of every stanza.
const MAX_ID_BYTES: usize = 1_024;

impl<T: Transaction> Call<'_, T> {
    /// Takes a message; whatever is due decides when it is sealed.
    pub(crate) fn send(&mut self, outgoing: Outgoing) -> Result<(), Error> {
        if outgoing.content.is_empty() {
            return Err(CallerError::Message("it has no content").into());
        }
        self.wait(outgoing)
    }

    /// Hands a fresh key over: what has no content goes without a payload (XEP-0384 0.3.0 §4.6).
    pub(crate) fn transport_key(&mut self, id: String, chat: Chat) -> Result<(), Error> {
        self.wait(Outgoing::new(id, chat, Vec::new()))
    }

    fn wait(&mut self, outgoing: Outgoing) -> Result<(), Error> {
        self.check_not_leaving()?;
        check(&outgoing, self.settings.max_stanza_bytes)?;
        let known = self
            .stream
            .waiting
            .iter()
            .find(|waiting| waiting.outgoing.id == outgoing.id);
        match known {
            Some(waiting) if waiting.outgoing.chat == outgoing.chat => return Ok(()),
            Some(_) => return Err(OTHER_CHAT.into()),
            None => {}
        }
        if self.sealed_before(&outgoing)? {
            return Ok(());
        }
        if self.is_restored() {
            self.refuse_restored(outgoing.id, outgoing.chat);
        } else {
            self.stream.waiting.push(Waiting {
                outgoing,
                deadline: self.now.after(ANSWER_TIME),
                failed_lists: BTreeMap::new(),
            });
        }
        Ok(())
    }

    /// Whether a message of this id was sealed already, by any handle: then that is all there is to
    /// say.
    pub(super) fn sealed_before(&mut self, outgoing: &Outgoing) -> Result<bool, Error> {
        let rows = self.tx.outbox_message(&outgoing.id)?;
        if rows.iter().any(|row| row.chat != outgoing.chat) {
            return Err(OTHER_CHAT.into());
        }
        if rows.is_empty() {
            return Ok(false);
        }
        let served = rows
            .into_iter()
            .flat_map(|row| {
                let version = row.version;
                row.served
                    .into_iter()
                    .map(move |device| Served { device, version })
            })
            .collect();
        self.event(Event::Sealed {
            id: outgoing.id.clone(),
            chat: outgoing.chat.clone(),
            served,
            unserved: Vec::new(),
        });
        Ok(true)
    }

    /// A stream is up: sends that waited for it have their time to learn what they lack.
    pub(crate) fn restart_deadlines(&mut self) {
        let deadline = self.now.after(ANSWER_TIME);
        self.stream.telling.clear();
        for waiting in &mut self.stream.waiting {
            waiting.deadline = deadline;
            waiting.failed_lists.clear();
        }
        for inspection in &mut self.stream.inspecting {
            inspection.deadline = deadline;
            inspection.asked.clear();
        }
    }

    /// The app's messages that wait: nothing waits any more. What others are owed (XEP-0450) stands in
    /// the store.
    pub(super) fn take_waiting(&mut self) -> Vec<Waiting> {
        let mut waiting = std::mem::take(&mut self.stream.waiting);
        waiting.retain(|waiting| waiting.outgoing.readers == Readers::Allowed);
        waiting
    }

    /// Asks for what waiting messages lack and seals those that lack nothing. Messages to one
    /// chat leave in order.
    pub(super) fn go_on_sending(&mut self) -> Result<(), Error> {
        let mut blocked = BTreeSet::new();
        let mut kept = Vec::new();
        // out of the stream while we look at each, but seen by the steps that ask who waits
        let waiting = self.stream.waiting.clone();
        for send in waiting {
            let chat = send.outgoing.chat.clone();
            let expired = send.deadline <= self.now;
            if send.outgoing.readers != Readers::Allowed {
                // the archive may hold a later decision; what is owed stands in the store
                if !self.is_settled() {
                    continue;
                }
                if self.lacks_anything(&send)? && !expired {
                    kept.push(send);
                } else {
                    self.tell(&send)?;
                }
                continue;
            }
            if blocked.contains(&chat) || (self.lacks_anything(&send)? && !expired) {
                blocked.insert(chat);
                kept.push(send);
                continue;
            }
            if !self.sealed_before(&send.outgoing)? {
                self.seal(&send)?;
            }
        }
        self.stream.waiting = kept;
        Ok(())
    }

    /// Whether a message has to wait; asks for what it lacks.
    fn lacks_anything(&mut self, send: &Waiting) -> Result<bool, Error> {
        if self.is_unwanted(&send.outgoing)? {
            return Ok(false);
        }
        if self.versions_pending() {
            return Ok(true);
        }
        let chat = &send.outgoing.chat;
        if let Chat::Room(room) = chat
            && (self.lacks_room(room)? || self.stream.open_lists() > LOOK_AGAIN_AT_LISTS)
        {
            return Ok(true);
        }
        let Ok(audience) = self.audience(chat) else {
            // there is nothing to wait for: it is refused
            return Ok(false);
        };
        let own = self.me.jid.clone();
        if self.lacks_lists(audience.iter().chain([&own]), send)? {
            return Ok(true);
        }
        // each look at hundreds of devices costs; with many bundles on their way it can wait
        if self.stream.open_bundles() > LOOK_AGAIN {
            return Ok(true);
        }
        let order = self.ready_versions();
        let mut lacks = false;
        let mut used = BTreeSet::new();
        for jid in &audience {
            used.extend(self.lacks_bundles(jid, &order, send, &mut lacks)?);
        }
        let own_order = first_those(&used, &order);
        self.lacks_bundles(&own, &own_order, send, &mut lacks)?;
        Ok(lacks)
    }

    /// Asks for the device lists that a message to these accounts lacks.
    fn lacks_lists<'a>(
        &mut self,
        accounts: impl Iterator<Item = &'a BareJid>,
        send: &Waiting,
    ) -> Result<bool, Error> {
        let mut lacks = false;
        let versions = self.ready_versions();
        for jid in accounts {
            for &version in &versions {
                let failed = send.failed_lists.contains_key(&(version, jid.clone()));
                if failed || self.is_list_fresh(version, jid)? {
                    continue;
                }
                lacks = true;
                if self.stream.open_lists() >= MOST_OPEN_LISTS {
                    return Ok(true);
                }
                self.fetch_list(version, jid)?;
            }
        }
        Ok(lacks)
    }

    /// Asks for the bundles that a message to this account lacks; gives the protocols in which
    /// its devices are or will be served.
    fn lacks_bundles(
        &mut self,
        jid: &BareJid,
        order: &[Version],
        send: &Waiting,
        lacks: &mut bool,
    ) -> Result<BTreeSet<Version>, Error> {
        let mut used = BTreeSet::new();
        let mut stale = Vec::new();
        let mut recipient = self.recipient(jid)?;
        for target in recipient.targets() {
            let address = recipient.address(&target);
            let readers = &send.outgoing.readers;
            if !readers.include(&address, recipient.trust_in(&target)) {
                continue;
            }
            let patience = Patience::Until(self.now);
            match recipient.fate(&target, order, &send.outgoing.content, patience) {
                Fate::Served(session) => {
                    used.insert(session.version);
                }
                Fate::Stale { session, renews } => {
                    stale.push((session.version, recipient.address(&target), renews));
                }
                Fate::LacksBundle(version) => {
                    used.insert(version);
                    *lacks = true;
                    self.fetch_bundle(version, &address)?;
                }
                Fate::Unserved(_) => {}
            }
        }
        // nobody else is there; our own drawer can wait
        let last_resort = *jid != self.me.jid || send.outgoing.chat.jid() == jid;
        if used.is_empty() && last_resort {
            for (version, address, renews) in stale {
                used.insert(version);
                if renews {
                    *lacks = true;
                    self.fetch_bundle(version, &address)?;
                }
            }
        }
        Ok(used)
    }

    /// The protocols in which messages may leave, best first.
    pub(super) fn ready_versions(&self) -> Vec<Version> {
        self.settings
            .versions
            .iter()
            .copied()
            .filter(|version| self.stream.is_ready(*version))
            .collect()
    }

    fn versions_pending(&self) -> bool {
        self.settings
            .versions
            .iter()
            .any(|version| self.stream.is_pending(*version))
    }

    /// The app wants to know all keys of an account.
    pub(crate) fn inspect(&mut self, jid: &BareJid) -> Result<(), Error> {
        self.check_not_leaving()?;
        if !self.is_online() {
            return Err(CallerError::Offline.into());
        }
        self.stream.inspecting.push(Inspection {
            jid: jid.clone(),
            deadline: self.now.after(ANSWER_TIME),
            asked: Vec::new(),
        });
        Ok(())
    }

    /// Asks what inspections lack, each thing once, and reports those that are through.
    pub(super) fn go_on_inspecting(&mut self) -> Result<(), Error> {
        let mut kept = Vec::new();
        for mut inspection in std::mem::take(&mut self.stream.inspecting) {
            let expired = inspection.deadline <= self.now;
            if self.inspection_lacks(&mut inspection)? && !expired {
                kept.push(inspection);
            } else {
                self.event(Event::Inspected {
                    jid: inspection.jid,
                });
            }
        }
        self.stream.inspecting = kept;
        Ok(())
    }

    fn inspection_lacks(&mut self, inspection: &mut Inspection) -> Result<bool, Error> {
        let jid = inspection.jid.clone();
        for protocol in self.protocols() {
            let ask = Ask::List(protocol.version, jid.clone());
            if !inspection.asked.contains(&ask) {
                self.fetch_list(protocol.version, &jid)?;
                inspection.asked.push(ask);
            }
        }
        if inspection
            .asked
            .iter()
            .any(|ask| self.stream.is_asking(ask))
        {
            return Ok(true);
        }
        for protocol in self.protocols() {
            for row in self.tx.devices(protocol.version, &jid)? {
                let ask = Ask::Bundle(protocol.version, row.address.clone());
                let known = row.identity.is_some() || self.is_me(&jid, row.address.device);
                if row.listed && !known && !inspection.asked.contains(&ask) {
                    self.fetch_bundle(protocol.version, &row.address)?;
                    if self.stream.is_asking(&ask) {
                        inspection.asked.push(ask);
                    }
                }
            }
        }
        Ok(inspection
            .asked
            .iter()
            .any(|ask| self.stream.is_asking(ask)))
    }
}

/// The protocols of `order`, those in use first.
pub(super) fn first_those(used: &BTreeSet<Version>, order: &[Version]) -> Vec<Version> {
    let (mut first, then): (Vec<_>, Vec<_>) =
        order.iter().partition(|version| used.contains(version));
    first.extend(then);
    first
}

fn check(outgoing: &Outgoing, max_stanza_bytes: usize) -> Result<(), CallerError> {
    if outgoing.id.is_empty() || outgoing.id.len() > MAX_ID_BYTES {
        return Err(CallerError::Message("its id has to have 1 to 1024 bytes"));
    }
    if !outgoing.content.iter().all(sce::is_allowed) {
        return Err(CallerError::Message(
            "its content holds what is for servers, or an element without a namespace of its own",
        ));
    }
    if !outgoing.hints.iter().all(hints::may_be_outside) {
        return Err(CallerError::Message(
            "what its hints hold is not for servers, and would be sent in the clear",
        ));
    }
    // nested as deeply as it will be inside the envelope
    let content = Element::builder("content", sce::NAMESPACE)
        .append_all(outgoing.content.iter().chain(&outgoing.hints).cloned())
        .build();
    let trial = message::build(
        MessageKind::Chat,
        &outgoing.id,
        outgoing.chat.jid(),
        [content],
    );
    let bytes = text::to_string(&trial)
        .map_err(|_| CallerError::Message("its id or content holds what XML cannot carry"))?
        .len();
    // base64 makes it a third larger
    if bytes > max_stanza_bytes / 2 {
        return Err(CallerError::Message("it is too large for one stanza"));
    }
    Ok(())
}
