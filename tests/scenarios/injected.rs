//! What stands beside the encrypted element: anybody on the way may have put it there, so that none of it is content.

use omemo::Version;

use crate::over::Stores;
use crate::puppet::Puppet;
use crate::stage::*;

/// What has no place inside an envelope (XEP-0420 §9): what servers must read, what only they and rooms may write, and what
/// has no namespace of its own.
pub const FORBIDDEN: [&str; 19] = [
    "<store xmlns='urn:xmpp:hints'/>",
    "<no-store xmlns='urn:xmpp:hints'/>",
    "<no-copy xmlns='urn:xmpp:hints'/>",
    "<no-permanent-store xmlns='urn:xmpp:hints'/>",
    "<unheard-of xmlns='urn:xmpp:hints'><body xmlns='jabber:client'>x</body></unheard-of>",
    "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='juliet@capulet.example'/>",
    "<addresses xmlns='http://jabber.org/protocol/address'><address type='to' jid='a@b.example'/></addresses>",
    "<address xmlns='http://jabber.org/protocol/address' type='to' jid='a@b.example'/>",
    "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:openpgp:0'/>",
    "<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/>",
    "<x xmlns='jabber:x:delay' stamp='20200101T00:00:00'/>",
    "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='1'/>",
    "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></received>",
    "<sent xmlns='urn:xmpp:carbons:2'/>",
    "<private xmlns='urn:xmpp:carbons:2'/>",
    "<result xmlns='urn:xmpp:mam:2' id='1'/>",
    "<x xmlns='http://jabber.org/protocol/muc#user'><status code='100'/></x>",
    "<body>of no namespace of its own</body>",
    "<body xmlns='urn:xmpp:sce:1'>of the envelope's</body>",
];

/// Rule 21: each of it is dropped, whatever stands before and behind it, and a message of nothing else is none.
fn rule_21_each_forbidden_element_inside_is_dropped<S: Stores>(mut stores: S) {
    let mut hub = omemo_tests::hub::Hub::new(1);
    let versions = [Version::Omemo2];
    let juliet = hub.join(JULIET, stores.make(), omemo_tests::hub::speaks(&versions));
    let mut puppet = Puppet::new(Version::Omemo2, MALLORY, 5);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    let around = |content: &str| {
        format!(
            "<envelope xmlns='urn:xmpp:sce:1'><content>{content}</content>\n <rpad>x</rpad></envelope>"
        )
    };
    let state = "<active xmlns='http://jabber.org/protocol/chatstates'/>";
    for element in FORBIDDEN {
        let alone = puppet.say(around(element).as_bytes());
        hub.deliver(juliet, &alone);
        assert!(hub.devices[juliet.0].messages.is_empty(), "{element}");
        let text = format!("{element}<body xmlns='jabber:client'>kept</body>{element}{state}");
        hub.deliver(juliet, &puppet.say(around(&text).as_bytes()));
        let shown = hub.devices[juliet.0].messages.pop().unwrap();
        let names: Vec<&str> = shown.content.iter().map(omemo::Element::name).collect();
        assert_eq!(names, ["body", "active"], "{element}");
        assert_eq!(shown.body().as_deref(), Some("kept"));
        assert!(hub.devices[juliet.0].messages.is_empty(), "{element}");
    }
}

/// Rule 21: what is sensitive counts inside the envelope alone.
fn rule_21_nothing_outside_the_envelope_is_content<S: Stores>(mut stores: S, version: Version) {
    let mut hub = omemo_tests::hub::Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), omemo_tests::hub::speaks(&[version]));
    let mut puppet = Puppet::new(version, MALLORY, 5);
    hub.strangers.push(MALLORY.into());
    puppet.meet(&hub, JULIET, hub.id(juliet));
    let injected = [
        "<body xmlns='jabber:client'>outside</body>",
        "<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>!</reaction></reactions>",
        "<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>in the clear</body></content><rpad/></envelope>",
        "<content xmlns='urn:xmpp:sce:1'><body xmlns='jabber:client'>in the clear</body></content>",
        "<subject xmlns='jabber:client'>outside</subject>",
        "<thread xmlns='jabber:client'>outside</thread>",
        "<reply xmlns='urn:xmpp:reply:0' id='1'/>",
        "<replace xmlns='urn:xmpp:message-correct:0' id='1'/>",
        "<request xmlns='urn:xmpp:receipts'/>",
        "<received xmlns='urn:xmpp:receipts' id='1'/>",
        "<markable xmlns='urn:xmpp:chat-markers:0'/>",
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
        "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>",
        "<x xmlns='jabber:x:oob'><url>https://elsewhere.example</url></x>",
        "<opt-out xmlns='urn:xmpp:omemo:2'/>",
        "<trust-message xmlns='urn:xmpp:tm:1'/>",
    ];
    for element in injected {
        let mut stanza = puppet.text("inside");
        stanza.append_child(xml(element));
        let events = hub.deliver(juliet, &stanza);
        assert_eq!(read(&events), ["inside"], "{element}");
        let opted_out = |event: &omemo::Event| matches!(event, omemo::Event::OptedOut { .. });
        assert!(!events.iter().any(opted_out), "{element}");
        let shown = hub.devices[juliet.0].messages.last().unwrap();
        assert_eq!(shown.content.len(), 1, "{element}: {:?}", shown.content);
    }
    hub.settle();
    // an envelope that nobody encrypted says nothing, wherever it stands
    let before = hub.dump(juliet);
    for element in injected {
        let stanza = xml(&format!(
            "<message xmlns='jabber:client' from='{MALLORY}/x' id='p'>{element}</message>"
        ));
        assert!(hub.deliver(juliet, &stanza).is_empty(), "{element}");
        let inside = xml(&format!(
            "<message xmlns='jabber:client' from='{MALLORY}/x' id='p'><encrypted xmlns='{}'>\
             <header sid='5'/>{element}</encrypted></message>",
            namespace(version)
        ));
        assert!(read(&hub.deliver(juliet, &inside)).is_empty(), "{element}");
    }
    assert_eq!(hub.dump(juliet), before);
}

over!(rule_21_each_forbidden_element_inside_is_dropped);
over_versions!(rule_21_nothing_outside_the_envelope_is_content);
