//! Random schedules: whatever is sent, lost, doubled, shuffled and restarted, everything that arrives is read exactly
//! once, nobody reads anything twice, and no message key encrypts two things.

use std::collections::{BTreeMap, BTreeSet};

use omemo::{UndecryptableReason, Version};
use omemo_tests::hub::{At, Hub, speaks};
use omemo_tests::wire::Ledger;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::over::{BOTH, Memory, Sqlite, Stores};
use crate::stage::*;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A device writes to another account.
    Send(usize, usize),
    /// The oldest stanza that waits for a device arrives.
    Deliver(usize),
    /// Everything that waits for a device arrives.
    Settle(usize),
    /// A message that waits for a device is lost.
    Lose(usize, usize),
    /// One of them comes twice.
    Double(usize, usize),
    /// Two of them change places.
    Swap(usize, usize, usize),
    Offline(usize),
    Online(usize),
    Restart(usize),
    Pass(u16),
    /// Stanzas of this device are no longer reported as sent, or are again.
    Confirms(usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0..64_usize;
    prop_oneof![
        8 => (n.clone(), n.clone()).prop_map(|(from, to)| Step::Send(from, to)),
        8 => n.clone().prop_map(Step::Deliver),
        3 => n.clone().prop_map(Step::Settle),
        1 => (n.clone(), n.clone()).prop_map(|(at, which)| Step::Lose(at, which)),
        2 => (n.clone(), n.clone()).prop_map(|(at, which)| Step::Double(at, which)),
        2 => (n.clone(), n.clone(), n.clone()).prop_map(|(at, one, two)| Step::Swap(at, one, two)),
        1 => n.clone().prop_map(Step::Offline),
        1 => n.clone().prop_map(Step::Online),
        1 => n.clone().prop_map(Step::Restart),
        1 => (1..400_u16).prop_map(Step::Pass),
        1 => (n, any::<bool>()).prop_map(|(at, confirms)| Step::Confirms(at, confirms)),
    ]
}

/// Which messages may be lost, shuffled and doubled: those between people. Answers of servers keep their order.
fn is_message(text: &str) -> bool {
    text.contains("<encrypted")
}

struct Play<S: Stores> {
    hub: Hub<S::Store>,
    stores: S,
    devices: Vec<At>,
    online: BTreeSet<usize>,
    /// What was taken from each device for good.
    lost: BTreeMap<usize, BTreeSet<String>>,
    sent: usize,
}

impl<S: Stores> Play<S> {
    fn new(mut stores: S, version: Version, accounts: &[&str]) -> Self {
        let mut hub = Hub::new(99);
        let join = |jid: &&str| hub.join(jid, stores.make(), speaks(&[version]));
        let devices: Vec<At> = accounts.iter().map(join).collect();
        let online = (0..devices.len()).collect();
        Self {
            hub,
            stores,
            devices,
            online,
            lost: BTreeMap::new(),
            sent: 0,
        }
    }

    fn at(&self, n: usize) -> At {
        self.devices[n % self.devices.len()]
    }

    /// The places in a mailbox where messages stand.
    fn messages(&mut self, at: At) -> Vec<usize> {
        let mailbox = self.hub.mailbox(at);
        let places = mailbox
            .iter()
            .enumerate()
            .filter(|(_, text)| is_message(text));
        places.map(|(place, _)| place).collect()
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Send(from, to) => {
                let (from, to) = (self.at(from), self.at(to));
                let jid = self.hub.devices[to.0].jid.to_string();
                if jid != self.hub.devices[from.0].jid.as_str() {
                    let id = format!("message-{}", self.sent);
                    self.sent += 1;
                    self.hub.write(from, &jid, &id, &id);
                }
            }
            Step::Deliver(at) => {
                let at = self.at(at);
                if self.online.contains(&at.0) {
                    self.hub.deliver_one(at);
                }
            }
            Step::Settle(at) => {
                let at = self.at(at);
                while self.online.contains(&at.0) && !self.hub.mailbox(at).is_empty() {
                    self.hub.deliver_one(at);
                }
            }
            Step::Lose(at, which) => {
                let at = self.at(at);
                let places = self.messages(at);
                if !places.is_empty() {
                    let text = self
                        .hub
                        .mailbox(at)
                        .remove(places[which % places.len()])
                        .unwrap();
                    let mut ids = text.split("message-").skip(1);
                    if let Some(id) = ids.next().and_then(|rest| rest.split(['\'', '"']).next()) {
                        self.lost
                            .entry(at.0)
                            .or_default()
                            .insert(format!("message-{id}"));
                    }
                }
            }
            Step::Double(at, which) => {
                let at = self.at(at);
                let places = self.messages(at);
                if !places.is_empty() {
                    let mailbox = self.hub.mailbox(at);
                    let copy = mailbox[places[which % places.len()]].clone();
                    mailbox.push_back(copy);
                }
            }
            Step::Swap(at, one, two) => {
                let at = self.at(at);
                let places = self.messages(at);
                if !places.is_empty() {
                    let (one, two) = (places[one % places.len()], places[two % places.len()]);
                    self.hub.mailbox(at).swap(one, two);
                }
            }
            Step::Offline(at) => {
                let at = self.at(at);
                self.online.remove(&at.0);
                self.hub.go_offline(at);
                // what servers had answered to this stream is gone with it
                self.hub.mailbox(at).retain(|text| is_message(text));
            }
            Step::Online(at) => {
                let at = self.at(at);
                if self.online.insert(at.0) {
                    self.hub.go_online(at);
                }
            }
            Step::Restart(at) => self.restart(at),
            Step::Pass(seconds) => self.tick(seconds.into()),
            Step::Confirms(at, confirms) => {
                let at = self.at(at);
                self.hub.devices[at.0].confirms = confirms;
            }
        }
    }

    fn restart(&mut self, at: usize) {
        let at = self.at(at);
        self.hub.mailbox(at).retain(|text| is_message(text));
        let stores = &self.stores;
        self.hub.restart_quietly(at, |old| stores.again(at.0, old));
        if self.online.contains(&at.0) {
            self.hub.go_online(at);
        }
    }

    fn tick(&mut self, seconds: i64) {
        self.hub.pass_quietly(seconds);
    }

    /// Everybody comes back, and everything that is under way arrives.
    fn end(&mut self) {
        for at in self.devices.clone() {
            self.hub.devices[at.0].confirms = true;
            if self.online.insert(at.0) {
                self.hub.go_online(at);
            }
        }
        for _ in 0..8 {
            self.hub.settle();
            self.hub.pass(121);
        }
    }

    fn check(&self) {
        let mut ledger = Ledger::default();
        for crossed in &self.hub.wire {
            let jid = self.hub.devices[crossed.from.0].jid.as_str();
            ledger.enter(&xml(&crossed.text), jid).unwrap();
        }
        for at in &self.devices {
            let bodies = self.hub.bodies(*at);
            let unique: BTreeSet<&String> = bodies.iter().collect();
            assert_eq!(unique.len(), bodies.len(), "read twice: {bodies:?}");
            let shown = self.hub.devices[at.0].events.iter();
            // a device whose bundle did not come in time was left out, and the sender was told
            let left_out = self.left_out(*at);
            let mut wrong = unread(&shown.cloned().collect::<Vec<_>>());
            wrong
                .retain(|reason| *reason != UndecryptableReason::NotForThisDevice || left_out == 0);
            assert!(wrong.is_empty(), "{wrong:?}");
            let nothing = BTreeSet::new();
            let lost = self.lost.get(&at.0).unwrap_or(&nothing);
            for body in self.for_device(*at) {
                assert!(
                    unique.contains(&body) || lost.contains(&body),
                    "{body} was not read by {at:?}"
                );
            }
        }
    }

    /// How many messages were sealed without a device.
    fn left_out(&self, at: At) -> usize {
        let id = Some(self.hub.id(at));
        let jid = &self.hub.devices[at.0].jid;
        let events = self.hub.devices.iter().flat_map(|device| &device.events);
        let unserved = events.flat_map(|event| match event {
            omemo::Event::Sealed { unserved, .. } => unserved.as_slice(),
            _ => &[],
        });
        let ours = |unserved: &&omemo::Unserved| {
            unserved.jid == *jid && unserved.device.map(omemo::DeviceId::get) == id
        };
        unserved.filter(ours).count()
    }

    /// The messages that were sealed for a device.
    fn for_device(&self, at: At) -> Vec<String> {
        let id = self.hub.id(at);
        let jid = &self.hub.devices[at.0].jid;
        let mut bodies = Vec::new();
        for device in &self.hub.devices {
            for event in &device.events {
                if let omemo::Event::Sealed {
                    id: message,
                    served,
                    ..
                } = event
                {
                    let ours = |served: &omemo::Served| {
                        served.device.device.get() == id && served.device.jid == *jid
                    };
                    if served.iter().any(ours) {
                        bodies.push(message.clone());
                    }
                }
            }
        }
        bodies
    }
}

/// How many cases proptest runs of a property when nobody says otherwise.
const USUAL_CASES: u32 = 256;

fn run<S: Stores>(accounts: &[&str], mut make: impl FnMut() -> S, cases: u32) {
    // each case is a conversation of minutes: more are asked for in proportion to proptest's own number
    let asked: u32 = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(USUAL_CASES);
    let mut config = Config::with_cases((cases * asked / USUAL_CASES).max(1));
    config.failure_persistence = None;
    config.max_shrink_iters = 30;
    let make = std::cell::RefCell::new(&mut make);
    for version in BOTH {
        let mut runner = TestRunner::new(config.clone());
        let schedules = prop::collection::vec(step(), 20..120);
        runner
            .run(&schedules, |steps| {
                let stores = (make.borrow_mut())();
                let mut play = Play::new(stores, version, accounts);
                for step in steps {
                    play.take(step);
                }
                play.end();
                play.check();
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn two_accounts_with_one_device_each() {
    run(&[JULIET, ROMEO], || Memory, 24);
}

#[test]
fn two_accounts_with_two_devices_each() {
    run(&[JULIET, ROMEO, JULIET, ROMEO], || Memory, 16);
}

#[test]
fn three_accounts_with_several_devices() {
    run(&[JULIET, ROMEO, MALLORY, JULIET, ROMEO], || Memory, 8);
}

#[test]
fn two_accounts_with_three_devices_on_disk() {
    run(&[JULIET, ROMEO, JULIET], Sqlite::default, 2);
}
