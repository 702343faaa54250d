//! Stanza ids that survive reflection (XEP-0359).

use minidom::Element;

use super::node;

/// The namespace.
pub(crate) const NAMESPACE: &str = "urn:xmpp:sid:0";

/// `<origin-id/>`: the sender's own id of a message (XEP-0359 §2.2).
pub(crate) fn origin_id(id: &str) -> Element {
    node::with_attributes("origin-id", NAMESPACE, [("id", id)])
}
