//! A device that holds conversations: what stands between the ratchet and the wire.
//!
//! It keeps what a store would keep and follows the same rules: sessions are named by their ephemeral key, the one that
//! opened the newest message seals, at most four of a peer stay, and skipped keys are kept up to the protocol's limit.

use std::collections::{BTreeMap, VecDeque};

use omemo_ratchet::{
    Bundle, IdentityKeyPair, Inbound, KeyExchange, MessageKey, OpenError, PreKeyId, PreKeyPair,
    PublicKey, RatchetMessage, Session, SignedPreKeyId, SignedPreKeyPair, Version,
};
use serde_json::Map;

use super::fields::{Fields, Given, bytes, output};
use super::{Outcome, Refusal};
use crate::implementation::Operation;

/// Sessions that are kept of one peer.
const MAX_SESSIONS: usize = 4;

/// A device and its conversations.
#[derive(Debug)]
pub(super) struct Device {
    version: Version,
    identity: IdentityKeyPair,
    device_id: u32,
    signed_pre_keys: BTreeMap<SignedPreKeyId, SignedPreKeyPair>,
    pre_keys: BTreeMap<PreKeyId, PreKeyPair>,
    /// Of each peer, the session that seals first.
    peers: BTreeMap<String, Vec<Conversation>>,
}

/// A session and its skipped keys, the oldest first.
#[derive(Debug)]
struct Conversation {
    session: Session,
    skipped: VecDeque<(PublicKey, u32, MessageKey)>,
}

impl Device {
    pub(super) fn parse(version: Version, input: &Fields<'_>) -> Result<Self, Refusal> {
        let mut device = Self {
            version,
            identity: IdentityKeyPair::from_bytes(input.array("identity_secret")?),
            device_id: input.number("device_id")?,
            signed_pre_keys: BTreeMap::new(),
            pre_keys: BTreeMap::new(),
            peers: BTreeMap::new(),
        };
        for signed_pre_key in input.list("signed_pre_keys")? {
            device.add_signed_pre_key(&signed_pre_key)?;
        }
        for pre_key in input.list("pre_keys")? {
            let id = pre_key_id(&pre_key)?;
            let pair = PreKeyPair::from_parts(id, pre_key.array("secret")?);
            device.pre_keys.insert(id, pair);
        }
        Ok(device)
    }

    pub(super) fn perform(&mut self, operation: Operation, input: &Fields<'_>) -> Outcome {
        match operation {
            Operation::Initiate => self.initiate(input)?,
            Operation::Seal => return self.seal(input),
            Operation::Open => return self.open(input),
            Operation::Restart => self.restart()?,
            Operation::AddSignedPreKey => self.add_signed_pre_key(input)?,
            Operation::ForgetSignedPreKey => {
                self.signed_pre_keys.remove(&signed_pre_key_id(input)?);
            }
            Operation::ForgetPreKey => {
                self.pre_keys.remove(&pre_key_id(input)?);
            }
            other => return Err(Refusal::Request(format!("{other} is not for devices"))),
        }
        Ok(Map::new())
    }

    fn add_signed_pre_key(&mut self, input: &Fields<'_>) -> Result<(), Refusal> {
        let id = signed_pre_key_id(input)?;
        let (secret, signature) = (input.array("secret")?, input.array("signature")?);
        let pair = SignedPreKeyPair::from_parts(id, secret, signature);
        self.signed_pre_keys.insert(id, pair);
        Ok(())
    }

    fn initiate(&mut self, input: &Fields<'_>) -> Result<(), Refusal> {
        let given = input.inner("bundle")?;
        let bundle = Bundle {
            identity_key: given.bytes("identity_key")?,
            signed_pre_key_id: given.number("signed_pre_key_id")?,
            signed_pre_key: given.bytes("signed_pre_key")?,
            signed_pre_key_signature: given.bytes("signature")?,
            pre_keys: vec![(given.number("pre_key_id")?, given.bytes("pre_key")?)],
        };
        let session = Session::initiate(
            self.version,
            &self.identity,
            self.device_id,
            &bundle.verify(self.version)?,
            &mut input.randomness()?,
        )?;
        self.add(input.text("peer")?, session, VecDeque::new());
        Ok(())
    }

    fn seal(&mut self, input: &Fields<'_>) -> Outcome {
        let conversation = self
            .peers
            .get_mut(input.text("peer")?)
            .and_then(|conversations| conversations.first_mut())
            .ok_or(Refusal::Reason("no-session"))?;
        let sealed = conversation.session.seal(&input.bytes("plaintext")?)?;
        Ok(output([
            ("frame", bytes(sealed.bytes)),
            ("key_exchange", sealed.is_key_exchange.into()),
        ]))
    }

    fn open(&mut self, input: &Fields<'_>) -> Outcome {
        let (peer, mut given) = (input.text("peer")?, input.randomness()?);
        let plaintext = match Inbound::parse(self.version, &input.bytes("frame")?)? {
            Inbound::Message(message) => self.open_message(peer, &message, None, &mut given)?,
            Inbound::KeyExchange(exchange) => self.open_exchange(peer, &exchange, &mut given)?,
        };
        Ok(output([("plaintext", bytes(plaintext))]))
    }

    fn open_exchange(
        &mut self,
        peer: &str,
        exchange: &KeyExchange,
        given: &mut Given<'_>,
    ) -> Result<Vec<u8>, Refusal> {
        let ephemeral_key = exchange.ephemeral_key();
        let known = self.peers.get(peer).is_some_and(|conversations| {
            let mut names = conversations.iter().map(|one| one.session.ephemeral_key());
            names.any(|name| name == ephemeral_key)
        });
        if known {
            return self.open_message(peer, exchange.message(), Some(ephemeral_key), given);
        }
        let pre_key = self.pre_keys.get(&exchange.pre_key_id());
        let pre_key = pre_key.ok_or(Refusal::Reason("unknown-prekey"))?;
        let signed = self.signed_pre_keys.get(&exchange.signed_pre_key_id());
        let signed = signed.ok_or(Refusal::Reason("unknown-signed-prekey"))?;
        let (mut session, opened) = Session::respond(
            self.version,
            &self.identity,
            signed,
            pre_key,
            exchange,
            given,
        )?;
        let (plaintext, step) = opened.into_parts();
        let mut conversation = VecDeque::new();
        keep(&mut conversation, &mut session, step);
        self.add(peer, session, conversation);
        Ok(plaintext.to_vec())
    }

    /// Tries the session of that name, or else each of the peer's.
    fn open_message(
        &mut self,
        peer: &str,
        message: &RatchetMessage,
        name: Option<&PublicKey>,
        given: &mut Given<'_>,
    ) -> Result<Vec<u8>, Refusal> {
        let conversations = self.peers.get_mut(peer);
        let conversations = conversations.ok_or(Refusal::Reason("no-session"))?;
        let mut refusal = None;
        for at in 0..conversations.len() {
            let Some(conversation) = conversations.get_mut(at) else {
                continue;
            };
            if name.is_some_and(|name| name != conversation.session.ephemeral_key()) {
                continue;
            }
            match conversation.open(message, given) {
                Ok((plaintext, newest)) => {
                    if newest {
                        conversations
                            .get_mut(..=at)
                            .unwrap_or_default()
                            .rotate_right(1);
                    }
                    return Ok(plaintext);
                }
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refusal.map_or(Refusal::Reason("no-session"), Refusal::from))
    }

    /// A new session seals from now on; the longest unused one goes where there are too many.
    fn add(
        &mut self,
        peer: &str,
        session: Session,
        skipped: VecDeque<(PublicKey, u32, MessageKey)>,
    ) {
        let conversations = self.peers.entry(peer.to_owned()).or_default();
        conversations.insert(0, Conversation { session, skipped });
        conversations.truncate(MAX_SESSIONS);
    }

    /// Everything that changes in a conversation through the stored form and back.
    fn restart(&mut self) -> Result<(), Refusal> {
        for conversation in self.peers.values_mut().flatten() {
            conversation.session = Session::from_bytes(&conversation.session.to_bytes())?;
            for (_, _, key) in &mut conversation.skipped {
                *key = MessageKey::from_bytes(*key.to_bytes());
            }
        }
        Ok(())
    }
}

impl Conversation {
    /// The plaintext, and whether the message is the newest one.
    fn open(
        &mut self,
        message: &RatchetMessage,
        given: &mut Given<'_>,
    ) -> Result<(Vec<u8>, bool), OpenError> {
        let at = self.skipped.iter().position(|(ratchet_key, number, _)| {
            ratchet_key == message.ratchet_key() && *number == message.number()
        });
        let stored = at.and_then(|at| self.skipped.get(at));
        let key = stored.map(|(_, _, key)| MessageKey::from_bytes(*key.to_bytes()));
        let opened = self.session.open(message, key, given)?;
        let newest = !opened.via_skipped();
        let (plaintext, step) = opened.into_parts();
        if let Some(at) = at.filter(|_| step.used_skipped()) {
            self.skipped.remove(at);
        }
        keep(&mut self.skipped, &mut self.session, step);
        Ok((plaintext.to_vec(), newest))
    }
}

/// Enters a step and keeps the newest skipped keys, as many as the protocol allows.
fn keep(
    skipped: &mut VecDeque<(PublicKey, u32, MessageKey)>,
    session: &mut Session,
    step: omemo_ratchet::Step,
) {
    let keys = session.apply(step);
    skipped.extend(
        keys.into_iter()
            .map(|key| (key.ratchet_key, key.number, key.key)),
    );
    let limit = session.version().suite().max_stored_skipped();
    let surplus = skipped.len().saturating_sub(limit);
    skipped.drain(..surplus);
}

fn pre_key_id(input: &Fields<'_>) -> Result<PreKeyId, Refusal> {
    PreKeyId::parse(input.number("id")?).map_err(|error| Refusal::Request(error.to_string()))
}

fn signed_pre_key_id(input: &Fields<'_>) -> Result<SignedPreKeyId, Refusal> {
    SignedPreKeyId::parse(input.number("id")?).map_err(|error| Refusal::Request(error.to_string()))
}
