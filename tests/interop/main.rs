//! The same conversation over real servers, and with foreign clients.
//!
//! `cargo xtask interop [NAME...]` installs what is needed and runs this. Without OMEMO_INTEROP in the environment it runs
//! nothing, so that `cargo test` needs no servers; with OMEMO_STRICT, a test that cannot run counts as failed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says that it failed by panicking"
)]

mod c_bot;
mod conversation;
mod devices;
mod ejabberd;
mod experiment;
mod failures;
mod foreign;
mod life;
mod restarts;
mod restores;
mod rooms;
mod verification;
mod wire;

use std::env;
use std::process::ExitCode;
use std::time::Instant;

use omemo_tests::lab::{self, Lab};
use omemo_tests::scenario::{Outcome, Scenario, run_all};

/// Run unless names say otherwise.
const SCENARIOS: &[&[Scenario]] = &[
    c_bot::SCENARIOS,
    foreign::SCENARIOS,
    restarts::SCENARIOS,
    rooms::SCENARIOS,
    devices::SCENARIOS,
    conversation::SCENARIOS,
    ejabberd::SCENARIOS,
    failures::SCENARIOS,
    life::SCENARIOS,
    restores::SCENARIOS,
    verification::SCENARIOS,
];

/// Run only by name: they answer a question rather than test our code.
const EXPERIMENTS: &[&[Scenario]] = &[experiment::EXPERIMENTS];

/// Scenarios mostly wait for messages, so that more of them run than there are cores.
const AT_A_TIME: usize = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // Options of Rust's own test programs mean nothing here.
    let (options, names): (Vec<_>, Vec<_>) = arguments
        .iter()
        .partition(|argument| argument.starts_with('-'));
    let wanted = chosen(&names);
    if options.iter().any(|option| *option == "--list") {
        for scenario in wanted {
            println!("{}: test", scenario.name);
        }
        return ExitCode::SUCCESS;
    }
    if env::var_os("OMEMO_INTEROP").is_none() {
        println!("NOT RUN: the end-to-end tests start servers. `cargo xtask interop` runs them.");
        return report(
            Outcome {
                skipped: wanted.len(),
                ..Outcome::default()
            },
            Instant::now(),
            false,
        );
    }
    let strict = env::var_os("OMEMO_STRICT").is_some();
    if wanted.is_empty() {
        println!("no end-to-end test has a name with any of: {names:?}");
        return ExitCode::FAILURE;
    }
    let started = Instant::now();
    if let Some(reason) = lab::lacking() {
        println!("SKIPPED, all {} end-to-end tests: {reason}", wanted.len());
        return report(
            Outcome {
                skipped: wanted.len(),
                ..Outcome::default()
            },
            started,
            strict,
        );
    }
    let keep = options.iter().any(|option| *option == "--keep");
    println!("running {} end-to-end tests", wanted.len());
    let lab = Lab::start(keep);
    if keep {
        println!(
            "the servers' and clients' files stay in {}",
            lab.root().display()
        );
    }
    let mut outcome = run_all(&lab, &wanted, AT_A_TIME);
    let last: Vec<_> = wire::LAST.iter().collect();
    outcome += run_all(&lab, &last, 1);
    report(outcome, started, strict)
}

fn chosen(names: &[&String]) -> Vec<&'static Scenario> {
    let all = SCENARIOS.iter().copied().flatten();
    if names.is_empty() {
        return all.collect();
    }
    all.chain(EXPERIMENTS.iter().copied().flatten())
        .filter(|scenario| {
            names
                .iter()
                .any(|name| scenario.name.contains(name.as_str()))
        })
        .collect()
}

fn report(outcome: Outcome, started: Instant, strict: bool) -> ExitCode {
    let Outcome {
        passed,
        failed,
        skipped,
    } = outcome;
    let ok = failed == 0 && !(strict && skipped > 0);
    if strict && skipped > 0 {
        println!("{skipped} tests could not run, which --strict forbids");
    }
    println!(
        "\ntest result: {}. {passed} passed; {failed} failed; {skipped} ignored; 0 measured; 0 filtered out; finished in {:.2}s",
        if ok { "ok" } else { "FAILED" },
        started.elapsed().as_secs_f64(),
    );
    if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
