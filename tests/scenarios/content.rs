//! What a message may say: anything in omemo:2, a text in legacy; and what may stand beside it in the clear.

use omemo::{
    BareJid, CallerError, Chat, Element, Error, Event, Outgoing, Settings, UnservedReason, Version,
};
use omemo_tests::hub::{At, Hub, speaks};

use crate::over::Stores;
use crate::stage::*;

/// Content of every kind that chats are made of; `{id}` stands for the message that it is about.
const KINDS: [&str; 14] = [
    "<reactions xmlns='urn:xmpp:reactions:0' id='{id}'><reaction>\u{1f44b}</reaction></reactions>",
    "<reply xmlns='urn:xmpp:reply:0' to='romeo@montague.example/orchard' id='{id}'/>",
    "<replace xmlns='urn:xmpp:message-correct:0' id='{id}'/>",
    "<request xmlns='urn:xmpp:receipts'/>",
    "<received xmlns='urn:xmpp:receipts' id='{id}'/>",
    "<markable xmlns='urn:xmpp:chat-markers:0'/>",
    "<displayed xmlns='urn:xmpp:chat-markers:0' id='{id}'/>",
    "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
    "<thread xmlns='jabber:client'>e0ffe42b28561960c6b12b944a092794b9683a38</thread>",
    "<subject xmlns='jabber:client'>On balconies</subject>",
    "<x xmlns='jabber:x:oob'><url>https://capulet.example/rose.png</url></x>",
    "<retract xmlns='urn:xmpp:message-retract:1' id='{id}'/>",
    "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='5'/></fallback>",
    "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>What's in a name?</body></message></forwarded>",
];

fn write<S: omemo::store::Store + 'static>(
    hub: &mut Hub<S>,
    from: At,
    to: &str,
    id: &str,
    content: Vec<Element>,
) -> Vec<Event> {
    let start = hub.devices[from.0].events.len();
    let chat = Chat::Direct(BareJid::parse(to).unwrap());
    hub.call(from, |account| {
        account.send(Outgoing::new(id, chat, content))
    });
    hub.settle();
    hub.devices[from.0].events[start..].to_vec()
}

/// Whatever it is, it arrives as it was, and what it refers to is known by the same id on both sides.
fn rule_21_content_of_every_kind_crosses_as_it_is<S: Stores>(mut stores: S) {
    let (mut hub, juliet, romeo) = friends(&mut stores, Version::Omemo2);
    hub.send(juliet, ROMEO, "about-this", "Wherefore art thou?");
    let id = hub.devices[romeo.0].messages.last().unwrap().id.clone();
    assert_eq!(id.as_deref(), Some("about-this"));
    for (n, kind) in KINDS.iter().enumerate() {
        let element = xml(&kind.replace("{id}", id.as_deref().unwrap()));
        let events = write(
            &mut hub,
            romeo,
            JULIET,
            &format!("kind-{n}"),
            vec![element.clone()],
        );
        assert_eq!(served(&events, &format!("kind-{n}")).len(), 1, "{kind}");
        let shown = hub.devices[juliet.0].messages.last().unwrap();
        assert_eq!(shown.content, [element], "{kind}");
        assert_eq!(shown.id, Some(format!("kind-{n}")));
        // nothing of it can be seen on the way
        let crossed = String::from(hub.messages_of(romeo).last().unwrap());
        let name = shown.content[0].ns();
        assert!(
            name == "jabber:client" || !crossed.contains(&name),
            "{crossed}"
        );
    }
    let all: Vec<Element> = KINDS.iter().map(|kind| xml(kind)).collect();
    write(&mut hub, romeo, JULIET, "all", all.clone());
    assert_eq!(hub.devices[juliet.0].messages.last().unwrap().content, all);
}

/// Legacy carries a text and nothing else: a chat state is refused, with the reason, and costs no question.
fn content_that_legacy_does_not_carry_is_refused_and_asks_for_no_bundle<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), Settings::default());
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[Version::Legacy]));
    let asks = |hub: &Hub<S::Store>| {
        let questions = hub.questions_of(juliet);
        let to_romeo = questions.iter().filter(|iq| iq.attr("to") == Some(ROMEO));
        to_romeo
            .filter(|iq| String::from(*iq).contains("bundles"))
            .count()
    };
    for (n, kind) in KINDS.iter().enumerate() {
        let id = format!("{n}");
        let events = write(&mut hub, juliet, ROMEO, &id, vec![xml(kind)]);
        assert!(is_refused(&events, &id), "{kind}: {events:?}");
        let left = unserved(&events, &id);
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].reason, UnservedReason::ContentNotCarried, "{kind}");
    }
    assert_eq!(asks(&hub), 0);
    assert!(hub.messages_of(juliet).is_empty());
    hub.send(juliet, ROMEO, "text", "text");
    assert_eq!(hub.bodies(romeo), ["text"]);
}

/// Quirk 39: some clients pad texts with blanks; a text is what was written.
fn quirk_39_blanks_around_a_text_stay<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    for (n, text) in ["padded    \t \t  ", "  before", "\n", " ", "a\n\n b\t"]
        .iter()
        .enumerate()
    {
        hub.send(juliet, ROMEO, &format!("blank-{n}"), text);
        assert_eq!(hub.bodies(romeo).last().unwrap(), text);
    }
}

/// What is beside the encrypted element is read by every server on the way: nothing that says anything is put there.
fn a14_hints_that_are_none_are_refused<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let with = |hint: &str| {
        let chat = Chat::Direct(BareJid::parse(ROMEO).unwrap());
        let mut outgoing = Outgoing::text("hinted", chat, "hello");
        outgoing.hints.push(xml(hint));
        outgoing
    };
    let before = hub.dump(juliet);
    let mut refused: Vec<&str> = KINDS.to_vec();
    refused.extend([
        "<body xmlns='jabber:client'>hello</body>",
        "<store xmlns='urn:xmpp:hints'>hello</store>",
        "<store xmlns='urn:xmpp:hints'><body xmlns='jabber:client'>hello</body></store>",
        "<private xmlns='urn:xmpp:carbons:2'>hello</private>",
        "<sent xmlns='urn:xmpp:carbons:2'/>",
        "<envelope xmlns='urn:xmpp:sce:1'/>",
        "<encrypted xmlns='urn:xmpp:omemo:2'/>",
        "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:omemo:2'/>",
        "<origin-id xmlns='urn:xmpp:sid:0' id='other'/>",
        "<stanza-id xmlns='urn:xmpp:sid:0' id='other' by='romeo@montague.example'/>",
        "<opt-out xmlns='urn:xmpp:omemo:2'/>",
    ]);
    for hint in refused {
        let account = hub.devices[juliet.0].account.as_mut().unwrap();
        let result = account.send(with(hint));
        assert!(
            matches!(result, Err(Error::Caller(CallerError::Message(_)))),
            "{hint}: {result:?}"
        );
    }
    assert_eq!(hub.dump(juliet), before);
    for (n, hint) in [
        "<no-copy xmlns='urn:xmpp:hints'/>",
        "<no-permanent-store xmlns='urn:xmpp:hints'/>",
        "<private xmlns='urn:xmpp:carbons:2'/>",
        "<addresses xmlns='http://jabber.org/protocol/address'><address type='to' jid='romeo@montague.example'/></addresses>",
    ]
    .iter()
    .enumerate()
    {
        let mut outgoing = with(hint);
        outgoing.id = format!("allowed-{n}");
        hub.call(juliet, |account| account.send(outgoing));
        hub.settle();
        let crossed = hub.messages_of(juliet);
        assert!(crossed.last().unwrap().children().any(|child| *child == xml(hint)), "{hint}");
    }
    assert_eq!(hub.bodies(romeo).len(), 5);
}

/// An element as an envelope would hold it, which has no namespace to inherit.
fn inside(element: &str) -> Element {
    if element.contains("xmlns") {
        return xml(element);
    }
    Element::builder("body", "").append("hello").build()
}

/// Rule 21, sending: what is for servers is no content; an app that puts it there has made a mistake.
fn rule_21_what_is_for_servers_is_never_encrypted<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, _) = friends(&mut stores, version);
    let before = hub.dump(juliet);
    for element in crate::injected::FORBIDDEN {
        let chat = Chat::Direct(BareJid::parse(ROMEO).unwrap());
        let content = vec![
            xml("<body xmlns='jabber:client'>hello</body>"),
            inside(element),
        ];
        let account = hub.devices[juliet.0].account.as_mut().unwrap();
        let result = account.send(Outgoing::new("mixed", chat, content));
        assert!(
            matches!(result, Err(Error::Caller(CallerError::Message(_)))),
            "{element}: {result:?}"
        );
    }
    assert_eq!(hub.dump(juliet), before);
}

/// A refusal names its reason, also where there is nobody to name.
fn a_message_to_ourselves_needs_another_device<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let events = hub.send(juliet, JULIET, "note", "note");
    let left = unserved(&events, "note");
    assert!(is_refused(&events, "note"));
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].reason, UnservedReason::NoOtherDevice);
    let other = hub.join(JULIET, stores.make(), speaks(&[version]));
    let events = hub.send(juliet, JULIET, "second", "second");
    assert_eq!(served(&events, "second").len(), 1);
    assert_eq!(hub.bodies(other), ["second"]);
}

over!(
    rule_21_content_of_every_kind_crosses_as_it_is,
    content_that_legacy_does_not_carry_is_refused_and_asks_for_no_bundle,
);
over_versions!(
    quirk_39_blanks_around_a_text_stay,
    a14_hints_that_are_none_are_refused,
    rule_21_what_is_for_servers_is_never_encrypted,
    a_message_to_ourselves_needs_another_device,
);
