//! Lists and bundles of others: asked for when they are needed, and believed as far as they go.

use minidom::Element;
use omemo::store::Store;
use omemo::{BareJid, Event, UnservedReason, Version};
use omemo_tests::hub::{At, Hub, error, speaks};

use crate::over::Stores;
use crate::puppet::Puppet;
use crate::stage::*;

/// How often a device asked for something of a node whose name holds this.
pub fn asked<S: Store + 'static>(hub: &Hub<S>, at: At, node: &str, owner: &str) -> usize {
    let of = |iq: &Element| iq.attr("to").unwrap_or(JULIET) == owner;
    let questions = hub.questions_of(at);
    let gets = questions
        .iter()
        .filter(|iq| iq.attr("type") == Some("get") && of(iq));
    gets.filter(|iq| String::from(*iq).contains(node)).count()
}

/// A push as servers send it.
pub fn push(version: Version, jid: &str, payload: &Element) -> Element {
    let node = devices_node(version);
    xml(&format!(
        "<message xmlns='jabber:client' from='{jid}'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
         <items node='{node}'><item id='current'>{}</item></items></event></message>",
        String::from(payload)
    ))
}

/// Romeo with so many devices, none of them ours.
fn crowd<S: Store + 'static>(hub: &mut Hub<S>, version: Version, count: u32) {
    for id in 1..=count {
        Puppet::new(version, ROMEO, id).publish(hub);
    }
    hub.plant(
        ROMEO,
        devices_node(version),
        "current",
        list(version, 1..=count),
    );
    hub.settle();
}

fn rule_15_a_push_causes_no_question_and_a_send_does<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    let crossed = hub.wire.len();
    hub.deliver(
        juliet,
        &push(version, ROMEO, &list(version, [1, 2, 3, hub.id(romeo)])),
    );
    hub.deliver(
        juliet,
        &push(version, ROMEO, &list(version, [hub.id(romeo)])),
    );
    assert_eq!(hub.wire.len(), crossed);
    assert_eq!(
        asked(&hub, juliet, ".bundles", ROMEO) + asked(&hub, juliet, ":bundles", ROMEO),
        0
    );
    hub.send(juliet, ROMEO, "1", "now");
    assert_eq!(asked(&hub, juliet, "bundles", ROMEO), 1);
    assert_eq!(hub.bodies(romeo), ["now"]);
    // nor when we know him: his new devices get their sessions with the next message
    let crossed = hub.wire.len();
    let own = hub.id(romeo);
    for ids in [vec![1, 2, 3, own], vec![own]] {
        let before = hub.dump(juliet);
        hub.deliver(juliet, &push(version, ROMEO, &list(version, ids)));
        assert_ne!(hub.dump(juliet), before, "the push counts");
        assert_eq!(hub.wire.len(), crossed);
    }
    hub.send(juliet, ROMEO, "2", "again");
    assert_eq!(
        asked(&hub, juliet, "bundles", ROMEO),
        1,
        "there is a session"
    );
}

fn rule_02_the_newest_list_counts<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let own = hub.id(romeo);
    hub.deliver(juliet, &push(version, ROMEO, &list(version, [own, 5])));
    hub.deliver(juliet, &push(version, ROMEO, &list(version, [5])));
    let events = hub.send(juliet, ROMEO, "1", "not for the first");
    assert!(is_refused(&events, "1"), "{events:?}");
    hub.deliver(juliet, &push(version, ROMEO, &list(version, [own])));
    let events = hub.send(juliet, ROMEO, "2", "for the first");
    assert_eq!(served(&events, "2").len(), 1);
}

fn a_push_from_anybody_else_does_not_count<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    hub.strangers.push(MALLORY.into());
    let payload = list(version, [666]);
    let before = hub.dump(juliet);
    // a resource owns no node, a wrapped event is none, and our own list is not mallory's to publish
    let full = format!("{ROMEO}/x");
    hub.deliver(juliet, &push(version, &full, &payload));
    let inside = String::from(&push(version, ROMEO, &payload));
    for wrapping in [
        format!(
            "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>{inside}</forwarded></received>"
        ),
        format!(
            "<result xmlns='urn:xmpp:mam:2'><forwarded xmlns='urn:xmpp:forward:0'>{inside}</forwarded></result>"
        ),
    ] {
        for from in [JULIET, MALLORY] {
            hub.deliver(
                juliet,
                &xml(&format!(
                    "<message xmlns='jabber:client' from='{from}'>{wrapping}</message>"
                )),
            );
        }
    }
    assert_eq!(hub.dump(juliet), before);
    let events = hub.send(juliet, ROMEO, "1", "fine");
    assert_eq!(served(&events, "1").len(), 1);
    assert_eq!(hub.bodies(romeo).last().unwrap(), "fine");
}

/// "Bad input": the list is refused whole, and the known one stays in force.
fn a_list_of_ten_thousand_is_refused_whole<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let long = list(version, (1..=10_000).chain([hub.id(romeo)]));
    let before = hub.dump(juliet);
    let events = hub.deliver(juliet, &push(version, ROMEO, &long));
    let refused = |event: &Event| matches!(event, Event::ListRefused { .. });
    assert!(events.iter().any(refused), "{events:?}");
    assert_eq!(hub.dump(juliet), before);
    hub.pushes = false;
    hub.plant(ROMEO, devices_node(version), "current", long);
    hub.pass(100_000);
    let events = hub.send(juliet, ROMEO, "1", "to the one we know");
    assert!(hub.devices[juliet.0].events.iter().any(refused));
    assert_eq!(served(&events, "1").len(), 1, "{events:?}");
    assert_eq!(hub.bodies(romeo), ["hello", "to the one we know"]);
}

fn quirk_19_ids_that_are_none_are_passed_over<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    let name = if version == Version::Omemo2 {
        "devices"
    } else {
        "list"
    };
    let own = hub.id(romeo);
    let ids = [
        "0",
        "-1",
        "2147483648",
        "4294967296",
        "99999999999999999999",
        "",
        "x",
        "1.5",
    ];
    let entries: String = ids
        .iter()
        .map(|id| format!("<device id='{id}'/>"))
        .collect();
    let text = format!(
        "<{name} xmlns='{}'>{entries}<device/><other id='3'/><device id=' {own} '/><device id='{own}'/></{name}>",
        namespace(version)
    );
    hub.plant(ROMEO, devices_node(version), "current", xml(&text));
    hub.settle();
    let events = hub.send(juliet, ROMEO, "1", "through");
    assert_eq!(served(&events, "1").len(), 1, "{events:?}");
    assert!(unserved(&events, "1").is_empty(), "{events:?}");
    assert_eq!(hub.bodies(romeo), ["through"]);
}

/// Quirks 14 and 15: other item ids, and more than one item.
fn quirk_14_the_item_called_current_counts_or_the_newest<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    hub.pushes = false;
    let own = hub.id(romeo);
    let node = devices_node(version);
    for n in 0..187 {
        hub.plant(
            ROMEO,
            node,
            &format!("random {n}"),
            list(version, [n + 1000]),
        );
    }
    hub.plant(ROMEO, node, "the last", list(version, [own]));
    hub.drop_item(ROMEO, node, "current");
    hub.pass(100_000);
    let events = hub.send(juliet, ROMEO, "1", "through");
    assert_eq!(served(&events, "1").len(), 1, "{events:?}");
    assert_eq!(hub.bodies(romeo), ["through"]);
    let last = hub.questions_of(juliet);
    let fetches = last
        .iter()
        .filter(|iq| String::from(*iq).contains("<items"));
    assert!(
        fetches
            .into_iter()
            .any(|iq| String::from(iq).contains("max_items="))
    );
}

fn a_bad_bundle_leaves_its_device_out_and_serves_the_others<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    let own = hub.id(romeo);
    let good = String::from(&bundle(&hub, version, ROMEO, own).unwrap());
    let flip = |text: &str, element: &str| {
        let start = text.find(&format!("<{element}")).unwrap();
        let at = start + text[start..].find('>').unwrap() + 20;
        let mut bytes = text.to_owned().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let (signature, identity, signed) = match version {
        Version::Omemo2 => ("spks", "ik", "spk"),
        Version::Legacy => ("signedPreKeySignature", "identityKey", "signedPreKeyPublic"),
    };
    let without_pre_keys = {
        let (start, end) = (
            good.find("<prekeys>").unwrap(),
            good.find("</prekeys>").unwrap(),
        );
        format!("{}{}", &good[..start + 9], &good[end..])
    };
    let bad = [
        flip(&good, signature),
        flip(&good, identity),
        flip(&good, signed),
        without_pre_keys,
        format!("<bundle xmlns='{}'/>", namespace(version)),
        "<bundle xmlns='urn:other'/>".into(),
    ];
    let count = u32::try_from(bad.len()).unwrap();
    for (id, text) in (1..).zip(&bad) {
        let (node, item) = bundle_place(version, id);
        hub.plant(ROMEO, &node, &item, xml(text));
    }
    // and one that is not there at all
    hub.plant(
        ROMEO,
        devices_node(version),
        "current",
        list(version, (1..=count + 1).chain([own])),
    );
    hub.settle();
    let events = hub.send(juliet, ROMEO, "1", "to the one that works");
    let fine = served(&events, "1");
    assert_eq!(fine.len(), 1);
    assert_eq!(fine[0].device.device.get(), own);
    let left = unserved(&events, "1");
    assert_eq!(left.len(), bad.len() + 1, "{left:?}");
    for unserved in &left {
        assert!(
            matches!(unserved.reason, UnservedReason::BundleUnusable(_)),
            "{unserved:?}"
        );
    }
    assert_eq!(hub.bodies(romeo), ["to the one that works"]);
    // left alone for a minute, then tried again (quirk 28)
    let questions = asked(&hub, juliet, "bundles", ROMEO);
    hub.send(juliet, ROMEO, "2", "more");
    assert_eq!(asked(&hub, juliet, "bundles", ROMEO), questions);
    hub.pass(61);
    hub.send(juliet, ROMEO, "3", "more");
    assert_eq!(
        asked(&hub, juliet, "bundles", ROMEO),
        questions + left.len()
    );
}

/// A bundle that shows another key than before under the same id.
fn a09_a_changed_key_in_a_bundle_is_refused<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    let jid = BareJid::parse(ROMEO).unwrap();
    hub.call(juliet, |account| account.inspect(&jid));
    hub.settle();
    let id = hub.id(romeo);
    Puppet::with_seed(version, ROMEO, id, 4711).publish(&mut hub);
    let events = hub.send(juliet, ROMEO, "1", "to whom?");
    assert!(is_refused(&events, "1"), "{events:?}");
    let changed = |event: &Event| matches!(event, Event::IdentityChanged { .. });
    assert!(events.iter().any(changed), "{events:?}");
    assert!(hub.messages_of(juliet).is_empty());
}

fn at_most_32_bundles_are_asked_for_at_once<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    crowd(&mut hub, version, 50);
    hub.write(juliet, ROMEO, "1", "to all of you");
    // answers come one by one, so that what is asked and not answered waits in the mailbox
    let mut most = 0;
    while !hub.mailbox(juliet).is_empty() {
        let waiting = hub
            .mailbox(juliet)
            .iter()
            .filter(|text| text.contains("<bundle"))
            .count();
        most = most.max(waiting);
        hub.deliver_one(juliet);
    }
    assert!((2..=32).contains(&most), "{most}");
    let events = hub.devices[juliet.0].events.clone();
    assert_eq!(served(&events, "1").len(), 50);
    assert_eq!(asked(&hub, juliet, "bundles", ROMEO), 50);
}

fn after_a_time_out_the_known_devices_are_served<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let id = hub.id(romeo);
    hub.deliver(juliet, &push(version, ROMEO, &list(version, [5, id])));
    hub.answers = false;
    hub.write(juliet, ROMEO, "1", "to who is there");
    hub.settle();
    assert_eq!(hub.bodies(romeo), ["hello"]);
    hub.pass(29);
    assert_eq!(hub.bodies(romeo), ["hello"]);
    hub.pass(1);
    let events = hub.devices[juliet.0].events.clone();
    assert_eq!(served(&events, "1").len(), 1);
    let left = unserved(&events, "1");
    assert!(
        matches!(left[0].reason, UnservedReason::BundleUnusable(_)),
        "{left:?}"
    );
    assert_eq!(hub.bodies(romeo), ["hello", "to who is there"]);
}

fn a_list_that_never_comes_ends_in_a_refusal<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, _) = pair(&mut stores, version);
    hub.pushes = false;
    hub.objects = Box::new(|owner, _| {
        (owner == MALLORY).then(|| error("cancel", "remote-server-not-found", None))
    });
    let events = hub.send(juliet, MALLORY, "1", "anybody?");
    assert!(is_refused(&events, "1"), "{events:?}");
    let reasons = unserved(&events, "1");
    assert!(
        matches!(reasons[0].reason, UnservedReason::ListUnavailable(_)),
        "{reasons:?}"
    );
    hub.answers = false;
    hub.send(juliet, "nobody@nowhere.example", "2", "anybody?");
    hub.pass(30);
    let events = hub.devices[juliet.0].events.clone();
    assert!(is_refused(&events, "2"), "{events:?}");
    assert!(hub.messages_of(juliet).is_empty());
}

/// A random id and the right sender, or it is no answer: first to the question for the list, then to the one for the
/// bundle.
fn answers_of_others_or_to_nothing_are_ignored<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    hub.strangers.push(MALLORY.into());
    let own = hub.id(romeo);
    hub.answers = false;
    hub.pushes = false;
    hub.write(juliet, ROMEO, "1", "to romeo");
    let mut ids = std::collections::BTreeSet::new();
    let published = bundle(&hub, version, ROMEO, own).unwrap();
    let (bundle_node, bundle_item) = bundle_place(version, own);
    let stages = [
        (
            devices_node(version).to_owned(),
            "current".to_owned(),
            list(version, [own]),
        ),
        (bundle_node, bundle_item, published),
    ];
    for (node, item, payload) in stages {
        let question = hub.questions_of(juliet).pop().unwrap();
        assert_eq!(question.attr("to"), Some(ROMEO));
        assert!(String::from(&question).contains(&node), "{question:?}");
        let id = question.attr("id").unwrap().to_owned();
        assert!(id.len() >= 16, "{id}");
        assert!(ids.insert(id.clone()));
        let answer = |from: &str, id: &str, kind: &str| {
            xml(&format!(
                "<iq xmlns='jabber:client' type='{kind}' id='{id}'{from}>\
                 <pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{node}'>\
                 <item id='{item}'>{}</item></items></pubsub></iq>",
                String::from(&payload)
            ))
        };
        let before = hub.dump(juliet);
        let crossed = hub.wire.len();
        let others = [
            MALLORY,
            JULIET,
            "montague.example",
            "romeo@montague.example/x",
            "capulet.example",
            "@",
        ];
        let others = others.map(|from| format!(" from='{from}'"));
        for from in others.iter().map(String::as_str).chain([""]) {
            for kind in ["result", "error", "set", "get", "nothing"] {
                for id in [id.as_str(), "guess"] {
                    hub.deliver(juliet, &answer(from, id, kind));
                }
            }
        }
        let right = format!(" from='{ROMEO}'");
        hub.deliver(juliet, &answer(&right, "guess", "result"));
        assert_eq!(hub.dump(juliet), before);
        assert_eq!(hub.wire.len(), crossed);
        // the right one counts, and counts once
        hub.deliver(juliet, &answer(&right, &id, "result"));
        let after = hub.dump(juliet);
        assert_ne!(after, before);
        let crossed = hub.wire.len();
        for kind in ["result", "error"] {
            hub.deliver(juliet, &answer(&right, &id, kind));
        }
        assert_eq!(hub.dump(juliet), after);
        assert_eq!(hub.wire.len(), crossed);
    }
    hub.settle();
    assert_eq!(hub.bodies(romeo), ["to romeo"]);
}

/// A09: a list that was emptied, deleted or withdrawn never leads to plaintext.
fn a09_an_emptied_list_refuses_the_send<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    hub.plant(ROMEO, devices_node(version), "current", list(version, []));
    hub.go_offline(romeo);
    hub.settle();
    let crossed = hub.messages_of(juliet).len();
    let events = hub.send(juliet, ROMEO, "1", "secret");
    assert!(is_refused(&events, "1"), "{events:?}");
    assert_eq!(hub.messages_of(juliet).len(), crossed);
    assert!(
        hub.wire
            .iter()
            .all(|crossed| !crossed.text.contains("secret"))
    );
}

over_versions!(
    rule_15_a_push_causes_no_question_and_a_send_does,
    rule_02_the_newest_list_counts,
    a_push_from_anybody_else_does_not_count,
    a_list_of_ten_thousand_is_refused_whole,
    quirk_19_ids_that_are_none_are_passed_over,
    quirk_14_the_item_called_current_counts_or_the_newest,
    a_bad_bundle_leaves_its_device_out_and_serves_the_others,
    a09_a_changed_key_in_a_bundle_is_refused,
    at_most_32_bundles_are_asked_for_at_once,
    after_a_time_out_the_known_devices_are_served,
    a_list_that_never_comes_ends_in_a_refusal,
    answers_of_others_or_to_nothing_are_ignored,
    a09_an_emptied_list_refuses_the_send,
);
