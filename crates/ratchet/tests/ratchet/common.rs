//! What the tests share: a source of known bytes, a device, and its side of a conversation.

use std::collections::BTreeMap;

use omemo_ratchet::{
    Bundle, IdentityKeyPair, Inbound, KeyExchange, MessageKey, OpenError, PreKeyId, PreKeyPair,
    PublicKey, Randomness, RandomnessError, RatchetMessage, Role, Sealed, Session, SessionError,
    SignedPreKeyId, SignedPreKeyPair, Step, Version,
};
use sha2::{Digest, Sha256};

/// Every role has a stream of its own, so a draw depends on its role and on how often that role was drawn before.
#[derive(Debug, Clone)]
pub(crate) struct FixedRandomness {
    seed: String,
    drawn: BTreeMap<Role, u32>,
}

impl FixedRandomness {
    pub(crate) fn new(seed: &str) -> Self {
        Self {
            seed: seed.to_owned(),
            drawn: BTreeMap::new(),
        }
    }
}

impl Randomness for FixedRandomness {
    fn fill(&mut self, role: Role, out: &mut [u8]) -> Result<(), RandomnessError> {
        let count = self.drawn.entry(role).or_default();
        for (block, chunk) in out.chunks_mut(32).enumerate() {
            let name = format!("{} {role:?} {count} {block}", self.seed);
            chunk.copy_from_slice(&Sha256::digest(name)[..chunk.len()]);
        }
        *count += 1;
        Ok(())
    }
}

/// A source that fails.
pub(crate) struct NoRandomness;

impl Randomness for NoRandomness {
    fn fill(&mut self, _: Role, _: &mut [u8]) -> Result<(), RandomnessError> {
        Err(RandomnessError)
    }
}

/// A device: its identity and the prekeys that its bundle names.
pub(crate) struct Device {
    pub(crate) version: Version,
    pub(crate) identity: IdentityKeyPair,
    pub(crate) signed_pre_key: SignedPreKeyPair,
    pub(crate) pre_keys: Vec<PreKeyPair>,
    pub(crate) rng: FixedRandomness,
}

impl Device {
    pub(crate) fn new(version: Version, name: &str) -> Self {
        let mut rng = FixedRandomness::new(name);
        let identity = IdentityKeyPair::generate(&mut rng).unwrap();
        let id = SignedPreKeyId::parse(7).unwrap();
        let signed_pre_key = SignedPreKeyPair::generate(version, &identity, id, &mut rng).unwrap();
        let pre_keys = (1..=3)
            .map(|id| PreKeyPair::generate(PreKeyId::parse(id).unwrap(), &mut rng).unwrap())
            .collect();
        Self {
            version,
            identity,
            signed_pre_key,
            pre_keys,
            rng,
        }
    }

    pub(crate) fn bundle(&self) -> Bundle {
        Bundle::publish(
            self.version,
            self.identity.public(),
            &self.signed_pre_key,
            &self.pre_keys,
        )
    }

    pub(crate) fn pre_key(&self, id: PreKeyId) -> &PreKeyPair {
        self.pre_keys.iter().find(|key| key.id() == id).unwrap()
    }

    /// A session with the owner of this bundle.
    pub(crate) fn initiate(&mut self, bundle: &Bundle) -> Peer {
        let bundle = bundle.verify(self.version).unwrap();
        let session =
            Session::initiate(self.version, &self.identity, 27183, &bundle, &mut self.rng).unwrap();
        Peer::new(session, self.rng.clone())
    }

    /// A session from this key exchange, and the first plaintext.
    pub(crate) fn respond(&mut self, bytes: &[u8]) -> Result<(Peer, Vec<u8>), SessionError> {
        let exchange = key_exchange(self.version, bytes);
        let mut rng = self.rng.clone();
        let (session, opened) = Session::respond(
            self.version,
            &self.identity,
            &self.signed_pre_key,
            self.pre_key(exchange.pre_key_id()),
            &exchange,
            &mut rng,
        )?;
        self.rng = rng.clone();
        let mut peer = Peer::new(session, rng);
        let (plaintext, step) = opened.into_parts();
        peer.apply(step);
        Ok((peer, plaintext.to_vec()))
    }
}

/// The skipped keys that a store would keep.
type Skipped = BTreeMap<(PublicKey, u32), [u8; 32]>;

/// One side of a conversation: the session and what a store keeps beside it.
pub(crate) struct Peer {
    pub(crate) session: Session,
    pub(crate) skipped: Skipped,
    pub(crate) rng: FixedRandomness,
}

impl Peer {
    pub(crate) fn new(session: Session, rng: FixedRandomness) -> Self {
        Self {
            session,
            skipped: BTreeMap::new(),
            rng,
        }
    }

    pub(crate) fn send(&mut self, plaintext: &[u8]) -> Sealed {
        self.session.seal(plaintext).unwrap()
    }

    /// Opens and applies, with whatever skipped key the store has; true second when a heartbeat is due.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<(Vec<u8>, bool), OpenError> {
        let message = message(self.session.version(), bytes);
        let name = (*message.ratchet_key(), message.number());
        let key = self.skipped.get(&name).copied().map(MessageKey::from_bytes);
        let opened = self.session.open(&message, key, &mut self.rng)?;
        let heartbeat_due = opened.heartbeat_due();
        let (plaintext, step) = opened.into_parts();
        if step.used_skipped() {
            self.skipped.remove(&name);
        }
        self.apply(step);
        Ok((plaintext.to_vec(), heartbeat_due))
    }

    fn apply(&mut self, step: Step) {
        for key in self.session.apply(step) {
            self.skipped
                .insert((key.ratchet_key, key.number), *key.key.to_bytes());
        }
    }

    /// Through the stored form and back.
    pub(crate) fn restore(&mut self) {
        self.session = Session::from_bytes(&self.session.to_bytes()).unwrap();
    }

    pub(crate) fn state(&self) -> (Vec<u8>, Skipped) {
        (self.session.to_bytes().to_vec(), self.skipped.clone())
    }
}

/// The message in these bytes, alone or inside its key exchange.
pub(crate) fn message(version: Version, bytes: &[u8]) -> RatchetMessage {
    match Inbound::parse(version, bytes).unwrap() {
        Inbound::KeyExchange(exchange) => exchange.message().clone(),
        Inbound::Message(message) => message,
    }
}

pub(crate) fn key_exchange(version: Version, bytes: &[u8]) -> KeyExchange {
    match Inbound::parse(version, bytes).unwrap() {
        Inbound::KeyExchange(exchange) => exchange,
        Inbound::Message(_) => panic!("a key exchange was expected"),
    }
}

/// Two devices, and the sessions after the first message has arrived.
pub(crate) fn conversation(version: Version) -> (Peer, Peer) {
    let mut juliet = Device::new(version, "juliet");
    let mut romeo = Device::new(version, "romeo");
    let mut to_romeo = juliet.initiate(&romeo.bundle());
    let (to_juliet, _) = romeo.respond(&to_romeo.send(b"first").bytes).unwrap();
    (to_romeo, to_juliet)
}

/// The same, after an answer: neither side repeats the key exchange.
pub(crate) fn established(version: Version) -> (Peer, Peer) {
    let (mut juliet, mut romeo) = conversation(version);
    juliet.receive(&romeo.send(b"second").bytes).unwrap();
    (juliet, romeo)
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

pub(crate) fn unhex32(text: &str) -> [u8; 32] {
    unhex(text).try_into().unwrap()
}

/// Just enough protobuf to take frames apart and build wrong ones.
pub(crate) mod proto {
    /// A field: its number, and its raw value as a number or bytes.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) enum Field {
        Number(u8, u64),
        Bytes(u8, Vec<u8>),
    }

    impl Field {
        pub(crate) fn id(&self) -> u8 {
            match self {
                Self::Number(id, _) | Self::Bytes(id, _) => *id,
            }
        }
    }

    fn read_varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        value
    }

    fn write_varint(mut value: u64, out: &mut Vec<u8>) {
        while value > 0x7f {
            out.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        out.push(value.to_le_bytes()[0]);
    }

    pub(crate) fn read(mut bytes: &[u8]) -> Vec<Field> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = read_varint(&mut bytes).to_le_bytes()[0];
            let value = read_varint(&mut bytes);
            fields.push(match key & 7 {
                0 => Field::Number(key >> 3, value),
                2 => {
                    let (content, rest) = bytes.split_at(usize::try_from(value).unwrap());
                    bytes = rest;
                    Field::Bytes(key >> 3, content.to_vec())
                }
                other => panic!("wire type {other}"),
            });
        }
        fields
    }

    pub(crate) fn write(fields: &[Field]) -> Vec<u8> {
        let mut out = Vec::new();
        for field in fields {
            match field {
                Field::Number(id, value) => {
                    write_varint(u64::from(*id) << 3, &mut out);
                    write_varint(*value, &mut out);
                }
                Field::Bytes(id, content) => {
                    write_varint(u64::from(*id) << 3 | 2, &mut out);
                    write_varint(content.len().try_into().unwrap(), &mut out);
                    out.extend_from_slice(content);
                }
            }
        }
        out
    }
}

/// A message with any header, whose tag is wrong.
pub(crate) fn forged(
    version: Version,
    ratchet_key: &PublicKey,
    number: u32,
    previous: u32,
) -> Vec<u8> {
    use proto::Field::{Bytes, Number};
    let ciphertext = vec![0; 64];
    match version {
        Version::Omemo2 => proto::write(&[
            Bytes(1, vec![0; 16]),
            Bytes(
                2,
                proto::write(&[
                    Number(1, number.into()),
                    Number(2, previous.into()),
                    Bytes(3, ratchet_key.as_bytes().to_vec()),
                    Bytes(4, ciphertext),
                ]),
            ),
        ]),
        Version::Legacy => {
            let message = proto::write(&[
                Bytes(1, [&[5][..], ratchet_key.as_bytes()].concat()),
                Number(2, number.into()),
                Number(3, previous.into()),
                Bytes(4, ciphertext),
            ]);
            [&[0x33][..], &message, &[0; 8]].concat()
        }
    }
}

/// Where the stored form keeps a session's numbers.
pub(crate) const SENDING_NEXT: usize = 259;
pub(crate) const SENDING_PREVIOUS: usize = 263;
pub(crate) const RECEIVING_NEXT: usize = 331;

/// Overwrites a number in a session's stored form.
pub(crate) fn patch(session: &Session, at: usize, number: u32) -> Session {
    let mut bytes = session.to_bytes().to_vec();
    bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
    Session::from_bytes(&bytes).unwrap()
}
