//! `<list/>`: the list of legacy, which knows no labels (XEP-0384 0.3.0 §4.3).

use minidom::Element;

use super::NAMESPACE;
use crate::stanza::devices::DeviceList;
use crate::stanza::malformed::Malformed;
use crate::stanza::node;

/// Reads the element. Entries whose id is none are no devices, but stay on the list.
pub(crate) fn parse(element: &Element) -> Result<DeviceList, Malformed> {
    node::expect(element, "list", NAMESPACE)?;
    DeviceList::read(element, NAMESPACE, |_| None)
}

/// Builds the element. Labels have no place in it.
pub(crate) fn build(list: &DeviceList) -> Element {
    node::with_children(
        "list",
        NAMESPACE,
        list.elements(|device| device.element(NAMESPACE)),
    )
}
