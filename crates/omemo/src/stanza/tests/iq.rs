use super::{element, jid, written};
use crate::stanza::iq::{Iq, IqKind, get, set};
use crate::stanza::stanza_error::{Condition, PubsubCondition, StanzaError};

fn error(children: &str) -> StanzaError {
    let stanza = element(&format!(
        "<iq type='error' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'/><error type='cancel'>{children}</error></iq>"
    ));
    Iq::parse(&stanza).unwrap().error().unwrap()
}

#[test]
fn reading_an_answer() {
    let stanza = element(
        "<iq xml:lang='en' to='eve@e.lit/1' from='Bob@b.lit' type='result' id='c42'><query xmlns='urn:x'/></iq>",
    );
    let iq = Iq::parse(&stanza).unwrap();
    assert_eq!((iq.kind, iq.id), (IqKind::Result, "c42"));
    assert_eq!(
        iq.from.as_ref().map(|from| from.bare().to_string()),
        Some("bob@b.lit".to_owned())
    );
    assert_eq!(iq.error(), None);
}

#[test]
fn what_is_no_iq_is_refused() {
    for xml in [
        "<message type='get' id='1'/>",
        "<iq xmlns='urn:other' type='get' id='1'/>",
        "<iq id='1'/>",
        "<iq type='get'/>",
        "<iq type='answer' id='1'/>",
        "<iq type='get' id='1' from='@'/>",
    ] {
        assert!(Iq::parse(&element(xml)).is_err(), "{xml}");
    }
}

#[test]
fn an_answer_counts_from_whom_we_asked() {
    let own = jid("juliet@capulet.lit");
    let bob = jid("bob@b.lit");
    let from = |from: &str, asked: &_| {
        let stanza = element(&format!("<iq type='result' id='1' {from}/>"));
        Iq::parse(&stanza).unwrap().is_answer_from(asked, &own)
    };
    assert!(from("from='bob@b.lit'", &bob));
    for other in [
        "",
        "from='bob@b.lit/phone'",
        "from='juliet@capulet.lit'",
        "from='b.lit'",
        "from='mallory@b.lit'",
    ] {
        assert!(!from(other, &bob), "{other}");
    }
    for same in [
        "",
        "from='juliet@capulet.lit'",
        "from='juliet@capulet.lit/balcony'",
    ] {
        assert!(from(same, &own), "{same}");
    }
    for other in ["from='capulet.lit'", "from='bob@b.lit'"] {
        assert!(!from(other, &own), "{other}");
    }
    let question = element("<iq type='set' id='1' from='bob@b.lit'/>");
    assert!(!Iq::parse(&question).unwrap().is_answer_from(&bob, &own));
}

#[test]
fn building_questions() {
    let bob = jid("bob@b.lit");
    insta::assert_snapshot!(
        written(&get("1", None, element("<query xmlns='urn:x'/>"))),
        @"<iq xmlns='jabber:client' id='1' type='get'><query xmlns='urn:x'/></iq>"
    );
    insta::assert_snapshot!(
        written(&set("2", Some(&bob), element("<query xmlns='urn:x'/>"))),
        @"<iq xmlns='jabber:client' id='2' to='bob@b.lit' type='set'><query xmlns='urn:x'/></iq>"
    );
}

#[test]
fn errors_of_servers() {
    let not_found = error(
        "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>Node not found</text>",
    );
    assert!(not_found.is_item_not_found() && !not_found.is_option_refused());
    insta::assert_snapshot!(not_found, @"item-not-found: Node not found");

    let unknown_field = error(
        "<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Unknown field</text>",
    );
    assert_eq!(unknown_field.condition, Condition::ResourceConstraint);
    assert!(unknown_field.is_option_refused());

    let precondition = error(
        "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <precondition-not-met xmlns='http://jabber.org/protocol/pubsub#errors'/>",
    );
    assert_eq!(precondition.condition, Condition::Conflict);
    assert_eq!(
        precondition.pubsub,
        Some(PubsubCondition::PreconditionNotMet)
    );
    assert!(precondition.is_precondition_not_met() && !precondition.is_option_refused());
    insta::assert_snapshot!(precondition, @"conflict (precondition-not-met)");

    let closed = error(
        "<not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <presence-subscription-required xmlns='http://jabber.org/protocol/pubsub#errors'/>",
    );
    insta::assert_snapshot!(closed, @"not-authorized (presence-subscription-required)");
}

#[test]
fn errors_that_nobody_defined() {
    let unknown = error(
        "<surprise xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><odd xmlns='http://jabber.org/protocol/pubsub#errors'/>",
    );
    assert_eq!(
        (unknown.condition, unknown.pubsub),
        (Condition::Other, Some(PubsubCondition::Other))
    );
    insta::assert_snapshot!(error(""), @"an unknown condition");
    let long = error(&format!(
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>{}</text>",
        "\u{e9}".repeat(10_000)
    ));
    assert_eq!(long.text.map(|text| text.chars().count()), Some(256));
    let bare = element("<iq type='error' id='1'/>");
    let error = Iq::parse(&bare).unwrap().error().unwrap();
    assert_eq!((error.condition, error.text), (Condition::Other, None));
}
