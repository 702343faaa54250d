//! Receiving: what a stanza does (XEP-0384 §5.6).

use std::time::Duration;

use omemo_ratchet::payload;
use zeroize::Zeroizing;

use super::Call;
use super::inbox::{content_text, message_of};
use super::input::Input;
use super::open::{Halt, Opening};
use super::opt_out::Wish;
use super::rooms::room_of;
use crate::protocol::Protocol;
use crate::stanza::encrypted::Encrypted;
use crate::stanza::party::Party;
use crate::stanza::sce::Envelope;
use crate::stanza::trust_message::{self, Decision};
use crate::stanza::wrapper::Received;
use crate::store::{Change, DutyKind, InboxRow, MessageId, Transaction};
use crate::{
    Address, BareJid, Chat, Element, Error, Event, InboxId, Timestamp, Trust, UndecryptableReason,
};

/// How far the sender's time may be from the server's before the message is flagged: time zones
/// and wrong clocks are not an attack.
const TIME_TOLERANCE: Duration = Duration::from_secs(86_400);

/// Keys with our id that are tried in one message. Some clients send two; each costs a key agreement.
const MOST_KEYS: usize = 8;

/// What is kept of a message: content that can be stored, when it was written, the key that it hands
/// over, and whether its author asks for plain text.
struct Content {
    /// `None` when there is nothing to show.
    text: Option<String>,
    /// What it says about keys (XEP-0450).
    told: Vec<Decision>,
    time: Option<Timestamp>,
    transported: Option<Zeroizing<Vec<u8>>>,
    wish: Wish,
}

/// A message on its way from the key that opened it into the inbox.
struct Incoming<'a> {
    sender: BareJid,
    chat: Chat,
    id: Option<&'a str>,
    delay: Option<Timestamp>,
}

/// What is kept of a message that hands a key over. Its initialization vector has 12 bytes, or 16 from
/// some; one of any other length opens nothing.
fn transported(key: &payload::TransportedKey, encrypted: &Encrypted) -> Result<Content, Halt> {
    let iv = encrypted
        .iv
        .as_deref()
        .filter(|iv| matches!(iv.len(), 12 | 16));
    let text = content_text(&[]).map_err(|_| Error::Bug("no content, and it cannot be written"))?;
    Ok(Content {
        text: Some(text),
        told: Vec::new(),
        time: None,
        transported: Some(Zeroizing::new(
            [key.as_bytes(), iv.unwrap_or_default()].concat(),
        )),
        wish: Wish::None,
    })
}

impl<T: Transaction> Call<'_, T> {
    /// Takes one stanza; `false` when it turned out not to be ours.
    pub(crate) fn receive(&mut self, input: Input<'_>) -> Result<bool, Error> {
        // a device that goes reads nothing more, and what never was ours is still the app's
        if self.is_leaving() && !matches!(input, Input::Answer(_)) {
            let is_apps = matches!(
                input,
                Input::Presence(_) | Input::RoomNotice { .. } | Input::Bounce { .. }
            );
            return Ok(!is_apps);
        }
        match input {
            Input::Answer(iq) => self.answer(&iq),
            Input::Push {
                protocol,
                jid,
                event,
            } => {
                self.list_event(protocol.version, &jid, &event)?;
                Ok(true)
            }
            Input::Encrypted { received, blocks } => {
                self.encrypted(&received, &blocks)?;
                Ok(true)
            }
            Input::Forged {
                protocol,
                from,
                reason,
            } => {
                let reason = UndecryptableReason::Malformed(reason);
                self.undecryptable(protocol, &from, None, None, reason);
                Ok(true)
            }
            Input::Bounce { received, id } => {
                let condition = received
                    .error()
                    .map_or_else(|| "an error".to_owned(), |error| error.to_string());
                match &received.from {
                    Some(from) => self.bounced(id, from, &condition),
                    None => Ok(false),
                }
            }
            // the app shows who is in a room: these are for both of us
            Input::Presence(presence) => self.room_presence(presence).map(|()| false),
            Input::RoomNotice { room, news } => self.room_notice(&room, &news).map(|()| false),
        }
    }

    /// A message with one or more encrypted elements: the one that holds our key counts, the
    /// better protocol first.
    fn encrypted(
        &mut self,
        received: &Received<'_>,
        blocks: &[(&'static Protocol, &Element)],
    ) -> Result<(), Error> {
        let from = received
            .from
            .as_ref()
            .map_or_else(|| self.me.jid.clone(), Party::bare);
        let mut foreign = None;
        for protocol in self.protocols() {
            let version = protocol.version;
            let Some((_, element)) = blocks.iter().find(|(block, _)| block.version == version)
            else {
                continue;
            };
            let encrypted = match protocol.shape.parse_encrypted(element) {
                Ok(encrypted) => encrypted,
                Err(error) => {
                    let reason = UndecryptableReason::Malformed(error.to_string());
                    foreign = foreign.or(Some((protocol, None, reason)));
                    continue;
                }
            };
            let Some(sender) = self.author(received) else {
                if self.may_be_our_own(&encrypted) {
                    return Ok(());
                }
                let reason = UndecryptableReason::SenderUnknown;
                foreign = foreign.or(Some((protocol, Some(encrypted.sid), reason)));
                continue;
            };
            if self.is_me(&sender, encrypted.sid) {
                return self.own_message(protocol, &encrypted, received);
            }
            let own = self.me.jid.clone();
            if encrypted
                .keys_for(&own, self.account.device)
                .next()
                .is_some()
            {
                let incoming = self.incoming(received, sender);
                return self.for_us(protocol, &encrypted, &incoming);
            }
            if protocol.reports_foreign_messages && encrypted.payload.is_some() {
                let reason = UndecryptableReason::NotForThisDevice;
                foreign = foreign.or(Some((protocol, Some(encrypted.sid), reason)));
            }
        }
        if let Some((protocol, device, reason)) = foreign {
            self.undecryptable(protocol, &from, device, received.id, reason);
        }
        Ok(())
    }

    /// Nobody knows who wrote it, but it bears our id and holds no key for us: what we write in a room
    /// comes back like that, out of its history. Nothing that could be read is passed over.
    fn may_be_our_own(&self, encrypted: &Encrypted) -> bool {
        let own = &self.me.jid;
        let device = self.account.device;
        encrypted.sid == device && encrypted.keys_for(own, device).next().is_none()
    }

    fn incoming<'r>(&self, received: &Received<'r>, sender: BareJid) -> Incoming<'r> {
        let chat = if let Some(room) = room_of(received) {
            Chat::Room(room)
        } else if sender == self.me.jid {
            // what our own account wrote belongs to the conversation with its addressee
            let to = received.to.as_ref();
            Chat::Direct(to.map_or_else(|| sender.clone(), Party::bare))
        } else {
            Chat::Direct(sender.clone())
        };
        Incoming {
            sender,
            chat,
            id: received.id,
            delay: received.delay,
        }
    }

    /// Tries every key with our id: legacy names no accounts, and some clients send two.
    fn for_us(
        &mut self,
        protocol: &'static Protocol,
        encrypted: &Encrypted,
        incoming: &Incoming<'_>,
    ) -> Result<(), Error> {
        let address = Address {
            jid: incoming.sender.clone(),
            device: encrypted.sid,
        };
        let own = self.me.jid.clone();
        let device = self.account.device;
        let mut refusal = UndecryptableReason::NotForThisDevice;
        for key in encrypted.keys_for(&own, device).take(MOST_KEYS) {
            let halt = match &key.data {
                Ok(data) => match self.open(protocol, &address, data) {
                    Ok(opening) => match self.read_payload(protocol, encrypted, incoming, &opening)
                    {
                        Ok(content) => return self.take(protocol, opening, content, incoming),
                        Err(halt) => halt,
                    },
                    Err(halt) => halt,
                },
                Err(error) => UndecryptableReason::Malformed(error.to_string()).into(),
            };
            match halt {
                Halt::Failed(error) => return Err(error),
                Halt::Refused(UndecryptableReason::IdentityChanged) => {
                    self.event(Event::IdentityChanged {
                        device: address.clone(),
                        version: protocol.version,
                    });
                    refusal = UndecryptableReason::IdentityChanged;
                }
                Halt::Duplicate(id) => return self.duplicate(id, encrypted, incoming),
                Halt::Refused(reason) => refusal = reason,
            }
        }
        if refusal == UndecryptableReason::NoSession {
            self.lacks_their_session(protocol, &address)?;
        }
        self.heal(protocol, &address, &refusal)?;
        // nothing that a person could miss is lost with an empty message
        if encrypted.payload.is_some() {
            self.undecryptable(
                protocol,
                &incoming.sender,
                Some(encrypted.sid),
                incoming.id,
                refusal,
            );
        }
        Ok(())
    }

    /// Opens the payload and checks its envelope; gives what is kept of it, `None` for an empty
    /// message.
    fn read_payload(
        &self,
        protocol: &Protocol,
        encrypted: &Encrypted,
        incoming: &Incoming<'_>,
        opening: &Opening,
    ) -> Result<Option<Content>, Halt> {
        let refused = |error: &dyn std::fmt::Display| {
            Halt::Refused(UndecryptableReason::PayloadRefused(error.to_string()))
        };
        let Some(ciphertext) = &encrypted.payload else {
            let key = payload::open_empty(protocol.version, &opening.plaintext)
                .map_err(|error| refused(&error))?;
            let key = key.filter(|_| self.settings.key_transport);
            return key.map(|key| transported(&key, encrypted)).transpose();
        };
        let plaintext = payload::open(
            protocol.version,
            &opening.plaintext,
            encrypted.iv.as_deref(),
            ciphertext,
        )
        .map_err(|error| refused(&error))?;
        let envelope = protocol
            .wrapping
            .unwrap(&plaintext)
            .map_err(|error| UndecryptableReason::EnvelopeRefused(error.to_string()))?;
        self.check_envelope(protocol, &envelope, incoming)?;
        if envelope.content.is_empty() {
            return Ok(None);
        }
        // one that is malformed says nothing; nobody is shown a trust message (XEP-0450 §6.3)
        let (told, shown): (Vec<_>, Vec<_>) = envelope
            .content
            .into_iter()
            .partition(trust_message::is_trust_message);
        let told = told.iter().flat_map(trust_message::parse).flatten();
        let text = (!shown.is_empty())
            .then(|| content_text(&shown))
            .transpose()
            .map_err(|error| UndecryptableReason::EnvelopeRefused(error.to_string()))?;
        Ok(Some(Content {
            text,
            told: told.collect(),
            time: envelope.time,
            transported: None,
            wish: Wish::of(&shown),
        }))
    }

    /// What the envelope says about itself must agree with the stanza (XEP-0420 §4).
    fn check_envelope(
        &self,
        protocol: &Protocol,
        envelope: &Envelope,
        incoming: &Incoming<'_>,
    ) -> Result<(), Halt> {
        let to = match &incoming.chat {
            Chat::Room(room) => room,
            Chat::Direct(contact) if incoming.sender == self.me.jid => contact,
            Chat::Direct(_) => &self.me.jid,
        };
        let refused = |text: &str| {
            Err(Halt::Refused(UndecryptableReason::EnvelopeRefused(
                text.to_owned(),
            )))
        };
        if envelope
            .from
            .as_ref()
            .is_some_and(|from| *from != incoming.sender)
        {
            return refused("it was written by another account than the one that sent it");
        }
        let is_room = matches!(incoming.chat, Chat::Room(_));
        if is_room && protocol.names_the_room && envelope.to.is_none() {
            return refused("it does not say which room it was written to");
        }
        if envelope.to.as_ref().is_some_and(|inside| inside != to) {
            return refused("it was written to another conversation");
        }
        Ok(())
    }

    /// Accepts a message: what it does to the ratchet and what it says are written together.
    fn take(
        &mut self,
        protocol: &'static Protocol,
        opening: Opening,
        content: Option<Content>,
        incoming: &Incoming<'_>,
    ) -> Result<(), Error> {
        let id = opening.id.clone();
        let key = *opening.peer();
        let late = opening.late;
        let trust = self.accept(opening, protocol)?;
        self.check_listed(protocol.version, &id.address)?;
        let Some(content) = content else {
            return Ok(());
        };
        if matches!(incoming.chat, Chat::Direct(_)) && !content.told.is_empty() {
            self.told(&id.address, &key, &content.told, content.time)?;
        }
        if self.heed(&content.wish, &incoming.chat, &incoming.sender, trust, late)? {
            return Ok(());
        }
        self.deliver(id, content, trust, incoming)
    }

    fn deliver(
        &mut self,
        message: MessageId,
        content: Content,
        trust: Trust,
        incoming: &Incoming<'_>,
    ) -> Result<(), Error> {
        let Some(text) = content.text else {
            return Ok(());
        };
        let time_differs = match (content.time, incoming.delay) {
            (Some(inside), Some(outside)) => {
                inside.since(outside).max(outside.since(inside)) > TIME_TOLERANCE
            }
            _ => false,
        };
        let row = InboxRow {
            id: InboxId::new(self.number()),
            message,
            chat: incoming.chat.clone(),
            trust,
            stanza_id: incoming.id.map(str::to_owned),
            delay: incoming.delay,
            time_differs,
            received_at: self.now,
            content: text,
            transported: content.transported,
        };
        self.write(Change::PutInbox(row.clone()))?;
        self.event(Event::Message(Box::new(message_of(row)?)));
        Ok(())
    }

    /// One that was opened before: handed out again until the app has it, then only named. That an
    /// empty message came twice is not worth a word.
    fn duplicate(
        &mut self,
        id: MessageId,
        encrypted: &Encrypted,
        incoming: &Incoming<'_>,
    ) -> Result<(), Error> {
        if let Some(row) = self.tx.inbox_message(&id)? {
            self.event(Event::Message(Box::new(message_of(row)?)));
        } else if encrypted.payload.is_some() {
            self.event(Event::Duplicate {
                device: id.address,
                version: id.version,
                id: incoming.id.map(str::to_owned),
            });
        }
        Ok(())
    }

    /// A listed device wrote in a session that we do not have: it gets one of ours
    /// (XEP-0384 §6). Never on a decryption error.
    fn lacks_their_session(&mut self, protocol: &Protocol, address: &Address) -> Result<(), Error> {
        let listed = self
            .tx
            .device(protocol.version, address)?
            .is_some_and(|row| row.listed);
        if listed && protocol.answers_without_session {
            self.owe(protocol, address, DutyKind::Session)?;
        }
        self.check_listed(protocol.version, address)
    }

    fn undecryptable(
        &mut self,
        protocol: &Protocol,
        from: &BareJid,
        device: Option<crate::DeviceId>,
        id: Option<&str>,
        reason: UndecryptableReason,
    ) {
        self.event(Event::Undecryptable {
            from: from.clone(),
            device,
            version: protocol.version,
            id: id.map(str::to_owned),
            reason,
        });
    }
}
