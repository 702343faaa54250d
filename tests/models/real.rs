//! The real devices beside an abstract network: what happens there happens here, and is compared.

use std::marker::PhantomData;

use omemo_tests::stores::Stores;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use crate::network::Network;
use crate::play::Play;
use crate::transition::Transition;

/// The devices of a reference, over one kind of store.
pub struct Real<R, S>(PhantomData<(R, S)>);

impl<R, S> StateMachineTest for Real<R, S>
where
    R: ReferenceStateMachine<State = Network, Transition = Transition>,
    S: Stores + Default,
{
    type SystemUnderTest = Play<S>;
    type Reference = R;

    fn init_test(network: &Network) -> Play<S> {
        Play::new(network)
    }

    fn apply(mut play: Play<S>, network: &Network, transition: Transition) -> Play<S> {
        play.apply(network, &transition);
        play.check(network);
        play
    }

    fn teardown(mut play: Play<S>, network: Network) {
        play.end(network);
    }
}
