//! A store that is older than what was sent from it (A19): how it is noticed, what it may still do,
//! and how it begins anew. Sealing from an old state would use message keys twice; opening with it
//! uses nothing twice.

use std::collections::BTreeSet;

use omemo_ratchet::{Inbound, PreKeyId, RatchetMessage, Role, Session, SignedPreKeyId, Version};

use super::Call;
use super::own_keys::{bad_id, fill_publication};
use crate::protocol::Protocol;
use crate::stanza::encrypted::{Encrypted, EncryptedKey};
use crate::stanza::message::MessageKind;
use crate::stanza::party::Party;
use crate::stanza::wrapper::Received;
use crate::store::{
    AccountRow, Change, DutyKind, DutyRow, PublicationRow, SeenRow, Standing, StoreError,
    Transaction,
};
use crate::{
    Address, CallerError, Chat, Error, Event, RestoreProof, UnsentReason, Unserved, UnservedReason,
};

/// Numbers that are looked ahead for one stanza, over all its keys. Anybody who can bring a message in our name chooses how
/// many keys it has and what their numbers are; each number costs an HMAC.
const MOST_AHEAD: u32 = 10_000;
/// Prekey ids go round in a ring of this many; see `successor` in own_keys.rs.
const RING: u32 = 0xff_fffe;
/// How far from the old ids the new ones begin at least. A device that got a million key exchanges
/// between the copy and its recovery would still meet none of its ids again.
const DISTANCE: u32 = 1 << 20;

/// Ids of messages and tickets that were given out in the forgotten time do not come again: an app may
/// remember them.
pub(crate) const fn leave_numbers_out(account: &mut AccountRow) {
    account.next_number += 1 << 40;
}

impl<T: Transaction> Call<'_, T> {
    /// Whether nothing may be encrypted.
    pub(crate) fn is_restored(&self) -> bool {
        self.account.standing == Standing::Restored
    }

    /// A handle that has seen a later generation notices that the store went back.
    pub(crate) fn look_back(&mut self, last_seen: u64) -> Result<(), Error> {
        if self.account.generation < last_seen {
            self.mark_restored(RestoreProof::WentBack)?;
        }
        if self.is_restored() {
            self.drop_unsent()?;
        }
        Ok(())
    }

    /// What is put off until the recovery wakes nobody.
    pub(super) fn rest(&mut self) {
        self.stream.publishing.clear();
        self.stream.telling.clear();
        self.stream.outbox_due = None;
        self.stream.duties_due = None;
        for (device, removing) in std::mem::take(&mut self.stream.removing) {
            let mut incomplete = removing.incomplete;
            incomplete.push("the store was put back to an older state: recover first".to_owned());
            self.event(Event::DeviceRemoved { device, incomplete });
        }
    }

    /// From here on nothing is encrypted.
    pub(crate) fn mark_restored(&mut self, proof: RestoreProof) -> Result<(), Error> {
        if !matches!(
            self.account.standing,
            Standing::Active | Standing::Recovering
        ) {
            return Ok(());
        }
        self.account.standing = Standing::Restored;
        leave_numbers_out(&mut self.account);
        self.written = true;
        // what this very call has sealed stays here, too
        self.output.stanzas.retain(|stanza| stanza.ticket.is_none());
        self.event(Event::Restored { proof });
        self.drop_unsent()
    }

    /// What the old state had sealed goes, and what waits to be sealed is refused.
    fn drop_unsent(&mut self) -> Result<(), Error> {
        for row in self.tx.outbox()? {
            if row.sent_at.is_none() {
                self.write(Change::DeleteOutbox(row.ticket))?;
                if row.tells_trust {
                    // once it has recovered
                    self.tell_again(&row)?;
                } else if let Some(id) = row.message_id {
                    self.event(Event::Unsent {
                        id,
                        reason: UnsentReason::Restored,
                        // in the time that the store has forgotten
                        maybe_delivered: true,
                    });
                }
            }
        }
        for waiting in self.take_waiting() {
            self.refuse_restored(waiting.outgoing.id, waiting.outgoing.chat);
        }
        Ok(())
    }

    pub(super) fn refuse_restored(&mut self, id: String, chat: Chat) {
        let unserved = vec![Unserved {
            jid: chat.jid().clone(),
            device: None,
            reason: UnservedReason::Restored,
        }];
        self.event(Event::Refused { id, chat, unserved });
    }

    /// A message of our own device came back: in a carbon, from the archive, or reflected by a room.
    /// If a session of ours has yet to send it, the store is older than the message.
    pub(super) fn own_message(
        &mut self,
        protocol: &Protocol,
        encrypted: &Encrypted,
        received: &Received<'_>,
    ) -> Result<(), Error> {
        if self.is_restored() {
            return Ok(());
        }
        let mut asked = BTreeSet::new();
        let mut budget = MOST_AHEAD;
        for key in &encrypted.keys {
            let Ok(data) = &key.data else {
                continue;
            };
            let Ok(inbound) = Inbound::parse(protocol.version, data) else {
                continue;
            };
            let message = match &inbound {
                Inbound::Message(message) => message,
                Inbound::KeyExchange(exchange) => exchange.message(),
            };
            for address in self.addressed(protocol.version, key, received)? {
                // a message of ours has one key for a device
                if asked.insert(address.clone())
                    && self.is_unsent(protocol.version, &address, message, &mut budget)?
                {
                    return self.mark_restored(RestoreProof::OwnMessage);
                }
            }
        }
        Ok(())
    }

    /// The devices that a key may be for: legacy names no accounts.
    fn addressed(
        &self,
        version: Version,
        key: &EncryptedKey,
        received: &Received<'_>,
    ) -> Result<Vec<Address>, Error> {
        let device = key.rid;
        if let Some(jid) = key.jid.clone() {
            return Ok(vec![Address { jid, device }]);
        }
        if received.kind == MessageKind::GroupChat {
            let mut peers = self.tx.session_peers(version)?;
            peers.retain(|address| address.device == device);
            return Ok(peers);
        }
        let to = received.to.as_ref().map(Party::bare);
        let mut jids = vec![self.me.jid.clone()];
        jids.extend(to.filter(|to| *to != self.me.jid));
        Ok(jids
            .into_iter()
            .map(|jid| Address { jid, device })
            .collect())
    }

    fn is_unsent(
        &self,
        version: Version,
        address: &Address,
        message: &RatchetMessage,
        budget: &mut u32,
    ) -> Result<bool, Error> {
        for row in self.tx.sessions(version, address)? {
            let session = Session::from_bytes(&row.state)
                .map_err(|error| StoreError::Damaged(error.into()))?;
            let Some(said) = session.said_ahead(message) else {
                continue;
            };
            let Some(left) = budget.checked_sub(said.get()) else {
                continue;
            };
            *budget = left;
            if session.sent_ahead(message).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Begins anew under the same identity key and device id. `beyond` is the last generation that
    /// anybody outside the store has seen.
    pub(crate) fn recover(&mut self, beyond: u64) -> Result<(), Error> {
        if matches!(
            self.account.standing,
            Standing::RemovingDevice | Standing::RemovingAccount
        ) {
            return Err(CallerError::Removed.into());
        }
        self.drop_unsent()?;
        for duty in self.tx.duties()? {
            self.write(Change::DeleteDuty(duty))?;
        }
        for publication in self.tx.publications()? {
            self.drop_all_sessions(publication.version)?;
            self.replace_own_keys(publication)?;
        }
        self.account.generation = self.account.generation.max(beyond);
        self.account.standing = Standing::Recovering;
        leave_numbers_out(&mut self.account);
        self.written = true;
        if self.is_online() {
            self.start_publishing();
        }
        Ok(())
    }

    /// Drops every session of a protocol; those that had one and are familiar get a new one.
    fn drop_all_sessions(&mut self, version: Version) -> Result<(), Error> {
        for address in self.tx.session_peers(version)? {
            let mut seen = self.seen(version, &address)?;
            self.keep_sessions(version, &address, 0, &mut seen)?;
            self.write(Change::PutSeen(SeenRow {
                version,
                address: address.clone(),
                keys: seen.to_bytes(),
            }))?;
            let row = self.tx.device(version, &address)?;
            let listed = row.is_some_and(|row| row.listed);
            let own = self.is_me(&address.jid, address.device);
            if listed && !own && self.is_familiar(&address.jid)? {
                self.write(Change::PutDuty(DutyRow {
                    version,
                    address,
                    kind: DutyKind::Replacement,
                }))?;
            }
        }
        Ok(())
    }

    /// All prekeys and signed prekeys are made anew, with ids far from those that the world may know:
    /// under one that it knows it would use the key of the time that the store has forgotten.
    fn replace_own_keys(&mut self, mut publication: PublicationRow) -> Result<(), Error> {
        let version = publication.version;
        for row in self.tx.pre_keys(version)? {
            self.write(Change::DeletePreKey(version, row.id))?;
        }
        for row in self.tx.signed_pre_keys(version)? {
            self.write(Change::DeleteSignedPreKey(version, row.id))?;
        }
        let revision = publication
            .bundle_revision
            .max(publication.published_revision);
        publication.bundle_revision = revision + 1;
        publication.next_pre_key =
            PreKeyId::parse(self.far_from(publication.next_pre_key.get())?).map_err(bad_id)?;
        publication.next_signed_pre_key =
            SignedPreKeyId::parse(self.far_from(publication.next_signed_pre_key.get())?)
                .map_err(bad_id)?;
        self.written = true;
        fill_publication(
            &mut self.tx,
            publication,
            &self.me.identity,
            self.now,
            self.randomness,
        )
    }

    /// An id on the other side of the ring, at a place that nobody can foretell: a second recovery
    /// from the same copy draws another one.
    fn far_from(&mut self, id: u32) -> Result<u32, Error> {
        let mut bytes = [0; 8];
        self.randomness.fill(Role::PreKeyId, &mut bytes)?;
        let places = u64::from(RING - 2 * DISTANCE);
        // of 64 bits, so that no place is noticeably likelier than another
        let place = u64::from_le_bytes(bytes) % places;
        let id = u64::from(id) + u64::from(DISTANCE) + place;
        u32::try_from((id - 1) % u64::from(RING) + 1).map_err(|_| Error::Bug("a ring too large"))
    }

    /// Says so when everything that recovery made is published.
    pub(super) fn note_recovered(&mut self) -> Result<(), Error> {
        if self.account.standing != Standing::Recovering {
            return Ok(());
        }
        let mut published = false;
        for protocol in self.protocols() {
            if self.stream.is_pending(protocol.version) {
                return Ok(());
            }
            if self.stream.is_ready(protocol.version) {
                if !self.is_bundle_confirmed(protocol.version)? {
                    return Ok(());
                }
                published = true;
            }
        }
        if published {
            self.account.standing = Standing::Active;
            self.written = true;
            self.event(Event::Recovered);
        }
        Ok(())
    }
}
