//! Message processing hints (XEP-0334).

use minidom::Element;

/// The namespace.
pub(crate) const NAMESPACE: &str = "urn:xmpp:hints";

/// `<store/>`: a message without a body belongs into the archive all the same (XEP-0334 §4.4).
pub(crate) fn store() -> Element {
    Element::bare("store", NAMESPACE)
}

/// Whether it is `<store/>`.
pub(crate) fn is_store(element: &Element) -> bool {
    element.is("store", NAMESPACE)
}
