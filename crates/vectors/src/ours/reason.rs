//! The names of reasons, from the library's errors. They stand in the vectors, and in the schema.

use omemo_ratchet::{
    BundleError, FrameError, KeyError, NonContributory, OpenError, PayloadError, RandomnessError,
    SessionError, SignatureError,
};

use super::Refusal;

/// A randomness that was not given, or an error that this version of the library has and this file does not know.
fn unknown(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::Request(error.to_string())
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        Self::Reason(match error {
            KeyError::Length => "key-length",
            KeyError::Type => "key-type",
            KeyError::NonCanonical => "key-not-canonical",
            KeyError::NotOnCurve => "key-not-on-curve",
            KeyError::SmallOrder => "key-of-small-order",
            KeyError::Torsion => "key-outside-group",
            other => return unknown(&other),
        })
    }
}

impl From<RandomnessError> for Refusal {
    fn from(_: RandomnessError) -> Self {
        Self::Request("the random bytes that this draws are not given".into())
    }
}

impl From<NonContributory> for Refusal {
    fn from(_: NonContributory) -> Self {
        Self::Reason("no-contribution")
    }
}

impl From<SignatureError> for Refusal {
    fn from(_: SignatureError) -> Self {
        Self::Reason("signature")
    }
}

impl From<FrameError> for Refusal {
    fn from(error: FrameError) -> Self {
        Self::Reason(match error {
            FrameError::Truncated => "truncated",
            FrameError::UnknownVersion => "message-version",
            FrameError::Protobuf => "protobuf",
            FrameError::Unrecognised => "unrecognised",
            FrameError::MissingField(_) => "missing-field",
            FrameError::NoPreKey => "no-prekey",
            FrameError::Id(_) => "id-out-of-range",
            FrameError::MacLength => "mac-length",
            FrameError::Key(_, error) => return error.into(),
            other => return unknown(&other),
        })
    }
}

impl From<OpenError> for Refusal {
    fn from(error: OpenError) -> Self {
        Self::Reason(match error {
            OpenError::AlreadyUsed => "already-used",
            OpenError::TooFarAhead => "too-far-ahead",
            OpenError::Exhausted => "chain-exhausted",
            OpenError::NonContributory(error) => return error.into(),
            OpenError::Mac => "mac",
            OpenError::Ciphertext => "ciphertext",
            OpenError::Randomness(error) => return error.into(),
            other => return unknown(&other),
        })
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::EphemeralKey(error) => error.into(),
            SessionError::NoPreKey => Self::Reason("no-usable-prekey"),
            SessionError::NonContributory(error) => error.into(),
            SessionError::Open(error) => error.into(),
            SessionError::Exhausted => Self::Reason("chain-exhausted"),
            SessionError::Randomness(error) => error.into(),
            other => unknown(&other),
        }
    }
}

impl From<BundleError> for Refusal {
    fn from(error: BundleError) -> Self {
        match error {
            BundleError::IdentityKey(error) | BundleError::SignedPreKey(error) => error.into(),
            BundleError::SignedPreKeyId => Self::Reason("id-out-of-range"),
            BundleError::Signature => Self::Reason("signature"),
            BundleError::NoPreKey => Self::Reason("no-usable-prekey"),
            other => unknown(&other),
        }
    }
}

impl From<PayloadError> for Refusal {
    fn from(error: PayloadError) -> Self {
        Self::Reason(match error {
            PayloadError::KeyLength => "payload-key-length",
            PayloadError::MissingIv => "missing-iv",
            PayloadError::IvLength => "iv-length",
            PayloadError::Mac => "payload-mac",
            PayloadError::Ciphertext => "payload-ciphertext",
            PayloadError::Randomness(error) => return error.into(),
            other => return unknown(&other),
        })
    }
}
