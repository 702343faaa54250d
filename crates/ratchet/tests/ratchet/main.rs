//! The crate's tests from outside: one file a subject, each run over both protocols where that makes sense.
//!
//! Names say what they show: `rule_NN` a rule of XEP-0384, `aNN` an attack seen elsewhere, `quirk_NN` what other
//! clients really send, `kat` an answer that another implementation gave.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that goes wrong stops; clippy.toml knows the functions marked as tests, not their helpers"
)]

mod ahead;
mod bundle;
mod commitment;
mod common;
mod delivery;
mod framing;
mod hostile_keys;
mod identity;
#[cfg(feature = "hazmat")]
mod layers;
mod payload;
#[cfg(feature = "hazmat")]
mod rfc;
mod session;
mod skipping;
mod stored;
mod vectors;
#[cfg(feature = "hazmat")]
mod wycheproof;
