//! Delayed delivery (XEP-0203): when a server received what it hands on later.

use minidom::Element;

use super::datetime;
use crate::{BareJid, Timestamp};

/// The namespace.
pub(crate) const NAMESPACE: &str = "urn:xmpp:delay";

/// The stamp in what our own server has wrapped: all of it is our server's word.
pub(crate) fn read(wrapped: &Element) -> Option<Timestamp> {
    stamps(wrapped).next().map(|(_, stamp)| stamp)
}

/// The stamp of a message as it came: only that of our own account or server counts, since
/// anybody may write one.
pub(crate) fn read_ours(message: &Element, own: &BareJid) -> Option<Timestamp> {
    stamps(message)
        .find(|(from, _)| is_ours(*from, own))
        .map(|(_, stamp)| stamp)
}

/// The stamp of a room in a message that it hands on from its history (XEP-0045 §7.2.13).
pub(crate) fn read_of(message: &Element, room: &BareJid) -> Option<Timestamp> {
    stamps(message)
        .find(|(from, _)| from.and_then(super::node::bare_jid).as_ref() == Some(room))
        .map(|(_, stamp)| stamp)
}

/// Whether anybody but our own server has delayed the message, or says so.
pub(crate) fn is_foreign(message: &Element, own: &BareJid) -> bool {
    message
        .children()
        .filter(|child| child.is("delay", NAMESPACE))
        .any(|delay| !is_ours(delay.attr("from"), own))
}

fn is_ours(from: Option<&str>, own: &BareJid) -> bool {
    from.and_then(super::node::bare_jid)
        .is_some_and(|from| &from == own || from.as_str() == own.domain())
}

fn stamps(parent: &Element) -> impl Iterator<Item = (Option<&str>, Timestamp)> {
    parent
        .children()
        .filter(|child| child.is("delay", NAMESPACE))
        .filter_map(|delay| Some((delay.attr("from"), datetime::parse(delay.attr("stamp")?)?)))
}
