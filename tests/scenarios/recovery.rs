//! What follows on a store that was put back: new sessions and keys, and nobody sees a new fingerprint (A19).

use std::collections::BTreeSet;

use omemo::{Account, BareJid, Event, Trust, Version};
use omemo_tests::hub::{At, Pocket, speaks};

use crate::over::{Sqlite, Stores};
use crate::restore::{Net, assert_nothing_reused, is_restored, put_back, two};
use crate::stage::*;

fn a19_recovery_keeps_the_fingerprint_and_the_conversation(version: Version) {
    let mut stores = Sqlite::default();
    let anchor = Pocket::default();
    let (mut hub, juliet, romeo) = two(&mut stores, version, Some(&anchor));
    let second = hub.join(JULIET, stores.make(), speaks(&[version]));
    hub.send(juliet, ROMEO, "to both", "to both");
    hub.send(second, ROMEO, "and back", "and back");
    let fingerprint = |hub: &Net, at: At| hub.devices[at.0].account.as_ref().unwrap().fingerprint();
    let (device, key) = (hub.id(juliet), fingerprint(&hub, juliet));
    let romeos = fingerprint(&hub, romeo);
    let romeo_jid = BareJid::parse(ROMEO).unwrap();
    let account = hub.devices[juliet.0].account.as_mut().unwrap();
    let _ = account
        .decide(&romeo_jid, &romeos, Trust::Verified)
        .unwrap();
    let old = bundle(&hub, version, JULIET, device).unwrap();
    put_back(&mut hub, &mut stores, juliet);

    hub.go_online(juliet);
    hub.settle();
    let heard = hub
        .devices
        .iter()
        .map(|it| it.events.len())
        .collect::<Vec<_>>();
    hub.call(juliet, Account::recover);
    hub.settle();
    assert!(!is_restored(&mut hub, juliet));
    let events = hub.devices[juliet.0].events.split_off(heard[juliet.0]);
    let recovered = events.iter().filter(|it| matches!(it, Event::Recovered));
    assert_eq!(recovered.count(), 1, "{events:?}");
    assert_eq!(
        replaced(&events),
        [second, romeo].map(|at| hub.id(at)).into()
    );

    let new = bundle(&hub, version, JULIET, device).unwrap();
    let (old_ids, new_ids) = (pre_keys(&old), pre_keys(&new));
    assert_eq!(new_ids.len(), 100);
    assert!(new_ids.iter().all(|id| !old_ids.contains(id)));
    let distance = new_ids[0].abs_diff(old_ids[0]);
    assert!((1 << 20..0xff_0000 - (1 << 20)).contains(&distance));
    assert!(signed_pre_key(&new).abs_diff(signed_pre_key(&old)) >= 1 << 20);
    assert_eq!((hub.id(juliet), fingerprint(&hub, juliet)), (device, key));

    for n in 0..4 {
        hub.send(juliet, ROMEO, &format!("j{n}"), &format!("j{n}"));
        hub.send(romeo, JULIET, &format!("r{n}"), &format!("r{n}"));
    }
    assert!(
        hub.bodies(romeo)
            .ends_with(&["j0", "j1", "j2", "j3"].map(Into::into))
    );
    assert!(
        hub.bodies(juliet)
            .ends_with(&["r0", "r1", "r2", "r3"].map(Into::into))
    );
    assert_eq!(
        hub.bodies(second)
            .iter()
            .filter(|it| it.starts_with('j'))
            .count(),
        4
    );
    assert_eq!(
        hub.devices[juliet.0].messages.last().unwrap().trust,
        Trust::Verified
    );
    for at in [romeo, second] {
        let events = &hub.devices[at.0].events[heard[at.0]..];
        let alarms = |it: &&Event| {
            matches!(
                it,
                Event::NewKey { .. } | Event::IdentityChanged { .. } | Event::Undecryptable { .. }
            )
        };
        assert_eq!(events.iter().find(alarms), None);
    }
    assert_nothing_reused(&hub);
    // the anchor is in force again
    let generation = anchor.generation();
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    assert!(!is_restored(&mut hub, juliet));
    assert!(anchor.generation() > generation);
    hub.restart(juliet, |old| stores.put_back(juliet.0, old));
    assert!(is_restored(&mut hub, juliet));
}

/// Which devices have a new session.
fn replaced(events: &[Event]) -> BTreeSet<u32> {
    let replaced = events.iter().filter_map(|event| match event {
        Event::SessionReplaced { device, .. } => Some(device.device.get()),
        _ => None,
    });
    replaced.collect()
}

/// Recovering is remembered: killed at any moment, it goes on.
fn a19_a_recovery_goes_on_after_a_kill(version: Version) {
    let mut stores = Sqlite::default();
    let (mut hub, juliet, romeo) = two(&mut stores, version, None);
    put_back(&mut hub, &mut stores, juliet);
    // nothing has proved it: the app knows, and says so while it is offline
    hub.call(juliet, Account::recover);
    hub.restart_quietly(juliet, |old| stores.again(juliet.0, old));
    let heard = hub.devices[juliet.0].events.len();
    hub.go_online(juliet);
    hub.settle();
    let events = hub.devices[juliet.0].events.split_off(heard);
    assert!(events.contains(&Event::Recovered), "{events:?}");
    assert_eq!(replaced(&events), [hub.id(romeo)].into());
    hub.send(romeo, JULIET, "r", "r");
    hub.send(juliet, ROMEO, "j", "j");
    assert_eq!(hub.bodies(juliet).last().unwrap(), "r");
    assert_eq!(hub.bodies(romeo).last().unwrap(), "j");
    assert_nothing_reused(&hub);
}

/// Strangers do not learn from it that we are there.
fn a19_a_recovery_writes_to_nobody_unknown(version: Version) {
    let mut stores = Sqlite::default();
    let (mut hub, juliet, romeo) = two(&mut stores, version, None);
    let mallory = hub.join(MALLORY, stores.make(), speaks(&[version]));
    hub.send(mallory, JULIET, "spam", "spam");
    assert_eq!(hub.bodies(juliet).last().unwrap(), "spam");
    // she has looked at the device, and that is all
    let stranger = BareJid::parse(MALLORY).unwrap();
    hub.call(juliet, |account| account.inspect(&stranger));
    hub.settle();
    let since = hub.messages_of(juliet).len();
    hub.call(juliet, Account::recover);
    hub.settle();
    let sent = hub.messages_of(juliet).split_off(since);
    let addressees: Vec<_> = sent.iter().map(|it| it.attr("to").unwrap()).collect();
    assert_eq!(addressees, [ROMEO]);
    assert!(!has_payload(&sent[0]) && is_key_exchange(&sent[0]));
    assert_eq!(hub.bodies(romeo).len(), 1);
}

in_files!(
    a19_recovery_keeps_the_fingerprint_and_the_conversation,
    a19_a_recovery_goes_on_after_a_kill,
    a19_a_recovery_writes_to_nobody_unknown,
);
