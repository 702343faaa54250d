//! Stores that are put back to an older state are noticed, and nothing is encrypted from them (A19).

use minidom::Element;
use omemo::{
    Account, BareJid, Environment, Event, RestoreProof, Settings, UnsentReason, UnservedReason,
    Version,
};
use omemo_sqlite::{FileAnchor, SqliteStore};
use omemo_tests::hub::{At, Hub, Mishap, Pocket, carbon, set, speaks};
use omemo_tests::wire::Ledger;

use crate::over::{BOTH, Sqlite, Stores};
use crate::rooms::{ROOM, cast};
use crate::stage::*;

pub type Net = Hub<SqliteStore>;

/// Juliet, whose store may have an anchor, and Romeo, after each has heard from the other.
pub fn two(stores: &mut Sqlite, version: Version, anchor: Option<&Pocket>) -> (Net, At, At) {
    let mut hub = Hub::new(7);
    if let Some(anchor) = anchor {
        hub.anchors.insert(At(0), anchor.clone());
    }
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(juliet, ROMEO, "hello", "hello");
    hub.send(romeo, JULIET, "hi", "hi");
    (hub, juliet, romeo)
}

pub fn proofs(events: &[Event]) -> Vec<RestoreProof> {
    let proofs = events.iter().filter_map(|event| match event {
        Event::Restored { proof } => Some(proof.clone()),
        _ => None,
    });
    proofs.collect()
}

pub fn is_restored(hub: &mut Net, at: At) -> bool {
    let account = hub.devices[at.0].account.as_mut().unwrap();
    account.restored().unwrap()
}

/// What a device put on the wire since, that could do harm: messages, and whatever it published.
fn harmful(hub: &Net, at: At, since: usize) -> Vec<String> {
    let crossed = hub.wire[since..]
        .iter()
        .filter(|crossed| crossed.from == at);
    crossed
        .map(|crossed| crossed.text.clone())
        .filter(|text| text.starts_with("<message") || text.contains("<publish"))
        .collect()
}

/// No message key has encrypted two things.
pub fn assert_nothing_reused(hub: &Net) {
    let mut ledger = Ledger::default();
    for crossed in &hub.wire {
        let jid = hub.devices[crossed.from.0].jid.to_string();
        let mut stanza: Element = crossed.text.parse().unwrap();
        set(&mut stanza, "from", jid.clone());
        ledger.enter(&stanza, &jid).unwrap();
    }
}

/// A message as our own archive has it.
fn archived(message: &Element) -> Element {
    let message = String::from(message);
    xml(&format!(
        "<message xmlns='jabber:client' from='{JULIET}'><result xmlns='urn:xmpp:mam:2' id='1'>\
         <forwarded xmlns='urn:xmpp:forward:0'>{message}</forwarded></result></message>"
    ))
}

/// Juliet sends more and her store is put back to where it was before that; gives what she had sent.
pub fn put_back(hub: &mut Net, stores: &mut Sqlite, juliet: At) -> Vec<Element> {
    hub.restart(juliet, |old| stores.back_up(juliet.0, old));
    let before = hub.messages_of(juliet).len();
    for n in 0..3 {
        hub.send(juliet, ROMEO, &format!("lost {n}"), "lost");
    }
    let mut sent = hub.messages_of(juliet).split_off(before);
    sent.retain(has_payload);
    assert_eq!(sent.len(), 3);
    hub.go_offline(juliet);
    hub.restart_quietly(juliet, |old| stores.put_back(juliet.0, old));
    sent
}

fn a19_an_anchor_refuses_a_store_that_was_put_back(version: Version) {
    let mut stores = Sqlite::default();
    let anchor = Pocket::default();
    let (mut hub, juliet, romeo) = two(&mut stores, version, Some(&anchor));
    put_back(&mut hub, &mut stores, juliet);
    let kept = anchor.record();
    let (since, heard) = (hub.wire.len(), hub.devices[juliet.0].events.len());
    // known from the first moment on, before anybody is asked
    assert!(is_restored(&mut hub, juliet));
    hub.go_online(juliet);
    hub.settle();
    let events = hub.send(juliet, ROMEO, "new", "new");
    let reasons: Vec<_> = unserved(&events, "new")
        .into_iter()
        .map(|it| it.reason)
        .collect();
    assert!(is_refused(&events, "new"));
    assert_eq!(reasons, [UnservedReason::Restored]);
    assert_eq!(
        proofs(&hub.devices[juliet.0].events[heard..]),
        [RestoreProof::Anchor]
    );
    // it is remembered
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    assert!(is_restored(&mut hub, juliet));
    hub.send(romeo, JULIET, "to her", "to her");
    hub.pass(10 * 86_400);
    let account = hub.devices[juliet.0].account.as_mut().unwrap();
    let wake = account.tick().unwrap().wake;
    assert!(wake.is_none_or(|at| at > hub.now()), "{wake:?}");
    assert!(is_refused(
        &hub.send(juliet, ROMEO, "newer", "newer"),
        "newer"
    ));
    assert_eq!(harmful(&hub, juliet, since), Vec::<String>::new());
    assert_eq!(anchor.record(), kept, "it is not lowered");
    assert_nothing_reused(&hub);
}

fn a19_an_own_message_proves_it_without_an_anchor(version: Version) {
    for wrapped in [archived, |message: &Element| carbon(JULIET, message)] {
        let mut stores = Sqlite::default();
        let (mut hub, juliet, _) = two(&mut stores, version, None);
        let sent = put_back(&mut hub, &mut stores, juliet);
        hub.go_online(juliet);
        hub.settle();
        assert!(!is_restored(&mut hub, juliet), "nothing proves it yet");
        let since = hub.wire.len();
        // the archive begins with the oldest; any of them is enough
        let events = hub.deliver(juliet, &wrapped(&sent[1]));
        assert_eq!(proofs(&events), [RestoreProof::OwnMessage]);
        assert!(is_restored(&mut hub, juliet));
        assert!(is_refused(&hub.send(juliet, ROMEO, "new", "new"), "new"));
        assert_eq!(harmful(&hub, juliet, since), Vec::<String>::new());
        assert_nothing_reused(&hub);
    }
}

/// No anchor, no archive: who knows it says so.
fn a19_a_restore_that_only_the_app_knows_of_is_refused_too(version: Version) {
    let mut stores = Sqlite::default();
    let (mut hub, juliet, _) = two(&mut stores, version, None);
    put_back(&mut hub, &mut stores, juliet);
    let (since, heard) = (hub.wire.len(), hub.devices[juliet.0].events.len());
    hub.call(juliet, Account::put_back);
    assert!(is_restored(&mut hub, juliet));
    hub.go_online(juliet);
    hub.settle();
    assert!(is_refused(&hub.send(juliet, ROMEO, "new", "new"), "new"));
    assert_eq!(harmful(&hub, juliet, since), Vec::<String>::new());
    // said twice, it is no news
    hub.call(juliet, Account::put_back);
    let events = &hub.devices[juliet.0].events[heard..];
    assert_eq!(proofs(events), [RestoreProof::Said]);
    hub.call(juliet, Account::recover);
    hub.settle();
    assert!(!is_restored(&mut hub, juliet));
    let events = hub.send(juliet, ROMEO, "newer", "newer");
    assert!(!is_refused(&events, "newer"), "{events:?}");
    assert_nothing_reused(&hub);
}

fn a19_a_reflection_in_a_room_proves_it(version: Version) {
    let mut stores = Sqlite::default();
    let (mut hub, [juliet, romeo, _]) = cast(&mut stores, version);
    hub.say(juliet, ROOM, "1", "one");
    hub.say(romeo, ROOM, "2", "two");
    hub.restart(juliet, |old| stores.back_up(juliet.0, old));
    hub.join_room(juliet, ROOM, "juliet");
    let before = hub.messages_of(juliet).len();
    hub.say(juliet, ROOM, "3", "three");
    let mut sent = hub.messages_of(juliet).split_off(before);
    sent.retain(has_payload);
    hub.restart(juliet, |old| stores.put_back(juliet.0, old));
    hub.join_room(juliet, ROOM, "juliet");
    assert!(!is_restored(&mut hub, juliet));
    let mut reflected = sent.remove(0);
    set(&mut reflected, "from", format!("{ROOM}/juliet"));
    assert_eq!(
        proofs(&hub.deliver(juliet, &reflected)),
        [RestoreProof::OwnMessage]
    );
}

/// What nobody but us can have sealed is proof, and nothing else.
fn a19_a_forged_own_message_proves_nothing(version: Version) {
    let mut stores = Sqlite::default();
    let (mut hub, juliet, _) = two(&mut stores, version, None);
    let before = hub.messages_of(juliet).len();
    hub.send(juliet, ROMEO, "kept", "kept");
    let known = hub.messages_of(juliet).split_off(before).remove(0);
    let sent = put_back(&mut hub, &mut stores, juliet).remove(0);
    hub.go_online(juliet);
    hub.settle();
    // one that the store does know
    hub.deliver(juliet, &archived(&known));
    // damaged anywhere in the key
    let text = String::from(&sent);
    let start = text.find("<key ").unwrap();
    let start = start + text[start..].find('>').unwrap() + 1;
    let end = start + text[start..].find('<').unwrap();
    for at in start..end {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'Q' } else { b'A' };
        let Ok(damaged) = String::from_utf8(bytes).unwrap().parse::<Element>() else {
            continue;
        };
        let events = hub.deliver(juliet, &archived(&damaged));
        // base64 has bits that say nothing: then it is the same key
        if !proofs(&events).is_empty() {
            assert_eq!(
                at + 1 + text[at + 1..end].matches('=').count(),
                end,
                "at {at}"
            );
            return;
        }
    }
    // somebody else's word for it, and somebody else's archive
    let mut foreign = sent.clone();
    set(&mut foreign, "from", format!("{MALLORY}/x"));
    hub.deliver(juliet, &foreign);
    let mut forged = archived(&sent);
    set(&mut forged, "from", MALLORY);
    hub.deliver(juliet, &forged);
    assert!(!is_restored(&mut hub, juliet));
    assert_eq!(proofs(&hub.deliver(juliet, &archived(&sent))).len(), 1);
}

/// What was sealed before the copy was made may have gone out in the time that is forgotten.
fn a19_what_was_sealed_and_what_waits_is_given_up(version: Version) {
    let mut stores = Sqlite::default();
    let anchor = Pocket::default();
    let (mut hub, juliet, _) = two(&mut stores, version, Some(&anchor));
    hub.devices[juliet.0].confirms = false;
    hub.send(juliet, ROMEO, "sealed", "sealed");
    put_back(&mut hub, &mut stores, juliet);
    let heard = hub.devices[juliet.0].events.len();
    hub.write(juliet, ROMEO, "waits", "waits");
    let since = hub.wire.len();
    hub.go_online(juliet);
    hub.settle();
    let events = hub.devices[juliet.0].events.split_off(heard);
    assert_eq!(
        unsent(&events),
        [("sealed".into(), UnsentReason::Restored, true)]
    );
    assert!(is_refused(&events, "waits"), "{events:?}");
    assert_eq!(harmful(&hub, juliet, since), Vec::<String>::new());
}

/// Opening uses nothing twice: what the old state can read is read.
fn a19_a_restored_store_still_reads(version: Version) {
    let mut stores = Sqlite::default();
    let anchor = Pocket::default();
    let (mut hub, juliet, romeo) = two(&mut stores, version, Some(&anchor));
    hub.restart(juliet, |old| stores.back_up(juliet.0, old));
    hub.go_offline(juliet);
    hub.send(romeo, JULIET, "while away", "while away");
    let waiting = hub.mailbox(juliet).clone();
    hub.go_online(juliet);
    hub.settle();
    hub.restart_quietly(juliet, |old| stores.put_back(juliet.0, old));
    *hub.mailbox(juliet) = waiting;
    hub.go_online(juliet);
    hub.settle();
    assert!(is_restored(&mut hub, juliet));
    // an app that remembers the ids of messages shows it again rather than lose it
    assert_eq!(hub.bodies(juliet), ["hi", "while away", "while away"]);
}

/// Killed after the commit and before the anchor was written: the store is ahead, which is no proof.
fn a19_a_kill_before_the_anchor_is_written_is_no_alarm(version: Version) {
    let mut stores = Sqlite::default();
    let anchor = Pocket::default();
    let (mut hub, juliet, romeo) = two(&mut stores, version, Some(&anchor));
    for n in 0..5 {
        anchor.suffers(Mishap::Forgets);
        hub.send(juliet, ROMEO, &format!("{n}"), "on");
        anchor.suffers(Mishap::None);
        let before = anchor.generation();
        hub.restart(juliet, |old| stores.again(juliet.0, old));
        assert!(!is_restored(&mut hub, juliet));
        assert!(anchor.generation() > before);
    }
    assert_eq!(hub.bodies(romeo).len(), 6);
}

/// One that cannot be written is reported, and what was done is done.
fn a19_an_anchor_that_fails_is_reported(version: Version) {
    let mut stores = Sqlite::default();
    let anchor = Pocket::default();
    let (mut hub, juliet, romeo) = two(&mut stores, version, Some(&anchor));
    anchor.suffers(Mishap::Unwritable);
    let events = hub.send(juliet, ROMEO, "1", "said all the same");
    let failed = |it: &Event| matches!(it, Event::AnchorFailed { .. });
    assert!(events.iter().any(failed), "{events:?}");
    assert_eq!(hub.bodies(romeo).last().unwrap(), "said all the same");
    anchor.suffers(Mishap::None);
    let events = hub.send(juliet, ROMEO, "2", "again");
    assert!(!events[..].iter().skip(1).any(failed), "{events:?}");
    assert!(!is_restored(&mut hub, juliet));
}

/// The machine went back with its memory and its disk, and the anchor did not.
fn a19_a_later_anchor_withholds_what_was_sealed(version: Version) {
    let mut stores = Sqlite::default();
    let anchor = Pocket::default();
    let (mut hub, juliet, _) = two(&mut stores, version, Some(&anchor));
    anchor.advance();
    let since = hub.wire.len();
    let events = hub.send(juliet, ROMEO, "1", "from an old state");
    assert_eq!(proofs(&events), [RestoreProof::Anchor]);
    assert_eq!(
        unsent(&events),
        [("1".into(), UnsentReason::Restored, true)]
    );
    assert_eq!(harmful(&hub, juliet, since), Vec::<String>::new());
    assert!(is_refused(&hub.send(juliet, ROMEO, "2", "two"), "2"));
}

#[test]
fn a19_an_anchor_knows_its_store() {
    let mut stores = Sqlite::default();
    let mut hub = Hub::new(3);
    let anchor = Pocket::default();
    let mut join = |hub: &mut Net| {
        let at = At(hub.devices.len());
        hub.anchors.insert(at, anchor.clone());
        hub.join(JULIET, stores.make(), Settings::default())
    };
    let first = join(&mut hub);
    // a new device takes the anchor of an older one over
    let second = join(&mut hub);
    assert!(!is_restored(&mut hub, second));
    // and the older one, should it come back, is an older one
    hub.restart(first, |old| stores.again(first.0, old));
    assert_eq!(
        proofs(&hub.devices[first.0].events),
        [RestoreProof::OtherStore]
    );
    assert!(is_restored(&mut hub, first));
    hub.restart(second, |old| stores.again(second.0, old));
    assert!(!is_restored(&mut hub, second));

    // a store that was taken to another machine finds no anchor there
    anchor.put(None);
    hub.restart(second, |old| stores.again(second.0, old));
    assert_eq!(
        proofs(&hub.devices[second.0].events),
        [RestoreProof::AnchorGone]
    );
    hub.call(second, Account::recover);
    hub.settle();
    hub.restart(second, |old| stores.again(second.0, old));
    assert!(!is_restored(&mut hub, second));

    // one that never had an anchor may get one
    let third = hub.join(JULIET, stores.make(), Settings::default());
    let fresh = Pocket::default();
    hub.anchors.insert(third, fresh.clone());
    hub.restart(third, |old| stores.again(third.0, old));
    assert!(!is_restored(&mut hub, third) && fresh.writes() > 0);
}

/// Not knowing is not opening.
#[test]
fn a19_an_anchor_that_cannot_be_read_opens_nothing() {
    let anchor = Pocket::default();
    anchor.suffers(Mishap::Unreadable);
    let opened = Account::open(
        SqliteStore::open_in_memory().unwrap(),
        BareJid::parse(JULIET).unwrap(),
        Settings::default(),
        Environment::system().with_anchor(anchor),
    );
    assert!(matches!(opened, Err(omemo::Error::Anchor(_))));
}

/// Two processes on one store with one anchor, however they take turns.
#[test]
fn a19_two_handles_with_one_anchor_raise_no_alarm() {
    let folder = tempfile::TempDir::new().unwrap();
    let store = folder.path().join("store.db");
    let anchor = folder.path().join("anchor");
    drop(SqliteStore::open(&store).unwrap());
    let open = || {
        let environment = Environment::system().with_anchor(FileAnchor::new(&anchor));
        Account::open(
            SqliteStore::open(&store).unwrap(),
            BareJid::parse(JULIET).unwrap(),
            Settings::default(),
            environment,
        )
        .unwrap()
    };
    let work = |name: &str| {
        for round in 0..10 {
            let mut account = open();
            for n in 0..10 {
                let jid = BareJid::parse(&format!("{name}-{round}-{n}@x.example")).unwrap();
                let output = account.known(&jid).unwrap();
                assert_eq!(output.events, []);
                assert!(!account.restored().unwrap());
            }
        }
    };
    std::thread::scope(|scope| {
        for name in ["one", "two"] {
            scope.spawn(move || work(name));
        }
    });
    assert!(!open().restored().unwrap());
    let record = std::fs::read(&anchor).unwrap();
    let generation = u64::from_be_bytes(record[8..].try_into().unwrap());
    assert!(generation >= 200, "{generation}");
}

/// The store went back while a handle had it open.
#[test]
fn a19_a_store_that_goes_back_under_a_handle_is_noticed() {
    for version in BOTH {
        let mut stores = Sqlite::default();
        let (mut hub, juliet, _) = two(&mut stores, version, None);
        hub.send(juliet, ROMEO, "1", "one");
        stores.rewind(juliet.0, JULIET);
        let since = hub.wire.len();
        let events = hub.send(juliet, ROMEO, "2", "two");
        assert_eq!(proofs(&events), [RestoreProof::WentBack]);
        assert!(is_refused(&events, "2"), "{events:?}");
        assert_eq!(harmful(&hub, juliet, since), Vec::<String>::new());
    }
}

in_files!(
    a19_an_anchor_refuses_a_store_that_was_put_back,
    a19_an_own_message_proves_it_without_an_anchor,
    a19_a_restore_that_only_the_app_knows_of_is_refused_too,
    a19_a_reflection_in_a_room_proves_it,
    a19_a_forged_own_message_proves_nothing,
    a19_what_was_sealed_and_what_waits_is_given_up,
    a19_a_restored_store_still_reads,
    a19_a_kill_before_the_anchor_is_written_is_no_alarm,
    a19_an_anchor_that_fails_is_reported,
    a19_a_later_anchor_withholds_what_was_sealed,
);
