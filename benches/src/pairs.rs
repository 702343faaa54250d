//! Two devices and their sessions, without accounts, stanzas or stores.

use omemo_ratchet::{
    Bundle, IdentityKeyPair, Inbound, KeyExchange, PreKeyId, PreKeyPair, RatchetMessage, Session,
    SignedPreKeyId, SignedPreKeyPair, SystemRandomness, Version, payload,
};

/// How many prekeys a new device makes (XEP-0384 §4.2).
pub const PRE_KEYS: u32 = 100;

/// A device that others can write to.
pub struct Device {
    version: Version,
    /// Its identity.
    pub identity: IdentityKeyPair,
    /// Its signed prekey.
    pub signed_pre_key: SignedPreKeyPair,
    /// Its prekeys, at least one.
    pub pre_keys: Vec<PreKeyPair>,
}

impl Device {
    /// Draws all keys of a device with so many prekeys.
    #[must_use]
    pub fn generate(version: Version, pre_keys: u32) -> Self {
        let rng = &mut SystemRandomness;
        let identity = IdentityKeyPair::generate(rng).unwrap();
        let id = SignedPreKeyId::parse(1).unwrap();
        let signed_pre_key = SignedPreKeyPair::generate(version, &identity, id, rng).unwrap();
        let pre_keys = (1..=pre_keys)
            .map(|id| PreKeyPair::generate(PreKeyId::parse(id).unwrap(), rng).unwrap())
            .collect();
        Self {
            version,
            identity,
            signed_pre_key,
            pre_keys,
        }
    }

    /// What it publishes.
    #[must_use]
    pub fn bundle(&self) -> Bundle {
        Bundle::publish(
            self.version,
            self.identity.public(),
            &self.signed_pre_key,
            &self.pre_keys,
        )
    }

    /// Answers a key exchange that used its first prekey.
    #[must_use]
    pub fn respond(&self, key_exchange: &KeyExchange) -> Session {
        Session::respond(
            self.version,
            &self.identity,
            &self.signed_pre_key,
            self.pre_keys.first().unwrap(),
            key_exchange,
            &mut SystemRandomness,
        )
        .unwrap()
        .0
    }
}

/// Both ends of one session, both of which have read a message of the other.
pub struct Pair {
    /// Who began.
    pub ours: Session,
    /// Who answered.
    pub theirs: Session,
}

impl Pair {
    /// Two new devices meet.
    #[must_use]
    pub fn meet(version: Version) -> Self {
        let ours = IdentityKeyPair::generate(&mut SystemRandomness).unwrap();
        Self::between(version, &ours, &Device::generate(version, 1))
    }

    /// These two meet; the device has one prekey.
    #[must_use]
    pub fn between(version: Version, ours: &IdentityKeyPair, theirs: &Device) -> Self {
        let bundle = theirs.bundle().verify(version).unwrap();
        let mut ours =
            Session::initiate(version, ours, 27183, &bundle, &mut SystemRandomness).unwrap();
        let first = ours.seal(&key(version)).unwrap();
        let mut theirs = theirs.respond(&key_exchange(version, &first.bytes));
        let answer = theirs.seal(&key(version)).unwrap();
        receive(&mut ours, &answer.bytes);
        Self { ours, theirs }
    }
}

/// What a message carries: the key of a payload, as long as the version has it.
#[must_use]
pub fn key(version: Version) -> Vec<u8> {
    let sealed = payload::seal(version, b"Wherefore art thou?", &mut SystemRandomness).unwrap();
    sealed.key.as_bytes().to_vec()
}

/// Opens a message and enters it; nothing was lost before it.
pub fn receive(session: &mut Session, bytes: &[u8]) {
    let message = message(session.version(), bytes);
    let (_, step) = session
        .open(&message, None, &mut SystemRandomness)
        .unwrap()
        .into_parts();
    assert!(session.apply(step).is_empty());
}

/// Reads a message.
#[must_use]
pub fn message(version: Version, bytes: &[u8]) -> RatchetMessage {
    match Inbound::parse(version, bytes).unwrap() {
        Inbound::Message(message) => message,
        Inbound::KeyExchange(_) => panic!("a key exchange where a message was expected"),
    }
}

/// Reads a key exchange.
#[must_use]
pub fn key_exchange(version: Version, bytes: &[u8]) -> KeyExchange {
    match Inbound::parse(version, bytes).unwrap() {
        Inbound::KeyExchange(exchange) => exchange,
        Inbound::Message(_) => panic!("a message where a key exchange was expected"),
    }
}
