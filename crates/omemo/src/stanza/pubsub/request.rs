//! What we ask of a node.
//!
//! `to` is the account that the node belongs to; `None` is our own.

use minidom::Element;

use super::{FORM, OWNER, PUBSUB};
use crate::BareJid;
use crate::stanza::{iq, node};

/// Asks for the newest item of a node (XEP-0060 §6.5.7). Some nodes hold hundreds by mistake.
pub(crate) fn fetch_newest(id: &str, to: Option<&BareJid>, node: &str) -> Element {
    let items = node::with_attributes("items", PUBSUB, [("node", node), ("max_items", "1")]);
    iq::get(id, to, pubsub([items]))
}

/// Asks for all items of a node (XEP-0060 §6.5.2).
pub(crate) fn fetch_all(id: &str, to: Option<&BareJid>, node: &str) -> Element {
    let items = node::with_attributes("items", PUBSUB, [("node", node)]);
    iq::get(id, to, pubsub([items]))
}

/// Asks for one item of a node (XEP-0060 §6.5.8).
pub(crate) fn fetch_item(id: &str, to: Option<&BareJid>, node: &str, item: &str) -> Element {
    let mut items = node::with_attributes("items", PUBSUB, [("node", node)]);
    items.append_child(node::with_attributes("item", PUBSUB, [("id", item)]));
    iq::get(id, to, pubsub([items]))
}

/// Publishes an item (XEP-0060 §7.1). `options` is what the node has to be like, else the server
/// refuses (§7.1.5); none leaves the question open.
pub(crate) fn publish(
    id: &str,
    to: Option<&BareJid>,
    node: &str,
    item: &str,
    payload: Element,
    options: &[(&str, &str)],
) -> Element {
    let mut item = node::with_attributes("item", PUBSUB, [("id", item)]);
    item.append_child(payload);
    let mut publish = node::with_attributes("publish", PUBSUB, [("node", node)]);
    publish.append_child(item);
    let options = (!options.is_empty()).then(|| {
        let form = submit("http://jabber.org/protocol/pubsub#publish-options", options);
        node::with_children("publish-options", PUBSUB, [form])
    });
    iq::set(id, to, pubsub([publish].into_iter().chain(options)))
}

/// Configures a node of ours (XEP-0060 §8.2.4). Fields that are not named stay as they are.
pub(crate) fn configure(id: &str, node: &str, fields: &[(&str, &str)]) -> Element {
    let mut configure = node::with_attributes("configure", OWNER, [("node", node)]);
    configure.append_child(submit(
        "http://jabber.org/protocol/pubsub#node_config",
        fields,
    ));
    iq::set(id, None, owner(configure))
}

/// Takes an item back (XEP-0060 §7.2).
pub(crate) fn retract(id: &str, node: &str, item: &str) -> Element {
    let mut retract = node::with_attributes("retract", PUBSUB, [("node", node)]);
    retract.append_child(node::with_attributes("item", PUBSUB, [("id", item)]));
    iq::set(id, None, pubsub([retract]))
}

/// Deletes a node of ours (XEP-0060 §8.4).
pub(crate) fn delete(id: &str, node: &str) -> Element {
    let delete = node::with_attributes("delete", OWNER, [("node", node)]);
    iq::set(id, None, owner(delete))
}

/// Subscribes our account to a node (XEP-0060 §6.1): its events come to every client of ours
/// that says it wants them (XEP-0163 §4.3.2).
pub(crate) fn subscribe(id: &str, to: Option<&BareJid>, node: &str, own: &BareJid) -> Element {
    let attributes = [("node", node), ("jid", own.as_str())];
    let subscribe = node::with_attributes("subscribe", PUBSUB, attributes);
    iq::set(id, to, pubsub([subscribe]))
}

/// Ends what [`subscribe`] began (XEP-0060 §6.2).
pub(crate) fn unsubscribe(id: &str, to: Option<&BareJid>, node: &str, own: &BareJid) -> Element {
    let attributes = [("node", node), ("jid", own.as_str())];
    let unsubscribe = node::with_attributes("unsubscribe", PUBSUB, attributes);
    iq::set(id, to, pubsub([unsubscribe]))
}

fn pubsub(children: impl IntoIterator<Item = Element>) -> Element {
    node::with_children("pubsub", PUBSUB, children)
}

fn owner(child: Element) -> Element {
    node::with_children("pubsub", OWNER, [child])
}

/// A form filled in (XEP-0004 §3).
fn submit(form_type: &str, fields: &[(&str, &str)]) -> Element {
    let field = |name: &str, value: &str| {
        let mut field = node::with_attributes("field", FORM, [("var", name)]);
        field.append_child(node::with_text("value", FORM, value));
        field
    };
    let mut kind = field("FORM_TYPE", form_type);
    node::set(&mut kind, "type", "hidden");
    let mut form = node::with_attributes("x", FORM, [("type", "submit")]);
    form.append_child(kind);
    for (name, value) in fields {
        form.append_child(field(name, value));
    }
    form
}
