//! `<body/>`, the text of a message (RFC 6121 §5.2.3).

use minidom::Element;

use super::{CLIENT, node};

/// A body with this text.
pub(crate) fn body(text: &str) -> Element {
    node::with_text("body", CLIENT, text)
}

/// Whether it is a body. In another namespace, or in none, it is not.
pub(crate) fn is_body(element: &Element) -> bool {
    element.is("body", CLIENT)
}

/// The text of the first body among these elements.
pub(crate) fn text(elements: &[Element]) -> Option<String> {
    elements
        .iter()
        .find(|element| is_body(element))
        .map(Element::text)
}
