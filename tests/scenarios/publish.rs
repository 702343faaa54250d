//! Our own device on servers of all manners.

use std::cell::RefCell;
use std::collections::BTreeMap;

use minidom::Element;
use omemo::store::Store;
use omemo::{Event, Settings, Version};
use omemo_tests::hub::{At, Hub, Manners, error, speaks};

use crate::over::Stores;
use crate::puppet::Puppet;
use crate::stage::*;

fn is_on<S: Store + 'static>(hub: &Hub<S>, at: At, version: Version) -> bool {
    let events = &hub.devices[at.0].events;
    let published =
        |event: &Event| matches!(event, Event::Published { version: found } if *found == version);
    events.iter().any(published)
}

fn is_off<S: Store + 'static>(hub: &Hub<S>, at: At, version: Version) -> bool {
    let events = &hub.devices[at.0].events;
    let off = |event: &Event| matches!(event, Event::ProtocolOff { version: found, .. } if *found == version);
    events.iter().any(off)
}

/// What a device has published: node, item id and publish options.
type Publication = (String, String, Vec<(String, String)>);

/// All that it has published, in order.
fn publications<S: Store + 'static>(hub: &Hub<S>, at: At) -> Vec<Publication> {
    const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
    let read = |iq: Element| {
        let pubsub = iq.get_child("pubsub", PUBSUB)?;
        let publish = pubsub.get_child("publish", PUBSUB)?;
        let item = publish.get_child("item", PUBSUB)?;
        let form = pubsub
            .get_child("publish-options", PUBSUB)
            .and_then(|options| options.children().next());
        let fields = form.map_or(Vec::new(), |form| {
            form.children()
                .map(|field| {
                    let value = field.children().next().unwrap().text();
                    (field.attr("var").unwrap().to_owned(), value)
                })
                .collect()
        });
        let text = |attribute: Option<&str>| attribute.unwrap().to_owned();
        Some((text(publish.attr("node")), text(item.attr("id")), fields))
    };
    hub.questions_of(at).into_iter().filter_map(read).collect()
}

/// Rules 3 to 5, legacy 2.
fn rule_03_nodes_are_open_and_items_have_their_ids<S: Stores>(mut stores: S, version: Version) {
    let (hub, juliet, _) = pair(&mut stores, version);
    let published = publications(&hub, juliet);
    let (bundle_node, bundle_item) = bundle_place(version, hub.id(juliet));
    assert_eq!(published.len(), 2, "{published:?}");
    assert_eq!(
        (&published[0].0, &published[0].1),
        (&bundle_node, &bundle_item)
    );
    assert_eq!(
        (published[1].0.as_str(), published[1].1.as_str()),
        (devices_node(version), "current")
    );
    for (node, _, options) in &published {
        let value = |name: &str| {
            let found = options.iter().find(|(field, _)| field == name);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(
            value("FORM_TYPE"),
            Some("http://jabber.org/protocol/pubsub#publish-options")
        );
        assert_eq!(value("pubsub#access_model"), Some("open"), "{node}");
        let max = (node == "urn:xmpp:omemo:2:bundles").then_some("max");
        assert_eq!(value("pubsub#max_items"), max, "{node}");
    }
    assert_eq!(listed(&hub, version, JULIET), [hub.id(juliet)]);
    assert_eq!(
        pre_keys(&bundle(&hub, version, JULIET, hub.id(juliet)).unwrap()).len(),
        100
    );
}

/// Quirk 20, rule 9.
fn quirk_20_no_id_is_zero_or_the_largest<S: Stores>(mut stores: S, version: Version) {
    let (hub, juliet, _) = pair(&mut stores, version);
    let bundle = bundle(&hub, version, JULIET, hub.id(juliet)).unwrap();
    let ids = pre_keys(&bundle);
    assert!(ids.iter().all(|id| (1..0xff_ffff).contains(id)), "{ids:?}");
    assert!(signed_pre_key(&bundle) >= 1);
    assert!((1..=0x7fff_ffff).contains(&hub.id(juliet)));
}

fn rule_04_a_precondition_that_fails_leads_to_a_configuration<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let mut hub = Hub::new(1);
    hub.manners = Manners::PreconditionNotMet;
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    assert!(
        is_on(&hub, juliet, version),
        "{:?}",
        hub.devices[juliet.0].events
    );
    assert_eq!(listed(&hub, version, JULIET), [hub.id(juliet)]);
    hub.send(juliet, ROMEO, "1", "through");
    assert_eq!(hub.bodies(romeo), ["through"]);
}

/// ejabberd 23: a node that keeps one item, so that the second device's bundle throws out the first's.
fn rule_04_the_other_devices_bundle_is_never_evicted<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    hub.manners = Manners::RefusesMaxItems;
    let phone = hub.join(JULIET, stores.make(), speaks(&[version]));
    let laptop = hub.join(JULIET, stores.make(), speaks(&[version]));
    for at in [phone, laptop] {
        assert!(is_on(&hub, at, version), "{:?}", hub.devices[at.0].events);
        assert!(bundle(&hub, version, JULIET, hub.id(at)).is_some());
    }
    let lacks = |event: &Event| matches!(event, Event::ServerLacks { .. });
    let complains = hub.devices[phone.0].events.iter().any(lacks);
    assert_eq!(complains, version == Version::Omemo2);
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(romeo, JULIET, "1", "to both");
    assert_eq!(hub.bodies(phone), ["to both"]);
    assert_eq!(hub.bodies(laptop), ["to both"]);
    assert!(bundle(&hub, version, JULIET, hub.id(laptop)).is_some());
    assert!(bundle(&hub, version, JULIET, hub.id(phone)).is_some());
}

/// ejabberd 23: who publishes on a new node while it makes another one, for whomever, is told that there is no node.
fn rule_04_a_node_that_is_not_made_the_first_time_is_asked_for_again<S: Stores>(
    mut stores: S,
    version: Version,
) {
    for refusals in [1, 2, usize::MAX] {
        let mut hub = Hub::new(1);
        let refused = RefCell::new(BTreeMap::new());
        hub.objects = Box::new(move |_, iq| {
            let node = published_node(iq)?;
            let mut refused = refused.borrow_mut();
            let times = refused.entry(node).or_insert(0);
            *times += 1;
            (*times <= refusals).then(|| error("cancel", "item-not-found", None))
        });
        let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
        assert!(!is_on(&hub, juliet, version) && !is_off(&hub, juliet, version));
        for _ in 0..70 {
            hub.pass(1);
        }
        let granted = refusals != usize::MAX;
        assert_eq!(is_on(&hub, juliet, version), granted, "{refusals}");
        assert_eq!(is_off(&hub, juliet, version), !granted, "{refusals}");
        if granted {
            assert_eq!(listed(&hub, version, JULIET), [hub.id(juliet)]);
            assert!(bundle(&hub, version, JULIET, hub.id(juliet)).is_some());
        }
    }
}

/// Where a request publishes, if it does.
fn published_node(iq: &Element) -> Option<String> {
    const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
    let publish = iq
        .get_child("pubsub", PUBSUB)?
        .get_child("publish", PUBSUB)?;
    publish.attr("node").map(str::to_owned)
}

/// Rule 1: an id that is on the list before we published is ours only if its bundle has our key.
fn rule_01_an_id_that_somebody_has_is_not_taken<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.add(JULIET, stores.make(), speaks(&[version]));
    let id = hub.id(juliet);
    let mut other = Puppet::new(version, JULIET, id);
    other.enlist(&mut hub);
    let theirs = bundle(&hub, version, JULIET, id).unwrap();
    hub.go_online(juliet);
    hub.settle();
    assert_ne!(hub.id(juliet), id);
    assert!(is_on(&hub, juliet, version));
    let mut ids = listed(&hub, version, JULIET);
    ids.sort_unstable();
    let mut wanted = vec![id, hub.id(juliet)];
    wanted.sort_unstable();
    assert_eq!(ids, wanted);
    assert_eq!(
        bundle(&hub, version, JULIET, id).unwrap(),
        theirs,
        "overwritten"
    );
}

/// The list was published and the answer lost with the process: the id is ours all the same.
fn rule_01_our_own_id_is_known_by_its_bundle<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.add(JULIET, stores.make(), speaks(&[version]));
    let id = hub.id(juliet);
    // all questions reach the server, and after the bundle no answer comes back
    hub.go_online(juliet);
    for _ in 0..40 {
        if listed(&hub, version, JULIET).contains(&id) {
            break;
        }
        hub.deliver_one(juliet);
    }
    assert_eq!(listed(&hub, version, JULIET), [id]);
    hub.mailbox(juliet).clear();
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    assert_eq!(hub.id(juliet), id);
    assert!(
        is_on(&hub, juliet, version),
        "{:?}",
        hub.devices[juliet.0].events
    );
}

fn others_entries_stay_as_they_are<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let name = if version == Version::Omemo2 {
        "devices"
    } else {
        "list"
    };
    let ns = namespace(version);
    let entries = "<device id='5' label='Élan' labelsig='notbase64' future='yes'><child xmlns='urn:x'>text</child></device>\
        <device id='0'/><device/><device id='99999999999'/><extension xmlns='urn:y'/><device id='7'/>";
    hub.plant(
        JULIET,
        devices_node(version),
        "current",
        xml(&format!("<{name} xmlns='{ns}'>{entries}</{name}>")),
    );
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let items = hub.items(JULIET, devices_node(version));
    assert_eq!(items.len(), 1);
    let published = &items[0].1;
    let wanted = xml(&format!("<{name} xmlns='{ns}'>{entries}</{name}>"));
    for entry in wanted.children() {
        assert!(
            published.children().any(|child| child == entry),
            "{entry:?} in {published:?}"
        );
    }
    assert_eq!(published.children().count(), wanted.children().count() + 1);
    assert!(listed(&hub, version, JULIET).contains(&hub.id(juliet)));
}

/// Rule 6, with growing pauses: two clients that fight over a list must not do so at full speed.
fn rule_06_a_device_taken_off_the_list_announces_itself_again<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, _) = pair(&mut stores, version);
    let mut waits = Vec::new();
    for _ in 0..4 {
        hub.plant(JULIET, devices_node(version), "current", list(version, [5]));
        hub.settle();
        assert_eq!(listed(&hub, version, JULIET), [5], "not at once");
        let mut wait = 0;
        while !listed(&hub, version, JULIET).contains(&hub.id(juliet)) {
            hub.pass(1);
            wait += 1;
            assert!(wait < 100);
        }
        waits.push(wait);
        assert_eq!(listed(&hub, version, JULIET), [5, hub.id(juliet)]);
    }
    assert!(waits.is_sorted_by(|one, next| one < next), "{waits:?}");
    let again = |event: &Event| matches!(event, Event::Reannounced { .. });
    assert_eq!(
        hub.devices[juliet.0]
            .events
            .iter()
            .filter(|event| again(event))
            .count(),
        4
    );
}

/// A list that cannot be had is not an empty list: publishing over it would wipe every other device.
fn errors_but_item_not_found_publish_nothing<S: Stores>(mut stores: S, version: Version) {
    for condition in [
        "internal-server-error",
        "forbidden",
        "remote-server-timeout",
        "service-unavailable",
    ] {
        let mut hub = Hub::new(1);
        hub.plant(JULIET, devices_node(version), "current", list(version, [5]));
        hub.objects = Box::new(move |_, iq| {
            let asks = iq.attr("type") == Some("get");
            asks.then(|| error("cancel", condition, None))
        });
        let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
        assert!(publications(&hub, juliet).is_empty(), "{condition}");
        assert_eq!(listed(&hub, version, JULIET), [5]);
        assert!(!is_on(&hub, juliet, version));
    }
}

/// Nor is one that cannot be read.
fn an_unreadable_list_of_our_own_publishes_nothing<S: Stores>(mut stores: S, version: Version) {
    let bad = [
        "<devices xmlns='urn:nothing'/>".to_owned(),
        String::from(&list(version, 1..=10_000)),
    ];
    for text in bad {
        let mut hub = Hub::new(1);
        hub.plant(JULIET, devices_node(version), "current", xml(&text));
        let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
        assert!(publications(&hub, juliet).is_empty());
        assert!(is_off(&hub, juliet, version));
    }
}

fn a_protocol_that_is_refused_is_off_while_the_other_works<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let mut hub = Hub::new(1);
    let refused = namespace(version);
    hub.objects = Box::new(move |owner, iq| {
        let asked = String::from(iq);
        (owner == JULIET && asked.contains("<publish ") && asked.contains(refused))
            .then(|| error("cancel", "forbidden", None))
    });
    let juliet = hub.join(JULIET, stores.make(), Settings::default());
    let romeo = hub.join(ROMEO, stores.make(), Settings::default());
    let other = if version == Version::Omemo2 {
        Version::Legacy
    } else {
        Version::Omemo2
    };
    assert!(is_off(&hub, juliet, version) && !is_on(&hub, juliet, version));
    assert!(is_on(&hub, juliet, other) && !is_off(&hub, juliet, other));
    let events = hub.send(juliet, ROMEO, "1", "in what is left");
    assert!(
        served(&events, "1")
            .iter()
            .all(|served| served.version == other)
    );
    assert_eq!(hub.bodies(romeo), ["in what is left"]);
}

fn nothing_leaves_when_no_protocol_can_be_published<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let romeo = hub.join(ROMEO, stores.make(), Settings::default());
    hub.manners = Manners::RefusesPublishing;
    let juliet = hub.join(JULIET, stores.make(), Settings::default());
    let events = hub.send(juliet, ROMEO, "1", "secret");
    assert!(is_refused(&events, "1"), "{events:?}");
    assert!(hub.messages_of(juliet).is_empty());
    assert!(hub.bodies(romeo).is_empty());
    let reasons = unserved(&events, "1");
    let not_published =
        |unserved: &omemo::Unserved| unserved.reason == omemo::UnservedReason::NotPublished;
    assert!(
        !reasons.is_empty() && reasons.iter().all(not_published),
        "{reasons:?}"
    );
}

/// No send in a protocol before our device is published there, also after a new stream.
fn a_send_waits_until_the_device_is_published<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    hub.go_offline(juliet);
    hub.write(juliet, ROMEO, "1", "patience");
    let crossed = hub.messages_of(juliet).len();
    hub.go_online(juliet);
    assert_eq!(
        hub.messages_of(juliet).len(),
        crossed,
        "before the list was looked at"
    );
    hub.settle();
    assert_eq!(hub.bodies(romeo), ["hello", "patience"]);
}

/// Offline for longer than any answer may take.
fn a_send_written_long_offline_leaves_with_the_next_stream<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    hub.go_offline(juliet);
    hub.write(juliet, ROMEO, "1", "patience");
    hub.pass(100_000);
    hub.go_online(juliet);
    hub.settle();
    assert_eq!(hub.bodies(romeo), ["patience"]);
}

/// The bundle or the list vanished while we were away.
fn what_was_taken_away_is_published_again<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, _) = pair(&mut stores, version);
    hub.go_offline(juliet);
    let (node, item) = bundle_place(version, hub.id(juliet));
    let ns = namespace(version);
    hub.plant(
        JULIET,
        &node,
        &item,
        xml(&format!("<bundle xmlns='{ns}'/>")),
    );
    hub.plant(JULIET, devices_node(version), "current", list(version, [5]));
    hub.go_online(juliet);
    hub.settle();
    assert_eq!(listed(&hub, version, JULIET), [5, hub.id(juliet)]);
    assert_eq!(
        pre_keys(&bundle(&hub, version, JULIET, hub.id(juliet)).unwrap()).len(),
        100
    );
}

/// Two devices that join at the same moment.
fn devices_that_join_together_end_up_on_one_list<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let devices: Vec<At> = (0..4)
        .map(|_| hub.add(JULIET, stores.make(), speaks(&[version])))
        .collect();
    for at in &devices {
        hub.go_online(*at);
    }
    // in turns, so that each works with a list that the others are about to change
    while devices.iter().any(|at| !hub.mailbox(*at).is_empty()) {
        for at in &devices {
            hub.deliver_one(*at);
        }
    }
    for _ in 0..40 {
        hub.pass(1);
    }
    let mut ids = listed(&hub, version, JULIET);
    ids.sort_unstable();
    let mut wanted: Vec<u32> = devices.iter().map(|at| hub.id(*at)).collect();
    wanted.sort_unstable();
    assert_eq!(ids, wanted);
}

/// Our server never answers: the app's loop goes on, and nothing is lost.
fn a_silent_server_is_asked_again_and_not_in_a_hurry<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    hub.answers = false;
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    for _ in 0..600 {
        hub.pass(1);
    }
    let asked = hub.questions_of(juliet).len();
    assert!((2..30).contains(&asked), "{asked}");
    hub.answers = true;
    for _ in 0..400 {
        hub.pass(10);
    }
    assert_eq!(listed(&hub, version, JULIET), [hub.id(juliet)]);
}

over!(nothing_leaves_when_no_protocol_can_be_published);
over_versions!(
    rule_03_nodes_are_open_and_items_have_their_ids,
    quirk_20_no_id_is_zero_or_the_largest,
    rule_04_a_precondition_that_fails_leads_to_a_configuration,
    rule_04_the_other_devices_bundle_is_never_evicted,
    rule_04_a_node_that_is_not_made_the_first_time_is_asked_for_again,
    rule_01_an_id_that_somebody_has_is_not_taken,
    rule_01_our_own_id_is_known_by_its_bundle,
    others_entries_stay_as_they_are,
    rule_06_a_device_taken_off_the_list_announces_itself_again,
    errors_but_item_not_found_publish_nothing,
    an_unreadable_list_of_our_own_publishes_nothing,
    a_protocol_that_is_refused_is_off_while_the_other_works,
    a_send_waits_until_the_device_is_published,
    a_send_written_long_offline_leaves_with_the_next_stream,
    what_was_taken_away_is_published_again,
    devices_that_join_together_end_up_on_one_list,
    a_silent_server_is_asked_again_and_not_in_a_hurry,
);
