//! Automatic Trust Management (XEP-0450): verified devices tell each other what their people have verified.

use std::collections::BTreeSet;

use omemo::store::Store;
use omemo::{Event, Fingerprint, Settings, Trust, TrustPolicy, Version};
use omemo_tests::hub::{At, Hub, speaks};

use crate::over::{Memory, Stores};
use crate::puppet::Puppet;
use crate::stage::*;

mod agreement;

fn automatic() -> Settings {
    let mut settings = Settings::default();
    settings.trust = TrustPolicy::Automatic;
    settings
}

/// What a device thinks of a key.
fn level<S: Store + 'static>(hub: &mut Hub<S>, at: At, jid: &str, key: Fingerprint) -> Trust {
    let devices = known(hub, at, jid);
    let device = devices
        .iter()
        .find(|device| device.fingerprint == Some(key));
    device.map_or(Trust::Undecided, |device| device.trust)
}

fn known<S: Store + 'static>(hub: &mut Hub<S>, at: At, jid: &str) -> Vec<omemo::Device> {
    let account = hub.devices[at.0].account.as_mut().unwrap();
    account.devices(&bare(jid)).unwrap()
}

/// One device verifies another, and everything that follows happens.
fn verify<S: Store + 'static>(hub: &mut Hub<S>, at: At, other: At) {
    decide_about(hub, at, other, Trust::Verified);
    hub.settle();
}

fn decide_about<S: Store + 'static>(hub: &mut Hub<S>, at: At, other: At, trust: Trust) {
    let jid = hub.devices[other.0].jid.to_string();
    let key = fingerprint(hub, other);
    decide(hub, at, &jid, key, trust);
}

fn thinks<S: Store + 'static>(hub: &mut Hub<S>, at: At, of: At) -> Trust {
    let jid = hub.devices[of.0].jid.to_string();
    let key = fingerprint(hub, of);
    level(hub, at, &jid, key)
}

/// Three devices of juliet's and one of romeo's that have all met: A1, A2, A3 and B1.
fn four<S: Stores>(stores: &mut S) -> (Hub<S::Store>, [At; 3], At) {
    let mut hub = Hub::new(3);
    let alices = [(); 3].map(|()| hub.join(JULIET, stores.make(), automatic()));
    let bob = hub.join(ROMEO, stores.make(), automatic());
    meet(&mut hub, &[alices[0], alices[1], alices[2], bob]);
    (hub, alices, bob)
}

/// Everybody writes to both accounts.
fn meet<S: Store + 'static>(hub: &mut Hub<S>, all: &[At]) {
    for (n, at) in all.iter().enumerate() {
        for jid in [JULIET, ROMEO] {
            hub.send(*at, jid, &format!("meet {n} {jid}"), "hello");
        }
    }
}

fn silent<S: Store + 'static>(hub: &Hub<S>, at: At, since: usize) {
    for event in &hub.devices[at.0].events[since..] {
        let is_shown = matches!(
            event,
            Event::Message(_) | Event::Sealed { .. } | Event::Refused { .. } | Event::Unsent { .. }
        );
        assert!(!is_shown, "{event:?}");
    }
}

/// The example of XEP-0450 §4, from its beginning to its end.
fn rule_36_what_one_device_verifies_others_know<S: Stores>(mut stores: S) {
    let (mut hub, [a1, a2, a3], b1) = four(&mut stores);
    let starts = [a1, a2, a3, b1].map(|at| hub.devices[at.0].events.len());
    verify(&mut hub, a1, a2);
    verify(&mut hub, a2, a1);
    // §4.1: A1 authenticates B1, tells A2 of B1 and B1 of A2
    verify(&mut hub, a1, b1);
    assert_eq!(thinks(&mut hub, a2, b1), Trust::Verified);
    assert_eq!(thinks(&mut hub, a3, b1), Trust::Blind, "nobody knows A3");
    assert_ne!(
        thinks(&mut hub, b1, a2),
        Trust::Verified,
        "B1 does not know A1"
    );
    // B1 authenticates A1, and then believes what it was told before
    verify(&mut hub, b1, a1);
    assert_eq!(thinks(&mut hub, b1, a2), Trust::Verified);
    assert_eq!(thinks(&mut hub, b1, a3), Trust::Undecided);
    // §4.2: A2 authenticates A3, tells A1 and B1 of A3, and A3 of A1 and B1
    verify(&mut hub, a2, a3);
    for at in [a1, b1] {
        assert_eq!(thinks(&mut hub, at, a3), Trust::Verified);
    }
    assert_ne!(thinks(&mut hub, a3, b1), Trust::Verified);
    verify(&mut hub, a3, a2);
    for of in [a1, b1] {
        assert_eq!(thinks(&mut hub, a3, of), Trust::Verified);
    }
    // §4.3: A1 distrusts A3, tells A2 and B1
    hub.pass(10);
    decide_about(&mut hub, a1, a3, Trust::Distrusted);
    hub.settle();
    for at in [a2, b1] {
        assert_eq!(thinks(&mut hub, at, a3), Trust::Distrusted);
    }
    // §4.4: A1 distrusts B1, tells A2 alone
    decide_about(&mut hub, a1, b1, Trust::Distrusted);
    hub.settle();
    assert_eq!(thinks(&mut hub, a2, b1), Trust::Distrusted);
    assert_eq!(
        thinks(&mut hub, a3, b1),
        Trust::Verified,
        "it is told nothing any more"
    );
    for (at, start) in [a1, a2, a3, b1].into_iter().zip(starts) {
        silent(&hub, at, start);
        assert!(
            hub.devices[at.0]
                .account
                .as_mut()
                .unwrap()
                .unacknowledged()
                .unwrap()
                .is_empty()
        );
    }
    let told = hub.devices[a2.0]
        .events
        .iter()
        .filter_map(|event| match event {
            Event::TrustChanged {
                fingerprint,
                trust,
                told_by: Some(by),
                ..
            } => Some((*fingerprint, *trust, by.device.get())),
            _ => None,
        });
    let told: Vec<_> = told.collect();
    let by = hub.id(a1);
    let keys = [fingerprint(&hub, b1), fingerprint(&hub, a3)];
    assert_eq!(
        told,
        [
            (keys[0], Trust::Verified, by),
            (keys[1], Trust::Distrusted, by),
            (keys[0], Trust::Distrusted, by),
        ]
    );
}

/// Nothing is told to whom is not authenticated, nothing in legacy, and nothing under other policies.
fn rule_36_only_authenticated_devices_are_told<S: Stores>(mut stores: S) {
    let (mut hub, [a1, a2, a3], b1) = four(&mut stores);
    // it may read messages all the same: a person said so
    decide_about(&mut hub, a1, a3, Trust::Blind);
    let start = hub.wire.len();
    verify(&mut hub, a1, b1);
    verify(&mut hub, a1, a2);
    let mut readers = BTreeSet::new();
    for crossed in &hub.wire[start..] {
        let stanza = xml(&crossed.text);
        if crossed.from != a1 || stanza.name() != "message" || !has_payload(&stanza) {
            continue;
        }
        assert!(
            crossed.text.contains("urn:xmpp:omemo:2"),
            "{}",
            crossed.text
        );
        assert!(crossed.text.contains("urn:xmpp:hints"), "{}", crossed.text);
        assert_eq!(stanza.attr("type"), Some("chat"));
        for jid in [JULIET, ROMEO] {
            let keys = omemo_tests::wire::wrapped_keys(&stanza, jid);
            readers.extend(keys.iter().map(|key| key.name.rid));
        }
    }
    assert_eq!(
        readers,
        BTreeSet::from([hub.id(a2), hub.id(b1)]),
        "not {}",
        hub.id(a3)
    );

    for policy in [TrustPolicy::BlindBeforeVerification, TrustPolicy::Manual] {
        let mut hub = Hub::new(4);
        let mut settings = Settings::default();
        settings.trust = policy;
        let one = hub.join(JULIET, stores.make(), settings.clone());
        let two = hub.join(JULIET, stores.make(), settings);
        let romeo = hub.join(ROMEO, stores.make(), automatic());
        hub.send(romeo, JULIET, "1", "1");
        hub.call(one, |account| account.inspect(&bare(JULIET)));
        hub.settle();
        let sent = hub.messages_of(one).len();
        verify(&mut hub, one, two);
        verify(&mut hub, one, romeo);
        assert_eq!(hub.messages_of(one).len(), sent, "{policy:?}");
    }
}

/// A contact's device may speak of that contact's keys alone, and of ours nobody but our own.
fn rule_36_contacts_speak_for_themselves_only<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(5);
    let juliet = hub.join(JULIET, stores.make(), automatic());
    let phone = hub.join(JULIET, stores.make(), automatic());
    hub.send(juliet, JULIET, "1", "1");
    let key = fingerprint(&hub, phone);
    let before = level(&mut hub, juliet, JULIET, key);
    let mut puppet = Puppet::new(Version::Omemo2, ROMEO, 5);
    puppet.enlist(&mut hub);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    hub.deliver(juliet, &puppet.text("hello"));
    let its_key = known(&mut hub, juliet, ROMEO)[0].fingerprint.unwrap();
    decide(&mut hub, juliet, ROMEO, its_key, Trust::Verified);
    let other = Fingerprint::new([9; 32]);
    let lines = hub.dump(juliet);
    let said = puppet.tell(&[
        (JULIET, key, true),
        (MALLORY, other, true),
        (JULIET, key, false),
    ]);
    hub.deliver(juliet, &said);
    assert_eq!(level(&mut hub, juliet, JULIET, key), before);
    let held = |lines: &[String]| {
        lines
            .iter()
            .filter(|line| line.contains("HeldDecision"))
            .count()
    };
    let after = hub.dump(juliet);
    assert_eq!(held(&after), held(&lines));
    let said = puppet.tell(&[(ROMEO, other, true)]);
    hub.deliver(juliet, &said);
    let after = hub.dump(juliet);
    assert_eq!(held(&after), 1, "it waits for the key");
}

/// What unauthenticated devices say changes nothing, and fills nothing.
fn rule_36_what_strangers_say_is_held_and_bounded<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(6);
    let juliet = hub.join(JULIET, stores.make(), automatic());
    let romeo = hub.join(ROMEO, stores.make(), automatic());
    hub.send(juliet, ROMEO, "1", "1");
    let uri = omemo::VerificationUri::of_device(
        bare(MALLORY),
        omemo::DeviceId::new(77).unwrap(),
        Fingerprint::new([7; 32]),
    );
    hub.call(juliet, |account| account.verify(&uri));
    let mut puppet = Puppet::new(Version::Omemo2, ROMEO, 5);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    let key = fingerprint(&hub, romeo);
    hub.deliver(juliet, &puppet.tell(&[(ROMEO, key, false)]));
    assert_eq!(level(&mut hub, juliet, ROMEO, key), Trust::Blind);
    let names: Vec<Fingerprint> = (0..=255).map(|n| Fingerprint::new([n; 32])).collect();
    for names in names.chunks(50) {
        let said: Vec<_> = names.iter().map(|name| (ROMEO, *name, true)).collect();
        hub.deliver(juliet, &puppet.tell(&said));
    }
    let held = |lines: &[String]| {
        let lines = lines.iter();
        lines.filter(|line| line.contains("HeldDecision")).count()
    };
    let of_a_contact = hub.dump(juliet);
    assert_eq!(held(&of_a_contact), 64 + 1, "nobody has so many devices");
    let mut own = Puppet::new(Version::Omemo2, JULIET, 6);
    own.meet(&hub, JULIET, hub.id(juliet));
    for n in 0..30_u8 {
        let said: Vec<_> = (0..50_u8)
            .map(|m| {
                let mut bytes = [n; 32];
                bytes[0] = m;
                (ROMEO, Fingerprint::new(bytes), true)
            })
            .collect();
        hub.deliver(juliet, &own.tell(&said));
    }
    let lines = hub.dump(juliet);
    let held: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("HeldDecision"))
        .collect();
    assert_eq!(held.len(), 1_000);
    assert!(
        held.iter().any(|line| line.contains(MALLORY)),
        "a person's own decision is not the one that goes"
    );
    assert!(
        hub.devices[juliet.0].messages.is_empty(),
        "nobody is shown it"
    );
}

/// A decision about a key that nobody has met is held, and counts when the key is.
fn rule_36_a_key_that_was_spoken_of_is_authenticated_when_it_is_met<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(8);
    let juliet = hub.join(JULIET, stores.make(), automatic());
    let romeo = hub.join(ROMEO, stores.make(), automatic());
    hub.send(juliet, ROMEO, "1", "1");
    hub.send(romeo, JULIET, "2", "2");
    verify(&mut hub, juliet, romeo);
    verify(&mut hub, romeo, juliet);
    let second = hub.join(ROMEO, stores.make(), automatic());
    hub.send(romeo, ROMEO, "3", "3");
    verify(&mut hub, romeo, second);
    assert!(
        known(&mut hub, juliet, ROMEO)
            .iter()
            .all(|device| device.fingerprint != Some(fingerprint(&hub, second)))
    );
    let events = hub.send(juliet, ROMEO, "4", "4");
    assert_eq!(
        served(&events, "4")
            .iter()
            .filter(|served| served.device.jid.as_str() == ROMEO)
            .count(),
        2
    );
    assert_eq!(thinks(&mut hub, juliet, second), Trust::Verified);
    let shown = |event: &Event| {
        matches!(
            event,
            Event::TrustChanged {
                trust: Trust::Verified,
                told_by: Some(_),
                ..
            }
        )
    };
    assert!(events.iter().any(shown), "{events:?}");
}

/// With the first verified key, blind trust in the account's others ends (XEP-0450 §7.2).
fn rule_36_blind_trust_ends_with_the_first_verification<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(9);
    let juliet = hub.join(JULIET, stores.make(), automatic());
    let first = hub.join(ROMEO, stores.make(), automatic());
    let second = hub.join(ROMEO, stores.make(), automatic());
    hub.send(juliet, ROMEO, "1", "1");
    assert_eq!(thinks(&mut hub, juliet, second), Trust::Blind);
    verify(&mut hub, juliet, first);
    assert_eq!(thinks(&mut hub, juliet, second), Trust::Undecided);
    let key = fingerprint(&hub, second);
    let changed = |event: &Event| matches!(event, Event::TrustChanged { fingerprint, trust: Trust::Undecided, told_by: None, .. } if *fingerprint == key);
    assert!(hub.devices[juliet.0].events.iter().any(changed));
    hub.send(juliet, ROMEO, "2", "2");
    assert_eq!(hub.bodies(second), ["1"]);
}

/// What is owed survives the end of the process, and a device that cannot be served is told later.
fn rule_36_what_is_owed_is_told_after_a_crash<S: Stores>(mut stores: S) {
    let (mut hub, [a1, a2, _], b1) = four(&mut stores);
    verify(&mut hub, a1, a2);
    verify(&mut hub, a2, a1);
    hub.go_offline(a1);
    verify(&mut hub, a1, b1);
    assert_eq!(thinks(&mut hub, a2, b1), Trust::Blind);
    hub.restart(a1, |old| stores.again(a1.0, old));
    assert_eq!(thinks(&mut hub, a2, b1), Trust::Verified);
    let sent = hub.messages_of(a1).len();
    hub.restart(a1, |old| stores.again(a1.0, old));
    assert_eq!(hub.messages_of(a1).len(), sent, "told once");
    let lines = hub.dump(a1);
    assert!(
        !lines.iter().any(|line| line.contains("OwedDecision")),
        "{lines:?}"
    );
}

/// A device that cannot be served is told when it can.
fn rule_36_a_device_that_is_away_is_told_later<S: Stores>(mut stores: S) {
    let (mut hub, [a1, a2, a3], b1) = four(&mut stores);
    verify(&mut hub, a1, a2);
    verify(&mut hub, a2, a1);
    // a server shows a list without it, which it cannot correct
    hub.go_offline(a2);
    let [one, two, three] = [a1, a2, a3].map(|at| hub.id(at));
    let show = |hub: &mut Hub<S::Store>, ids: &[u32]| {
        for version in Version::ALL {
            let all = list(version, ids.iter().copied());
            hub.plant(JULIET, devices_node(version), "current", all);
        }
        hub.settle();
    };
    show(&mut hub, &[one, three]);
    verify(&mut hub, a1, b1);
    show(&mut hub, &[one, two, three]);
    hub.pass(1);
    let owed = |hub: &mut Hub<S::Store>| {
        let lines = hub.dump(a1);
        lines.iter().any(|line| line.contains("OwedDecision"))
    };
    assert!(owed(&mut hub), "not at every turn");
    hub.pass(600);
    assert!(!owed(&mut hub));
    hub.go_online(a2);
    hub.settle();
    assert_eq!(thinks(&mut hub, a2, b1), Trust::Verified);
}

/// There need be no session yet, and no message before: fingerprints can be compared first.
fn rule_36_devices_that_never_wrote_tell_each_other<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(5);
    let [phone, laptop] = [(); 2].map(|()| hub.join(JULIET, stores.make(), automatic()));
    let romeo = hub.join(ROMEO, stores.make(), automatic());
    for at in [phone, laptop] {
        for jid in [JULIET, ROMEO] {
            hub.call(at, |account| account.inspect(&bare(jid)));
            hub.settle();
        }
    }
    verify(&mut hub, laptop, phone);
    verify(&mut hub, phone, romeo);
    verify(&mut hub, phone, laptop);
    assert_eq!(thinks(&mut hub, laptop, romeo), Trust::Verified);
}

/// Sealed in the transaction that forgets that it is owed: nothing is kept of one that fails.
fn rule_36_a_commit_that_fails_tells_nothing<S: Stores>(mut stores: S) {
    let (mut hub, [a1, a2, _], b1) = four(&mut stores);
    verify(&mut hub, a1, a2);
    verify(&mut hub, a2, a1);
    hub.fail_next_commit(a1);
    let jid = bare(ROMEO);
    let key = fingerprint(&hub, b1);
    let account = hub.devices[a1.0].account.as_mut().unwrap();
    assert!(account.decide(&jid, &key, Trust::Verified).is_err());
    hub.settle();
    assert_eq!(thinks(&mut hub, a1, b1), Trust::Blind);
    assert_eq!(thinks(&mut hub, a2, b1), Trust::Blind);
    verify(&mut hub, a1, b1);
    assert_eq!(thinks(&mut hub, a2, b1), Trust::Verified);
}

/// A trust message that could not be sent for a day is made anew, and nobody hears of it.
fn rule_36_a_trust_message_that_expired_is_told_again<S: Stores>(mut stores: S) {
    let (mut hub, [a1, a2, _], b1) = four(&mut stores);
    verify(&mut hub, a1, a2);
    verify(&mut hub, a2, a1);
    hub.devices[a1.0].confirms = false;
    hub.lets_pass = |stanza| stanza.name() != "message";
    let start = hub.devices[a1.0].events.len();
    verify(&mut hub, a1, b1);
    hub.lets_pass = |_| true;
    hub.go_offline(a1);
    hub.pass_quietly(90_000);
    hub.go_online(a1);
    hub.settle();
    assert_eq!(thinks(&mut hub, a2, b1), Trust::Verified);
    silent(&hub, a1, start);
}

/// The same in any order: the later decision counts, and of two at once the one that distrusts.
fn rule_36_the_later_decision_counts_in_any_order<S: Stores>(mut stores: S) {
    for reversed in [false, true] {
        let (mut hub, [a1, a2, a3], b1) = four(&mut stores);
        for (one, other) in [(a1, a2), (a2, a3), (a1, a3)] {
            verify(&mut hub, one, other);
            verify(&mut hub, other, one);
        }
        verify(&mut hub, a1, b1);
        hub.pass(10);
        decide_about(&mut hub, a1, b1, Trust::Distrusted);
        hub.pass_quietly(10);
        decide_about(&mut hub, a2, b1, Trust::Distrusted);
        decide_about(&mut hub, a2, b1, Trust::Verified);
        if reversed {
            let mailbox = hub.mailbox(a3);
            let all: Vec<String> = mailbox.drain(..).collect();
            mailbox.extend(all.into_iter().rev());
        }
        hub.settle();
        for at in [a1, a2, a3] {
            assert_eq!(thinks(&mut hub, at, b1), Trust::Verified, "{reversed}");
        }
    }
}

over!(
    rule_36_what_one_device_verifies_others_know,
    rule_36_only_authenticated_devices_are_told,
    rule_36_contacts_speak_for_themselves_only,
    rule_36_what_strangers_say_is_held_and_bounded,
    rule_36_a_key_that_was_spoken_of_is_authenticated_when_it_is_met,
    rule_36_blind_trust_ends_with_the_first_verification,
    rule_36_what_is_owed_is_told_after_a_crash,
    rule_36_a_device_that_is_away_is_told_later,
    rule_36_devices_that_never_wrote_tell_each_other,
    rule_36_a_commit_that_fails_tells_nothing,
    rule_36_a_trust_message_that_expired_is_told_again,
    rule_36_the_later_decision_counts_in_any_order,
);
