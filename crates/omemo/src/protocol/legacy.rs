//! `eu.siacs.conversations.axolotl`: XEP-0384 0.3.0, the text of the body alone.

use omemo_ratchet::{Bundle, Randomness, Version};
use zeroize::Zeroizing;

use super::{Place, Protocol, Shape, Stamp, Wrapping};
use crate::stanza::body;
use crate::stanza::devices::DeviceList;
use crate::stanza::encrypted::Encrypted;
use crate::stanza::legacy::{bundle, devices, encrypted};
use crate::stanza::malformed::Malformed;
use crate::stanza::sce::{Envelope, EnvelopeError};
use crate::{DeviceId, Element};

pub(super) static PROTOCOL: Protocol = Protocol {
    version: Version::Legacy,
    better: &[Version::Omemo2],
    namespace: "eu.siacs.conversations.axolotl",
    short_name: "legacy",
    devices_node: "eu.siacs.conversations.axolotl.devicelist",
    bundles_share_a_node: false,
    has_labels: false,
    fallback_body: Some(
        "This message is encrypted with OMEMO, which this client does not understand.",
    ),
    names_the_room: false,
    reports_foreign_messages: false,
    answers_without_session: false,
    may_heal: true,
    shape: &Elements,
    wrapping: &Content,
};

struct Elements;

impl Shape for Elements {
    fn bundle_place(&self, device: DeviceId) -> Place {
        Place {
            node: format!("eu.siacs.conversations.axolotl.bundles:{device}"),
            item: "current".into(),
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
        match content {
            [] => true,
            [only] => body::is_body(only),
            _ => false,
        }
    }

    fn wrap(
        &self,
        content: &[Element],
        _stamp: &Stamp<'_>,
        _randomness: &mut dyn Randomness,
    ) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let text = body::text(content).unwrap_or_default();
        Ok(Zeroizing::new(text.into_bytes()))
    }

    fn unwrap(&self, plaintext: &[u8]) -> Result<Envelope, Malformed> {
        Ok(Envelope {
            content: vec![body::from_plaintext(plaintext)?],
            ..Envelope::default()
        })
    }
}
