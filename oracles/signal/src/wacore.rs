//! wacore-libsignal: what became of Signal's Rust library in a WhatsApp client.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Display;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rand::rand_core::{TryCryptoRng, TryRng};
use wacore_libsignal::protocol::{
    CiphertextMessage, CiphertextMessageType, DeviceId, Direction, GenericSignedPreKey as _,
    IdentityChange, IdentityKey, IdentityKeyPair, IdentityKeyStore, KeyPair, PreKeyBundle,
    PreKeyId, PreKeyRecord, PreKeySignalMessage, PreKeyStore, PrivateKey, ProtocolAddress,
    PublicKey, SessionRecord, SessionStore, SignalMessage, SignalProtocolError, SignedPreKeyId,
    SignedPreKeyRecord, SignedPreKeyStore, Timestamp, UsePQRatchet, message_decrypt,
    message_encrypt, process_prekey_bundle,
};

use crate::device::{Bundle, Chance, Keys, Oracle, Refusal, Sealed, Secret};

type Stored<T> = Result<T, SignalProtocolError>;

/// A device of the library, with the stores that it wants.
pub struct Wacore {
    keys: Own,
    sessions: Sessions,
    identities: Identities,
}

impl Oracle for Wacore {
    const NAME: (&str, &str) = ("wacore-libsignal", "0.7.0");

    fn new(keys: Keys) -> Result<Self, Refusal> {
        let pair = pair(&keys.identity_secret).map_err(words)?;
        let identities = Identities {
            own: IdentityKeyPair::new(IdentityKey::new(pair.public_key), pair.private_key),
            registration_id: keys.device_id,
            known: BTreeMap::new(),
        };
        Ok(Self {
            keys: Own(keys),
            sessions: Sessions::default(),
            identities,
        })
    }

    fn keys(&mut self) -> &mut Keys {
        &mut self.keys.0
    }

    fn initiate(&mut self, peer: &str, bundle: &Bundle, randomness: Chance) -> Result<(), Refusal> {
        let bundle = PreKeyBundle::new(
            // The peer's own; nothing reads it.
            0,
            DeviceId::from(1),
            Some((
                PreKeyId::from(bundle.pre_key_id),
                PublicKey::deserialize(&bundle.pre_key).map_err(words)?,
            )),
            SignedPreKeyId::from(bundle.signed_pre_key_id),
            PublicKey::deserialize(&bundle.signed_pre_key).map_err(words)?,
            bundle.signature.clone(),
            IdentityKey::decode(&bundle.identity_key).map_err(words)?,
        )
        .map_err(words)?;
        ready(process_prekey_bundle(
            &address(peer),
            &mut self.sessions,
            &mut self.identities,
            &bundle,
            &mut Source(randomness),
            UsePQRatchet::No,
        ))
        .map_err(words)?;
        Ok(())
    }

    fn seal(&mut self, peer: &str, plaintext: &[u8]) -> Result<Sealed, Refusal> {
        let message = ready(message_encrypt(
            plaintext,
            &address(peer),
            &mut self.sessions,
            &mut self.identities,
        ))
        .map_err(words)?;
        Ok(Sealed {
            frame: message.serialize().to_vec(),
            key_exchange: message.message_type() == CiphertextMessageType::PreKey,
        })
    }

    fn open(&mut self, peer: &str, frame: &[u8], randomness: Chance) -> Result<Vec<u8>, Refusal> {
        // What begins a key exchange is a varint, what begins a message is a key: no frame can be read as both.
        let message = match PreKeySignalMessage::try_from(frame) {
            Ok(exchange) => CiphertextMessage::PreKeySignalMessage(exchange),
            Err(_) => {
                CiphertextMessage::SignalMessage(SignalMessage::try_from(frame).map_err(words)?)
            }
        };
        let keys = &self.keys;
        let opened = ready(message_decrypt(
            &message,
            &address(peer),
            &mut self.sessions,
            &mut self.identities,
            &mut Own(keys.0.clone()),
            keys,
            &mut Source(randomness),
            UsePQRatchet::No,
        ))
        .map_err(words)?;
        Ok(opened.plaintext)
    }

    fn restart(self) -> Result<Self, Refusal> {
        let written: Result<Vec<_>, _> = self
            .sessions
            .0
            .into_iter()
            .map(|(peer, session)| Ok((peer, session.serialize()?)))
            .collect();
        let known: Vec<_> = self
            .identities
            .known
            .into_iter()
            .map(|(peer, key)| (peer, key.serialize()))
            .collect();
        let mut device = Self::new(self.keys.0)?;
        for (peer, session) in written.map_err(|error: SignalProtocolError| words(error))? {
            let session = SessionRecord::deserialize(&session).map_err(words)?;
            device.sessions.0.insert(peer, session);
        }
        for (peer, key) in known {
            let key = IdentityKey::decode(&key).map_err(words)?;
            device.identities.known.insert(peer, key);
        }
        Ok(device)
    }

    fn public_key(secret: &Secret) -> Result<Vec<u8>, Refusal> {
        Ok(pair(secret).map_err(words)?.public_key.serialize().to_vec())
    }

    fn verify(identity_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        let key = PublicKey::deserialize(identity_key).map_err(words)?;
        if key.verify_signature(message, signature) {
            Ok(())
        } else {
            Err("the signature does not verify".to_owned())
        }
    }
}

fn words(error: impl Display) -> Refusal {
    error.to_string()
}

fn address(peer: &str) -> ProtocolAddress {
    ProtocolAddress::new(peer, DeviceId::from(1))
}

fn pair(secret: &Secret) -> Stored<KeyPair> {
    Ok(KeyPair::try_from(PrivateKey::deserialize(secret)?)?)
}

/// The library is asynchronous for stores that are; ours never wait.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

/// Given randomness where the library wants a generator.
struct Source(Chance);

impl TryRng for Source {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Source {}

/// Our prekeys.
struct Own(Keys);

#[async_trait::async_trait]
impl PreKeyStore for Own {
    async fn get_pre_key(&self, id: PreKeyId) -> Stored<PreKeyRecord> {
        let secret = self.0.pre_keys.get(&id.into());
        let secret = secret.ok_or(SignalProtocolError::InvalidPreKeyId)?;
        Ok(PreKeyRecord::new(id, &pair(secret)?))
    }

    async fn save_pre_key(&mut self, _: PreKeyId, _: &PreKeyRecord) -> Stored<()> {
        Ok(())
    }

    /// Not before `forget-pre-key` says so.
    async fn remove_pre_key(&mut self, _: PreKeyId) -> Stored<()> {
        Ok(())
    }
}

#[async_trait::async_trait]
impl SignedPreKeyStore for Own {
    async fn get_signed_pre_key(&self, id: SignedPreKeyId) -> Stored<SignedPreKeyRecord> {
        let key = self.0.signed_pre_keys.get(&id.into());
        let key = key.ok_or(SignalProtocolError::InvalidSignedPreKeyId)?;
        Ok(SignedPreKeyRecord::new(
            id,
            Timestamp::from_epoch_millis(0),
            &pair(&key.secret)?,
            &key.signature,
        ))
    }

    async fn save_signed_pre_key(
        &mut self,
        _: SignedPreKeyId,
        _: &SignedPreKeyRecord,
    ) -> Stored<()> {
        Ok(())
    }
}

/// One record a peer, which holds all sessions with it.
#[derive(Default)]
struct Sessions(BTreeMap<String, SessionRecord>);

#[async_trait::async_trait]
impl SessionStore for Sessions {
    async fn load_session(&self, address: &ProtocolAddress) -> Stored<Option<SessionRecord>> {
        Ok(self.0.get(address.name()).cloned())
    }

    async fn has_session(&self, address: &ProtocolAddress) -> Stored<bool> {
        Ok(self.0.contains_key(address.name()))
    }

    async fn store_session(
        &mut self,
        address: &ProtocolAddress,
        record: SessionRecord,
    ) -> Stored<()> {
        self.0.insert(address.name().to_owned(), record);
        Ok(())
    }
}

/// Our own identity key, and the first one that each peer had.
struct Identities {
    own: IdentityKeyPair,
    registration_id: u32,
    known: BTreeMap<String, IdentityKey>,
}

#[async_trait::async_trait]
impl IdentityKeyStore for Identities {
    async fn get_identity_key_pair(&self) -> Stored<IdentityKeyPair> {
        Ok(self.own.clone())
    }

    async fn get_local_registration_id(&self) -> Stored<u32> {
        Ok(self.registration_id)
    }

    async fn save_identity(
        &mut self,
        address: &ProtocolAddress,
        identity: &IdentityKey,
    ) -> Stored<IdentityChange> {
        self.known
            .entry(address.name().to_owned())
            .or_insert(*identity);
        Ok(IdentityChange::NewOrUnchanged)
    }

    async fn is_trusted_identity(
        &self,
        address: &ProtocolAddress,
        identity: &IdentityKey,
        _: Direction,
    ) -> Stored<bool> {
        Ok(self
            .known
            .get(address.name())
            .is_none_or(|known| known == identity))
    }

    async fn get_identity(&self, address: &ProtocolAddress) -> Stored<Option<IdentityKey>> {
        Ok(self.known.get(address.name()).copied())
    }
}
