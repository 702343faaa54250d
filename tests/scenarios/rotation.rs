//! Our own keys over time: prekeys serve once, signed prekeys for a week and one more.

use std::path::Path;

use omemo::store::{Store, Transaction};
use omemo::{BareJid, UndecryptableReason, Version};
use omemo_sqlite::SqliteStore;
use omemo_tests::hub::{Hub, speaks};

use crate::over::{BOTH, Memory, Sqlite, Stores};
use crate::puppet::{Puppet, read_bundle};
use crate::stage::*;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const WEEK: i64 = 7 * 86_400;

fn rule_24_a_used_prekey_is_published_no_more<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let id = hub.id(juliet);
    for round in 1..=5 {
        let published = bundle(&hub, version, JULIET, id).unwrap();
        let mut taken = read_bundle(&published);
        taken.pre_keys.truncate(1);
        let mut puppet = Puppet::new(version, MALLORY, round);
        puppet.meet_bundle(&taken, JULIET, id);
        hub.deliver(juliet, &puppet.text("hello"));
        hub.settle();
        hub.pass(MINUTE);
        let now = pre_keys(&bundle(&hub, version, JULIET, id).unwrap());
        assert!(!now.contains(&taken.pre_keys[0].0));
        assert_eq!(now.len(), 100, "refilled");
        // who had fetched the bundle before is read for an hour
        hub.pass(HOUR - MINUTE - 1);
        let mut second = Puppet::new(version, MALLORY, 200 + round);
        second.meet_bundle(&taken, JULIET, id);
        let events = hub.deliver(juliet, &second.text("drew it too"));
        assert_eq!(read(&events), ["drew it too"]);
        // and then the key is gone for good
        hub.pass(MINUTE + 1);
        let mut late = Puppet::new(version, MALLORY, 100 + round);
        late.meet_bundle(&taken, JULIET, id);
        let events = hub.deliver(juliet, &late.text("me too"));
        assert_eq!(unread(&events), [UndecryptableReason::UnknownPreKey]);
    }
}

fn rule_10_the_signed_prekey_rotates_and_the_old_one_serves_one_week_more<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let id = hub.id(juliet);
    let published = bundle(&hub, version, JULIET, id).unwrap();
    let old = read_bundle(&published);
    let only = |n: usize| {
        let mut bundle = old.clone();
        bundle.pre_keys = vec![bundle.pre_keys[n].clone()];
        bundle
    };
    hub.pass(WEEK - 1);
    assert_eq!(
        signed_pre_key(&bundle(&hub, version, JULIET, id).unwrap()),
        old.signed_pre_key_id
    );
    hub.pass(1);
    assert_ne!(
        signed_pre_key(&bundle(&hub, version, JULIET, id).unwrap()),
        old.signed_pre_key_id
    );
    let mut puppet = Puppet::new(version, MALLORY, 1);
    puppet.meet_bundle(&only(0), JULIET, id);
    hub.pass(WEEK - 1);
    assert_eq!(read(&hub.deliver(juliet, &puppet.text("late"))), ["late"]);
    hub.settle();
    hub.pass(1);
    let mut puppet = Puppet::new(version, MALLORY, 2);
    puppet.meet_bundle(&only(1), JULIET, id);
    assert_eq!(
        unread(&hub.deliver(juliet, &puppet.text("too late"))),
        [UndecryptableReason::UnknownPreKey]
    );
    let kept = hub
        .dump(juliet)
        .iter()
        .filter(|line| line.starts_with("signed prekey"))
        .count();
    assert_eq!(kept, 2, "the present one and the one before");
}

fn rule_10_one_rotation_however_long_we_were_away<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let id = hub.id(juliet);
    let old = read_bundle(&bundle(&hub, version, JULIET, id).unwrap());
    hub.go_offline(juliet);
    hub.pass(52 * WEEK);
    // somebody wrote while we were away, with the old bundle
    let mut puppet = Puppet::new(version, MALLORY, 1);
    puppet.meet_bundle(&old, JULIET, id);
    hub.catches_up = false;
    hub.go_online(juliet);
    hub.settle();
    assert_eq!(
        signed_pre_key(&bundle(&hub, version, JULIET, id).unwrap()),
        old.signed_pre_key_id,
        "rotation waits"
    );
    assert_eq!(
        read(&hub.deliver(juliet, &puppet.text("long ago"))),
        ["long ago"]
    );
    hub.call(juliet, |account| account.caught_up());
    hub.settle();
    hub.pass(MINUTE);
    let new = signed_pre_key(&bundle(&hub, version, JULIET, id).unwrap());
    assert_eq!(new, old.signed_pre_key_id + 1);
    hub.pass(WEEK - MINUTE - 1);
    assert_eq!(
        signed_pre_key(&bundle(&hub, version, JULIET, id).unwrap()),
        new
    );
}

fn rule_10_a_clock_that_goes_back_changes_nothing<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    hub.pass(WEEK);
    let before = hub.dump(juliet);
    let crossed = hub.wire.len();
    for back in [1, 3600, WEEK, 52 * WEEK] {
        hub.pass(-back);
        assert_eq!(hub.dump(juliet), before);
        assert_eq!(hub.wire.len(), crossed);
    }
}

/// Rotation is published late when the server is away: the week of grace begins with the publication.
fn rule_10_the_grace_begins_when_the_successor_is_published<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let id = hub.id(juliet);
    let old = read_bundle(&bundle(&hub, version, JULIET, id).unwrap());
    hub.answers = false;
    for _ in 0..20 {
        hub.pass(WEEK / 10);
    }
    hub.answers = true;
    assert_eq!(
        signed_pre_key(&bundle(&hub, version, JULIET, id).unwrap()),
        old.signed_pre_key_id
    );
    for _ in 0..10 {
        hub.pass(3600);
    }
    assert_ne!(
        signed_pre_key(&bundle(&hub, version, JULIET, id).unwrap()),
        old.signed_pre_key_id
    );
    hub.pass(WEEK - 86_400);
    let mut puppet = Puppet::new(version, MALLORY, 1);
    puppet.meet_bundle(&old, JULIET, id);
    assert_eq!(
        read(&hub.deliver(juliet, &puppet.text("in time"))),
        ["in time"]
    );
}

/// Whether these bytes stand in any file of a folder: the database, its log, whatever is beside them.
fn is_on_disk(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|file| {
        let content = std::fs::read(file.unwrap().path()).unwrap();
        content.windows(bytes.len()).any(|place| place == bytes)
    })
}

/// A03: after rotation and grace the old secret is gone, from every page and from the log too.
#[test]
fn a03_a_signed_prekey_past_its_grace_is_in_no_file() {
    for version in BOTH {
        let folder = tempfile::TempDir::new().unwrap();
        let mut store = SqliteStore::open(folder.path().join("juliet.db")).unwrap();
        let jid = BareJid::parse(JULIET).unwrap();
        let mut hub = Hub::new(1);
        let juliet = hub.add(
            JULIET,
            SqliteStore::open(folder.path().join("juliet.db")).unwrap(),
            speaks(&[version]),
        );
        let secret = {
            let tx = store.begin(&jid).unwrap();
            let rows = tx.signed_pre_keys(version).unwrap();
            assert_eq!(rows.len(), 1);
            *rows[0].secret
        };
        hub.go_online(juliet);
        hub.settle();
        hub.pass(WEEK);
        hub.pass(WEEK - 1);
        assert!(is_on_disk(folder.path(), &secret), "it still serves");
        hub.pass(1);
        assert!(!is_on_disk(folder.path(), &secret));
    }
}

/// A17: a flood of key exchanges, of one account and of many, never empties the bundle, makes us publish more and more rarely,
/// and leaves no more prekeys behind than a hundred a bundle.
fn flood<S: Stores>(stores: &mut S, version: Version, exchanges: u32) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let id = hub.id(juliet);
    let publications = |hub: &Hub<S::Store>| {
        let questions = hub.questions_of(juliet);
        let bundles = questions.iter().map(String::from);
        bundles.filter(|iq| iq.contains("<bundle")).count()
    };
    let before = publications(&hub);
    let mut published = read_bundle(&bundle(&hub, version, JULIET, id).unwrap());
    for n in 1..=exchanges {
        // many devices of one account, and many accounts
        let jid = format!("mallory{}@elsewhere.example", n % 100);
        let mut puppet = Puppet::new(version, &jid, n);
        puppet.meet_bundle(&published, JULIET, id);
        let events = hub.deliver(juliet, &puppet.text("flood"));
        assert_eq!(read(&events), ["flood"], "{n}");
        hub.settle();
        if n % 10 == 0 {
            hub.pass(1);
            published = read_bundle(&bundle(&hub, version, JULIET, id).unwrap());
            assert_eq!(published.pre_keys.len(), 100);
        }
    }
    // rests of 0, 2, 4, ... 256 and then 300 seconds
    let seconds = exchanges / 10;
    let most = 11 + usize::try_from(seconds / 300).unwrap();
    let published = publications(&hub) - before;
    assert!(
        published <= most,
        "{published} publications in {seconds} seconds"
    );
    let keys = |hub: &mut Hub<S::Store>| {
        let lines = hub.dump(juliet);
        lines
            .iter()
            .filter(|line| line.starts_with("prekey"))
            .count()
    };
    assert!(keys(&mut hub) <= 100 * (most + 1).min(11));
    // nor does it fill the store with answers that strangers will never get
    let lines = hub.dump(juliet);
    let owed = lines.iter().filter(|line| line.starts_with("DutyRow"));
    assert_eq!(owed.count(), 200);
    assert!(hub.messages_of(juliet).is_empty());
    // an hour after the flood nothing of it is left
    hub.pass(301);
    hub.pass(HOUR);
    assert_eq!(keys(&mut hub), 100);
}

#[test]
fn a17_ten_thousand_key_exchanges_leave_a_full_bundle() {
    flood(&mut Memory, Version::Omemo2, 10_000);
}

/// The same in both protocols on disk, with fewer: each costs some milliseconds.
#[test]
fn a17_a_flood_of_key_exchanges_leaves_a_full_bundle() {
    for version in BOTH {
        flood(&mut Sqlite::default(), version, 500);
    }
}

over_versions!(
    rule_24_a_used_prekey_is_published_no_more,
    rule_10_the_signed_prekey_rotates_and_the_old_one_serves_one_week_more,
    rule_10_one_rotation_however_long_we_were_away,
    rule_10_a_clock_that_goes_back_changes_nothing,
    rule_10_the_grace_begins_when_the_successor_is_published,
);
