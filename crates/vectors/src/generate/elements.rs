//! `elements`: `<encrypted/>` as text.

mod header;

use omemo_ratchet::Version;

use super::Disagreement;
use super::faults;
use super::layer::Layer;
use super::seed::Seed;
use super::xml::Verdict::{Accepted, Hardened, Limited, Refused, Tolerated};
use super::xml::{self, Form, NO_NUMBERS, Reader, Sample, base64};
use crate::implementation::Operation;

pub(super) const ABOUT: &str = "The element <encrypted/> as text. Keys that are damaged are skipped: they are for other devices, or the one \
     for ours is whole.";

pub(super) fn write(layer: &mut Layer) -> Result<(), Disagreement> {
    let message = Message::new(layer.version, &layer.seed("message"));
    let mut reader = Reader {
        layer,
        operation: Operation::ParseMessage,
    };
    let xml = message.xml();
    let sample = Sample {
        root: "encrypted",
        namespace: xml::namespace(message.version),
        xml: &xml,
    };
    let about = "A message to two devices of a contact and one of our own.";
    let output = reader.read("message", about, Accepted, &*xml)?;
    xml::spellings(&mut reader, &output, sample)?;
    reader.same(&output, spellings(&message))?;
    reader.same(&output, header::damaged_keys(&message))?;
    reader.all(header::whole_keys(&message))?;
    match message.version {
        Version::Legacy => header::ivs(&mut reader, &message)?,
        _ => header::groups(&mut reader, &message, &output)?,
    }
    reader.all(payloads(&message))?;
    reader.all(headers(&message))?;
    let short = message.with_keys(&format!("<key rid='31415'>{}</key>", message.key));
    sids(&mut reader, &short)?;
    broken_base64(&mut reader, &short)?;
    let xml = short.xml();
    faults::write(
        &mut reader,
        Sample {
            xml: &xml,
            ..sample
        },
    )?;
    let many = message.with_keys(&"<key/>".repeat(4_097)).xml();
    reader.read("too-many-keys", "4,097 keys.", Limited("too-many"), many)?;
    Ok(())
}

const CONTACT: &str = "juliet@capulet.example";
const OWN: &str = "romeo@montague.example";

/// A message in parts, each of them text.
#[derive(Clone)]
struct Message {
    version: Version,
    sid: String,
    /// Attributes after `sid`.
    header: String,
    /// The header's children, `<iv/>` excluded.
    keys: String,
    /// The text of a key.
    key: String,
    iv: Option<String>,
    payload: Option<String>,
}

impl Message {
    fn new(version: Version, seed: &Seed) -> Self {
        let key = |name: &str| base64(seed.part(name).bytes(104));
        let kex = match version {
            Version::Legacy => "prekey",
            _ => "kex",
        };
        let first = format!(
            "<key rid='31415'>{}</key><key {kex}='true' rid='2147483647'>{}</key>",
            key("one"),
            key("two")
        );
        let last = format!("<key rid='1'>{}</key>", key("three"));
        let legacy = version == Version::Legacy;
        let keys = if legacy {
            first + &last
        } else {
            format!("<keys jid='{CONTACT}'>{first}</keys><keys jid='{OWN}'>{last}</keys>")
        };
        Self {
            version,
            sid: "27183".into(),
            header: String::new(),
            keys,
            key: key("one"),
            iv: legacy.then(|| base64(seed.part("iv").bytes(12))),
            payload: Some(base64(seed.part("payload").bytes(80))),
        }
    }

    fn xml(&self) -> String {
        let header = self.header_xml();
        let payload = self.payload_xml();
        self.of(&format!("{header}{payload}"))
    }

    fn header_xml(&self) -> String {
        let iv = self.iv.as_ref().map(|iv| format!("<iv>{iv}</iv>"));
        let (sid, attributes, keys) = (&self.sid, &self.header, &self.keys);
        format!(
            "<header sid='{sid}'{attributes}>{keys}{}</header>",
            iv.unwrap_or_default()
        )
    }

    fn payload_xml(&self) -> String {
        let payload = self.payload.as_ref();
        payload
            .map(|payload| format!("<payload>{payload}</payload>"))
            .unwrap_or_default()
    }

    fn of(&self, inside: &str) -> String {
        let namespace = xml::namespace(self.version);
        format!("<encrypted xmlns='{namespace}'>{inside}</encrypted>")
    }

    fn with_sid(&self, sid: &str) -> String {
        Self {
            sid: sid.into(),
            ..self.clone()
        }
        .xml()
    }

    fn with_payload(&self, payload: Option<&str>) -> String {
        Self {
            payload: payload.map(str::to_owned),
            ..self.clone()
        }
        .xml()
    }

    fn with_iv(&self, iv: Option<&str>) -> Self {
        Self {
            iv: iv.map(str::to_owned),
            ..self.clone()
        }
    }

    /// With these keys in the place of all others.
    fn with_keys(&self, keys: &str) -> Self {
        let keys = match self.version {
            Version::Legacy => keys.into(),
            _ => format!("<keys jid='{CONTACT}'>{keys}</keys>"),
        };
        Self {
            keys,
            ..self.clone()
        }
    }

    /// With a further key before the others.
    fn and(&self, key: &str) -> String {
        let keys = match self.version {
            Version::Legacy => format!("{key}{}", self.keys),
            _ => self.keys.replacen("'>", &format!("'>{key}"), 1),
        };
        Self {
            keys,
            ..self.clone()
        }
        .xml()
    }
}

fn spellings(message: &Message) -> Vec<Form<'static>> {
    let hint = |text: &str| {
        let keys = message.keys.replace("='true'", &format!("='{text}'"));
        Message {
            keys,
            ..message.clone()
        }
        .xml()
    };
    let kex = match message.version {
        Version::Legacy => "prekey",
        _ => "kex",
    };
    let no_hint = message.keys.replace(&format!(" {kex}='true'"), "");
    let key_first = message
        .keys
        .replace(&message.key, &xml::folded(&message.key));
    let folded = Message {
        keys: key_first,
        iv: message.iv.as_deref().map(xml::folded),
        payload: message.payload.as_deref().map(xml::folded),
        ..message.clone()
    };
    let turned = message.of(&(message.payload_xml() + &message.header_xml()));
    // The schema of legacy is not well-formed, its examples have the header first.
    let order = match message.version {
        Version::Legacy => Tolerated,
        _ => Accepted,
    };
    vec![
        (
            "hint-1",
            "The other way to write true; the key itself says what it is.",
            Accepted,
            hint("1"),
        ),
        (
            "hint-upper-case",
            "As a client in use writes true.",
            Tolerated,
            hint("TRUE"),
        ),
        (
            "hint-word",
            "No boolean; the key itself says what it is.",
            Tolerated,
            hint("yes"),
        ),
        (
            "hint-false",
            "A hint that is wrong; the key itself says what it is.",
            Tolerated,
            hint("false"),
        ),
        (
            "hint-missing",
            "As clients in use leave it out; the key itself says what it is.",
            Tolerated,
            Message {
                keys: no_hint,
                ..message.clone()
            }
            .xml(),
        ),
        (
            "base64-white-space",
            "White space in base64, which clients in use write.",
            Tolerated,
            folded.xml(),
        ),
        (
            "sid-white-space",
            "White space around a number.",
            Tolerated,
            message.with_sid("\t27183 "),
        ),
        (
            "sid-zeros",
            "A number with zeros before it.",
            Accepted,
            message.with_sid("0027183"),
        ),
        ("order", "The payload before the header.", order, turned),
        (
            "header-attributes",
            "An attribute of the header that nobody knows yet.",
            Accepted,
            Message {
                header: " version='2'".into(),
                ..message.clone()
            }
            .xml(),
        ),
    ]
}

fn payloads(message: &Message) -> Vec<Form<'static>> {
    let payload = message.payload_xml();
    let inside = Message {
        header: String::new(),
        keys: format!("{}{payload}", message.keys),
        payload: None,
        ..message.clone()
    };
    let two = message.of(&(message.header_xml() + &payload + &payload));
    let around = message.of(&(payload.clone() + &message.header_xml() + &payload));
    let stranger =
        message.header_xml() + &payload.replace("<payload", "<payload xmlns='urn:example:future'");
    vec![
        (
            "payload-none",
            "An empty message: what counts is the step of the ratchet.",
            Accepted,
            message.with_payload(None),
        ),
        (
            "payload-empty",
            "A payload of no bytes, which is for later to refuse.",
            Tolerated,
            message.with_payload(Some("")),
        ),
        (
            "payload-in-header",
            "A payload in the header is none.",
            Tolerated,
            inside.xml(),
        ),
        (
            "payload-stranger",
            "A payload of another namespace is none.",
            Accepted,
            message.of(&stranger),
        ),
        (
            "payload-twice",
            "Two payloads.",
            Refused("repeated-child"),
            two,
        ),
        (
            "payload-around",
            "A payload before the header and one after it.",
            Refused("repeated-child"),
            around,
        ),
    ]
}

fn headers(message: &Message) -> Vec<Form<'static>> {
    let refused = Refused("missing-child");
    let header = message.header_xml();
    let elsewhere = header.replace("<header", "<header xmlns='urn:example:other'");
    let deeper = format!("<more>{header}</more>");
    let without_sid = header.replace(" sid='27183'", "");
    let with_namespace = header.replace(" sid=", " xmlns:a='urn:example:a' a:sid=");
    vec![
        (
            "header-missing",
            "No header.",
            refused,
            message.of(&message.payload_xml()),
        ),
        (
            "header-namespace",
            "The header in another namespace.",
            refused,
            message.of(&elsewhere),
        ),
        (
            "header-deeper",
            "The header lies deeper than it should.",
            refused,
            message.of(&deeper),
        ),
        (
            "header-twice",
            "Two headers: of two readers each might take another one.",
            Hardened("repeated-child"),
            message.of(&header.repeat(2)),
        ),
        (
            "nothing-inside",
            "Neither header nor payload.",
            refused,
            message.of(""),
        ),
        (
            "sid-missing",
            "Nobody has sent it.",
            Refused("missing-attribute"),
            message.of(&without_sid),
        ),
        (
            "sid-namespace",
            "The device id is in a namespace.",
            Refused("missing-attribute"),
            message.of(&with_namespace),
        ),
    ]
}

fn sids(reader: &mut Reader<'_>, message: &Message) -> Result<(), Disagreement> {
    let refused = Refused("attribute-value");
    reader.all([
        (
            "sid-least",
            "The least device id.",
            Accepted,
            message.with_sid("1"),
        ),
        (
            "sid-greatest",
            "The greatest device id.",
            Accepted,
            message.with_sid("2147483647"),
        ),
        (
            "sid-zero",
            "No device has the id 0.",
            refused,
            message.with_sid("0"),
        ),
        (
            "sid-above",
            "An id above the greatest one.",
            refused,
            message.with_sid("2147483648"),
        ),
        (
            "sid-32-bits",
            "The greatest number of 32 bits.",
            refused,
            message.with_sid("4294967295"),
        ),
        (
            "sid-plus",
            "A number with a plus sign, which XML Schema 1.0 does not know.",
            Hardened("attribute-value"),
            message.with_sid("+27183"),
        ),
    ])?;
    for (name, about, text) in NO_NUMBERS {
        reader.read(
            format!("sid-{name}"),
            about,
            refused,
            message.with_sid(text),
        )?;
    }
    Ok(())
}

fn broken_base64(reader: &mut Reader<'_>, message: &Message) -> Result<(), Disagreement> {
    let good = message.payload.as_deref().unwrap_or_default();
    for (name, about, text) in xml::bad_base64(good) {
        let xml = message.with_payload(Some(&text));
        reader.read(
            format!("payload-base64-{name}"),
            about,
            Refused("base64"),
            xml,
        )?;
    }
    Ok(())
}
