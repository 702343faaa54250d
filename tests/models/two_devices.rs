//! Two accounts with one device each, in one protocol or in both.

use omemo::Version;
use omemo_tests::stores::{Memory, Sqlite};
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;

use crate::network::Network;
use crate::real::Real;
use crate::run;
use crate::transition::{Fate, Transition};

/// The abstract network of the two.
pub struct Two;

/// The versions that both speak.
const SPOKEN: [&[Version]; 3] = [&[Version::Omemo2], &[Version::Legacy], &Version::ALL];

impl ReferenceStateMachine for Two {
    type State = Network;
    type Transition = Transition;

    fn init_state() -> BoxedStrategy<Network> {
        let network = |spoken| Network::new(&[(0, spoken), (1, spoken)]);
        proptest::sample::select(SPOKEN.to_vec())
            .prop_map(network)
            .boxed()
    }

    fn transitions(network: &Network) -> BoxedStrategy<Transition> {
        network.transitions(weigh)
    }

    fn preconditions(network: &Network, transition: &Transition) -> bool {
        network.allows(transition)
    }

    fn apply(mut network: Network, transition: &Transition) -> Network {
        network.apply(transition);
        network
    }
}

/// Talk, mostly; and accidents.
fn weigh(transition: &Transition) -> u32 {
    match transition {
        Transition::Send { confirmed, .. } => 2 + 18 * u32::from(*confirmed),
        Transition::Deliver(_) => 20,
        Transition::Automatic { fate, .. } => 1 + 7 * u32::from(*fate == Fate::Delivered),
        Transition::Lose(_) | Transition::Double(_) | Transition::Offline(_) => 3,
        Transition::Online { confirmed, .. } => 1 + 7 * u32::from(*confirmed),
        Transition::CaughtUp(_) => 6,
        Transition::DieSending { .. }
        | Transition::DieReading(_)
        | Transition::Archive(_)
        | Transition::Restart(_)
        | Transition::Pass(_) => 3,
        Transition::Move(_) | Transition::Replace(_) | Transition::Forget { .. } => 1,
    }
}

#[test]
fn two_devices_in_memory() {
    run::<Real<Two, Memory>>(48, 1..60);
}

#[test]
fn two_devices_on_disk() {
    run::<Real<Two, Sqlite>>(6, 1..40);
}
