//! Contacts whose lists nobody pushes, since there is no presence subscription: we subscribe to them ourselves. And
//! what our own server says it can do.

use minidom::Element;
use omemo::store::Store;
use omemo::{Event, Version};
use omemo_tests::hub::{At, Hub, error, speaks};

use crate::over::Stores;
use crate::stage::*;

const DAY: i64 = 86_400;

/// Whom a device has asked to be subscribed to.
fn asked<S: Store + 'static>(hub: &Hub<S>, at: At) -> Vec<String> {
    let questions = hub.questions_of(at);
    let subscribes = |iq: &&Element| String::from(*iq).contains("<subscribe");
    let to = questions.iter().filter(subscribes);
    to.map(|iq| iq.attr("to").unwrap().to_owned()).collect()
}

/// No pushes to anybody who has not asked for them.
fn strangers<S: Stores>(stores: &mut S, version: Version) -> (Hub<S::Store>, At, At) {
    let mut hub = Hub::new(7);
    hub.pushes = false;
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    (hub, juliet, romeo)
}

fn quirk_34_a_list_that_nobody_pushes_is_subscribed_to<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = strangers(&mut stores, version);
    hub.send(juliet, ROMEO, "1", "hello");
    assert_eq!(hub.bodies(romeo), ["hello"]);
    assert_eq!(asked(&hub, juliet), [ROMEO]);
    let question = hub.questions_of(juliet);
    let question = question
        .iter()
        .find(|iq| String::from(*iq).contains("<subscribe"))
        .unwrap();
    let subscribe = question
        .children()
        .next()
        .unwrap()
        .children()
        .next()
        .unwrap();
    assert_eq!(subscribe.attr("jid"), Some(JULIET), "the bare JID");
    assert_eq!(subscribe.attr("node"), Some(devices_node(version)));
    // a new device is served at once, though the list was fetched a moment ago
    let tablet = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(juliet, ROMEO, "2", "to both");
    assert_eq!(hub.bodies(tablet), ["to both"]);
    // and the list counts as pushed
    let fetches = |hub: &Hub<S::Store>| {
        let questions = hub.questions_of(juliet);
        let lists = questions.iter().filter(|iq| {
            iq.attr("to") == Some(ROMEO)
                && String::from(*iq).contains("<items")
                && String::from(*iq).contains(devices_node(version))
        });
        lists.count()
    };
    let before = fetches(&hub);
    hub.pass(3_600);
    hub.send(juliet, ROMEO, "3", "an hour later");
    assert_eq!(fetches(&hub), before);
}

fn quirk_34_once_a_week_at_most<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, _) = strangers(&mut stores, version);
    for day in 0..14 {
        hub.send(juliet, ROMEO, &format!("{day}"), "hello");
        assert_eq!(asked(&hub, juliet).len(), 1 + day / 7, "on day {day}");
        hub.go_offline(juliet);
        hub.pass(DAY);
        hub.go_online(juliet);
        hub.settle();
    }
}

fn quirk_34_a_refusal_is_quiet_and_remembered<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = strangers(&mut stores, version);
    hub.objects = Box::new(|_, iq| {
        let subscribes = String::from(iq).contains("<subscribe");
        subscribes.then(|| error("auth", "not-authorized", None))
    });
    let events = hub.send(juliet, ROMEO, "1", "hello");
    let expected =
        |event: &Event| !matches!(event, Event::ListRefused { .. } | Event::Refused { .. });
    assert!(events.iter().all(expected), "{events:?}");
    assert_eq!(hub.bodies(romeo), ["hello"]);
    for n in 0..3 {
        hub.pass(3_600);
        hub.send(juliet, ROMEO, &format!("x{n}"), "hello");
    }
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    hub.send(juliet, ROMEO, "y", "hello");
    assert_eq!(asked(&hub, juliet), [ROMEO]);
}

fn quirk_34_who_is_pushed_is_not_subscribed_to<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    // its push came while it was a stranger
    hub.send(juliet, ROMEO, "1", "hello");
    assert_eq!(hub.bodies(romeo), ["hello"]);
    assert!(asked(&hub, juliet).is_empty());
    // neither are we ourselves, nor who has no list
    hub.pushes = false;
    hub.send(juliet, JULIET, "2", "a note");
    hub.send(juliet, MALLORY, "3", "to nobody");
    assert!(asked(&hub, juliet).is_empty());
}

fn quirk_34_looking_at_keys_subscribes_to_nothing<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, _) = strangers(&mut stores, version);
    let romeo = omemo::BareJid::parse(ROMEO).unwrap();
    hub.call(juliet, |account| account.inspect(&romeo));
    hub.settle();
    assert!(asked(&hub, juliet).is_empty());
}

fn lacks<S: Store + 'static>(hub: &Hub<S>, at: At) -> Vec<String> {
    let events = hub.devices[at.0].events.iter();
    let texts = events.filter_map(|event| match event {
        Event::ServerLacks { requirement, .. } => Some(requirement.clone()),
        _ => None,
    });
    texts.collect()
}

fn rule_39_a_server_that_announces_everything_is_not_blamed<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (hub, juliet, _) = pair(&mut stores, version);
    assert!(lacks(&hub, juliet).is_empty());
    let questions = hub.questions_of(juliet);
    let info = questions
        .iter()
        .filter(|iq| String::from(*iq).contains("disco#info"));
    let to: Vec<_> = info.map(|iq| iq.attr("to").unwrap()).collect();
    assert_eq!(to, [JULIET], "once, and the account itself");
    assert!(!hub.is_configured(JULIET, devices_node(version)));
}

/// Options that nobody heeds leave nodes readable by friends only: they are configured by hand.
fn rule_39_without_publish_options_nodes_are_configured<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let mut hub = Hub::new(7);
    hub.features
        .retain(|feature| !feature.ends_with("publish-options"));
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let told = lacks(&hub, juliet);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("publish-options"), "{told:?}");
    let (bundle_node, _) = bundle_place(version, hub.id(juliet));
    assert!(hub.is_configured(JULIET, devices_node(version)));
    assert!(hub.is_configured(JULIET, &bundle_node));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(romeo, JULIET, "1", "hello");
    assert_eq!(hub.bodies(juliet), ["hello"]);
    // and where that is refused too, there is an end to it
    let mut hub = Hub::<S::Store>::new(7);
    hub.features
        .retain(|feature| !feature.ends_with("publish-options"));
    hub.objects = Box::new(|_, iq| {
        let configures = String::from(iq).contains("<configure");
        configures.then(|| error("auth", "forbidden", None))
    });
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    assert_eq!(lacks(&hub, juliet).len(), 3, "{:?}", lacks(&hub, juliet));
    let asked = hub.questions_of(juliet).len();
    hub.pass(3_600);
    assert_eq!(hub.questions_of(juliet).len(), asked);
    assert_eq!(listed(&hub, version, JULIET), [hub.id(juliet)]);
}

fn rule_39_a_server_that_forgets_is_named<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(7);
    hub.features
        .retain(|feature| !feature.ends_with("persistent-items"));
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let told = lacks(&hub, juliet);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("persistent-items"), "{told:?}");
    // one that says nothing at all may do everything
    let mut hub = Hub::<S::Store>::new(7);
    hub.objects = Box::new(|_, iq| {
        let disco = String::from(iq).contains("disco#info");
        disco.then(|| error("cancel", "service-unavailable", None))
    });
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    assert!(lacks(&hub, juliet).is_empty());
}

over_versions!(
    quirk_34_a_list_that_nobody_pushes_is_subscribed_to,
    quirk_34_once_a_week_at_most,
    quirk_34_a_refusal_is_quiet_and_remembered,
    quirk_34_who_is_pushed_is_not_subscribed_to,
    quirk_34_looking_at_keys_subscribes_to_nothing,
    rule_39_a_server_that_announces_everything_is_not_blamed,
    rule_39_without_publish_options_nodes_are_configured,
    rule_39_a_server_that_forgets_is_named,
);
