//! Elements to text.

use minidom::rxml::{NcName, XMLNS_XML, XMLNS_XMLNS};
use minidom::{Element, Node};

use super::read::check;
use crate::stanza::limits::MAX_XML_BYTES;
use crate::stanza::malformed::Malformed;

/// Writes an element with default namespaces. Refused is what no text can say, such as characters
/// that XML does not have and names that are none, and what [`super::parse`] would refuse to read:
/// whatever is written can be read.
pub(crate) fn to_string(element: &Element) -> Result<String, Malformed> {
    check(element)?;
    let mut out = String::new();
    write(&mut out, element, None)?;
    Ok(out)
}

/// Whether XML has this character (XML 1.0 §2.2).
pub(crate) const fn is_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn write(out: &mut String, element: &Element, inherited: Option<&str>) -> Result<(), Malformed> {
    let namespace = element.ns();
    let prefix = prefix_of(&namespace)?;
    let name = format!("{prefix}{}", plain_name(element.name())?);
    out.push('<');
    out.push_str(&name);
    // The namespace of `xml:` can be no default, so that such an element leaves it as it is.
    let default = if prefix.is_empty() {
        Some(namespace.as_str())
    } else {
        inherited
    };
    if default != inherited {
        attribute(out, "xmlns", &namespace)?;
    }
    attributes(out, element)?;
    if element.nodes().next().is_none() {
        out.push_str("/>");
        return check_length(out);
    }
    out.push('>');
    for node in element.nodes() {
        match node {
            Node::Element(child) => write(out, child, default)?,
            Node::Text(text) => escape(out, text, false)?,
        }
    }
    out.push_str("</");
    out.push_str(&name);
    out.push('>');
    check_length(out)
}

fn attributes(out: &mut String, element: &Element) -> Result<(), Malformed> {
    let mut declared: Vec<String> = Vec::new();
    for ((namespace, name), value) in element.attrs() {
        let namespace: &str = namespace;
        if namespace.is_empty() {
            if name.as_str() == "xmlns" {
                return Err(unwritable("an attribute may not be called xmlns"));
            }
            attribute(out, name.as_str(), value)?;
            continue;
        }
        let mut prefix = prefix_of(namespace)?.to_owned();
        if prefix.is_empty() {
            let known = declared.iter().position(|other| other == namespace);
            let number = known.unwrap_or(declared.len());
            if known.is_none() {
                attribute(out, &format!("xmlns:ns{number}"), namespace)?;
                declared.push(namespace.to_owned());
            }
            prefix = format!("ns{number}:");
        }
        attribute(out, &format!("{prefix}{}", name.as_str()), value)?;
    }
    Ok(())
}

/// The prefix that XML reserves for a namespace; empty for all but one.
fn prefix_of(namespace: &str) -> Result<&'static str, Malformed> {
    if namespace == XMLNS_XML {
        Ok("xml:")
    } else if namespace == XMLNS_XMLNS {
        Err(unwritable("the namespace of declarations holds nothing"))
    } else {
        Ok("")
    }
}

fn attribute(out: &mut String, name: &str, value: &str) -> Result<(), Malformed> {
    out.push(' ');
    out.push_str(name);
    out.push_str("='");
    escape(out, value, true)?;
    out.push('\'');
    Ok(())
}

fn plain_name(name: &str) -> Result<&str, Malformed> {
    NcName::try_from(name)
        .map(|_| name)
        .map_err(|_| unwritable("an element has a name that is none"))
}

fn escape(out: &mut String, text: &str, in_attribute: bool) -> Result<(), Malformed> {
    for character in text.chars() {
        if !is_character(character) {
            return Err(unwritable("it holds a character that XML does not have"));
        }
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xd;"),
            '\'' if in_attribute => out.push_str("&#39;"),
            '\n' if in_attribute => out.push_str("&#xa;"),
            '\t' if in_attribute => out.push_str("&#x9;"),
            _ => out.push(character),
        }
    }
    check_length(out)
}

/// Escaping makes a text up to five times as long, and a long namespace may be declared again by
/// every element.
const fn check_length(out: &str) -> Result<(), Malformed> {
    if out.len() > MAX_XML_BYTES {
        return Err(Malformed::TooLong {
            what: "the stanza",
            limit: MAX_XML_BYTES,
        });
    }
    Ok(())
}

fn unwritable(reason: &str) -> Malformed {
    Malformed::Xml(reason.into())
}
