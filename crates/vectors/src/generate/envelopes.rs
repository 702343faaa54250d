//! `envelopes`: `<envelope/>` (XEP-0420) as text, which only omemo:2 has.

mod affixes;

use super::Disagreement;
use super::faults;
use super::layer::Layer;
use super::xml::Verdict::{Accepted, Refused, Tolerated};
use super::xml::{Form, Reader, Sample};
use crate::implementation::Operation;

pub(super) const ABOUT: &str = "The decrypted envelope as text (XEP-0420). Whether from, to and time agree with the stanza is asked later.";

pub(super) fn write(layer: &mut Layer) -> Result<(), Disagreement> {
    let padding = layer.seed("padding").hex(40);
    let mut reader = Reader {
        layer,
        operation: Operation::ParseEnvelope,
    };
    let xml = envelope(&format!("{CONTENT}{FROM}{TO}{TIME}<rpad>{padding}</rpad>"));
    let sample = Sample {
        root: "envelope",
        namespace: NAMESPACE,
        xml: &xml,
    };
    let output = reader.read("envelope", "An envelope.", Accepted, &*xml)?;
    reader.same(&output, spellings(&xml, &padding))?;
    reader.all(parts_missing())?;
    contents(&mut reader)?;
    dropped(&mut reader)?;
    affixes::jids(&mut reader, &output)?;
    affixes::times(&mut reader)?;
    reader.all(repeated())?;
    faults::write(&mut reader, sample)
}

const NAMESPACE: &str = "urn:xmpp:sce:1";
const CONTENT: &str = "<content><body xmlns='jabber:client'>Wherefore art thou?</body></content>";
const FROM: &str = "<from jid='juliet@capulet.example'/>";
const TO: &str = "<to jid='romeo@montague.example'/>";
const TIME: &str = "<time stamp='2026-03-14T15:09:26Z'/>";

fn envelope(inside: &str) -> String {
    format!("<envelope xmlns='{NAMESPACE}'>{inside}</envelope>")
}

fn spellings(xml: &str, padding: &str) -> Vec<Form<'static>> {
    let prefixed = format!(
        "<e:envelope xmlns:e='{NAMESPACE}'><e:content><body xmlns='jabber:client'>Wherefore art thou?</body></e:content>\
         <e:from jid='juliet@capulet.example'/><e:to jid='romeo@montague.example'/><e:time stamp='2026-03-14T15:09:26Z'/>\
         <e:rpad>{padding}</e:rpad></e:envelope>"
    );
    let around = format!(
        "<envelope xmlns='{NAMESPACE}' xmlns:c='jabber:client'><content><c:body>Wherefore art thou?</c:body></content>\
         {FROM}{TO}{TIME}</envelope>"
    );
    let affix = |more: &str| envelope(&format!("{CONTENT}{FROM}{TO}{TIME}{more}"));
    let referenced = xml
        .replace("jid='j", "jid='&#106;")
        .replace("Where", "&#x57;here");
    vec![
        (
            "prefixes",
            "The namespace is bound to a prefix.",
            Accepted,
            prefixed,
        ),
        (
            "prefix-of-content",
            "The content's namespace is bound to a prefix by the envelope.",
            Accepted,
            around,
        ),
        (
            "double-quotes",
            "Quotation marks of the other kind.",
            Accepted,
            xml.replace('\'', "\""),
        ),
        (
            "indented",
            "White space between elements means nothing.",
            Accepted,
            xml.replace("><", ">\n  <"),
        ),
        (
            "character-references",
            "Characters as references to them.",
            Accepted,
            referenced,
        ),
        (
            "white-space-around",
            "White space around the envelope.",
            Tolerated,
            format!("\n{xml}\n"),
        ),
        (
            "order",
            "The parts in another order.",
            Accepted,
            envelope(&format!("{TIME}{TO}<rpad>x</rpad>{FROM}{CONTENT}")),
        ),
        ("rpad-none", "No padding.", Accepted, affix("")),
        (
            "rpad-empty",
            "Padding of no characters.",
            Accepted,
            affix("<rpad/>"),
        ),
        (
            "rpad-long",
            "Longer padding than expected must not be refused.",
            Accepted,
            affix(&format!("<rpad>{}</rpad>", "x".repeat(1_024))),
        ),
        (
            "rpad-escaped",
            "Any characters may pad.",
            Accepted,
            affix("<rpad>&lt;&amp;\u{1f339} <![CDATA[</rpad>]]></rpad>"),
        ),
        (
            "rpad-twice",
            "Two paddings.",
            Tolerated,
            affix("<rpad>x</rpad><rpad>y</rpad>"),
        ),
        (
            "strangers",
            "An affix that nobody knows yet.",
            Accepted,
            affix("<future xmlns='urn:example:future'/>"),
        ),
        (
            "affix-elsewhere",
            "An affix of another namespace is none.",
            Accepted,
            affix("<from xmlns='urn:example:other' jid='nurse@capulet.example'/>"),
        ),
        (
            "language",
            "An attribute beside the namespace.",
            Accepted,
            xml.replacen("<envelope", "<envelope xml:lang='en'", 1),
        ),
    ]
}

fn parts_missing() -> Vec<Form<'static>> {
    let refused = Refused("missing-child");
    let elsewhere = CONTENT.replace("<content", "<content xmlns='urn:example:other'");
    vec![
        (
            "content-only",
            "No affixes: which of them must be there is the protocol's question.",
            Accepted,
            envelope(CONTENT),
        ),
        (
            "content-empty",
            "Content of nothing.",
            Accepted,
            envelope("<content/>"),
        ),
        (
            "content-missing",
            "No content.",
            refused,
            envelope(&format!("{FROM}{TO}")),
        ),
        (
            "content-namespace",
            "The content in another namespace.",
            refused,
            envelope(&elsewhere),
        ),
        (
            "content-deeper",
            "The content lies deeper than it should.",
            refused,
            envelope(&format!("<more>{CONTENT}</more>")),
        ),
        (
            "nothing-inside",
            "An envelope of nothing.",
            refused,
            envelope(""),
        ),
        (
            "payload",
            "Content without an envelope.",
            Refused("other-element"),
            CONTENT.replacen("<content", "<content xmlns='urn:xmpp:sce:1'", 1),
        ),
        (
            "body-only",
            "A message's body without an envelope, as legacy would have it.",
            Refused("other-element"),
            "<body xmlns='jabber:client'>Wherefore art thou?</body>".into(),
        ),
        (
            "older",
            "An envelope of an older version.",
            Refused("other-element"),
            envelope(CONTENT).replace("urn:xmpp:sce:1", "urn:xmpp:sce:0"),
        ),
    ]
}

fn with_content(inside: &str) -> String {
    envelope(&format!("<content>{inside}</content>{FROM}"))
}

const BODY: &str = "<body xmlns='jabber:client'>Wherefore art thou?</body>";

fn contents(reader: &mut Reader<'_>) -> Result<(), Disagreement> {
    reader.all([
        ("chat-state", "A chat state without a body.", Accepted, with_content("<composing xmlns='http://jabber.org/protocol/chatstates'/>")),
        ("three-elements", "Several elements, in order.", Accepted, with_content(&format!("{BODY}<active xmlns='http://jabber.org/protocol/chatstates'/><x xmlns='jabber:x:oob'><url>https://capulet.example/balcony.jpg</url></x>"))),
        ("two-bodies", "Bodies in two languages.", Accepted, with_content(&format!("{BODY}<body xmlns='jabber:client' xml:lang='it'>Perch\u{e9} sei tu?</body>"))),
        ("text-in-content", "Text beside the elements is none of them.", Tolerated, with_content(&format!("hark{BODY}"))),
        ("origin-id", "An origin id may stand there, other than a stanza id.", Accepted, with_content(&format!("{BODY}<origin-id xmlns='urn:xmpp:sid:0' id='de305d54'/>"))),
        ("body-prefixed", "A body by a prefix that it declares itself.", Accepted, with_content("<c:body xmlns:c='jabber:client'>Wherefore art thou?</c:body>")),
    ])
}

/// What must not count, with a body beside it that does.
fn dropped(reader: &mut Reader<'_>) -> Result<(), Disagreement> {
    let expected = reader.read("body", "A body alone.", Accepted, with_content(BODY))?;
    let about = "What servers read must not stand inside and is dropped (XEP-0420, elements that must not be encrypted).";
    let form = |id, more: &str| {
        (
            id,
            about,
            Accepted,
            with_content(&format!("{more}{BODY}{more}")),
        )
    };
    reader.same(
        &expected,
        [
            form("hint-store", "<store xmlns='urn:xmpp:hints'/>"),
            form("hint-no-store", "<no-store xmlns='urn:xmpp:hints'/>"),
            form("hint-no-copy", "<no-copy xmlns='urn:xmpp:hints'/>"),
            form("hint-prefixed", "<h:no-permanent-store xmlns:h='urn:xmpp:hints'/>"),
            form("stanza-id", "<stanza-id xmlns='urn:xmpp:sid:0' id='de305d54' by='romeo@montague.example'/>"),
            form("addresses", "<addresses xmlns='http://jabber.org/protocol/address'><address type='to' jid='nurse@capulet.example'/></addresses>"),
            form("address", "<address xmlns='http://jabber.org/protocol/address' type='to' jid='nurse@capulet.example'/>"),
            form("encryption", "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:omemo:2' name='OMEMO'/>"),
        ],
    )?;
    let about =
        "An element of content has a namespace of its own; a body counts in jabber:client alone.";
    let prefixed = format!(
        "<e:envelope xmlns:e='{NAMESPACE}'><e:content><body>Good night</body>{BODY}</e:content><e:from jid='juliet@capulet.example'/></e:envelope>"
    );
    reader.same(
        &expected,
        [
            (
                "body-inherits",
                about,
                Accepted,
                with_content(&format!("<body>Good night</body>{BODY}")),
            ),
            (
                "body-no-namespace",
                about,
                Accepted,
                with_content(&format!("<body xmlns=''>Good night</body>{BODY}")),
            ),
            ("body-no-default", about, Accepted, prefixed),
        ],
    )
}

/// What can only mean one thing, twice.
fn repeated() -> [Form<'static>; 5] {
    let refused = Refused("repeated-child");
    let nurse = "<from jid='nurse@capulet.example'/>";
    [
        (
            "content-twice",
            "Two contents.",
            refused,
            envelope(&format!("{CONTENT}<content/>")),
        ),
        (
            "from-twice",
            "Two senders.",
            refused,
            envelope(&format!("{CONTENT}{FROM}{nurse}")),
        ),
        (
            "from-same-twice",
            "A sender twice.",
            refused,
            envelope(&format!("{FROM}{CONTENT}{FROM}")),
        ),
        (
            "to-twice",
            "Two recipients.",
            refused,
            envelope(&format!("{CONTENT}{TO}<to jid='nurse@capulet.example'/>")),
        ),
        (
            "time-twice",
            "Two times.",
            refused,
            envelope(&format!(
                "{CONTENT}{TIME}<time stamp='2026-03-15T15:09:26Z'/>"
            )),
        ),
    ]
}
