//! Who a stanza comes from or goes to (RFC 6120 §8.1).

use minidom::Element;

use super::limits::MAX_JID_BYTES;
use super::malformed::Malformed;
use crate::{BareJid, FullJid};

/// The JID in a stanza's `from` or `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Party {
    /// An account, a room or a server.
    Bare(BareJid),
    /// One resource of an account, or one occupant of a room.
    Full(FullJid),
}

impl Party {
    /// Reads the attribute of a stanza; `None` when it is absent.
    pub(crate) fn read(
        stanza: &Element,
        name: &'static str,
        attribute: &'static str,
    ) -> Result<Option<Self>, Malformed> {
        let Some(text) = stanza.attr(attribute) else {
            return Ok(None);
        };
        let malformed = Malformed::Attribute {
            element: name,
            attribute,
            expected: "a JID",
        };
        if text.len() > MAX_JID_BYTES {
            return Err(malformed);
        }
        if let Ok(jid) = FullJid::parse(text) {
            return Ok(Some(Self::Full(jid)));
        }
        match BareJid::parse(text) {
            Ok(jid) => Ok(Some(Self::Bare(jid))),
            Err(_) => Err(malformed),
        }
    }

    /// The account, room or server.
    pub(crate) fn bare(&self) -> BareJid {
        match self {
            Self::Bare(jid) => jid.clone(),
            Self::Full(jid) => jid.bare(),
        }
    }

    /// Whether it is this account itself and none of its resources.
    pub(crate) fn is_account(&self, account: &BareJid) -> bool {
        matches!(self, Self::Bare(jid) if jid == account)
    }
}
