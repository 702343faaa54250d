//! Reading from the server's archive what came while we were away (XEP-0313), page by page.

use omemo::{BareJid, Element};
use tokio_xmpp::minidom::rxml::{Namespace, xml_ncname};
use tokio_xmpp::parsers::mam::{Fin, Query, QueryId};
use tokio_xmpp::parsers::ns;
use tokio_xmpp::parsers::rsm::SetQuery;

use crate::{Archive, stanza};

/// Messages a page: each page is decrypted in one transaction.
const PAGE: usize = 50;

/// Where we stand in the archive.
#[derive(Debug)]
pub(crate) struct Reader {
    /// Whose archive: our own account's, or a room's.
    owner: BareJid,
    is_room: bool,
    open: Option<Open>,
    /// Everything up to here was handed out.
    position: Archive,
    /// The newest message that came by itself while pages were still missing.
    live: Option<String>,
    reported: Archive,
}

/// The query that is on its way.
#[derive(Debug)]
struct Open {
    id: String,
    kind: Kind,
    messages: Vec<Element>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// Only its newest id.
    Newest,
    /// What comes after this one, or from the beginning.
    After(Option<String>),
}

/// What an answer of the archive leads to.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The messages of the page, in order.
    pub(crate) page: Vec<Element>,
    /// The next question.
    pub(crate) next: Option<Element>,
}

impl Reader {
    pub(crate) fn new(own: BareJid, start: &Archive) -> Self {
        Self {
            owner: own,
            is_room: false,
            open: None,
            position: start.clone(),
            live: None,
            reported: start.clone(),
        }
    }

    /// The archive of a room.
    pub(crate) fn of_room(room: BareJid, start: &Archive) -> Self {
        Self {
            is_room: true,
            ..Self::new(room, start)
        }
    }

    /// The first question after logging in, if anything is to be read.
    pub(crate) fn begin(&mut self) -> Option<Element> {
        self.open = None;
        self.live = None;
        let kind = match &self.position {
            Archive::Off => return None,
            Archive::FromNowOn => Kind::Newest,
            Archive::All => Kind::After(None),
            Archive::After(id) => Kind::After(Some(id.clone())),
        };
        Some(self.ask(kind))
    }

    /// Keeps a message that belongs to the open page.
    pub(crate) fn keeps(&mut self, stanza: &Element) -> bool {
        let Some(open) = &mut self.open else {
            return false;
        };
        let ours = stanza.is("message", ns::JABBER_CLIENT)
            && is_from(stanza, &self.owner, self.is_room)
            && stanza
                .get_child("result", ns::MAM)
                .is_some_and(|result| result.attr("queryid") == Some(open.id.as_str()));
        if ours && open.messages.len() < 4 * PAGE {
            open.messages.push(stanza.clone());
        }
        ours
    }

    /// Takes the answer to the open question.
    pub(crate) fn answered(&mut self, iq: &Element) -> Option<Answer> {
        let id = stanza::answered_id(iq)?;
        if self.is_room && !is_from(iq, &self.owner, true) {
            return None;
        }
        let Open { kind, messages, .. } = self.open.take_if(|open| open.id == id)?;
        let fin = iq
            .get_child("fin", ns::MAM)
            .and_then(|fin| Fin::try_from(fin.clone()).ok());
        let mut next = None;
        let page = match (&kind, fin) {
            (Kind::Newest, Some(fin)) => {
                self.position = fin.set.last.map_or(Archive::All, Archive::After);
                Vec::new()
            }
            (Kind::Newest, None) => Vec::new(),
            (Kind::After(after), Some(fin)) => {
                if let Some(last) = fin.set.last.filter(|last| Some(last) != after.as_ref()) {
                    self.position = Archive::After(last.clone());
                    if !fin.complete {
                        next = Some(self.ask(Kind::After(Some(last))));
                    }
                }
                messages
            }
            // The archive knows this id no more, so all that it still has came later.
            (Kind::After(Some(_)), None) => {
                next = Some(self.ask(Kind::After(None)));
                Vec::new()
            }
            (Kind::After(None), None) => Vec::new(),
        };
        if next.is_none()
            && let Some(live) = self.live.take()
        {
            self.position = Archive::After(live);
        }
        Some(Answer { page, next })
    }

    /// Notes the archive's id of a message that came by itself and was handed out.
    pub(crate) fn note(&mut self, stanza: &Element) {
        if self.position == Archive::Off || !stanza.is("message", ns::JABBER_CLIENT) {
            return;
        }
        // anybody can write an element that names a room: only what comes by the room counts
        if self.is_room && !comes_by(stanza, &self.owner) {
            return;
        }
        let id = stanza
            .children()
            .filter(|child| child.is("stanza-id", ns::SID))
            .filter(|child| child.attr("by") == Some(self.owner.as_str()))
            .find_map(|child| child.attr("id"));
        let Some(id) = id else {
            return;
        };
        if self.open.is_some() {
            self.live = Some(id.to_owned());
        } else {
            self.position = Archive::After(id.to_owned());
        }
    }

    /// The position, when it has changed since the last time.
    pub(crate) fn news(&mut self) -> Option<Archive> {
        if self.position == self.reported {
            return None;
        }
        self.reported.clone_from(&self.position);
        Some(self.position.clone())
    }

    fn ask(&mut self, kind: Kind) -> Element {
        let id = stanza::random_id();
        let (after, before, max) = match &kind {
            Kind::Newest => (None, Some(String::new()), 1),
            Kind::After(after) => (after.clone(), None, PAGE),
        };
        let query = Query {
            queryid: Some(QueryId(id.clone())),
            node: None,
            form: None,
            set: Some(SetQuery {
                max: Some(max),
                after,
                before,
                index: None,
            }),
            flip_page: false,
        };
        let mut question = stanza::iq_set(&id, query);
        if self.is_room {
            question.set_attr(
                Namespace::NONE,
                xml_ncname!("to").into(),
                self.owner.as_str(),
            );
        }
        self.open = Some(Open {
            id,
            kind,
            messages: Vec::new(),
        });
        question
    }
}

/// Whether the owner of an archive sent it: what has no `from` comes from our own account
/// (RFC 6120 §8.1.2.1).
fn is_from(stanza: &Element, owner: &BareJid, is_room: bool) -> bool {
    match stanza.attr("from") {
        Some(from) => BareJid::parse(from).is_ok_and(|from| from == *owner),
        None => !is_room,
    }
}

/// Whether it comes from a room or one of its occupants.
fn comes_by(stanza: &Element, room: &BareJid) -> bool {
    stanza
        .attr("from")
        .is_some_and(|from| BareJid::of(from).is_ok_and(|from| from == *room))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(start: Archive) -> Reader {
        Reader::new(BareJid::parse("juliet@capulet.example").unwrap(), &start)
    }

    fn after(id: &str) -> Archive {
        Archive::After(id.into())
    }

    fn id(question: &Element) -> String {
        question.attr("id").unwrap().to_owned()
    }

    fn fin(id: &str, last: Option<&str>, complete: bool) -> Element {
        let last = last.map_or(String::new(), |last| format!("<last>{last}</last>"));
        format!(
            "<iq xmlns='jabber:client' type='result' id='{id}'><fin xmlns='urn:xmpp:mam:2' \
             complete='{complete}'><set xmlns='http://jabber.org/protocol/rsm'>{last}</set></fin></iq>"
        )
        .parse()
        .unwrap()
    }

    fn message(from: &str, queryid: &str) -> Element {
        format!(
            "<message xmlns='jabber:client' from='{from}'><result xmlns='urn:xmpp:mam:2' \
             queryid='{queryid}' id='x'/></message>"
        )
        .parse()
        .unwrap()
    }

    fn live(by: &str, id: &str) -> Element {
        format!(
            "<message xmlns='jabber:client' from='romeo@montague.example/orchard'>\
             <stanza-id xmlns='urn:xmpp:sid:0' by='{by}' id='{id}'/></message>"
        )
        .parse()
        .unwrap()
    }

    #[test]
    fn pages_follow_each_other() {
        let mut reader = reader(Archive::After("a0".into()));
        let first = id(&reader.begin().unwrap());
        assert!(reader.keeps(&message("juliet@capulet.example", &first)));
        assert!(!reader.keeps(&message("juliet@capulet.example", "another")));
        assert!(!reader.keeps(&message("romeo@montague.example", &first)));
        assert!(reader.answered(&fin("another", None, true)).is_none());
        let answer = reader.answered(&fin(&first, Some("a50"), false)).unwrap();
        assert_eq!(answer.page.len(), 1);
        assert_eq!(reader.news(), Some(after("a50")));
        assert_eq!(reader.news(), None);
        reader.note(&live("juliet@capulet.example", "a99"));
        assert_eq!(reader.news(), None, "pages before it are missing");
        let second = id(&answer.next.unwrap());
        let answer = reader.answered(&fin(&second, Some("a60"), true)).unwrap();
        assert!(answer.next.is_none());
        assert_eq!(reader.news(), Some(after("a99")));
    }

    #[test]
    fn only_our_own_account_names_archive_ids() {
        let mut reader = reader(Archive::FromNowOn);
        let first = id(&reader.begin().unwrap());
        reader.answered(&fin(&first, Some("a7"), true)).unwrap();
        assert_eq!(reader.news(), Some(after("a7")));
        reader.note(&live("romeo@montague.example", "evil"));
        assert_eq!(reader.news(), None);
        reader.note(&live("juliet@capulet.example", "a8"));
        assert_eq!(reader.news(), Some(after("a8")));
        assert!(
            reader.begin().is_some(),
            "the next stream goes on from there"
        );
    }

    #[test]
    fn an_empty_archive_is_read_from_its_beginning() {
        let mut reader = reader(Archive::FromNowOn);
        let first = id(&reader.begin().unwrap());
        reader.answered(&fin(&first, None, true)).unwrap();
        assert_eq!(reader.news(), Some(Archive::All));
        let question = reader.begin().unwrap();
        let set = question.get_child("query", ns::MAM).unwrap();
        let set = set.get_child("set", ns::RSM).unwrap();
        assert!(!set.has_child("after", ns::RSM) && !set.has_child("before", ns::RSM));
    }

    #[test]
    fn a_forgotten_id_means_the_whole_archive() {
        let mut reader = reader(Archive::After("gone".into()));
        let first = id(&reader.begin().unwrap());
        let error = |id: &str| -> Element {
            format!("<iq xmlns='jabber:client' type='error' id='{id}'/>")
                .parse()
                .unwrap()
        };
        let second = id(&reader.answered(&error(&first)).unwrap().next.unwrap());
        assert!(reader.answered(&error(&second)).unwrap().next.is_none());
    }

    #[test]
    fn a_page_that_does_not_advance_ends_it() {
        let mut reader = reader(Archive::After("a0".into()));
        let first = id(&reader.begin().unwrap());
        let answer = reader.answered(&fin(&first, Some("a0"), false)).unwrap();
        assert!(answer.next.is_none());
    }
}
