//! What happened to a node (XEP-0060 §7.1.2, §7.2.2, §8.4.2, §8.5.2).

use minidom::Element;

use super::EVENT;
use super::items::Items;
use crate::stanza::malformed::Malformed;
use crate::stanza::node;

/// An event of one node of the account that the message comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event<'a> {
    /// The node.
    pub(crate) node: &'a str,
    /// What happened.
    pub(crate) kind: EventKind<'a>,
}

/// What happened to a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum EventKind<'a> {
    /// Items were published, or taken away, or both.
    Items {
        /// What was published.
        published: Items<'a>,
        /// The ids of what was taken away.
        retracted: Vec<&'a str>,
    },
    /// All its items were taken away.
    Purged,
    /// It was deleted.
    Deleted,
    /// It was configured, or somebody's subscription changed.
    Other,
}

/// The event in a message; `None` when there is none.
pub(crate) fn event(message: &Element) -> Result<Option<Event<'_>>, Malformed> {
    let Some(event) = node::only_child(message, "message", "event", EVENT)? else {
        return Ok(None);
    };
    let Some(child) = event.children().find(|child| child.has_ns(EVENT)) else {
        return Ok(None);
    };
    let kind = match child.name() {
        "items" => EventKind::Items {
            published: Items::read(child, EVENT)?,
            retracted: child
                .children()
                .filter(|child| child.is("retract", EVENT))
                .filter_map(|child| child.attr("id"))
                .collect(),
        },
        "purge" => EventKind::Purged,
        "delete" => EventKind::Deleted,
        _ => EventKind::Other,
    };
    let Some(node) = child.attr("node") else {
        return Ok(None);
    };
    Ok(Some(Event { node, kind }))
}
