//! Elements as text: how their cases are judged, and what they are made of.

use std::fmt::Display;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use omemo_ratchet::{IdentityKeyPair, Randomness, RandomnessError, Role, Version};
use serde_json::{Map, Value, json};

use super::Disagreement;
use super::layer::Layer;
use super::seed::Seed;
use crate::case::Flag;
use crate::implementation::{Answer, Operation};

use self::Verdict::{Accepted, Hardened, Limited, Refused, Tolerated};

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
            Tolerated => case = case.flag(Flag::Tolerance),
            Hardened(_) => case = case.flag(Flag::Hardening),
            Limited(_) => case = case.flag(Flag::Limit),
            Accepted | Refused(_) => {}
        }
        let xml: String = xml.into();
        let input = json!({ "xml": xml });
        let output = match verdict {
            Accepted | Tolerated => case.accept(self.operation, input)?,
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
    pub(super) fn attributes(&self, more: &str) -> String {
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
    let referenced: String = sample
        .namespace
        .chars()
        .map(|character| format!("&#{};", u32::from(character)))
        .collect();
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
                sample.xml.replacen(sample.namespace, &referenced, 1),
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

/// Texts that are no base64 (RFC 4648 §4), made of one that is: of 32 or 64 bytes, or of 33 and more.
pub(super) fn bad_base64(good: &str) -> Vec<(&'static str, &'static str, String)> {
    let bare = good.trim_end_matches('=');
    let without_last = bare.get(..bare.len() - 1).unwrap_or_default();
    let url = format!("-_{}", good.get(2..).unwrap_or_default());
    let inside = format!("=={}", good.get(2..).unwrap_or_default());
    let mut texts = vec![
        ("cut", "A character is missing.", without_last.to_owned()),
        (
            "padding-surplus",
            "More padding than there may be.",
            format!("{good}===="),
        ),
        ("padding-inside", "Padding at the beginning.", inside),
        ("url", "The alphabet for URLs.", url),
        (
            "stray",
            "A character that belongs to no alphabet.",
            format!("*{}", good.get(1..).unwrap_or_default()),
        ),
        (
            "joined",
            "Another text after the padding.",
            format!("{good}=AAAA"),
        ),
        (
            "hexadecimal",
            "Hexadecimal with a stray colon.",
            "05:a3:5f".to_owned(),
        ),
    ];
    if bare != good {
        texts.push((
            "padding-missing",
            "The padding is missing.",
            bare.to_owned(),
        ));
    }
    texts
}

/// White space where `xs:base64Binary` allows it, and other clients write it.
pub(super) fn folded(good: &str) -> String {
    let (one, other) = good.split_at(good.len() / 2);
    format!("\n    {one}\r\n    {other}\t\n  ")
}

/// A signature of the identity key of a seed.
pub(super) fn signature(identity: &Seed, message: &[u8]) -> [u8; 64] {
    let pair = IdentityKeyPair::from_bytes(identity.array());
    // What draws from a seed does not fail.
    pair.sign(message, &mut Nonce(identity.part("nonce")))
        .unwrap_or([0; 64])
}

/// A seed where randomness is drawn.
struct Nonce(Seed);

impl Randomness for Nonce {
    fn fill(&mut self, _: Role, out: &mut [u8]) -> Result<(), RandomnessError> {
        out.copy_from_slice(&self.0.bytes(out.len()));
        Ok(())
    }
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
    (
        "33-bits",
        "A number of 33 bits, whose lowest 32 would do.",
        "4294967303",
    ),
    (
        "65-bits",
        "A number of 65 bits, whose lowest 32 would do.",
        "18446744073709551623",
    ),
];
