//! What can go wrong, sorted by what was being done.
//!
//! No error carries key material, plaintext or an upstream crate's type, so all of them may be logged. Each says one
//! thing only: a caller never has to read its text to decide what to do.

use thiserror::Error;

/// The source of randomness failed. Every implementation of [`Randomness`](crate::Randomness) may say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the source of randomness failed")]
#[expect(
    clippy::exhaustive_structs,
    reason = "implementations of the trait construct it"
)]
pub struct RandomnessError;

/// Bytes that should be a public key are not an acceptable one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not the length that a key of this kind has.
    #[error("a public key of the wrong length")]
    Length,
    /// A legacy key that does not start with the type byte 0x05.
    #[error("a public key of unknown type")]
    Type,
    /// A second encoding of a value that has a shorter or smaller one. (A6)
    #[error("a public key in a non-canonical encoding")]
    NonCanonical,
    /// An identity key that is not on the curve, or is on its twist.
    #[error("a public key that is not on the curve")]
    NotOnCurve,
    /// One of the few points for which every Diffie-Hellman output is known. (A5)
    #[error("a public key of small order")]
    SmallOrder,
    /// A point with a small-order component, which has several equivalent twins. (A6)
    #[error("a public key outside the prime-order group")]
    Torsion,
}

/// A number that is not a valid prekey id (0 to 2³¹ − 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a prekey id out of range")]
#[non_exhaustive]
pub struct IdError;

/// Text that is not a fingerprint of 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a fingerprint is 64 hexadecimal digits")]
#[non_exhaustive]
pub struct FingerprintError;

/// A signature that does not verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the signature does not verify")]
#[non_exhaustive]
pub struct SignatureError;

/// A Diffie-Hellman result was zero: the other key contributed nothing. (A5)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a Diffie-Hellman result without contribution from the peer")]
#[non_exhaustive]
pub struct NonContributory;

/// A bundle is not fit for building a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The identity key is unusable.
    #[error("the bundle's identity key: {0}")]
    IdentityKey(KeyError),
    /// The signed prekey is unusable.
    #[error("the bundle's signed prekey: {0}")]
    SignedPreKey(KeyError),
    /// The signed prekey's id is out of range.
    #[error("the bundle's signed prekey has an id out of range")]
    SignedPreKeyId,
    /// The signed prekey is not signed by the identity key.
    #[error("the bundle's signed prekey is not signed by its identity key")]
    Signature,
    /// Not one usable prekey.
    #[error("the bundle has no usable prekey")]
    NoPreKey,
}

/// Received bytes are not a message or key exchange of this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// No bytes at all, or fewer than the fixed parts need.
    #[error("the message is too short")]
    Truncated,
    /// A legacy version byte other than 0x33.
    #[error("the message has an unknown version")]
    UnknownVersion,
    /// Not protobuf, or a field of the wrong type.
    #[error("the message is not valid protobuf")]
    Protobuf,
    /// Neither a key exchange nor a message by its distinguishing field.
    #[error("neither a key exchange nor a message")]
    Unrecognised,
    /// A field without which the message means nothing is absent. Holds the field's name in the schema.
    #[error("the field {0} is missing")]
    MissingField(&'static str),
    /// A key exchange that uses no prekey. (A2)
    #[error("a key exchange without a prekey")]
    NoPreKey,
    /// A prekey id out of range. Holds the field's name in the schema.
    #[error("the field {0} is out of range")]
    Id(&'static str),
    /// The authentication tag has not the protocol's length.
    #[error("the authentication tag has the wrong length")]
    MacLength,
    /// A key in the message is unusable. Holds the field's name in the schema.
    #[error("the field {0}: {1}")]
    Key(&'static str, KeyError),
}

/// A session could not be built, used for sending, or restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// Caller: parts of different protocols were put together.
    #[error("parts of different protocol versions")]
    Version,
    /// Caller: not the prekey that the key exchange names.
    #[error("not the prekey that the key exchange names")]
    PreKey,
    /// Caller: not the signed prekey that the key exchange names.
    #[error("not the signed prekey that the key exchange names")]
    SignedPreKey,
    /// Peer: the ephemeral key is unusable.
    #[error("the key exchange's ephemeral key: {0}")]
    EphemeralKey(KeyError),
    /// Peer: none of the bundle's prekeys is usable after all.
    #[error("the bundle has no usable prekey")]
    NoPreKey,
    /// Peer: a Diffie-Hellman result was zero.
    #[error(transparent)]
    NonContributory(#[from] NonContributory),
    /// Peer: the message inside the key exchange does not open.
    #[error("the message inside the key exchange: {0}")]
    Open(#[from] OpenError),
    /// The sending chain has used all of its 2³² − 1 numbers.
    #[error("the sending chain is exhausted")]
    Exhausted,
    /// Stored bytes are not a session of a layout that this version knows.
    #[error("stored bytes are not a session")]
    Stored,
    /// The source of randomness failed.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

/// A received message does not open. The session is as it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Caller: a message of another protocol than the session's.
    #[error("a message of another protocol version")]
    Version,
    /// The chain is already past this number and the key was not kept: a duplicate, or too old.
    #[error("the message key was already used")]
    AlreadyUsed,
    /// The message would skip more keys than one message may. (A16)
    #[error("the message is too far ahead")]
    TooFarAhead,
    /// The receiving chain has no number left.
    #[error("the receiving chain is exhausted")]
    Exhausted,
    /// A Diffie-Hellman result was zero.
    #[error(transparent)]
    NonContributory(#[from] NonContributory),
    /// The authentication tag is wrong: not from this peer, not for this session, or altered.
    #[error("the authentication tag is wrong")]
    Mac,
    /// Authentic, and yet not a ciphertext of the cipher: the peer is at fault.
    #[error("an authentic message with a malformed ciphertext")]
    Ciphertext,
    /// The source of randomness failed.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

/// A payload could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The key that came through the ratchet has not the length that the protocol demands. (A1)
    #[error("the payload key has the wrong length")]
    KeyLength,
    /// A legacy payload without initialisation vector.
    #[error("the initialisation vector is missing")]
    MissingIv,
    /// A legacy initialisation vector of neither 12 nor 16 bytes.
    #[error("the initialisation vector has the wrong length")]
    IvLength,
    /// The payload's authentication tag is wrong: it is not what the sender encrypted.
    #[error("the payload's authentication tag is wrong")]
    Mac,
    /// Authentic, and yet not a ciphertext of the cipher, or longer than the cipher can take.
    #[error("a malformed payload ciphertext")]
    Ciphertext,
    /// The source of randomness failed.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}
