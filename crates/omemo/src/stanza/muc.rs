//! Rooms (XEP-0045): what they say about their occupants and members, and what they are asked.
//!
//! A room adds an element of its own to each presence and to its notices. An occupant can write one that
//! looks the same, and not every room takes it away: where there are two, none is believed.

use minidom::Element;

use super::limits::MAX_OCCUPANT_ID_BYTES;
use super::malformed::Malformed;
use super::{iq, node};
use crate::BareJid;

/// The namespace of what a room says about occupants.
const USER: &str = "http://jabber.org/protocol/muc#user";
/// The namespace of the lists of a room.
const ADMIN: &str = "http://jabber.org/protocol/muc#admin";
/// The namespace of occupants' ids (XEP-0421).
const OCCUPANT_ID: &str = "urn:xmpp:occupant-id:0";
/// The namespace of service discovery (XEP-0030).
const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";

/// The presence is our own (XEP-0045 §7.2.2).
pub(crate) const SELF: u16 = 110;
/// An occupant changes its nick (XEP-0045 §7.6).
pub(crate) const NEW_NICK: u16 = 303;
/// Something about the room itself has changed: its configuration (104) or who sees real JIDs
/// (172, 173, 174; XEP-0045 §10.2.1).
pub(crate) const CONFIGURED: [u16; 4] = [104, 172, 173, 174];

/// What an account is to a room, for ever (XEP-0045 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Affiliation {
    /// Banned.
    Outcast,
    /// Nothing in particular.
    None,
    /// Member.
    Member,
    /// Admin.
    Admin,
    /// Owner.
    Owner,
}

impl Affiliation {
    /// Those whose lists together are the members that messages are encrypted for (XEP-0384 §5.8.1).
    pub(crate) const LISTED: [Self; 3] = [Self::Member, Self::Admin, Self::Owner];

    fn read(text: &str) -> Option<Self> {
        match text {
            "outcast" => Some(Self::Outcast),
            "none" => Some(Self::None),
            "member" => Some(Self::Member),
            "admin" => Some(Self::Admin),
            "owner" => Some(Self::Owner),
            _ => None,
        }
    }

    /// Its name in XML.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Outcast => "outcast",
            Self::None => "none",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

/// What a room says about one account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Item {
    /// The real account; hidden in rooms that are anonymous.
    pub(crate) jid: Option<BareJid>,
    /// What it is to the room from now on; absent when that does not change.
    pub(crate) affiliation: Option<Affiliation>,
    /// The nick: the new one where it changes.
    pub(crate) nick: Option<String>,
}

/// What a room says in a presence or a notice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct News {
    /// About whom.
    pub(crate) items: Vec<Item>,
    /// What happened (XEP-0045 §15.6).
    pub(crate) statuses: Vec<u16>,
}

impl News {
    /// Reads what the room says in a stanza; nothing when it says nothing, or when there are two such
    /// elements, of which one is somebody else's. An invitation is nothing either: it carries what
    /// its sender wrote.
    pub(crate) fn read(stanza: &Element) -> Option<Self> {
        let user = the_only(stanza, "x", USER)?;
        let is_mail = |child: &Element| child.is("invite", USER) || child.is("decline", USER);
        if user.children().any(is_mail) {
            return None;
        }
        let statuses = user
            .children()
            .filter(|child| child.is("status", USER))
            .filter_map(|status| status.attr("code")?.parse().ok());
        Some(Self {
            items: items(user, USER).collect(),
            statuses: statuses.collect(),
        })
    }

    /// Whether this status is among them.
    pub(crate) fn says(&self, status: u16) -> bool {
        self.statuses.contains(&status)
    }

    /// The item, when it is the only one.
    pub(crate) fn item(&self) -> Option<&Item> {
        match self.items.as_slice() {
            [item] => Some(item),
            _ => None,
        }
    }
}

/// The type of a presence, as far as rooms use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PresenceKind {
    /// In the room.
    Available,
    /// Out of it.
    Unavailable,
    /// Something that we asked was refused.
    Error,
}

impl PresenceKind {
    /// Reads the type; `None` for those that rooms do not send.
    pub(crate) fn of(presence: &Element) -> Option<Self> {
        match presence.attr("type") {
            None => Some(Self::Available),
            Some("unavailable") => Some(Self::Unavailable),
            Some("error") => Some(Self::Error),
            Some(_) => None,
        }
    }
}

/// The occupant's id that the room has put into a stanza (XEP-0421): the same whatever the nick.
pub(crate) fn occupant_id(stanza: &Element) -> Option<&str> {
    the_only(stanza, "occupant-id", OCCUPANT_ID)?
        .attr("id")
        .filter(|id| !id.is_empty() && id.len() <= MAX_OCCUPANT_ID_BYTES)
}

/// Whether a stanza bears the mark by which rooms name occupants and pass on private messages.
pub(crate) fn is_marked(stanza: &Element) -> bool {
    stanza.has_child("x", USER)
}

/// Asks how a room is configured (XEP-0045 §6.4).
pub(crate) fn ask_info(id: &str, room: Option<&BareJid>) -> Element {
    iq::get(id, room, Element::bare("query", DISCO_INFO))
}

/// The features in the answer to [`ask_info`].
pub(crate) fn features(answer: &Element) -> Result<Vec<&str>, Malformed> {
    let query = node::child(answer, "iq", "query", DISCO_INFO)?;
    Ok(query
        .children()
        .filter(|child| child.is("feature", DISCO_INFO))
        .filter_map(|feature| feature.attr("var"))
        .collect())
}

/// Asks who has an affiliation (XEP-0045 §9.5, §10.5, §10.8).
pub(crate) fn ask_list(id: &str, room: Option<&BareJid>, affiliation: Affiliation) -> Element {
    let item = node::with_attributes("item", ADMIN, [("affiliation", affiliation.name())]);
    iq::get(id, room, node::with_children("query", ADMIN, [item]))
}

/// The accounts in the answer to [`ask_list`], at most `limit` and one.
pub(crate) fn listed(
    answer: &Element,
    affiliation: Affiliation,
    limit: usize,
) -> Result<Vec<BareJid>, Malformed> {
    let query = node::child(answer, "iq", "query", ADMIN)?;
    Ok(items(query, ADMIN)
        .filter(|item| item.affiliation.is_none_or(|given| given == affiliation))
        .filter_map(|item| item.jid)
        .take(limit.saturating_add(1))
        .collect())
}

fn items<'a>(parent: &'a Element, namespace: &'a str) -> impl Iterator<Item = Item> + 'a {
    parent
        .children()
        .filter(move |child| child.is("item", namespace))
        .map(|item| Item {
            jid: item.attr("jid").and_then(node::bare_jid),
            affiliation: item.attr("affiliation").and_then(Affiliation::read),
            nick: item.attr("nick").map(str::to_owned),
        })
}

/// The child of this name, when there is exactly one.
fn the_only<'a>(parent: &'a Element, name: &str, namespace: &str) -> Option<&'a Element> {
    let mut found = parent.children().filter(|child| child.is(name, namespace));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}
