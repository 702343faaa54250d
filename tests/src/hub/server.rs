//! What the network's servers do: they route messages with carbons, keep PEP nodes, answer questions about them and push
//! lists.

use minidom::Element;
use omemo::store::Store;

use super::{At, Hub, Manners};

const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
const OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
const ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

const DISCO: &str = "http://jabber.org/protocol/disco#info";
const EVENT: &str = "http://jabber.org/protocol/pubsub#event";

/// What servers announce unless they are told otherwise.
pub(super) const FEATURES: [&str; 2] = [
    "http://jabber.org/protocol/pubsub#persistent-items",
    "http://jabber.org/protocol/pubsub#publish-options",
];

/// A PEP node.
pub(super) struct Node {
    items: Vec<(String, Element)>,
    max_items: usize,
    configured: bool,
}

impl<S: Store + 'static> Hub<S> {
    /// The items of a node.
    #[must_use]
    pub fn items(&self, jid: &str, node: &str) -> Vec<(String, Element)> {
        self.nodes
            .get(&(jid.to_owned(), node.to_owned()))
            .map(|node| node.items.clone())
            .unwrap_or_default()
    }

    /// Whether there is such a node, with items or without.
    #[must_use]
    pub fn has_node(&self, jid: &str, node: &str) -> bool {
        self.nodes.contains_key(&(jid.to_owned(), node.to_owned()))
    }

    /// Whether its owner has configured a node.
    #[must_use]
    pub fn is_configured(&self, jid: &str, node: &str) -> bool {
        let node = self.nodes.get(&(jid.to_owned(), node.to_owned()));
        node.is_some_and(|node| node.configured)
    }

    /// Publishes as somebody else would: a client that is not ours, or a server that means ill.
    pub fn plant(&mut self, jid: &str, node: &str, item: &str, payload: Element) {
        self.publish(jid, node, item, payload, true);
    }

    /// Takes an item away without telling anybody.
    pub fn drop_item(&mut self, jid: &str, node: &str, item: &str) {
        if let Some(node) = self.nodes.get_mut(&(jid.to_owned(), node.to_owned())) {
            node.items.retain(|(id, _)| id != item);
        }
    }

    pub(super) fn route(&mut self, at: At, mut stanza: Element) {
        let full = self.devices[at.0].full.as_str().to_owned();
        set(&mut stanza, "from", full);
        match stanza.name() {
            "iq" if self.answers => {
                let reply = self.answer(at, &stanza);
                self.post(at, &reply);
            }
            "message" => self.route_message(at, &stanza),
            _ => {}
        }
    }

    fn route_message(&mut self, at: At, message: &Element) {
        if self.reflect(at, message) {
            return;
        }
        let to = message.attr("to").unwrap().to_owned();
        let own = self.devices[at.0].jid.to_string();
        for other in 0..self.devices.len() {
            let jid = self.devices[other].jid.to_string();
            if jid == to && other != at.0 {
                self.post(At(other), message);
            } else if jid == own && other != at.0 {
                let carbon = carbon(&own, message);
                self.post(At(other), &carbon);
            }
        }
    }

    /// Puts a stanza into a device's mailbox.
    pub fn post(&mut self, to: At, stanza: &Element) {
        self.devices[to.0].mailbox.push_back(String::from(stanza));
    }

    fn answer(&mut self, at: At, iq: &Element) -> Element {
        let own = self.devices[at.0].jid.to_string();
        let owner = iq.attr("to").map_or(own.clone(), str::to_owned);
        let result = self.perform(&own, &owner, iq);
        let id = iq.attr("id").unwrap();
        let mut reply = Element::builder("iq", "jabber:client")
            .attr("id".try_into().unwrap(), id)
            .attr("from".try_into().unwrap(), owner)
            .build();
        match result {
            Ok(payload) => {
                set(&mut reply, "type", "result");
                if let Some(payload) = payload {
                    reply.append_child(payload);
                }
            }
            Err(error) => {
                set(&mut reply, "type", "error");
                reply.append_child(error);
            }
        }
        reply
    }

    fn perform(
        &mut self,
        own: &str,
        owner: &str,
        iq: &Element,
    ) -> Result<Option<Element>, Element> {
        if let Some(error) = (self.objects)(owner, iq) {
            return Err(error);
        }
        if let Some(answer) = self.ask_room(owner, iq) {
            return answer;
        }
        if let Some(configure) = iq
            .get_child("pubsub", OWNER)
            .and_then(|pubsub| pubsub.get_child("configure", OWNER))
        {
            let node = configure.attr("node").unwrap().to_owned();
            let known = self.nodes.get_mut(&(own.to_owned(), node));
            let node = known.ok_or_else(|| error("cancel", "item-not-found", None))?;
            node.max_items = usize::MAX;
            node.configured = true;
            return Ok(None);
        }
        if iq.has_child("query", DISCO) {
            return Ok(Some(self.info()));
        }
        if let Some(delete) = iq
            .get_child("pubsub", OWNER)
            .and_then(|pubsub| pubsub.get_child("delete", OWNER))
        {
            return self.delete(own, delete.attr("node").unwrap());
        }
        let pubsub = iq.get_child("pubsub", PUBSUB).unwrap();
        if let Some(retract) = pubsub.get_child("retract", PUBSUB) {
            return self.retract(own, retract);
        }
        for name in ["subscribe", "unsubscribe"] {
            if let Some(request) = pubsub.get_child(name, PUBSUB) {
                return self.subscription(owner, request);
            }
        }
        if let Some(items) = pubsub.get_child("items", PUBSUB) {
            return self.fetch(owner, items).map(Some);
        }
        let publish = pubsub.get_child("publish", PUBSUB).unwrap();
        let options = pubsub
            .get_child("publish-options", PUBSUB)
            .map(String::from);
        self.check_options(own, publish.attr("node").unwrap(), options.as_deref())?;
        let item = publish.get_child("item", PUBSUB).unwrap();
        let payload = item.children().next().unwrap().clone();
        let max = options.is_some_and(|options| options.contains("max_items"));
        let node = publish.attr("node").unwrap();
        self.publish(own, node, item.attr("id").unwrap(), payload, max);
        Ok(None)
    }

    fn check_options(
        &mut self,
        own: &str,
        node: &str,
        options: Option<&str>,
    ) -> Result<(), Element> {
        let configured = self
            .nodes
            .get(&(own.to_owned(), node.to_owned()))
            .is_some_and(|node| node.configured);
        match self.manners {
            Manners::RefusesMaxItems
                if options.is_some_and(|options| options.contains("max_items")) =>
            {
                Err(error("wait", "resource-constraint", None))
            }
            Manners::PreconditionNotMet if !configured => {
                self.nodes
                    .entry((own.to_owned(), node.to_owned()))
                    .or_insert(Node {
                        items: Vec::new(),
                        max_items: 1,
                        configured: false,
                    });
                Err(error("cancel", "conflict", Some("precondition-not-met")))
            }
            Manners::RefusesPublishing => Err(error("cancel", "forbidden", None)),
            _ => Ok(()),
        }
    }

    fn fetch(&self, owner: &str, items: &Element) -> Result<Element, Element> {
        let node = items.attr("node").unwrap();
        let found = self
            .nodes
            .get(&(owner.to_owned(), node.to_owned()))
            .ok_or_else(|| error("cancel", "item-not-found", None))?;
        let wanted = items
            .get_child("item", PUBSUB)
            .and_then(|item| item.attr("id"));
        let chosen = found
            .items
            .iter()
            .filter(|(id, _)| wanted.is_none_or(|wanted| wanted == id))
            .map(|(id, payload)| item(id, payload, PUBSUB));
        let items = Element::builder("items", PUBSUB)
            .attr("node".try_into().unwrap(), node)
            .append_all(chosen)
            .build();
        Ok(Element::builder("pubsub", PUBSUB).append(items).build())
    }

    fn publish(&mut self, jid: &str, node: &str, id: &str, payload: Element, max: bool) {
        let place = (jid.to_owned(), node.to_owned());
        let entry = self.nodes.entry(place).or_insert(Node {
            items: Vec::new(),
            max_items: if max { usize::MAX } else { 1 },
            configured: false,
        });
        entry.items.retain(|(known, _)| known != id);
        entry.items.push((id.to_owned(), payload.clone()));
        while entry.items.len() > entry.max_items {
            entry.items.remove(0);
        }
        self.push(jid, node, id, &payload);
    }

    fn info(&self) -> Element {
        let features = self.features.iter().map(|feature| {
            Element::builder("feature", DISCO)
                .attr("var".try_into().unwrap(), feature)
                .build()
        });
        Element::builder("query", DISCO)
            .append_all(features)
            .build()
    }

    fn delete(&mut self, own: &str, node: &str) -> Result<Option<Element>, Element> {
        let place = (own.to_owned(), node.to_owned());
        let known = self.nodes.remove(&place);
        known.ok_or_else(|| error("cancel", "item-not-found", None))?;
        let deleted = Element::builder("delete", EVENT)
            .attr("node".try_into().unwrap(), node)
            .build();
        self.tell(own, node, deleted);
        Ok(None)
    }

    fn retract(&mut self, own: &str, retract: &Element) -> Result<Option<Element>, Element> {
        let missing = || error("cancel", "item-not-found", None);
        let place = (own.to_owned(), retract.attr("node").unwrap().to_owned());
        let node = self.nodes.get_mut(&place).ok_or_else(missing)?;
        let wanted = retract.get_child("item", PUBSUB).unwrap().attr("id");
        let count = node.items.len();
        node.items.retain(|(id, _)| Some(id.as_str()) != wanted);
        if node.items.len() == count {
            return Err(missing());
        }
        Ok(None)
    }

    /// The newest item comes at once, as PEP has it.
    fn subscription(&mut self, owner: &str, request: &Element) -> Result<Option<Element>, Element> {
        let node = request.attr("node").unwrap().to_owned();
        let subscriber = request.attr("jid").unwrap().to_owned();
        let entry = (owner.to_owned(), node.clone(), subscriber.clone());
        if request.name() == "unsubscribe" {
            let known = self.subscriptions.remove(&entry);
            return known
                .then_some(None)
                .ok_or_else(|| error("cancel", "unexpected-request", None));
        }
        let place = (owner.to_owned(), node.clone());
        let known = self.nodes.get(&place);
        let newest = known.ok_or_else(|| error("cancel", "item-not-found", None))?;
        let newest = newest.items.last().cloned();
        self.subscriptions.insert(entry);
        if let Some((id, payload)) = newest {
            let items = Element::builder("items", EVENT)
                .attr("node".try_into().unwrap(), node.as_str())
                .append(item(&id, &payload, EVENT))
                .build();
            self.tell_them(owner, items, |jid| jid == subscriber);
        }
        Ok(None)
    }

    fn push(&mut self, jid: &str, node: &str, id: &str, payload: &Element) {
        let items = Element::builder("items", EVENT)
            .attr("node".try_into().unwrap(), node)
            .append(item(id, payload, EVENT))
            .build();
        self.tell(jid, node, items);
    }

    /// Tells everybody of a change of a device list, or only who has subscribed to it.
    fn tell(&mut self, jid: &str, node: &str, change: Element) {
        if !node.contains("device") {
            return;
        }
        let subscriptions = self.subscriptions.clone();
        let subscribed =
            |to: &str| subscriptions.contains(&(jid.to_owned(), node.to_owned(), to.to_owned()));
        let pushes = self.pushes;
        self.tell_them(jid, change, |to| pushes || subscribed(to));
    }

    fn tell_them(&mut self, jid: &str, change: Element, whom: impl Fn(&str) -> bool) {
        let message = Element::builder("message", "jabber:client")
            .attr("from".try_into().unwrap(), jid)
            .attr("type".try_into().unwrap(), "headline")
            .append(Element::builder("event", EVENT).append(change).build())
            .build();
        for at in 0..self.devices.len() {
            if self.devices[at].online && whom(self.devices[at].jid.as_str()) {
                self.post(At(at), &message);
            }
        }
    }
}

/// Sets an attribute.
pub fn set(element: &mut Element, name: &str, value: impl Into<String>) {
    element.set_attr(
        minidom::rxml::Namespace::NONE,
        name.try_into().unwrap(),
        value.into(),
    );
}

fn item(id: &str, payload: &Element, namespace: &str) -> Element {
    Element::builder("item", namespace)
        .attr("id".try_into().unwrap(), id)
        .append(payload.clone())
        .build()
}

/// The error in an answer.
#[must_use]
pub fn error(kind: &str, condition: &str, pubsub: Option<&str>) -> Element {
    let mut error = Element::builder("error", "jabber:client")
        .attr("type".try_into().unwrap(), kind)
        .append(Element::bare(condition, ERRORS))
        .build();
    if let Some(pubsub) = pubsub {
        error.append_child(Element::bare(
            pubsub,
            "http://jabber.org/protocol/pubsub#errors",
        ));
    }
    error
}

/// What another device of the sender gets of its message (XEP-0280).
#[must_use]
pub fn carbon(own: &str, message: &Element) -> Element {
    let forwarded = Element::builder("forwarded", "urn:xmpp:forward:0")
        .append(message.clone())
        .build();
    let sent = Element::builder("sent", "urn:xmpp:carbons:2")
        .append(forwarded)
        .build();
    Element::builder("message", "jabber:client")
        .attr("from".try_into().unwrap(), own)
        .attr("type".try_into().unwrap(), "chat")
        .append(sent)
        .build()
}
