//! The end of a device and of an account: off the server, and nothing left in the store (XEP-0384 §6).

use omemo::store::Store;
use omemo::{
    Account, BareJid, CallerError, DeviceId, Error, Event, FullJid, Removal, UnsentReason, Version,
};
use omemo_tests::hub::{At, Hub, Watched, error, speaks};

use crate::over::{Sqlite, Stores};
use crate::puppet::Puppet;
use crate::stage::*;

/// What a deactivation has left undone, once it is over.
fn over<S: Store + 'static>(hub: &Hub<S>, at: At) -> Option<Vec<String>> {
    let mut events = hub.devices[at.0].events.iter();
    events.find_map(|event| match event {
        Event::Deactivated { incomplete } => Some(incomplete.clone()),
        _ => None,
    })
}

fn account<S: Store + 'static>(hub: &mut Hub<S>, at: At) -> &mut Account<Watched<S>> {
    hub.devices[at.0].account.as_mut().unwrap()
}

fn deactivate<S: Store + 'static>(hub: &mut Hub<S>, at: At, removal: Removal) {
    hub.call(at, |account| account.deactivate(removal));
    hub.settle();
}

/// Juliet with a phone and a laptop, and Romeo, who all have sessions with each other.
fn three<S: Stores>(stores: &mut S, version: Version) -> (Hub<S::Store>, At, At, At) {
    let mut hub = Hub::new(9);
    let phone = hub.join(JULIET, stores.make(), speaks(&[version]));
    let laptop = hub.join(JULIET, stores.make(), speaks(&[version]));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(romeo, JULIET, "1", "hello");
    hub.send(phone, ROMEO, "2", "hi");
    hub.send(laptop, ROMEO, "3", "hi");
    (hub, phone, laptop, romeo)
}

fn is_removed<R>(result: &Result<R, Error>) -> bool {
    matches!(result, Err(Error::Caller(CallerError::Removed)))
}

fn rule_38_a_device_that_is_deactivated_is_off_the_server<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, phone, laptop, romeo) = three(&mut stores, version);
    let (gone, kept) = (hub.id(phone), hub.id(laptop));
    let fingerprint = account(&mut hub, phone).fingerprint();
    let strange = format!(
        "<device xmlns='{}' id='5' future='yes'/>",
        namespace(version)
    );
    let mut list = hub.items(JULIET, devices_node(version)).pop().unwrap().1;
    list.append_child(xml(&strange));
    hub.plant(JULIET, devices_node(version), "current", list);
    hub.settle();

    deactivate(&mut hub, phone, Removal::Device);
    assert_eq!(over(&hub, phone), Some(Vec::new()));
    assert_eq!(listed(&hub, version, JULIET), [kept, 5]);
    let list = hub.items(JULIET, devices_node(version)).pop().unwrap().1;
    let entry = list.children().find(|entry| entry.attr("id") == Some("5"));
    assert_eq!(entry.unwrap().attr("future"), Some("yes"));
    assert_eq!(bundle(&hub, version, JULIET, gone), None);
    assert!(bundle(&hub, version, JULIET, kept).is_some());
    let events = hub.send(romeo, JULIET, "4", "to the laptop");
    let served: Vec<u32> = served(&events, "4")
        .iter()
        .map(|one| one.device.device.get())
        .collect();
    assert_eq!(served, [kept]);

    // every call says so
    let romeos = BareJid::parse(ROMEO).unwrap();
    let full = FullJid::parse(&format!("{JULIET}/x")).unwrap();
    let handle = account(&mut hub, phone);
    assert!(is_removed(&handle.online(full, false)));
    assert!(is_removed(
        &handle.receive(&xml("<message xmlns='jabber:client'/>"))
    ));
    assert!(is_removed(&handle.tick()));
    assert!(is_removed(&handle.caught_up()));
    assert!(is_removed(&handle.unacknowledged()));
    assert!(is_removed(&handle.devices(&romeos)));
    assert!(is_removed(&handle.known(&romeos)));
    assert!(is_removed(&handle.label()));
    assert!(is_removed(&handle.rename(None)));
    assert!(is_removed(&handle.remove_device(DeviceId::new(1).unwrap())));
    assert!(is_removed(&handle.acknowledge(&[])));
    assert!(is_removed(&handle.deactivate(Removal::Account)));

    // and opening the store again begins a new device
    let store = hub.leave(phone);
    let next = hub.join(JULIET, stores.again(phone.0, store), speaks(&[version]));
    assert_ne!(hub.id(next), gone);
    assert_ne!(account(&mut hub, next).fingerprint(), fingerprint);
    hub.send(romeo, JULIET, "5", "welcome");
    assert_eq!(hub.bodies(next), ["welcome"]);
}

/// The last one leaves an empty list behind, and ends what it has subscribed to.
fn rule_38_the_last_device_leaves_an_empty_list<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(9);
    hub.pushes = false;
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    hub.send(juliet, ROMEO, "1", "hello");
    assert_eq!(hub.bodies(romeo), ["hello"]);
    assert_eq!(hub.subscriptions.len(), 1);
    deactivate(&mut hub, juliet, Removal::Device);
    assert_eq!(over(&hub, juliet), Some(Vec::new()));
    assert!(listed(&hub, version, JULIET).is_empty());
    assert!(hub.subscriptions.is_empty(), "{:?}", hub.subscriptions);
}

fn rule_38_an_account_that_is_deactivated_has_no_nodes<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, phone, laptop, romeo) = three(&mut stores, version);
    let ids = [hub.id(phone), hub.id(laptop)];
    deactivate(&mut hub, laptop, Removal::Device);
    // one that was forgotten on the list, and its bundle
    let mut puppet = Puppet::new(version, JULIET, 77);
    puppet.publish(&mut hub);
    hub.plant(
        JULIET,
        devices_node(version),
        "current",
        list(version, [ids[0], 77]),
    );
    hub.settle();
    hub.pushes = true;
    deactivate(&mut hub, phone, Removal::Account);
    assert_eq!(over(&hub, phone), Some(Vec::new()));
    assert!(!hub.has_node(JULIET, devices_node(version)));
    for id in [ids[0], ids[1], 77] {
        assert!(!hub.has_node(JULIET, &bundle_place(version, id).0), "{id}");
    }
    let events = hub.send(romeo, JULIET, "4", "to nobody");
    assert!(is_refused(&events, "4"), "{events:?}");
}

/// Both protocols at once.
fn rule_38_both_protocols_are_cleaned<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(9);
    let juliet = hub.join(JULIET, stores.make(), speaks(&Version::ALL));
    let id = hub.id(juliet);
    deactivate(&mut hub, juliet, Removal::Device);
    assert_eq!(over(&hub, juliet), Some(Vec::new()));
    for version in Version::ALL {
        assert!(listed(&hub, version, JULIET).is_empty());
        assert_eq!(bundle(&hub, version, JULIET, id), None);
    }
}

/// Offline, over a restart, and after a crash at any moment: the next stream does it.
fn rule_38_a_deactivation_survives_a_crash<S: Stores>(mut stores: S, version: Version) {
    for steps in 0..5 {
        let mut hub = Hub::new(9);
        let place = usize::try_from(steps).unwrap();
        let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
        let id = hub.id(juliet);
        if steps == 0 {
            hub.go_offline(juliet);
        }
        hub.call(juliet, |account| account.deactivate(Removal::Device));
        for _ in 1..steps {
            hub.deliver_one(juliet);
        }
        if over(&hub, juliet).is_some() {
            break;
        }
        hub.mailbox(juliet).clear();
        hub.restart_quietly(juliet, |old| stores.again(place, old));
        assert_eq!(hub.id(juliet), id, "not done yet");
        hub.go_online(juliet);
        hub.settle();
        assert_eq!(over(&hub, juliet), Some(Vec::new()), "{steps}");
        assert!(listed(&hub, version, JULIET).is_empty());
        assert_eq!(bundle(&hub, version, JULIET, id), None);
    }
}

/// From the call on: what had not left never will, and what arrives is not opened.
fn rule_38_nothing_is_sent_or_decrypted_on_the_way_out<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, phone, _, romeo) = three(&mut stores, version);
    hub.devices[phone.0].confirms = false;
    hub.lets_pass = |stanza| stanza.name() != "message";
    hub.send(phone, ROMEO, "lost", "on its way");
    hub.answers = false;
    hub.write(phone, MALLORY, "waits", "not sealed yet");
    hub.call(phone, |account| account.deactivate(Removal::Device));
    let events = hub.devices[phone.0].events.clone();
    let told = unsent(&events);
    assert_eq!(told, [("lost".to_owned(), UnsentReason::Deactivated, true)]);
    assert!(is_refused(&events, "waits"), "{events:?}");
    hub.lets_pass = |_| true;
    let read = hub.bodies(phone).len();
    hub.write(romeo, JULIET, "4", "too late");
    let foreign = xml(&format!(
        "<message xmlns='jabber:client' type='error' from='{ROMEO}' id='of-the-app'/>"
    ));
    let output = account(&mut hub, phone).receive(&foreign).unwrap();
    assert!(!output.consumed, "what never was ours is the app's");
    hub.answers = true;
    hub.send(romeo, JULIET, "5", "too late");
    hub.answers = false;
    assert_eq!(hub.bodies(phone).len(), read);
    let sent = hub.messages_of(phone).len();
    let chat = omemo::Chat::Direct(BareJid::parse(ROMEO).unwrap());
    let outgoing = omemo::Outgoing::text("6", chat, "no");
    assert!(is_removed(&account(&mut hub, phone).send(outgoing)));
    hub.pass(10);
    assert_eq!(hub.messages_of(phone).len(), sent);
    assert!(over(&hub, phone).is_none());
}

fn what_a_server_refuses_keeps_no_secrets_alive<S: Stores>(mut stores: S, version: Version) {
    for removal in [Removal::Device, Removal::Account] {
        let mut hub = Hub::new(9);
        let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
        hub.objects = Box::new(|_, iq| {
            let text = String::from(iq);
            let question = text.contains("type='get'") || text.contains("type=\"get\"");
            (!question).then(|| error("auth", "forbidden", None))
        });
        deactivate(&mut hub, juliet, removal);
        let told = over(&hub, juliet).unwrap();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told.iter().all(|text| text.contains("forbidden")),
            "{told:?}"
        );
        assert!(is_removed(&account(&mut hub, juliet).tick()));
    }
}

/// Two minutes after the first question, whatever becomes of the stream.
fn silence_keeps_no_secrets_alive<S: Stores>(mut stores: S, version: Version) {
    for breaks in [false, true] {
        let mut hub = Hub::new(9);
        let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
        hub.answers = false;
        deactivate(&mut hub, juliet, Removal::Account);
        if breaks {
            hub.go_offline(juliet);
        }
        let mut waited = 0;
        while over(&hub, juliet).is_none() {
            waited += 5;
            assert!(waited <= 120, "still there after {waited} s");
            hub.pass(5);
        }
        let told = over(&hub, juliet).unwrap();
        assert!(!told.is_empty());
        assert!(
            told.iter().all(|text| text.contains("no answer in time")),
            "{told:?}"
        );
    }
}

/// Other devices' entries are not lost to a list that we cannot read.
fn a_list_that_cannot_be_read_is_not_published_over<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(9);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let id = hub.id(juliet);
    hub.pushes = false;
    let unreadable = list(version, 1..=2_000);
    hub.plant(JULIET, devices_node(version), "current", unreadable.clone());
    deactivate(&mut hub, juliet, Removal::Device);
    let told = over(&hub, juliet).unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        hub.items(JULIET, devices_node(version)).pop().unwrap().1,
        unreadable
    );
    assert_eq!(bundle(&hub, version, JULIET, id), None);
}

over_versions!(
    rule_38_a_device_that_is_deactivated_is_off_the_server,
    rule_38_the_last_device_leaves_an_empty_list,
    rule_38_an_account_that_is_deactivated_has_no_nodes,
    rule_38_a_deactivation_survives_a_crash,
    rule_38_nothing_is_sent_or_decrypted_on_the_way_out,
    what_a_server_refuses_keeps_no_secrets_alive,
    silence_keeps_no_secrets_alive,
    a_list_that_cannot_be_read_is_not_published_over,
);
over!(rule_38_both_protocols_are_cleaned);

/// Neither in the database nor in its log nor in free pages, while the store is still open.
#[test]
fn rule_38_the_secrets_are_off_the_disk() {
    let mut stores = Sqlite::default();
    for removal in [Removal::Device, Removal::Account] {
        let (mut hub, phone, _, romeo) = three(&mut stores, Version::Omemo2);
        let place = if removal == Removal::Device { 0 } else { 3 };
        hub.devices[phone.0].acknowledges = false;
        hub.send(romeo, JULIET, "4", "a plaintext that nobody may find");
        let secrets = secrets(&hub.dump(phone));
        assert!(secrets.len() > 100, "{}", secrets.len());
        let on_disk = stores.on_disk(place);
        let found = |disk: &[u8], secret: &[u8]| disk.windows(secret.len()).any(|at| at == secret);
        assert!(found(&on_disk, &secrets[0]), "the identity key");
        deactivate(&mut hub, phone, removal);
        assert_eq!(over(&hub, phone), Some(Vec::new()));
        let on_disk = stores.on_disk(place);
        assert!(!on_disk.is_empty());
        for (n, secret) in secrets.iter().enumerate() {
            assert!(!found(&on_disk, secret), "secret {n} of {}", secrets.len());
        }
        assert!(!found(&on_disk, b"a plaintext that nobody may find"));
        assert!(!found(&on_disk, ROMEO.as_bytes()), "whom we knew");
    }
}

/// The byte strings of 32 bytes and more that a dump shows: keys, and the states of sessions.
fn secrets(dump: &[String]) -> Vec<Vec<u8>> {
    let account = dump
        .iter()
        .find(|line| line.starts_with("account"))
        .unwrap();
    let rest = dump.iter().filter(|line| {
        ["prekey", "signed prekey", "session"]
            .iter()
            .any(|name| line.starts_with(name))
    });
    let bytes = |line: &String| -> Vec<u8> {
        let (_, text) = line.rsplit_once('[').unwrap();
        let (text, _) = text.split_once(']').unwrap();
        text.split(", ")
            .map(|byte| u8::from_str_radix(byte, 16).unwrap())
            .collect()
    };
    std::iter::once(account)
        .chain(rest)
        .map(bytes)
        .filter(|bytes| bytes.len() >= 32)
        .collect()
}
