//! `<encrypted/>` of legacy: keys by device id alone, and the initialisation vector in the header
//! (XEP-0384 0.3.0 §4.5).

use minidom::Element;

use super::NAMESPACE;
use crate::stanza::encrypted::{self, Encrypted, EncryptedKey};
use crate::stanza::limits::MAX_SHORT_BYTES;
use crate::stanza::malformed::Malformed;
use crate::stanza::node;

/// Reads the element. Keys without a valid `rid` are left out.
pub(crate) fn parse(element: &Element) -> Result<Encrypted, Malformed> {
    node::expect(element, "encrypted", NAMESPACE)?;
    let header = node::child(element, "encrypted", "header", NAMESPACE)?;
    let sid = encrypted::sid(header)?;
    let mut keys = Vec::new();
    let mut count = 0;
    for key in header.children().filter(|child| child.is("key", NAMESPACE)) {
        count += 1;
        encrypted::check_count(count)?;
        keys.extend(EncryptedKey::read(key, None, "prekey"));
    }
    let iv = node::only_child(header, "header", "iv", NAMESPACE)?
        .map(|iv| node::base64(iv, "iv", MAX_SHORT_BYTES))
        .transpose()?;
    let payload = encrypted::payload(element, NAMESPACE)?;
    if payload.is_some() && iv.is_none() {
        return Err(Malformed::NoChild {
            parent: "header",
            child: "iv",
        });
    }
    Ok(Encrypted {
        sid,
        keys,
        iv,
        payload,
    })
}

/// Builds the element. The JIDs of keys have no place in it; damaged keys are left out.
pub(crate) fn build(encrypted: &Encrypted) -> Element {
    let mut header = node::with_children(
        "header",
        NAMESPACE,
        encrypted
            .keys
            .iter()
            .filter_map(|key| key.element(NAMESPACE, "prekey")),
    );
    node::set(&mut header, "sid", &encrypted.sid.to_string());
    if let Some(iv) = &encrypted.iv {
        header.append_child(node::with_base64("iv", NAMESPACE, iv));
    }
    let payload = encrypted
        .payload
        .as_ref()
        .map(|payload| node::with_base64("payload", NAMESPACE, payload));
    node::with_children("encrypted", NAMESPACE, [header].into_iter().chain(payload))
}
