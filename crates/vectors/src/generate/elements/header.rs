//! What the header holds: keys, in groups or with an initialisation vector.

use serde_json::{Map, Value};

use super::super::Disagreement;
use super::super::xml::Verdict::{Accepted, Limited, Refused, Tolerated};
use super::super::xml::{self, Form, NO_NUMBERS, Reader, base64};
use super::{CONTACT, Message, OWN};

/// What is added to the message changes nothing.
pub(super) fn damaged_keys(message: &Message) -> Vec<Form<'static>> {
    let key = &message.key;
    let rids: String = NO_NUMBERS
        .iter()
        .map(|(_, _, text)| format!("<key rid='{text}'>{key}</key>"))
        .collect();
    let broken: String = xml::bad_base64(&base64([5; 49]))
        .iter()
        .map(|(_, _, text)| format!("<key rid='5'>{text}</key>"))
        .collect();
    vec![
        (
            "rid-missing",
            "A key for nobody.",
            Tolerated,
            message.and(&format!("<key>{key}</key>")),
        ),
        (
            "rid-zero",
            "A key for a device that cannot be.",
            Tolerated,
            message.and(&format!("<key rid='0'>{key}</key>")),
        ),
        (
            "rid-32-bits",
            "A key for a device above the greatest id.",
            Tolerated,
            message.and(&format!("<key rid='2147483648'>{key}</key>")),
        ),
        (
            "rid-damaged",
            "Keys whose device ids are none.",
            Tolerated,
            message.and(&rids),
        ),
        (
            "key-base64",
            "Keys that are no base64.",
            Tolerated,
            message.and(&broken),
        ),
        (
            "key-stranger",
            "A key of another namespace.",
            Accepted,
            message.and(&format!(
                "<key xmlns='urn:example:future' rid='5'>{key}</key>"
            )),
        ),
        (
            "key-deeper",
            "A key that lies deeper than it should.",
            Tolerated,
            message.and(&format!("<more><key rid='5'>{key}</key></more>")),
        ),
    ]
}

pub(super) fn whole_keys(message: &Message) -> Vec<Form<'static>> {
    let key = &message.key;
    let none = Message {
        keys: String::new(),
        ..message.clone()
    };
    let twice = format!("<key rid='31415'>{}</key>", base64([5; 104]));
    vec![
        (
            "keys-none",
            "A message to nobody, which a client in use sends.",
            Tolerated,
            none.xml(),
        ),
        (
            "rid-twice",
            "Two keys for one device id: both are to be tried.",
            Accepted,
            message.and(&twice),
        ),
        (
            "key-empty",
            "A key of no bytes, which no session opens.",
            Tolerated,
            message.and("<key rid='5'/>"),
        ),
        (
            "key-cdata",
            "A section of character data is text.",
            Accepted,
            message.and(&format!("<key rid='5'><![CDATA[{key}]]></key>")),
        ),
        (
            "key-one-byte",
            "A key of one byte, which no session opens.",
            Accepted,
            message.and("<key rid='5'>BQ==</key>"),
        ),
    ]
}

/// The groups of omemo:2.
pub(super) fn groups(
    reader: &mut Reader<'_>,
    message: &Message,
    output: &Map<String, Value>,
) -> Result<(), Disagreement> {
    let key = &message.key;
    let replaced = |with: &str| {
        let keys = message.keys.replace(CONTACT, with);
        Message {
            keys,
            ..message.clone()
        }
        .xml()
    };
    let and = |group: &str| {
        let keys = format!("{}{group}", message.keys);
        Message {
            keys,
            ..message.clone()
        }
        .xml()
    };
    let group = |jid: &str| {
        and(&format!(
            "<keys jid='{jid}'><key rid='5'>{key}</key></keys>"
        ))
    };
    reader.same(
        output,
        [
            (
                "jid-case",
                "JIDs are normalised before they are compared.",
                Tolerated,
                replaced("Juliet@CAPULET.example"),
            ),
            (
                "jid-full",
                "A full JID stands for its account.",
                Tolerated,
                replaced("juliet@capulet.example/balcony"),
            ),
            (
                "jid-missing",
                "A group of keys for nobody.",
                Tolerated,
                and(&format!("<keys><key rid='5'>{key}</key></keys>")),
            ),
            (
                "jid-empty",
                "A group whose JID is empty.",
                Tolerated,
                group(""),
            ),
            (
                "jid-damaged",
                "A group whose JID is none.",
                Tolerated,
                group("@capulet.example"),
            ),
            (
                "group-empty",
                "A group without keys.",
                Tolerated,
                and("<keys jid='nurse@capulet.example'/>"),
            ),
            (
                "group-stranger",
                "A group of another namespace.",
                Accepted,
                and(&format!(
                    "<keys xmlns='urn:example:future' jid='{OWN}'><key rid='5'>{key}</key></keys>"
                )),
            ),
            (
                "key-outside",
                "A key outside the groups, as legacy has them.",
                Tolerated,
                and(&format!("<key rid='5'>{key}</key>")),
            ),
            (
                "iv-ignored",
                "An initialisation vector, which this protocol does not know.",
                Accepted,
                and("<iv>AAAAAAAAAAAAAAAA</iv>"),
            ),
        ],
    )?;
    reader.all([
        (
            "group-twice",
            "Two groups of one account: the keys of both count.",
            Tolerated,
            group(OWN),
        ),
        (
            "group-other-account",
            "The same device id of another account is another device.",
            Accepted,
            and(&format!(
                "<keys jid='nurse@capulet.example'><key rid='1'>{key}</key></keys>"
            )),
        ),
        (
            "jid-server",
            "A JID without a local part.",
            Accepted,
            group("capulet.example"),
        ),
        (
            "jid-unicode",
            "A JID in another script.",
            Accepted,
            group("\u{3c1}\u{3c9}\u{3bc}\u{3b1}\u{3af}\u{3bf}\u{3c2}@montague.example"),
        ),
    ])
}

/// The initialisation vector of legacy.
pub(super) fn ivs(reader: &mut Reader<'_>, message: &Message) -> Result<(), Disagreement> {
    let with = |iv: &str| message.with_iv(Some(iv)).xml();
    let good = message.iv.as_deref().unwrap_or_default();
    let bare = Message {
        payload: None,
        ..message.with_iv(None)
    };
    let header = message.header_xml();
    let outside = message
        .with_iv(None)
        .xml()
        .replace("<payload>", &format!("<iv>{good}</iv><payload>"));
    reader.all([
        (
            "iv-16",
            "An initialisation vector of 16 bytes, which clients in use send.",
            Tolerated,
            with(&base64([5; 16])),
        ),
        (
            "iv-other-length",
            "One of another length, which is for later to refuse.",
            Tolerated,
            with(&base64([5; 13])),
        ),
        (
            "iv-missing-empty",
            "Without a payload it is of no use.",
            Tolerated,
            bare.xml(),
        ),
        (
            "iv-missing",
            "A payload without an initialisation vector.",
            Refused("missing-child"),
            message.with_iv(None).xml(),
        ),
        (
            "iv-outside",
            "The initialisation vector outside the header.",
            Refused("missing-child"),
            outside,
        ),
        (
            "iv-namespace",
            "The initialisation vector in another namespace.",
            Refused("missing-child"),
            message
                .xml()
                .replace("<iv>", "<iv xmlns='urn:example:other'>"),
        ),
        (
            "iv-twice",
            "Two initialisation vectors.",
            Refused("repeated-child"),
            message.xml().replace(
                &header,
                &header.replace("<iv>", &format!("<iv>{good}</iv><iv>")),
            ),
        ),
        (
            "iv-too-long",
            "An initialisation vector of 1,027 bytes.",
            Limited("too-long"),
            with(&base64([5; 1_027])),
        ),
    ])?;
    for (name, about, text) in xml::bad_base64(&base64([5; 16])) {
        reader.read(
            format!("iv-base64-{name}"),
            about,
            Refused("base64"),
            with(&text),
        )?;
    }
    Ok(())
}
