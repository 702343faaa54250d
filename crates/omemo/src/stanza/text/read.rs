//! Text to elements.

use std::io::{BufReader, Read};

use minidom::rxml::{Event, Options, Reader};
use minidom::{Element, Node};

use crate::stanza::limits::{MAX_ATTRIBUTES, MAX_DEPTH, MAX_NODES, MAX_TOKEN_BYTES, MAX_XML_BYTES};
use crate::stanza::malformed::Malformed;
use crate::stanza::node;

/// How much of a text the parser is given at once.
const PIECE: usize = 8_192;

/// Reads one stanza. An element that declares no namespace is in `jabber:client`, as in a stream.
pub(crate) fn parse(text: &str) -> Result<Element, Malformed> {
    read(text, "<stream xmlns='jabber:client'>")
}

/// Reads one element that stands alone, such as an envelope: what declares no namespace has none.
pub(crate) fn parse_fragment(text: &str) -> Result<Element, Malformed> {
    read(text, "<stream>")
}

/// Refuses an element that no text within the limits could have given.
pub(super) fn check(element: &Element) -> Result<(), Malformed> {
    let mut tally = Tally::default();
    let mut waiting = vec![(element, 1)];
    while let Some((element, depth)) = waiting.pop() {
        tally.element(depth, element.attrs().len())?;
        check_token(&element.ns())?;
        for token in [element.name()].into_iter().chain(tokens(element)) {
            check_token(token)?;
            tally.bytes(token.len())?;
        }
        for ((namespace, _), _) in element.attrs() {
            check_token(namespace)?;
        }
        for node in element.nodes() {
            match node {
                Node::Element(child) => waiting.push((child, depth.saturating_add(1))),
                Node::Text(text) => {
                    tally.node()?;
                    tally.bytes(text.len())?;
                }
            }
        }
    }
    Ok(())
}

/// The names and values of an element's attributes.
fn tokens(element: &Element) -> impl Iterator<Item = &str> {
    element
        .attrs()
        .iter()
        .flat_map(|((_, name), value)| [name.as_str(), value.as_str()])
}

const fn check_token(token: &str) -> Result<(), Malformed> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Malformed::TooLong {
            what: "a name or an attribute",
            limit: MAX_TOKEN_BYTES,
        });
    }
    Ok(())
}

fn read(text: &str, opening: &str) -> Result<Element, Malformed> {
    let mut tree = Tree::default();
    tree.tally.bytes(text.len())?;
    let document = opening
        .as_bytes()
        .chain(text.as_bytes())
        .chain("</stream>".as_bytes());
    let options = Options {
        max_token_length: MAX_TOKEN_BYTES,
        ..Options::default()
    };
    // In pieces: of a long text the parser looks through all that it is given, for every token.
    let document = BufReader::with_capacity(PIECE, document);
    let mut reader = Reader::with_options(document, options);
    while let Some(event) = reader.read().map_err(|error| xml(&error.to_string()))? {
        tree.take(event)?;
    }
    tree.root.ok_or_else(|| xml("there is no element"))
}

/// What was seen so far.
#[derive(Default)]
struct Tally {
    nodes: usize,
    bytes: usize,
}

impl Tally {
    fn element(&mut self, depth: usize, attributes: usize) -> Result<(), Malformed> {
        if depth > MAX_DEPTH {
            return Err(Malformed::TooDeep { limit: MAX_DEPTH });
        }
        if attributes > MAX_ATTRIBUTES {
            return Err(Malformed::TooMany {
                what: "attributes of one element",
                limit: MAX_ATTRIBUTES,
            });
        }
        self.node()
    }

    fn node(&mut self) -> Result<(), Malformed> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > MAX_NODES {
            return Err(Malformed::TooMany {
                what: "elements and texts",
                limit: MAX_NODES,
            });
        }
        Ok(())
    }

    fn bytes(&mut self, more: usize) -> Result<(), Malformed> {
        self.bytes = self.bytes.saturating_add(more);
        if self.bytes > MAX_XML_BYTES {
            return Err(Malformed::TooLong {
                what: "the stanza",
                limit: MAX_XML_BYTES,
            });
        }
        Ok(())
    }
}

/// The tree as far as it is read. Around it lies the one element that declares the default
/// namespace.
#[derive(Default)]
struct Tree {
    in_stream: bool,
    open: Vec<Element>,
    root: Option<Element>,
    tally: Tally,
}

impl Tree {
    fn take(&mut self, event: Event) -> Result<(), Malformed> {
        match event {
            Event::XmlDeclaration(..) => Err(xml("a declaration of XML has no place here")),
            Event::StartElement(..) if !self.in_stream => {
                self.in_stream = true;
                Ok(())
            }
            Event::StartElement(_, (namespace, name), attributes) => {
                if self.root.is_some() {
                    return Err(xml("there is more than one element"));
                }
                self.tally
                    .element(self.open.len().saturating_add(1), attributes.len())?;
                let mut element = Element::bare(name.as_str(), namespace);
                *element.attrs_mut() = attributes;
                self.open.push(element);
                Ok(())
            }
            Event::EndElement(_) => {
                self.close();
                Ok(())
            }
            Event::Text(_, text) => self.text(&text),
        }
    }

    /// Closes the innermost open element. With none open it is the element around the tree, after
    /// which the reader lets nothing follow.
    fn close(&mut self) {
        let Some(element) = self.open.pop() else {
            return;
        };
        match self.open.last_mut() {
            Some(parent) => {
                parent.append_child(element);
            }
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Malformed> {
        match self.open.last_mut() {
            Some(element) => {
                // One text comes in many pieces, each escaped character being one of its own.
                if !matches!(element.nodes().next_back(), Some(Node::Text(_))) {
                    self.tally.node()?;
                }
                element.append_text(text);
                Ok(())
            }
            None if text.chars().all(node::is_whitespace) => Ok(()),
            None => Err(xml("there is text outside the element")),
        }
    }
}

fn xml(reason: &str) -> Malformed {
    Malformed::Xml(reason.into())
}
