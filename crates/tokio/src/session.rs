//! What a client does on a fresh stream, and what others may ask of it: presence, carbons
//! (XEP-0280), the roster, the archive, capabilities. Knows nothing of OMEMO.

use std::collections::HashMap;

use omemo::{BareJid, Element};
use tokio_xmpp::parsers::ns;

use crate::archive::Reader;
use crate::caps::Capabilities;
use crate::stanza;

/// The state of one login.
#[derive(Debug)]
pub(crate) struct Session {
    own: BareJid,
    capabilities: Capabilities,
    questions: HashMap<String, Question>,
}

#[derive(Debug, Clone, Copy)]
enum Question {
    Carbons,
    Roster,
    /// Answered after everything that the server had kept for us.
    Barrier,
}

/// What a stanza leads to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What has to be sent.
    pub(crate) replies: Vec<Element>,
    /// Contacts, who know whether we are online anyway.
    pub(crate) known: Vec<BareJid>,
    /// Messages from the archive, to be handed over at once.
    pub(crate) page: Vec<Element>,
    /// Everything that came while we were away has arrived.
    pub(crate) caught_up: bool,
    /// Nothing here is the app's.
    pub(crate) consumed: bool,
}

impl Session {
    pub(crate) fn new(own: BareJid, capabilities: Capabilities) -> Self {
        Self {
            own,
            capabilities,
            questions: HashMap::new(),
        }
    }

    /// The first stanzas of a stream. Carbons come before presence, so that none is missed.
    pub(crate) fn greet(&mut self, archive: &mut Reader) -> Vec<Element> {
        self.questions.clear();
        let carbons = self.ask(Question::Carbons, |id| {
            stanza::iq_set(id, Element::bare("enable", ns::CARBONS))
        });
        let presence = self.capabilities.presence();
        let roster = self.ask(Question::Roster, |id| {
            stanza::iq_get(id, Element::bare("query", ns::ROSTER))
        });
        let missed = archive.begin().unwrap_or_else(|| self.barrier());
        vec![carbons, presence, roster, missed]
    }

    /// Looks at a stanza that was not the account's.
    pub(crate) fn take(&mut self, stanza: &Element, archive: &mut Reader) -> Outcome {
        if stanza::is_request(stanza) {
            return self.asked(stanza);
        }
        if let Some(answer) = archive.answered(stanza) {
            return Outcome {
                page: answer.page,
                caught_up: answer.next.is_none(),
                replies: answer.next.into_iter().collect(),
                consumed: true,
                ..Outcome::default()
            };
        }
        let question = stanza::answered_id(stanza).and_then(|id| self.questions.remove(id));
        match question {
            Some(Question::Roster) => Outcome {
                known: contacts(stanza),
                consumed: true,
                ..Outcome::default()
            },
            Some(Question::Barrier) => Outcome {
                caught_up: true,
                consumed: true,
                ..Outcome::default()
            },
            Some(Question::Carbons) => {
                if stanza.attr("type") == Some("error") {
                    tracing::warn!(
                        domain = self.own.domain(),
                        "the server has no carbons: what other devices of ours send is not seen"
                    );
                }
                Outcome {
                    consumed: true,
                    ..Outcome::default()
                }
            }
            None => Outcome {
                consumed: stanza.is("iq", ns::JABBER_CLIENT),
                ..Outcome::default()
            },
        }
    }

    /// Requests must be answered, if only by "we do not do this" (RFC 6120 §8.2.3).
    fn asked(&self, request: &Element) -> Outcome {
        let info = request
            .get_child("query", ns::DISCO_INFO)
            .and_then(|query| self.capabilities.answer(query));
        let mut known = Vec::new();
        let reply = if let Some(info) = info {
            stanza::result(request, Some(info))
        } else if request.get_child("ping", ns::PING).is_some() {
            stanza::result(request, None)
        } else if request.get_child("query", ns::ROSTER).is_some() && self.is_roster_push(request) {
            known = contacts(request);
            stanza::result(request, None)
        } else {
            stanza::refusal(request)
        };
        Outcome {
            replies: vec![reply],
            known,
            consumed: true,
            ..Outcome::default()
        }
    }

    /// Only our own account may change what we think our contacts are (RFC 6121 §2.1.6).
    fn is_roster_push(&self, request: &Element) -> bool {
        request.attr("type") == Some("set")
            && request
                .attr("from")
                .is_none_or(|from| BareJid::parse(from).is_ok_and(|from| from == self.own))
    }

    fn barrier(&mut self) -> Element {
        self.ask(Question::Barrier, stanza::ping)
    }

    fn ask(&mut self, question: Question, build: impl FnOnce(&str) -> Element) -> Element {
        let id = stanza::random_id();
        let element = build(&id);
        self.questions.insert(id, question);
        element
    }
}

/// The contacts that see our presence.
fn contacts(stanza: &Element) -> Vec<BareJid> {
    stanza
        .get_child("query", ns::ROSTER)
        .into_iter()
        .flat_map(Element::children)
        .filter(|item| matches!(item.attr("subscription"), Some("from" | "both")))
        .filter_map(|item| BareJid::parse(item.attr("jid")?).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Archive;

    fn session() -> (Session, Reader) {
        let own = BareJid::parse("juliet@capulet.example").unwrap();
        let reader = Reader::new(own.clone(), &Archive::Off);
        (Session::new(own, Capabilities::new(Vec::new())), reader)
    }

    fn iq(kind: &str, id: &str, from: &str, payload: &str) -> Element {
        format!("<iq xmlns='jabber:client' type='{kind}' id='{id}' {from}>{payload}</iq>")
            .parse()
            .unwrap()
    }

    const ROSTER: &str = "<query xmlns='jabber:iq:roster'>\
        <item jid='romeo@montague.example' subscription='both'/>\
        <item jid='nurse@capulet.example' subscription='from'/>\
        <item jid='paris@verona.example' subscription='to'/>\
        <item jid='not a jid' subscription='both'/></query>";

    #[test]
    fn contacts_who_see_us_become_known() {
        let (mut session, mut reader) = session();
        let greeting = session.greet(&mut reader);
        let id = greeting[2].attr("id").unwrap();
        let outcome = session.take(&iq("result", id, "", ROSTER), &mut reader);
        let known: Vec<_> = outcome.known.iter().map(BareJid::as_str).collect();
        assert_eq!(known, ["romeo@montague.example", "nurse@capulet.example"]);
        let again = session.take(&iq("result", id, "", ROSTER), &mut reader);
        assert!(again.known.is_empty(), "an answer counts once");
    }

    #[test]
    fn nobody_else_pushes_a_roster() {
        let (mut session, mut reader) = session();
        let evil = iq("set", "1", "from='paris@verona.example/x'", ROSTER);
        let outcome = session.take(&evil, &mut reader);
        assert!(outcome.known.is_empty());
        assert_eq!(outcome.replies[0].attr("type"), Some("error"));
        let own = iq("set", "2", "from='juliet@capulet.example'", ROSTER);
        assert_eq!(session.take(&own, &mut reader).known.len(), 2);
    }

    #[test]
    fn without_an_archive_a_ping_ends_the_catch_up() {
        let (mut session, mut reader) = session();
        let greeting = session.greet(&mut reader);
        let ping = greeting.last().unwrap();
        assert!(ping.has_child("ping", ns::PING));
        let pong = iq("result", ping.attr("id").unwrap(), "", "");
        assert!(session.take(&pong, &mut reader).caught_up);
        assert!(!session.take(&pong, &mut reader).caught_up);
    }

    #[test]
    fn every_request_is_answered() {
        let (mut session, mut reader) = session();
        for (payload, kind) in [
            ("<ping xmlns='urn:xmpp:ping'/>", "result"),
            (
                "<query xmlns='http://jabber.org/protocol/disco#info'/>",
                "result",
            ),
            (
                "<query xmlns='http://jabber.org/protocol/disco#info' node='?'/>",
                "error",
            ),
            ("<query xmlns='jabber:iq:version'/>", "error"),
        ] {
            let request = iq("get", "7", "from='romeo@montague.example/o'", payload);
            let outcome = session.take(&request, &mut reader);
            let reply = &outcome.replies[0];
            assert_eq!(reply.attr("type"), Some(kind), "{payload}");
            assert_eq!(reply.attr("to"), Some("romeo@montague.example/o"));
            assert_eq!(reply.attr("id"), Some("7"));
        }
    }
}
