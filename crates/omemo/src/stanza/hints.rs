//! Message processing hints (XEP-0334).

use minidom::Element;

/// The namespace.
pub(crate) const NAMESPACE: &str = "urn:xmpp:hints";

/// The namespace of carbons (XEP-0280), whose `<private/>` asks servers to make no copies.
const CARBONS: &str = "urn:xmpp:carbons:2";
/// The namespace of extended stanza addressing (XEP-0033).
const ADDRESSING: &str = "http://jabber.org/protocol/address";

/// `<store/>`: a message without a body belongs into the archive all the same (XEP-0334 §4.4).
pub(crate) fn store() -> Element {
    Element::bare("store", NAMESPACE)
}

/// Whether an app may put it beside an encrypted element, in the clear. What servers have to read may
/// stand there, everything else is sensitive and must not (XEP-0420 §9): an empty hint, an empty
/// `<private/>` and addresses. The mark of encryption and the ids of the stanza are ours to write.
pub(crate) fn may_be_outside(element: &Element) -> bool {
    let is_empty = element.nodes().next().is_none();
    let is_hint = element.has_ns(NAMESPACE) || element.is("private", CARBONS);
    (is_hint && is_empty) || element.is("addresses", ADDRESSING)
}

/// Whether it is `<store/>`.
pub(crate) fn is_store(element: &Element) -> bool {
    element.is("store", NAMESPACE)
}
