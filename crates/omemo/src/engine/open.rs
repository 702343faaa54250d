//! Opening: from the bytes of one `<key/>` to what the ratchet gives, and what accepting it does
//! to sessions, keys and trust (XEP-0384 §4.3, §5.6, §6).
//!
//! Opening reads and computes; nothing is written before the payload and its envelope were
//! accepted too.

use std::time::Duration;

use omemo_ratchet::{
    IdentityKey, Inbound, KeyExchange, OpenError, Opened, PreKeyPair, PublicKey, RatchetMessage,
    Session, SessionError, Step, Version,
};
use zeroize::Zeroizing;

use super::Call;
use super::lists::unknown_device;
use super::own_keys::signed_pre_key;
use super::seen::{Seen, Verdict};
use crate::protocol::Protocol;
use crate::stanza::limits::MAX_LISTED_DEVICES;
use crate::store::{
    Change, DeviceRow, DutyKind, MessageId, PreKeyRow, SeenRow, SessionRow, SkippedId, SkippedRow,
    StoreError, Transaction,
};
use crate::{Address, Error, Timestamp, Trust, UndecryptableReason};

/// How exactly it is kept when a device was last heard: each step costs a write.
const HEARD_STEP: Duration = Duration::from_secs(86_400);

/// Why a key was not opened.
pub(super) enum Halt {
    /// Something failed on our side.
    Failed(Error),
    /// It was opened before; the message that it was.
    Duplicate(MessageId),
    /// It cannot be read.
    Refused(UndecryptableReason),
}

/// What one `<key/>` gave.
pub(super) struct Opening {
    /// Which message it is.
    pub(super) id: MessageId,
    /// The payload's key.
    pub(super) plaintext: Zeroizing<Vec<u8>>,
    session: Session,
    last_used: u64,
    made_at: Timestamp,
    /// What is still to be entered into the session; `None` when it came with the session.
    step: Step,
    heartbeat: bool,
    /// Overtaken by others, so that a skipped key opened it.
    pub(super) late: bool,
    /// The prekey of a key exchange that made the session.
    began: Option<PreKeyRow>,
}

/// What is known of a device before its message is opened.
struct Peer {
    version: Version,
    address: Address,
    identity: Option<IdentityKey>,
    sessions: Vec<SessionRow>,
    seen: Seen,
}

impl Opening {
    /// The identity key that the session has proven.
    pub(super) const fn peer(&self) -> &IdentityKey {
        self.session.peer()
    }
}

impl<T: Transaction> Call<'_, T> {
    /// Opens the bytes of one `<key/>`.
    pub(super) fn open(
        &mut self,
        protocol: &Protocol,
        address: &Address,
        data: &[u8],
    ) -> Result<Opening, Halt> {
        let version = protocol.version;
        let inbound = Inbound::parse(version, data)
            .map_err(|error| UndecryptableReason::Malformed(error.to_string()))?;
        let peer = self.peer(version, address)?;
        match &inbound {
            Inbound::Message(message) => self.open_message(&peer, &peer.sessions, message),
            Inbound::KeyExchange(exchange) => self.open_key_exchange(&peer, exchange),
        }
    }

    fn peer(&self, version: Version, address: &Address) -> Result<Peer, Error> {
        let identity = self
            .tx
            .device(version, address)?
            .and_then(|row| row.identity);
        Ok(Peer {
            version,
            address: address.clone(),
            identity,
            sessions: self.tx.sessions(version, address)?,
            seen: self.seen(version, address)?,
        })
    }

    pub(super) fn seen(&self, version: Version, address: &Address) -> Result<Seen, Error> {
        let row = self.tx.seen(version, address)?;
        Ok(row.map_or_else(Seen::default, |row| Seen::from_bytes(&row.keys)))
    }

    /// Tries the sessions: first the one that knows the ratchet key, then the others.
    fn open_message(
        &mut self,
        peer: &Peer,
        rows: &[SessionRow],
        message: &RatchetMessage,
    ) -> Result<Opening, Halt> {
        let mut candidates = Vec::new();
        for row in rows {
            candidates.push((row, restore(row)?));
        }
        let key = message.ratchet_key();
        candidates.sort_by_key(|(_, session)| session.receiving_ratchet_key() != Some(key));
        let mut refusal = None;
        for (row, session) in candidates {
            let skipped = self.tx.skipped(&skipped_id(peer, row, message))?;
            let opened = session.open(message, skipped.map(|row| row.key), self.randomness);
            match opened {
                Ok(opened) => {
                    let began = None;
                    return Ok(opening(
                        peer,
                        message,
                        session,
                        (row.last_used, row.made_at),
                        opened,
                        began,
                    ));
                }
                Err(OpenError::Randomness(error)) => return Err(Error::from(error).into()),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(judge(peer, message, refusal))
    }

    fn open_key_exchange(&mut self, peer: &Peer, exchange: &KeyExchange) -> Result<Opening, Halt> {
        if peer
            .identity
            .is_some_and(|known| known != *exchange.identity())
        {
            return Err(UndecryptableReason::IdentityChanged.into());
        }
        if exchange.identity() == self.me.identity.public() {
            return Err(UndecryptableReason::KeyExchangeRefused(
                "it shows our own identity key".into(),
            )
            .into());
        }
        let message = exchange.message();
        let ephemeral_key = exchange.ephemeral_key();
        let same = |row: &&SessionRow| row.ephemeral_key == *ephemeral_key;
        if let Some(row) = peer.sessions.iter().find(same) {
            return self.open_message(peer, std::slice::from_ref(row), message);
        }
        if peer.seen.knows(ephemeral_key) {
            return Err(judge(peer, message, None));
        }
        if peer.identity.is_none() && self.shows_too_many_devices(peer)? {
            return Err(UndecryptableReason::KeyExchangeRefused(
                "this account has shown more devices than anybody has".into(),
            )
            .into());
        }
        let Some(pre_key) = self
            .tx
            .pre_key(peer.version, exchange.pre_key_id())
            .map_err(Error::from)?
        else {
            return Err(unknown_pre_key(peer, message));
        };
        if pre_key.used_at.is_some() && self.is_known_elsewhere(peer, exchange.identity())? {
            return Err(UndecryptableReason::KeyExchangeRefused(
                "its prekey was used before, and its identity key is another device's".into(),
            )
            .into());
        }
        let signed = self
            .tx
            .signed_pre_key(peer.version, exchange.signed_pre_key_id())
            .map_err(Error::from)?;
        let Some(signed) = signed else {
            return Err(unknown_pre_key(peer, message));
        };
        let built = Session::respond(
            peer.version,
            &self.me.identity,
            &signed_pre_key(&signed),
            &PreKeyPair::from_parts(pre_key.id, *pre_key.secret),
            exchange,
            self.randomness,
        );
        match built {
            Ok((session, opened)) => Ok(opening(
                peer,
                message,
                session,
                (0, self.now),
                opened,
                Some(pre_key),
            )),
            Err(SessionError::Randomness(error)) => Err(Error::from(error).into()),
            Err(error) => Err(UndecryptableReason::KeyExchangeRefused(error.to_string()).into()),
        }
    }

    /// Whether another device has shown this key. Nothing in a key exchange says who sends it: as long
    /// as its prekey is kept, whoever delivers it could do so again under another name.
    fn is_known_elsewhere(&self, peer: &Peer, key: &IdentityKey) -> Result<bool, Error> {
        let Address { jid, device } = &peer.address;
        let owners = self.tx.key_owners(&key.fingerprint())?;
        if owners.iter().any(|owner| owner != jid) {
            return Ok(true);
        }
        let devices = self.tx.devices(peer.version, jid)?;
        let is_it = |row: &DeviceRow| row.identity.as_ref() == Some(key);
        Ok(devices
            .iter()
            .any(|row| row.address.device != *device && is_it(row)))
    }

    /// Every new device leaves rows behind that only its account could take back.
    fn shows_too_many_devices(&self, peer: &Peer) -> Result<bool, Error> {
        let known = self.tx.devices(peer.version, &peer.address.jid)?;
        let shown = known.iter().filter(|row| row.identity.is_some()).count();
        Ok(shown >= MAX_LISTED_DEVICES)
    }

    /// Writes what a message does: the session moves on, its keys are used, duties arise. Gives
    /// the trust in its sender.
    pub(super) fn accept(&mut self, opening: Opening, protocol: &Protocol) -> Result<Trust, Error> {
        let Opening {
            id,
            plaintext: _,
            mut session,
            last_used,
            made_at,
            step,
            heartbeat,
            late,
            began,
        } = opening;
        let mut seen = self.seen(id.version, &id.address)?;
        let ephemeral_key = *session.ephemeral_key();
        let skips = !step.skipped().is_empty();
        if step.used_skipped() {
            self.write(Change::DeleteSkipped(SkippedId {
                version: id.version,
                address: id.address.clone(),
                ephemeral_key,
                ratchet_key: id.ratchet_key,
                number: id.number,
            }))?;
        }
        let skipped = session.apply(step);
        // a late message says nothing about which session the peer uses now
        let last_used = if late { last_used } else { self.number() };
        self.write(Change::PutSession(SessionRow {
            version: id.version,
            address: id.address.clone(),
            ephemeral_key,
            state: session.to_bytes(),
            last_used,
            made_at,
        }))?;
        for key in skipped {
            let order = self.number();
            self.write(Change::PutSkipped(SkippedRow {
                version: id.version,
                address: id.address.clone(),
                ephemeral_key,
                ratchet_key: key.ratchet_key,
                number: key.number,
                key: key.key,
                order,
            }))?;
        }
        if skips {
            self.discard_skipped(&id, &ephemeral_key, &mut seen)?;
        }
        seen.opened(&id.ratchet_key, id.number);
        self.heard(&id)?;
        let trust = self.meet(&id.address, session.peer())?;
        let has_began = began.is_some();
        if let Some(pre_key) = began {
            seen.key_exchange(&ephemeral_key);
            self.session_began(&id, *session.peer(), pre_key, &mut seen)?;
        }
        self.write(Change::PutSeen(SeenRow {
            version: id.version,
            address: id.address.clone(),
            keys: seen.to_bytes(),
        }))?;
        if has_began {
            self.owe(protocol, &id.address, DutyKind::Answer)?;
        }
        if heartbeat {
            self.owe(protocol, &id.address, DutyKind::Heartbeat)?;
        }
        Ok(trust)
    }

    /// A device is alive. A day is exact enough to say since when it is not.
    fn heard(&mut self, id: &MessageId) -> Result<(), Error> {
        let row = self.tx.device(id.version, &id.address)?;
        let row =
            row.unwrap_or_else(|| unknown_device(id.version, &id.address.jid, id.address.device));
        let known = row
            .heard_at
            .is_some_and(|at| at <= self.now && self.now.since(at) < HEARD_STEP);
        if known {
            return Ok(());
        }
        self.write(Change::PutDevice(DeviceRow {
            heard_at: Some(self.now),
            ..row
        }))
    }

    /// A key exchange made a session: its prekey is used up, its key is known.
    fn session_began(
        &mut self,
        id: &MessageId,
        identity: IdentityKey,
        pre_key: PreKeyRow,
        seen: &mut Seen,
    ) -> Result<(), Error> {
        let row = self.tx.device(id.version, &id.address)?;
        let row =
            row.unwrap_or_else(|| unknown_device(id.version, &id.address.jid, id.address.device));
        self.write(Change::PutDevice(DeviceRow {
            identity: Some(identity),
            ..row
        }))?;
        self.use_pre_key(pre_key)?;
        self.drop_surplus_sessions(id.version, &id.address, seen)
    }

    /// Keeps the skipped keys of a session within the limit; what goes is remembered as too old.
    fn discard_skipped(
        &mut self,
        id: &MessageId,
        ephemeral_key: &PublicKey,
        seen: &mut Seen,
    ) -> Result<(), Error> {
        let keep = id.version.suite().max_stored_skipped();
        let surplus = self
            .tx
            .skipped_beyond(id.version, &id.address, ephemeral_key, keep)?;
        for skipped in surplus {
            seen.discarded(&skipped.ratchet_key, skipped.number);
            self.write(Change::DeleteSkipped(skipped))?;
        }
        Ok(())
    }
}

fn opening(
    peer: &Peer,
    message: &RatchetMessage,
    session: Session,
    (last_used, made_at): (u64, Timestamp),
    opened: Opened,
    began: Option<PreKeyRow>,
) -> Opening {
    let heartbeat = opened.heartbeat_due();
    let late = opened.via_skipped();
    let (plaintext, step) = opened.into_parts();
    Opening {
        id: message_id(peer, message),
        plaintext,
        session,
        last_used,
        made_at,
        step,
        heartbeat,
        late,
        began,
    }
}

/// What to say about a message that nothing opens.
fn judge(peer: &Peer, message: &RatchetMessage, refusal: Option<OpenError>) -> Halt {
    match (
        peer.seen.judge(message.ratchet_key(), message.number()),
        refusal,
    ) {
        (Verdict::Duplicate, _) => Halt::Duplicate(message_id(peer, message)),
        (Verdict::TooOld, _) => UndecryptableReason::TooOld.into(),
        (Verdict::Unknown, Some(refusal)) => {
            UndecryptableReason::SessionRefused(refusal.to_string()).into()
        }
        (Verdict::Unknown, None) => UndecryptableReason::NoSession.into(),
    }
}

fn unknown_pre_key(peer: &Peer, message: &RatchetMessage) -> Halt {
    match peer.seen.judge(message.ratchet_key(), message.number()) {
        Verdict::Duplicate => Halt::Duplicate(message_id(peer, message)),
        Verdict::TooOld | Verdict::Unknown => UndecryptableReason::UnknownPreKey.into(),
    }
}

fn message_id(peer: &Peer, message: &RatchetMessage) -> MessageId {
    MessageId {
        version: peer.version,
        address: peer.address.clone(),
        ratchet_key: *message.ratchet_key(),
        number: message.number(),
    }
}

fn skipped_id(peer: &Peer, row: &SessionRow, message: &RatchetMessage) -> SkippedId {
    SkippedId {
        version: peer.version,
        address: peer.address.clone(),
        ephemeral_key: row.ephemeral_key,
        ratchet_key: *message.ratchet_key(),
        number: message.number(),
    }
}

fn restore(row: &SessionRow) -> Result<Session, Error> {
    Ok(Session::from_bytes(&row.state).map_err(|error| StoreError::Damaged(error.into()))?)
}

impl From<UndecryptableReason> for Halt {
    fn from(reason: UndecryptableReason) -> Self {
        Self::Refused(reason)
    }
}

impl<E: Into<Error>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
