//! A year of five accounts and twelve devices in seconds: signed prekeys rotate, prekeys are used and refilled, ratchets turn,
//! devices sleep for days or months and catch up, processes die and come back. No message is lost, and no key is kept longer
//! than its rule allows.
//!
//! The clock is the network's, and a device is woken when the library asked for it. Everything follows from `OMEMO_SEED`.
#![allow(unreachable_pub, reason = "a test program has no outside")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says that it failed by panicking"
)]

mod keys;
mod life;
mod totals;

use std::env;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Instant;

use omemo_tests::chance;

const NAME: &str = "a_year_loses_no_message_and_keeps_no_key_too_long";
/// The same year every time, unless somebody asks for another one.
const SEED: u64 = 20_260_101;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        println!("{NAME}: test");
        return ExitCode::SUCCESS;
    }
    let names: Vec<_> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let wanted = names.is_empty() || names.iter().any(|part| NAME.contains(part.as_str()));
    let seed = match env::var("OMEMO_SEED").ok().as_deref() {
        Some("random") => chance::seed(),
        Some(text) => text.parse().expect("OMEMO_SEED is a number, or random"),
        None => SEED,
    };
    let started = Instant::now();
    let mut failed = 0;
    if wanted {
        println!("OMEMO_SEED={seed}");
        let outcome = catch_unwind(|| life::Year::new(seed).pass());
        failed = usize::from(outcome.is_err());
        if let Ok(totals) = outcome {
            totals.print(started.elapsed());
        }
        println!(
            "test {NAME} ... {}",
            if failed == 0 { "ok" } else { "FAILED" }
        );
    }
    println!(
        "\ntest result: {}. {} passed; {failed} failed; 0 ignored; 0 measured; {} filtered out; finished in {:.2}s",
        if failed == 0 { "ok" } else { "FAILED" },
        usize::from(wanted) - failed,
        usize::from(!wanted),
        started.elapsed().as_secs_f64(),
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
