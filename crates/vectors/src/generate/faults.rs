//! What may be wrong with any element.

use super::Disagreement;
use super::xml::Verdict::{Hardened, Limited, Refused};
use super::xml::{Reader, Sample};

/// All of it, on an element that is as it should be.
pub(super) fn write(reader: &mut Reader<'_>, sample: Sample<'_>) -> Result<(), Disagreement> {
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
        (
            "text",
            "Text without an element.",
            "Wherefore art thou?".into(),
        ),
        (
            "cut",
            "The last character is missing.",
            xml.trim_end_matches('>').into(),
        ),
        ("not-closed", "The end is missing.", without_end.clone()),
        (
            "closed-by-another",
            "The end is another element's.",
            without_end.clone() + "</message>",
        ),
        (
            "crossed",
            "Elements end in the wrong order.",
            without_end + &format!("<a><b></a></b></{root}>"),
        ),
        (
            "end-only",
            "An end without a beginning.",
            format!("</{root}>"),
        ),
        ("twice", "Two elements.", xml.repeat(2)),
        ("text-before", "Text before the element.", format!("a{xml}")),
        ("text-after", "Text after the element.", format!("{xml}a")),
        (
            "end-after",
            "An end too many, which would close what is around the element.",
            format!("{xml}</stream>"),
        ),
        (
            "same-attribute",
            "An attribute twice.",
            sample.attributes("a='1' a='2'"),
        ),
        (
            "same-attribute-by-prefix",
            "An attribute twice, by two prefixes of one namespace.",
            sample.attributes("xmlns:a='urn:example:a' xmlns:b='urn:example:a' a:c='1' b:c='2'"),
        ),
        (
            "no-quotes",
            "A value without quotation marks.",
            sample.attributes("a=1"),
        ),
        (
            "no-value",
            "An attribute without a value.",
            sample.attributes("a"),
        ),
        (
            "less-than-in-value",
            "A bare < in a value.",
            sample.attributes("a='<'"),
        ),
        (
            "prefix-of-element",
            "A prefix that is not declared.",
            sample.inside("<p:a/>"),
        ),
        (
            "prefix-of-attribute",
            "An attribute's prefix that is not declared.",
            sample.attributes("p:a='1'"),
        ),
        (
            "prefix-without-namespace",
            "A prefix that is bound to nothing.",
            sample.attributes("xmlns:p=''"),
        ),
        (
            "prefix-xml",
            "The prefix xml is bound to another namespace.",
            sample.attributes("xmlns:xml='urn:example:a'"),
        ),
        (
            "two-colons",
            "A name with two prefixes.",
            sample.inside("<xml:xml:a/>"),
        ),
        (
            "name",
            "A name that begins with a digit.",
            sample.inside("<1a/>"),
        ),
        (
            "ampersand",
            "A bare ampersand.",
            sample.inside("<a>Romeo & Juliet</a>"),
        ),
        (
            "entity",
            "An entity that nobody has declared.",
            sample.inside("&romeo;"),
        ),
        (
            "reference-zero",
            "A reference to the character 0.",
            sample.inside("&#0;"),
        ),
        (
            "reference-control",
            "A reference to a control character.",
            sample.inside("&#x1;"),
        ),
        (
            "reference-surrogate",
            "A reference to half a character.",
            sample.inside("&#xd800;"),
        ),
        (
            "reference-too-great",
            "A reference beyond the last character.",
            sample.inside("&#x110000;"),
        ),
        ("control", "A control character.", sample.inside("\u{1}")),
        (
            "noncharacter",
            "A character that XML does not know.",
            sample.inside("\u{ffff}"),
        ),
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
        (
            "declaration",
            "A declaration of XML.",
            format!("<?xml version='1.0'?>{xml}"),
        ),
        ("comment", "A comment.", sample.inside("<!-- Juliet -->")),
        (
            "comment-before",
            "A comment before the element.",
            format!("<!-- Juliet -->{xml}"),
        ),
        (
            "instruction",
            "A processing instruction.",
            sample.inside("<?juliet capulet?>"),
        ),
        (
            "doctype",
            "A document type.",
            format!("<!DOCTYPE {root}>{xml}"),
        ),
        (
            "doctype-elsewhere",
            "A document type that lies elsewhere.",
            format!("<!DOCTYPE {root} SYSTEM 'http://montague.example/a.dtd'>{xml}"),
        ),
        (
            "laughs",
            "Entities of entities, which grow without end.",
            laughs + &sample.inside("&d;"),
        ),
        (
            "file",
            "An entity that is a file.",
            outside + &sample.inside("&a;"),
        ),
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
        (
            "root-name",
            "An element of another name.",
            refused,
            another("element"),
        ),
        (
            "root-case",
            "Names are in lower case.",
            refused,
            another(&upper),
        ),
        (
            "root-namespace",
            "An element of another namespace.",
            refused,
            elsewhere("urn:example:other"),
        ),
        (
            "root-namespace-case",
            "Namespaces are compared letter by letter.",
            refused,
            elsewhere(&namespace.to_uppercase()),
        ),
        (
            "root-namespace-longer",
            "A namespace with more at the end.",
            refused,
            elsewhere(&format!("{namespace}:0")),
        ),
        (
            "root-no-namespace",
            "An element of no namespace.",
            refused,
            xml.replacen(&format!(" xmlns='{namespace}'"), "", 1),
        ),
        (
            "root-inside",
            "The element inside another one.",
            refused,
            format!("<item xmlns='http://jabber.org/protocol/pubsub' id='current'>{xml}</item>"),
        ),
    ])
}
