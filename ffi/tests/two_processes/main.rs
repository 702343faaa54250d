//! Two processes of one device on one store, through the C interface: an app, and its notification extension. Both decrypt what
//! arrives, at the same time, while the app sends; either is killed at any moment.
//!
//! This program is their server and kills them with SIGKILL; `tests/c/worker.c` is what it kills. Two contacts, one in each
//! protocol, are plain accounts in this process. What they send goes to the app, to the extension, or to both, as a push and a
//! stream bring it; the extension never has a stream: it decrypts, and what is owed for it the app does later.
//!
//! At the end, every message stands exactly once in the app's log, whoever decrypted it; every message of the app has been
//! read exactly once; read from the wire, lost stanzas included, every message key has one ciphertext; and no call of
//! either process has ever failed, `OMEMO_STORE_LOCKED` included: a worker whose call fails says so and ends, and that is the
//! end of the test.
//!
//! `OMEMO_KILLS` says how many kills (40; 500 with `OMEMO_THOROUGH`), `OMEMO_SEED` repeats a run as far as timing allows.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says that it failed by panicking"
)]

#[path = "../cc/mod.rs"]
mod cc;
mod contact;
mod judge;
mod process;
mod world;

use std::env;

use omemo_tests::chance;

const KILLS: u64 = 40;
const MANY_KILLS: u64 = 500;

#[test]
fn two_processes_on_one_store_lose_nothing_and_reuse_nothing() {
    if !cc::there_is("cc") {
        return;
    }
    let usual = if env::var_os("OMEMO_THOROUGH").is_some() {
        MANY_KILLS
    } else {
        KILLS
    };
    let seed = number("OMEMO_SEED").unwrap_or_else(chance::seed);
    println!("OMEMO_SEED={seed}");
    let worker = cc::compile("worker", &["worker.c"], &[]);
    world::run(&worker, number("OMEMO_KILLS").unwrap_or(usual), seed);
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}
