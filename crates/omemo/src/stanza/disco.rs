//! Service discovery (XEP-0030): what a server or an account says it can do.

use minidom::Element;

use super::{iq, node};
use crate::BareJid;

const INFO: &str = "http://jabber.org/protocol/disco#info";

/// Asks what is supported (XEP-0030 §3.1).
pub(crate) fn ask(id: &str, to: &BareJid) -> Element {
    iq::get(id, Some(to), Element::bare("query", INFO))
}

/// Whether an answer names a feature; `None` when it is no answer.
pub(crate) fn names(answer: &Element, feature: &str) -> Option<bool> {
    let query = node::child(answer, "iq", "query", INFO).ok()?;
    let mut features = query.children().filter(|child| child.is("feature", INFO));
    Some(features.any(|child| child.attr("var") == Some(feature)))
}
