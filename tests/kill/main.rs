//! Processes that are killed at any moment lose no message and use no message key twice.
//!
//! Three processes talk over SQLite stores: a sender that speaks both protocols, and two devices of the recipient that
//! speak one each, so that every message leaves as two stanzas; the recipient's devices write back, so that the ratchets turn.
//! This program is their server: it keeps what they publish, and delivers a message again until the receiving process
//! has said that it was handled. It kills one process after another with SIGKILL, some while they start, some in the middle of
//! everything, and loses what was on its way at that moment, or not.
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

mod chance;
mod run;
mod server;
mod worker;

use std::env;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Instant;

const NAME: &str = "killed_processes_lose_nothing_and_reuse_nothing";

const KILLS: u32 = 200;

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
    if arguments.iter().any(|argument| argument == "--list") {
        println!("{NAME}: test");
        return ExitCode::SUCCESS;
    }
    if !names.is_empty() && !names.iter().any(|name| NAME.contains(name.as_str())) {
        println!(
            "\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.00s"
        );
        return ExitCode::SUCCESS;
    }
    let started = Instant::now();
    let kills = number("OMEMO_KILLS")
        .and_then(|kills| u32::try_from(kills).ok())
        .unwrap_or(KILLS);
    let seed = number("OMEMO_SEED").unwrap_or_else(chance::seed);
    println!("{kills} kills, OMEMO_SEED={seed}");
    let passed = catch_unwind(|| run::run(kills, seed)).is_ok();
    let (word, result) = if passed {
        ("ok", "ok. 1 passed; 0 failed")
    } else {
        ("FAILED", "FAILED. 0 passed; 1 failed")
    };
    println!("test {NAME} ... {word}");
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "\ntest result: {result}; 0 ignored; 0 measured; 0 filtered out; finished in {seconds:.2}s"
    );
    if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}
