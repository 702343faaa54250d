//! An encrypted message in the form that both protocols share.

use minidom::Element;

use super::limits::{MAX_KEY_BYTES, MAX_KEYS, MAX_PAYLOAD_BYTES};
use super::malformed::Malformed;
use super::node;
use crate::{BareJid, DeviceId};

/// The content of an `<encrypted/>` element (XEP-0384 §5.5; legacy: XEP-0384 0.3.0 §4.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encrypted {
    /// The device that sent it. Only a claim until a session has proved it.
    pub(crate) sid: DeviceId,
    /// The payload's key, once for each device that may read it. Entries without a valid `rid`
    /// (or, where the protocol has them, JID) are left out.
    pub(crate) keys: Vec<EncryptedKey>,
    /// The initialisation vector, which only legacy has.
    pub(crate) iv: Option<Vec<u8>>,
    /// The encrypted content; empty messages have none.
    pub(crate) payload: Option<Vec<u8>>,
}

/// The payload's key, encrypted for one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EncryptedKey {
    /// The account of the device; `None` in legacy, whose header names no accounts.
    pub(crate) jid: Option<BareJid>,
    /// The device.
    pub(crate) rid: DeviceId,
    /// Whether the sender says that this is a key exchange. Only a hint: clients err in it.
    pub(crate) is_key_exchange: bool,
    /// The bytes; a key that is damaged says so itself and leaves the others as they are.
    pub(crate) data: Result<Vec<u8>, Malformed>,
}

impl Encrypted {
    /// All keys that may be for a device: legacy names no accounts, so that a message can hold
    /// several of the same id.
    pub(crate) fn keys_for<'a>(
        &'a self,
        jid: &'a BareJid,
        device: DeviceId,
    ) -> impl Iterator<Item = &'a EncryptedKey> {
        self.keys.iter().filter(move |key| {
            key.rid == device && key.jid.as_ref().is_none_or(|owner| owner == jid)
        })
    }
}

impl EncryptedKey {
    /// Reads a `<key/>`; `None` when its `rid` is not a device id.
    pub(super) fn read(
        key: &Element,
        jid: Option<&BareJid>,
        key_exchange: &'static str,
    ) -> Option<Self> {
        Some(Self {
            jid: jid.cloned(),
            rid: device_id(key.attr("rid")?)?,
            is_key_exchange: node::boolean(key.attr(key_exchange)),
            data: node::base64(key, "key", MAX_KEY_BYTES),
        })
    }

    /// Builds the `<key/>`; `None` for one that was read damaged.
    pub(super) fn element(&self, namespace: &str, key_exchange: &'static str) -> Option<Element> {
        let data = self.data.as_ref().ok()?;
        let mut key = node::with_base64("key", namespace, data);
        node::set(&mut key, "rid", &self.rid.to_string());
        if self.is_key_exchange {
            node::set(&mut key, key_exchange, "true");
        }
        Some(key)
    }
}

/// The sender's device in a `<header/>`.
pub(super) fn sid(header: &Element) -> Result<DeviceId, Malformed> {
    device_id(node::attribute(header, "header", "sid")?).ok_or(Malformed::Attribute {
        element: "header",
        attribute: "sid",
        expected: "a device id",
    })
}

/// The bytes of the `<payload/>`, if there is one.
pub(super) fn payload(encrypted: &Element, namespace: &str) -> Result<Option<Vec<u8>>, Malformed> {
    node::only_child(encrypted, "encrypted", "payload", namespace)?
        .map(|payload| node::base64(payload, "payload", MAX_PAYLOAD_BYTES))
        .transpose()
}

/// Refuses a message with more keys than anybody needs.
pub(super) const fn check_count(keys: usize) -> Result<(), Malformed> {
    if keys > MAX_KEYS {
        return Err(Malformed::TooMany {
            what: "keys in the message",
            limit: MAX_KEYS,
        });
    }
    Ok(())
}

/// A device id from an attribute.
pub(super) fn device_id(text: &str) -> Option<DeviceId> {
    DeviceId::new(node::number(text)?).ok()
}
