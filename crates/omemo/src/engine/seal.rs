//! Sealing: the payload is encrypted once a protocol, its key wrapped for each device, and the
//! finished stanzas stand in the outbox before anybody sees them (XEP-0384 §4.4, §5.5).

use std::collections::{BTreeMap, BTreeSet};

use omemo_ratchet::payload::{self, PayloadKey};
use omemo_ratchet::{Session, Version};

use super::Call;
use super::plan::{Fate, Patience};
use super::sends::first_those;
use crate::message::Readers;
use crate::protocol::{self, Protocol, Stamp};
use crate::stanza::encrypted::{Encrypted, EncryptedKey};
use crate::stanza::message::{self, MessageKind};
use crate::stanza::{body, eme, hints, sid, text};
use crate::store::{Change, ContactRow, DutyKind, OutboxRow, SessionRow, StoreError, Transaction};
use crate::stream::Waiting;
use crate::{
    Address, BareJid, CallerError, Chat, Element, Error, Event, Outgoing, Served, Stanza, Ticket,
    TransportedKey, Unserved, UnservedReason,
};

/// Who is served and who is not.
#[derive(Default)]
struct Audience {
    sessions: BTreeMap<Version, Vec<SessionRow>>,
    unserved: Vec<Unserved>,
}

impl Audience {
    /// An account as a whole is not served.
    fn leave_out(&mut self, jid: &BareJid, reason: UnservedReason) {
        self.unserved.push(Unserved {
            jid: jid.clone(),
            device: None,
            reason,
        });
    }

    fn serve(&mut self, session: SessionRow) {
        let sessions = self.sessions.entry(session.version).or_default();
        sessions.push(session);
    }
}

/// What every recipient of a message gets, and the key to it.
struct Payload {
    key: PayloadKey,
    iv: Option<Vec<u8>>,
    ciphertext: Option<Vec<u8>>,
}

impl<T: Transaction> Call<'_, T> {
    /// Seals a message with what is known now. Lists, trust and sessions are judged here, inside
    /// the transaction that seals.
    pub(super) fn seal(&mut self, send: &Waiting) -> Result<Vec<Served>, Error> {
        let outgoing = &send.outgoing;
        let chat = &outgoing.chat;
        let order = self.ready_versions();
        let mut audience = Audience::default();
        let accounts = if self.is_unwanted(outgoing)? {
            Err(UnservedReason::OptedOut)
        } else {
            self.audience(chat)
        };
        let accounts = match accounts {
            Ok(accounts) => accounts,
            Err(reason) => {
                audience.leave_out(chat.jid(), reason);
                Vec::new()
            }
        };
        for jid in &accounts {
            self.gather(jid, &order, send, &mut audience)?;
        }
        // alone in a room we write to our own other devices, as to ourselves
        let is_alone = accounts.is_empty() && audience.unserved.is_empty();
        if is_alone {
            self.gather_alone(chat.jid(), &order, send, &mut audience)?;
        }
        let is_silent = outgoing.readers != Readers::Allowed;
        if audience.sessions.is_empty() {
            if is_silent {
                return Ok(Vec::new());
            }
            if audience.unserved.is_empty() {
                audience.leave_out(chat.jid(), UnservedReason::NoOtherDevice);
            }
            self.event(Event::Refused {
                id: outgoing.id.clone(),
                chat: chat.clone(),
                unserved: audience.unserved,
            });
            return Ok(Vec::new());
        }
        if !is_alone && *chat.jid() != self.me.jid {
            let used: BTreeSet<Version> = audience.sessions.keys().copied().collect();
            let own_order = first_those(&used, &order);
            let own = self.me.jid.clone();
            self.gather(&own, &own_order, send, &mut audience)?;
        }
        self.answer_first(&mut audience)?;
        let mut served = Vec::new();
        for (version, sessions) in audience.sessions {
            let devices = self.seal_in(protocol::of(version), outgoing, sessions)?;
            served.extend(devices.into_iter().map(|device| Served { device, version }));
        }
        if is_silent {
            return Ok(served);
        }
        if let Chat::Direct(contact) = chat {
            let jid = contact.clone();
            self.write(Change::PutContact(ContactRow { jid }))?;
        }
        self.event(Event::Sealed {
            id: outgoing.id.clone(),
            chat: outgoing.chat.clone(),
            served: served.clone(),
            unserved: audience.unserved,
        });
        Ok(served)
    }

    /// Adds our own other devices, when nobody but us is in a room. Where the room keeps its lists to
    /// itself, there may be others after all: they would be left out without a word.
    fn gather_alone(
        &self,
        room: &BareJid,
        order: &[Version],
        send: &Waiting,
        audience: &mut Audience,
    ) -> Result<(), Error> {
        let lacking = self.stream.rooms.get(room).map(|room| room.lacking());
        let lacking = lacking.unwrap_or_default().join("; ");
        if !lacking.is_empty() {
            audience.leave_out(room, UnservedReason::ListUnavailable(lacking));
            return Ok(());
        }
        self.gather(&self.me.jid, order, send, audience)?;
        if audience.sessions.is_empty() {
            audience.leave_out(room, UnservedReason::NoDevices);
        }
        Ok(())
    }

    /// An answer that is owed over one of these sessions leaves before the message: the ratchet must
    /// have moved away from a prekey that others may have used too (XEP-0384 §7, 0.3.0 §5).
    fn answer_first(&mut self, audience: &mut Audience) -> Result<(), Error> {
        let mut owed = self.tx.duties()?;
        owed.retain(|duty| duty.kind == DutyKind::Answer);
        for session in audience.sessions.values_mut().flatten() {
            let is_owed = owed
                .iter()
                .any(|duty| duty.version == session.version && duty.address == session.address);
            if is_owed {
                *session = self.seal_empty(session.clone())?;
            }
        }
        Ok(())
    }

    /// Adds the devices of one account.
    fn gather(
        &self,
        jid: &BareJid,
        order: &[Version],
        send: &Waiting,
        audience: &mut Audience,
    ) -> Result<(), Error> {
        if order.is_empty() {
            audience.leave_out(jid, UnservedReason::NotPublished);
            return Ok(());
        }
        let mut recipient = self.recipient(jid)?;
        let targets = recipient.targets();
        if targets.is_empty() && *jid != self.me.jid {
            let failed = self
                .settings
                .versions
                .iter()
                .find_map(|version| send.failed_lists.get(&(*version, jid.clone())));
            let reason = failed.map_or(UnservedReason::NoDevices, |reason| {
                UnservedReason::ListUnavailable(reason.clone())
            });
            audience.leave_out(jid, reason);
        }
        let mut served = false;
        let mut stale = Vec::new();
        for target in targets {
            let address = recipient.address(&target);
            let readers = &send.outgoing.readers;
            if !readers.include(&address, recipient.trust_in(&target)) {
                continue;
            }
            let patience = Patience::Over(self.now);
            let reason = match recipient.fate(&target, order, &send.outgoing.content, patience) {
                Fate::Served(session) => {
                    served = true;
                    audience.serve(*session);
                    continue;
                }
                Fate::Stale { session, .. } => {
                    stale.push(*session);
                    continue;
                }
                Fate::LacksBundle(_) => UnservedReason::BundleUnusable("no answer in time".into()),
                Fate::Unserved(reason) => reason,
            };
            audience.unserved.push(Unserved {
                jid: jid.clone(),
                device: Some(target.device),
                reason,
            });
        }
        // Somebody with one phone, in a drawer for months, has to be reachable when it comes back; our
        // own drawer only when nobody else is there.
        let last_resort = !served && (*jid != self.me.jid || audience.sessions.is_empty());
        for session in stale {
            if last_resort {
                audience.serve(session);
            } else {
                audience.unserved.push(Unserved {
                    jid: jid.clone(),
                    device: Some(session.address.device),
                    reason: UnservedReason::Stale,
                });
            }
        }
        Ok(())
    }

    /// Seals in one protocol for these sessions; gives the devices served.
    fn seal_in(
        &mut self,
        protocol: &'static Protocol,
        outgoing: &Outgoing,
        sessions: Vec<SessionRow>,
    ) -> Result<Vec<Address>, Error> {
        let chat = &outgoing.chat;
        let sealed = self.seal_payload(protocol, outgoing)?;
        let mut keys = Vec::with_capacity(sessions.len());
        for session in sessions {
            let (_, key) = self.wrap_key(session, sealed.key.as_bytes())?;
            keys.push(key);
        }
        let encrypted = Encrypted {
            sid: self.account.device,
            keys: Vec::new(),
            iv: sealed.iv.clone(),
            payload: sealed.ciphertext,
        };
        self.put_out(protocol, Some(outgoing), chat, &encrypted, &keys)?;
        self.duties_done(protocol.version, &keys)?;
        if encrypted.payload.is_none() {
            self.event(Event::KeySealed {
                id: outgoing.id.clone(),
                chat: chat.clone(),
                key: TransportedKey::new(sealed.key.as_bytes(), sealed.iv.as_deref()),
            });
        }
        Ok(keys.into_iter().map(|(device, _)| device).collect())
    }

    /// The payload of a message, or none where it only hands a key over.
    fn seal_payload(&mut self, protocol: &Protocol, outgoing: &Outgoing) -> Result<Payload, Error> {
        if outgoing.content.is_empty() {
            let empty = payload::empty(protocol.version, self.randomness)
                .map_err(|_| Error::Bug("a key that cannot be made"))?;
            return Ok(Payload {
                key: empty.key,
                iv: empty.iv,
                ciphertext: None,
            });
        }
        let stamp = Stamp {
            from: &self.me.jid,
            to: outgoing.chat.jid(),
            now: self.now,
        };
        let plaintext = protocol
            .wrapping
            .wrap(&outgoing.content, &stamp, self.randomness)
            .map_err(|_| Error::Bug("content that was checked cannot be written"))?;
        let sealed = payload::seal(protocol.version, &plaintext, self.randomness)
            .map_err(|_| Error::Bug("a payload that cannot be encrypted"))?;
        Ok(Payload {
            key: sealed.key,
            iv: sealed.iv,
            ciphertext: Some(sealed.ciphertext),
        })
    }

    /// Seals an empty message over one session (XEP-0384 §5.5.3): trust does not matter, since
    /// nothing is said. Gives the session as it is then.
    pub(super) fn seal_empty(&mut self, session: SessionRow) -> Result<SessionRow, Error> {
        let protocol = protocol::of(session.version);
        let to = Chat::Direct(session.address.jid.clone());
        let empty = payload::empty(protocol.version, self.randomness)
            .map_err(|_| Error::Bug("an empty message that cannot be made"))?;
        let (session, key) = self.wrap_key(session, empty.key.as_bytes())?;
        let encrypted = Encrypted {
            sid: self.account.device,
            keys: Vec::new(),
            iv: empty.iv.clone(),
            payload: None,
        };
        let keys = [key];
        self.put_out(protocol, None, &to, &encrypted, &keys)?;
        self.duties_done(protocol.version, &keys)?;
        Ok(session)
    }

    /// Whatever is sealed for a device also answers it.
    fn duties_done(
        &mut self,
        version: Version,
        keys: &[(Address, EncryptedKey)],
    ) -> Result<(), Error> {
        for duty in self.tx.duties()? {
            let is_answer = duty.version == version && duty.kind != DutyKind::Replacement;
            if is_answer && keys.iter().any(|(device, _)| *device == duty.address) {
                self.write(Change::DeleteDuty(duty))?;
            }
        }
        Ok(())
    }

    /// Wraps the payload's key for one device; gives the session as it is then, too.
    fn wrap_key(
        &mut self,
        row: SessionRow,
        payload_key: &[u8],
    ) -> Result<(SessionRow, (Address, EncryptedKey)), Error> {
        let mut session =
            Session::from_bytes(&row.state).map_err(|error| StoreError::Damaged(error.into()))?;
        let sealed = session
            .seal(payload_key)
            .map_err(|_| Error::Bug("a session that cannot go on"))?;
        let address = row.address.clone();
        let row = SessionRow {
            state: session.to_bytes(),
            ..row
        };
        self.write(Change::PutSession(row.clone()))?;
        let key = EncryptedKey {
            jid: Some(address.jid.clone()),
            rid: address.device,
            is_key_exchange: sealed.is_key_exchange,
            data: Ok(sealed.bytes),
        };
        Ok((row, (address, key)))
    }

    /// Writes the finished stanzas into the outbox and hands them out; one that is too large for
    /// servers is split by its recipients.
    fn put_out(
        &mut self,
        protocol: &'static Protocol,
        outgoing: Option<&Outgoing>,
        to: &Chat,
        encrypted: &Encrypted,
        keys: &[(Address, EncryptedKey)],
    ) -> Result<(), Error> {
        let part = Encrypted {
            keys: keys.iter().map(|(_, key)| key.clone()).collect(),
            ..encrypted.clone()
        };
        let element = self.message(protocol, outgoing, to, &part)?;
        let text = text::to_string(&element)
            .map_err(|_| CallerError::Message("it holds what XML cannot carry"))?;
        if text.len() > self.settings.max_stanza_bytes && keys.len() > 1 {
            let (first, second) = keys.split_at(keys.len() / 2);
            self.put_out(protocol, outgoing, to, encrypted, first)?;
            return self.put_out(protocol, outgoing, to, encrypted, second);
        }
        let ticket = Ticket::new(self.number());
        self.write(Change::PutOutbox(OutboxRow {
            ticket,
            message_id: outgoing.map(|outgoing| outgoing.id.clone()),
            chat: to.clone(),
            version: protocol.version,
            served: keys.iter().map(|(device, _)| device.clone()).collect(),
            made_at: self.now,
            tells_trust: outgoing.is_some_and(|outgoing| outgoing.readers != Readers::Allowed),
            handed_out: 1,
            handed_by: Some((self.me.handle, self.now)),
            sent_at: None,
            stanza: text,
        }))?;
        self.stream.handed_out.insert(ticket);
        self.output.stanzas.push(Stanza {
            element,
            ticket: Some(ticket),
        });
        Ok(())
    }

    fn message(
        &mut self,
        protocol: &Protocol,
        outgoing: Option<&Outgoing>,
        to: &Chat,
        encrypted: &Encrypted,
    ) -> Result<Element, Error> {
        let id = match outgoing {
            Some(outgoing) => outgoing.id.clone(),
            None => self.random_id()?,
        };
        let mut children = vec![protocol.shape.build_encrypted(encrypted), hints::store()];
        if let Some(outgoing) = outgoing {
            children.push(eme::encryption(protocol.namespace));
            children.push(sid::origin_id(&id));
            // a key alone is nothing to show
            let fallback = protocol
                .fallback_body
                .filter(|_| encrypted.payload.is_some());
            children.extend(fallback.map(body::body));
            let hints = outgoing.hints.iter().filter(|hint| !hints::is_store(hint));
            children.extend(hints.cloned());
        }
        Ok(message::build(
            MessageKind::for_chat(to),
            &id,
            to.jid(),
            children,
        ))
    }
}
