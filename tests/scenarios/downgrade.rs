//! Devices that change protocol: whoever controls a server must not choose the weaker one for them (A12).

use omemo::store::Store;
use omemo::{Address, DeviceId, Error, Event, Settings, UnservedReason, Version};
use omemo_tests::hub::{At, Hub, error, speaks};

use crate::over::Stores;
use crate::stage::*;

/// A contact that speaks both, and to whom juliet has written.
fn both<S: Stores>(stores: &mut S) -> (Hub<S::Store>, At, At) {
    let mut hub = Hub::new(21);
    let juliet = hub.join(JULIET, stores.make(), Settings::default());
    let romeo = hub.join(ROMEO, stores.make(), Settings::default());
    let events = hub.send(juliet, ROMEO, "1", "1");
    assert_eq!(versions(&events, "1"), [Version::Omemo2]);
    (hub, juliet, romeo)
}

/// In which protocols romeo was served.
fn versions(events: &[Event], id: &str) -> Vec<Version> {
    let all = served(events, id).into_iter();
    let of_romeo = all.filter(|served| served.device.jid.as_str() == ROMEO);
    of_romeo.map(|served| served.version).collect()
}

fn address<S: Store + 'static>(hub: &Hub<S>, of: At) -> Address {
    Address {
        jid: hub.devices[of.0].jid.clone(),
        device: DeviceId::new(hub.id(of)).unwrap(),
    }
}

fn downgrades<S: Store + 'static>(hub: &Hub<S>, at: At) -> Vec<Address> {
    let events = hub.devices[at.0].events.iter();
    events
        .filter_map(|event| match event {
            Event::Downgraded { device } => Some(device.clone()),
            _ => None,
        })
        .collect()
}

fn upgrades<S: Store + 'static>(hub: &Hub<S>, at: At) -> usize {
    let events = hub.devices[at.0].events.iter();
    events
        .filter(|event| matches!(event, Event::Upgraded { .. }))
        .count()
}

/// The server shows this list, and the device that could correct it is away.
fn show<S: Store + 'static>(hub: &mut Hub<S>, jid: &str, version: Version, ids: &[u32]) {
    hub.plant(
        jid,
        devices_node(version),
        "current",
        list(version, ids.iter().copied()),
    );
    hub.settle();
}

fn a12_a_device_that_left_the_better_list_is_unserved_until_a_person_agrees<S: Stores>(
    mut stores: S,
) {
    let (mut hub, juliet, romeo) = both(&mut stores);
    let device = address(&hub, romeo);
    hub.go_offline(romeo);
    assert!(downgrades(&hub, juliet).is_empty());
    show(&mut hub, ROMEO, Version::Omemo2, &[]);
    assert_eq!(downgrades(&hub, juliet), std::slice::from_ref(&device));
    for id in ["2", "3"] {
        let events = hub.send(juliet, ROMEO, id, id);
        assert!(is_refused(&events, id));
        let reasons: Vec<_> = unserved(&events, id)
            .into_iter()
            .map(|one| one.reason)
            .collect();
        assert_eq!(reasons, [UnservedReason::Downgraded]);
    }
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    let events = hub.send(juliet, ROMEO, "4", "4");
    assert!(is_refused(&events, "4"), "pinned in the store");
    assert_eq!(downgrades(&hub, juliet).len(), 1, "said once");

    let account = hub.devices[juliet.0].account.as_mut().unwrap();
    account.allow_downgrade(&device).unwrap();
    assert!(matches!(
        account.allow_downgrade(&device),
        Err(Error::Caller(_))
    ));
    let kept = hub.dump(juliet);
    assert!(
        !kept.iter().any(|line| line.starts_with("session Omemo2")),
        "listed again it would be served without a look at its key"
    );
    let events = hub.send(juliet, ROMEO, "5", "5");
    assert_eq!(versions(&events, "5"), [Version::Legacy]);
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    let events = hub.send(juliet, ROMEO, "6", "6");
    assert_eq!(versions(&events, "6"), [Version::Legacy]);

    // and back: by a bundle, whose key is looked at again
    hub.pass(7_200);
    let id = hub.id(romeo);
    show(&mut hub, ROMEO, Version::Omemo2, &[id]);
    assert_eq!(upgrades(&hub, juliet), 1);
    let events = hub.send(juliet, ROMEO, "7", "7");
    assert_eq!(versions(&events, "7"), [Version::Omemo2]);
    hub.go_online(romeo);
    hub.settle();
    assert_eq!(hub.bodies(romeo), ["1", "5", "6", "7"]);
}

/// The same when the weaker list is the one that changes.
fn a12_a_device_that_appears_on_the_weaker_list_alone_is_unserved<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(22);
    let juliet = hub.join(JULIET, stores.make(), Settings::default());
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[Version::Omemo2]));
    hub.send(juliet, ROMEO, "1", "1");
    hub.go_offline(romeo);
    show(&mut hub, ROMEO, Version::Omemo2, &[]);
    assert!(downgrades(&hub, juliet).is_empty(), "it is gone");
    let events = hub.send(juliet, ROMEO, "2", "2");
    assert_eq!(unserved(&events, "2")[0].reason, UnservedReason::NoDevices);
    let id = hub.id(romeo);
    show(&mut hub, ROMEO, Version::Legacy, &[id]);
    assert_eq!(downgrades(&hub, juliet), [address(&hub, romeo)]);
    let events = hub.send(juliet, ROMEO, "3", "3");
    assert_eq!(unserved(&events, "3")[0].reason, UnservedReason::Downgraded);
}

/// A device whose key is known is not served in the weaker protocol because its bundle is withheld.
fn a12_withholding_a_bundle_downgrades_nobody<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(23);
    let juliet = hub.join(JULIET, stores.make(), Settings::default());
    let romeo = hub.join(ROMEO, stores.make(), Settings::default());
    // known by a look, without a session
    hub.call(juliet, |account| account.inspect(&bare(ROMEO)));
    hub.settle();
    hub.objects = Box::new(|owner, iq| {
        let asked = String::from(iq);
        let withheld = owner == ROMEO && asked.contains("urn:xmpp:omemo:2:bundles");
        withheld.then(|| error("cancel", "item-not-found", None))
    });
    let events = hub.send(juliet, ROMEO, "1", "1");
    assert!(is_refused(&events, "1"), "{events:?}");
    assert!(matches!(
        unserved(&events, "1")[0].reason,
        UnservedReason::BundleUnusable(_)
    ));
    hub.objects = Box::new(|_, _| None);
    hub.pass(61);
    let events = hub.send(juliet, ROMEO, "2", "2");
    assert_eq!(versions(&events, "2"), [Version::Omemo2]);
    assert_eq!(hub.bodies(romeo), ["2"]);
}

/// An own device is pinned as others are: the others are served, it is not.
fn a12_own_devices_are_pinned_too<S: Stores>(mut stores: S) {
    let (mut hub, juliet, romeo) = both(&mut stores);
    let laptop = hub.join(JULIET, stores.make(), Settings::default());
    hub.send(juliet, ROMEO, "2", "2");
    assert_eq!(hub.bodies(laptop), ["2"]);
    hub.go_offline(laptop);
    let own = hub.id(juliet);
    show(&mut hub, JULIET, Version::Omemo2, &[own]);
    assert_eq!(downgrades(&hub, juliet), [address(&hub, laptop)]);
    let events = hub.send(juliet, ROMEO, "3", "3");
    assert_eq!(versions(&events, "3"), [Version::Omemo2]);
    let left = unserved(&events, "3");
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].jid.as_str(), JULIET);
    assert_eq!(left[0].reason, UnservedReason::Downgraded);
    assert_eq!(hub.bodies(romeo), ["1", "2", "3"]);
}

/// An id in both lists is one device until two keys are known: another key is another device.
fn a12_another_device_of_the_same_id_is_no_downgrade<S: Stores>(mut stores: S) {
    let (mut hub, juliet, romeo) = both(&mut stores);
    let id = hub.id(romeo);
    hub.go_offline(romeo);
    let mut other = crate::puppet::Puppet::new(Version::Legacy, ROMEO, id);
    other.publish(&mut hub);
    // met by its key exchange, under the id that the better protocol knows with another key
    other.meet(&hub, JULIET, hub.id(juliet));
    hub.deliver(juliet, &other.text("hello"));
    show(&mut hub, ROMEO, Version::Omemo2, &[]);
    assert!(downgrades(&hub, juliet).is_empty());
    let events = hub.send(juliet, ROMEO, "2", "2");
    assert_eq!(
        versions(&events, "2"),
        [Version::Legacy],
        "a key of its own, judged by itself"
    );
}

/// Who only spoke legacy and is now on the better list as well is reported, and served there.
fn a12_a_device_that_learns_the_better_protocol_is_reported<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(24);
    let juliet = hub.join(JULIET, stores.make(), Settings::default());
    let store = stores.make();
    let romeo = hub.join(ROMEO, store, speaks(&[Version::Legacy]));
    let events = hub.send(juliet, ROMEO, "1", "1");
    assert_eq!(versions(&events, "1"), [Version::Legacy]);
    assert_eq!(upgrades(&hub, juliet), 0);
    hub.pass(7_200);
    let store = hub.leave(romeo);
    let store = stores.again(romeo.0, store);
    let romeo = hub.join(ROMEO, store, Settings::default());
    assert_eq!(upgrades(&hub, juliet), 1);
    let events = hub.send(juliet, ROMEO, "2", "2");
    assert_eq!(versions(&events, "2"), [Version::Omemo2]);
    assert_eq!(hub.bodies(romeo), ["2"]);
}

over!(
    a12_a_device_that_left_the_better_list_is_unserved_until_a_person_agrees,
    a12_a_device_that_appears_on_the_weaker_list_alone_is_unserved,
    a12_withholding_a_bundle_downgrades_nobody,
    a12_own_devices_are_pinned_too,
    a12_another_device_of_the_same_id_is_no_downgrade,
    a12_a_device_that_learns_the_better_protocol_is_reported,
);
