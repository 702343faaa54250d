//! Explicit message encryption (XEP-0380): which protocol a message was encrypted in. Only a hint
//! for clients that speak none; nothing is ever routed by it.

use minidom::Element;

use super::node;

/// The namespace.
pub(crate) const NAMESPACE: &str = "urn:xmpp:eme:0";

/// The element for a message encrypted in the protocol of this namespace (XEP-0380 §3.1).
pub(crate) fn encryption(namespace: &str) -> Element {
    node::with_attributes(
        "encryption",
        NAMESPACE,
        [("namespace", namespace), ("name", "OMEMO")],
    )
}
