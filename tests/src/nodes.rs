//! As much of a server as processes that are killed need: what they publish, and answers to their questions.

use std::collections::BTreeMap;

use minidom::Element;

const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
const EVENT: &str = "http://jabber.org/protocol/pubsub#event";
const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

/// The published nodes: of an account, by name, their items in the order of publication.
#[derive(Debug, Default)]
pub struct Nodes {
    items: BTreeMap<(String, String), Vec<(String, Element)>>,
}

/// What follows from a question.
#[derive(Debug)]
pub struct Answer {
    /// For whoever asked.
    pub reply: Element,
    /// For everybody, when a device list was published.
    pub push: Option<Element>,
}

impl Nodes {
    /// Whether an account has published something at a node of that name.
    #[must_use]
    pub fn holds(&self, account: &str, node: &str) -> bool {
        self.items
            .get(&(account.to_owned(), node.to_owned()))
            .is_some_and(|items| !items.is_empty())
    }

    /// Answers an `<iq/>` of a client of `own`.
    ///
    /// # Panics
    ///
    /// When the question is not as the specifications have it.
    pub fn answer(&mut self, own: &str, iq: &Element) -> Answer {
        let owner = iq.attr("to").unwrap_or(own).to_owned();
        let id = iq.attr("id").unwrap();
        let frame = |kind: &str, payload: &str| -> Element {
            format!(
                "<iq xmlns='jabber:client' type='{kind}' id='{id}' from='{owner}'>{payload}</iq>"
            )
            .parse()
            .unwrap()
        };
        let missing = format!("<error type='cancel'><item-not-found xmlns='{STANZAS}'/></error>");
        let Some(pubsub) = iq.get_child("pubsub", PUBSUB) else {
            // Anything else is about configuration, with which we are content.
            return Answer {
                reply: frame("result", ""),
                push: None,
            };
        };
        if let Some(publish) = pubsub.get_child("publish", PUBSUB) {
            let node = publish.attr("node").unwrap();
            let item = publish.get_child("item", PUBSUB).unwrap();
            let item_id = item.attr("id").unwrap_or("current");
            let payload = item.children().next().unwrap().clone();
            let items = self
                .items
                .entry((owner.clone(), node.to_owned()))
                .or_default();
            items.retain(|(known, _)| known != item_id);
            items.push((item_id.to_owned(), payload.clone()));
            let push = node.contains("device").then(|| {
                let payload = String::from(&payload);
                format!(
                    "<message xmlns='jabber:client' type='headline' from='{owner}'><event xmlns='{EVENT}'>\
                     <items node='{node}'><item id='{item_id}'>{payload}</item></items></event></message>"
                )
                .parse()
                .unwrap()
            });
            return Answer {
                reply: frame("result", ""),
                push,
            };
        }
        let Some(asked) = pubsub.get_child("items", PUBSUB) else {
            // A subscription.
            return Answer {
                reply: frame("result", ""),
                push: None,
            };
        };
        let node = asked.attr("node").unwrap();
        let wanted = asked
            .get_child("item", PUBSUB)
            .and_then(|item| item.attr("id"));
        let Some(items) = self.items.get(&(owner.clone(), node.to_owned())) else {
            return Answer {
                reply: frame("error", &missing),
                push: None,
            };
        };
        let found: String = items
            .iter()
            .filter(|(id, _)| wanted.is_none_or(|wanted| wanted == id))
            .map(|(id, payload)| format!("<item id='{id}'>{}</item>", String::from(payload)))
            .collect();
        let payload =
            format!("<pubsub xmlns='{PUBSUB}'><items node='{node}'>{found}</items></pubsub>");
        Answer {
            reply: frame("result", &payload),
            push: None,
        }
    }
}
