//! What can be asked of an implementation of OMEMO, and what it may answer.

use omemo_ratchet::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Something that implements OMEMO, as far as it goes: this project's library ([`Ours`](crate::Ours)), or another one
/// behind a program ([`Shim`](crate::Shim)).
pub trait Implementation {
    /// Performs one operation.
    ///
    /// # Errors
    ///
    /// [`Broken`] when there is no answer at all: then nothing more can be asked of it.
    fn perform(&mut self, request: &Request) -> Result<Answer, Broken>;
}

/// The implementation, or the program in front of it, failed in a way that is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// The program could not be started.
    #[error("the program {command:?} cannot be started: {error}")]
    Start {
        /// Its command line.
        command: String,
        /// Why.
        error: std::io::Error,
    },
    /// The program ended, or closed its input or output.
    #[error("the program {command:?} ended before it answered {operation}")]
    Ended {
        /// Its command line.
        command: String,
        /// What it was asked.
        operation: Operation,
    },
    /// The program took longer than anything here can take.
    #[error("the program {command:?} did not answer {operation} within {seconds} s")]
    Silent {
        /// Its command line.
        command: String,
        /// What it was asked.
        operation: Operation,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The program wrote something that is no answer.
    #[error("the program {command:?} wrote something that is no answer: {line}")]
    Answer {
        /// Its command line.
        command: String,
        /// The line.
        line: String,
    },
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a value that others build")]
pub struct Request {
    /// What to do.
    pub operation: Operation,
    /// In which protocol.
    pub protocol: Version,
    /// With what; PROTOCOL.md names the fields.
    pub input: Map<String, Value>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "the protocol knows these three")]
pub enum Answer {
    /// It was done, with this outcome.
    Output(Map<String, Value>),
    /// The input was rejected, for this reason.
    Refused(String),
    /// The implementation has no such function.
    Unsupported(String),
}

/// The protocols as they are named in files and on the line.
pub(crate) mod protocol {
    use omemo_ratchet::Version;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        version: &Version,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(omemo::short_name(*version))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Version, D::Error> {
        let name = String::deserialize(deserializer)?;
        Version::ALL
            .into_iter()
            .find(|version| omemo::short_name(*version) == name)
            .ok_or_else(|| serde::de::Error::custom(format!("{name:?} is no protocol")))
    }
}

/// What can be asked. PROTOCOL.md says what each takes and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Operation {
    /// Who are you?
    Hello,
    /// The public key of a secret.
    PublicKey,
    /// X25519.
    DiffieHellman,
    /// A key other than an identity key, from the wire.
    DecodeKey,
    /// An identity key, from the wire.
    DecodeIdentity,
    /// The identity key of a secret, for the wire.
    EncodeIdentity,
    /// XEdDSA with a given nonce.
    Sign,
    /// A signature as bundles hold it.
    Verify,
    /// X3DH of who begins.
    X3dhInitiate,
    /// X3DH of who answers.
    X3dhRespond,
    /// `KDF_RK`.
    RootStep,
    /// `KDF_CK`.
    ChainStep,
    /// What a message key expands to.
    MessageKeys,
    /// A message under a given message key, sealed.
    SealMessage,
    /// A message under a given message key, opened.
    OpenMessage,
    /// A payload, sealed.
    SealPayload,
    /// A payload, opened.
    OpenPayload,
    /// What the ratchet carries where there is no payload.
    OpenEmpty,
    /// `<bundle/>`.
    ParseBundle,
    /// `<devices/>` or `<list/>`.
    ParseDevices,
    /// `<encrypted/>`.
    ParseMessage,
    /// `<envelope/>` (XEP-0420).
    ParseEnvelope,
    /// A new device.
    Device,
    /// A session with the owner of a bundle.
    Initiate,
    /// A message to a peer.
    Seal,
    /// A message from a peer.
    Open,
    /// Everything into bytes, and back.
    Restart,
    /// A further signed prekey, the current one from now on.
    AddSignedPreKey,
    /// A signed prekey whose time is over.
    ForgetSignedPreKey,
    /// A prekey that has served.
    ForgetPreKey,
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}
