//! Small steps in reading and building elements: attributes, children, base64 and JIDs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minidom::Element;
use minidom::rxml::{Namespace, NcName};

use super::limits::MAX_JID_BYTES;
use super::malformed::Malformed;
use crate::BareJid;

/// An element with a text.
pub(super) fn with_text(name: &str, namespace: &str, text: &str) -> Element {
    Element::builder(name, namespace).append(text).build()
}

/// An element whose text is these bytes in base64.
pub(super) fn with_base64(name: &str, namespace: &str, bytes: &[u8]) -> Element {
    with_text(name, namespace, &STANDARD.encode(bytes))
}

/// An element with these children.
pub(super) fn with_children(
    name: &str,
    namespace: &str,
    children: impl IntoIterator<Item = Element>,
) -> Element {
    Element::builder(name, namespace)
        .append_all(children)
        .build()
}

/// An element with these attributes.
pub(super) fn with_attributes<const N: usize>(
    name: &str,
    namespace: &str,
    attributes: [(&'static str, &str); N],
) -> Element {
    let mut element = Element::bare(name, namespace);
    for (attribute, value) in attributes {
        set(&mut element, attribute, value);
    }
    element
}

/// Sets an attribute without a namespace.
pub(super) fn set(element: &mut Element, attribute: &'static str, value: &str) {
    match NcName::try_from(attribute) {
        Ok(name) => element.set_attr(Namespace::NONE, name, value),
        Err(_) => debug_assert!(false, "{attribute:?} is no name of an attribute"),
    }
}

/// Refuses an element of another name or namespace.
pub(super) fn expect(
    element: &Element,
    name: &'static str,
    namespace: &str,
) -> Result<(), Malformed> {
    if element.is(name, namespace) {
        return Ok(());
    }
    Err(Malformed::Element {
        expected: name,
        found: element.name().chars().take(64).collect(),
    })
}

/// The child of this name, which must be there; two are refused, since of two readers each might take another.
pub(super) fn child<'a>(
    element: &'a Element,
    parent: &'static str,
    name: &'static str,
    namespace: &str,
) -> Result<&'a Element, Malformed> {
    only_child(element, parent, name, namespace)?.ok_or(Malformed::NoChild {
        parent,
        child: name,
    })
}

/// The child of this name, if there is one; two are refused.
pub(super) fn only_child<'a>(
    element: &'a Element,
    parent: &'static str,
    name: &'static str,
    namespace: &str,
) -> Result<Option<&'a Element>, Malformed> {
    let mut found = element.children().filter(|child| child.is(name, namespace));
    let first = found.next();
    if found.next().is_some() {
        return Err(Malformed::TwoChildren {
            parent,
            child: name,
        });
    }
    Ok(first)
}

/// An attribute that must be there.
pub(super) fn attribute<'a>(
    element: &'a Element,
    name: &'static str,
    attribute: &'static str,
) -> Result<&'a str, Malformed> {
    element.attr(attribute).ok_or(Malformed::NoAttribute {
        element: name,
        attribute,
    })
}

/// A whole number as `xs:unsignedInt` writes it: with XML whitespace around it, but no sign.
pub(super) fn number(text: &str) -> Option<u32> {
    let digits = text.trim_matches(is_whitespace);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// `xs:boolean`, in any case and with whitespace, as clients write it; anything else is false.
pub(super) fn boolean(text: Option<&str>) -> bool {
    text.map(|text| text.trim_matches(is_whitespace))
        .is_some_and(|text| text == "1" || text.eq_ignore_ascii_case("true"))
}

/// A bare JID from an attribute. A resource is forgotten: clients write full JIDs where the
/// specifications ask for bare ones.
pub(super) fn bare_jid(text: &str) -> Option<BareJid> {
    let text = text.trim_matches(is_whitespace);
    (text.len() <= MAX_JID_BYTES)
        .then(|| BareJid::of(text).ok())
        .flatten()
}

/// The bytes in the element's text: base64 with strict padding (RFC 4648 §4), in which XML
/// whitespace means nothing (`xs:base64Binary`).
pub(super) fn base64(
    element: &Element,
    name: &'static str,
    limit: usize,
) -> Result<Vec<u8>, Malformed> {
    decode(element.texts(), name, limit)
}

/// The bytes in a text of base64, which belongs to the element of this name.
pub(super) fn decode<'a>(
    texts: impl Iterator<Item = &'a str>,
    name: &'static str,
    limit: usize,
) -> Result<Vec<u8>, Malformed> {
    let most = limit.div_ceil(3).saturating_mul(4);
    let mut compact = Vec::new();
    for byte in texts.flat_map(str::bytes) {
        if is_whitespace(char::from(byte)) {
            continue;
        }
        if compact.len() == most {
            return Err(Malformed::TooLong { what: name, limit });
        }
        compact.push(byte);
    }
    STANDARD
        .decode(compact)
        .map_err(|_| Malformed::Base64 { element: name })
}

/// The whitespace of XML 1.0 §2.3.
pub(super) const fn is_whitespace(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}
