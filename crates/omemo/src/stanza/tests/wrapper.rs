use super::{at, element, jid};
use crate::FullJid;
use crate::stanza::malformed::Malformed;
use crate::stanza::message::MessageKind;
use crate::stanza::party::Party;
use crate::stanza::stanza_error::Condition;
use crate::stanza::wrapper::{Route, unwrap};

const OWN: &str = "juliet@capulet.lit";

fn carbon(outer: &str, kind: &str, inner: &str) -> String {
    format!(
        "<message {outer}><{kind} xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded></{kind}></message>"
    )
}

fn archived(outer: &str, inner: &str) -> String {
    format!(
        "<message {outer}><result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'>\
         <delay xmlns='urn:xmpp:delay' stamp='2026-11-22T12:00:00Z'/>{inner}</forwarded></result></message>"
    )
}

fn message(from: &str, to: &str) -> String {
    format!(
        "<message xmlns='jabber:client' from='{from}' to='{to}' type='chat' id='m1'><body>hi</body></message>"
    )
}

/// Route and sender of a stanza, or why it was refused.
fn route(xml: &str) -> Result<(Route, Option<String>), String> {
    let stanza = element(xml);
    unwrap(&stanza, &jid(OWN), &|_| false)
        .map(|received| (received.route, received.sender.map(|jid| jid.to_string())))
        .map_err(|error| error.to_string())
}

#[test]
fn a_plain_message() {
    let stanza = element(
        "<message from='Romeo@Montague.lit/orchard' to='juliet@capulet.lit/balcony' type='chat' id='m1' xml:lang='en'>\
         <body>hi</body><delay xmlns='urn:xmpp:delay' from='montague.lit' stamp='2026-11-22T11:00:00Z'/>\
         <delay xmlns='urn:xmpp:delay' from='capulet.lit' stamp='2026-11-22T12:00:00Z'/></message>",
    );
    let received = unwrap(&stanza, &jid(OWN), &|_| false).unwrap();
    assert_eq!(received.route, Route::Direct);
    assert_eq!(received.kind, MessageKind::Chat);
    assert_eq!(received.id, Some("m1"));
    assert_eq!(received.sender, Some(jid("romeo@montague.lit")));
    assert_eq!(
        received.from,
        Some(Party::Full(
            FullJid::parse("romeo@montague.lit/orchard").unwrap()
        ))
    );
    assert_eq!(received.to.map(|to| to.bare()), Some(jid(OWN)));
    assert_eq!(
        received.delay,
        Some(at(1_795_348_800)),
        "our own server's stamp"
    );
    assert!(received.message.has_child("body", "jabber:client"));
}

#[test]
fn a_message_without_from_is_our_own_account_s() {
    assert_eq!(
        route("<message><body/></message>"),
        Ok((Route::Direct, Some(OWN.into())))
    );
}

#[test]
fn types_that_are_absent_or_unknown_are_normal() {
    for (attribute, kind) in [
        ("", MessageKind::Normal),
        ("type='future'", MessageKind::Normal),
        ("type='headline'", MessageKind::Headline),
        ("type='groupchat'", MessageKind::GroupChat),
        ("type='error'", MessageKind::Error),
    ] {
        let stanza = element(&format!("<message {attribute}/>"));
        assert_eq!(unwrap(&stanza, &jid(OWN), &|_| false).unwrap().kind, kind);
    }
}

#[test]
fn messages_by_a_room_have_no_sender() {
    for xml in [
        "<message type='groupchat' from='room@rooms.lit/nick'><body/></message>",
        "<message type='groupchat' from='room@rooms.lit'><body/></message>",
        "<message type='chat' from='room@rooms.lit/nick'><x xmlns='http://jabber.org/protocol/muc#user'/></message>",
        "<message from='room@rooms.lit/nick'><x xmlns='http://jabber.org/protocol/muc#user'/></message>",
    ] {
        assert_eq!(route(xml), Ok((Route::Direct, None)), "{xml}");
    }
}

#[test]
fn carbons_of_both_directions() {
    let sent = message("juliet@capulet.lit/phone", "romeo@montague.lit");
    let got = message("romeo@montague.lit/orchard", "juliet@capulet.lit/phone");
    for outer in [
        "from='juliet@capulet.lit'",
        "from='JULIET@capulet.lit' to='juliet@capulet.lit/x'",
        "",
    ] {
        assert_eq!(
            route(&carbon(outer, "sent", &sent)),
            Ok((Route::SentCarbon, Some(OWN.into())))
        );
        assert_eq!(
            route(&carbon(outer, "received", &got)),
            Ok((Route::ReceivedCarbon, Some("romeo@montague.lit".into())))
        );
    }
    let stanza = element(&carbon("", "sent", &sent));
    let received = unwrap(&stanza, &jid(OWN), &|_| false).unwrap();
    assert_eq!(
        received.to.map(|to| to.bare()),
        Some(jid("romeo@montague.lit"))
    );
    assert_eq!(received.id, Some("m1"));
    assert_eq!(received.delay, None);
}

#[test]
fn archived_messages_bring_the_archive_s_stamp() {
    let inner = message("romeo@montague.lit/orchard", OWN);
    for outer in ["", "from='juliet@capulet.lit'"] {
        let stanza = element(&archived(outer, &inner));
        let received = unwrap(&stanza, &jid(OWN), &|_| false).unwrap();
        assert_eq!(received.route, Route::Archive);
        assert_eq!(received.sender, Some(jid("romeo@montague.lit")));
        assert_eq!(received.delay, Some(at(1_795_348_800)));
        assert_eq!(received.id, Some("m1"));
    }
    let own = message("juliet@capulet.lit/phone", "romeo@montague.lit");
    assert_eq!(
        route(&archived("", &own)),
        Ok((Route::Archive, Some(OWN.into())))
    );
}

#[test]
fn a10_copies_from_anybody_else_are_refused() {
    let inner = message("romeo@montague.lit/orchard", OWN);
    let own = message("juliet@capulet.lit/phone", "romeo@montague.lit");
    for from in [
        "mallory@evil.lit",
        "mallory@evil.lit/x",
        "romeo@montague.lit",
        "juliet@capulet.lit/balcony",
        "capulet.lit",
        "juliet@capulet.lit.evil.lit",
        "evil.lit/juliet@capulet.lit",
    ] {
        let outer = format!("from='{from}'");
        for xml in [
            carbon(&outer, "received", &inner),
            carbon(&outer, "sent", &own),
            archived(&outer, &inner),
        ] {
            let refused = Err(
                "the copy of a message is refused: it does not come from our own account".into(),
            );
            assert_eq!(route(&xml), refused, "{xml}");
        }
    }
}

#[test]
fn a10_a_forged_copy_does_not_fall_back_to_the_message_around_it() {
    let inner = message("romeo@montague.lit/orchard", OWN);
    let xml = carbon("from='mallory@evil.lit'", "received", &inner).replace(
        "<message from='mallory@evil.lit'>",
        "<message from='mallory@evil.lit'><body>hi</body>",
    );
    assert!(route(&xml).is_err());
}

#[test]
fn a10_copies_in_copies_are_refused() {
    let inner = message("romeo@montague.lit/orchard", OWN);
    let refused = Err("the copy of a message is refused: there is another copy in it".into());
    let nested = carbon(
        "xmlns='jabber:client' from='mallory@evil.lit'",
        "received",
        &inner,
    );
    assert_eq!(route(&carbon("", "received", &nested)), refused);
    assert_eq!(route(&archived("", &nested)), refused);
    let nested = archived("xmlns='jabber:client' from='juliet@capulet.lit'", &inner);
    assert_eq!(route(&archived("", &nested)), refused);
    assert_eq!(route(&carbon("", "sent", &nested)), refused);
}

#[test]
fn a10_several_copies_in_one_stanza_are_refused() {
    let sent = message("juliet@capulet.lit/phone", "romeo@montague.lit");
    let carbon = carbon("", "sent", &sent);
    let body = carbon
        .strip_prefix("<message >")
        .unwrap()
        .strip_suffix("</message>")
        .unwrap();
    assert_eq!(
        route(&format!("<message>{body}{body}</message>")),
        Err("the copy of a message is refused: there are several in one stanza".into())
    );
    let two = carbon.replace("</forwarded>", &format!("{sent}</forwarded>"));
    assert_eq!(
        unwrap(&element(&two), &jid(OWN), &|_| false).unwrap_err(),
        Malformed::TwoChildren {
            parent: "forwarded",
            child: "message"
        }
    );
}

#[test]
fn a10_a_sent_carbon_is_our_own_message() {
    let inner = message("romeo@montague.lit/orchard", OWN);
    assert_eq!(
        route(&carbon("", "sent", &inner)),
        Err("the copy of a message is refused: somebody else sent the message".into())
    );
}

#[test]
fn a10_a_copy_says_who_wrote_it() {
    let refused =
        Err("the copy of a message is refused: it does not say who wrote the message".into());
    let inner = "<message xmlns='jabber:client' to='romeo@montague.lit'><body/></message>";
    assert_eq!(route(&carbon("", "sent", inner)), refused);
    assert_eq!(route(&carbon("", "received", inner)), refused);
    assert_eq!(route(&archived("", inner)), refused);
}

#[test]
fn a10_copies_of_nothing_are_refused() {
    for inner in [
        "",
        "<message xmlns='urn:other' from='a@b'/>",
        "<iq xmlns='jabber:client' from='a@b'/>",
    ] {
        assert!(route(&carbon("", "received", inner)).is_err(), "{inner}");
        assert!(route(&archived("", inner)).is_err(), "{inner}");
    }
    assert!(route("<message><sent xmlns='urn:xmpp:carbons:2'/></message>").is_err());
}

#[test]
fn a10_addresses_that_are_none_are_refused() {
    for attributes in [
        "from=''",
        "from='@capulet.lit'",
        "from='a@b' to='@'",
        "from='a b@c'",
    ] {
        assert!(
            route(&format!("<message {attributes}/>")).is_err(),
            "{attributes}"
        );
    }
}

#[test]
fn what_a_peer_forwards_is_content() {
    let inner = message("mercutio@verona.lit", OWN);
    let xml = format!(
        "<message from='romeo@montague.lit/o'><forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded><private xmlns='urn:xmpp:carbons:2'/></message>"
    );
    assert_eq!(
        route(&xml),
        Ok((Route::Direct, Some("romeo@montague.lit".into())))
    );
}

#[test]
fn a_bounced_message_says_why() {
    let stanza = element(
        "<message from='romeo@montague.lit' type='error' id='m1'><error type='cancel'>\
         <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    );
    let received = unwrap(&stanza, &jid(OWN), &|_| false).unwrap();
    assert_eq!(
        received.error().map(|error| error.condition),
        Some(Condition::ServiceUnavailable)
    );
    let plain = element("<message/>");
    assert_eq!(unwrap(&plain, &jid(OWN), &|_| false).unwrap().error(), None);
}

#[test]
fn only_messages_of_clients_are_messages() {
    assert!(route("<iq type='get' id='1'/>").is_err());
    assert!(route("<message xmlns='urn:other'/>").is_err());
}
