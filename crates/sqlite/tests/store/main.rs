//! The store as its users meet it: files, processes, and what stands on the disk.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod anchor;
mod common;
mod conformance;
mod encryption;
mod files;
mod migration;
mod processes;
mod schema;
mod secrets;
mod size;
mod speed;
mod values;
