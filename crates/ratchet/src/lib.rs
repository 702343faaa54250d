//! OMEMO's cryptography: identity keys, XEdDSA, X3DH and the Double Ratchet, for `urn:xmpp:omemo:2` and the legacy
//! protocol `eu.siacs.conversations.axolotl`.
//!
//! This crate turns key material and bytes into bytes. It knows no JID, no XML, no storage and no clock, decides
//! nothing about trust, and keeps nothing: whoever uses it stores what it is given. Applications want the crate
//! `omemo`, which does all that.
//!
//! # Two devices talk
//!
//! ```
//! use omemo_ratchet::{
//!     Bundle, IdentityKeyPair, Inbound, PreKeyId, PreKeyPair, Session, SignedPreKeyId, SignedPreKeyPair, SystemRandomness,
//!     Version, payload,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rng = &mut SystemRandomness;
//! for version in Version::ALL {
//!     // Romeo publishes a bundle.
//!     let romeo = IdentityKeyPair::generate(rng)?;
//!     let signed_pre_key = SignedPreKeyPair::generate(version, &romeo, SignedPreKeyId::parse(1)?, rng)?;
//!     let pre_key = PreKeyPair::generate(PreKeyId::parse(1)?, rng)?;
//!     let bundle = Bundle::publish(version, romeo.public(), &signed_pre_key, std::slice::from_ref(&pre_key));
//!
//!     // Juliet, whose device id is 27183, verifies it and writes. The payload is encrypted once, its key for each device.
//!     let juliet = IdentityKeyPair::generate(rng)?;
//!     let mut to_romeo = Session::initiate(version, &juliet, 27183, &bundle.verify(version)?, rng)?;
//!     let sealed = payload::seal(version, b"Wherefore art thou?", rng)?;
//!     let message = to_romeo.seal(sealed.key.as_bytes())?;
//!     assert!(message.is_key_exchange);
//!
//!     // Romeo finds the prekeys that the key exchange names, and reads.
//!     let Inbound::KeyExchange(key_exchange) = Inbound::parse(version, &message.bytes)? else { panic!() };
//!     assert_eq!(key_exchange.pre_key_id(), pre_key.id());
//!     let (mut to_juliet, opened) =
//!         Session::respond(version, &romeo, &signed_pre_key, &pre_key, &key_exchange, rng)?;
//!     let text = payload::open(version, opened.plaintext(), sealed.iv.as_deref(), &sealed.ciphertext)?;
//!     assert_eq!(text.as_slice(), b"Wherefore art thou?");
//!
//!     // Romeo answers. Juliet opens the message, and only then lets it into the session.
//!     let answer = to_juliet.seal(b"thirty-two or more bytes of keys")?;
//!     let Inbound::Message(message) = Inbound::parse(version, &answer.bytes)? else { panic!() };
//!     let (plaintext, step) = to_romeo.open(&message, None, rng)?.into_parts();
//!     assert_eq!(plaintext.as_slice(), b"thirty-two or more bytes of keys");
//!     let skipped = to_romeo.apply(step);
//!     assert!(skipped.is_empty(), "nothing was lost, so there is no key to store");
//!     assert!(!to_romeo.awaits_answer());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Architecture
//!
//! From the bottom up: [`PublicKey`] and [`IdentityKey`] parse what is received, once, and refuse what no honest device
//! sends. `xeddsa` signs and verifies. `x3dh` makes the first root key out of a [`VerifiedBundle`] or a
//! [`KeyExchange`]; `root_key`, `chain_key` and [`MessageKey`] are the three key derivations of the Double Ratchet; a
//! [`Session`] puts them together. `framing` turns messages into bytes, and [`payload`] encrypts what the messages
//! carry the key of. Each file says its formula and its section of XEP-0384.
//!
//! What differs between the two protocols stands in one table, [`Suite`], with a row per [`Version`]: constants, and
//! two small traits for framing and payload. No other code asks for the version. The two differ in nothing that
//! happens in a session's life, so every test of that runs over [`Version::ALL`].
//!
//! Randomness is drawn by [`Role`], so that tests answer each draw by name. The feature `hazmat` opens the layers
//! below `Session` for test vectors and benches; it changes nothing else, and no feature or `cfg` switches a check
//! off.

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
    BundleError, FingerprintError, FrameError, IdError, KeyError, NonContributory, OpenError,
    PayloadError, RandomnessError, SessionError, SignatureError,
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
