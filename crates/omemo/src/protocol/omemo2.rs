//! `urn:xmpp:omemo:2`: XEP-0384 0.9.1, content in XEP-0420 envelopes.

use omemo_ratchet::{Bundle, Randomness, Version};
use zeroize::Zeroizing;

use super::{Place, Protocol, Shape, Stamp, Wrapping};
use crate::stanza::devices::DeviceList;
use crate::stanza::encrypted::Encrypted;
use crate::stanza::malformed::Malformed;
use crate::stanza::omemo2::{bundle, devices, encrypted};
use crate::stanza::sce::{Envelope, EnvelopeError};
use crate::{DeviceId, Element};

pub(super) static PROTOCOL: Protocol = Protocol {
    version: Version::Omemo2,
    better: &[],
    namespace: "urn:xmpp:omemo:2",
    short_name: "omemo:2",
    devices_node: "urn:xmpp:omemo:2:devices",
    bundles_share_a_node: true,
    has_labels: true,
    fallback_body: None,
    names_the_room: true,
    reports_foreign_messages: true,
    answers_without_session: true,
    may_heal: false,
    shape: &Elements,
    wrapping: &Content,
};

struct Elements;

impl Shape for Elements {
    fn bundle_place(&self, device: DeviceId) -> Place {
        Place {
            node: "urn:xmpp:omemo:2:bundles".into(),
            item: device.to_string(),
        }
    }

    fn parse_encrypted(&self, element: &Element) -> Result<Encrypted, Malformed> {
        encrypted::parse(element)
    }

    fn build_encrypted(&self, encrypted: &Encrypted) -> Element {
        encrypted::build(encrypted)
    }

    fn parse_devices(&self, element: &Element) -> Result<DeviceList, Malformed> {
        devices::parse(element)
    }

    fn build_devices(&self, list: &DeviceList) -> Element {
        devices::build(list)
    }

    fn parse_bundle(&self, element: &Element) -> Result<Bundle, Malformed> {
        bundle::parse(element)
    }

    fn build_bundle(&self, bundle: &Bundle) -> Element {
        bundle::build(bundle)
    }
}

struct Content;

impl Wrapping for Content {
    fn carries(&self, content: &[Element]) -> bool {
        !content.is_empty()
    }

    fn wrap(
        &self,
        content: &[Element],
        stamp: &Stamp<'_>,
        randomness: &mut dyn Randomness,
    ) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let envelope = Envelope {
            content: content.to_vec(),
            from: Some(stamp.from.clone()),
            to: Some(stamp.to.clone()),
            time: Some(stamp.now),
        };
        envelope.build(randomness)
    }

    fn unwrap(&self, plaintext: &[u8]) -> Result<Envelope, Malformed> {
        Envelope::parse(plaintext)
    }
}
