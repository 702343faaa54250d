//! Items of a node, in answers and in events.

use minidom::Element;

use super::PUBSUB;
use crate::stanza::limits::MAX_ITEMS;
use crate::stanza::malformed::Malformed;
use crate::stanza::node;

/// The items of one node, the oldest first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Items<'a> {
    /// The node.
    pub(crate) node: &'a str,
    /// Its items, or some of them. None is an answer too: the node is there, the item is not.
    pub(crate) items: Vec<Item<'a>>,
}

/// One item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Item<'a> {
    /// Its id, which some clients and servers leave out.
    pub(crate) id: Option<&'a str>,
    /// What was published; absent in events of nodes that only announce.
    pub(crate) payload: Option<&'a Element>,
}

impl<'a> Items<'a> {
    /// The item of this id, which says which of several is meant.
    pub(crate) fn named(&self, id: &str) -> Option<Item<'a>> {
        self.items.iter().find(|item| item.id == Some(id)).copied()
    }

    /// The item that counts in a node that should hold one: the one of this id (`current`), else
    /// the only or newest one. Clients have published under other ids and under none.
    pub(crate) fn choose(&self, id: &str) -> Option<Item<'a>> {
        self.named(id).or_else(|| self.items.last().copied())
    }

    /// Reads an `<items/>` of this namespace.
    pub(super) fn read(items: &'a Element, namespace: &str) -> Result<Self, Malformed> {
        if items.children().nth(MAX_ITEMS).is_some() {
            return Err(Malformed::TooMany {
                what: "items",
                limit: MAX_ITEMS,
            });
        }
        Ok(Self {
            node: node::attribute(items, "items", "node")?,
            items: items
                .children()
                .filter(|child| child.is("item", namespace))
                .map(|item| Item {
                    id: item.attr("id"),
                    payload: item.children().next(),
                })
                .collect(),
        })
    }
}

/// The items in an answer to a question for items (XEP-0060 §6.5).
pub(crate) fn items(answer: &Element) -> Result<Items<'_>, Malformed> {
    let pubsub = node::child(answer, "iq", "pubsub", PUBSUB)?;
    Items::read(node::child(pubsub, "pubsub", "items", PUBSUB)?, PUBSUB)
}
