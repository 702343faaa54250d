use minidom::Element;

use super::*;
use crate::BareJid;
use crate::stanza::limits::MAX_ITEMS;
use crate::stanza::text;

fn element(xml: &str) -> Element {
    text::parse(xml).unwrap()
}

fn written(element: &Element) -> String {
    text::to_string(element).unwrap()
}

fn bob() -> BareJid {
    BareJid::parse("bob@b.lit").unwrap()
}

fn answer(items: &str) -> Element {
    element(&format!(
        "<iq type='result' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'>{items}</pubsub></iq>"
    ))
}

fn message(event: &str) -> Element {
    element(&format!(
        "<message type='headline' from='bob@b.lit' xml:lang='en'><event xmlns='http://jabber.org/protocol/pubsub#event'>{event}</event>\
         <addresses xmlns='http://jabber.org/protocol/address'><address type='replyto' jid='bob@b.lit/x'/></addresses></message>"
    ))
}

#[test]
fn quirk_15_the_newest_item_is_asked_for() {
    insta::assert_snapshot!(
        written(&fetch_newest("1", Some(&bob()), "urn:xmpp:omemo:2:devices")),
        @"<iq xmlns='jabber:client' id='1' to='bob@b.lit' type='get'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items max_items='1' node='urn:xmpp:omemo:2:devices'/></pubsub></iq>"
    );
}

#[test]
fn one_item_is_asked_for_by_its_id() {
    insta::assert_snapshot!(
        written(&fetch_item("1", None, "urn:xmpp:omemo:2:bundles", "31415")),
        @"<iq xmlns='jabber:client' id='1' type='get'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:omemo:2:bundles'><item id='31415'/></items></pubsub></iq>"
    );
}

#[test]
fn rule_03_and_05_a_list_is_published_openly_as_current() {
    let list = element("<devices xmlns='urn:xmpp:omemo:2'/>");
    let options = [
        ("pubsub#persist_items", "true"),
        ("pubsub#access_model", "open"),
    ];
    insta::assert_snapshot!(
        written(&publish("1", None, "urn:xmpp:omemo:2:devices", "current", list, &options)),
        @"<iq xmlns='jabber:client' id='1' type='set'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:omemo:2:devices'><item id='current'><devices xmlns='urn:xmpp:omemo:2'/></item></publish><publish-options><x xmlns='jabber:x:data' type='submit'><field type='hidden' var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field><field var='pubsub#persist_items'><value>true</value></field><field var='pubsub#access_model'><value>open</value></field></x></publish-options></pubsub></iq>"
    );
}

#[test]
fn rule_04_publishing_without_options_names_none() {
    let bundle = element("<bundle xmlns='urn:xmpp:omemo:2'/>");
    insta::assert_snapshot!(
        written(&publish("1", None, "urn:xmpp:omemo:2:bundles", "7", bundle, &[])),
        @"<iq xmlns='jabber:client' id='1' type='set'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:omemo:2:bundles'><item id='7'><bundle xmlns='urn:xmpp:omemo:2'/></item></publish></pubsub></iq>"
    );
}

#[test]
fn rule_04_a_node_is_configured() {
    insta::assert_snapshot!(
        written(&configure("1", "urn:xmpp:omemo:2:bundles", &[("pubsub#max_items", "max")])),
        @"<iq xmlns='jabber:client' id='1' type='set'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='urn:xmpp:omemo:2:bundles'><x xmlns='jabber:x:data' type='submit'><field type='hidden' var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#node_config</value></field><field var='pubsub#max_items'><value>max</value></field></x></configure></pubsub></iq>"
    );
}

#[test]
fn quirk_14_current_counts_else_the_newest() {
    let chosen = |xml: &str| {
        let answer = answer(&format!("<items node='n'>{xml}</items>"));
        let items = items(&answer).unwrap();
        items
            .choose("current")
            .and_then(|item| item.payload)
            .map(|payload| payload.name().to_owned())
    };
    assert_eq!(
        chosen(
            "<item id='old'><a xmlns='u'/></item><item id='current'><b xmlns='u'/></item><item id='new'><c xmlns='u'/></item>"
        ),
        Some("b".into())
    );
    assert_eq!(
        chosen("<item id='1'><a xmlns='u'/></item><item id='2'><b xmlns='u'/></item>"),
        Some("b".into())
    );
    assert_eq!(chosen("<item><a xmlns='u'/></item>"), Some("a".into()));
    assert_eq!(
        chosen("<item xmlns='urn:other' id='current'><a/></item>"),
        None
    );
    assert_eq!(chosen("<item id='current'/>"), None);
    assert_eq!(chosen(""), None);
}

#[test]
fn a_missing_item_in_a_node_is_an_empty_answer() {
    let answer = answer("<items node='urn:xmpp:omemo:2:bundles'/>");
    let items = items(&answer).unwrap();
    assert_eq!(
        (items.node, items.items.len()),
        ("urn:xmpp:omemo:2:bundles", 0)
    );
    assert_eq!(items.named("7"), None);
}

#[test]
fn quirk_14_a_bundle_among_several_is_found_by_its_id() {
    let answer = answer(
        "<items node='n'><item id='7' publisher='bob@b.lit'><a xmlns='u'/></item><item id='8'><b xmlns='u'/></item></items>",
    );
    let items = items(&answer).unwrap();
    assert!(items.named("7").unwrap().payload.unwrap().is("a", "u"));
    assert_eq!(items.named("9"), None);
}

#[test]
fn answers_that_are_none() {
    assert!(items(&element("<iq type='result' id='1'/>")).is_err());
    assert!(items(&answer("")).is_err());
    assert!(items(&answer("<items/>")).is_err());
}

#[test]
fn events_of_published_items() {
    let message = message(
        "<items node='urn:xmpp:omemo:2:devices'><item id='current' publisher='bob@b.lit'><devices xmlns='urn:xmpp:omemo:2'/></item></items>",
    );
    let event = event(&message).unwrap().unwrap();
    assert_eq!(event.node, "urn:xmpp:omemo:2:devices");
    let EventKind::Items {
        published,
        retracted,
    } = event.kind
    else {
        panic!("not items")
    };
    assert_eq!(
        published.choose("current").unwrap().payload.unwrap().name(),
        "devices"
    );
    assert!(retracted.is_empty());
}

#[test]
fn events_of_what_is_gone() {
    let kind = |xml: &str| {
        event(&message(xml))
            .unwrap()
            .map(|event| format!("{}: {:?}", event.node, event.kind))
    };
    insta::assert_snapshot!(
        kind("<items node='n'><retract id='current'/><retract/></items>").unwrap(),
        @r#"n: Items { published: Items { node: "n", items: [] }, retracted: ["current"] }"#
    );
    assert_eq!(kind("<purge node='n'/>"), Some("n: Purged".into()));
    assert_eq!(
        kind("<delete node='n'><redirect uri='xmpp:x'/></delete>"),
        Some("n: Deleted".into())
    );
    assert_eq!(kind("<configuration node='n'/>"), Some("n: Other".into()));
    assert_eq!(kind("<purge/>"), None);
    assert_eq!(kind(""), None);
}

#[test]
fn messages_without_events() {
    assert_eq!(
        event(&element("<message><body>hi</body></message>")),
        Ok(None)
    );
    assert!(event(&message("<items><item/></items>")).is_err());
}

#[test]
fn a22_items_are_counted() {
    let many = |count: usize| format!("<items node='n'>{}</items>", "<item/>".repeat(count));
    assert!(items(&answer(&many(MAX_ITEMS))).is_ok());
    assert!(items(&answer(&many(MAX_ITEMS + 1))).is_err());
    assert!(event(&message(&many(MAX_ITEMS + 1))).is_err());
}
