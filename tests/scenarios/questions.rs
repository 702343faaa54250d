//! What else makes a device ask about others: one that nobody listed, and the wish to see keys before the first message.

use minidom::Element;
use omemo::{BareJid, Event, Settings, Version};
use omemo_tests::hub::{Hub, speaks};

use crate::lists::asked;
use crate::over::Stores;
use crate::puppet::Puppet;
use crate::stage::*;

fn rule_31_an_unknown_device_makes_us_fetch_its_list<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    hub.pushes = false;
    hub.pass(3600);
    let mut puppet = Puppet::new(version, ROMEO, 5);
    puppet.publish(&mut hub);
    let both = list(version, [5, hub.id(romeo)]);
    hub.plant(ROMEO, devices_node(version), "current", both);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    let before = asked(&hub, juliet, devices_node(version), ROMEO);
    assert_eq!(
        read(&hub.deliver(juliet, &puppet.text("a new device"))),
        ["a new device"]
    );
    assert_eq!(
        asked(&hub, juliet, devices_node(version), ROMEO),
        before + 1
    );
    hub.settle();
    for n in 0..20 {
        hub.deliver(juliet, &puppet.text(&n.to_string()));
        hub.settle();
    }
    assert_eq!(
        asked(&hub, juliet, devices_node(version), ROMEO),
        before + 1,
        "asked again and again"
    );
    let events = hub.send(juliet, ROMEO, "1", "to both");
    assert_eq!(served(&events, "1").len(), 2, "{events:?}");
}

/// Somebody we never wrote to makes us ask nothing: a question tells that we are there and have read.
fn rule_31_a_stranger_makes_us_ask_nothing<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let mut puppet = Puppet::new(version, MALLORY, 5);
    puppet.enlist(&mut hub);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    hub.deliver(juliet, &puppet.text("hello there"));
    hub.settle();
    assert!(hub.messages_of(juliet).is_empty());
    // our own account is asked what it can do
    let abroad = |iq: &&Element| iq.attr("to").is_some_and(|to| to != JULIET);
    let questions = hub.questions_of(juliet);
    assert_eq!(questions.iter().filter(abroad).count(), 0);
}

fn inspecting_makes_no_sessions_and_shows_all_keys<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), Settings::default());
    let both = hub.join(ROMEO, stores.make(), Settings::default());
    let old = hub.join(ROMEO, stores.make(), speaks(&[Version::Legacy]));
    let jid = BareJid::parse(ROMEO).unwrap();
    hub.call(juliet, |account| account.inspect(&jid));
    hub.settle();
    let inspected = |event: &Event| matches!(event, Event::Inspected { .. });
    assert!(hub.devices[juliet.0].events.iter().any(inspected));
    let devices = hub.devices[juliet.0]
        .account
        .as_mut()
        .unwrap()
        .devices(&jid)
        .unwrap();
    assert_eq!(devices.len(), 2);
    for at in [both, old] {
        let account = hub.devices[at.0].account.as_ref().unwrap();
        let device = devices
            .iter()
            .find(|device| device.address.device == account.device())
            .unwrap();
        assert_eq!(device.fingerprint, Some(account.fingerprint()));
        assert!(device.sessions.is_empty());
    }
    assert!(
        !hub.dump(juliet)
            .iter()
            .any(|line| line.starts_with("session"))
    );
    assert!(hub.messages_of(juliet).is_empty());
}

fn inspecting_somebody_without_devices_ends_too<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let inspected = |hub: &Hub<S::Store>| {
        let events = &hub.devices[juliet.0].events;
        events
            .iter()
            .filter(|event| matches!(event, Event::Inspected { .. }))
            .count()
    };
    hub.call(juliet, |account| {
        account.inspect(&BareJid::parse(MALLORY).unwrap())
    });
    hub.settle();
    assert_eq!(inspected(&hub), 1);
    hub.answers = false;
    hub.call(juliet, |account| {
        account.inspect(&BareJid::parse(ROMEO).unwrap())
    });
    hub.pass(30);
    assert_eq!(inspected(&hub), 2);
}

over!(inspecting_makes_no_sessions_and_shows_all_keys);
over_versions!(
    rule_31_an_unknown_device_makes_us_fetch_its_list,
    rule_31_a_stranger_makes_us_ask_nothing,
    inspecting_somebody_without_devices_ends_too,
);
