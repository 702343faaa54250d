//! Who and where: bare and full JIDs, device ids, and the address of one device.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// An account or room, `local@domain` (RFC 7622), normalised when it is parsed, so that
/// `Juliet@Capulet.lit` and `juliet@capulet.lit` are one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BareJid(jid::BareJid);

/// A connected resource, `local@domain/resource` (RFC 7622).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FullJid(jid::FullJid);

/// Why a text is no JID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid JID: {reason}")]
#[non_exhaustive]
pub struct JidError {
    /// The text as it came.
    pub text: String,
    /// What is wrong with it, for people.
    pub reason: String,
}

impl BareJid {
    /// Parses and normalises; a resource is refused.
    ///
    /// # Errors
    /// [`JidError`] when the text is no bare JID.
    pub fn parse(text: &str) -> Result<Self, JidError> {
        jid::BareJid::new(text).map(Self).map_err(|error| JidError {
            text: text.into(),
            reason: error.to_string(),
        })
    }

    /// Parses a bare or full JID and forgets the resource.
    ///
    /// # Errors
    /// [`JidError`] when the text is no JID.
    pub fn of(text: &str) -> Result<Self, JidError> {
        jid::Jid::new(text)
            .map(|jid| Self(jid.into_bare()))
            .map_err(|error| JidError {
                text: text.into(),
                reason: error.to_string(),
            })
    }

    /// The normalised text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The domain's part, which may stand in a log where the whole JID may not.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.domain().as_str()
    }
}

impl FullJid {
    /// Parses and normalises; the resource is required.
    ///
    /// # Errors
    /// [`JidError`] when the text is no full JID.
    pub fn parse(text: &str) -> Result<Self, JidError> {
        jid::FullJid::new(text).map(Self).map_err(|error| JidError {
            text: text.into(),
            reason: error.to_string(),
        })
    }

    /// The account that this resource belongs to.
    #[must_use]
    pub fn bare(&self) -> BareJid {
        BareJid(self.0.to_bare())
    }

    /// The normalised text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for BareJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for BareJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BareJid({self})")
    }
}

impl fmt::Display for FullJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for FullJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FullJid({self})")
    }
}

impl FromStr for BareJid {
    type Err = JidError;

    fn from_str(text: &str) -> Result<Self, JidError> {
        Self::parse(text)
    }
}

impl FromStr for FullJid {
    type Err = JidError;

    fn from_str(text: &str) -> Result<Self, JidError> {
        Self::parse(text)
    }
}

/// One device of an account: 1 to 2³¹−1 (XEP-0384 §5.1), the same in both protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId(NonZeroU32);

/// A number that is no device id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a device id: a whole number from 1 to 2147483647 is")]
#[non_exhaustive]
pub struct DeviceIdError(pub String);

impl DeviceId {
    /// The largest id, 2³¹−1.
    pub const MAX: u32 = 0x7fff_ffff;

    /// Accepts 1 to 2³¹−1.
    ///
    /// # Errors
    /// [`DeviceIdError`] for every other number.
    pub fn new(id: u32) -> Result<Self, DeviceIdError> {
        NonZeroU32::new(id)
            .filter(|id| id.get() <= Self::MAX)
            .map(Self)
            .ok_or_else(|| DeviceIdError(id.to_string()))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DeviceId {
    type Err = DeviceIdError;

    fn from_str(text: &str) -> Result<Self, DeviceIdError> {
        text.parse::<u32>()
            .ok()
            .and_then(|id| Self::new(id).ok())
            .ok_or_else(|| DeviceIdError(text.chars().take(32).collect()))
    }
}

/// One device of one account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(clippy::exhaustive_structs, reason = "a pair, for ever")]
pub struct Address {
    /// The account.
    pub jid: BareJid,
    /// Its device.
    pub device: DeviceId,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.jid, self.device)
    }
}
