//! Processes that are killed at any moment lose no message and use no message key twice.
//!
//! Three processes talk over SQLite stores: a sender that speaks both protocols, and two devices of the recipient that
//! speak one each, so that every message leaves as two stanzas; the recipient's devices write back, so that the ratchets turn.
//! This program is their server: it keeps what they publish, and delivers a message again until the receiving process
//! has said that it was handled. It kills one process after another with SIGKILL, some while they start, some in the middle of
//! everything, and loses what was on its way at that moment, or not.
//!
//! Each of them has an anchor in a file, which no kill makes think that the store went back.
//!
//! The control does the same without one with a sender whose store is put back to an older state: then keys are used twice, and have to be
//! seen to be.
//!
//! At the end, every message stands exactly once in the log of every app that should have it; and read from the wire, lost
//! stanzas included, every (protocol, from, to, ratchet key, counter) has one ciphertext.
//!
//! `OMEMO_KILLS` says how many kills (200), `OMEMO_SEED` repeats a run as far as timing allows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says that it failed by panicking"
)]

mod run;
mod worker;

use std::env;
use std::panic::{catch_unwind, set_hook, take_hook};
use std::process::ExitCode;
use std::time::Instant;

use omemo_tests::chance;

use run::Disk;

const KILLS: u32 = 200;
/// The control is found out long before.
const CONTROL_KILLS: u32 = 30;

/// A test: its name, and what fails by panicking.
type Test = (&'static str, fn(u64));

const TESTS: [Test; 2] = [
    ("killed_processes_lose_nothing_and_reuse_nothing", |seed| {
        let kills = number("OMEMO_KILLS")
            .and_then(|kills| u32::try_from(kills).ok())
            .unwrap_or(KILLS);
        run::run(kills, seed, Disk::Keeps);
    }),
    ("control_a_store_that_is_put_back_reuses_keys", |seed| {
        // What it panics with is what we want to read, so nobody else needs to.
        let hook = take_hook();
        set_hook(Box::new(|_| {}));
        let outcome = catch_unwind(|| run::run(CONTROL_KILLS, seed, Disk::PutsBack));
        set_hook(hook);
        let panic = outcome.expect_err("keys were used twice, and nobody noticed");
        let message = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        assert!(
            message.contains("a message key was used twice"),
            "it failed, but for another reason: {message}"
        );
    }),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments
        .first()
        .is_some_and(|argument| argument == worker::ARGUMENT)
    {
        worker::work(&arguments[1..]);
        return ExitCode::SUCCESS;
    }
    // As Rust's own test programs do with names and options.
    let names: Vec<_> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let wanted =
        |name: &str| names.is_empty() || names.iter().any(|part| name.contains(part.as_str()));
    let tests: Vec<_> = TESTS.iter().filter(|(name, _)| wanted(name)).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        tests.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let started = Instant::now();
    let seed = number("OMEMO_SEED").unwrap_or_else(chance::seed);
    println!("OMEMO_SEED={seed}");
    let mut failed = 0;
    for (name, test) in &tests {
        let passed = catch_unwind(|| test(seed)).is_ok();
        failed += usize::from(!passed);
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
    }
    println!(
        "\ntest result: {}. {} passed; {failed} failed; 0 ignored; 0 measured; {} filtered out; finished in {:.2}s",
        if failed == 0 { "ok" } else { "FAILED" },
        tests.len() - failed,
        TESTS.len() - tests.len(),
        started.elapsed().as_secs_f64(),
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}
