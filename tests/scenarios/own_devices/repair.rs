//! Bundles that devices have left behind.

use super::*;

/// What looking at our own bundles found: removed, orphans, and devices without one.
fn repair<S: Store + 'static>(hub: &mut Hub<S>, at: At) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let start = hub.devices[at.0].events.len();
    hub.call(at, |account| account.repair());
    hub.settle();
    let ids = |ids: &[DeviceId]| ids.iter().map(|id| id.get()).collect();
    let mut events = hub.devices[at.0].events[start..].iter();
    let found = events.find_map(|event| match event {
        Event::Repaired {
            removed,
            orphans,
            without_bundle,
            failure: None,
            ..
        } => Some((ids(removed), ids(orphans), ids(without_bundle))),
        _ => None,
    });
    found.unwrap()
}

/// A bundle that is on no list for a day was left behind; one that is listed meanwhile was not.
fn bundles_that_devices_left_behind_are_removed<S: Stores>(mut stores: S) {
    const VERSION: Version = Version::Omemo2;
    let mut hub = Hub::new(1);
    let phone = hub.join(JULIET, stores.make(), speaks(&Version::ALL));
    let own = hub.id(phone);
    for id in [77, 78] {
        Puppet::new(VERSION, JULIET, id).publish(&mut hub);
    }
    assert_eq!(repair(&mut hub, phone), (vec![], vec![77, 78], vec![]));
    hub.pass(86_300);
    assert_eq!(repair(&mut hub, phone), (vec![], vec![77, 78], vec![]));
    hub.restart(phone, |old| stores.again(phone.0, old));
    // one announces itself, late, and another one without a bundle
    hub.plant(
        JULIET,
        devices_node(VERSION),
        "current",
        list(VERSION, [own, 78, 79]),
    );
    hub.settle();
    let shown = devices(&mut hub, phone, JULIET);
    let late = shown
        .iter()
        .find(|device| device.address.device.get() == 78)
        .unwrap();
    assert_eq!((late.failure.as_deref(), late.listed.len()), (None, 1));
    hub.pass(100);
    assert_eq!(repair(&mut hub, phone), (vec![77], vec![], vec![79]));
    assert!(bundle(&hub, VERSION, JULIET, 77).is_none());
    for id in [own, 78] {
        assert!(bundle(&hub, VERSION, JULIET, id).is_some(), "{id}");
    }
    assert_eq!(repair(&mut hub, phone), (vec![], vec![], vec![79]));
    remove(&mut hub, phone, 79);
    assert_eq!(repair(&mut hub, phone), (vec![], vec![], vec![]));
    assert_eq!(listed(&hub, VERSION, JULIET), [own, 78]);
}

/// A bundle is published before the device is listed: looking at it meanwhile decides nothing about its key.
fn a_device_whose_bundle_was_looked_at_early_is_served<S: Stores>(mut stores: S) {
    const VERSION: Version = Version::Omemo2;
    let mut hub = Hub::new(2);
    let phone = hub.join(JULIET, stores.make(), speaks(&[VERSION]));
    hub.join(ROMEO, stores.make(), speaks(&[VERSION]));
    let own = hub.id(phone);
    Puppet::new(VERSION, JULIET, 77).publish(&mut hub);
    assert_eq!(repair(&mut hub, phone), (vec![], vec![77], vec![]));
    hub.plant(
        JULIET,
        devices_node(VERSION),
        "current",
        list(VERSION, [own, 77]),
    );
    hub.settle();
    let events = hub.send(phone, ROMEO, "1", "for both");
    let ids: Vec<u32> = served(&events, "1")
        .iter()
        .map(|served| served.device.device.get())
        .collect();
    assert!(ids.contains(&77), "{events:?}");
}

over!(
    bundles_that_devices_left_behind_are_removed,
    a_device_whose_bundle_was_looked_at_early_is_served,
);
