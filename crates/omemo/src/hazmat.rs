//! The elements one by one, below [`Account`](crate::Account): for test vectors, not for applications.
//!
//! Nothing here has met a session, a trust decision or the stanza around it.

use omemo_ratchet::{Bundle, Version};

use crate::stanza::malformed::Malformed;
use crate::stanza::sce::Envelope;
use crate::stanza::text;
use crate::{BareJid, DeviceId, Element, Timestamp, protocol};

/// Why an element was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct ElementError(#[from] Malformed);

impl ElementError {
    /// A short name of the kind of fault, as test vectors have it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match &self.0 {
            Malformed::Element { .. } => "other-element",
            Malformed::NoChild { .. } => "missing-child",
            Malformed::TwoChildren { .. } => "repeated-child",
            Malformed::NoAttribute { .. } => "missing-attribute",
            Malformed::Attribute { .. } => "attribute-value",
            Malformed::Base64 { .. } => "base64",
            Malformed::TooMany { .. } => "too-many",
            Malformed::TooLong { .. } => "too-long",
            Malformed::TooDeep { .. } => "too-deep",
            Malformed::Xml(_) => "xml",
            Malformed::NotUtf8 => "utf-8",
            Malformed::Wrapper(_) => "wrapper",
        }
    }
}

/// An entry of a device list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedDevice {
    /// The device.
    pub id: DeviceId,
    /// Its label, if it has one with a signature. The signature is not verified.
    pub label: Option<String>,
}

/// The content of an `<encrypted/>` element.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncryptedElement {
    /// The device that claims to have sent it.
    pub sid: DeviceId,
    /// The keys that can be read.
    pub keys: Vec<EncryptedKey>,
    /// The initialisation vector of legacy.
    pub iv: Option<Vec<u8>>,
    /// The encrypted content.
    pub payload: Option<Vec<u8>>,
}

/// The payload's key, encrypted for one device.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncryptedKey {
    /// The account of the device; legacy names none.
    pub jid: Option<BareJid>,
    /// The device.
    pub rid: DeviceId,
    /// What its session sealed.
    pub data: Vec<u8>,
}

/// The content of an envelope (XEP-0420).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OpenedEnvelope {
    /// The elements of the message that may stand there.
    pub content: Vec<Element>,
    /// Who wrote it, by the writer's own account.
    pub from: Option<BareJid>,
    /// Whom it was written to.
    pub to: Option<BareJid>,
    /// When it was written.
    pub time: Option<Timestamp>,
}

/// Reads a `<bundle/>` (XEP-0384 §5.3.2). Its keys are not looked at: see [`Bundle::verify`].
///
/// # Errors
///
/// [`ElementError`] says what is wrong with it.
pub fn parse_bundle(version: Version, xml: &str) -> Result<Bundle, ElementError> {
    let element = text::parse_fragment(xml)?;
    Ok(protocol::of(version).shape.parse_bundle(&element)?)
}

/// Reads a device list (XEP-0384 §5.3.1).
///
/// # Errors
///
/// [`ElementError`] says what is wrong with it.
pub fn parse_devices(version: Version, xml: &str) -> Result<Vec<ListedDevice>, ElementError> {
    let element = text::parse_fragment(xml)?;
    let list = protocol::of(version).shape.parse_devices(&element)?;
    let devices = list.devices.into_iter().map(|device| ListedDevice {
        id: device.id,
        label: device.label.map(|label| label.text),
    });
    Ok(devices.collect())
}

/// Reads an `<encrypted/>` (XEP-0384 §5.5). Keys that are damaged are left out.
///
/// # Errors
///
/// [`ElementError`] says what is wrong with it.
pub fn parse_message(version: Version, xml: &str) -> Result<EncryptedElement, ElementError> {
    let element = text::parse_fragment(xml)?;
    let encrypted = protocol::of(version).shape.parse_encrypted(&element)?;
    let keys = encrypted.keys.into_iter().filter_map(|key| {
        Some(EncryptedKey {
            jid: key.jid,
            rid: key.rid,
            data: key.data.ok()?,
        })
    });
    Ok(EncryptedElement {
        sid: encrypted.sid,
        keys: keys.collect(),
        iv: encrypted.iv,
        payload: encrypted.payload,
    })
}

/// Reads an `<envelope/>` (XEP-0420 §4). Whether it agrees with a stanza is not looked at.
///
/// # Errors
///
/// [`ElementError`] says what is wrong with it.
pub fn parse_envelope(plaintext: &[u8]) -> Result<OpenedEnvelope, ElementError> {
    let Envelope {
        content,
        from,
        to,
        time,
    } = Envelope::parse(plaintext)?;
    Ok(OpenedEnvelope {
        content,
        from,
        to,
        time,
    })
}
