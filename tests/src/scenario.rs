//! Runs named scenarios against one lab, and says how they went in the words of Rust's own test programs.

use std::any::Any;
use std::ops::AddAssign;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::lab::Lab;

/// A named test that needs a lab.
pub struct Scenario {
    /// What it shows.
    pub name: &'static str,
    /// Fails by panicking.
    pub run: fn(&Lab),
    /// Why it cannot run here, if it cannot.
    pub lacking: fn() -> Option<String>,
}

/// What became of the scenarios.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// How many could not run here.
    pub skipped: usize,
}

impl AddAssign for Outcome {
    fn add_assign(&mut self, more: Self) {
        self.passed += more.passed;
        self.failed += more.failed;
        self.skipped += more.skipped;
    }
}

/// Runs scenarios, a few at a time: they mostly wait for each other's messages. Each has accounts of its own.
#[must_use]
pub fn run_all(lab: &Lab, scenarios: &[&Scenario], at_a_time: usize) -> Outcome {
    let next = AtomicUsize::new(0);
    let outcome = Mutex::new(Outcome::default());
    thread::scope(|scope| {
        for _ in 0..at_a_time.max(1) {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let started = Instant::now();
                    let verdict = judge(scenario, lab);
                    let seconds = started.elapsed().as_secs_f64();
                    let mut outcome = outcome.lock().expect("no scenario holds this lock");
                    match verdict {
                        Verdict::Passed => {
                            outcome.passed += 1;
                            println!("test {} ... ok ({seconds:.1} s)", scenario.name);
                        }
                        Verdict::Skipped(reason) => {
                            outcome.skipped += 1;
                            println!("test {} ... SKIPPED: {reason}", scenario.name);
                        }
                        Verdict::Failed(reason) => {
                            outcome.failed += 1;
                            println!(
                                "test {} ... FAILED ({seconds:.1} s)\n{reason}\n",
                                scenario.name
                            );
                        }
                    }
                }
            });
        }
    });
    outcome.into_inner().expect("no scenario holds this lock")
}

enum Verdict {
    Passed,
    Skipped(String),
    Failed(String),
}

fn judge(scenario: &Scenario, lab: &Lab) -> Verdict {
    if let Some(reason) = (scenario.lacking)() {
        return Verdict::Skipped(reason);
    }
    match catch_unwind(AssertUnwindSafe(|| (scenario.run)(lab))) {
        Ok(()) => Verdict::Passed,
        Err(panic) => Verdict::Failed(message(&*panic)),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
