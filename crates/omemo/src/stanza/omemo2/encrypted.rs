//! `<encrypted/>` of omemo:2: keys in groups, one for each account (XEP-0384 §5.5.3).

use minidom::Element;

use super::NAMESPACE;
use crate::BareJid;
use crate::stanza::encrypted::{self, Encrypted, EncryptedKey};
use crate::stanza::malformed::Malformed;
use crate::stanza::node;

/// Reads the element. Groups of keys without a valid JID and keys without a valid `rid` are left
/// out.
pub(crate) fn parse(element: &Element) -> Result<Encrypted, Malformed> {
    node::expect(element, "encrypted", NAMESPACE)?;
    let header = node::child(element, "encrypted", "header", NAMESPACE)?;
    Ok(Encrypted {
        sid: encrypted::sid(header)?,
        keys: keys(header)?,
        iv: None,
        payload: encrypted::payload(element, NAMESPACE)?,
    })
}

/// Builds the element. Keys without a JID and damaged ones are left out; an `iv` has no place in
/// it.
pub(crate) fn build(encrypted: &Encrypted) -> Element {
    let mut header = Element::bare("header", NAMESPACE);
    node::set(&mut header, "sid", &encrypted.sid.to_string());
    let mut accounts: Vec<(&BareJid, Vec<Element>)> = Vec::new();
    for key in &encrypted.keys {
        let (Some(jid), Some(element)) = (&key.jid, key.element(NAMESPACE, "kex")) else {
            continue;
        };
        match accounts.iter_mut().find(|(account, _)| *account == jid) {
            Some((_, keys)) => keys.push(element),
            None => accounts.push((jid, vec![element])),
        }
    }
    for (jid, keys) in accounts {
        let mut keys = node::with_children("keys", NAMESPACE, keys);
        node::set(&mut keys, "jid", jid.as_str());
        header.append_child(keys);
    }
    let payload = encrypted
        .payload
        .as_ref()
        .map(|payload| node::with_base64("payload", NAMESPACE, payload));
    node::with_children("encrypted", NAMESPACE, [header].into_iter().chain(payload))
}

fn keys(header: &Element) -> Result<Vec<EncryptedKey>, Malformed> {
    let mut found = Vec::new();
    let mut count = 0;
    for keys in header
        .children()
        .filter(|child| child.is("keys", NAMESPACE))
    {
        let jid = keys.attr("jid").and_then(node::bare_jid);
        for key in keys.children().filter(|child| child.is("key", NAMESPACE)) {
            count += 1;
            encrypted::check_count(count)?;
            if jid.is_some() {
                found.extend(EncryptedKey::read(key, jid.as_ref(), "kex"));
            }
        }
    }
    Ok(found)
}
