//! Small steps in reading and building elements.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minidom::Element;
use minidom::rxml::{Namespace, NcName};
use zeroize::Zeroizing;

use crate::error::SharingError;
use crate::hash::FileHash;

/// The namespace of XEP-0300.
const HASHES: &str = "urn:xmpp:hashes:2";

pub(super) fn expect(
    element: &Element,
    name: &'static str,
    namespace: &str,
) -> Result<(), SharingError> {
    if element.is(name, namespace) {
        Ok(())
    } else {
        Err(SharingError::Element(name))
    }
}

/// The child of this name, if there is one; two are refused, since of two readers each might take another.
pub(super) fn only_child<'a>(
    element: &'a Element,
    parent: &'static str,
    child: &'static str,
    namespace: &str,
) -> Result<Option<&'a Element>, SharingError> {
    let mut found = element.children().filter(|one| one.is(child, namespace));
    let first = found.next();
    match found.next() {
        Some(_) => Err(SharingError::Twice { parent, child }),
        None => Ok(first),
    }
}

pub(super) fn child<'a>(
    element: &'a Element,
    parent: &'static str,
    child: &'static str,
    namespace: &str,
) -> Result<&'a Element, SharingError> {
    only_child(element, parent, child, namespace)?.ok_or(SharingError::Missing { parent, child })
}

pub(super) fn attribute<'a>(
    element: &'a Element,
    name: &'static str,
    attribute: &'static str,
) -> Result<&'a str, SharingError> {
    element.attr(attribute).ok_or(SharingError::Attribute {
        element: name,
        attribute,
    })
}

/// Sets an attribute without a namespace.
pub(super) fn set(element: &mut Element, attribute: &'static str, value: &str) {
    match NcName::try_from(attribute) {
        Ok(name) => element.set_attr(Namespace::NONE, name, value),
        Err(_) => debug_assert!(false, "{attribute:?} is no name of an attribute"),
    }
}

pub(super) fn with_text(name: &str, namespace: &str, text: &str) -> Element {
    Element::builder(name, namespace).append(text).build()
}

pub(super) fn with_base64(name: &str, namespace: &str, bytes: &[u8]) -> Element {
    with_text(name, namespace, &Zeroizing::new(STANDARD.encode(bytes)))
}

/// The bytes of an element's base64, in which clients leave white space.
pub(super) fn base64(
    element: &Element,
    name: &'static str,
) -> Result<Zeroizing<Vec<u8>>, SharingError> {
    let text = Zeroizing::new(element.text());
    let mut packed = Zeroizing::new(String::with_capacity(text.len()));
    packed.extend(text.chars().filter(|c| !c.is_ascii_whitespace()));
    let bytes = STANDARD.decode(packed.as_bytes());
    bytes
        .map(Zeroizing::new)
        .map_err(|_| SharingError::Base64(name))
}

/// All hashes among the children.
pub(super) fn hashes(element: &Element) -> Result<Vec<FileHash>, SharingError> {
    let found = element.children().filter(|child| child.is("hash", HASHES));
    found
        .map(|hash| {
            let algo = attribute(hash, "hash", "algo")?.to_owned();
            Ok(FileHash::new(algo, base64(hash, "hash")?.to_vec()))
        })
        .collect()
}

pub(super) fn append_hashes(element: &mut Element, hashes: &[FileHash]) {
    for hash in hashes {
        let mut child = with_base64("hash", HASHES, &hash.value);
        set(&mut child, "algo", &hash.algo);
        element.append_child(child);
    }
}
