//! Sessions: how they begin, how they meet, and what they make of what comes late, twice or never.

use omemo::{UndecryptableReason, Version};
use omemo_sqlite::SqliteStore;
use omemo_tests::hub::{Hub, speaks};
use omemo_tests::wire::wrapped_keys;

use crate::over::{BOTH, Stores};
use crate::puppet::Puppet;
use crate::stage::*;

/// The ephemeral keys in the key exchanges of a stanza, by their place in the bytes that repeat.
fn exchanges(stanza: &omemo::Element) -> usize {
    let keys = wrapped_keys(stanza, JULIET);
    keys.iter().filter(|key| key.key_exchange).count()
}

fn rule_16_a_key_exchange_repeats_until_the_reply_and_stops_after<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    hub.go_offline(romeo);
    for n in 0..3 {
        hub.send(juliet, ROMEO, &format!("{n}"), &format!("{n}"));
    }
    let sent = hub.messages_of(juliet);
    let first = wrapped_keys(&sent[0], JULIET).remove(0).name.ratchet_key;
    for (n, stanza) in sent.iter().enumerate() {
        let keys = wrapped_keys(stanza, JULIET);
        assert_eq!(keys.len(), 1);
        assert!(keys[0].key_exchange, "{n}");
        assert_eq!(keys[0].name.ratchet_key, first, "one session");
        assert_eq!(keys[0].name.counter, u32::try_from(n).unwrap());
    }
    hub.go_online(romeo);
    hub.settle();
    assert_eq!(hub.bodies(romeo), ["0", "1", "2"]);
    hub.send(romeo, JULIET, "r", "r");
    hub.send(juliet, ROMEO, "3", "3");
    assert_eq!(exchanges(hub.messages_of(juliet).last().unwrap()), 0);
    assert_eq!(hub.bodies(romeo), ["0", "1", "2", "3"]);
}

fn rule_23_key_exchanges_of_one_session_arrive_in_any_order_and_twice<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let mut hub = Hub::new(5);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let mut puppet = Puppet::new(version, MALLORY, 3);
    hub.strangers.push(MALLORY.into());
    puppet.meet(&hub, JULIET, hub.id(juliet));
    let stanzas: Vec<_> = (0..5).map(|n| puppet.text(&n.to_string())).collect();
    for n in [3, 0, 4, 1, 2] {
        assert_eq!(read(&hub.deliver(juliet, &stanzas[n])), [n.to_string()]);
    }
    hub.settle();
    let before = hub.dump(juliet);
    for stanza in stanzas.iter().chain(stanzas.iter().rev()) {
        let events = hub.deliver(juliet, stanza);
        assert!(is_repeated(&events), "{events:?}");
    }
    assert_eq!(hub.dump(juliet), before);
    let sessions = before
        .iter()
        .filter(|line| line.starts_with("session"))
        .count();
    assert_eq!(sessions, 1);
}

fn rule_23_another_ephemeral_key_takes_over<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(5);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let mut puppet = Puppet::new(version, MALLORY, 3);
    hub.strangers.push(MALLORY.into());
    for round in 0..7 {
        puppet.meet(&hub, JULIET, hub.id(juliet));
        let body = format!("round {round}");
        let stanza = puppet.text(&body);
        assert_eq!(read(&hub.deliver(juliet, &stanza)), [body]);
        hub.settle();
        let sessions = hub
            .dump(juliet)
            .iter()
            .filter(|line| line.starts_with("session"))
            .count();
        assert_eq!(sessions, (round + 1).min(4), "at most four are kept");
    }
}

/// What a session that had to go has skipped was never read, and must not pass for read.
fn skipped_messages_of_a_session_that_went_are_too_old_and_not_duplicates<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let mut hub = Hub::new(5);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let mut puppet = Puppet::new(version, MALLORY, 3);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    let missing = puppet.text("missing");
    assert_eq!(read(&hub.deliver(juliet, &puppet.text("first"))), ["first"]);
    for _ in 0..4 {
        hub.settle();
        puppet.meet(&hub, JULIET, hub.id(juliet));
        hub.deliver(juliet, &puppet.text("more"));
    }
    let events = hub.deliver(juliet, &missing);
    assert_eq!(unread(&events), [UndecryptableReason::TooOld], "{events:?}");
}

fn simultaneous_key_exchanges_converge<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    // both have the other's bundle before anything arrives
    hub.go_offline(juliet);
    hub.go_offline(romeo);
    hub.go_online(juliet);
    settle_only(&mut hub, juliet);
    hub.send(juliet, ROMEO, "j", "j");
    hub.go_offline(juliet);
    let for_romeo = std::mem::take(hub.mailbox(romeo));
    hub.go_online(romeo);
    settle_only(&mut hub, romeo);
    hub.send(romeo, JULIET, "r", "r");
    *hub.mailbox(romeo) = for_romeo;
    hub.go_online(juliet);
    hub.settle();
    assert_eq!(hub.bodies(romeo), ["j"]);
    assert_eq!(hub.bodies(juliet), ["r"]);
    assert_eq!(
        exchanges(&hub.messages_of(juliet)[0]) + exchanges(&hub.messages_of(romeo)[0]),
        2
    );
    for n in 0..6 {
        let (from, to) = if n % 3 == 0 {
            (juliet, ROMEO)
        } else {
            (romeo, JULIET)
        };
        hub.send(from, to, &format!("{n}"), &format!("{n}"));
    }
    assert_eq!(hub.bodies(romeo), ["j", "0", "3"]);
    assert_eq!(hub.bodies(juliet), ["r", "1", "2", "4", "5"]);
    let newest = |hub: &mut Hub<S::Store>, at| {
        let sessions = hub
            .dump(at)
            .into_iter()
            .filter(|line| line.starts_with("session"));
        // session, protocol, address, ephemeral key: the newest stands first
        let mut names = sessions.map(|line| line.split(' ').nth(3).unwrap().to_owned());
        names.next().unwrap()
    };
    assert_eq!(newest(&mut hub, juliet), newest(&mut hub, romeo));
    for at in [juliet, romeo] {
        let events = &hub.devices[at.0].events;
        assert!(unread(events).is_empty(), "{events:?}");
    }
}

fn settle_only<S: omemo::store::Store + 'static>(hub: &mut Hub<S>, at: omemo_tests::hub::At) {
    while !hub.mailbox(at).is_empty() {
        hub.deliver_one(at);
    }
}

fn rule_30_a_heartbeat_answers_message_53_once<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    hub.lets_pass = |stanza| stanza.name() != "message" || stanza.attr("to") != Some(JULIET);
    let start = hub.messages_of(romeo).len();
    for n in 0..60 {
        hub.send(juliet, ROMEO, &format!("n{n}"), "tick");
        let sent = hub.messages_of(juliet).pop().unwrap();
        assert_eq!(wrapped_keys(&sent, JULIET)[0].name.counter, n);
        let beats = hub.messages_of(romeo).len() - start;
        assert_eq!(beats, usize::from(n >= 53), "after message {n}");
    }
    assert!(!has_payload(hub.messages_of(romeo).last().unwrap()));
    // lost as it was, the next one comes with the next chain
    hub.lets_pass = |_| true;
    hub.send(romeo, JULIET, "turn", "turn");
    for n in 0..60 {
        hub.send(juliet, ROMEO, &format!("m{n}"), "tock");
    }
    let after = hub.messages_of(romeo);
    let beats = after
        .iter()
        .skip(start)
        .filter(|stanza| !has_payload(stanza))
        .count();
    assert_eq!(beats, 2);
    // and turned the chain
    let last = hub.messages_of(juliet).pop().unwrap();
    assert!(wrapped_keys(&last, JULIET)[0].name.counter < 10);
}

fn rule_32_lost_messages_come_late_within_the_limits<S: Stores>(mut stores: S, version: Version) {
    let limit = match version {
        Version::Omemo2 => 1000,
        Version::Legacy => 2000,
    };
    let mut hub = Hub::new(5);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let mut puppet = Puppet::new(version, MALLORY, 3);
    hub.strangers.push(MALLORY.into());
    puppet.meet(&hub, JULIET, hub.id(juliet));
    assert_eq!(read(&hub.deliver(juliet, &puppet.text("0"))), ["0"]);
    hub.settle();
    let oldest = puppet.text("1");
    let second = puppet.text("2");
    for _ in 3..999 {
        puppet.seal(&[7; 48]);
    }
    assert_eq!(read(&hub.deliver(juliet, &puppet.text("999"))), ["999"]);
    for _ in 1000..=limit + 2 {
        puppet.seal(&[7; 48]);
    }
    // 999 itself was read: numbers 1 and 2 to limit + 2 but for it are limit + 1 missing ones
    assert_eq!(read(&hub.deliver(juliet, &puppet.text("far"))), ["far"]);
    let kept = hub
        .dump(juliet)
        .iter()
        .filter(|line| line.starts_with("SkippedId"))
        .count();
    assert_eq!(kept, limit);
    let before = hub.dump(juliet);
    assert_eq!(
        unread(&hub.deliver(juliet, &oldest)),
        [UndecryptableReason::TooOld]
    );
    assert_eq!(hub.dump(juliet), before);
    assert_eq!(read(&hub.deliver(juliet, &second)), ["2"]);
    assert!(read(&hub.deliver(juliet, &second)).is_empty(), "twice");
}

/// A16: a jump of 2,000 at most in one message.
fn a16_a_jump_beyond_the_limit_is_refused<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(5);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let mut puppet = Puppet::new(version, MALLORY, 3);
    hub.strangers.push(MALLORY.into());
    puppet.meet(&hub, JULIET, hub.id(juliet));
    assert_eq!(read(&hub.deliver(juliet, &puppet.text("0"))), ["0"]);
    hub.settle();
    for _ in 1..=2000 {
        puppet.seal(&[7; 48]);
    }
    let at_limit = puppet.text("at the limit");
    let beyond = puppet.text("beyond");
    let before = hub.dump(juliet);
    let reasons = unread(&hub.deliver(juliet, &beyond));
    assert!(
        matches!(reasons[..], [UndecryptableReason::SessionRefused(_)]),
        "{reasons:?}"
    );
    assert_eq!(hub.dump(juliet), before);
    assert_eq!(read(&hub.deliver(juliet, &at_limit)), ["at the limit"]);
    assert_eq!(read(&hub.deliver(juliet, &beyond)), ["beyond"]);
}

fn late_messages_of_earlier_chains_are_read<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let mut late = Vec::new();
    for turn in 0..6 {
        hub.go_offline(romeo);
        for n in 0..3 {
            hub.send(
                juliet,
                ROMEO,
                &format!("{turn}.{n}"),
                &format!("{turn}.{n}"),
            );
        }
        // one of the chain is lost for now: the first, the middle or the last
        let lost = hub.mailbox(romeo).remove(turn % 3).unwrap();
        late.push((format!("{turn}.{}", turn % 3), lost));
        hub.go_online(romeo);
        hub.settle();
        hub.send(romeo, JULIET, &format!("turn {turn}"), "turn");
    }
    let before = hub.bodies(romeo).len();
    for (body, stanza) in late.into_iter().rev() {
        assert_eq!(read(&hub.deliver(romeo, &xml(&stanza))), [body]);
    }
    assert_eq!(before, 1 + 12);
    assert_eq!(hub.bodies(romeo).len(), 1 + 18);
    assert!(unread(&hub.devices[romeo.0].events).is_empty());
}

/// Two sessions, and late messages on the older one do not turn us back to it.
fn a_late_message_does_not_choose_the_session<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(5);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let mut puppet = Puppet::new(version, MALLORY, 3);
    hub.strangers.push(MALLORY.into());
    puppet.meet(&hub, JULIET, hub.id(juliet));
    let late = puppet.text("late");
    hub.deliver(juliet, &puppet.text("old"));
    hub.settle();
    puppet.meet(&hub, JULIET, hub.id(juliet));
    assert_eq!(read(&hub.deliver(juliet, &puppet.text("new"))), ["new"]);
    hub.settle();
    let first = |hub: &mut Hub<S::Store>| {
        let lines = hub.dump(juliet);
        let line = lines
            .iter()
            .find(|line| line.starts_with("session"))
            .unwrap();
        line.split(' ').nth(3).unwrap().to_owned()
    };
    let chosen = first(&mut hub);
    assert_eq!(read(&hub.deliver(juliet, &late)), ["late"]);
    assert_eq!(first(&mut hub), chosen);
}

/// A device that was restored from a copy gets messages of sessions that it does not have. omemo:2 lets it begin one;
/// legacy keeps quiet. Never on a message that is merely damaged (A20).
#[test]
fn rule_26_a_message_of_an_unknown_session_begins_one() {
    for version in BOTH {
        let folder = tempfile::TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut hub = Hub::new(6);
        let juliet = hub.join(
            JULIET,
            SqliteStore::open(path("juliet")).unwrap(),
            speaks(&[version]),
        );
        let romeo = hub.join(
            ROMEO,
            SqliteStore::open(path("romeo")).unwrap(),
            speaks(&[version]),
        );
        // he knows her device's key and list, and has no session with it
        hub.call(romeo, |account| {
            account.inspect(&omemo::BareJid::parse(JULIET).unwrap())
        });
        hub.call(romeo, |account| {
            account.known(&omemo::BareJid::parse(JULIET).unwrap())
        });
        hub.settle();
        hub.restart(romeo, |old| {
            drop(old);
            std::fs::copy(path("romeo"), path("copy")).unwrap();
            SqliteStore::open(path("romeo")).unwrap()
        });
        hub.send(juliet, ROMEO, "1", "one");
        hub.send(romeo, JULIET, "2", "two");
        hub.send(juliet, ROMEO, "3", "three");
        hub.restart(romeo, |old| {
            drop(old);
            SqliteStore::open(path("copy")).unwrap()
        });
        let crossed = hub.messages_of(romeo).len();
        hub.send(juliet, ROMEO, "4", "four");
        let reasons = unread(&hub.devices[romeo.0].events);
        assert_eq!(reasons, [UndecryptableReason::NoSession]);
        let answers = hub.messages_of(romeo).split_off(crossed);
        match version {
            Version::Omemo2 => {
                assert_eq!(answers.len(), 1, "{answers:?}");
                assert!(!has_payload(&answers[0]) && is_key_exchange(&answers[0]));
                hub.send(juliet, ROMEO, "5", "five");
                assert_eq!(hub.bodies(romeo).last().unwrap(), "five");
            }
            Version::Legacy => assert!(answers.is_empty(), "{answers:?}"),
        }
        hub.send(romeo, JULIET, "6", "six");
        assert_eq!(hub.bodies(juliet).last().unwrap(), "six");
        hub.send(juliet, ROMEO, "7", "seven");
        assert_eq!(hub.bodies(romeo).last().unwrap(), "seven");
    }
}

over_versions!(
    rule_16_a_key_exchange_repeats_until_the_reply_and_stops_after,
    rule_23_key_exchanges_of_one_session_arrive_in_any_order_and_twice,
    rule_23_another_ephemeral_key_takes_over,
    skipped_messages_of_a_session_that_went_are_too_old_and_not_duplicates,
    simultaneous_key_exchanges_converge,
    rule_30_a_heartbeat_answers_message_53_once,
    rule_32_lost_messages_come_late_within_the_limits,
    a16_a_jump_beyond_the_limit_is_refused,
    late_messages_of_earlier_chains_are_read,
    a_late_message_does_not_choose_the_session,
);
