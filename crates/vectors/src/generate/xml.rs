//! Elements as text: how their cases are judged, and what goes wrong with any of them.

use std::fmt::Display;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use omemo_ratchet::Version;
use serde_json::{Map, Value, json};

use super::Disagreement;
use super::layer::Layer;
use crate::case::Flag;
use crate::implementation::{Answer, Operation};

use self::Verdict::{Accepted, Hardened, Limited, Refused};

/// What must come of a text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verdict {
    /// Everybody reads it.
    Accepted,
    /// This project reads it; others may refuse.
    Tolerated,
    /// Nobody reads it, for this reason.
    Refused(&'static str),
    /// This project does not read it; others may.
    Hardened(&'static str),
    /// It is above a limit of this project's.
    Limited(&'static str),
}

/// A case: id, what it shows, what must come of it, and the text.
pub(super) type Form<'a> = (&'a str, &'a str, Verdict, String);

/// The cases of one operation.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) layer: &'a mut Layer,
    pub(super) operation: Operation,
}

impl Reader<'_> {
    /// Gives the output, which is empty where the text is refused.
    pub(super) fn read(
        &mut self,
        id: impl Into<String>,
        about: impl Into<String>,
        verdict: Verdict,
        xml: impl Into<String>,
    ) -> Result<Map<String, Value>, Disagreement> {
        let mut case = self.layer.case(id, about);
        match verdict {
            Verdict::Tolerated => case = case.flag(Flag::Tolerance),
            Hardened(_) => case = case.flag(Flag::Hardening),
            Limited(_) => case = case.flag(Flag::Limit),
            Accepted | Refused(_) => {}
        }
        let xml: String = xml.into();
        let input = json!({ "xml": xml });
        let output = match verdict {
            Accepted | Verdict::Tolerated => case.accept(self.operation, input)?,
            Refused(reason) | Hardened(reason) | Limited(reason) => {
                case.refuse(reason, self.operation, input)?;
                Map::new()
            }
        };
        case.end();
        Ok(output)
    }

    pub(super) fn all<'a>(
        &mut self,
        forms: impl IntoIterator<Item = Form<'a>>,
    ) -> Result<(), Disagreement> {
        for (id, about, verdict, xml) in forms {
            self.read(id, about, verdict, xml)?;
        }
        Ok(())
    }

    /// Other ways to write what gave this output.
    pub(super) fn same<'a>(
        &mut self,
        output: &Map<String, Value>,
        forms: impl IntoIterator<Item = Form<'a>>,
    ) -> Result<(), Disagreement> {
        for (id, about, verdict, xml) in forms {
            let found = self.read(id, about, verdict, xml)?;
            if found != *output {
                return Err(Disagreement {
                    case: id.into(),
                    operation: self.operation,
                    answer: Answer::Output(found),
                });
            }
        }
        Ok(())
    }
}

/// An element that is as it should be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample<'a> {
    /// Its name.
    pub(super) root: &'a str,
    pub(super) namespace: &'a str,
    /// It declares its namespace first and holds something.
    pub(super) xml: &'a str,
}

impl Sample<'_> {
    /// With more before its end.
    pub(super) fn inside(&self, more: impl Display) -> String {
        let end = format!("</{}>", self.root);
        self.xml.replace(&end, &format!("{more}{end}"))
    }

    /// With more in its first tag.
    fn attributes(&self, more: &str) -> String {
        let start = format!("<{}", self.root);
        self.xml.replacen(&start, &format!("{start} {more}"), 1)
    }
}

/// Other ways to write an element of one namespace, whose values are in quotation marks of the single kind.
pub(super) fn spellings(
    reader: &mut Reader<'_>,
    output: &Map<String, Value>,
    sample: Sample<'_>,
) -> Result<(), Disagreement> {
    let declared = format!("xmlns='{}'", sample.namespace);
    let prefixed = sample
        .xml
        .replace('<', "<o:")
        .replace("<o:/", "</o:")
        .replace("xmlns=", "xmlns:o=");
    let unknown = sample
        .inside("<future xmlns='urn:example:future' id='1'>AAAA</future>")
        .replacen(&declared, &format!("{declared} version='2'"), 1);
    reader.same(
        output,
        [
            (
                "prefixes",
                "The namespace is bound to a prefix.",
                Accepted,
                prefixed,
            ),
            (
                "double-quotes",
                "Quotation marks of the other kind.",
                Accepted,
                sample.xml.replace('\'', "\""),
            ),
            (
                "indented",
                "White space between elements means nothing.",
                Accepted,
                sample.xml.replace("><", ">\n  <"),
            ),
            (
                "character-references",
                "Characters as references to them.",
                Accepted,
                sample.xml.replace("urn", "&#117;&#x72;n").replace('=', "=").replace("eu.", "&#101;u."),
            ),
            (
                "language",
                "A server put xml:lang on it.",
                Accepted,
                sample.attributes("xml:lang='en'"),
            ),
            (
                "strangers",
                "Attributes and elements that nobody knows yet are skipped.",
                Accepted,
                unknown,
            ),
        ],
    )
}

/// What is wrong with any element.
pub(super) fn faults(reader: &mut Reader<'_>, sample: Sample<'_>) -> Result<(), Disagreement> {
    not_well_formed(reader, sample)?;
    restricted(reader, sample)?;
    another_element(reader, sample)?;
    let deep = "<a>".repeat(64) + &"</a>".repeat(64);
    let attributes: String = (0..64).map(|number| format!("a{number}='' ")).collect();
    reader.all([
        (
            "too-deep",
            "Elements 65 deep. Who frees them by recursion runs out of stack at some depth.",
            Limited("too-deep"),
            sample.inside(deep),
        ),
        (
            "too-many-attributes",
            "65 attributes on one element, with that of the namespace.",
            Limited("too-many"),
            sample.attributes(&format!("{attributes}b=''")),
        ),
    ])
}

/// XML 1.0 and Namespaces in XML refuse it.
fn not_well_formed(reader: &mut Reader<'_>, sample: Sample<'_>) -> Result<(), Disagreement> {
    let (xml, root) = (sample.xml, sample.root);
    let without_end = xml.replace(&format!("</{root}>"), "");
    let faults = [
        ("empty", "Nothing.", String::new()),
        ("blank", "White space.", " \n".into()),
        ("text", "Text without an element.", "Wherefore art thou?".into()),
        ("cut", "The last character is missing.", xml.trim_end_matches('>').into()),
        ("not-closed", "The end is missing.", without_end.clone()),
        ("closed-by-another", "The end is another element's.", without_end.clone() + "</message>"),
        ("crossed", "Elements end in the wrong order.", without_end + &format!("<a><b></a></b></{root}>")),
        ("end-only", "An end without a beginning.", format!("</{root}>")),
        ("twice", "Two elements.", xml.repeat(2)),
        ("text-before", "Text before the element.", format!("a{xml}")),
        ("text-after", "Text after the element.", format!("{xml}a")),
        ("end-after", "An end too many, which would close what is around the element.", format!("{xml}</stream>")),
        ("same-attribute", "An attribute twice.", sample.attributes("a='1' a='2'")),
        ("same-attribute-by-prefix", "An attribute twice, by two prefixes of one namespace.", sample.attributes("xmlns:a='urn:example:a' xmlns:b='urn:example:a' a:c='1' b:c='2'")),
        ("no-quotes", "A value without quotation marks.", sample.attributes("a=1")),
        ("no-value", "An attribute without a value.", sample.attributes("a")),
        ("less-than-in-value", "A bare < in a value.", sample.attributes("a='<'")),
        ("prefix-of-element", "A prefix that is not declared.", sample.inside("<p:a/>")),
        ("prefix-of-attribute", "An attribute's prefix that is not declared.", sample.attributes("p:a='1'")),
        ("prefix-without-namespace", "A prefix that is bound to nothing.", sample.attributes("xmlns:p=''")),
        ("prefix-xml", "The prefix xml is bound to another namespace.", sample.attributes("xmlns:xml='urn:example:a'")),
        ("two-colons", "A name with two prefixes.", sample.inside("<xml:xml:a/>")),
        ("name", "A name that begins with a digit.", sample.inside("<1a/>")),
        ("ampersand", "A bare ampersand.", sample.inside("<a>Romeo & Juliet</a>")),
        ("entity", "An entity that nobody has declared.", sample.inside("&romeo;")),
        ("reference-zero", "A reference to the character 0.", sample.inside("&#0;")),
        ("reference-control", "A reference to a control character.", sample.inside("&#x1;")),
        ("reference-surrogate", "A reference to half a character.", sample.inside("&#xd800;")),
        ("reference-too-great", "A reference beyond the last character.", sample.inside("&#x110000;")),
        ("control", "A control character.", sample.inside("\u{1}")),
        ("noncharacter", "A character that XML does not know.", sample.inside("\u{ffff}")),
    ];
    for (id, about, xml) in faults {
        reader.read(format!("xml-{id}"), about, Refused("xml"), xml)?;
    }
    Ok(())
}

/// RFC 6120 §11.1 forbids it in a stream, where the parser of the stream refuses it. A parser of the element alone may
/// take it, and then an envelope brings it in.
fn restricted(reader: &mut Reader<'_>, sample: Sample<'_>) -> Result<(), Disagreement> {
    let (xml, root) = (sample.xml, sample.root);
    let laughs = format!(
        "<!DOCTYPE {root} [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>\
         <!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>]>"
    );
    let outside = format!("<!DOCTYPE {root} [<!ENTITY a SYSTEM 'file:///etc/hostname'>]>");
    let faults = [
        ("declaration", "A declaration of XML.", format!("<?xml version='1.0'?>{xml}")),
        ("comment", "A comment.", sample.inside("<!-- Juliet -->")),
        ("comment-before", "A comment before the element.", format!("<!-- Juliet -->{xml}")),
        ("instruction", "A processing instruction.", sample.inside("<?juliet capulet?>")),
        ("doctype", "A document type.", format!("<!DOCTYPE {root}>{xml}")),
        ("doctype-elsewhere", "A document type that lies elsewhere.", format!("<!DOCTYPE {root} SYSTEM 'http://montague.example/a.dtd'>{xml}")),
        ("laughs", "Entities of entities, which grow without end.", laughs + &sample.inside("&d;")),
        ("file", "An entity that is a file.", outside + &sample.inside("&a;")),
    ];
    for (id, about, xml) in faults {
        let about = format!("{about} RFC 6120 §11.1 forbids it in streams.");
        reader.read(format!("restricted-{id}"), about, Hardened("xml"), xml)?;
    }
    Ok(())
}

fn another_element(reader: &mut Reader<'_>, sample: Sample<'_>) -> Result<(), Disagreement> {
    let (xml, root, namespace) = (sample.xml, sample.root, sample.namespace);
    let refused = Refused("other-element");
    let upper = root.to_uppercase();
    let another = |name: &str| {
        xml.replace(&format!("<{root} "), &format!("<{name} "))
            .replace(&format!("</{root}>"), &format!("</{name}>"))
    };
    let elsewhere = |namespace: &str| xml.replace(sample.namespace, namespace);
    reader.all([
        ("root-name", "An element of another name.", refused, another("element")),
        ("root-case", "Names are in lower case.", refused, another(&upper)),
        ("root-namespace", "An element of another namespace.", refused, elsewhere("urn:example:other")),
        ("root-namespace-case", "Namespaces are compared letter by letter.", refused, elsewhere(&namespace.to_uppercase())),
        ("root-namespace-longer", "A namespace with more at the end.", refused, elsewhere(&format!("{namespace}:0"))),
        ("root-no-namespace", "An element of no namespace.", refused, xml.replacen(&format!(" xmlns='{namespace}'"), "", 1)),
        ("root-inside", "The element inside another one.", refused, format!("<item xmlns='http://jabber.org/protocol/pubsub' id='current'>{xml}</item>")),
    ])
}

/// Texts that are no base64 (RFC 4648 §4), made of one that is: of 32 or 64 bytes, or of 33 and more.
pub(super) fn bad_base64(good: &str) -> Vec<(&'static str, &'static str, String)> {
    let bare = good.trim_end_matches('=');
    let without_last = bare.get(..bare.len() - 1).unwrap_or_default();
    let url = format!("-_{}", good.get(2..).unwrap_or_default());
    let inside = format!("=={}", good.get(2..).unwrap_or_default());
    let mut texts = vec![
        ("cut", "A character is missing.", without_last.to_owned()),
        ("padding-surplus", "More padding than there may be.", format!("{good}====")),
        ("padding-inside", "Padding at the beginning.", inside),
        ("url", "The alphabet for URLs.", url),
        ("stray", "A character that belongs to no alphabet.", format!("*{}", good.get(1..).unwrap_or_default())),
        ("joined", "Another text after the padding.", format!("{good}=AAAA")),
        ("hexadecimal", "Hexadecimal with a stray colon.", "05:a3:5f".to_owned()),
    ];
    if bare != good {
        texts.push(("padding-missing", "The padding is missing.", bare.to_owned()));
    }
    texts
}

/// White space where `xs:base64Binary` allows it, and other clients write it.
pub(super) fn folded(good: &str) -> String {
    let (one, other) = good.split_at(good.len() / 2);
    format!("\n    {one}\r\n    {other}\t\n  ")
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// The namespace of a protocol's elements.
pub(super) const fn namespace(version: Version) -> &'static str {
    match version {
        Version::Legacy => "eu.siacs.conversations.axolotl",
        _ => "urn:xmpp:omemo:2",
    }
}

/// Texts in the place of a number, which are none or stand for one that no 32 bits hold.
pub(super) const NO_NUMBERS: [(&str, &str, &str); 10] = [
    ("empty", "Nothing in the place of a number.", ""),
    ("word", "A word in the place of a number.", "seven"),
    ("negative", "A negative number.", "-7"),
    ("fraction", "A fraction.", "7.5"),
    ("hexadecimal", "A number in hexadecimal.", "0x7"),
    ("exponent", "A number with an exponent.", "7e0"),
    ("digits", "Digits of another alphabet.", "\u{667}"),
    ("two", "Two numbers.", "7 7"),
    ("33-bits", "A number of 33 bits, whose lowest 32 would do.", "4294967303"),
    ("65-bits", "A number of 65 bits, whose lowest 32 would do.", "18446744073709551623"),
];
