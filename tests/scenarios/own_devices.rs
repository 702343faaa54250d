//! The devices of our own account: labels that change, and devices that are taken off the lists.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use minidom::Element;
use omemo::store::Store;
use omemo::{BareJid, CallerError, Device, DeviceId, Error, Event, Version};
use omemo_tests::hub::{At, Hub, error, speaks};

use crate::over::Stores;
use crate::puppet::Puppet;
use crate::stage::*;

mod repair;

fn devices<S: Store + 'static>(hub: &mut Hub<S>, at: At, jid: &str) -> Vec<Device> {
    let jid = BareJid::parse(jid).unwrap();
    let account = hub.devices[at.0].account.as_mut().unwrap();
    account.devices(&jid).unwrap()
}

fn published_label<S: Store + 'static>(hub: &Hub<S>, jid: &str, device: u32) -> Option<String> {
    let list = hub
        .items(jid, devices_node(Version::Omemo2))
        .pop()
        .unwrap()
        .1;
    let id = device.to_string();
    let entry = list
        .children()
        .find(|entry| entry.attr("id") == Some(&id))
        .unwrap();
    assert_eq!(
        entry.attr("label").is_some(),
        entry.attr("labelsig").is_some()
    );
    entry.attr("label").map(str::to_owned)
}

/// What became of a removal.
fn removed<S: Store + 'static>(hub: &Hub<S>, at: At) -> Vec<(u32, Vec<String>)> {
    let events = hub.devices[at.0].events.iter();
    events
        .filter_map(|event| match event {
            Event::DeviceRemoved { device, incomplete } => Some((device.get(), incomplete.clone())),
            _ => None,
        })
        .collect()
}

fn remove<S: Store + 'static>(hub: &mut Hub<S>, at: At, device: u32) {
    let device = DeviceId::new(device).unwrap();
    hub.call(at, |account| account.remove_device(device));
    hub.settle();
}

/// Two devices of Juliet's that know each other, and whatever else stands on the list.
fn two_devices<S: Stores>(stores: &mut S, version: Version) -> (Hub<S::Store>, At, At) {
    let mut hub = Hub::new(3);
    let phone = hub.join(JULIET, stores.make(), speaks(&[version]));
    let laptop = hub.join(JULIET, stores.make(), speaks(&[version]));
    (hub, phone, laptop)
}

/// The entries of Juliet's list, as they are written.
fn entries<S: Store + 'static>(hub: &Hub<S>, version: Version) -> Vec<Element> {
    let list = hub.items(JULIET, devices_node(version)).pop().unwrap().1;
    list.children().cloned().collect()
}

fn rule_07_a_label_that_is_given_later_is_announced_signed<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[Version::Omemo2]));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&Version::ALL));
    hub.send(juliet, ROMEO, "1", "hello");
    let id = hub.id(romeo);
    assert_eq!(published_label(&hub, ROMEO, id), None);

    hub.call(romeo, |account| account.rename(Some("Romeo's phone é")));
    hub.settle();
    assert_eq!(
        published_label(&hub, ROMEO, id).as_deref(),
        Some("Romeo's phone é")
    );
    let shown = devices(&mut hub, juliet, ROMEO).remove(0);
    assert_eq!(shown.label.as_deref(), Some("Romeo's phone é"));
    let own = devices(&mut hub, romeo, ROMEO).remove(0);
    assert_eq!(own.label.as_deref(), Some("Romeo's phone é"));
    let asked = hub.questions_of(romeo).len();
    hub.call(romeo, |account| account.rename(Some("Romeo's phone é")));
    hub.settle();
    assert_eq!(hub.questions_of(romeo).len(), asked, "nothing was new");

    // a label that is longer than 52 characters, empty, or could pass for a key
    for bad in ["", &"x".repeat(53), &"x".repeat(32)] {
        let account = hub.devices[romeo.0].account.as_mut().unwrap();
        let refused = account.rename(Some(bad));
        assert!(
            matches!(refused, Err(Error::Caller(CallerError::Label))),
            "{bad:?}"
        );
    }
    hub.call(romeo, |account| account.rename(None));
    hub.settle();
    assert_eq!(published_label(&hub, ROMEO, id), None);
    assert_eq!(devices(&mut hub, juliet, ROMEO).remove(0).label, None);
}

/// Kept over a restart; what the app sets at opening wins, and nothing keeps what there is.
fn a_label_that_is_given_offline_waits_for_the_next_stream<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&Version::ALL));
    let id = hub.id(juliet);
    hub.go_offline(juliet);
    hub.call(juliet, |account| account.rename(Some("laptop")));
    hub.settle();
    assert_eq!(published_label(&hub, JULIET, id), None);
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    assert_eq!(published_label(&hub, JULIET, id).as_deref(), Some("laptop"));
    let store = hub.leave(juliet);
    let mut settings = speaks(&Version::ALL);
    settings.label = Some("desk".into());
    let again = hub.join(JULIET, stores.again(juliet.0, store), settings);
    assert_eq!(hub.id(again), id);
    assert_eq!(published_label(&hub, JULIET, id).as_deref(), Some("desk"));
    let store = hub.leave(again);
    let last = hub.join(JULIET, stores.again(juliet.0, store), speaks(&Version::ALL));
    let account = hub.devices[last.0].account.as_mut().unwrap();
    assert_eq!(account.label().unwrap().as_deref(), Some("desk"));
    assert_eq!(published_label(&hub, JULIET, id).as_deref(), Some("desk"));
}

/// The label changes while the list is on its way: the last word counts.
fn a_label_that_changes_twice_at_once_ends_as_the_last<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[Version::Omemo2]));
    let id = hub.id(juliet);
    for late in 0..4 {
        hub.call(juliet, |account| account.rename(Some("first")));
        for _ in 0..late {
            hub.deliver_one(juliet);
        }
        hub.call(juliet, |account| account.rename(Some("second")));
        hub.settle();
        assert_eq!(
            published_label(&hub, JULIET, id).as_deref(),
            Some("second"),
            "{late}"
        );
        hub.call(juliet, |account| account.rename(None));
        hub.settle();
    }
}

fn rule_38_another_device_is_removed_with_its_bundle<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, phone, laptop) = two_devices(&mut stores, version);
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(romeo, JULIET, "1", "to both");
    let (kept, gone) = (hub.id(phone), hub.id(laptop));
    hub.go_offline(laptop);
    // somebody else's entries, in words of their own
    let mut list = hub.items(JULIET, devices_node(version)).pop().unwrap().1;
    let strange = format!(
        "<device xmlns='{0}' id='5' label='Élan' future='yes'><child xmlns='urn:x'>text</child></device>",
        namespace(version)
    );
    list.append_child(xml(&strange));
    list.append_child(xml("<extension xmlns='urn:y'/>"));
    hub.plant(JULIET, devices_node(version), "current", list);
    hub.settle();
    assert!(bundle(&hub, version, JULIET, gone).is_some());
    let before = entries(&hub, version);

    remove(&mut hub, phone, gone);
    assert_eq!(removed(&hub, phone), [(gone, Vec::new())]);
    let id = gone.to_string();
    let wanted: Vec<Element> = before
        .into_iter()
        .filter(|entry| entry.attr("id") != Some(&id))
        .collect();
    let mut after = entries(&hub, version);
    assert_eq!(after.len(), wanted.len());
    for entry in &wanted {
        let own = entry.attr("id") == Some(&kept.to_string());
        assert!(own || after.contains(entry), "{entry:?}");
    }
    after.retain(|entry| entry.attr("id") == Some(&kept.to_string()));
    assert_eq!(after.len(), 1);
    assert_eq!(bundle(&hub, version, JULIET, gone), None);
    assert!(bundle(&hub, version, JULIET, kept).is_some());
    let (node, _) = bundle_place(version, gone);
    assert_eq!(hub.has_node(JULIET, &node), version == Version::Omemo2);

    let events = hub.send(romeo, JULIET, "2", "to one");
    let served: Vec<u32> = served(&events, "2")
        .iter()
        .map(|one| one.device.device.get())
        .collect();
    assert_eq!(served, [kept]);
    let own = devices(&mut hub, phone, JULIET);
    let row = own
        .iter()
        .find(|device| device.address.device.get() == gone);
    assert!(row.is_none_or(|device| device.listed.is_empty()), "{own:?}");
}

/// It is alive: it announces itself again, as it must, and nobody fights over the list.
fn rule_06_a_removed_device_that_is_in_use_comes_back<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, phone, laptop) = two_devices(&mut stores, version);
    let gone = hub.id(laptop);
    remove(&mut hub, phone, gone);
    assert_eq!(removed(&hub, phone), [(gone, Vec::new())]);
    hub.pass(5);
    assert!(listed(&hub, version, JULIET).contains(&gone));
    assert!(listed(&hub, version, JULIET).contains(&hub.id(phone)));
    assert!(bundle(&hub, version, JULIET, gone).is_some());
    let asked = hub.questions_of(phone).len();
    hub.pass(600);
    assert_eq!(hub.questions_of(phone).len(), asked);
}

fn what_the_server_refuses_is_told<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, phone, laptop) = two_devices(&mut stores, version);
    let gone = hub.id(laptop);
    let jid = BareJid::parse(JULIET).unwrap();
    hub.call(phone, |account| account.inspect(&jid));
    hub.settle();
    hub.go_offline(laptop);
    hub.objects = Box::new(|_, iq| {
        let text = String::from(iq);
        let removal = text.contains("<retract") || text.contains("<delete");
        removal.then(|| error("auth", "forbidden", None))
    });
    remove(&mut hub, phone, gone);
    let told = removed(&hub, phone);
    assert_eq!(told.len(), 1);
    assert!(told[0].1[0].contains("forbidden"), "{told:?}");
    assert!(!listed(&hub, version, JULIET).contains(&gone));
    // and again, when it lets us
    hub.objects = Box::new(|_, _| None);
    remove(&mut hub, phone, gone);
    assert_eq!(removed(&hub, phone).pop().unwrap(), (gone, Vec::new()));
    assert_eq!(bundle(&hub, version, JULIET, gone), None);
}

/// A list that cannot be read is never published over.
fn a_list_that_cannot_be_read_stays_as_it_is<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, phone, laptop) = two_devices(&mut stores, version);
    let gone = hub.id(laptop);
    hub.go_offline(laptop);
    hub.pushes = false;
    let unreadable = list(version, 1..=2_000);
    hub.plant(JULIET, devices_node(version), "current", unreadable.clone());
    remove(&mut hub, phone, gone);
    assert!(removed(&hub, phone).is_empty());
    for _ in 0..30 {
        hub.pass(5);
    }
    let told = removed(&hub, phone);
    assert!(told[0].1[0].contains("could not be published"), "{told:?}");
    assert_eq!(
        hub.items(JULIET, devices_node(version)).pop().unwrap().1,
        unreadable
    );
}

fn without_an_answer_a_removal_ends_in_time<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, phone, laptop) = two_devices(&mut stores, version);
    let gone = hub.id(laptop);
    hub.go_offline(laptop);
    hub.answers = false;
    remove(&mut hub, phone, gone);
    for _ in 0..12 {
        assert!(removed(&hub, phone).is_empty());
        hub.pass(10);
    }
    let told = removed(&hub, phone);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].1.len(), 1, "{told:?}");
}

/// A removal that a broken stream has interrupted goes on in the next one.
fn a_removal_survives_the_stream<S: Stores>(mut stores: S, version: Version) {
    for steps in 0..5 {
        let (mut hub, phone, laptop) = two_devices(&mut stores, version);
        let gone = hub.id(laptop);
        hub.go_offline(laptop);
        let device = DeviceId::new(gone).unwrap();
        hub.call(phone, |account| account.remove_device(device));
        for _ in 0..steps {
            hub.deliver_one(phone);
        }
        hub.mailbox(phone).clear();
        hub.go_offline(phone);
        hub.go_online(phone);
        hub.settle();
        assert_eq!(removed(&hub, phone), [(gone, Vec::new())], "{steps}");
        assert!(!listed(&hub, version, JULIET).contains(&gone));
        assert_eq!(bundle(&hub, version, JULIET, gone), None);
    }
}

/// Two publishers of one list: the label and the removal do not undo each other, at any moment.
fn a_removal_and_a_label_do_not_race<S: Stores>(mut stores: S) {
    for steps in 0..6 {
        let (mut hub, phone, laptop) = two_devices(&mut stores, Version::Omemo2);
        let (kept, gone) = (hub.id(phone), hub.id(laptop));
        hub.go_offline(laptop);
        let device = DeviceId::new(gone).unwrap();
        hub.call(phone, |account| account.remove_device(device));
        for _ in 0..steps {
            hub.deliver_one(phone);
        }
        hub.call(phone, |account| account.rename(Some("phone")));
        hub.settle();
        assert_eq!(
            published_label(&hub, JULIET, kept).as_deref(),
            Some("phone"),
            "{steps}"
        );
        assert_eq!(listed(&hub, Version::Omemo2, JULIET), [kept], "{steps}");
        assert_eq!(removed(&hub, phone), [(gone, Vec::new())]);
    }
}

fn a_device_that_is_being_removed_is_not_served<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, phone, laptop) = two_devices(&mut stores, version);
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(phone, ROMEO, "1", "with the laptop");
    let gone = hub.id(laptop);
    assert_eq!(hub.bodies(laptop), ["with the laptop"]);
    let device = DeviceId::new(gone).unwrap();
    hub.answers = false;
    hub.call(phone, |account| account.remove_device(device));
    hub.write(phone, ROMEO, "2", "without it");
    hub.answers = true;
    hub.settle();
    assert_eq!(hub.bodies(romeo), ["with the laptop", "without it"]);
    assert_eq!(hub.bodies(laptop), ["with the laptop"]);
}

fn only_others_can_be_removed<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, phone, _) = two_devices(&mut stores, version);
    let own = DeviceId::new(hub.id(phone)).unwrap();
    let account = hub.devices[phone.0].account.as_mut().unwrap();
    let refused = account.remove_device(own).unwrap_err();
    assert!(matches!(refused, Error::Caller(CallerError::OwnDevice)));
    assert!(refused.to_string().contains("deactivate"), "{refused}");
    let nobody = DeviceId::new(1_234_567).unwrap();
    let refused = account.remove_device(nobody).unwrap_err();
    assert!(matches!(
        refused,
        Error::Caller(CallerError::UnknownDevice(_))
    ));
    account.offline();
    let refused = account.remove_device(nobody).unwrap_err();
    assert!(matches!(refused, Error::Caller(CallerError::Offline)));
}

/// On a list for the first time, of an account whose list was known: once, whatever the number of protocols.
fn a_new_device_of_a_contact_is_told_once<S: Stores>(mut stores: S) {
    let news = |events: &[Event]| -> Vec<u32> {
        let new = events.iter().filter_map(|event| match event {
            Event::NewDevice { device, .. } => Some(device.device.get()),
            _ => None,
        });
        new.collect()
    };
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&Version::ALL));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&Version::ALL));
    hub.send(juliet, ROMEO, "1", "hello");
    // neither we ourselves nor the first list of anybody
    assert!(news(&hub.devices[juliet.0].events).is_empty());
    assert!(news(&hub.devices[romeo.0].events).is_empty());
    let tablet = hub.join(ROMEO, stores.make(), speaks(&Version::ALL));
    let id = hub.id(tablet);
    assert_eq!(news(&hub.devices[juliet.0].events), [id]);
    assert_eq!(
        news(&hub.devices[romeo.0].events),
        [id],
        "our own other device"
    );
    assert!(news(&hub.devices[tablet.0].events).is_empty());
    // gone and back is not new
    hub.send(juliet, ROMEO, "2", "hello");
    for version in Version::ALL {
        let full = hub.items(ROMEO, devices_node(version)).pop().unwrap().1;
        hub.deliver(juliet, &push_of(version, &list(version, [hub.id(romeo)])));
        hub.deliver(juliet, &push_of(version, &full));
    }
    assert_eq!(news(&hub.devices[juliet.0].events), [id]);
}

fn push_of(version: Version, payload: &Element) -> Element {
    xml(&format!(
        "<message xmlns='jabber:client' from='{ROMEO}'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
         <items node='{}'><item id='current'>{}</item></items></event></message>",
        devices_node(version),
        String::from(payload)
    ))
}

fn a_device_that_learns_omemo_2_is_told<S: Stores>(mut stores: S) {
    let upgraded = |events: &[Event]| -> Vec<u32> {
        let new = events.iter().filter_map(|event| match event {
            Event::Upgraded { device } => Some(device.device.get()),
            _ => None,
        });
        new.collect()
    };
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&Version::ALL));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[Version::Legacy]));
    let id = hub.id(romeo);
    hub.send(juliet, ROMEO, "1", "hello");
    hub.pass(4_000);
    let store = hub.leave(romeo);
    let again = hub.join(ROMEO, stores.again(romeo.0, store), speaks(&Version::ALL));
    assert_eq!(hub.id(again), id);
    assert_eq!(upgraded(&hub.devices[juliet.0].events), [id]);
    let new = |event: &Event| matches!(event, Event::NewDevice { .. });
    assert!(!hub.devices[juliet.0].events.iter().any(new));
    // one that announces itself in both at once has learnt nothing
    let tablet = hub.join(ROMEO, stores.make(), speaks(&Version::ALL));
    assert_ne!(hub.id(tablet), id);
    assert_eq!(upgraded(&hub.devices[juliet.0].events), [id]);
}

/// A label of another own device shows once its key is known.
fn the_labels_of_our_other_devices_show<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let phone = hub.join(JULIET, stores.make(), speaks(&[Version::Omemo2]));
    let mut other = Puppet::new(Version::Omemo2, JULIET, 77);
    other.publish(&mut hub);
    let signature = BASE64.encode(other.sign("tablet".as_bytes()));
    let mut list = hub
        .items(JULIET, devices_node(Version::Omemo2))
        .pop()
        .unwrap()
        .1;
    list.append_child(xml(&format!(
        "<device xmlns='urn:xmpp:omemo:2' id='77' label='tablet' labelsig='{signature}'/>"
    )));
    hub.plant(JULIET, devices_node(Version::Omemo2), "current", list);
    hub.settle();
    let jid = BareJid::parse(JULIET).unwrap();
    hub.call(phone, |account| account.inspect(&jid));
    hub.settle();
    let shown = devices(&mut hub, phone, JULIET);
    let tablet = shown
        .iter()
        .find(|device| device.address.device.get() == 77)
        .unwrap();
    assert_eq!(tablet.label.as_deref(), Some("tablet"));
}

over!(
    rule_07_a_label_that_is_given_later_is_announced_signed,
    a_label_that_is_given_offline_waits_for_the_next_stream,
    a_label_that_changes_twice_at_once_ends_as_the_last,
    a_removal_and_a_label_do_not_race,
    a_new_device_of_a_contact_is_told_once,
    a_device_that_learns_omemo_2_is_told,
    the_labels_of_our_other_devices_show,
);
over_versions!(
    rule_38_another_device_is_removed_with_its_bundle,
    rule_06_a_removed_device_that_is_in_use_comes_back,
    what_the_server_refuses_is_told,
    a_list_that_cannot_be_read_stays_as_it_is,
    without_an_answer_a_removal_ends_in_time,
    a_removal_survives_the_stream,
    a_device_that_is_being_removed_is_not_served,
    only_others_can_be_removed,
);
