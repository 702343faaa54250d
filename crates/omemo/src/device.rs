//! What is known of a device, for lists and dialogs.

use omemo_ratchet::{Fingerprint, Version};

use crate::{Address, Timestamp, Trust};

/// One device of an account, over all protocols.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// Which device.
    pub address: Address,
    /// The protocols in which it is on the newest list, best first; empty when on none.
    pub listed: Vec<Version>,
    /// The protocols in which there is a session with it.
    pub sessions: Vec<Version>,
    /// Its identity key's fingerprint, once a verified bundle or key exchange has shown it.
    pub fingerprint: Option<Fingerprint>,
    /// The decision about that key.
    pub trust: Trust,
    /// Its label, if it is signed by that key.
    pub label: Option<String>,
    /// Why it could not be reached last.
    pub failure: Option<String>,
    /// When a message of it was last decrypted, to the day.
    pub heard_at: Option<Timestamp>,
    /// It has been silent for so long and so many messages that it is served no more, unless nobody
    /// else of its account can be ([`Settings::stale`](crate::Settings::stale)).
    pub stale: bool,
    /// It is this device.
    pub own: bool,
}
