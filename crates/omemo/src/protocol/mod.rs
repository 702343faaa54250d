//! What differs between the protocols, in one table: constants here, behaviour behind two small
//! traits with one implementation a protocol, each in a file named after it.
//!
//! No other module asks which version it deals with: it takes the row and uses it.

mod legacy;
mod omemo2;

use omemo_ratchet::{Bundle, Randomness, Version};
use zeroize::Zeroizing;

use crate::stanza::devices::DeviceList;
use crate::stanza::encrypted::Encrypted;
use crate::stanza::malformed::Malformed;
use crate::stanza::sce::{Envelope, EnvelopeError};
use crate::{BareJid, DeviceId, Element, Timestamp};

/// One row of the table.
pub(crate) struct Protocol {
    /// Which protocol.
    pub(crate) version: Version,
    /// The protocols that protect more than this one, best first: who has spoken one of them is not
    /// served in this one by a server's word alone.
    pub(crate) better: &'static [Version],
    /// The namespace of its elements, and its name in every report.
    pub(crate) namespace: &'static str,
    /// What people call it.
    pub(crate) short_name: &'static str,
    /// The PEP node with the list of devices.
    pub(crate) devices_node: &'static str,
    /// One node holds the bundles of all devices, so it must keep more than one item
    /// (XEP-0384 §5.3.2).
    pub(crate) bundles_share_a_node: bool,
    /// Devices have signed labels (XEP-0384 §5.3.1).
    pub(crate) has_labels: bool,
    /// What clients without OMEMO are shown; omemo:2 forbids it (XEP-0420 §6).
    pub(crate) fallback_body: Option<&'static str>,
    /// The envelope names the conversation, and in a room it must (XEP-0384 §5.5.1): else a server could
    /// move a message from a room into a chat, and back.
    pub(crate) names_the_room: bool,
    /// A message that holds no key for us is reported (omemo:2) or passed over (legacy).
    pub(crate) reports_foreign_messages: bool,
    /// A message without a session is answered with a new one (XEP-0384 §6).
    pub(crate) answers_without_session: bool,
    /// A broken session may be replaced without being asked to, where the app wants it; omemo:2
    /// forbids it (XEP-0384 §8).
    pub(crate) may_heal: bool,
    /// How its elements look.
    pub(crate) shape: &'static dyn Shape,
    /// How content becomes the payload's plaintext.
    pub(crate) wrapping: &'static dyn Wrapping,
}

/// Where a bundle lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The PEP node.
    pub(crate) node: String,
    /// The item's id.
    pub(crate) item: String,
}

/// How the elements of a protocol look.
pub(crate) trait Shape: Sync {
    /// Where a device's bundle lies.
    fn bundle_place(&self, device: DeviceId) -> Place;
    fn parse_encrypted(&self, element: &Element) -> Result<Encrypted, Malformed>;
    fn build_encrypted(&self, encrypted: &Encrypted) -> Element;
    fn parse_devices(&self, element: &Element) -> Result<DeviceList, Malformed>;
    fn build_devices(&self, list: &DeviceList) -> Element;
    fn parse_bundle(&self, element: &Element) -> Result<Bundle, Malformed>;
    fn build_bundle(&self, bundle: &Bundle) -> Element;
}

/// What a message says about itself, inside the encryption.
pub(crate) struct Stamp<'a> {
    pub(crate) from: &'a BareJid,
    pub(crate) to: &'a BareJid,
    pub(crate) now: Timestamp,
}

/// How content becomes the payload's plaintext and comes out of it.
pub(crate) trait Wrapping: Sync {
    /// Whether it can carry all of this content; none at all hands a key over.
    fn carries(&self, content: &[Element]) -> bool;
    /// The plaintext.
    fn wrap(
        &self,
        content: &[Element],
        stamp: &Stamp<'_>,
        randomness: &mut dyn Randomness,
    ) -> Result<Zeroizing<Vec<u8>>, EnvelopeError>;
    /// The content and what it says about itself.
    fn unwrap(&self, plaintext: &[u8]) -> Result<Envelope, Malformed>;
}

/// The row of a version.
pub(crate) fn of(version: Version) -> &'static Protocol {
    match version {
        Version::Omemo2 => &omemo2::PROTOCOL,
        Version::Legacy => &legacy::PROTOCOL,
    }
}

/// The namespace of a protocol, which is its name in reports and scripts: `urn:xmpp:omemo:2` or
/// `eu.siacs.conversations.axolotl`.
#[must_use]
pub fn namespace(version: Version) -> &'static str {
    of(version).namespace
}

/// What people call a protocol: `omemo:2` or `legacy`.
#[must_use]
pub fn short_name(version: Version) -> &'static str {
    of(version).short_name
}

/// The row whose namespace this is.
pub(crate) fn with_namespace(namespace: &str) -> Option<&'static Protocol> {
    Version::ALL
        .into_iter()
        .map(of)
        .find(|protocol| protocol.namespace == namespace)
}

/// The row whose list of devices lies at this node.
pub(crate) fn with_devices_node(node: &str) -> Option<&'static Protocol> {
    Version::ALL
        .into_iter()
        .map(of)
        .find(|protocol| protocol.devices_node == node)
}
