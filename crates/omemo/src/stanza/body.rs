//! `<body/>`, the text of a message (RFC 6121 §5.2.3).

use minidom::Element;

use super::malformed::Malformed;
use super::text::is_character;
use super::{CLIENT, node};

/// A body with this text.
pub(crate) fn body(text: &str) -> Element {
    node::with_text("body", CLIENT, text)
}

/// The body that legacy encrypts as bare text. The sender's program may have let through what XML
/// has no character for, such as the form feed of a copied document: it becomes U+FFFD, as nothing
/// could keep it or show it.
pub(crate) fn from_plaintext(plaintext: &[u8]) -> Result<Element, Malformed> {
    let text = std::str::from_utf8(plaintext).map_err(|_| Malformed::NotUtf8)?;
    let text: String = text
        .chars()
        .map(|character| {
            if is_character(character) {
                character
            } else {
                char::REPLACEMENT_CHARACTER
            }
        })
        .collect();
    Ok(body(&text))
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
