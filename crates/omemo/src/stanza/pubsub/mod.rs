//! Publish-subscribe (XEP-0060) as PEP (XEP-0163) offers it: device lists and bundles lie in nodes
//! of each account.

mod event;
mod items;
mod request;

pub(crate) use event::{EventKind, event};
pub(crate) use items::{Items, items};
pub(crate) use request::{
    configure, delete, fetch_all, fetch_item, fetch_newest, publish, retract, subscribe,
    unsubscribe,
};

#[cfg(test)]
mod tests;

/// The namespace of requests and answers.
pub(crate) const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
/// The namespace of what only the owner of a node may ask (XEP-0060 §8).
pub(crate) const OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
/// The namespace of events (XEP-0060 §7.1.2).
pub(crate) const EVENT: &str = "http://jabber.org/protocol/pubsub#event";
/// The namespace of forms (XEP-0004).
const FORM: &str = "jabber:x:data";
