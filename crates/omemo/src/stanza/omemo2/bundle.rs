//! `<bundle/>` of omemo:2 (XEP-0384 §5.3.2).

use minidom::Element;
use omemo_ratchet::Bundle;

use super::NAMESPACE;
use crate::stanza::limits::{MAX_PRE_KEYS, MAX_SHORT_BYTES};
use crate::stanza::malformed::Malformed;
use crate::stanza::node;

/// Reads the element. Prekeys without an id or in broken base64 are left out; whether the others
/// are keys is the bundle's own question.
pub(crate) fn parse(element: &Element) -> Result<Bundle, Malformed> {
    node::expect(element, "bundle", NAMESPACE)?;
    let signed_pre_key = node::child(element, "bundle", "spk", NAMESPACE)?;
    let signature = node::child(element, "bundle", "spks", NAMESPACE)?;
    let identity_key = node::child(element, "bundle", "ik", NAMESPACE)?;
    let pre_keys = node::child(element, "bundle", "prekeys", NAMESPACE)?;
    Ok(Bundle {
        identity_key: node::base64(identity_key, "ik", MAX_SHORT_BYTES)?,
        signed_pre_key_id: node::number(node::attribute(signed_pre_key, "spk", "id")?).ok_or(
            Malformed::Attribute {
                element: "spk",
                attribute: "id",
                expected: "a whole number",
            },
        )?,
        signed_pre_key: node::base64(signed_pre_key, "spk", MAX_SHORT_BYTES)?,
        signed_pre_key_signature: node::base64(signature, "spks", MAX_SHORT_BYTES)?,
        pre_keys: self::pre_keys(pre_keys)?,
    })
}

/// Builds the element.
pub(crate) fn build(bundle: &Bundle) -> Element {
    let mut signed_pre_key = node::with_base64("spk", NAMESPACE, &bundle.signed_pre_key);
    node::set(
        &mut signed_pre_key,
        "id",
        &bundle.signed_pre_key_id.to_string(),
    );
    let pre_keys = bundle.pre_keys.iter().map(|(id, key)| {
        let mut pre_key = node::with_base64("pk", NAMESPACE, key);
        node::set(&mut pre_key, "id", &id.to_string());
        pre_key
    });
    node::with_children(
        "bundle",
        NAMESPACE,
        [
            signed_pre_key,
            node::with_base64("spks", NAMESPACE, &bundle.signed_pre_key_signature),
            node::with_base64("ik", NAMESPACE, &bundle.identity_key),
            node::with_children("prekeys", NAMESPACE, pre_keys),
        ],
    )
}

fn pre_keys(element: &Element) -> Result<Vec<(u32, Vec<u8>)>, Malformed> {
    let keys = || element.children().filter(|child| child.is("pk", NAMESPACE));
    if keys().nth(MAX_PRE_KEYS).is_some() {
        return Err(Malformed::TooMany {
            what: "prekeys in the bundle",
            limit: MAX_PRE_KEYS,
        });
    }
    Ok(keys()
        .filter_map(|key| {
            let id = node::number(key.attr("id")?)?;
            Some((id, node::base64(key, "pk", MAX_SHORT_BYTES).ok()?))
        })
        .collect())
}
