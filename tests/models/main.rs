//! Models: an abstract network says what every device must read, step by step, and the real devices are held to it.
//!
//! Where the schedules of the scenarios throw random steps at devices and judge the end, here [`network`] predicts each
//! step: what is under way to whom, who is served in which protocol, what a delivery must show, and what may not be readable
//! and why. The sequences shrink to the transitions that matter.
//!
//! Answers of servers come at once; what the network loses, doubles, delays and shuffles are the messages. Automatic empty
//! messages are messages too, but when they are sent is the library's own affair, so that the model only says what is done to
//! those that there are.
//!
//! # What is promised
//!
//! - What is delivered is read once, by every device that it was sealed for; delivered again it is quiet.
//! - Nothing else is read, and nothing is reported as undecryptable, with these exceptions, each of which has to be proved:
//!   a stanza without a key for this device; two key exchanges that name one prekey (of two senders that drew the same one the
//!   second comes too late); a key exchange older than the grace of the signed prekey that it names; and messages in a session
//!   that the receiver has discarded, until the sender has heard from it again.
//! - No message key encrypts two things.
//! - In the end everybody can talk to everybody, over one session each way, without key exchanges. One exception is known and
//!   has to be proved, too: a device that discarded its sessions, and whose new key exchange then came later than the grace of
//!   the signed prekey that it names. It goes on in the session that the peer cannot begin, the peer goes on in the one that
//!   was discarded, and neither begins another by itself.
//!
//! # Restoring
//!
//! A store that is put back from a backup encrypts with keys that it used before, and nothing in it can tell; the documentation
//! says never to do it. What people shall do instead is modelled: a store that is closed may move, so that its copy is current
//! ([`network::Transition::Move`]), and a device whose store is lost is replaced by a new one
//! ([`network::Transition::Replace`]).
//!
//! # Replacing sessions
//!
//! There is no call for it yet. What it will do to a peer is what deleting the sessions with it does
//! ([`network::Transition::Forget`]): the next message begins a new one, and whatever the peer still sends in the old ones
//! cannot be read.
#![allow(missing_docs, reason = "the tests' names say what they show")]
#![allow(unreachable_pub, reason = "a test program has no outside")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says that it failed by panicking"
)]

mod ending;
mod network;
mod play;
mod proof;
mod real;
mod three_accounts;
mod transition;
mod two_devices;

use std::ops::Range;

use proptest::test_runner::{Config, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

/// How many cases proptest runs of a property when nobody says otherwise.
const USUAL_CASES: u32 = 256;

/// Runs a model. Each case is a history of many stanzas: more are asked for in proportion to proptest's own number, which its
/// macros would take for ours.
fn run<T: StateMachineTest>(cases: u32, steps: Range<usize>) {
    let asked: u32 = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(USUAL_CASES);
    let mut config = Config::with_cases((cases * asked / USUAL_CASES).max(1));
    config.failure_persistence = None;
    config.max_shrink_iters = 400;
    let histories = T::Reference::sequential_strategy(steps);
    let verdict =
        TestRunner::new(config.clone()).run(&histories, |(network, transitions, seen)| {
            T::test_sequential(config.clone(), network, transitions, seen);
            Ok(())
        });
    if let Err(failure) = verdict {
        panic!("{failure}");
    }
}
