//! A server for accounts in memory that answers their questions about PEP nodes, and nothing else.

use std::collections::{BTreeMap, VecDeque};

use omemo::store::Store;
use omemo::{Account, Element, Event, FullJid, Output, Stanza};

const PUBSUB: &str = "http://jabber.org/protocol/pubsub";

/// All PEP nodes: their items, by account and node, as XML.
#[derive(Default)]
pub struct Network {
    nodes: BTreeMap<(String, String), Vec<(String, String)>>,
}

/// What an account said that was no question.
#[derive(Default)]
pub struct Said {
    /// Its messages.
    pub messages: Vec<Stanza>,
    /// Its events.
    pub events: Vec<Event>,
}

impl Network {
    /// Publishes an item as somebody else would.
    pub fn plant(&mut self, jid: &str, node: &str, item: &str, payload: String) {
        let items = self
            .nodes
            .entry((jid.to_owned(), node.to_owned()))
            .or_default();
        items.retain(|(id, _)| id != item);
        items.push((item.to_owned(), payload));
    }

    /// Brings an account online and answers until it asks no more.
    pub fn go_online<S: Store + 'static>(&mut self, account: &mut Account<S>) {
        let full = FullJid::parse(&format!("{}/bench", account.jid())).unwrap();
        let output = account.online(full, false).unwrap();
        self.settle(account, output);
        let output = account.caught_up().unwrap();
        self.settle(account, output);
    }

    /// Answers the questions in an output, and those that follow.
    pub fn settle<S: Store + 'static>(&mut self, account: &mut Account<S>, output: Output) -> Said {
        let mut said = Said {
            events: output.events,
            ..Said::default()
        };
        let mut stanzas = VecDeque::from(output.stanzas);
        while let Some(stanza) = stanzas.pop_front() {
            if stanza.element.name() != "iq" {
                said.messages.push(stanza);
                continue;
            }
            let reply = self.answer(account.jid().as_str(), &stanza.element);
            let output = account.receive(&reply).unwrap();
            said.events.extend(output.events);
            stanzas.extend(output.stanzas);
        }
        said
    }

    fn answer(&mut self, asker: &str, iq: &Element) -> Element {
        let id = iq.attr("id").unwrap();
        let owner = iq.attr("to").unwrap_or(asker);
        let reply = match self.perform(owner, iq) {
            Some(payload) => format!(
                "<iq xmlns='jabber:client' type='result' id='{id}' from='{owner}'>{payload}</iq>"
            ),
            None => format!(
                "<iq xmlns='jabber:client' type='error' id='{id}' from='{owner}'><error type='cancel'>\
                 <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
            ),
        };
        reply.parse().unwrap()
    }

    /// Publishes or fetches; `None` where nothing is.
    fn perform(&mut self, owner: &str, iq: &Element) -> Option<String> {
        let pubsub = iq.get_child("pubsub", PUBSUB)?;
        if let Some(publish) = pubsub.get_child("publish", PUBSUB) {
            let item = publish.get_child("item", PUBSUB)?;
            let payload = String::from(item.children().next()?);
            self.plant(owner, publish.attr("node")?, item.attr("id")?, payload);
            return Some(String::new());
        }
        let items = pubsub.get_child("items", PUBSUB)?;
        let node = items.attr("node")?;
        let wanted = items
            .get_child("item", PUBSUB)
            .and_then(|item| item.attr("id"));
        let found: String = self
            .nodes
            .get(&(owner.to_owned(), node.to_owned()))?
            .iter()
            .filter(|(id, _)| wanted.is_none_or(|wanted| wanted == id))
            .map(|(id, payload)| format!("<item id='{id}'>{payload}</item>"))
            .collect();
        Some(format!(
            "<pubsub xmlns='{PUBSUB}'><items node='{node}'>{found}</items></pubsub>"
        ))
    }
}
