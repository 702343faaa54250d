//! How the elements of both protocols look, written down a second time: what the server and the villains send is not built by
//! the code that is under test.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use minidom::Element;
use omemo::Version;
use omemo_ratchet::Bundle;

pub const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
pub const EVENT: &str = "http://jabber.org/protocol/pubsub#event";

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

pub fn xml(text: &str) -> Element {
    text.parse()
        .unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A list with these devices.
pub fn list(version: Version, ids: &[u32]) -> Element {
    let name = match version {
        Version::Omemo2 => "devices",
        Version::Legacy => "list",
    };
    let devices: String = ids
        .iter()
        .map(|id| format!("<device id='{id}'/>"))
        .collect();
    xml(&format!(
        "<{name} xmlns='{}'>{devices}</{name}>",
        namespace(version)
    ))
}

/// The ids on a list.
pub fn ids(list: &Element) -> Vec<u32> {
    list.children()
        .filter_map(|device| device.attr("id")?.parse().ok())
        .collect()
}

/// A push of a list, `from` wherever it is said to come from.
pub fn push(from: Option<&str>, node: &str, list: &Element) -> String {
    let from = from.map_or(String::new(), |from| format!(" from='{from}'"));
    format!(
        "<message xmlns='jabber:client'{from} type='headline'><event xmlns='{EVENT}'><items node='{node}'>\
         <item id='current'>{}</item></items></event></message>",
        String::from(list)
    )
}

/// Names of the parts of a bundle.
struct Names {
    signed: &'static str,
    signature: &'static str,
    identity: &'static str,
    pre_key: &'static str,
    signed_id: &'static str,
    pre_key_id: &'static str,
}

const fn names(version: Version) -> Names {
    match version {
        Version::Omemo2 => Names {
            signed: "spk",
            signature: "spks",
            identity: "ik",
            pre_key: "pk",
            signed_id: "id",
            pre_key_id: "id",
        },
        Version::Legacy => Names {
            signed: "signedPreKeyPublic",
            signature: "signedPreKeySignature",
            identity: "identityKey",
            pre_key: "preKeyPublic",
            signed_id: "signedPreKeyId",
            pre_key_id: "preKeyId",
        },
    }
}

pub fn bundle_element(version: Version, bundle: &Bundle) -> Element {
    let encode = |bytes: &[u8]| BASE64.encode(bytes);
    let Names {
        signed,
        signature,
        identity,
        pre_key,
        signed_id,
        pre_key_id,
    } = names(version);
    let pre_keys: String = bundle
        .pre_keys
        .iter()
        .map(|(id, key)| format!("<{pre_key} {pre_key_id}='{id}'>{}</{pre_key}>", encode(key)))
        .collect();
    xml(&format!(
        "<bundle xmlns='{}'><{signed} {signed_id}='{}'>{}</{signed}><{signature}>{}</{signature}>\
         <{identity}>{}</{identity}><prekeys>{pre_keys}</prekeys></bundle>",
        namespace(version),
        bundle.signed_pre_key_id,
        encode(&bundle.signed_pre_key),
        encode(&bundle.signed_pre_key_signature),
        encode(&bundle.identity_key),
    ))
}

/// Reads a published bundle; `None` for one that is damaged.
pub fn read_bundle(version: Version, element: &Element) -> Option<Bundle> {
    let names = names(version);
    let child = |name: &str| element.children().find(|child| child.name() == name);
    let bytes = |element: &Element| BASE64.decode(element.text()).ok();
    let signed = child(names.signed)?;
    Some(Bundle {
        identity_key: bytes(child(names.identity)?)?,
        signed_pre_key_id: signed.attr(names.signed_id)?.parse().ok()?,
        signed_pre_key: bytes(signed)?,
        signed_pre_key_signature: bytes(child(names.signature)?)?,
        pre_keys: child("prekeys")?
            .children()
            .map(|key| Some((key.attr(names.pre_key_id)?.parse().ok()?, bytes(key)?)))
            .collect::<Option<_>>()?,
    })
}

/// An envelope of XEP-0420.
pub fn envelope(from: &str, to: &str, body: &str) -> String {
    format!(
        "<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>{body}</body></content>\
         <from jid='{from}'/><to jid='{to}'/><rpad>x</rpad></envelope>"
    )
}

/// A carbon of what `own` sent, if `kind` is `sent`, or received.
pub fn carbon(outer: &str, kind: &str, message: &str) -> String {
    format!(
        "<message xmlns='jabber:client' from='{outer}' type='chat'><{kind} xmlns='urn:xmpp:carbons:2'>\
         <forwarded xmlns='urn:xmpp:forward:0'>{message}</forwarded></{kind}></message>"
    )
}

/// A message out of the archive.
pub fn archived(outer: &str, stamp: &str, message: &str) -> String {
    format!(
        "<message xmlns='jabber:client' from='{outer}'><result xmlns='urn:xmpp:mam:2' queryid='q' id='i'>\
         <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='{stamp}'/>{message}</forwarded>\
         </result></message>"
    )
}
