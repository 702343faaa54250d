//! What most scenarios begin with, and short questions about how they end.

use minidom::Element;
use omemo::store::Store;
use omemo::{
    BareJid, Event, Fingerprint, Served, Trust, UndecryptableReason, UnsentReason, Unserved,
    Version,
};
use omemo_tests::hub::{At, Hub, speaks};

use crate::over::Stores;

pub const JULIET: &str = "juliet@capulet.example";
pub const ROMEO: &str = "romeo@montague.example";
pub const MALLORY: &str = "mallory@elsewhere.example";

/// Two accounts with one device each, both online, that never wrote to each other.
pub fn pair<S: Stores>(stores: &mut S, version: Version) -> (Hub<S::Store>, At, At) {
    let mut hub = Hub::new(7);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    (hub, juliet, romeo)
}

/// The same after each has heard from the other.
pub fn friends<S: Stores>(stores: &mut S, version: Version) -> (Hub<S::Store>, At, At) {
    let (mut hub, juliet, romeo) = pair(stores, version);
    hub.send(juliet, ROMEO, "hello", "hello");
    hub.send(romeo, JULIET, "hi", "hi");
    assert_eq!(hub.bodies(romeo), ["hello"]);
    assert_eq!(hub.bodies(juliet), ["hi"]);
    (hub, juliet, romeo)
}

pub const fn namespace(version: Version) -> &'static str {
    match version {
        Version::Omemo2 => "urn:xmpp:omemo:2",
        Version::Legacy => "eu.siacs.conversations.axolotl",
    }
}

pub const fn devices_node(version: Version) -> &'static str {
    match version {
        Version::Omemo2 => "urn:xmpp:omemo:2:devices",
        Version::Legacy => "eu.siacs.conversations.axolotl.devicelist",
    }
}

/// The node and the item of a bundle.
pub fn bundle_place(version: Version, device: u32) -> (String, String) {
    match version {
        Version::Omemo2 => ("urn:xmpp:omemo:2:bundles".into(), device.to_string()),
        Version::Legacy => (
            format!("eu.siacs.conversations.axolotl.bundles:{device}"),
            "current".into(),
        ),
    }
}

/// A list with these devices.
pub fn list(version: Version, ids: impl IntoIterator<Item = u32>) -> Element {
    let name = match version {
        Version::Omemo2 => "devices",
        Version::Legacy => "list",
    };
    let devices = ids
        .into_iter()
        .map(|id| format!("<device id='{id}'/>"))
        .collect::<String>();
    xml(&format!(
        "<{name} xmlns='{}'>{devices}</{name}>",
        namespace(version)
    ))
}

/// The ids on the list that an account has published.
pub fn listed<S: Store + 'static>(hub: &Hub<S>, version: Version, jid: &str) -> Vec<u32> {
    let items = hub.items(jid, devices_node(version));
    let Some((_, list)) = items.last() else {
        return Vec::new();
    };
    list.children()
        .filter_map(|device| device.attr("id")?.parse().ok())
        .collect()
}

/// A bundle as it was published.
pub fn bundle<S: Store + 'static>(
    hub: &Hub<S>,
    version: Version,
    jid: &str,
    device: u32,
) -> Option<Element> {
    let (node, item) = bundle_place(version, device);
    let items = hub.items(jid, &node);
    items
        .into_iter()
        .find(|(id, _)| *id == item)
        .map(|(_, bundle)| bundle)
}

/// The ids of the prekeys in a bundle.
pub fn pre_keys(bundle: &Element) -> Vec<u32> {
    let keys = bundle
        .children()
        .find(|child| child.name() == "prekeys")
        .unwrap();
    keys.children()
        .filter_map(|key| {
            key.attr("id")
                .or_else(|| key.attr("preKeyId"))?
                .parse()
                .ok()
        })
        .collect()
}

/// The id of the signed prekey in a bundle.
pub fn signed_pre_key(bundle: &Element) -> u32 {
    bundle
        .children()
        .find_map(|key| {
            let attribute = if key.name() == "spk" {
                "id"
            } else {
                "signedPreKeyId"
            };
            key.attr(attribute)?.parse().ok()
        })
        .unwrap()
}

pub fn fingerprint<S: Store + 'static>(hub: &Hub<S>, at: At) -> Fingerprint {
    hub.devices[at.0].account.as_ref().unwrap().fingerprint()
}

/// A person decides, and nothing is delivered.
pub fn decide<S: Store + 'static>(
    hub: &mut Hub<S>,
    at: At,
    jid: &str,
    key: Fingerprint,
    trust: Trust,
) {
    let jid = BareJid::parse(jid).unwrap();
    hub.call(at, |account| account.decide(&jid, &key, trust));
}

pub fn bare(jid: &str) -> BareJid {
    BareJid::parse(jid).unwrap()
}

pub fn xml(text: &str) -> Element {
    text.parse().unwrap()
}

/// Whether a stanza has a payload: whether it says anything.
pub fn has_payload(stanza: &Element) -> bool {
    String::from(stanza).contains("<payload")
}

/// Whether one of its keys comes with a key exchange.
pub fn is_key_exchange(stanza: &Element) -> bool {
    let text = String::from(stanza);
    text.contains("kex=") || text.contains("prekey=")
}

/// The texts of messages among events.
pub fn read(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Message(message) => message.body(),
            _ => None,
        })
        .collect()
}

/// Whether all that happened is that one message came again.
pub const fn is_repeated(events: &[Event]) -> bool {
    matches!(events, [Event::Duplicate { .. }])
}

/// Why messages could not be read.
pub fn unread(events: &[Event]) -> Vec<UndecryptableReason> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Undecryptable { reason, .. } => Some(reason.clone()),
            _ => None,
        })
        .collect()
}

/// Who was served by the message of this id.
pub fn served(events: &[Event], wanted: &str) -> Vec<Served> {
    events
        .iter()
        .find_map(|event| match event {
            Event::Sealed { id, served, .. } if id == wanted => Some(served.clone()),
            _ => None,
        })
        .unwrap_or_else(|| panic!("{wanted} was not sealed: {events:?}"))
}

/// Who was not served by the message of this id, sealed or refused.
pub fn unserved(events: &[Event], wanted: &str) -> Vec<Unserved> {
    events
        .iter()
        .find_map(|event| match event {
            Event::Sealed { id, unserved, .. } | Event::Refused { id, unserved, .. }
                if id == wanted =>
            {
                Some(unserved.clone())
            }
            _ => None,
        })
        .unwrap_or_else(|| panic!("{wanted} was neither sealed nor refused: {events:?}"))
}

pub fn is_refused(events: &[Event], wanted: &str) -> bool {
    let refused = |event: &Event| matches!(event, Event::Refused { id, .. } if id == wanted);
    events.iter().any(refused)
}

/// What was given up, and whether it may have arrived.
pub fn unsent(events: &[Event]) -> Vec<(String, UnsentReason, bool)> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Unsent {
                id,
                reason,
                maybe_delivered,
            } => Some((id.clone(), reason.clone(), *maybe_delivered)),
            _ => None,
        })
        .collect()
}
