//! Benchmarks of the omemo crates; README.md says how to run them.
//!
//! The library part is what they share: [`pairs`] of devices that talk without an account, [`population`]s of an account
//! and a recipient's hundreds of devices, a [`stopwatch`] around a store, operations [`side_by_side`], and the [`table`]s at the end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot be set up says so by panicking"
)]

pub mod network;
pub mod pairs;
pub mod population;
pub mod side_by_side;
pub mod stopwatch;
pub mod table;
