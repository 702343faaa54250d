//! `<trust-message/>`: what one device thinks of keys, told to others (XEP-0434), for Automatic
//! Trust Management (XEP-0450).
//!
//! A key is named by its Curve25519 form, the only identifier of a key that XEP-0384 (§8) knows.
//! Whoever names one by its Ed25519 form, as it stands in bundles, is understood as well: that is
//! for the reader to compare.
//!
//! An extension of ours: each decision has its own `stamp`, since older ones are told again to
//! devices that join, in an envelope whose time is that of its encryption. Who does not know the
//! attribute goes by the envelope.

use minidom::Element;
use omemo_ratchet::Fingerprint;

use super::limits::MAX_DECISIONS;
use super::malformed::Malformed;
use super::{datetime, node};
use crate::{BareJid, Timestamp};

const NAMESPACE: &str = "urn:xmpp:tm:1";
/// Automatic Trust Management.
const USAGE: &str = "urn:xmpp:atm:1";
/// The protocol whose keys are meant and that carries the message.
pub(crate) const ENCRYPTION: &str = "urn:xmpp:omemo:2";

/// What is said about one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Whose key.
    pub(crate) owner: BareJid,
    /// The 32 bytes that name it.
    pub(crate) key: Fingerprint,
    /// Whether it is to be trusted; else it is to be distrusted.
    pub(crate) trust: bool,
    /// When it was decided; `None` when only the envelope can tell.
    pub(crate) decided_at: Option<Timestamp>,
}

/// Whether an element is a trust message, for whatever purpose.
pub(crate) fn is_trust_message(element: &Element) -> bool {
    element.is("trust-message", NAMESPACE)
}

/// Reads a trust message; one for another purpose or another protocol's keys says nothing to us.
/// Owners and keys that are none are passed over.
pub(crate) fn parse(element: &Element) -> Result<Vec<Decision>, Malformed> {
    node::expect(element, "trust-message", NAMESPACE)?;
    if element.attr("usage") != Some(USAGE) || element.attr("encryption") != Some(ENCRYPTION) {
        return Ok(Vec::new());
    }
    let mut decisions = Vec::new();
    for owner in element
        .children()
        .filter(|child| child.is("key-owner", NAMESPACE))
    {
        let Some(jid) = owner.attr("jid").and_then(node::bare_jid) else {
            continue;
        };
        for child in owner.children() {
            let Some((key, trust)) = key(child) else {
                continue;
            };
            if decisions.len() == MAX_DECISIONS {
                return Err(Malformed::TooMany {
                    what: "keys in the trust message",
                    limit: MAX_DECISIONS,
                });
            }
            decisions.push(Decision {
                owner: jid.clone(),
                key,
                trust,
                decided_at: child.attr("stamp").and_then(datetime::parse),
            });
        }
    }
    Ok(decisions)
}

/// Builds the element; decisions about one owner have to stand together.
pub(crate) fn build(decisions: &[Decision]) -> Element {
    let owners = decisions
        .chunk_by(|one, other| one.owner == other.owner)
        .map(|of_owner| {
            let keys = of_owner.iter().map(key_element);
            let mut owner = node::with_children("key-owner", NAMESPACE, keys);
            if let Some(first) = of_owner.first() {
                node::set(&mut owner, "jid", first.owner.as_str());
            }
            owner
        });
    let mut message = node::with_children("trust-message", NAMESPACE, owners);
    node::set(&mut message, "usage", USAGE);
    node::set(&mut message, "encryption", ENCRYPTION);
    message
}

fn key(child: &Element) -> Option<(Fingerprint, bool)> {
    let (name, trust) = if child.is("trust", NAMESPACE) {
        ("trust", true)
    } else if child.is("distrust", NAMESPACE) {
        ("distrust", false)
    } else {
        return None;
    };
    let bytes = node::base64(child, name, 32).ok()?;
    Some((Fingerprint::new(bytes.try_into().ok()?), trust))
}

fn key_element(decision: &Decision) -> Element {
    let name = if decision.trust { "trust" } else { "distrust" };
    let mut element = node::with_base64(name, NAMESPACE, decision.key.as_bytes());
    if let Some(decided_at) = decision.decided_at {
        node::set(&mut element, "stamp", &datetime::format(decided_at));
    }
    element
}
