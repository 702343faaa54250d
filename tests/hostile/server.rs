//! The server: an honest one with lies on top. It keeps what is published, whatever it shows of it, so that it can turn
//! honest again.

use std::collections::{BTreeMap, VecDeque};

use minidom::Element;
use omemo_tests::hub::{error, set};

use crate::room::{ROOM, Room};
use crate::shape::PUBSUB;

const OWNER: &str = "http://jabber.org/protocol/pubsub#owner";

/// An account, a node of it, and an item there.
pub type Place = (String, String, String);

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Never.
    Silent,
    /// With this error.
    Refusing(&'static str, &'static str),
    /// As if somebody else did.
    InTheNameOf(&'static str),
    /// By the right one, with a resource.
    WithResource,
    /// Twice: first with an error from somebody else.
    Twice,
    /// With nothing in it.
    Empty,
    /// Long after.
    Late,
}

/// What becomes of a question: stanzas for who asked, and lists that have changed.
#[derive(Default)]
pub struct Answer {
    pub replies: Vec<Element>,
    /// Kept back until the server turns honest, or the answer is let go.
    pub late: Vec<Element>,
    /// The account, the node and the list.
    pub changed: Option<(String, String, Element)>,
}

#[derive(Default)]
pub struct Server {
    /// What is published.
    nodes: BTreeMap<(String, String), Vec<(String, Element)>>,
    /// What is shown instead; `None` is nothing at all.
    pub lies: BTreeMap<Place, Option<Element>>,
    /// Everything that was ever published.
    pub old: Vec<(Place, Element)>,
    pub room: Room,
    /// What happens to the next questions.
    pub moods: VecDeque<Mood>,
}

impl Server {
    /// An item as it was published.
    pub fn truth(&self, jid: &str, node: &str, item: &str) -> Option<&Element> {
        let items = self.nodes.get(&(jid.to_owned(), node.to_owned()))?;
        items.iter().find(|(id, _)| id == item).map(|(_, it)| it)
    }

    /// All items of a node, as they were published.
    pub fn published(&self, jid: &str, node: &str) -> Vec<(String, Element)> {
        self.nodes
            .get(&(jid.to_owned(), node.to_owned()))
            .cloned()
            .unwrap_or_default()
    }

    /// Forgets what was published.
    pub fn forget(&mut self, jid: &str, node: &str) {
        self.nodes.remove(&(jid.to_owned(), node.to_owned()));
    }

    /// Shows something else.
    pub fn lie(&mut self, jid: &str, node: &str, item: &str, shown: Option<Element>) {
        let place = (jid.to_owned(), node.to_owned(), item.to_owned());
        self.lies.insert(place, shown);
    }

    /// From now on only the truth.
    pub fn repent(&mut self) {
        self.lies.clear();
        self.moods.clear();
    }

    /// Answers an `<iq/>` of a client of `own`, whose full JID is `full`.
    pub fn answer(&mut self, own: &str, full: &str, iq: &Element) -> Answer {
        let owner = iq.attr("to").unwrap_or(own).to_owned();
        let id = iq.attr("id").unwrap().to_owned();
        let mut answer = Answer::default();
        let honest = self.perform(own, &owner, iq, &mut answer);
        let reply = |from: &str, outcome: &Result<Option<Element>, Element>| {
            let mut reply = Element::builder("iq", "jabber:client")
                .attr("id".try_into().unwrap(), id.as_str())
                .attr("from".try_into().unwrap(), from)
                .attr("to".try_into().unwrap(), full)
                .build();
            set(
                &mut reply,
                "type",
                if outcome.is_ok() { "result" } else { "error" },
            );
            match outcome {
                Ok(Some(child)) | Err(child) => drop(reply.append_child(child.clone())),
                Ok(None) => {}
            }
            reply
        };
        match self.moods.pop_front() {
            None => answer.replies.push(reply(&owner, &honest)),
            Some(Mood::Silent) => {}
            Some(Mood::Refusing(kind, condition)) => {
                answer
                    .replies
                    .push(reply(&owner, &Err(error(kind, condition, None))));
            }
            Some(Mood::InTheNameOf(jid)) => answer.replies.push(reply(jid, &honest)),
            Some(Mood::WithResource) => {
                answer.replies.push(reply(&format!("{owner}/x"), &honest));
            }
            Some(Mood::Twice) => {
                let refusal = Err(error("cancel", "item-not-found", None));
                answer.replies = vec![
                    reply("mallory@elsewhere.example", &refusal),
                    reply(&owner, &honest),
                    reply(&owner, &refusal),
                    reply(&owner, &honest),
                ];
            }
            Some(Mood::Empty) => answer.replies.push(reply(&owner, &Ok(None))),
            Some(Mood::Late) => answer.late.push(reply(&owner, &honest)),
        }
        answer
    }

    fn perform(
        &mut self,
        own: &str,
        owner: &str,
        iq: &Element,
        answer: &mut Answer,
    ) -> Result<Option<Element>, Element> {
        if owner == ROOM {
            return self.room.answer(iq);
        }
        if iq.attr("type") == Some("set") && owner != own {
            return Err(error("auth", "forbidden", None));
        }
        if let Some(pubsub) = iq.get_child("pubsub", OWNER) {
            if let Some(delete) = pubsub.get_child("delete", OWNER) {
                self.forget(own, delete.attr("node").unwrap());
            }
            return Ok(None);
        }
        let Some(pubsub) = iq.get_child("pubsub", PUBSUB) else {
            return Err(error("cancel", "service-unavailable", None));
        };
        if let Some(items) = pubsub.get_child("items", PUBSUB) {
            return self.fetch(owner, items).map(Some);
        }
        if let Some(retract) = pubsub.get_child("retract", PUBSUB) {
            let place = (own.to_owned(), retract.attr("node").unwrap().to_owned());
            let gone: Vec<_> = retract
                .children()
                .filter_map(|item| item.attr("id"))
                .collect();
            if let Some(items) = self.nodes.get_mut(&place) {
                items.retain(|(id, _)| !gone.contains(&id.as_str()));
            }
        }
        if let Some(publish) = pubsub.get_child("publish", PUBSUB) {
            let node = publish.attr("node").unwrap().to_owned();
            let item = publish.get_child("item", PUBSUB).unwrap();
            let id = item.attr("id").unwrap_or("current").to_owned();
            let payload = item.children().next().unwrap().clone();
            if node.contains("device") {
                answer.changed = Some((own.to_owned(), node.clone(), payload.clone()));
            }
            self.publish(own, &node, &id, payload);
        }
        Ok(None)
    }

    fn publish(&mut self, jid: &str, node: &str, id: &str, payload: Element) {
        let items = self
            .nodes
            .entry((jid.to_owned(), node.to_owned()))
            .or_default();
        items.retain(|(known, _)| known != id);
        items.push((id.to_owned(), payload.clone()));
        let place = (jid.to_owned(), node.to_owned(), id.to_owned());
        self.old.push((place, payload));
    }

    fn fetch(&self, owner: &str, asked: &Element) -> Result<Element, Element> {
        let node = asked.attr("node").unwrap();
        let wanted = asked
            .get_child("item", PUBSUB)
            .and_then(|item| item.attr("id"));
        let mut items = self.published(owner, node);
        let lies = self
            .lies
            .iter()
            .filter(|((jid, of, _), _)| jid == owner && of == node);
        for ((_, _, id), shown) in lies {
            items.retain(|(known, _)| known != id);
            items.extend(shown.clone().map(|shown| (id.clone(), shown)));
        }
        if items.is_empty() {
            return Err(error("cancel", "item-not-found", None));
        }
        let chosen = items
            .into_iter()
            .filter(|(id, _)| wanted.is_none_or(|wanted| wanted == id))
            .map(|(id, payload)| {
                Element::builder("item", PUBSUB)
                    .attr("id".try_into().unwrap(), id)
                    .append(payload)
                    .build()
            });
        let items = Element::builder("items", PUBSUB)
            .attr("node".try_into().unwrap(), node)
            .append_all(chosen)
            .build();
        Ok(Element::builder("pubsub", PUBSUB).append(items).build())
    }
}
