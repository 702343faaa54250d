//! A server that publishes whatever it likes in everybody's name: lists of devices that nobody has, bundles with keys of its own,
//! true bundles under false ids, nothing at all. Once a person has verified a key of each account, it gets nothing.

use omemo::{BareJid, Event, Trust, Version};
use omemo_tests::hub::{At, Hub, speaks};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::over::{BOTH, Memory, Stores};
use crate::puppet::Puppet;
use crate::stage::*;

/// What is written must not be found on the wire, whatever comes of it.
const WORD: &str = "sesquipedalian";
/// Ids that no device has.
const FALSE_IDS: u32 = 4;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// An account's list: of the false ids those whose bit is set, and the true one or not.
    List {
        own: bool,
        bits: u8,
        truth: bool,
    },
    /// A bundle of the server's own making, under a false id or the true one.
    Bundle {
        own: bool,
        id: u8,
        seed: u8,
    },
    /// The true bundle, under a false id.
    Moved {
        own: bool,
        id: u8,
    },
    Send,
    Pass(u16),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let own = any::<bool>;
    prop_oneof![
        4 => (own(), any::<u8>(), any::<bool>()).prop_map(|(own, bits, truth)| Step::List { own, bits, truth }),
        4 => (own(), any::<u8>(), 0..3_u8).prop_map(|(own, id, seed)| Step::Bundle { own, id, seed }),
        1 => (own(), any::<u8>()).prop_map(|(own, id)| Step::Moved { own, id }),
        6 => Just(Step::Send),
        2 => (1..1_000_u16).prop_map(Step::Pass),
        1 => Just(Step::Restart),
    ]
}

struct Play<S: Stores> {
    version: Version,
    hub: Hub<S::Store>,
    stores: S,
    juliet: At,
    laptop: At,
    romeo: At,
    sent: usize,
}

impl<S: Stores> Play<S> {
    /// Juliet has verified the keys of romeo's only device and of her other one.
    fn new(mut stores: S, version: Version) -> Self {
        let (mut hub, juliet, romeo) = friends(&mut stores, version);
        let laptop = hub.join(JULIET, stores.make(), speaks(&[version]));
        hub.send(juliet, ROMEO, "before", "before");
        for (jid, at) in [(ROMEO, romeo), (JULIET, laptop)] {
            let key = hub.devices[at.0].account.as_ref().unwrap().fingerprint();
            decide(&mut hub, juliet, jid, key, Trust::Verified);
        }
        Self {
            version,
            hub,
            stores,
            juliet,
            laptop,
            romeo,
            sent: 0,
        }
    }

    /// An account and the id of its device that juliet writes to.
    fn target(&self, own: bool) -> (&'static str, u32) {
        if own {
            (JULIET, self.hub.id(self.laptop))
        } else {
            (ROMEO, self.hub.id(self.romeo))
        }
    }

    fn take(&mut self, step: Step) {
        let version = self.version;
        match step {
            Step::List { own, bits, truth } => {
                let (jid, id) = self.target(own);
                let false_ids = (1..=FALSE_IDS).filter(|n| bits >> n & 1 == 1);
                let all = list(version, false_ids.chain(truth.then_some(id)));
                self.hub.plant(jid, devices_node(version), "current", all);
                self.hub.settle();
            }
            Step::Bundle { own, id, seed } => {
                let (jid, truth) = self.target(own);
                let id = 1 + u32::from(id) % (FALSE_IDS + 1);
                let id = if id > FALSE_IDS { truth } else { id };
                Puppet::with_seed(version, jid, id, seed.into()).publish(&mut self.hub);
            }
            Step::Moved { own, id } => {
                let (jid, truth) = self.target(own);
                if let Some(bundle) = bundle(&self.hub, version, jid, truth) {
                    let (node, item) = bundle_place(version, 1 + u32::from(id) % FALSE_IDS);
                    self.hub.plant(jid, &node, &item, bundle);
                }
            }
            Step::Send => {
                self.sent += 1;
                let id = format!("message-{}", self.sent);
                self.hub.send(self.juliet, ROMEO, &id, WORD);
            }
            Step::Pass(seconds) => self.hub.pass(seconds.into()),
            Step::Restart => {
                let at = self.juliet;
                let stores = &self.stores;
                self.hub.restart(at, |old| stores.again(at.0, old));
            }
        }
    }

    fn check(&self) {
        for crossed in &self.hub.wire {
            assert!(!crossed.text.contains(WORD), "{}", crossed.text);
        }
        let keys = [self.romeo, self.laptop].map(|at| {
            self.hub.devices[at.0]
                .account
                .as_ref()
                .unwrap()
                .fingerprint()
        });
        for event in &self.hub.devices[self.juliet.0].events {
            match event {
                Event::Sealed { served, .. } => {
                    for served in served {
                        let jid = served.device.jid.as_str();
                        let (_, id) = self.target(jid == JULIET);
                        // moved under a false id the true key is verified all the same, and nobody else can read
                        let moved = served.device.device.get() <= FALSE_IDS;
                        assert!(moved || served.device.device.get() == id, "{event:?}");
                    }
                }
                Event::NewKey {
                    fingerprint, trust, ..
                } => {
                    let allowed = keys.contains(fingerprint);
                    assert!(allowed || *trust == Trust::Undecided, "{event:?}");
                }
                _ => {}
            }
        }
    }

    /// Nobody but the holders of the verified keys was served: the server's own keys stand undecided or changed.
    fn check_devices(&mut self) {
        let keys = [self.romeo, self.laptop].map(|at| {
            self.hub.devices[at.0]
                .account
                .as_ref()
                .unwrap()
                .fingerprint()
        });
        let events = self.hub.devices[self.juliet.0].events.clone();
        for jid in [ROMEO, JULIET] {
            let jid = BareJid::parse(jid).unwrap();
            let account = self.hub.devices[self.juliet.0].account.as_mut().unwrap();
            for device in account.devices(&jid).unwrap() {
                let true_key =
                    device.own || device.fingerprint.is_none_or(|key| keys.contains(&key));
                let served = events.iter().any(|event| match event {
                    Event::Sealed { served, .. } => {
                        served.iter().any(|served| served.device == device.address)
                    }
                    _ => false,
                });
                assert!(true_key || !served, "{device:?} was served");
            }
        }
    }
}

/// A09
#[test]
fn a09_no_device_of_a_malicious_server_is_ever_served() {
    const USUAL_CASES: u32 = 256;
    let asked: u32 = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(USUAL_CASES);
    for version in BOTH {
        let mut config = Config::with_cases((40 * asked / USUAL_CASES).max(1));
        config.failure_persistence = None;
        config.max_shrink_iters = 30;
        let steps = prop::collection::vec(step(), 10..40);
        let arrived = std::cell::Cell::new(0_usize);
        TestRunner::new(config)
            .run(&steps, |steps| {
                let mut play = Play::new(Memory, version);
                for step in steps {
                    play.take(step);
                }
                play.check();
                play.check_devices();
                let read = play.hub.bodies(play.romeo);
                arrived.set(arrived.get() + read.iter().filter(|body| *body == WORD).count());
                Ok(())
            })
            .unwrap();
        assert!(
            arrived.get() > 0,
            "a test of nothing: no message ever arrived"
        );
    }
}
