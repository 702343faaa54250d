//! A4: a device that is used no more keeps a ratchet from turning, and every message to it readable with keys that
//! never change. After a while it is served no more, until it says something.

use std::time::Duration;

use omemo::store::Store;
use omemo::{BareJid, Device, Event, StalePolicy, UnservedReason, Version};
use omemo_tests::hub::{At, Hub, speaks};

use crate::over::Stores;
use crate::stage::*;

const DAY: i64 = 86_400;

/// Juliet, and Romeo with a phone and a tablet; all have heard from each other.
struct Cast<S> {
    hub: Hub<S>,
    juliet: At,
    phone: At,
    tablet: At,
}

fn cast<S: Stores>(
    stores: &mut S,
    version: Version,
    policy: Option<StalePolicy>,
) -> Cast<S::Store> {
    let mut hub = Hub::new(5);
    let mut settings = speaks(&[version]);
    settings.stale = policy;
    let juliet = hub.join(JULIET, stores.make(), settings);
    let phone = hub.join(ROMEO, stores.make(), speaks(&[version]));
    let tablet = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(juliet, ROMEO, "a", "hello");
    hub.send(phone, JULIET, "b", "from the phone");
    hub.send(tablet, JULIET, "c", "from the tablet");
    Cast {
        hub,
        juliet,
        phone,
        tablet,
    }
}

impl<S: Store + 'static> Cast<S> {
    /// Juliet writes so many messages, and whoever is there answers each.
    fn talk(&mut self, name: &str, messages: u32) {
        for n in 0..messages {
            self.hub
                .send(self.juliet, ROMEO, &format!("{name}{n}"), "tick");
            self.hub
                .send(self.phone, JULIET, &format!("{name}r{n}"), "tock");
        }
    }

    /// The ids that the next message to Romeo serves, and those that it does not, with the reasons.
    fn write(&mut self, id: &str) -> (Vec<u32>, Vec<(Option<u32>, UnservedReason)>) {
        let events = self.hub.send(self.juliet, ROMEO, id, "to whom?");
        let served = served(&events, id);
        let romeos = served.iter().filter(|one| one.device.jid.as_str() == ROMEO);
        let mut served: Vec<u32> = romeos.map(|one| one.device.device.get()).collect();
        served.sort_unstable();
        let left = unserved(&events, id)
            .into_iter()
            .map(|one| (one.device.map(omemo::DeviceId::get), one.reason))
            .collect();
        (served, left)
    }

    fn both(&self) -> Vec<u32> {
        let mut both = vec![self.hub.id(self.phone), self.hub.id(self.tablet)];
        both.sort_unstable();
        both
    }

    fn shown(&mut self, device: u32) -> Device {
        let romeo = BareJid::parse(ROMEO).unwrap();
        let account = self.hub.devices[self.juliet.0].account.as_mut().unwrap();
        let devices = account.devices(&romeo).unwrap();
        let found = devices
            .into_iter()
            .find(|one| one.address.device.get() == device);
        found.unwrap()
    }
}

fn a04_a_device_that_never_answers_is_served_no_more<S: Stores>(mut stores: S, version: Version) {
    let mut cast = cast(&mut stores, version, Some(StalePolicy::default()));
    let (phone, tablet) = (cast.hub.id(cast.phone), cast.hub.id(cast.tablet));
    let joined = cast.hub.now();
    assert!(cast.shown(tablet).heard_at.is_some());
    cast.hub.go_offline(cast.tablet);
    for n in 0..3 {
        cast.talk(&format!("{n}-"), 20);
        cast.hub.pass(30 * DAY - 100);
    }
    // both are needed: so long, and so many
    assert_eq!(cast.write("before").0, cast.both());
    assert!(!cast.shown(tablet).stale);
    cast.hub.pass(300);
    let (served, left) = cast.write("after");
    assert_eq!(served, [phone]);
    assert_eq!(left, [(Some(tablet), UnservedReason::Stale)]);
    let shown = cast.shown(tablet);
    assert!(shown.stale);
    assert!(shown.heard_at.unwrap() <= joined);
    assert!(!cast.shown(phone).stale);

    // its next message ends it
    cast.hub.go_online(cast.tablet);
    cast.hub.settle();
    assert!(cast.hub.bodies(cast.tablet).contains(&"tick".to_owned()));
    assert!(
        !cast
            .hub
            .bodies(cast.tablet)
            .iter()
            .any(|body| body == "to whom?" && served.contains(&tablet))
    );
    cast.hub.send(cast.tablet, JULIET, "back", "back");
    assert_eq!(cast.write("again").0, cast.both());
    assert!(!cast.shown(tablet).stale);
}

fn a_device_that_is_only_silent_is_served<S: Stores>(mut stores: S, version: Version) {
    // for a year, and with a message less
    let mut silent = cast(&mut stores, version, Some(StalePolicy::default()));
    silent.hub.go_offline(silent.tablet);
    silent.talk("s", 59);
    silent.hub.pass(365 * DAY);
    assert_eq!(silent.write("last").0, silent.both());
    assert_eq!(silent.write("more").0, [silent.hub.id(silent.phone)]);
}

fn a_device_that_is_only_behind_is_served<S: Stores>(mut stores: S, version: Version) {
    // so many messages in a day
    let mut behind = cast(&mut stores, version, Some(StalePolicy::default()));
    behind.hub.go_offline(behind.tablet);
    behind.talk("b", 80);
    behind.hub.pass(DAY);
    assert_eq!(behind.write("last").0, behind.both());
}

fn the_app_chooses_when_a_device_is_stale<S: Stores>(mut stores: S, version: Version) {
    let short = StalePolicy::new(Duration::from_secs(3_600), 3);
    for (policy, stale) in [(Some(short), true), (None, false)] {
        let mut cast = cast(&mut stores, version, policy);
        cast.hub.go_offline(cast.tablet);
        cast.talk("x", 3);
        cast.hub.pass(if stale { 3_600 } else { 1_000 * DAY });
        let served = cast.write("last").0;
        assert_eq!(served == cast.both(), !stale);
    }
}

/// A phone in a drawer, and nothing else: a contact has to be reachable, and the message waits on the server.
fn a_contact_without_another_device_is_served_all_the_same<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let policy = StalePolicy::new(Duration::from_secs(3_600), 3);
    let mut cast = cast(&mut stores, version, Some(policy));
    cast.hub.go_offline(cast.tablet);
    cast.hub.go_offline(cast.phone);
    for n in 0..5 {
        cast.hub
            .send(cast.juliet, ROMEO, &format!("x{n}"), "anybody?");
    }
    cast.hub.pass(3_600);
    assert_eq!(cast.write("last").0, cast.both());
    // one that is back is enough
    cast.hub.go_online(cast.phone);
    cast.hub.settle();
    cast.hub.send(cast.phone, JULIET, "back", "here I am");
    let (served, left) = cast.write("after");
    assert_eq!(served, [cast.hub.id(cast.phone)]);
    assert_eq!(
        left,
        [(Some(cast.hub.id(cast.tablet)), UnservedReason::Stale)]
    );
}

/// Our own other devices too; there it never is the last resort.
fn an_own_device_goes_stale<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(5);
    let mut settings = speaks(&[version]);
    settings.stale = Some(StalePolicy::new(Duration::from_secs(3_600), 3));
    let juliet = hub.join(JULIET, stores.make(), settings);
    let laptop = hub.join(JULIET, stores.make(), speaks(&[version]));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(juliet, ROMEO, "1", "hello");
    hub.send(laptop, ROMEO, "2", "hello");
    assert_eq!(hub.bodies(romeo).len(), 2);
    let id = hub.id(laptop);
    hub.go_offline(laptop);
    for n in 0..5 {
        hub.send(juliet, ROMEO, &format!("x{n}"), "tick");
        hub.send(romeo, JULIET, &format!("y{n}"), "tock");
    }
    hub.pass(3_600);
    let events = hub.send(juliet, ROMEO, "last", "without the laptop");
    let left = unserved(&events, "last");
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].device.map(omemo::DeviceId::get), Some(id));
    assert_eq!(left[0].reason, UnservedReason::Stale);
    // a note to ourselves has nobody else
    let events = hub.send(juliet, JULIET, "note", "to myself");
    assert_eq!(served(&events, "note").len(), 1, "{events:?}");
}

/// One that never said a word counts from when it was listed.
fn a_device_that_was_never_heard_goes_stale<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(5);
    let mut settings = speaks(&[version]);
    settings.stale = Some(StalePolicy::new(Duration::from_secs(10 * 86_400), 3));
    let juliet = hub.join(JULIET, stores.make(), settings);
    let phone = hub.join(ROMEO, stores.make(), speaks(&[version]));
    let tablet = hub.join(ROMEO, stores.make(), speaks(&[version]));
    let gone = hub.id(tablet);
    hub.leave(tablet);
    for n in 0..5 {
        hub.send(juliet, ROMEO, &format!("x{n}"), "tick");
        hub.send(phone, JULIET, &format!("y{n}"), "tock");
    }
    hub.pass(9 * DAY);
    let events = hub.send(juliet, ROMEO, "before", "both");
    assert_eq!(served(&events, "before").len(), 2);
    // what was never answered was renewed by now, and a new session counts anew
    for n in 0..2 {
        hub.send(juliet, ROMEO, &format!("z{n}"), "tick");
        hub.send(phone, JULIET, &format!("w{n}"), "tock");
    }
    hub.pass(DAY);
    let events = hub.send(juliet, ROMEO, "after", "one");
    let left = unserved(&events, "after");
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].device.map(omemo::DeviceId::get), Some(gone));
    let refused = |event: &Event| matches!(event, Event::Refused { .. });
    assert!(!hub.devices[juliet.0].events.iter().any(refused));
}

over_versions!(
    a04_a_device_that_never_answers_is_served_no_more,
    a_device_that_is_only_silent_is_served,
    a_device_that_is_only_behind_is_served,
    the_app_chooses_when_a_device_is_stale,
    a_contact_without_another_device_is_served_all_the_same,
    an_own_device_goes_stale,
    a_device_that_was_never_heard_goes_stale,
);
