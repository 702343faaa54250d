//! What a key exchange names, and what it uses up.

use omemo::store::{Change, PreKeyId, SignedPreKeyId, Store, Transaction};
use omemo::{BareJid, Trust, UndecryptableReason, Version};
use omemo_tests::hub::{Hub, speaks};

use crate::over::Stores;
use crate::puppet::{Puppet, read_bundle};
use crate::stage::*;

/// Where the number of the prekey stands in a key exchange: behind the key of field 1.
const fn pre_key_at(version: Version) -> usize {
    match version {
        Version::Omemo2 => 1,
        Version::Legacy => 2,
    }
}

/// Where the number of the signed prekey stands: in field 2, or in the last one.
fn signed_pre_key_at(version: Version, bytes: &[u8]) -> usize {
    match version {
        Version::Omemo2 => 3,
        Version::Legacy => bytes.len() - 1,
    }
}

/// A02: the numbers in a key exchange are not authenticated, and whatever they say, nothing is used up by one that does not
/// open.
fn a02_a_missing_unknown_or_exchanged_prekey_uses_nothing_up<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    hub.strangers.push(MALLORY.into());
    let mut puppet = Puppet::new(version, MALLORY, 5);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    let good = puppet.text("good");
    let key = puppet.seal(&[7; 48]);
    let at = pre_key_at(version);
    assert_eq!(key[at - 1], 0x08, "field 1, a number");
    let named = key[at];
    let with = |at: usize, number: u8| {
        let mut key = key.clone();
        key[at] = number;
        key
    };
    let missing = [&key[..at - 1], &key[at + 1..]].concat();
    let unknown = with(at, 127);
    let exchanged = with(at, if named == 1 { 2 } else { 1 });
    let signed = with(signed_pre_key_at(version, &key), 99);
    let before = hub.dump(juliet);
    for (name, key) in [
        ("missing", missing),
        ("unknown", unknown),
        ("exchanged", exchanged),
        ("signed", signed),
    ] {
        let stanza = puppet.stanza(&key, Some(&[1; 12]), Some(b"payload"));
        let reasons = unread(&hub.deliver(juliet, &stanza));
        let expected = match &reasons[..] {
            [UndecryptableReason::Malformed(_)] => "missing",
            [UndecryptableReason::KeyExchangeRefused(_)] => "exchanged",
            [UndecryptableReason::UnknownPreKey] if name == "signed" => "signed",
            [UndecryptableReason::UnknownPreKey] => "unknown",
            _ => "something else",
        };
        assert_eq!(name, expected, "{reasons:?}");
        assert_eq!(hub.dump(juliet), before, "{name}");
    }
    assert_eq!(read(&hub.deliver(juliet, &good)), ["good"]);
}

/// Rule 8: with one read of the archive three prekeys in four are gone, and the bundle is full again.
fn rule_08_76_used_prekeys_leave_a_full_bundle<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let id = hub.id(juliet);
    let all = read_bundle(&bundle(&hub, version, JULIET, id).unwrap());
    for (n, pre_key) in (1..).zip(&all.pre_keys[..76]) {
        let mut taken = all.clone();
        taken.pre_keys = vec![pre_key.clone()];
        let mut puppet = Puppet::new(version, MALLORY, n);
        puppet.meet_bundle(&taken, JULIET, id);
        // no answer of the server comes in between
        assert_eq!(read(&hub.deliver(juliet, &puppet.text("hello"))), ["hello"]);
        let left = pre_keys(&bundle(&hub, version, JULIET, id).unwrap());
        assert!(left.len() >= 25, "{}", left.len());
    }
    hub.settle();
    // bundles rest longer and longer when each has to be replaced at once
    hub.pass(300);
    let left = pre_keys(&bundle(&hub, version, JULIET, id).unwrap());
    assert_eq!(left.len(), 100);
    for (used, _) in &all.pre_keys[..76] {
        assert!(!left.contains(used), "{used}");
    }
}

/// Quirk 20: ids go round before the one that some libraries never delete.
fn quirk_20_ids_go_round_before_the_largest<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let first = hub.join(JULIET, stores.make(), speaks(&[version]));
    let mut store = hub.leave(first);
    {
        let mut tx = store.begin(&BareJid::parse(JULIET).unwrap()).unwrap();
        let mut rows = tx.publications().unwrap().into_iter();
        let mut row = rows.find(|row| row.version == version).unwrap();
        row.next_pre_key = PreKeyId::parse(0xff_fffe).unwrap();
        row.next_signed_pre_key = SignedPreKeyId::parse(0xff_fffe).unwrap();
        tx.write(Change::PutPublication(row)).unwrap();
        tx.commit().unwrap();
    }
    let juliet = hub.join(JULIET, stores.again(first.0, store), speaks(&[version]));
    let id = hub.id(juliet);
    for n in 1..=3 {
        let mut puppet = Puppet::new(version, MALLORY, n);
        puppet.meet(&hub, JULIET, id);
        assert_eq!(read(&hub.deliver(juliet, &puppet.text("hello"))), ["hello"]);
        hub.settle();
    }
    let mut signed = Vec::new();
    for _ in 0..2 {
        hub.pass(7 * 86_400);
        signed.push(signed_pre_key(&bundle(&hub, version, JULIET, id).unwrap()));
    }
    assert_eq!(signed, [0xff_fffe, 1]);
    let ids = pre_keys(&bundle(&hub, version, JULIET, id).unwrap());
    assert!(ids.contains(&0xff_fffe));
    assert!(ids.iter().all(|id| (1..0xff_ffff).contains(id)), "{ids:?}");
}

/// Ids come round in the end: those that are still kept, published or used, are passed over.
fn rule_24_ids_that_come_round_replace_nothing<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let first = hub.join(JULIET, stores.make(), speaks(&[version]));
    let mut store = hub.leave(first);
    {
        let mut tx = store.begin(&BareJid::parse(JULIET).unwrap()).unwrap();
        let mut rows = tx.publications().unwrap().into_iter();
        let mut row = rows.find(|row| row.version == version).unwrap();
        row.next_pre_key = PreKeyId::parse(0xff_fffe).unwrap();
        row.next_signed_pre_key = SignedPreKeyId::parse(1).unwrap();
        tx.write(Change::PutPublication(row)).unwrap();
        tx.commit().unwrap();
    }
    let juliet = hub.join(JULIET, stores.again(first.0, store), speaks(&[version]));
    let id = hub.id(juliet);
    let secrets = |hub: &mut Hub<S::Store>| -> Vec<String> {
        let lines = hub.dump(juliet).into_iter();
        let keys = lines.filter(|line| line.starts_with("prekey"));
        keys.map(|line| line.split(']').next().unwrap().to_owned())
            .collect()
    };
    let before = secrets(&mut hub);
    for n in 1..=4 {
        let mut puppet = Puppet::new(version, MALLORY, n);
        puppet.meet(&hub, JULIET, id);
        assert_eq!(read(&hub.deliver(juliet, &puppet.text("hello"))), ["hello"]);
        hub.settle();
        hub.pass(300);
    }
    let after = secrets(&mut hub);
    assert!(
        before.iter().all(|key| after.contains(key)),
        "none was replaced"
    );
    assert_eq!(after.len(), 104);
    let mut ids = pre_keys(&bundle(&hub, version, JULIET, id).unwrap());
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 100);
    assert!(ids.ends_with(&[101, 102, 103, 0xff_fffe]), "{ids:?}");
    hub.pass(7 * 86_400);
    let signed = signed_pre_key(&bundle(&hub, version, JULIET, id).unwrap());
    assert_eq!(signed, 2, "the first one still serves for a week");
}

/// Quirk 18: ids are short and often the same; one on two accounts is two devices.
fn quirk_18_one_id_on_two_accounts_is_two_devices<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let mut puppets = [(ROMEO, 1), (MALLORY, 2)].map(|(jid, seed)| {
        let mut puppet = Puppet::with_seed(version, jid, 5, seed);
        puppet.enlist(&mut hub);
        puppet
    });
    for puppet in &mut puppets {
        puppet.meet(&hub, JULIET, hub.id(juliet));
        let body = puppet.jid.clone();
        assert_eq!(read(&hub.deliver(juliet, &puppet.text(&body))), [body]);
    }
    hub.settle();
    // what one session opens, the other account's does not
    let mut stolen = puppets[0].text("stolen");
    omemo_tests::hub::set(&mut stolen, "from", format!("{MALLORY}/x"));
    assert!(read(&hub.deliver(juliet, &stolen)).is_empty());
    // and a decision about one is none about the other
    let mallory = BareJid::parse(MALLORY).unwrap();
    let account = hub.devices[juliet.0].account.as_mut().unwrap();
    let key = account.devices(&mallory).unwrap()[0].fingerprint.unwrap();
    decide(&mut hub, juliet, MALLORY, key, Trust::Distrusted);
    let events = hub.send(juliet, ROMEO, "to romeo", "to romeo");
    let served = served(&events, "to romeo");
    assert_eq!(served.len(), 1, "{events:?}");
    assert_eq!(served[0].device.jid.as_str(), ROMEO);
    let events = hub.send(juliet, MALLORY, "to mallory", "to mallory");
    assert!(is_refused(&events, "to mallory"), "{events:?}");
}

over_versions!(
    a02_a_missing_unknown_or_exchanged_prekey_uses_nothing_up,
    rule_08_76_used_prekeys_leave_a_full_bundle,
    quirk_18_one_id_on_two_accounts_is_two_devices,
    quirk_20_ids_go_round_before_the_largest,
    rule_24_ids_that_come_round_replace_nothing,
);
