//! `<opt-out/>`, which asks for plain text (XEP-0384 §5.7). It is content: only inside an envelope it counts.

use minidom::Element;

use super::NAMESPACE;
use crate::stanza::limits::MAX_REASON_CHARS;
use crate::stanza::node;

/// Builds the element.
pub(crate) fn build(reason: Option<&str>) -> Element {
    let reason = reason.map(|reason| node::with_text("reason", NAMESPACE, reason));
    node::with_children("opt-out", NAMESPACE, reason)
}

/// Whether it is one.
pub(crate) fn is_opt_out(element: &Element) -> bool {
    element.is("opt-out", NAMESPACE)
}

/// The reason that it gives: the first one, without the whitespace around it, cut to what anybody reads.
pub(crate) fn reason(element: &Element) -> Option<String> {
    let text = element
        .children()
        .find(|child| child.is("reason", NAMESPACE))?
        .text();
    let reason: String = text
        .trim_matches(node::is_whitespace)
        .chars()
        .take(MAX_REASON_CHARS)
        .collect();
    (!reason.is_empty()).then_some(reason)
}
