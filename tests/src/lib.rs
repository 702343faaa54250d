//! Tests that need more than one crate, a real server or a foreign client.
//!
//! The library part is what the test programs beside it share: a [`lab`] of real servers on loopback, [`peers`] that
//! talk through them, a reader of the [`wire`] that trusts nothing of the crates under test, and [`chance`] that can be repeated.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says that it failed by panicking"
)]

pub mod capture;
pub mod chance;
pub mod glass;
pub mod hub;
pub mod lab;
pub mod nodes;
pub mod patience;
pub mod peers;
pub mod process;
pub mod scenario;
pub mod stores;
pub mod wire;
