//! Whom we encrypt to: levels, policies, and the rule that joins them (XEP-0384 §8).

use std::fmt;

/// How far one identity key of one account is trusted. Only [`Trust::Blind`] and
/// [`Trust::Verified`] keys receive content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(
    clippy::exhaustive_enums,
    reason = "scripts and stores depend on these four"
)]
pub enum Trust {
    /// Nobody has decided yet: nothing is encrypted to it.
    Undecided,
    /// Trusted because it was there before anything of this account was verified.
    Blind,
    /// A person compared the fingerprint.
    Verified,
    /// A person refused it: nothing is encrypted to it.
    Distrusted,
}

impl Trust {
    /// Whether content may be encrypted to a key of this level.
    #[must_use]
    pub const fn allows_content(self) -> bool {
        matches!(self, Self::Blind | Self::Verified)
    }

    /// `undecided`, `blind`, `verified` or `distrusted`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::Blind => "blind",
            Self::Verified => "verified",
            Self::Distrusted => "distrusted",
        }
    }

    /// The level of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Undecided,
            Self::Blind,
            Self::Verified,
            Self::Distrusted,
        ]
        .into_iter()
        .find(|level| level.as_str() == name)
    }
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who decides about a key that is seen for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TrustPolicy {
    /// New keys are trusted until one key of that account has been verified by a person; from
    /// then on new ones wait for a decision.
    #[default]
    BlindBeforeVerification,
    /// Every key waits for a decision.
    Manual,
    /// As [`TrustPolicy::BlindBeforeVerification`], and verified devices tell each other what they have
    /// verified (XEP-0450).
    Automatic,
}

impl TrustPolicy {
    /// The level of a key seen for the first time in a verified bundle or key exchange, given
    /// the levels of the account's other keys.
    pub(crate) fn first_sight(self, others: impl IntoIterator<Item = Trust>) -> Trust {
        match self {
            Self::Manual => Trust::Undecided,
            Self::BlindBeforeVerification | Self::Automatic => {
                if others.into_iter().any(|level| level == Trust::Verified) {
                    Trust::Undecided
                } else {
                    Trust::Blind
                }
            }
        }
    }
}
