//! Sessions that are made anew: on demand (rule 29), to heal a broken one (legacy 8), and because nobody answered.

use std::collections::BTreeSet;

use omemo::store::Store;
use omemo::{
    Account, Address, BareJid, CallerError, DeviceId, Error, Event, Settings, Trust,
    UndecryptableReason, Version,
};
use omemo_tests::hub::{At, Hub, speaks};
use omemo_tests::wire::wrapped_keys;

use crate::lists::asked;
use crate::over::{BOTH, Sqlite, Stores};
use crate::puppet::Puppet;
use crate::stage::*;

mod healing;

fn romeo() -> BareJid {
    BareJid::parse(ROMEO).unwrap()
}

fn replace<S: Store + 'static>(hub: &mut Hub<S>, at: At) {
    hub.call(at, |account| account.replace_sessions(&romeo(), None));
    hub.settle();
}

/// The sessions that are still to be made anew.
fn replacing<S: Store + 'static>(hub: &mut Hub<S>, at: At) -> Vec<(Version, u32)> {
    let account = hub.devices[at.0].account.as_mut().unwrap();
    let replacing = account.replacing().unwrap().into_iter();
    replacing
        .map(|(version, address)| (version, address.device.get()))
        .collect()
}

/// The devices whose sessions were made anew, and those whose could not be.
fn outcome(events: &[Event]) -> (Vec<u32>, Vec<u32>) {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            Event::SessionReplaced { device, .. } => done.push(device.device.get()),
            Event::SessionNotReplaced { device, .. } => failed.push(device.device.get()),
            _ => {}
        }
    }
    (done, failed)
}

/// The ephemeral keys of the sessions that a device has, that of the one in force first.
fn sessions<S: Store + 'static>(hub: &mut Hub<S>, at: At) -> Vec<String> {
    let lines = hub.dump(at).into_iter();
    let lines = lines.filter(|line| line.starts_with("session"));
    lines
        .map(|line| line.split(' ').nth(3).unwrap().to_owned())
        .collect()
}

fn rule_29_a_replaced_session_sends_from_now_on<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    hub.go_offline(juliet);
    hub.send(romeo, JULIET, "late", "late");
    let late = xml(&hub.mailbox(juliet).pop_back().unwrap());
    hub.go_online(juliet);
    hub.settle();
    let old = sessions(&mut hub, juliet);
    let (since, heard) = (
        hub.messages_of(juliet).len(),
        hub.devices[juliet.0].events.len(),
    );

    replace(&mut hub, juliet);
    let events = hub.devices[juliet.0].events.split_off(heard);
    assert_eq!(outcome(&events), (vec![hub.id(romeo)], vec![]));
    let sent = hub.messages_of(juliet).split_off(since);
    assert_eq!(sent.len(), 1);
    assert!(!has_payload(&sent[0]) && is_key_exchange(&sent[0]));
    let new = sessions(&mut hub, juliet);
    assert_eq!(new.len(), old.len() + 1);
    assert!(!old.contains(&new[0]));
    assert_eq!(
        sessions(&mut hub, romeo)[0],
        new[0],
        "the peer has moved too"
    );

    hub.send(juliet, ROMEO, "1", "one");
    hub.send(romeo, JULIET, "2", "two");
    assert_eq!(hub.bodies(romeo).last().unwrap(), "one");
    assert_eq!(hub.bodies(juliet).last().unwrap(), "two");
    assert_eq!(sessions(&mut hub, juliet)[0], new[0]);
    // what was on its way in the old one is read; the next message from there is in the new one
    assert_eq!(read(&hub.deliver(juliet, &late)), ["late"]);
    hub.send(romeo, JULIET, "3", "three");
    assert_eq!(sessions(&mut hub, juliet)[0], new[0]);
    // nothing happens again by itself
    let (node, _) = bundle_place(version, hub.id(romeo));
    let before = (
        hub.messages_of(juliet).len(),
        asked(&hub, juliet, &node, ROMEO),
    );
    hub.pass(600);
    let after = (
        hub.messages_of(juliet).len(),
        asked(&hub, juliet, &node, ROMEO),
    );
    assert_eq!(after, before);
}

fn rule_29_at_most_four_sessions_are_kept<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    for n in 0..6 {
        replace(&mut hub, juliet);
        hub.send(juliet, ROMEO, &format!("{n}"), &format!("{n}"));
        assert_eq!(hub.bodies(romeo).last().unwrap(), &n.to_string());
    }
    assert_eq!(sessions(&mut hub, juliet).len(), 4);
    assert_eq!(sessions(&mut hub, romeo).len(), 4);
}

fn rule_29_a_replacement_waits_for_the_stream<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    hub.go_offline(juliet);
    let since = hub.wire.len();
    assert_eq!(replacing(&mut hub, juliet), []);
    replace(&mut hub, juliet);
    assert_eq!(hub.wire.len(), since);
    assert_eq!(replacing(&mut hub, juliet), [(version, hub.id(romeo))]);
    let heard = hub.devices[juliet.0].events.len();
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    let events = hub.devices[juliet.0].events.split_off(heard);
    assert_eq!(outcome(&events), (vec![hub.id(romeo)], vec![]));
    assert_eq!(replacing(&mut hub, juliet), []);
}

/// A bundle that a message brings during the catch-up serves the message alone.
fn rule_28_a_replacement_waits_for_the_end_of_the_catch_up<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    hub.call(juliet, |account| account.inspect(&self::romeo()));
    hub.settle();
    hub.go_offline(juliet);
    replace(&mut hub, juliet);
    assert_eq!(replacing(&mut hub, juliet), [(version, hub.id(romeo))]);
    hub.catches_up = false;
    let heard = hub.devices[juliet.0].events.len();
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    let events = hub.send(juliet, ROMEO, "1", "one");
    assert_eq!(served(&events, "1").len(), 1);
    let events = hub.devices[juliet.0].events.split_off(heard);
    assert_eq!(outcome(&events), (vec![], vec![]));
    hub.call(juliet, Account::caught_up);
    hub.settle();
    let events = hub.devices[juliet.0].events.split_off(heard);
    assert_eq!(outcome(&events), (vec![hub.id(romeo)], vec![]));
    assert_eq!(hub.bodies(romeo), ["one"]);
}

/// Content that is sealed meanwhile answers for everything that is owed but this.
fn rule_29_content_leaves_a_replacement_owed<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let heard = hub.devices[juliet.0].events.len();
    hub.call(juliet, |account| {
        account.replace_sessions(&self::romeo(), None)
    });
    // the bundle is not here yet
    hub.write(juliet, ROMEO, "1", "one");
    assert!(!served(&hub.devices[juliet.0].events[heard..], "1").is_empty());
    hub.settle();
    let events = hub.devices[juliet.0].events.split_off(heard);
    assert_eq!(outcome(&events), (vec![hub.id(romeo)], vec![]));
    assert_eq!(hub.bodies(romeo), ["hello", "one"]);
}

fn rule_29_one_device_or_all<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let tablet = hub.join(ROMEO, stores.make(), speaks(&[version]));
    let own = hub.join(JULIET, stores.make(), speaks(&[version]));
    hub.send(juliet, ROMEO, "all", "all");
    let id = DeviceId::new(hub.id(tablet)).unwrap();
    let heard = hub.devices[juliet.0].events.len();
    hub.call(juliet, |account| {
        account.replace_sessions(&self::romeo(), Some(id))
    });
    hub.settle();
    let events = hub.devices[juliet.0].events.split_off(heard);
    assert_eq!(outcome(&events), (vec![hub.id(tablet)], vec![]));

    hub.call(juliet, Account::replace_all_sessions);
    hub.settle();
    let events = hub.devices[juliet.0].events.split_off(heard);
    let (done, failed) = outcome(&events);
    let all: BTreeSet<_> = [romeo, tablet, own].map(|at| hub.id(at)).into();
    assert_eq!(
        (done.len(), BTreeSet::from_iter(done), failed),
        (3, all, vec![])
    );

    let unknown = DeviceId::new(0x7fff_0001).unwrap();
    let account = hub.devices[juliet.0].account.as_mut().unwrap();
    let refused = account.replace_sessions(&self::romeo(), Some(unknown));
    let address = Address {
        jid: self::romeo(),
        device: unknown,
    };
    assert!(matches!(refused, Err(Error::Caller(CallerError::UnknownDevice(of))) if of == address));
    let account = hub.devices[juliet.0].account.as_mut().unwrap();
    let own = (account.jid().clone(), account.device());
    let refused = account.replace_sessions(&own.0, Some(own.1));
    assert!(matches!(
        refused,
        Err(Error::Caller(CallerError::UnknownDevice(_)))
    ));
}

/// What cannot be replaced stays in use.
fn rule_29_without_a_bundle_the_old_session_serves<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let (node, item) = bundle_place(version, hub.id(romeo));
    hub.drop_item(ROMEO, &node, &item);
    let old = sessions(&mut hub, juliet);
    let heard = hub.devices[juliet.0].events.len();
    let since = hub.messages_of(juliet).len();
    replace(&mut hub, juliet);
    let events = hub.devices[juliet.0].events.split_off(heard);
    assert_eq!(outcome(&events), (vec![], vec![hub.id(romeo)]));
    assert_eq!(hub.messages_of(juliet).len(), since);
    hub.send(juliet, ROMEO, "1", "one");
    assert_eq!(hub.bodies(romeo).last().unwrap(), "one");
    assert_eq!(sessions(&mut hub, juliet), old);
    // it is not tried for ever
    let asked_before = asked(&hub, juliet, &node, ROMEO);
    hub.pass(3600);
    assert_eq!(asked(&hub, juliet, &node, ROMEO), asked_before);
}

/// A device that has gone before its turn came.
fn rule_29_a_device_that_has_gone_is_not_replaced<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    hub.go_offline(juliet);
    replace(&mut hub, juliet);
    let gone = hub.id(romeo);
    hub.leave(romeo);
    let heard = hub.devices[juliet.0].events.len();
    hub.plant(
        ROMEO,
        devices_node(version),
        "current",
        list(version, [gone + 1]),
    );
    hub.deliver(
        juliet,
        &crate::lists::push(version, ROMEO, &list(version, [gone + 1])),
    );
    hub.go_online(juliet);
    hub.settle();
    let events = hub.devices[juliet.0].events.split_off(heard);
    assert_eq!(outcome(&events), (vec![], vec![gone]));
}

/// An empty message says nothing: trust does not matter for it, and still does for content.
fn rule_29_a_replacement_trusts_nobody<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let key = hub.devices[romeo.0].account.as_ref().unwrap().fingerprint();
    let account = hub.devices[juliet.0].account.as_mut().unwrap();
    let _ = account
        .decide(&self::romeo(), &key, Trust::Distrusted)
        .unwrap();
    let heard = hub.devices[juliet.0].events.len();
    replace(&mut hub, juliet);
    let events = hub.devices[juliet.0].events.split_off(heard);
    assert_eq!(outcome(&events), (vec![hub.id(romeo)], vec![]));
    assert!(is_refused(&hub.send(juliet, ROMEO, "1", "one"), "1"));
}

/// A bundle with another key is no way to get a session replaced.
fn rule_29_another_key_replaces_nothing<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let mut mallory = Puppet::new(version, ROMEO, hub.id(romeo));
    mallory.publish(&mut hub);
    let heard = hub.devices[juliet.0].events.len();
    let since = hub.messages_of(juliet).len();
    replace(&mut hub, juliet);
    let events = hub.devices[juliet.0].events.split_off(heard);
    assert_eq!(outcome(&events), (vec![], vec![hub.id(romeo)]));
    let changed = |it: &Event| matches!(it, Event::IdentityChanged { .. });
    assert!(events.iter().any(changed), "{events:?}");
    assert_eq!(hub.messages_of(juliet).len(), since);
}

/// Nobody has answered for six days: the peer will soon have dropped the signed prekey.
fn rule_10_a_session_that_nobody_answered_is_renewed<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    let ephemeral = |hub: &Hub<S::Store>| {
        let last = hub.messages_of(juliet).pop().unwrap();
        let key = wrapped_keys(&last, JULIET).remove(0);
        assert!(key.key_exchange);
        key.name.ratchet_key
    };
    // lost on the way: he never hears of that session
    hub.lets_pass = |stanza| stanza.name() != "message";
    hub.send(juliet, ROMEO, "0", "zero");
    let first = ephemeral(&hub);
    for _ in 0..5 {
        hub.pass(86_400);
    }
    hub.send(juliet, ROMEO, "5", "five");
    assert_eq!(ephemeral(&hub), first);
    hub.lets_pass = |_| true;
    for day in 6..30 {
        hub.pass(86_400);
        let events = hub.send(juliet, ROMEO, &format!("day {day}"), &format!("{day}"));
        assert!(unserved(&events, &format!("day {day}")).is_empty());
        assert_ne!(ephemeral(&hub), first);
        assert_eq!(hub.bodies(romeo).last(), Some(&day.to_string()));
    }
    assert!(unread(&hub.devices[romeo.0].events).is_empty());
    // what was answered is never renewed
    hub.send(romeo, JULIET, "r", "r");
    let known = sessions(&mut hub, juliet);
    hub.pass(100 * 86_400);
    let (node, _) = bundle_place(version, hub.id(romeo));
    let before = asked(&hub, juliet, &node, ROMEO);
    hub.send(juliet, ROMEO, "last", "last");
    assert_eq!(hub.bodies(romeo).last().unwrap(), "last");
    assert_eq!(asked(&hub, juliet, &node, ROMEO), before);
    assert_eq!(sessions(&mut hub, juliet), known);
}

fn rule_10_a_session_that_cannot_be_renewed_serves<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    hub.send(juliet, ROMEO, "0", "zero");
    for _ in 0..7 {
        hub.pass(86_400);
    }
    let (node, item) = bundle_place(version, hub.id(romeo));
    hub.drop_item(ROMEO, &node, &item);
    let events = hub.send(juliet, ROMEO, "1", "one");
    assert!(unserved(&events, "1").is_empty(), "{events:?}");
    assert_eq!(hub.bodies(romeo), ["zero", "one"]);
    let asked_before = asked(&hub, juliet, &node, ROMEO);
    hub.send(juliet, ROMEO, "2", "two");
    assert_eq!(
        asked(&hub, juliet, &node, ROMEO),
        asked_before,
        "not at once again"
    );
    assert_eq!(sessions(&mut hub, juliet).len(), 1);
}

#[test]
fn rule_29_covers_both_protocols_of_a_device() {
    assert_eq!(BOTH.len(), 2);
    let mut stores = Sqlite::default();
    let mut hub = Hub::new(6);
    let juliet = hub.join(JULIET, stores.make(), Settings::default());
    let romeo = hub.join(ROMEO, stores.make(), Settings::default());
    hub.send(juliet, ROMEO, "1", "one");
    let heard = hub.devices[juliet.0].events.len();
    replace(&mut hub, juliet);
    let events = hub.devices[juliet.0].events.split_off(heard);
    // listed in both, with a session in the better one only
    assert_eq!(outcome(&events), (vec![hub.id(romeo)], vec![]));
}

over_versions!(
    rule_28_a_replacement_waits_for_the_end_of_the_catch_up,
    rule_29_a_replaced_session_sends_from_now_on,
    rule_29_at_most_four_sessions_are_kept,
    rule_29_a_replacement_waits_for_the_stream,
    rule_29_content_leaves_a_replacement_owed,
    rule_29_one_device_or_all,
    rule_29_without_a_bundle_the_old_session_serves,
    rule_29_a_device_that_has_gone_is_not_replaced,
    rule_29_a_replacement_trusts_nobody,
    rule_29_another_key_replaces_nothing,
    rule_10_a_session_that_nobody_answered_is_renewed,
    rule_10_a_session_that_cannot_be_renewed_serves,
);
