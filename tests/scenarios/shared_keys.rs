//! Keys that are not where they belong: one under two accounts (A7), another under a known device.

use omemo::store::Store;
use omemo::{Event, Settings, Trust, TrustPolicy, UndecryptableReason, UnservedReason, Version};
use omemo_tests::hub::{At, Hub, speaks};

use crate::over::Stores;
use crate::puppet::Puppet;
use crate::stage::*;

const NURSE: &str = "nurse@capulet.example";

fn shared<S: Store + 'static>(hub: &Hub<S>, at: At) -> Vec<Vec<String>> {
    let events = hub.devices[at.0].events.iter();
    events
        .filter_map(|event| match event {
            Event::SharedKey { accounts, .. } => {
                Some(accounts.iter().map(ToString::to_string).collect())
            }
            _ => None,
        })
        .collect()
}

fn changed(events: &[Event]) -> usize {
    let changed = |event: &&Event| matches!(event, Event::IdentityChanged { .. });
    events.iter().filter(changed).count()
}

/// A07: the second account that shows a key is not trusted blindly; the first one keeps what it has.
fn a07_a_key_under_a_second_account_is_reported_and_not_trusted<S: Stores>(
    mut stores: S,
    version: Version,
) {
    for policy in [TrustPolicy::BlindBeforeVerification, TrustPolicy::Automatic] {
        let mut settings = speaks(&[version]);
        settings.trust = policy;
        let mut hub = Hub::new(31);
        let juliet = hub.join(JULIET, stores.make(), settings);
        let mut first = Puppet::with_seed(version, ROMEO, 5, 99);
        first.enlist(&mut hub);
        hub.send(juliet, ROMEO, "1", "1");
        assert!(shared(&hub, juliet).is_empty());
        let mut second = Puppet::with_seed(version, MALLORY, 6, 99);
        second.enlist(&mut hub);
        let events = hub.send(juliet, MALLORY, "2", "2");
        assert!(is_refused(&events, "2"), "{events:?}");
        assert!(matches!(
            unserved(&events, "2")[0].reason,
            UnservedReason::Undecided(_)
        ));
        assert_eq!(shared(&hub, juliet), [[MALLORY, ROMEO]]);
        // by a key exchange, too
        let mut third = Puppet::with_seed(version, NURSE, 7, 99);
        third.meet(&hub, JULIET, hub.id(juliet));
        hub.deliver(juliet, &third.text("hello"));
        assert_eq!(hub.devices[juliet.0].messages[0].trust, Trust::Undecided);
        assert_eq!(shared(&hub, juliet).len(), 2);
        let events = hub.send(juliet, ROMEO, "3", "3");
        assert!(
            !is_refused(&events, "3"),
            "nobody ends the trust in the first"
        );
        // a person may know better
        let account = hub.devices[juliet.0].account.as_mut().unwrap();
        let key = account.devices(&bare(MALLORY)).unwrap()[0]
            .fingerprint
            .unwrap();
        decide(&mut hub, juliet, MALLORY, key, Trust::Verified);
        let events = hub.send(juliet, MALLORY, "4", "4");
        assert!(!is_refused(&events, "4"));
    }
}

/// A09: another key under a known id is refused and reported, in a bundle and in a key exchange.
fn a09_another_key_under_a_known_device_is_reported<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let id = hub.id(romeo);
    let mut other = Puppet::with_seed(version, ROMEO, id, 77);
    other.meet(&hub, JULIET, hub.id(juliet));
    let before = hub.dump(juliet);
    let events = hub.deliver(juliet, &other.text("it is me"));
    assert_eq!(changed(&events), 1);
    assert_eq!(unread(&events), [UndecryptableReason::IdentityChanged]);
    assert_eq!(hub.dump(juliet), before);

    let mut hub = Hub::new(32);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.call(juliet, |account| account.inspect(&bare(ROMEO)));
    hub.settle();
    let id = hub.id(romeo);
    Puppet::with_seed(version, ROMEO, id, 78).publish(&mut hub);
    let events = hub.send(juliet, ROMEO, "1", "1");
    assert_eq!(changed(&events), 1);
    assert_eq!(
        unserved(&events, "1")[0].reason,
        UnservedReason::IdentityChanged
    );
}

/// Every message says what was thought of its sender when it was decrypted.
fn rule_36_each_message_carries_the_trust_of_its_moment<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let key = fingerprint(&hub, romeo);
    let levels = [Trust::Verified, Trust::Distrusted, Trust::Undecided];
    for (n, trust) in levels.into_iter().enumerate() {
        decide(&mut hub, juliet, ROMEO, key, trust);
        hub.send(romeo, JULIET, &format!("m{n}"), "text");
    }
    let carried: Vec<Trust> = hub.devices[juliet.0]
        .messages
        .iter()
        .map(|message| message.trust)
        .collect();
    assert_eq!(carried[0], Trust::Blind);
    assert_eq!(carried[1..], levels);
}

/// A person scans a URI before the first message: the key is verified as soon as it is met.
fn rule_36_a_uri_counts_for_keys_that_are_met_later<S: Stores>(mut stores: S, version: Version) {
    for (n, policy) in [TrustPolicy::Manual, TrustPolicy::Automatic]
        .into_iter()
        .enumerate()
    {
        let mut settings = speaks(&[version]);
        settings.trust = policy;
        let mut hub = Hub::new(33);
        let juliet = hub.join(JULIET, stores.make(), settings);
        let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
        let uri = hub.devices[romeo.0].account.as_ref().unwrap().uri();
        let uri = uri.to_string().parse().unwrap();
        let key = fingerprint(&hub, romeo);
        let start = hub.devices[juliet.0].events.len();
        hub.call(juliet, |account| account.verify(&uri));
        let events = hub.devices[juliet.0].events[start..].to_vec();
        assert!(
            matches!(&events[..], [Event::Verified { held, decided, contradicted, .. }]
                if held == &[key] && decided.is_empty() && contradicted.is_empty()),
            "{events:?}"
        );
        hub.restart(juliet, |old| stores.again(2 * n, old));
        let events = hub.send(juliet, ROMEO, "1", "1");
        assert!(!is_refused(&events, "1"), "{events:?}");
        assert_eq!(hub.bodies(romeo), ["1"]);
        let account = hub.devices[juliet.0].account.as_mut().unwrap();
        let device = &account.devices(&bare(ROMEO)).unwrap()[0];
        assert_eq!(device.trust, Trust::Verified);
        let lines = hub.dump(juliet);
        assert!(!lines.iter().any(|line| line.contains("HeldDecision")));
    }
}

/// A30: all 256 bits count, and a device that is known with another key stays as it is.
fn a30_a_uri_with_another_key_changes_nothing_and_says_so<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let key = fingerprint(&hub, romeo);
    for at in [0, 31] {
        for bit in 0..8 {
            let mut near = *key.as_bytes();
            near[at] ^= 1 << bit;
            let near = omemo::Fingerprint::new(near);
            let device = hub.devices[romeo.0].account.as_ref().unwrap().device();
            let uri = omemo::VerificationUri::of_device(bare(ROMEO), device, near);
            let before = hub.dump(juliet);
            let start = hub.devices[juliet.0].events.len();
            hub.call(juliet, |account| account.verify(&uri));
            let events = hub.devices[juliet.0].events[start..].to_vec();
            assert!(
                matches!(&events[..], [Event::Verified { contradicted, held, decided, .. }]
                    if contradicted.len() == 1 && held.is_empty() && decided.is_empty()),
                "{events:?}"
            );
            assert_eq!(hub.dump(juliet), before);
        }
    }
    let uri = hub.devices[romeo.0].account.as_ref().unwrap().uri();
    hub.call(juliet, |account| account.verify(&uri));
    hub.send(romeo, JULIET, "2", "2");
    assert_eq!(
        hub.devices[juliet.0].messages.last().unwrap().trust,
        Trust::Verified
    );
}

/// Our own URI says nothing new to us.
fn rule_36_our_own_uri_changes_nothing<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(34);
    let juliet = hub.join(JULIET, stores.make(), Settings::default());
    let uri = hub.devices[juliet.0].account.as_ref().unwrap().uri();
    let before = hub.dump(juliet);
    hub.call(juliet, |account| account.verify(&uri));
    assert_eq!(hub.dump(juliet), before);
}

over!(rule_36_our_own_uri_changes_nothing);
over_versions!(
    a07_a_key_under_a_second_account_is_reported_and_not_trusted,
    a09_another_key_under_a_known_device_is_reported,
    rule_36_each_message_carries_the_trust_of_its_moment,
    rule_36_a_uri_counts_for_keys_that_are_met_later,
    a30_a_uri_with_another_key_changes_nothing_and_says_so,
);
