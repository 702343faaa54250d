//! Catch-up: while the archive is read nothing is deleted, rotated or answered; then all of it is.

use omemo::{Element, Event, UndecryptableReason, Version};
use omemo_sqlite::SqliteStore;
use omemo_tests::hub::{At, Hub, speaks};

use crate::over::{BOTH, Memory, Stores};
use crate::puppet::{Puppet, read_bundle};
use crate::stage::*;

const HOUR: i64 = 3600;

/// Juliet online with her catch-up open, and puppets that all took the same prekey.
fn crowd<S: Stores>(
    stores: &mut S,
    version: Version,
    count: u32,
) -> (Hub<S::Store>, At, Vec<Puppet>) {
    let mut hub = Hub::new(9);
    hub.catches_up = false;
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    hub.strangers.push(MALLORY.into());
    let published = bundle(&hub, version, JULIET, hub.id(juliet)).unwrap();
    let mut taken = read_bundle(&published);
    taken.pre_keys.truncate(1);
    let puppets = (1..=count)
        .map(|id| {
            let mut puppet = Puppet::new(version, MALLORY, id);
            puppet.meet_bundle(&taken, JULIET, hub.id(juliet));
            puppet
        })
        .collect();
    (hub, juliet, puppets)
}

/// A message as our archive hands it on.
fn archived(stanza: &str) -> Element {
    xml(&format!(
        "<message xmlns='jabber:client' from='{JULIET}'><result xmlns='urn:xmpp:mam:2' id='a' queryid='q'>\
         <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2027-01-15T08:00:00Z'/>\
         {stanza}</forwarded></result></message>"
    ))
}

fn used<S: omemo::store::Store + 'static>(hub: &mut Hub<S>, at: At) -> usize {
    let lines = hub.dump(at);
    let used = lines
        .iter()
        .filter(|line| line.starts_with("prekey") && !line.ends_with("None"));
    used.count()
}

fn rule_28_one_prekey_serves_two_senders_until_the_catch_up_ends<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, mut puppets) = crowd(&mut stores, version, 3);
    assert_eq!(
        read(&hub.deliver(juliet, &puppets[0].text("first"))),
        ["first"]
    );
    hub.settle();
    assert_eq!(used(&mut hub, juliet), 1);
    assert_eq!(
        read(&hub.deliver(juliet, &puppets[1].text("second"))),
        ["second"]
    );
    hub.settle();
    assert!(hub.messages_of(juliet).is_empty(), "answers wait");
    let id = hub.id(juliet);
    let published = bundle(&hub, version, JULIET, id).unwrap();
    assert_eq!(
        pre_keys(&published).len(),
        100,
        "one is used up, and one took its place"
    );
    let own = hub.dump(juliet);
    let kept = own.iter().filter(|line| line.starts_with("prekey"));
    assert_eq!(kept.count(), 101);
    // the bundle without it is long published, and still the archive may bring it
    hub.pass(HOUR - 1);
    assert_eq!(used(&mut hub, juliet), 1);
    hub.call(juliet, |account| account.caught_up());
    hub.pass(1);
    assert_eq!(used(&mut hub, juliet), 0);
    assert_eq!(
        unread(&hub.deliver(juliet, &puppets[2].text("third"))),
        [UndecryptableReason::UnknownPreKey]
    );
    // the sessions themselves go on
    assert_eq!(
        read(&hub.deliver(juliet, &puppets[0].text("more"))),
        ["more"]
    );
}

/// A18: others keep the list of prekeys to delete in memory, and forget it in a crash.
fn a18_deletion_that_waits_survives_a_restart<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, mut puppets) = crowd(&mut stores, version, 3);
    hub.deliver(juliet, &puppets[0].text("first"));
    hub.settle();
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    assert_eq!(used(&mut hub, juliet), 1);
    assert_eq!(
        read(&hub.deliver(juliet, &puppets[1].text("second"))),
        ["second"]
    );
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    hub.call(juliet, |account| account.caught_up());
    assert_eq!(used(&mut hub, juliet), 1, "others may have drawn it");
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    hub.call(juliet, |account| account.caught_up());
    hub.pass(HOUR);
    assert_eq!(used(&mut hub, juliet), 0);
    assert_eq!(
        unread(&hub.deliver(juliet, &puppets[2].text("third"))),
        [UndecryptableReason::UnknownPreKey]
    );
}

/// A15: while a prekey is kept, the key exchange that used it could be taken for a new one.
fn a15_a_replay_while_its_prekey_is_kept_is_quiet<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, mut puppets) = crowd(&mut stores, version, 1);
    let stanzas = ["first", "second"].map(|body| puppets[0].text(body));
    for stanza in &stanzas {
        assert_eq!(read(&hub.deliver(juliet, stanza)).len(), 1);
    }
    hub.settle();
    assert_eq!(used(&mut hub, juliet), 1, "the prekey is still there");
    let before = hub.dump(juliet);
    for _ in 0..100 {
        for stanza in &stanzas {
            let events = hub.deliver(juliet, stanza);
            assert!(is_repeated(&events), "{events:?}");
        }
    }
    assert_eq!(hub.dump(juliet), before);
}

/// A15, A07: nothing in a key exchange says who sends it, so that it could come again under another name.
fn a15_a_key_exchange_comes_under_one_name_while_its_prekey_is_kept<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, mut puppets) = crowd(&mut stores, version, 1);
    hub.strangers.push(ROMEO.into());
    let stanza = puppets[0].text("once");
    assert_eq!(read(&hub.deliver(juliet, &stanza)), ["once"]);
    hub.settle();
    assert_eq!(used(&mut hub, juliet), 1, "the prekey is still there");
    let before = hub.dump(juliet);
    let mut other_account = stanza.clone();
    omemo_tests::hub::set(&mut other_account, "from", format!("{ROMEO}/x"));
    let other_device = xml(&String::from(&stanza)
        .replace("sid=\"1\"", "sid=\"2\"")
        .replace("sid='1'", "sid='2'"));
    assert_ne!(other_device, stanza);
    for stanza in [other_account, other_device] {
        let reasons = unread(&hub.deliver(juliet, &stanza));
        assert!(
            matches!(reasons[..], [UndecryptableReason::KeyExchangeRefused(_)]),
            "{reasons:?}"
        );
        assert_eq!(hub.dump(juliet), before);
    }
}

/// A17: every device that an account shows leaves rows behind, so that it may show as many as a list may hold.
#[test]
fn a17_an_account_shows_no_more_devices_than_a_list_holds() {
    for version in BOTH {
        show_devices(version);
    }
}

fn show_devices(version: Version) {
    const MOST: u32 = 1_024;
    let (mut hub, juliet, mut puppets) = crowd(&mut Memory, version, MOST + 1);
    let mut last = puppets.pop().unwrap();
    for puppet in &mut puppets {
        let body = puppet.id.to_string();
        assert_eq!(read(&hub.deliver(juliet, &puppet.text(&body))), [body]);
    }
    let before = hub.dump(juliet);
    let reasons = unread(&hub.deliver(juliet, &last.text("one too many")));
    assert!(
        matches!(reasons[..], [UndecryptableReason::KeyExchangeRefused(_)]),
        "{reasons:?}"
    );
    assert_eq!(hub.dump(juliet), before);
    // those that are known stay so
    assert_eq!(
        read(&hub.deliver(juliet, &puppets[0].text("more"))),
        ["more"]
    );
}

/// Answers are owed once a device, in the store.
fn rule_28_answers_that_wait_survive_a_restart_and_go_once_a_device<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, mut puppets) = crowd(&mut stores, version, 2);
    let mallory = omemo::BareJid::parse(MALLORY).unwrap();
    hub.call(juliet, |account| account.known(&mallory));
    for puppet in &mut puppets {
        for n in 0..3 {
            hub.deliver(juliet, &puppet.text(&n.to_string()));
        }
    }
    hub.settle();
    assert!(hub.messages_of(juliet).is_empty());
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    assert!(hub.messages_of(juliet).is_empty());
    hub.call(juliet, |account| account.caught_up());
    hub.settle();
    let answers = hub.messages_of(juliet);
    assert_eq!(answers.len(), 2, "{answers:?}");
    assert!(answers.iter().all(|answer| !has_payload(answer)));
    hub.pass(60);
    assert_eq!(hub.messages_of(juliet).len(), 2);
}

fn a_forgotten_catch_up_closes_after_an_hour<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, mut puppets) = crowd(&mut stores, version, 2);
    hub.deliver(juliet, &puppets[0].text("first"));
    hub.settle();
    let expired = |hub: &Hub<S::Store>| {
        let events = &hub.devices[juliet.0].events;
        events
            .iter()
            .filter(|event| **event == Event::CatchUpExpired)
            .count()
    };
    hub.pass(3599);
    assert_eq!((expired(&hub), used(&mut hub, juliet)), (0, 1));
    hub.pass(1);
    assert_eq!((expired(&hub), used(&mut hub, juliet)), (1, 0));
    hub.pass(7200);
    assert_eq!(expired(&hub), 1);
    assert_eq!(
        unread(&hub.deliver(juliet, &puppets[1].text("late"))),
        [UndecryptableReason::UnknownPreKey]
    );
}

/// The same message from the archive and from offline storage.
fn an_archive_that_overlaps_shows_nothing_twice<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    hub.go_offline(juliet);
    for n in 0..5 {
        hub.send(romeo, JULIET, &format!("{n}"), &format!("{n}"));
    }
    let offline: Vec<String> = hub.mailbox(juliet).drain(..).collect();
    hub.catches_up = false;
    hub.go_online(juliet);
    for stanza in &offline {
        hub.deliver(juliet, &archived(stanza));
    }
    for stanza in offline.iter().rev() {
        assert!(is_repeated(&hub.deliver(juliet, &xml(stanza))));
    }
    hub.settle();
    assert_eq!(hub.bodies(juliet), ["hi", "0", "1", "2", "3", "4"]);
    let message = hub.devices[juliet.0].messages.last().unwrap();
    assert_eq!(
        message.delay,
        Some(omemo::Timestamp::from_seconds(1_800_000_000))
    );
    assert!(!message.time_differs);
}

/// Rule 28: a device that began three sessions while we were away, and what it said in them, in any order; the answer is for
/// the session in force.
fn rule_28_late_key_exchanges_of_one_device_are_all_read<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, mut puppets) = crowd(&mut stores, version, 1);
    let mallory = omemo::BareJid::parse(MALLORY).unwrap();
    hub.call(juliet, |account| account.known(&mallory));
    let mut puppet = puppets.pop().unwrap();
    let mut stanzas = Vec::new();
    for session in ["a", "b", "c"] {
        puppet.meet(&hub, JULIET, hub.id(juliet));
        for n in 0..3 {
            let id = format!("{session}{n}");
            stanzas.push((id.clone(), String::from(&puppet.text(&id))));
        }
    }
    for n in [1, 3, 5, 0, 2, 4, 8, 7, 6] {
        let (body, stanza) = &stanzas[n];
        assert_eq!(
            read(&hub.deliver(juliet, &archived(stanza))),
            std::slice::from_ref(body)
        );
    }
    for (_, stanza) in &stanzas {
        assert!(is_repeated(&hub.deliver(juliet, &archived(stanza))));
    }
    hub.settle();
    assert!(hub.messages_of(juliet).is_empty());
    hub.call(juliet, |account| account.caught_up());
    hub.settle();
    let answers = hub.messages_of(juliet);
    assert_eq!(answers.len(), 1, "one a device");
    assert!(
        puppet.reads(&answers[0]),
        "over the session that was used last"
    );
}

/// A18: killed at any place in the archive, on a store that is opened again: everything is read once, and what was put off
/// is done once.
fn a18_a_kill_in_the_middle_of_the_archive_loses_and_doubles_nothing<S: Stores>(
    mut stores: S,
    version: Version,
) {
    const MESSAGES: usize = 6;
    for killed_at in 0..=MESSAGES {
        let (mut hub, juliet, mut puppets) = crowd(&mut stores, version, 2);
        let mallory = omemo::BareJid::parse(MALLORY).unwrap();
        hub.call(juliet, |account| account.known(&mallory));
        // both began with the same prekey
        let archive: Vec<(String, Element)> = (0..MESSAGES)
            .map(|n| {
                let body = n.to_string();
                let stanza = puppets[n % 2].text(&body);
                (body, archived(&String::from(&stanza)))
            })
            .collect();
        for (body, stanza) in &archive[..killed_at] {
            assert_eq!(
                read(&hub.deliver(juliet, stanza)),
                std::slice::from_ref(body)
            );
        }
        // each network has one store
        hub.restart(juliet, |old| stores.again(killed_at, old));
        for (n, (body, stanza)) in archive.iter().enumerate() {
            let events = hub.deliver(juliet, stanza);
            if n < killed_at {
                assert!(is_repeated(&events), "{events:?}");
            } else {
                assert_eq!(read(&events), std::slice::from_ref(body));
            }
        }
        hub.restart(juliet, |old| stores.again(killed_at, old));
        assert_eq!(used(&mut hub, juliet), 1, "kept across both deaths");
        assert!(hub.messages_of(juliet).is_empty());
        hub.call(juliet, |account| account.caught_up());
        hub.settle();
        let answers = hub.messages_of(juliet);
        assert_eq!(answers.len(), 2, "killed at {killed_at}");
        let read = |puppet: &mut Puppet| answers.iter().any(|answer| puppet.reads(answer));
        assert!(puppets.iter_mut().all(read));
        hub.pass(HOUR);
        assert_eq!(used(&mut hub, juliet), 0);
        assert_eq!(hub.messages_of(juliet).len(), 2);
    }
}

/// Legacy rule 9: what is owed for a key exchange from the archive leaves before anything is said in its session, also when
/// somebody writes before the archive has been read.
fn legacy_09_an_answer_that_is_owed_leaves_before_the_message<S: Stores>(
    mut stores: S,
    version: Version,
) {
    for caught_up in [false, true] {
        let mut hub = Hub::new(9);
        let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
        let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
        hub.go_offline(juliet);
        hub.send(romeo, JULIET, "while away", "while away");
        hub.catches_up = caught_up;
        hub.go_online(juliet);
        hub.settle();
        assert_eq!(hub.bodies(juliet), ["while away"]);
        assert!(
            hub.messages_of(juliet).is_empty(),
            "romeo is a stranger yet"
        );
        hub.devices[juliet.0].confirms = false;
        hub.send(juliet, ROMEO, "reply", "reply");
        let crossed = hub.messages_of(juliet);
        let payloads: Vec<bool> = crossed.iter().map(has_payload).collect();
        assert_eq!(payloads, [false, true], "caught up: {caught_up}");
        let tickets = &hub.devices[juliet.0].tickets;
        assert!(
            tickets.is_sorted(),
            "and in this order they stand in the outbox"
        );
        assert_eq!(hub.bodies(romeo), ["reply"]);
        // and that was all that was owed
        hub.call(juliet, |account| account.caught_up());
        hub.pass(60);
        assert_eq!(hub.messages_of(juliet).len(), 2);
        hub.devices[juliet.0].confirms = true;
        hub.send(juliet, ROMEO, "more", "more");
        assert_eq!(hub.messages_of(juliet).len(), 3);
    }
}

/// A handle that never goes online, as in a notification: it reads, and leaves everything else to the other.
#[test]
fn a_handle_that_is_not_online_reads_and_does_nothing_else() {
    for version in BOTH {
        let folder = tempfile::TempDir::new().unwrap();
        let open = |name: &str| SqliteStore::open(folder.path().join(name)).unwrap();
        let mut hub = Hub::new(10);
        let app = hub.join(JULIET, open("juliet"), speaks(&[version]));
        let helper = hub.add(JULIET, open("juliet"), speaks(&[version]));
        hub.strangers.push(MALLORY.into());
        let mallory = omemo::BareJid::parse(MALLORY).unwrap();
        hub.call(app, |account| account.known(&mallory));
        let mut puppet = Puppet::new(version, MALLORY, 5);
        puppet.meet(&hub, JULIET, hub.id(app));
        let crossed = hub.wire.len();
        assert_eq!(read(&hub.deliver(helper, &puppet.text("psst"))), ["psst"]);
        hub.call(helper, omemo::Account::tick);
        assert_eq!(hub.wire.len(), crossed, "{:?}", hub.wire.last());
        assert_eq!(used(&mut hub, app), 1);
        // the next calls of the other do the rest
        hub.pass(1);
        hub.pass(HOUR);
        assert_eq!(used(&mut hub, app), 0);
        let answers = hub.messages_of(app);
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert!(hub.messages_of(helper).is_empty());
    }
}

over_versions!(
    rule_28_one_prekey_serves_two_senders_until_the_catch_up_ends,
    a15_a_replay_while_its_prekey_is_kept_is_quiet,
    a15_a_key_exchange_comes_under_one_name_while_its_prekey_is_kept,
    a18_deletion_that_waits_survives_a_restart,
    rule_28_answers_that_wait_survive_a_restart_and_go_once_a_device,
    a_forgotten_catch_up_closes_after_an_hour,
    an_archive_that_overlaps_shows_nothing_twice,
    rule_28_late_key_exchanges_of_one_device_are_all_read,
    a18_a_kill_in_the_middle_of_the_archive_loses_and_doubles_nothing,
    legacy_09_an_answer_that_is_owed_leaves_before_the_message,
);
