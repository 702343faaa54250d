//! The committed vectors: that they are what the generator writes, that they hold, and that they would show it if they
//! did not.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod files;
mod judgement;
mod schema;
mod serving;
