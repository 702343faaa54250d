//! A room, as its service runs it, and what it has said to each device: who may read a message is judged by that, read a second
//! time here and not by the library.

use std::collections::{BTreeMap, BTreeSet};

use minidom::Element;
use omemo_tests::hub::error;
use omemo_tests::wire::bare;

use crate::shape::xml;

pub const ROOM: &str = "orchard@rooms.example";
pub const USER: &str = "http://jabber.org/protocol/muc#user";
const ADMIN: &str = "http://jabber.org/protocol/muc#admin";
const INFO: &str = "http://jabber.org/protocol/disco#info";

/// The room.
#[derive(Default)]
pub struct Room {
    /// By account.
    pub affiliations: BTreeMap<String, String>,
    /// The nick of each device that is in it.
    pub nicks: BTreeMap<usize, String>,
    pub is_open: bool,
    pub is_anonymous: bool,
}

impl Room {
    pub fn affiliation(&self, jid: &str) -> &str {
        self.affiliations.get(jid).map_or("none", String::as_str)
    }

    /// Answers a question.
    pub fn answer(&self, iq: &Element) -> Result<Option<Element>, Element> {
        if iq.has_child("query", INFO) {
            let anonymity = if self.is_anonymous {
                "semianonymous"
            } else {
                "nonanonymous"
            };
            let access = if self.is_open { "open" } else { "membersonly" };
            return Ok(Some(xml(&format!(
                "<query xmlns='{INFO}'><feature var='http://jabber.org/protocol/muc'/>\
                 <feature var='muc_{anonymity}'/><feature var='muc_{access}'/></query>"
            ))));
        }
        let query = iq.get_child("query", ADMIN);
        let asked = query.and_then(|query| query.get_child("item", ADMIN));
        let Some(which) = asked.and_then(|item| item.attr("affiliation")) else {
            return Err(error("cancel", "service-unavailable", None));
        };
        let items: String = self
            .affiliations
            .iter()
            .filter(|(_, given)| *given == which)
            .map(|(jid, given)| format!("<item affiliation='{given}' jid='{jid}'/>"))
            .collect();
        Ok(Some(xml(&format!(
            "<query xmlns='{ADMIN}'>{items}</query>"
        ))))
    }
}

/// A presence of an occupant.
pub fn presence(from: &str, kind: &str, item: &str, statuses: &[u16]) -> String {
    let kind = if kind.is_empty() {
        String::new()
    } else {
        format!(" type='{kind}'")
    };
    format!(
        "<presence xmlns='jabber:client' from='{from}'{kind}>{}</presence>",
        user(item, statuses)
    )
}

/// A notice of a room.
pub fn notice(from: &str, item: &str, statuses: &[u16]) -> String {
    format!(
        "<message xmlns='jabber:client' from='{from}'>{}</message>",
        user(item, statuses)
    )
}

/// What a room adds to both.
pub fn user(item: &str, statuses: &[u16]) -> String {
    let statuses: String = statuses
        .iter()
        .map(|code| format!("<status code='{code}'/>"))
        .collect();
    format!("<x xmlns='{USER}'>{item}{statuses}</x>")
}

/// What the room has said to one device since it came in.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The app has called the library's `enter` in this stream.
    pub entered: bool,
    affiliations: BTreeMap<String, String>,
    present: BTreeMap<String, Option<String>>,
    own: Option<String>,
    shows_jids: bool,
    members_only: bool,
    /// Open questions to it: which list, or `None` for its configuration.
    asked: BTreeMap<String, Option<String>>,
}

impl Said {
    /// The device has asked something.
    pub fn asked(&mut self, iq: &Element) {
        let query = iq.get_child("query", ADMIN);
        let item = query.and_then(|query| query.get_child("item", ADMIN));
        let which = item.and_then(|item| item.attr("affiliation"));
        let id = iq.attr("id").unwrap_or_default();
        self.asked.insert(id.into(), which.map(Into::into));
    }

    /// A stanza arrives at the device.
    pub fn hear(&mut self, stanza: &Element) {
        let from = stanza.attr("from").unwrap_or_default();
        if !self.entered || bare(from) != ROOM {
            return;
        }
        match (stanza.name(), from == ROOM) {
            ("iq", true) => self.answered(stanza),
            ("message", true) => {
                let news = only_user(stanza);
                for item in news.iter().flat_map(|news| items(news)) {
                    self.became(item.jid, item.affiliation);
                }
            }
            ("presence", false) => self.presence(from, stanza),
            _ => {}
        }
    }

    fn answered(&mut self, iq: &Element) {
        let Some(which) = self.asked.remove(iq.attr("id").unwrap_or_default()) else {
            return;
        };
        if let Some(query) = iq.get_child("query", INFO) {
            let says = |name: &str| query.children().any(|it| it.attr("var") == Some(name));
            self.shows_jids = says("muc_nonanonymous");
            self.members_only = says("muc_membersonly");
        } else if let (Some(which), Some(query)) = (which, iq.get_child("query", ADMIN)) {
            self.affiliations.retain(|_, given| *given != which);
            for item in items(query) {
                if item.affiliation.as_ref() == Some(&which) {
                    self.became(item.jid, item.affiliation);
                }
            }
        }
    }

    fn presence(&mut self, from: &str, stanza: &Element) {
        let kind = stanza.attr("type");
        if !matches!(kind, None | Some("unavailable")) {
            return;
        }
        let news = only_user(stanza);
        let item = news.and_then(|news| items(news).into_iter().next());
        let says = |code: &str| {
            news.is_some_and(|news| news.children().any(|it| it.attr("code") == Some(code)))
        };
        let is_self = says("110") || self.own.as_deref() == Some(from);
        if let Some(item) = &item {
            let known = self.present.get(from).cloned().flatten();
            self.became(item.jid.clone().or(known), item.affiliation.clone());
        }
        if kind.is_none() {
            self.present
                .insert(from.into(), item.and_then(|item| item.jid));
            if is_self {
                self.own = Some(from.into());
            }
            return;
        }
        let gone = self.present.remove(from);
        if let Some(nick) = item.and_then(|item| item.nick).filter(|_| says("303")) {
            let new = format!("{ROOM}/{nick}");
            self.present.extend(gone.map(|real| (new.clone(), real)));
            if is_self {
                self.own = Some(new);
            }
        } else if is_self {
            *self = Self::default();
        }
    }

    fn became(&mut self, jid: Option<String>, affiliation: Option<String>) {
        match (jid, affiliation) {
            (Some(jid), Some(none)) if none == "none" => drop(self.affiliations.remove(&jid)),
            (Some(jid), Some(affiliation)) => drop(self.affiliations.insert(jid, affiliation)),
            _ => {}
        }
    }

    /// Whether messages to the room are for an account.
    pub fn is_member(&self, jid: &str) -> bool {
        if !self.entered || !self.shows_jids {
            return false;
        }
        let present: BTreeSet<_> = self.present.values().flatten().collect();
        match self.affiliations.get(jid).map(String::as_str) {
            Some("member" | "admin" | "owner") => true,
            Some(_) => false,
            None => !self.members_only && present.contains(&jid.to_owned()),
        }
    }
}

struct Item {
    jid: Option<String>,
    affiliation: Option<String>,
    nick: Option<String>,
}

fn items(news: &Element) -> Vec<Item> {
    let items = news.children().filter(|child| child.name() == "item");
    items
        .map(|item| Item {
            jid: item.attr("jid").map(bare),
            affiliation: item.attr("affiliation").map(Into::into),
            nick: item.attr("nick").map(Into::into),
        })
        .collect()
}

/// What the room says in a stanza, unless somebody else has put in the same.
fn only_user(stanza: &Element) -> Option<&Element> {
    let mut found = stanza.children().filter(|child| child.is("x", USER));
    let user = found.next()?;
    found.next().is_none().then_some(user)
}
