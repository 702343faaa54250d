//! Devices that verify each other agree in the end, in whatever order they hear of it, and in whatever form keys are named.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

#[derive(Debug, Clone)]
struct Schedule {
    /// Which pairs verify each other by hand: the devices of each account along a tree, and one of each account, since
    /// nobody can speak for another account's devices.
    pairs: Vec<(usize, usize)>,
    /// In which order, each half by itself.
    order: Vec<usize>,
    /// Who says what about a device that says nothing itself: who, at which place in the order, and what.
    stranger: Vec<(usize, usize, bool)>,
    /// Whose oldest message is delivered next.
    deliveries: Vec<usize>,
    /// How long it takes until the next decision.
    pauses: Vec<u8>,
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let pairs = (0..2_usize, 0..3_usize, 3..5_usize)
        .prop_map(|(third, one, other)| vec![(1, 0), (2, third), (4, 3), (one, other)]);
    let order = Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle();
    let stranger = prop::collection::vec((0..3_usize, 0..8_usize, any::<bool>()), 0..3);
    let deliveries = prop::collection::vec(0..5_usize, 60);
    let pauses = prop::collection::vec(0..3_u8, 16);
    (pairs, order, stranger, deliveries, pauses).prop_map(
        |(pairs, order, stranger, deliveries, pauses)| Schedule {
            pairs,
            order,
            stranger,
            deliveries,
            pauses,
        },
    )
}

/// Three devices of one account and two of another, who verify each other, agree in the end on everybody,
/// and on a device that is verified and distrusted meanwhile; whatever the order of decisions and deliveries.
#[test]
fn rule_36_all_devices_agree_in_the_end() {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|text| text.parse().ok());
    let mut config = Config::with_cases((24 * cases.unwrap_or(256_u32) / 256).max(1));
    config.failure_persistence = None;
    config.max_shrink_iters = 60;
    TestRunner::new(config)
        .run(&schedule(), |schedule| {
            play(&schedule);
            Ok(())
        })
        .unwrap();
}

fn play(schedule: &Schedule) {
    let mut stores = Memory;
    let mut hub = Hub::new(11);
    let mut all: Vec<At> = (0..3)
        .map(|_| hub.join(JULIET, stores.make(), automatic()))
        .collect();
    all.extend((0..2).map(|_| hub.join(ROMEO, stores.make(), automatic())));
    // it is listed and known to all, and never says a word about anybody
    let lost = hub.join(JULIET, stores.make(), speaks(&[Version::Omemo2]));
    meet(&mut hub, &all);
    let halves: Vec<(At, At)> = schedule
        .pairs
        .iter()
        .flat_map(|(one, other)| [(all[*one], all[*other]), (all[*other], all[*one])])
        .collect();
    let mut deliveries = schedule.deliveries.iter().cycle();
    let mut pauses = schedule.pauses.iter().cycle();
    let mut was_decided = false;
    for (place, half) in schedule.order.iter().enumerate() {
        let (at, other) = halves[*half];
        decide_about(&mut hub, at, other, Trust::Verified);
        for (who, when, trust) in &schedule.stranger {
            if *when == place {
                let trust = if *trust {
                    Trust::Verified
                } else {
                    Trust::Distrusted
                };
                decide_about(&mut hub, all[*who], lost, trust);
                was_decided = true;
            }
        }
        hub.pass_quietly((*pauses.next().unwrap()).into());
        for _ in 0..6 {
            hub.deliver_one(all[*deliveries.next().unwrap()]);
        }
    }
    hub.settle();
    for at in &all {
        for of in &all {
            if at != of {
                assert_eq!(
                    thinks(&mut hub, *at, *of),
                    Trust::Verified,
                    "{at:?} of {of:?}"
                );
            }
        }
    }
    if was_decided {
        let opinions: Vec<Trust> = all.iter().map(|at| thinks(&mut hub, *at, lost)).collect();
        let first = opinions[0];
        assert!(
            opinions.iter().all(|opinion| *opinion == first),
            "{opinions:?}"
        );
    }
    for at in &all {
        let lines = hub.dump(*at);
        assert!(
            !lines.iter().any(|line| line.contains("OwedDecision")),
            "{at:?}"
        );
    }
}

/// Keys may be named by their Ed25519 form, as a widely used library does.
fn rule_36_keys_are_understood_in_both_forms<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(10);
    let juliet = hub.join(JULIET, stores.make(), automatic());
    let romeo = hub.join(ROMEO, stores.make(), automatic());
    hub.send(juliet, ROMEO, "1", "1");
    let mut puppet = Puppet::new(Version::Omemo2, ROMEO, 5);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    hub.deliver(juliet, &puppet.text("hello"));
    let its_key = level_of_device(&mut hub, juliet, 5);
    decide(&mut hub, juliet, ROMEO, its_key, Trust::Verified);
    let bundle =
        crate::puppet::read_bundle(&bundle(&hub, Version::Omemo2, ROMEO, hub.id(romeo)).unwrap());
    let ed25519 = Fingerprint::new(bundle.identity_key.try_into().unwrap());
    hub.deliver(juliet, &puppet.tell(&[(ROMEO, ed25519, true)]));
    assert_eq!(thinks(&mut hub, juliet, romeo), Trust::Verified);
}

fn level_of_device<S: Store + 'static>(hub: &mut Hub<S>, at: At, id: u32) -> Fingerprint {
    let devices = known(hub, at, ROMEO);
    let device = devices
        .iter()
        .find(|device| device.address.device.get() == id);
    device.unwrap().fingerprint.unwrap()
}

over!(rule_36_keys_are_understood_in_both_forms);
