//! Delayed delivery (XEP-0203): when a server received what it hands on later.

use minidom::Element;

use super::datetime;
use crate::{BareJid, Timestamp};

/// The namespace.
pub(crate) const NAMESPACE: &str = "urn:xmpp:delay";

/// The stamp among an element's children: the one that our own account or server set, else the
/// first that is a date. `None` when there is none.
pub(crate) fn read(parent: &Element, own: &BareJid) -> Option<Timestamp> {
    let stamps = || {
        parent
            .children()
            .filter(|child| child.is("delay", NAMESPACE))
            .filter_map(|delay| Some((delay.attr("from"), datetime::parse(delay.attr("stamp")?)?)))
    };
    let trusted = stamps().find(|(from, _)| {
        from.and_then(super::node::bare_jid)
            .is_some_and(|from| &from == own || from.as_str() == own.domain())
    });
    trusted.or_else(|| stamps().next()).map(|(_, stamp)| stamp)
}
