//! What a library has to do to be an oracle.

use std::collections::{BTreeMap, VecDeque};

/// A refusal, in the library's words.
pub type Refusal = String;

/// A secret, as X25519 takes it.
pub type Secret = [u8; 32];

/// What a device has before it meets anybody.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    pub identity_secret: Secret,
    /// Which is the registration id, too.
    pub device_id: u32,
    pub signed_pre_keys: BTreeMap<u32, SignedPreKey>,
    pub pre_keys: BTreeMap<u32, Secret>,
}

/// A signed prekey of our own.
#[derive(Clone, Debug)]
pub struct SignedPreKey {
    pub secret: Secret,
    pub signature: Vec<u8>,
}

/// What a peer has published, of which one prekey has been chosen. Public keys are 33 bytes.
#[derive(Debug)]
pub struct Bundle {
    pub identity_key: Vec<u8>,
    pub signed_pre_key_id: u32,
    pub signed_pre_key: Vec<u8>,
    pub signature: Vec<u8>,
    pub pre_key_id: u32,
    pub pre_key: Vec<u8>,
}

/// A frame that was sealed.
#[derive(Debug)]
pub struct Sealed {
    pub frame: Vec<u8>,
    pub key_exchange: bool,
}

/// A device of one library.
///
/// `randomness` is what the operation draws, in the order in which it is drawn.
pub trait Oracle: Sized {
    /// Name and version.
    const NAME: (&str, &str);

    fn new(keys: Keys) -> Result<Self, Refusal>;
    /// The keys, to be changed.
    fn keys(&mut self) -> &mut Keys;
    fn initiate(&mut self, peer: &str, bundle: &Bundle, randomness: Chance) -> Result<(), Refusal>;
    fn seal(&mut self, peer: &str, plaintext: &[u8]) -> Result<Sealed, Refusal>;
    fn open(&mut self, peer: &str, frame: &[u8], randomness: Chance) -> Result<Vec<u8>, Refusal>;
    /// Writes everything into bytes, drops everything, reads it back.
    fn restart(self) -> Result<Self, Refusal>;

    /// The 33 bytes of a public key.
    fn public_key(secret: &Secret) -> Result<Vec<u8>, Refusal>;
    /// Both keys are 33 bytes.
    fn verify(identity_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Refusal>;
}

/// Random bytes that were given; where none fit, the system's.
#[derive(Debug, Default)]
pub struct Chance {
    given: VecDeque<Secret>,
    /// Whether the last one is given again and again: of several sessions that are tried with a message, each draws, and
    /// the one that can read it keeps what it drew.
    repeats: bool,
}

impl Chance {
    /// Draws these, one after another.
    pub fn once(secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self {
            given: secrets.into_iter().collect(),
            repeats: false,
        }
    }

    /// Draws the last of these as often as is asked.
    pub fn repeated(secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self {
            repeats: true,
            ..Self::once(secrets)
        }
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        if let Ok(bytes) = <&mut Secret>::try_from(&mut *bytes)
            && let Some(given) = self.next()
        {
            *bytes = given;
            return;
        }
        getrandom::fill(bytes).expect("the system has randomness");
    }

    fn next(&mut self) -> Option<Secret> {
        if self.repeats && self.given.len() == 1 {
            self.given.front().copied()
        } else {
            self.given.pop_front()
        }
    }
}
