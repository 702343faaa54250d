//! Whatever arrives: no panic, no error of the call, and nothing changes that a peer may not change.

use omemo::{UndecryptableReason, Version};
use omemo_ratchet::payload;
use omemo_tests::hub::{Seeded, set};

use crate::over::Stores;
use crate::puppet::{Puppet, envelope};
use crate::stage::*;

/// A stranger's puppet with a session to juliet's device.
fn stranger<S: Stores>(
    stores: &mut S,
    version: Version,
) -> (
    omemo_tests::hub::Hub<S::Store>,
    omemo_tests::hub::At,
    Puppet,
) {
    let mut hub = omemo_tests::hub::Hub::new(11);
    let juliet = hub.join(JULIET, stores.make(), omemo_tests::hub::speaks(&[version]));
    let mut puppet = Puppet::new(version, MALLORY, 666);
    hub.strangers.push(MALLORY.into());
    puppet.meet(&hub, JULIET, hub.id(juliet));
    (hub, juliet, puppet)
}

fn a_puppet_that_behaves_is_read<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, mut puppet) = stranger(&mut stores, version);
    let first = puppet.text("one");
    let second = puppet.text("two");
    assert_eq!(read(&hub.deliver(juliet, &second)), ["two"]);
    assert_eq!(read(&hub.deliver(juliet, &first)), ["one"]);
    assert!(hub.deliver(juliet, &puppet.empty()).is_empty());
}

/// A01: a key of 16 bytes leaves the payload's tag outside, so that any recipient could exchange the payload.
fn a01_a_key_without_tag_is_refused_beside_a_payload<S: Stores>(mut stores: S) {
    let (mut hub, juliet, mut puppet) = stranger(&mut stores, Version::Legacy);
    for length in [0, 1, 15, 16, 17, 31, 33, 48, 64] {
        let before = hub.dump(juliet);
        let key = puppet.seal(&vec![7; length]);
        let stanza = puppet.stanza(&key, Some(&[1; 12]), Some(b"ciphertext and tag of 16"));
        let reasons = unread(&hub.deliver(juliet, &stanza));
        assert!(
            matches!(reasons[..], [UndecryptableReason::PayloadRefused(_)]),
            "{length}: {reasons:?}"
        );
        assert_eq!(hub.dump(juliet), before, "{length}");
    }
    // the form from before 2017, with all else in order: the tag stands behind the payload
    let sealed = payload::seal(Version::Legacy, b"old", &mut Seeded(1)).unwrap();
    let (short, tag) = sealed.key.as_bytes().split_at(16);
    let ciphertext = [&sealed.ciphertext, tag].concat();
    let before = hub.dump(juliet);
    let key = puppet.seal(short);
    let stanza = puppet.stanza(&key, sealed.iv.as_deref(), Some(&ciphertext));
    let reasons = unread(&hub.deliver(juliet, &stanza));
    assert!(
        matches!(reasons[..], [UndecryptableReason::PayloadRefused(_)]),
        "{reasons:?}"
    );
    assert_eq!(hub.dump(juliet), before);
    // without a payload it is a key transport, and common
    let key = puppet.seal(&[7; 16]);
    let events = hub.deliver(juliet, &puppet.stanza(&key, Some(&[1; 12]), None));
    assert!(
        unread(&events).is_empty() && read(&events).is_empty(),
        "{events:?}"
    );
    assert_eq!(read(&hub.deliver(juliet, &puppet.text("fine"))), ["fine"]);
}

/// A01: another recipient of a message knows its payload's key and writes something else with it.
fn a01_a_payload_of_another_recipient_is_refused<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, mut puppet) = stranger(&mut stores, version);
    let said = puppet.say(b"<envelope xmlns='urn:xmpp:sce:1'/>");
    let other = puppet.say(b"<envelope xmlns='urn:xmpp:sce:1'><!-- another -->");
    let text_of = |stanza: &omemo::Element| {
        let text = String::from(stanza);
        let start = text.find("<payload>").unwrap();
        let end = text.find("</payload>").unwrap();
        text[start..end].to_owned()
    };
    let forged = xml(&String::from(&said).replace(&text_of(&said), &text_of(&other)));
    let before = hub.dump(juliet);
    let reasons = unread(&hub.deliver(juliet, &forged));
    assert!(
        matches!(reasons[..], [UndecryptableReason::PayloadRefused(_)]),
        "{reasons:?}"
    );
    assert_eq!(hub.dump(juliet), before);
}

/// A02: a key exchange must name a prekey that we have, and nothing is used up by one that does not open.
fn a02_a_prekey_that_was_used_or_exchanged_opens_nothing<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, mut puppet) = stranger(&mut stores, version);
    assert_eq!(read(&hub.deliver(juliet, &puppet.text("one"))), ["one"]);
    hub.settle();
    // the hour is over in which others might have drawn the same
    hub.pass(3600);
    // as if the device had lost its memory: the same bundle, and the same prekey a second time
    let mut again = Puppet::new(version, MALLORY, 667);
    let old = puppet.bundle_used.clone().unwrap();
    again.meet_bundle(&old, JULIET, hub.id(juliet));
    let mut tries = 0;
    loop {
        tries += 1;
        again.meet_bundle(&old, JULIET, hub.id(juliet));
        let before = hub.dump(juliet);
        let events = hub.deliver(juliet, &again.text("two"));
        if let [reason] = &unread(&events)[..] {
            assert_eq!(*reason, UndecryptableReason::UnknownPreKey);
            assert_eq!(hub.dump(juliet), before);
            return;
        }
        hub.settle();
        hub.pass(3600);
        assert!(tries < 150, "a hundred prekeys last for ever");
    }
}

/// A07: what was written for somebody else, or by somebody else, is not ours; XEP-0420 §4.
fn a07_an_envelope_that_contradicts_the_stanza_is_refused<S: Stores>(mut stores: S) {
    let (mut hub, juliet, mut puppet) = stranger(&mut stores, Version::Omemo2);
    let good = [
        envelope(Some(MALLORY), Some(JULIET), "yes"),
        envelope(None, None, "yes"),
        envelope(
            Some("Mallory@Elsewhere.Example/phone"),
            Some("JULIET@capulet.example/balcony"),
            "yes",
        ),
    ];
    for text in good {
        assert_eq!(
            read(&hub.deliver(juliet, &puppet.say(text.as_bytes()))),
            ["yes"],
            "{text}"
        );
    }
    hub.settle();
    let bad = [
        envelope(Some(ROMEO), Some(JULIET), "no"),
        envelope(Some(MALLORY), Some(ROMEO), "no"),
        envelope(Some(MALLORY), Some("room@muc.example"), "no"),
        envelope(Some(JULIET), Some(JULIET), "no"),
        envelope(Some("@"), Some(JULIET), "no"),
        envelope(Some(MALLORY), Some(""), "no"),
        "<envelope xmlns='urn:xmpp:sce:1'/>".into(),
        "<envelope xmlns='urn:xmpp:sce:0'><content/></envelope>".into(),
        "<envelope xmlns='urn:xmpp:sce:1'><content/><content/></envelope>".into(),
        "<envelope xmlns='urn:xmpp:sce:1'><content>".into(),
        "<!DOCTYPE x [<!ENTITY a 'b'>]><envelope xmlns='urn:xmpp:sce:1'><content/></envelope>"
            .into(),
        "<?xml version='1.0'?><?php evil ?><envelope xmlns='urn:xmpp:sce:1'><content/></envelope>"
            .into(),
        "not xml".into(),
        String::new(),
        "<content xmlns='urn:xmpp:sce:1'/>".into(),
        format!(
            "<envelope xmlns='urn:xmpp:sce:1'><content>{}</content></envelope>",
            "<a>".repeat(500)
        ),
    ];
    for text in bad {
        let stanza = puppet.say(text.as_bytes());
        let before = hub.dump(juliet);
        let reasons = unread(&hub.deliver(juliet, &stanza));
        assert!(
            matches!(reasons[..], [UndecryptableReason::EnvelopeRefused(_)]),
            "{text}: {reasons:?}"
        );
        assert_eq!(hub.dump(juliet), before, "{text}");
    }
    assert_eq!(
        read(&hub.deliver(juliet, &puppet.text("still there"))),
        ["still there"]
    );
}

/// Rule 21: what servers read and what is only shown in the clear is dropped from the content.
fn rule_21_server_elements_inside_the_envelope_are_dropped<S: Stores>(mut stores: S) {
    let (mut hub, juliet, mut puppet) = stranger(&mut stores, Version::Omemo2);
    let text = "<envelope xmlns='urn:xmpp:sce:1'><content>\
        <body xmlns='jabber:client'>kept</body>\
        <body>of no namespace of its own</body>\
        <store xmlns='urn:xmpp:hints'/>\
        <stanza-id xmlns='urn:xmpp:sid:0' id='1' by='x@y'/>\
        <addresses xmlns='http://jabber.org/protocol/address'/>\
        <encryption xmlns='urn:xmpp:eme:0' namespace='x'/>\
        <delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/>\
        <active xmlns='http://jabber.org/protocol/chatstates'/>\
        </content><rpad>x</rpad></envelope>";
    hub.deliver(juliet, &puppet.say(text.as_bytes()));
    let content = &hub.devices[juliet.0].messages[0].content;
    let names: Vec<&str> = content.iter().map(omemo::Element::name).collect();
    assert_eq!(names, ["body", "active"]);
    assert_eq!(hub.bodies(juliet), ["kept"]);
}

/// A09, A20: damage of every byte is refused, changes nothing, and asks nothing.
fn a20_a_thousand_damaged_messages_change_and_ask_nothing<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    hub.go_offline(juliet);
    hub.send(romeo, JULIET, "target", "target");
    let good = xml(&hub.mailbox(juliet).pop_back().unwrap());
    hub.go_online(juliet);
    hub.settle();
    let before = hub.dump(juliet);
    let asked = hub.wire.len();
    let text = String::from(&good);
    let start = text.find("<key ").unwrap();
    let start = start + text[start..].find('>').unwrap() + 1;
    let end = start + text[start..].find('<').unwrap();
    let mut refused = 0;
    for n in 0..1000 {
        let at = start + n % (end - start);
        let mut bytes = text.clone().into_bytes();
        let replacement = b"AQgw4_<"[(n / (end - start)) % 5];
        if bytes[at] == replacement {
            continue;
        }
        bytes[at] = replacement;
        let Ok(damaged) = String::from_utf8(bytes).unwrap().parse() else {
            continue;
        };
        let events = hub.deliver(juliet, &damaged);
        assert!(read(&events).is_empty(), "damaged at {at} and read");
        refused += unread(&events).len();
    }
    assert!(refused > 900, "{refused}");
    assert_eq!(hub.wire.len(), asked, "{:?}", hub.wire.last());
    assert_eq!(hub.dump(juliet), before);
    assert_eq!(read(&hub.deliver(juliet, &good)), ["target"]);
}

/// A22 and "Bad input": shapes that no client sends.
fn a22_malformed_stanzas_never_fail_and_never_change_anything<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let ns = namespace(version);
    let node = devices_node(version);
    let (own, sid) = (hub.id(juliet), hub.id(romeo));
    let long = "A".repeat(10_000);
    let deep = format!("{}{}", "<a>".repeat(500), "</a>".repeat(500));
    let keys = |key: &str| match version {
        Version::Omemo2 => format!("<keys jid='{JULIET}'>{key}</keys>"),
        Version::Legacy => format!("{key}<iv>AAAAAAAAAAAAAAAA</iv>"),
    };
    let mut encrypted = vec![
        String::new(),
        "<header/>".into(),
        "<header sid='0'/>".into(),
        "<header sid='-1'/>".into(),
        "<header sid='2147483648'/>".into(),
        "<header sid='4294967297'/>".into(),
        "<header sid='99999999999999999999999999'/>".into(),
        "<header sid=''/><payload/>".into(),
        format!("<header sid='{sid}'/><header sid='{sid}'/><payload>AAAA</payload>"),
        format!("<header sid='{sid}'/><payload>&#x2603;</payload>"),
        format!("<header sid='{sid}'>{deep}</header>"),
    ];
    for key in [
        "<key/>".to_owned(),
        "<key rid='x'>AAAA</key>".into(),
        format!("<key rid='{own}'/>"),
        format!("<key rid='{own}'>=</key>"),
        format!("<key rid='{own}'>A</key>"),
        format!("<key rid='{own}'>AAAA====</key>"),
        format!("<key rid='{own}'>MwohBQ==</key>"),
        format!("<key rid='{own}'>CAESAA==</key>"),
        format!("<key rid='{own}' kex='true' prekey='true'>CP////////////8BEP///////////wE=</key>"),
        format!("<key rid='{own}'>{long}</key>"),
        format!("<key rid='{own}'>AAAA</key>").repeat(5_000),
        format!("<key rid='{own}'><key rid='{own}'>AAAA</key></key>"),
    ] {
        encrypted.push(format!(
            "<header sid='{sid}'>{}</header><payload>AAAA</payload>",
            keys(&key)
        ));
        encrypted.push(format!("<header sid='{sid}'>{}</header>", keys(&key)));
    }
    let mut stanzas: Vec<String> = encrypted
        .into_iter()
        .map(|inside| format!("<message xmlns='jabber:client' from='{ROMEO}/x' id='m'><encrypted xmlns='{ns}'>{inside}</encrypted></message>"))
        .collect();
    for from in ["", " ", "@", "romeo@", "a@b@c", "/x"] {
        stanzas.push(format!("<message xmlns='jabber:client' from='{from}'><encrypted xmlns='{ns}'><header sid='{sid}'/></encrypted></message>"));
    }
    for inside in [
        "<event xmlns='http://jabber.org/protocol/pubsub#event'/>".to_owned(),
        format!("<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='{node}'><item id='current'><devices xmlns='nothing'/></item></items></event>"),
        format!("<event xmlns='http://jabber.org/protocol/pubsub#event'><items><item/></items><items node='{node}'/></event>"),
        "<received xmlns='urn:xmpp:carbons:2'/>".into(),
        "<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></sent>".into(),
        "<result xmlns='urn:xmpp:mam:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/></forwarded></result>".into(),
    ] {
        stanzas.push(format!("<message xmlns='jabber:client' from='{ROMEO}'>{inside}</message>"));
    }
    for iq in [
        "<iq xmlns='jabber:client'/>".to_owned(),
        "<iq xmlns='jabber:client' type='result'/>".into(),
        "<iq xmlns='jabber:client' type='result' id=''/>".into(),
        "<iq xmlns='jabber:client' type='error' id='x'/>".into(),
        format!("<iq xmlns='jabber:client' type='get' id='x'>{deep}</iq>"),
        "<presence xmlns='jabber:client'/>".into(),
        "<message xmlns='jabber:client' type='error' id='hi'/>".into(),
        format!(
            "<message xmlns='jabber:server' from='{ROMEO}'><encrypted xmlns='{ns}'/></message>"
        ),
    ] {
        stanzas.push(iq);
    }
    let before = hub.dump(juliet);
    let crossed = hub.wire.len();
    for stanza in stanzas {
        let head: String = stanza.chars().take(300).collect();
        let Ok(element) = stanza.parse() else {
            panic!("a test of nothing: {head}");
        };
        let events = hub.deliver(juliet, &element);
        assert!(read(&events).is_empty(), "{head}");
        assert_eq!(hub.dump(juliet), before, "{head}");
    }
    assert_eq!(hub.wire.len(), crossed, "{:?}", hub.wire.last());
    hub.send(romeo, JULIET, "after", "after");
    assert_eq!(hub.bodies(juliet), ["hi", "after"]);
}

/// "Bad input": more than any server carries. Built, since no parser is under test here.
fn a22_ten_megabytes_are_refused<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, mut puppet) = stranger(&mut stores, version);
    let mut stanza = puppet.text("short");
    let ns = namespace(version);
    let payload = stanza
        .get_child_mut("encrypted", ns)
        .unwrap()
        .get_child_mut("payload", ns)
        .unwrap();
    payload.append_text("A".repeat(10_000_000));
    let before = hub.dump(juliet);
    let reasons = unread(&hub.deliver(juliet, &stanza));
    assert!(
        matches!(reasons[..], [UndecryptableReason::Malformed(_)]),
        "{reasons:?}"
    );
    assert_eq!(hub.dump(juliet), before);
}

/// A12: a key of one protocol in an element of the other.
fn a12_a_key_of_the_other_protocol_is_refused<S: Stores>(mut stores: S) {
    let mut hub = omemo_tests::hub::Hub::new(3);
    let juliet = hub.join(JULIET, stores.make(), omemo::Settings::default());
    hub.strangers.push(MALLORY.into());
    for (version, other) in [
        (Version::Omemo2, Version::Legacy),
        (Version::Legacy, Version::Omemo2),
    ] {
        let mut puppet = Puppet::new(version, MALLORY, 9);
        puppet.meet(&hub, JULIET, hub.id(juliet));
        let text = String::from(&puppet.text("crossed"));
        let mut disguised = Puppet::new(other, MALLORY, 9);
        disguised.address(JULIET, hub.id(juliet));
        let key = puppet.seal(&[7; 48]);
        let stanza = disguised.stanza(&key, Some(&[1; 12]), Some(b"payload"));
        let before = hub.dump(juliet);
        let reasons = unread(&hub.deliver(juliet, &stanza));
        assert!(!reasons.is_empty(), "{text}");
        assert_eq!(hub.dump(juliet), before);
    }
}

/// The identity key of a device never changes under its id.
fn a09_a_changed_identity_is_refused<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, mut puppet) = stranger(&mut stores, version);
    assert_eq!(read(&hub.deliver(juliet, &puppet.text("one"))), ["one"]);
    hub.settle();
    let mut other = Puppet::with_seed(version, MALLORY, 666, 4711);
    other.meet(&hub, JULIET, hub.id(juliet));
    let before = hub.dump(juliet);
    let events = hub.deliver(juliet, &other.text("me too"));
    assert_eq!(unread(&events), [UndecryptableReason::IdentityChanged]);
    assert_eq!(hub.dump(juliet), before);
    assert_eq!(read(&hub.deliver(juliet, &puppet.text("two"))), ["two"]);
}

/// A08: a forged key exchange leaves no trace, not even of its identity key.
fn a08_a_forged_key_exchange_leaves_no_trace<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, mut puppet) = stranger(&mut stores, version);
    let good = puppet.seal(&[7; 48]);
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        let before = hub.dump(juliet);
        let events = hub.deliver(
            juliet,
            &puppet.stanza(&bytes, Some(&[1; 12]), Some(b"payload")),
        );
        assert_eq!(unread(&events).len(), 1, "{at}: {events:?}");
        assert_eq!(hub.dump(juliet), before, "{at}");
    }
    for length in 0..good.len() {
        let before = hub.dump(juliet);
        let events = hub.deliver(
            juliet,
            &puppet.stanza(&good[..length], Some(&[1; 12]), Some(b"payload")),
        );
        assert_eq!(unread(&events).len(), 1, "{length}: {events:?}");
        assert_eq!(hub.dump(juliet), before, "{length}");
    }
}

/// A07: mallory hands on what juliet wrote to her, as if she had written it herself.
fn a07_a_message_handed_on_under_another_name_is_refused<S: Stores>(mut stores: S) {
    let (mut hub, juliet, romeo) = friends(&mut stores, Version::Omemo2);
    hub.strangers.push(MALLORY.into());
    hub.go_offline(romeo);
    hub.send(juliet, ROMEO, "private", "private");
    let mut stolen = xml(&hub.mailbox(romeo).pop_back().unwrap());
    hub.go_online(romeo);
    hub.settle();
    set(&mut stolen, "from", format!("{MALLORY}/x"));
    let before = hub.dump(romeo);
    let events = hub.deliver(romeo, &stolen);
    assert_eq!(unread(&events).len(), 1, "{events:?}");
    assert_eq!(hub.dump(romeo), before);
}

over!(
    a01_a_key_without_tag_is_refused_beside_a_payload,
    a07_an_envelope_that_contradicts_the_stanza_is_refused,
    a07_a_message_handed_on_under_another_name_is_refused,
    rule_21_server_elements_inside_the_envelope_are_dropped,
    a12_a_key_of_the_other_protocol_is_refused,
);
over_versions!(
    a_puppet_that_behaves_is_read,
    a01_a_payload_of_another_recipient_is_refused,
    a02_a_prekey_that_was_used_or_exchanged_opens_nothing,
    a08_a_forged_key_exchange_leaves_no_trace,
    a09_a_changed_identity_is_refused,
    a20_a_thousand_damaged_messages_change_and_ask_nothing,
    a22_ten_megabytes_are_refused,
    a22_malformed_stanzas_never_fail_and_never_change_anything,
);
