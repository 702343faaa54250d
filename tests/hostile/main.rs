//! Random schedules of honest accounts, a malicious server between them, and malicious peers.
//!
//! `cargo xtask hostile --schedules 10000` runs this; `cargo test` holds a few schedules. Everything in a schedule follows from
//! its seed, and schedule number n of a run has the seed of the run plus n. One that breaks a rule is held again with fewer and
//! fewer moves, and what is left is printed with the command that holds it again.
//!
//! The rules are written down in [`observer`], [`strike`] and [`ending`], which read rows and wire for themselves:
//!
//! - no content is encrypted for a device that the policy does not allow and its account does not list, at that moment;
//! - no text leaves in the clear, no message key encrypts two things;
//! - nothing is shown as from an account that has not written it, in another chat, or twice;
//! - what is refused changes nothing; a key is never replaced, a list only by its own account's server;
//! - a published bundle holds 25 prekeys or more;
//! - a hostile session costs at most 256 kB of rows;
//! - in the end, when the server is honest again, everybody can talk to everybody;
//! - no call fails, nothing panics.
//!
//! [`controls`] break each of them on purpose, and have to be found out.
#![allow(unreachable_pub, reason = "a test program has no outside")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says that it failed by panicking"
)]

mod controls;
mod ending;
mod moves;
mod observer;
mod room;
mod rows;
mod run;
mod schedule;
mod server;
mod shape;
mod strike;
mod view;
mod villain;
mod world;

use std::env;
use std::process::ExitCode;
use std::time::Instant;

use omemo_tests::chance;

/// So many schedules a quick run holds.
const SCHEDULES: u64 = 24;

/// What was asked for.
struct Wish {
    schedules: u64,
    seed: u64,
    /// Only these moves of the one schedule.
    keep: Option<Vec<usize>>,
    names: Vec<String>,
}

impl Wish {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut wish = Self {
            schedules: SCHEDULES,
            seed: chance::seed(),
            keep: None,
            names: Vec::new(),
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || {
                let value = rest.next().cloned();
                value.ok_or_else(|| format!("{argument} wants a value"))
            };
            let number = |text: &str| {
                let parsed = text.parse::<u64>();
                parsed.map_err(|_| format!("{argument} wants numbers, not '{text}'"))
            };
            match argument.as_str() {
                "--schedules" => wish.schedules = number(&value()?)?,
                "--seed" => wish.seed = number(&value()?)?,
                "--keep" => {
                    let list = value()?;
                    let numbers = list.split(',').filter(|text| *text != "none");
                    let parsed: Result<Vec<u64>, String> = numbers.map(number).collect();
                    let parsed = parsed?.into_iter().map(usize::try_from);
                    wish.keep = parsed.collect::<Result<_, _>>().ok();
                }
                // Options of Rust's own test programs mean nothing here.
                option if option.starts_with('-') => {}
                name => wish.names.push(name.to_owned()),
            }
        }
        Ok(wish)
    }

    fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|part| name.contains(part.as_str()))
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let controls = controls::ALL;
    if arguments.iter().any(|argument| argument == "--list") {
        println!("{}: test", run::NAME);
        controls
            .iter()
            .for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let wish = match Wish::parse(&arguments) {
        Ok(wish) => wish,
        Err(mistake) => {
            println!("{mistake}");
            return ExitCode::FAILURE;
        }
    };
    let started = Instant::now();
    run::watch_panics();
    let (mut passed, mut failed) = (0, 0);
    let mut count = |name: &str, ok: bool| {
        println!("test {name} ... {}", if ok { "ok" } else { "FAILED" });
        *(if ok { &mut passed } else { &mut failed }) += 1;
    };
    if wish.keep.is_none() {
        for (name, control) in controls {
            if wish.wants(name) {
                count(name, control());
            }
        }
    }
    if wish.wants(run::NAME) {
        count(
            run::NAME,
            run::schedules(wish.seed, wish.schedules, wish.keep.as_deref()),
        );
    }
    println!(
        "\ntest result: {}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out; finished in {:.2}s",
        if failed == 0 { "ok" } else { "FAILED" },
        started.elapsed().as_secs_f64(),
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
