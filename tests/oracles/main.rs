//! Random conversations between our library and others, behind the shim protocol (test-vectors/PROTOCOL.md).
//!
//! `cargo xtask oracles` installs and compiles what is needed and runs this. Without OMEMO_ORACLES in the environment, which
//! names the folder with the compiled shims, it runs nothing; with OMEMO_STRICT, an oracle that is lacking counts as failed.
//!
//! Secrets, sizes, losses, everything follows from a seed. Conversation number n of a run has the seed of the run plus n,
//! so that `--seed S --conversations 1` holds a single one again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says that it failed by panicking"
)]

mod conversation;
mod device;
mod oracle;
mod record;
mod tally;

use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use omemo_tests::chance;
use omemo_vectors::{Ours, Shim};

use crate::oracle::{ORACLES, Oracle};
use crate::tally::Tally;

const CONVERSATIONS: u64 = 1000;
/// How often to say how far it is.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// Failures that are shown of one oracle; a thousand times the same helps nobody.
const SHOWN: usize = 3;

/// What was asked for.
struct Wish {
    conversations: u64,
    seed: u64,
    only: Vec<String>,
    record: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        for oracle in ORACLES {
            println!("{}: test", oracle.title());
        }
        return ExitCode::SUCCESS;
    }
    if env::var_os("OMEMO_ORACLES").is_none() {
        println!("NOT RUN: oracles need programs of others. `cargo xtask oracles` runs them.");
        return report(Tally::default(), ORACLES.len(), Instant::now(), false);
    }
    let wish = match Wish::parse(&arguments) {
        Ok(wish) => wish,
        Err(mistake) => {
            println!("{mistake}");
            return ExitCode::FAILURE;
        }
    };
    let chosen: Vec<_> = ORACLES
        .iter()
        .filter(|oracle| {
            wish.only.is_empty() || wish.only.iter().any(|word| oracle.title().contains(word))
        })
        .collect();
    if chosen.is_empty() {
        println!("no oracle has a name with any of: {:?}", wish.only);
        return ExitCode::FAILURE;
    }
    run(&chosen, &wish)
}

impl Wish {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut wish = Self {
            conversations: CONVERSATIONS,
            seed: chance::seed(),
            only: Vec::new(),
            record: false,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || {
                let value = rest.next().cloned();
                value.ok_or_else(|| format!("{argument} wants a value"))
            };
            let number = |text: String| {
                let parsed = text.parse::<u64>();
                parsed.map_err(|_| format!("{argument} wants a number, not '{text}'"))
            };
            match argument.as_str() {
                "--conversations" => wish.conversations = number(value()?)?,
                "--seed" => wish.seed = number(value()?)?,
                "--only" => wish.only.push(value()?),
                "--record" => wish.record = true,
                // Options of Rust's own test programs mean nothing here.
                _ => {}
            }
        }
        Ok(wish)
    }
}

fn run(chosen: &[&Oracle], wish: &Wish) -> ExitCode {
    let started = Instant::now();
    let strict = env::var_os("OMEMO_STRICT").is_some();
    println!("seed {}", wish.seed);
    let (mut all, mut rows, mut skipped) = (Tally::default(), Vec::new(), 0);
    for oracle in chosen {
        let shim = oracle.command().and_then(|command| {
            let mut shim = Shim::start(&command).map_err(|broken| broken.to_string())?;
            let hello = shim.hello().map_err(|broken| broken.to_string())?;
            Ok((shim, command, format!("{} {}", hello.name, hello.version)))
        });
        let (shim, command, version) = match shim {
            Ok(started) => started,
            Err(reason) => {
                println!("{} SKIPPED: {reason}", oracle.title());
                skipped += 1;
                continue;
            }
        };
        println!("{}: {version}", oracle.title());
        let tally = if wish.record {
            record::record(oracle, shim, &version)
        } else {
            talk(oracle, shim, &command, wish)
        };
        rows.push(tally.row(&oracle.title()));
        all += tally;
    }
    println!("{}", tally::head());
    rows.iter().for_each(|row| println!("{row}"));
    report(all, skipped, started, strict)
}

/// All conversations with one oracle.
fn talk(oracle: &Oracle, mut shim: Shim, command: &str, wish: &Wish) -> Tally {
    let mut all = Tally::default();
    let mut ours = Ours::new();
    let mut last_sign = Instant::now();
    for number in 0..wish.conversations {
        let seed = wish.seed.wrapping_add(number);
        let held = conversation::hold(oracle, seed, &mut ours, &mut shim);
        all += held.tally;
        if let Some(wrong) = held.wrong {
            if all.failures <= SHOWN {
                println!("{} FAILED {wrong}", oracle.title());
                println!(
                    "  again: cargo xtask oracles --only {} --seed {seed} --conversations 1",
                    oracle.title()
                );
            }
            // Whatever state it is in, the next conversation begins with a new one.
            match Shim::start(command) {
                Ok(started) => shim = started,
                Err(broken) => {
                    println!("{} FAILED: {broken}", oracle.title());
                    break;
                }
            }
        }
        if last_sign.elapsed() > SIGN_OF_LIFE {
            last_sign = Instant::now();
            println!(
                "progress: {} of {} conversations with {}",
                number + 1,
                wish.conversations,
                oracle.title()
            );
        }
    }
    all
}

fn report(all: Tally, skipped: usize, started: Instant, strict: bool) -> ExitCode {
    let ok = all.failures == 0 && !(strict && skipped > 0);
    if strict && skipped > 0 {
        println!("{skipped} oracles are lacking, which --strict forbids");
    }
    println!(
        "\ntest result: {}. {} passed; {} failed; {skipped} ignored; 0 measured; 0 filtered out; finished in {:.2}s",
        if ok { "ok" } else { "FAILED" },
        all.conversations - all.failures,
        all.failures,
        started.elapsed().as_secs_f64(),
    );
    if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
