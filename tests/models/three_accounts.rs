//! Three accounts with several devices each. Most speak both protocols, one speaks only the old one and one only the new one,
//! so that many messages go out in both.

use omemo::Version;
use omemo_tests::stores::{Memory, Sqlite};
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;

use crate::network::Network;
use crate::real::Real;
use crate::run;
use crate::transition::{Fate, Transition};

/// The abstract network of the three.
pub struct Three;

const BOTH: &[Version] = &Version::ALL;
const NEW: &[Version] = &[Version::Omemo2];
const OLD: &[Version] = &[Version::Legacy];

/// Who has which devices. Every account has one that everybody can write to.
const CAST: [(usize, &[Version]); 7] = [
    (0, BOTH),
    (0, OLD),
    (1, BOTH),
    (1, BOTH),
    (1, NEW),
    (2, BOTH),
    (2, BOTH),
];

impl ReferenceStateMachine for Three {
    type State = Network;
    type Transition = Transition;

    fn init_state() -> BoxedStrategy<Network> {
        Just(Network::new(&CAST)).boxed()
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

/// Each message has many readers.
fn weigh(transition: &Transition) -> u32 {
    match transition {
        Transition::Send { confirmed, .. } => 2 + 8 * u32::from(*confirmed),
        Transition::Deliver(_) => 40,
        Transition::Automatic { fate, .. } => 1 + 9 * u32::from(*fate == Fate::Delivered),
        Transition::Online { confirmed, .. } => 1 + 5 * u32::from(*confirmed),
        Transition::CaughtUp(_) => 5,
        Transition::Lose(_) | Transition::Double(_) | Transition::Offline(_) => 2,
        _ => 1,
    }
}

#[test]
fn three_accounts_in_memory() {
    run::<Real<Three, Memory>>(8, 1..80);
}

#[test]
fn three_accounts_on_disk() {
    run::<Real<Three, Sqlite>>(1, 1..40);
}
