//! OMEMO's cryptography: identity keys, XEdDSA, X3DH and the Double Ratchet for omemo:2 and legacy.
#![warn(missing_docs)]

mod bundle;
mod chain_key;
mod error;
mod fingerprint;
mod framing;
#[cfg(feature = "hazmat")]
pub mod hazmat;
mod identity;
mod kdf;
mod message_key;
pub mod payload;
mod pre_key;
mod public_key;
mod randomness;
mod root_key;
mod secret;
mod session;
mod suite;
mod x3dh;
mod xeddsa;

pub use bundle::{Bundle, VerifiedBundle};
pub use error::{
    BundleError, FingerprintError, FrameError, IdError, KeyError, NonContributory, OpenError, PayloadError,
    RandomnessError, SessionError, SignatureError,
};
pub use fingerprint::Fingerprint;
pub use framing::{Inbound, KeyExchange, RatchetMessage};
pub use identity::{IdentityKey, IdentityKeyPair};
pub use message_key::MessageKey;
pub use pre_key::{PreKeyId, PreKeyPair, SignedPreKeyId, SignedPreKeyPair};
pub use public_key::PublicKey;
pub use randomness::{Randomness, Role, SystemRandomness};
pub use session::{Opened, Sealed, Session, SkippedKey, Step};
pub use suite::{Suite, Version};
