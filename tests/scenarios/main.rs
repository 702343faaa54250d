//! Conversations of several devices over a network in memory: the same scenario over both protocols and every store.
#![allow(missing_docs, reason = "the tests' names say what they show")]
#![allow(unreachable_pub, reason = "a test program has no outside")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says that it failed by panicking"
)]

#[macro_use]
mod over;
mod puppet;
mod stage;

mod answers;
mod atm;
mod canary;
mod catch_up;
mod content;
mod copies;
mod downgrade;
mod duplicates;
mod failures;
mod hostile;
mod injected;
mod key_exchanges;
mod key_transport;
mod labels;
mod lists;
mod malicious_server;
mod opt_out;
mod outbox;
mod own_devices;
mod publish;
mod questions;
mod recovery;
mod removal;
mod replacement;
mod restore;
mod rooms;
mod rooms_entered;
mod rooms_hostile;
mod rotation;
mod schedules;
mod sends;
mod sessions;
mod shared_keys;
mod stale;
mod subscriptions;
mod talk;
mod trust;
