//! Automatic answers: to whom, how often, and what they look like.

use omemo::{BareJid, Version};
use omemo_tests::hub::{Hub, speaks};
use omemo_tests::wire::wrapped_keys;

use crate::over::Stores;
use crate::puppet::Puppet;
use crate::stage::*;

fn rule_25_a_stranger_gets_no_answer<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    for n in 0..60 {
        hub.send(juliet, ROMEO, &n.to_string(), "are you there?");
    }
    hub.pass(3600);
    assert_eq!(hub.bodies(romeo).len(), 60);
    assert!(hub.messages_of(romeo).is_empty());
    // once he is known, one answer
    hub.call(romeo, |account| {
        account.known(&BareJid::parse(JULIET).unwrap())
    });
    hub.settle();
    hub.pass(60);
    let answers = hub.messages_of(romeo);
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(!has_payload(&answers[0]));
    assert!(
        !hub.devices[juliet.0]
            .events
            .iter()
            .any(|event| matches!(event, omemo::Event::Message(_)))
    );
    hub.send(juliet, ROMEO, "after", "after");
    assert!(!wrapped_keys(hub.messages_of(juliet).last().unwrap(), JULIET)[0].key_exchange);
}

fn rule_25_somebody_we_wrote_to_gets_one<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let second = hub.join(ROMEO, stores.make(), speaks(&[version]));
    let before = hub.messages_of(juliet).len();
    hub.send(second, JULIET, "1", "from my other device");
    let answers = hub.messages_of(juliet).split_off(before);
    assert_eq!(answers.len(), 1, "{answers:?}");
    let keys = wrapped_keys(&answers[0], JULIET);
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].name.rid, hub.id(second));
    assert_ne!(keys[0].name.rid, hub.id(romeo));
}

fn rule_25_our_own_devices_get_one<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let phone = hub.join(JULIET, stores.make(), speaks(&[version]));
    let laptop = hub.join(JULIET, stores.make(), speaks(&[version]));
    hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(phone, ROMEO, "1", "to him");
    let answers = hub.messages_of(laptop);
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].attr("to"), Some(JULIET));
    assert!(!has_payload(&answers[0]));
}

fn empty_messages_look_as_others_expect<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    hub.call(juliet, |account| {
        account.known(&BareJid::parse(MALLORY).unwrap())
    });
    let mut puppet = Puppet::new(version, MALLORY, 5);
    puppet.enlist(&mut hub);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    hub.deliver(juliet, &puppet.text("hello"));
    hub.settle();
    let answers = hub.messages_of(juliet);
    assert_eq!(answers.len(), 1);
    let answer = &answers[0];
    assert_eq!(answer.attr("to"), Some(MALLORY));
    assert_eq!(answer.attr("type"), Some("chat"));
    assert!(answer.has_child("store", "urn:xmpp:hints"));
    assert!(!answer.has_child("body", "jabber:client"));
    let encrypted = answer.get_child("encrypted", namespace(version)).unwrap();
    assert!(!encrypted.has_child("payload", namespace(version)));
    let header = encrypted.get_child("header", namespace(version)).unwrap();
    assert_eq!(
        header.has_child("iv", namespace(version)),
        version == Version::Legacy
    );
}

/// Answers to answers would never end.
fn nobody_answers_an_answer<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let others = [
        hub.join(ROMEO, stores.make(), speaks(&[version])),
        hub.join(JULIET, stores.make(), speaks(&[version])),
    ];
    for n in 0..3 {
        hub.send(others[0], JULIET, &format!("a{n}"), "a");
        hub.send(others[1], ROMEO, &format!("b{n}"), "b");
        hub.send(juliet, ROMEO, &format!("c{n}"), "c");
        hub.send(romeo, JULIET, &format!("d{n}"), "d");
    }
    // bundles that key exchanges have changed go out first
    hub.pass(60);
    let before = hub.wire.len();
    hub.pass(60);
    hub.pass(60);
    assert_eq!(hub.wire.len(), before, "{:?}", hub.wire.last());
    let crossed: usize = [juliet, romeo, others[0], others[1]]
        .iter()
        .map(|at| {
            hub.messages_of(*at)
                .iter()
                .filter(|stanza| !has_payload(stanza))
                .count()
        })
        .sum();
    assert!(
        crossed <= 12,
        "{crossed} empty messages between four devices"
    );
}

over_versions!(
    rule_25_a_stranger_gets_no_answer,
    rule_25_somebody_we_wrote_to_gets_one,
    rule_25_our_own_devices_get_one,
    empty_messages_look_as_others_expect,
    nobody_answers_an_answer,
);
