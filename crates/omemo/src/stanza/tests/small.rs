use minidom::Element;

use super::{at, element, jid, written};
use crate::stanza::limits::MAX_PAYLOAD_BYTES;
use crate::stanza::message::{MessageKind, build};
use crate::stanza::{body, delay, eme, hints, legacy, omemo2, sid};

#[test]
fn rule_19_a_message_carries_store_eme_and_no_body() {
    let message = build(
        MessageKind::Chat,
        "m1",
        &jid("juliet@capulet.lit"),
        [
            element("<encrypted xmlns='urn:xmpp:omemo:2'/>"),
            eme::encryption(omemo2::NAMESPACE),
            hints::store(),
            sid::origin_id("m1"),
        ],
    );
    insta::assert_snapshot!(
        written(&message),
        @"<message xmlns='jabber:client' id='m1' to='juliet@capulet.lit' type='chat'><encrypted xmlns='urn:xmpp:omemo:2'/><encryption xmlns='urn:xmpp:eme:0' name='OMEMO' namespace='urn:xmpp:omemo:2'/><store xmlns='urn:xmpp:hints'/><origin-id xmlns='urn:xmpp:sid:0' id='m1'/></message>"
    );
    assert!(message.children().any(hints::is_store));
}

#[test]
fn legacy_is_marked_as_well() {
    insta::assert_snapshot!(
        written(&eme::encryption(legacy::NAMESPACE)),
        @"<encryption xmlns='urn:xmpp:eme:0' name='OMEMO' namespace='eu.siacs.conversations.axolotl'/>"
    );
}

#[test]
fn bodies() {
    assert_eq!(
        body::text(&[hints::store(), body::body("one"), body::body("two")]),
        Some("one".into())
    );
    assert_eq!(
        body::text(&[element("<body xmlns='urn:other'>x</body>")]),
        None
    );
    assert!(!body::is_body(&element("<body xmlns=''/>")));
}

#[test]
fn quirk_39_legacy_text_is_not_trimmed_and_always_writable() {
    let text = |plaintext: &[u8]| body::from_plaintext(plaintext).map(|body| body.text());
    assert_eq!(text(b"hi \t \n"), Ok("hi \t \n".into()));
    assert_eq!(text(b""), Ok(String::new()));
    assert!(text(&[0xc3]).is_err());
    let odd = body::from_plaintext("a\0b\u{b}c\u{ffff}d\u{1f339}".as_bytes()).unwrap();
    assert_eq!(
        written(&odd),
        "<body xmlns='jabber:client'>a\u{fffd}b\u{fffd}c\u{fffd}d\u{1f339}</body>"
    );
}

#[test]
fn a22_every_legacy_text_can_be_stored() {
    for text in ["&", "\r", "\0", ">", "\u{1f339}"] {
        let text = text.repeat(MAX_PAYLOAD_BYTES / text.len());
        let body = body::from_plaintext(text.as_bytes()).unwrap();
        let content = Element::builder("content", "urn:xmpp:sce:1")
            .append(body)
            .build();
        assert_eq!(element(&written(&content)), content);
    }
}

fn delay_by(from: &str, second: u8) -> String {
    format!(
        "<delay xmlns='urn:xmpp:delay' {from} stamp='1970-01-01T00:00:{second:02}Z'>Offline</delay>"
    )
}

#[test]
fn only_our_own_server_stamps_a_message_that_comes_by_itself() {
    let own = jid("juliet@capulet.lit");
    let stamp = |children: &str| {
        delay::read_ours(&element(&format!("<message>{children}</message>")), &own)
    };
    assert_eq!(stamp(""), None);
    assert_eq!(stamp(&delay_by("", 1)), None);
    let other = delay_by("from='montague.lit'", 1);
    assert_eq!(stamp(&other), None);
    for ours in ["from='capulet.lit'", "from='juliet@capulet.lit'"] {
        assert_eq!(stamp(&(other.clone() + &delay_by(ours, 2))), Some(at(2)));
    }
}

#[test]
fn what_our_own_server_wrapped_has_its_stamp() {
    let stamp =
        |children: &str| delay::read(&element(&format!("<forwarded>{children}</forwarded>")));
    assert_eq!(stamp(""), None);
    assert_eq!(stamp("<delay xmlns='urn:xmpp:delay'/>"), None);
    assert_eq!(stamp("<delay xmlns='urn:xmpp:delay' stamp='x'/>"), None);
    assert_eq!(stamp(&delay_by("", 1)), Some(at(1)));
}
