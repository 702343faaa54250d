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
    let ours = |from: Option<&str>| {
        from.and_then(super::node::bare_jid)
            .is_some_and(|from| &from == own || from.as_str() == own.domain())
    };
    stamps(message)
        .find(|(from, _)| ours(*from))
        .map(|(_, stamp)| stamp)
}

fn stamps(parent: &Element) -> impl Iterator<Item = (Option<&str>, Timestamp)> {
    parent
        .children()
        .filter(|child| child.is("delay", NAMESPACE))
        .filter_map(|delay| Some((delay.attr("from"), datetime::parse(delay.attr("stamp")?)?)))
}
