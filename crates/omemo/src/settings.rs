//! What an app may choose.

use std::time::Duration;

use omemo_ratchet::Version;

use crate::stanza::devices::SignedLabel;
use crate::{CallerError, TrustPolicy};

/// Every server takes stanzas of this size (RFC 6120 §13.12).
const MIN_STANZA_BYTES: usize = 10_000;

/// The app's choices, given at every opening.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The protocols to publish and speak, best first. Both by default.
    pub versions: Vec<Version>,
    /// Who decides about new keys.
    pub trust: TrustPolicy,
    /// What people call this device; published and signed (XEP-0384 §5.3.1). At most 52 code
    /// points, and never exactly 32 bytes of UTF-8, whose signature would pass for one over a
    /// signed prekey. `None` keeps the label that [`Account::rename`](crate::Account::rename) has
    /// given last.
    pub label: Option<String>,
    /// The largest stanza that is sent, in bytes; larger ones are split by recipients. Servers
    /// close the stream above 262,144.
    pub max_stanza_bytes: usize,
    /// When a device that never answers is served no more; `None` serves it for ever.
    pub stale: Option<StalePolicy>,
    /// Whether legacy messages without payload are handed out as messages with
    /// [`Message::transported`](crate::Message::transported). Most of them are answers that mean
    /// nothing, and each has to be acknowledged.
    pub key_transport: bool,
    /// Whether a legacy session that is broken is replaced by itself, once a day and device at most,
    /// as other clients do. In omemo:2 this is forbidden (XEP-0384 §8).
    pub heal_legacy: bool,
}

/// When a device counts as stale: both must be true. Its next message ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StalePolicy {
    /// Nothing of it was decrypted for so long.
    pub silent_for: Duration,
    /// So many messages were sealed for it, in the session in force, since its last one. One that is alive answers the 54th
    /// at the latest (XEP-0384 §6).
    pub unanswered: u32,
}

impl StalePolicy {
    /// A policy.
    #[must_use]
    pub const fn new(silent_for: Duration, unanswered: u32) -> Self {
        Self {
            silent_for,
            unanswered,
        }
    }
}

impl Default for StalePolicy {
    /// 90 days and 60 messages.
    fn default() -> Self {
        Self::new(Duration::from_secs(90 * 86_400), 60)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            versions: Version::ALL.to_vec(),
            trust: TrustPolicy::default(),
            label: None,
            max_stanza_bytes: 200_000,
            stale: Some(StalePolicy::default()),
            key_transport: false,
            heal_legacy: false,
        }
    }
}

impl Settings {
    pub(crate) fn check(&self) -> Result<(), CallerError> {
        if self.versions.is_empty() {
            return Err(CallerError::Settings("no protocol is chosen"));
        }
        if self
            .label
            .as_deref()
            .is_some_and(|label| !SignedLabel::fits(label))
        {
            return Err(CallerError::Settings(
                "a label has 1 to 52 characters and not exactly 32 bytes, which could pass for a key",
            ));
        }
        if self.max_stanza_bytes < MIN_STANZA_BYTES {
            return Err(CallerError::Settings("stanzas need at least 10,000 bytes"));
        }
        Ok(())
    }
}
