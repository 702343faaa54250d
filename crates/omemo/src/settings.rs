//! What an app may choose.

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
    /// signed prekey.
    pub label: Option<String>,
    /// The largest stanza that is sent, in bytes; larger ones are split by recipients. Servers
    /// close the stream above 262,144.
    pub max_stanza_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            versions: Version::ALL.to_vec(),
            trust: TrustPolicy::default(),
            label: None,
            max_stanza_bytes: 200_000,
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
