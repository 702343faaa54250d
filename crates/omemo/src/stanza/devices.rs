//! A device list in the form that both protocols share.

use minidom::Element;

use super::encrypted::device_id;
use super::limits::{MAX_LABEL_CHARS, MAX_LISTED_DEVICES, MAX_SHORT_BYTES};
use super::malformed::Malformed;
use super::node;
use crate::DeviceId;

/// The devices that an account announces (XEP-0384 §5.3.1).
///
/// What other devices wrote is kept as it came, so that publishing the list again with our own
/// entry changes nothing of theirs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DeviceList {
    /// The devices in the order of the list, each id once.
    pub(crate) devices: Vec<ListedDevice>,
    /// What else stands on the list: extensions, and entries whose id is none.
    others: Vec<Element>,
}

/// One entry of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListedDevice {
    /// The device.
    pub(crate) id: DeviceId,
    /// What its user calls it, not to be believed before the signature is checked.
    pub(crate) label: Option<SignedLabel>,
    /// The entry as it came, with attributes and children that we don't know.
    raw: Option<Element>,
}

/// A label with the signature of the device's identity key over its UTF-8 bytes
/// (XEP-0384 §5.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedLabel {
    /// At most 52 code points.
    pub(crate) text: String,
    /// 64 bytes.
    pub(crate) signature: Vec<u8>,
}

impl DeviceList {
    /// Whether a device is listed.
    pub(crate) fn contains(&self, id: DeviceId) -> bool {
        self.devices.iter().any(|device| device.id == id)
    }

    /// The list with our own entry as it shall be; every other entry stays as it came.
    pub(crate) fn with_own(&self, id: DeviceId, label: Option<SignedLabel>) -> Self {
        let own = ListedDevice {
            id,
            label,
            raw: None,
        };
        let mut list = self.clone();
        match list.devices.iter_mut().find(|device| device.id == id) {
            Some(device) => *device = own,
            None => list.devices.push(own),
        }
        list
    }

    /// The list without a device; everything else stays as it came.
    pub(crate) fn without(&self, id: DeviceId) -> Self {
        let mut list = self.clone();
        list.devices.retain(|device| device.id != id);
        list
    }

    /// Reads the children of the root element; `label` reads what the protocol has of labels.
    /// Entries whose id is none are kept, but are no devices; of two with the same id the first
    /// counts.
    pub(super) fn read(
        root: &Element,
        namespace: &str,
        label: impl Fn(&Element) -> Option<SignedLabel>,
    ) -> Result<Self, Malformed> {
        if root.children().nth(MAX_LISTED_DEVICES).is_some() {
            return Err(Malformed::TooMany {
                what: "devices on the list",
                limit: MAX_LISTED_DEVICES,
            });
        }
        let mut list = Self::default();
        for child in root.children() {
            let device = child.is("device", namespace);
            match child.attr("id").and_then(device_id).filter(|_| device) {
                Some(id) if list.contains(id) => {}
                Some(id) => list.devices.push(ListedDevice {
                    id,
                    label: label(child),
                    raw: Some(child.clone()),
                }),
                None => list.others.push(child.clone()),
            }
        }
        Ok(list)
    }

    /// The children of the root element; `own` builds the entries that we write ourselves.
    pub(super) fn elements(&self, own: impl Fn(&ListedDevice) -> Element) -> Vec<Element> {
        self.devices
            .iter()
            .map(|device| device.raw.clone().unwrap_or_else(|| own(device)))
            .chain(self.others.iter().cloned())
            .collect()
    }
}

impl ListedDevice {
    /// The entry that we write for a device ourselves.
    pub(super) fn element(&self, namespace: &str) -> Element {
        node::with_attributes("device", namespace, [("id", &self.id.to_string())])
    }
}

impl SignedLabel {
    /// Whether a text can be a label: not empty, at most 52 code points, and not of exactly 32
    /// bytes, since the signature over such a label would pass as one over a signed prekey.
    pub(crate) fn fits(text: &str) -> bool {
        !text.is_empty() && text.chars().count() <= MAX_LABEL_CHARS && text.len() != 32
    }

    /// The label of an entry; `None` as well when it is too long or not signed.
    pub(super) fn read(device: &Element) -> Option<Self> {
        let text = device.attr("label")?;
        let signature = device.attr("labelsig")?;
        let signature = node::decode([signature].into_iter(), "device", MAX_SHORT_BYTES).ok()?;
        let short = !text.is_empty() && text.chars().count() <= MAX_LABEL_CHARS;
        (short && signature.len() == 64).then(|| Self {
            text: text.into(),
            signature,
        })
    }
}
