//! The outbox: byte for byte or not at all, and never silently gone.

use omemo::{BareJid, Event, Trust, UnsentReason, Version};
use omemo_sqlite::SqliteStore;
use omemo_tests::hub::{At, Hub, set, speaks};

use crate::over::{BOTH, Stores};
use crate::stage::*;

const DAY: i64 = 86_400;

fn texts<S: omemo::store::Store + 'static>(hub: &Hub<S>, at: At, id: &str) -> Vec<String> {
    let messages = hub.messages_of(at);
    let chosen = messages
        .iter()
        .filter(|stanza| stanza.attr("id") == Some(id));
    chosen.map(String::from).collect()
}

/// Juliet's message "lost" crosses, gets lost, and nobody confirms it.
fn lose_one<S: Stores>(stores: &mut S, version: Version) -> (Hub<S::Store>, At, At) {
    let (mut hub, juliet, romeo) = friends(stores, version);
    hub.devices[juliet.0].confirms = false;
    hub.lets_pass = |stanza| stanza.attr("id") != Some("lost");
    hub.send(juliet, ROMEO, "lost", "lost");
    assert_eq!(hub.bodies(romeo), ["hello"]);
    hub.lets_pass = |_| true;
    (hub, juliet, romeo)
}

fn an_unconfirmed_stanza_goes_out_again_byte_for_byte<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = lose_one(&mut stores, version);
    hub.go_offline(juliet);
    hub.go_online(juliet);
    hub.settle();
    assert_eq!(hub.bodies(romeo), ["hello", "lost"]);
    let sent = texts(&hub, juliet, "lost");
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1]);
    // the recipient knows it when it comes once more
    hub.go_offline(juliet);
    hub.go_online(juliet);
    hub.settle();
    assert_eq!(texts(&hub, juliet, "lost").len(), 3);
    assert_eq!(hub.bodies(romeo), ["hello", "lost"]);
    assert!(unread(&hub.devices[romeo.0].events).is_empty());
}

fn a_confirmed_stanza_never_goes_out_again<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, _) = lose_one(&mut stores, version);
    let tickets = std::mem::take(&mut hub.devices[juliet.0].tickets);
    hub.devices[juliet.0]
        .account
        .as_mut()
        .unwrap()
        .sent(&tickets)
        .unwrap();
    for _ in 0..3 {
        hub.go_offline(juliet);
        hub.go_online(juliet);
        hub.settle();
    }
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    hub.pass(3 * DAY);
    assert_eq!(texts(&hub, juliet, "lost").len(), 1);
    assert!(unsent(&hub.devices[juliet.0].events).is_empty());
    // and the store no longer holds it
    assert!(
        !hub.dump(juliet)
            .iter()
            .any(|line| line.contains("<payload"))
    );
}

fn a_resumed_stream_gets_nothing_twice<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, _) = lose_one(&mut stores, version);
    hub.go_offline(juliet);
    let asked = hub.questions_of(juliet).len();
    hub.resume(juliet);
    hub.settle();
    assert_eq!(texts(&hub, juliet, "lost").len(), 1);
    assert_eq!(hub.questions_of(juliet).len(), asked, "published anew");
    hub.send(juliet, ROMEO, "next", "next");
    assert_eq!(texts(&hub, juliet, "next").len(), 1);
}

fn three_tries_and_it_is_given_up<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, _) = lose_one(&mut stores, version);
    for _ in 0..2 {
        hub.go_offline(juliet);
        hub.go_online(juliet);
        hub.settle();
    }
    assert_eq!(texts(&hub, juliet, "lost").len(), 3);
    assert!(unsent(&hub.devices[juliet.0].events).is_empty());
    hub.go_offline(juliet);
    hub.go_online(juliet);
    hub.settle();
    assert_eq!(texts(&hub, juliet, "lost").len(), 3);
    let given_up = unsent(&hub.devices[juliet.0].events);
    assert_eq!(
        given_up,
        [("lost".into(), UnsentReason::NeverConfirmed, true)]
    );
}

fn after_a_day_it_is_given_up<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, _) = lose_one(&mut stores, version);
    hub.go_offline(juliet);
    hub.pass(DAY);
    hub.go_online(juliet);
    hub.settle();
    assert_eq!(texts(&hub, juliet, "lost").len(), 1);
    let given_up = unsent(&hub.devices[juliet.0].events);
    assert_eq!(given_up, [("lost".into(), UnsentReason::Expired, true)]);
}

fn a_second_before_the_day_it_still_goes<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = lose_one(&mut stores, version);
    hub.go_offline(juliet);
    hub.pass(DAY - 1);
    hub.go_online(juliet);
    hub.settle();
    assert_eq!(hub.bodies(romeo), ["hello", "lost"]);
}

fn withdrawn_trust_holds_back_what_was_sealed_before<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = lose_one(&mut stores, version);
    hub.go_offline(juliet);
    let jid = BareJid::parse(ROMEO).unwrap();
    let account = hub.devices[juliet.0].account.as_mut().unwrap();
    let device = account.devices(&jid).unwrap().remove(0);
    let key = device.fingerprint.unwrap();
    decide(&mut hub, juliet, ROMEO, key, Trust::Distrusted);
    hub.go_online(juliet);
    hub.settle();
    assert_eq!(hub.bodies(romeo), ["hello"]);
    let given_up = unsent(&hub.devices[juliet.0].events);
    assert_eq!(
        given_up,
        [(
            "lost".into(),
            UnsentReason::NoLongerAllowed(device.address),
            true
        )]
    );
}

fn a_device_taken_off_its_list_holds_back_what_was_sealed_before<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, romeo) = lose_one(&mut stores, version);
    hub.go_offline(juliet);
    hub.go_offline(romeo);
    hub.plant(ROMEO, devices_node(version), "current", list(version, [77]));
    hub.go_online(juliet);
    let account = hub.devices[juliet.0].account.as_mut().unwrap();
    let output = account.receive(&push(version, ROMEO, [77])).unwrap();
    assert!(output.stanzas.iter().all(|stanza| stanza.ticket.is_none()));
    hub.settle();
    let given_up = unsent(&hub.devices[juliet.0].events);
    assert!(
        matches!(&given_up[..], [(_, UnsentReason::NoLongerAllowed(_), true)]),
        "{given_up:?}"
    );
    assert_eq!(texts(&hub, juliet, "lost").len(), 1);
}

fn a_bounce_from_the_addressee_is_reported<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, _) = lose_one(&mut stores, version);
    let mut bounce = hub.messages_of(juliet).pop().unwrap();
    set(&mut bounce, "type", "error");
    set(&mut bounce, "to", JULIET);
    bounce.append_child(omemo_tests::hub::error(
        "cancel",
        "service-unavailable",
        None,
    ));
    // from anybody else it says nothing
    for stranger in [MALLORY, JULIET, "montague.example"] {
        set(&mut bounce, "from", stranger);
        let before = hub.dump(juliet);
        assert!(
            unsent(&hub.deliver(juliet, &bounce)).is_empty(),
            "{stranger}"
        );
        assert_eq!(hub.dump(juliet), before);
    }
    set(&mut bounce, "from", format!("{ROMEO}/x"));
    let given_up = unsent(&hub.deliver(juliet, &bounce));
    assert!(
        matches!(&given_up[..], [(id, UnsentReason::Bounced(_), true)] if id == "lost"),
        "{given_up:?}"
    );
    assert!(unsent(&hub.deliver(juliet, &bounce)).is_empty(), "twice");
    hub.go_offline(juliet);
    hub.go_online(juliet);
    hub.settle();
    assert_eq!(texts(&hub, juliet, "lost").len(), 1);
}

/// Power fails between sealing and sending: the stanza is in the store, and goes out once the dead handle's time is over.
fn a_restart_hands_out_what_the_process_before_had_sealed<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, romeo) = lose_one(&mut stores, version);
    hub.devices[juliet.0].confirms = true;
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    assert_eq!(
        hub.bodies(romeo),
        ["hello"],
        "another handle may still be at it"
    );
    hub.pass(119);
    assert_eq!(hub.bodies(romeo), ["hello"]);
    hub.pass(1);
    assert_eq!(hub.bodies(romeo), ["hello", "lost"]);
    let sent = texts(&hub, juliet, "lost");
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1]);
    // the app, which does not know, sends it again
    hub.send(juliet, ROMEO, "lost", "lost");
    assert_eq!(texts(&hub, juliet, "lost").len(), 2);
    assert_eq!(hub.bodies(romeo), ["hello", "lost"]);
}

/// Two handles over one file, as an app and its notification extension.
#[test]
fn another_handles_rows_wait_two_minutes() {
    for version in BOTH {
        let folder = tempfile::TempDir::new().unwrap();
        let open = |name: &str| SqliteStore::open(folder.path().join(name)).unwrap();
        let mut hub = Hub::new(8);
        let app = hub.join(JULIET, open("juliet"), speaks(&[version]));
        let romeo = hub.join(ROMEO, open("romeo"), speaks(&[version]));
        hub.send(app, ROMEO, "hello", "hello");
        hub.devices[app.0].confirms = false;
        hub.lets_pass = |stanza| stanza.name() != "message";
        hub.send(app, ROMEO, "lost", "lost");
        hub.go_offline(app);
        hub.lets_pass = |_| true;
        let other = hub.join(JULIET, open("juliet"), speaks(&[version]));
        assert_eq!(hub.id(other), hub.id(app), "one device");
        assert!(texts(&hub, other, "lost").is_empty());
        hub.pass(119);
        assert!(texts(&hub, other, "lost").is_empty());
        hub.pass(1);
        assert_eq!(texts(&hub, other, "lost").len(), 1);
        assert_eq!(hub.bodies(romeo), ["hello", "lost"]);
        // the first handle comes back, and leaves it to the second
        hub.go_online(app);
        hub.settle();
        assert_eq!(texts(&hub, app, "lost").len(), 1);
    }
}

/// Two handles take turns with every message: nothing is sealed or read twice.
#[test]
fn two_handles_over_one_store_never_disagree() {
    for version in BOTH {
        let folder = tempfile::TempDir::new().unwrap();
        let open = |name: &str| SqliteStore::open(folder.path().join(name)).unwrap();
        let mut hub = Hub::new(8);
        let app = hub.join(JULIET, open("juliet"), speaks(&[version]));
        let romeo = hub.join(ROMEO, open("romeo"), speaks(&[version]));
        let helper = hub.add(JULIET, open("juliet"), speaks(&[version]));
        hub.send(app, ROMEO, "hello", "hello");
        for n in 0..20 {
            hub.write(romeo, JULIET, &format!("r{n}"), &format!("r{n}"));
            while !hub.mailbox(romeo).is_empty() {
                hub.deliver_one(romeo);
            }
            // every second one is decrypted by the helper, which is offline, and then comes to the app as well
            let copies: Vec<String> = hub.mailbox(helper).drain(..).collect();
            if n % 2 == 0 {
                for copy in copies {
                    hub.deliver(helper, &xml(&copy));
                }
            }
            hub.settle();
            hub.send(app, ROMEO, &format!("j{n}"), &format!("j{n}"));
        }
        let mut bodies = [hub.bodies(app), hub.bodies(helper)].concat();
        bodies.sort();
        let mut wanted: Vec<String> = (0..20).map(|n| format!("r{n}")).collect();
        wanted.sort();
        assert_eq!(bodies, wanted);
        assert_eq!(hub.bodies(romeo).len(), 21);
        let events: Vec<Event> = hub
            .devices
            .iter()
            .flat_map(|device| device.events.clone())
            .collect();
        assert!(unread(&events).is_empty(), "{events:?}");
    }
}

/// A push of a list.
fn push(version: Version, jid: &str, ids: impl IntoIterator<Item = u32>) -> omemo::Element {
    let list = String::from(&list(version, ids));
    let node = devices_node(version);
    xml(&format!(
        "<message xmlns='jabber:client' from='{jid}'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
         <items node='{node}'><item id='current'>{list}</item></items></event></message>"
    ))
}

over_versions!(
    an_unconfirmed_stanza_goes_out_again_byte_for_byte,
    a_confirmed_stanza_never_goes_out_again,
    a_resumed_stream_gets_nothing_twice,
    three_tries_and_it_is_given_up,
    after_a_day_it_is_given_up,
    a_second_before_the_day_it_still_goes,
    withdrawn_trust_holds_back_what_was_sealed_before,
    a_device_taken_off_its_list_holds_back_what_was_sealed_before,
    a_bounce_from_the_addressee_is_reported,
    a_restart_hands_out_what_the_process_before_had_sealed,
);
