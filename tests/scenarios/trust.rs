//! Whom content is encrypted to, and who decides.

use omemo::store::Store;
use omemo::{
    BareJid, CallerError, Error, Event, Settings, Trust, TrustPolicy, UnservedReason, Version,
};
use omemo_tests::hub::{At, Hub, speaks};

use crate::over::Stores;
use crate::puppet::Puppet;
use crate::stage::*;

fn manual(version: Version) -> Settings {
    let mut settings = speaks(&[version]);
    settings.trust = TrustPolicy::Manual;
    settings
}

fn reasons<S: Store + 'static>(hub: &mut Hub<S>, from: At, id: &str) -> Vec<UnservedReason> {
    let events = hub.send(from, ROMEO, id, id);
    let all = unserved(&events, id);
    all.into_iter()
        .filter(|unserved| unserved.jid.as_str() == ROMEO)
        .map(|unserved| unserved.reason)
        .collect()
}

fn rule_36_keys_are_trusted_blindly_until_one_is_verified<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, first) = friends(&mut stores, version);
    let second = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(juliet, ROMEO, "1", "to two");
    assert_eq!(hub.bodies(second), ["to two"]);
    assert_eq!(hub.devices[first.0].messages[0].trust, Trust::Blind);
    let key = fingerprint(&hub, first);
    decide(&mut hub, juliet, ROMEO, key, Trust::Verified);
    let third = hub.join(ROMEO, stores.make(), speaks(&[version]));
    let left = reasons(&mut hub, juliet, "2");
    assert_eq!(left, [UnservedReason::Undecided(fingerprint(&hub, third))]);
    assert_eq!(hub.bodies(first), ["hello", "to two", "2"]);
    assert_eq!(hub.bodies(second), ["to two", "2"], "blind stays blind");
    assert!(hub.bodies(third).is_empty());
    let key = fingerprint(&hub, third);
    decide(&mut hub, juliet, ROMEO, key, Trust::Verified);
    assert!(reasons(&mut hub, juliet, "3").is_empty());
    assert_eq!(hub.bodies(third), ["3"]);
}

fn rule_36_nothing_is_sealed_before_a_manual_decision<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), manual(version));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    let key = fingerprint(&hub, romeo);
    assert_eq!(
        reasons(&mut hub, juliet, "1"),
        [UnservedReason::Undecided(key)]
    );
    assert!(hub.messages_of(juliet).is_empty());
    assert!(
        !hub.dump(juliet)
            .iter()
            .any(|line| line.starts_with("session"))
    );
    decide(&mut hub, juliet, ROMEO, key, Trust::Distrusted);
    assert_eq!(
        reasons(&mut hub, juliet, "2"),
        [UnservedReason::Distrusted(key)]
    );
    decide(&mut hub, juliet, ROMEO, key, Trust::Undecided);
    assert_eq!(
        reasons(&mut hub, juliet, "3"),
        [UnservedReason::Undecided(key)]
    );
    decide(&mut hub, juliet, ROMEO, key, Trust::Verified);
    assert!(reasons(&mut hub, juliet, "4").is_empty());
    assert_eq!(hub.bodies(romeo), ["4"]);
    decide(&mut hub, juliet, ROMEO, key, Trust::Distrusted);
    assert_eq!(
        reasons(&mut hub, juliet, "5"),
        [UnservedReason::Distrusted(key)]
    );
    assert_eq!(hub.bodies(romeo), ["4"]);
}

/// What an undecided device writes is shown, with its level; it gets no content, but may get an empty answer.
fn rule_25_empty_answers_do_not_ask_for_trust<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), manual(version));
    hub.call(juliet, |account| {
        account.known(&BareJid::parse(ROMEO).unwrap())
    });
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(romeo, JULIET, "1", "it is me");
    assert_eq!(hub.bodies(juliet), ["it is me"]);
    assert_eq!(hub.devices[juliet.0].messages[0].trust, Trust::Undecided);
    let answers = hub.messages_of(juliet);
    assert_eq!(answers.len(), 1);
    assert!(!has_payload(&answers[0]));
    let key = fingerprint(&hub, romeo);
    assert_eq!(
        reasons(&mut hub, juliet, "2"),
        [UnservedReason::Undecided(key)]
    );
    assert_eq!(hub.messages_of(juliet).len(), 1);
}

fn a_decision_needs_a_key_that_was_seen<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let jid = BareJid::parse(ROMEO).unwrap();
    let own = fingerprint(&hub, juliet);
    let theirs = fingerprint(&hub, romeo);
    let before = hub.dump(juliet);
    let account = hub.devices[juliet.0].account.as_mut().unwrap();
    let error = account.decide(&jid, &own, Trust::Verified).unwrap_err();
    assert!(
        matches!(error, Error::Caller(CallerError::UnknownKey(_))),
        "{error}"
    );
    let error = account
        .decide(&BareJid::parse(MALLORY).unwrap(), &theirs, Trust::Verified)
        .unwrap_err();
    assert!(
        matches!(error, Error::Caller(CallerError::UnknownKey(_))),
        "{error}"
    );
    assert_eq!(hub.dump(juliet), before);
}

/// A09: whoever controls the server adds devices; none of them gets a key once somebody is verified.
fn a09_devices_that_a_server_adds_get_nothing<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let key = fingerprint(&hub, romeo);
    decide(&mut hub, juliet, ROMEO, key, Trust::Verified);
    let ids: Vec<u32> = (1..=20).collect();
    for id in &ids {
        Puppet::new(version, ROMEO, *id).publish(&mut hub);
        Puppet::with_seed(version, JULIET, *id, 1000 + u64::from(*id)).publish(&mut hub);
    }
    for (jid, at) in [(ROMEO, romeo), (JULIET, juliet)] {
        let all = list(version, ids.iter().copied().chain([hub.id(at)]));
        hub.plant(jid, devices_node(version), "current", all);
    }
    hub.settle();
    let left = reasons(&mut hub, juliet, "secret");
    assert_eq!(left.len(), ids.len());
    assert!(
        left.iter()
            .all(|reason| matches!(reason, UnservedReason::Undecided(_))),
        "{left:?}"
    );
    let sent = hub.messages_of(juliet);
    let rids: Vec<u32> = omemo_tests::wire::wrapped_keys(sent.last().unwrap(), JULIET)
        .iter()
        .map(|key| key.name.rid)
        .filter(|rid| *rid == hub.id(romeo))
        .collect();
    assert_eq!(rids.len(), 1);
}

/// One key of an account decides for all its protocols; a key under another account is another decision.
fn a_decision_counts_in_all_protocols_and_for_one_account<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), Settings::default());
    let romeo = hub.join(ROMEO, stores.make(), Settings::default());
    hub.send(juliet, ROMEO, "1", "1");
    let key = fingerprint(&hub, romeo);
    decide(&mut hub, juliet, ROMEO, key, Trust::Distrusted);
    let left = reasons(&mut hub, juliet, "2");
    assert_eq!(left, [UnservedReason::Distrusted(key)]);
    let seen = hub.devices[juliet.0]
        .events
        .iter()
        .filter(|event| matches!(event, Event::NewKey { .. }));
    assert_eq!(seen.count(), 1, "one key, shown once");
    let devices = hub.devices[juliet.0]
        .account
        .as_mut()
        .unwrap()
        .devices(&BareJid::parse(ROMEO).unwrap())
        .unwrap();
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[0].listed, Version::ALL);
    assert_eq!(devices[0].trust, Trust::Distrusted);
}

over!(a_decision_counts_in_all_protocols_and_for_one_account);
over_versions!(
    rule_36_keys_are_trusted_blindly_until_one_is_verified,
    rule_36_nothing_is_sealed_before_a_manual_decision,
    rule_25_empty_answers_do_not_ask_for_trust,
    a_decision_needs_a_key_that_was_seen,
    a09_devices_that_a_server_adds_get_nothing,
);
