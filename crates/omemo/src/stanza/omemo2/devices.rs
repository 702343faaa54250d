//! `<devices/>`: the list of omemo:2, with signed labels (XEP-0384 §5.3.1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minidom::Element;

use super::NAMESPACE;
use crate::stanza::devices::{DeviceList, ListedDevice, SignedLabel};
use crate::stanza::malformed::Malformed;
use crate::stanza::node;

/// Reads the element. Entries whose id is none are no devices, but stay on the list.
pub(crate) fn parse(element: &Element) -> Result<DeviceList, Malformed> {
    node::expect(element, "devices", NAMESPACE)?;
    DeviceList::read(element, NAMESPACE, SignedLabel::read)
}

/// Builds the element.
pub(crate) fn build(list: &DeviceList) -> Element {
    node::with_children("devices", NAMESPACE, list.elements(device))
}

fn device(device: &ListedDevice) -> Element {
    let mut element = device.element(NAMESPACE);
    if let Some(label) = &device.label {
        node::set(&mut element, "label", &label.text);
        node::set(&mut element, "labelsig", &STANDARD.encode(&label.signature));
    }
    element
}
