//! Stanzas as text, for bindings and for apps whose XMPP library has elements of its own.
//!
//! Reading allows only the XML of XMPP (RFC 6120 §11) and has limits: 2 MiB of text, 64 levels, 32,768 nodes. Writing uses
//! default namespaces alone, which every client understands.

use minidom::Element;

use crate::stanza::CLIENT;
use crate::stanza::malformed::Malformed;
use crate::stanza::text;

/// A text that is no XML as XMPP allows it, or an element that cannot be written as such.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct XmlError(#[from] Malformed);

/// Reads one stanza. What declares no namespace is in `jabber:client`, as in a stream.
///
/// # Errors
///
/// [`XmlError`] says what is wrong with the text.
pub fn parse(text: &str) -> Result<Element, XmlError> {
    Ok(text::parse(text)?)
}

/// Reads any number of elements that stand side by side, such as the content of a message. What declares no namespace is
/// in `jabber:client`.
///
/// # Errors
///
/// [`XmlError`] says what is wrong with the text.
pub fn parse_all(text: &str) -> Result<Vec<Element>, XmlError> {
    let around = text::parse(&format!("<content xmlns='{CLIENT}'>{text}</content>"))?;
    Ok(around.children().cloned().collect())
}

/// Writes an element. What was written is read back as the same element.
///
/// # Errors
///
/// [`XmlError`] for an element that no XML can stand for, such as one with a zero byte in its text.
pub fn to_text(element: &Element) -> Result<String, XmlError> {
    Ok(text::to_string(element)?)
}
