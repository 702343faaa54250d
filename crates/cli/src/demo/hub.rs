//! A server in a box: it routes messages and their carbons (XEP-0280), keeps what comes for
//! devices that are away, and holds PEP nodes (XEP-0163). Deterministic and deaf: everything that
//! passes is noted down, so that the demo can show that nothing readable did.

use std::collections::{BTreeMap, VecDeque};

use minidom::Element;
use minidom::rxml::{Namespace, NcNameStr, xml_ncname};
use omemo::{BareJid, FullJid};

const CLIENT: &str = "jabber:client";
const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
const OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
const EVENT: &str = "http://jabber.org/protocol/pubsub#event";
const CARBONS: &str = "urn:xmpp:carbons:2";
const FORWARD: &str = "urn:xmpp:forward:0";
const ARCHIVE: &str = "urn:xmpp:mam:2";
const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

/// The server of all accounts.
#[derive(Debug, Default)]
pub(super) struct Hub {
    accounts: BTreeMap<BareJid, Account>,
    /// What is on its way to whom.
    on_its_way: VecDeque<(FullJid, Element)>,
    /// Everything that came in, as text.
    pub(super) seen: Vec<String>,
}

#[derive(Debug, Default)]
struct Account {
    /// The items of each node, by their ids, the newest last.
    nodes: BTreeMap<String, Vec<(String, Element)>>,
    devices: BTreeMap<FullJid, Device>,
    /// All messages from and to the account.
    archive: Vec<Element>,
}

#[derive(Debug, Default)]
struct Device {
    /// The nodes that it wants to hear of.
    interests: Vec<String>,
    is_online: bool,
    /// What came while it was away.
    kept: Vec<Element>,
}

impl Hub {
    /// A device comes online; `features` are what it advertises. It gets what was kept for it, and
    /// the newest item of each node that it is interested in.
    pub(super) fn connect(&mut self, jid: &FullJid, features: &[String]) {
        let account = self.accounts.entry(jid.bare()).or_default();
        let device = account.devices.entry(jid.clone()).or_default();
        device.is_online = true;
        device.interests = features
            .iter()
            .filter_map(|feature| feature.strip_suffix("+notify"))
            .map(ToOwned::to_owned)
            .collect();
        for stanza in std::mem::take(&mut device.kept) {
            self.on_its_way.push_back((jid.clone(), stanza));
        }
        let events: Vec<_> = self
            .accounts
            .iter()
            .flat_map(|(owner, account)| account.nodes.iter().map(move |node| (owner, node)))
            .filter_map(|(owner, (node, items))| {
                let (id, payload) = items.last()?;
                self.wants(jid, node)
                    .then(|| event(owner, node, id, payload, jid))
            })
            .collect();
        for event in events {
            self.on_its_way.push_back((jid.clone(), event));
        }
    }

    /// A device goes away; what is on its way to it is kept.
    pub(super) fn disconnect(&mut self, jid: &FullJid) {
        let Some(device) = self.device(jid) else {
            return;
        };
        device.is_online = false;
        for (to, stanza) in std::mem::take(&mut self.on_its_way) {
            if to == *jid {
                self.keep(&to, stanza);
            } else {
                self.on_its_way.push_back((to, stanza));
            }
        }
    }

    /// The archive of an account, as its server hands it out (XEP-0313).
    pub(super) fn archive(&self, of: &BareJid, to: &FullJid) -> Vec<Element> {
        let messages = self.accounts.get(of).map(|account| &account.archive);
        messages
            .into_iter()
            .flatten()
            .map(|message| {
                let result = Element::builder("result", ARCHIVE)
                    .append(forwarded(message.clone()))
                    .build();
                wrapped(of, to, result)
            })
            .collect()
    }

    /// The next stanza for somebody.
    pub(super) fn next(&mut self) -> Option<(FullJid, Element)> {
        self.on_its_way.pop_front()
    }

    /// Takes a stanza from a device.
    pub(super) fn take(&mut self, from: &FullJid, mut stanza: Element) {
        set(&mut stanza, xml_ncname!("from"), from.as_str());
        self.seen.push(String::from(&stanza));
        match stanza.name() {
            "iq" => {
                let reply = self.asked(from, &stanza);
                self.on_its_way.push_back((from.clone(), reply));
            }
            "message" => self.message(from, &stanza),
            _ => {}
        }
    }

    fn message(&mut self, from: &FullJid, message: &Element) {
        let Some(to) = message.attr("to").and_then(|to| BareJid::of(to).ok()) else {
            return;
        };
        let named = message.attr("to").and_then(|to| FullJid::parse(to).ok());
        self.note(&to, message);
        for device in self.devices_of(&to) {
            if device == *from {
                continue;
            }
            let copy = if named.as_ref().is_none_or(|named| *named == device) {
                message.clone()
            } else {
                carbon("received", &to, &device, message)
            };
            self.deliver(&device, copy);
        }
        let own = from.bare();
        if own == to {
            return;
        }
        self.note(&own, message);
        for device in self.devices_of(&own) {
            if device != *from {
                let copy = carbon("sent", &own, &device, message);
                self.deliver(&device, copy);
            }
        }
    }

    fn asked(&mut self, from: &FullJid, iq: &Element) -> Element {
        let owner = match iq.attr("to") {
            Some(to) => BareJid::of(to).unwrap_or_else(|_| from.bare()),
            None => from.bare(),
        };
        let pubsub = iq.get_child("pubsub", PUBSUB);
        let publish = pubsub.and_then(|pubsub| pubsub.get_child("publish", PUBSUB));
        let items = pubsub.and_then(|pubsub| pubsub.get_child("items", PUBSUB));
        match (iq.attr("type"), publish, items) {
            (Some("set"), Some(publish), _) if owner == from.bare() => {
                self.publish(&owner, publish);
                result(iq, &owner, None)
            }
            (Some("get"), _, Some(items)) => match self.items(&owner, items) {
                Some(found) => result(iq, &owner, Some(found)),
                None => refusal(iq, &owner, "item-not-found"),
            },
            (Some("set"), ..) if iq.get_child("pubsub", OWNER).is_some() => {
                result(iq, &owner, None)
            }
            _ => refusal(iq, &owner, "service-unavailable"),
        }
    }

    fn publish(&mut self, owner: &BareJid, publish: &Element) {
        let Some(node) = publish.attr("node") else {
            return;
        };
        for item in publish.children().filter(|child| child.is("item", PUBSUB)) {
            let id = item.attr("id").unwrap_or("current");
            let Some(payload) = item.children().next() else {
                continue;
            };
            let account = self.accounts.entry(owner.clone()).or_default();
            let items = account.nodes.entry(node.to_owned()).or_default();
            items.retain(|(other, _)| other != id);
            items.push((id.to_owned(), payload.clone()));
            let listeners: Vec<_> = self
                .accounts
                .keys()
                .flat_map(|account| self.devices_of(account))
                .filter(|device| self.wants(device, node))
                .collect();
            for device in listeners {
                let event = event(owner, node, id, payload, &device);
                self.on_its_way.push_back((device, event));
            }
        }
    }

    fn items(&self, owner: &BareJid, asked: &Element) -> Option<Element> {
        let node = asked.attr("node")?;
        let items = self.accounts.get(owner)?.nodes.get(node)?;
        let wanted: Vec<_> = asked
            .children()
            .filter_map(|item| item.attr("id"))
            .collect();
        let most = asked.attr("max_items").and_then(|most| most.parse().ok());
        let mut found = Element::bare("items", PUBSUB);
        set(&mut found, xml_ncname!("node"), node);
        let chosen = items
            .iter()
            .rev()
            .filter(|(id, _)| wanted.is_empty() || wanted.contains(&id.as_str()))
            .take(most.unwrap_or(usize::MAX));
        for (id, payload) in chosen {
            found.append_child(item(PUBSUB, id, payload));
        }
        let is_missing = !wanted.is_empty() && found.children().next().is_none();
        let pubsub = Element::builder("pubsub", PUBSUB).append(found).build();
        (!is_missing).then_some(pubsub)
    }

    fn deliver(&mut self, to: &FullJid, stanza: Element) {
        if self.device(to).is_some_and(|device| device.is_online) {
            self.on_its_way.push_back((to.clone(), stanza));
        } else {
            self.keep(to, stanza);
        }
    }

    /// Only messages of people are kept for later; events are sent anew.
    fn keep(&mut self, to: &FullJid, stanza: Element) {
        let is_kept = stanza.name() == "message" && stanza.attr("type") != Some("headline");
        if let Some(device) = self.device(to).filter(|_| is_kept) {
            device.kept.push(stanza);
        }
    }

    fn note(&mut self, account: &BareJid, message: &Element) {
        if let Some(account) = self.accounts.get_mut(account) {
            account.archive.push(message.clone());
        }
    }

    fn wants(&self, jid: &FullJid, node: &str) -> bool {
        self.accounts
            .get(&jid.bare())
            .and_then(|account| account.devices.get(jid))
            .is_some_and(|device| device.is_online && device.interests.iter().any(|i| i == node))
    }

    fn devices_of(&self, account: &BareJid) -> Vec<FullJid> {
        self.accounts
            .get(account)
            .map(|account| account.devices.keys().cloned().collect())
            .unwrap_or_default()
    }

    fn device(&mut self, jid: &FullJid) -> Option<&mut Device> {
        self.accounts.get_mut(&jid.bare())?.devices.get_mut(jid)
    }
}

fn event(owner: &BareJid, node: &str, id: &str, payload: &Element, to: &FullJid) -> Element {
    let mut items = Element::bare("items", EVENT);
    set(&mut items, xml_ncname!("node"), node);
    items.append_child(item(EVENT, id, payload));
    let event = Element::builder("event", EVENT).append(items).build();
    let mut message = wrapped(owner, to, event);
    set(&mut message, xml_ncname!("type"), "headline");
    message
}

fn item(namespace: &str, id: &str, payload: &Element) -> Element {
    let mut item = Element::bare("item", namespace);
    set(&mut item, xml_ncname!("id"), id);
    item.append_child(payload.clone());
    item
}

fn carbon(kind: &str, own: &BareJid, to: &FullJid, message: &Element) -> Element {
    let copy = Element::builder(kind, CARBONS)
        .append(forwarded(message.clone()))
        .build();
    wrapped(own, to, copy)
}

fn forwarded(message: Element) -> Element {
    Element::builder("forwarded", FORWARD)
        .append(message)
        .build()
}

fn wrapped(from: &BareJid, to: &FullJid, child: Element) -> Element {
    let mut message = Element::builder("message", CLIENT).append(child).build();
    set(&mut message, xml_ncname!("from"), from.as_str());
    set(&mut message, xml_ncname!("to"), to.as_str());
    message
}

fn result(iq: &Element, from: &BareJid, payload: Option<Element>) -> Element {
    answer(iq, from, "result", payload)
}

fn refusal(iq: &Element, from: &BareJid, condition: &str) -> Element {
    let mut error = Element::builder("error", CLIENT)
        .append(Element::bare(condition, STANZAS))
        .build();
    set(&mut error, xml_ncname!("type"), "cancel");
    answer(iq, from, "error", Some(error))
}

fn answer(iq: &Element, from: &BareJid, kind: &str, payload: Option<Element>) -> Element {
    let mut answer = Element::builder("iq", CLIENT).append_all(payload).build();
    set(&mut answer, xml_ncname!("type"), kind);
    set(&mut answer, xml_ncname!("from"), from.as_str());
    set(
        &mut answer,
        xml_ncname!("to"),
        iq.attr("from").unwrap_or_default(),
    );
    set(
        &mut answer,
        xml_ncname!("id"),
        iq.attr("id").unwrap_or_default(),
    );
    answer
}

fn set(element: &mut Element, name: &NcNameStr, value: &str) {
    element.set_attr(Namespace::NONE, name.into(), value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(text: &str) -> FullJid {
        FullJid::parse(text).unwrap()
    }

    fn parse(text: &str) -> Element {
        text.parse().unwrap()
    }

    fn hub(devices: &[&str]) -> Hub {
        let mut hub = Hub::default();
        for device in devices {
            hub.connect(&jid(device), &["n+notify".into()]);
        }
        hub
    }

    fn drain(hub: &mut Hub) -> Vec<(String, Element)> {
        std::iter::from_fn(|| hub.next())
            .map(|(to, stanza)| (to.to_string(), stanza))
            .collect()
    }

    const PUBLISH: &str = "<iq xmlns='jabber:client' type='set' id='1'>\
        <pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'>\
        <item id='i'><x xmlns='y'/></item></publish></pubsub></iq>";

    #[test]
    fn messages_reach_all_devices_and_carbons_the_others() {
        let mut hub = hub(&["a@x/1", "a@x/2", "b@x/1", "b@x/2"]);
        let message = parse("<message xmlns='jabber:client' to='b@x' type='chat'/>");
        hub.take(&jid("a@x/1"), message);
        let delivered = drain(&mut hub);
        let to: Vec<_> = delivered.iter().map(|(to, _)| to.as_str()).collect();
        assert_eq!(to, ["b@x/1", "b@x/2", "a@x/2"]);
        assert_eq!(delivered[0].1.attr("from"), Some("a@x/1"));
        assert!(delivered[2].1.has_child("sent", CARBONS));
    }

    #[test]
    fn what_comes_while_away_is_kept() {
        let mut hub = hub(&["a@x/1", "b@x/1"]);
        hub.disconnect(&jid("b@x/1"));
        hub.take(
            &jid("a@x/1"),
            parse("<message xmlns='jabber:client' to='b@x' type='chat'/>"),
        );
        assert!(drain(&mut hub).is_empty());
        hub.connect(&jid("b@x/1"), &[]);
        assert_eq!(drain(&mut hub).len(), 1);
    }

    #[test]
    fn items_are_published_announced_and_fetched() {
        let mut hub = hub(&["a@x/1", "b@x/1"]);
        hub.take(&jid("a@x/1"), parse(PUBLISH));
        let delivered = drain(&mut hub);
        assert_eq!(delivered.len(), 3, "two events and the answer");
        let fetch = |node: &str| {
            parse(&format!(
                "<iq xmlns='jabber:client' type='get' id='2' to='a@x'>\
                 <pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{node}'/></pubsub></iq>"
            ))
        };
        hub.take(&jid("b@x/1"), fetch("n"));
        hub.take(&jid("b@x/1"), fetch("other"));
        let answers = drain(&mut hub);
        let pubsub = answers[0].1.get_child("pubsub", PUBSUB).unwrap();
        assert!(
            pubsub
                .get_child("items", PUBSUB)
                .unwrap()
                .has_child("item", PUBSUB)
        );
        assert_eq!(answers[1].1.attr("type"), Some("error"));
    }

    #[test]
    fn nobody_publishes_for_another() {
        let mut hub = hub(&["a@x/1", "b@x/1"]);
        let mut publish = parse(PUBLISH);
        set(&mut publish, xml_ncname!("to"), "a@x");
        hub.take(&jid("b@x/1"), publish);
        let delivered = drain(&mut hub);
        assert_eq!(delivered.len(), 1);
        assert_eq!(delivered[0].1.attr("type"), Some("error"));
    }
}
