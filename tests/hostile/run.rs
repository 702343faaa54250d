//! Holds schedules on all processors, adds up what they saw, and makes those that break a rule small.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::ending::Ending;
use crate::observer::Counts;
use crate::rows::Sizes;
use crate::schedule::Schedule;

pub const NAME: &str = "nothing_leaks_whatever_servers_and_peers_do";
/// Violations that are shown.
const SHOWN: usize = 3;
/// How often to say how far it is.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);
/// How long to look for a smaller schedule.
const SHRINKING: Duration = Duration::from_secs(20);

thread_local! {
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Panics are kept for the report instead of being printed: while a schedule is made small there are many.
pub fn watch_panics() {
    panic::set_hook(Box::new(|info| {
        LAST_PANIC.with(|last| *last.borrow_mut() = info.to_string());
    }));
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    schedules: usize,
    moves: usize,
    counts: Counts,
    ending: Ending,
    events: BTreeMap<String, usize>,
}

/// Holds one schedule; `Err` is the rule that it breaks.
pub fn hold(schedule: &Schedule) -> Result<Tally, String> {
    attempt(|| {
        let mut world = schedule.opening();
        for step in &schedule.steps {
            step.what.make(&mut world, step.seed);
        }
        let ending = world.end();
        let mut events = BTreeMap::new();
        for device in &world.devices {
            for (name, number) in &device.events {
                *events.entry(name.clone()).or_default() += number;
            }
        }
        Tally {
            schedules: 1,
            moves: schedule.steps.len(),
            counts: world.observer.counts,
            ending,
            events,
        }
    })
}

/// Does something that may panic; `Err` says with what.
pub fn attempt<R>(what: impl FnOnce() -> R) -> Result<R, String> {
    panic::catch_unwind(AssertUnwindSafe(what))
        .map_err(|_| LAST_PANIC.with(|last| last.borrow().clone()))
}

/// Holds so many; whether none has broken a rule.
pub fn schedules(seed: u64, number: u64, keep: Option<&[usize]>) -> bool {
    let started = Instant::now();
    println!("seed {seed}");
    let next = AtomicU64::new(0);
    let all = Mutex::new((Tally::default(), Vec::new(), Instant::now()));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= number {
                        return;
                    }
                    let whole = Schedule::new(seed.wrapping_add(n));
                    let schedule = keep.map_or(whole.clone(), |keep| whole.only(keep));
                    let held = hold(&schedule);
                    let mut all = all.lock().unwrap();
                    match held {
                        Ok(tally) => all.0.add(tally),
                        Err(broken) => all.1.push((schedule, broken)),
                    }
                    if all.2.elapsed() > SIGN_OF_LIFE {
                        all.2 = Instant::now();
                        println!("progress: {} of {number} schedules", n + 1);
                    }
                }
            });
        }
    });
    let (tally, mut broken, _) = all.into_inner().unwrap();
    broken.sort_by_key(|(schedule, _)| schedule.seed);
    for (schedule, rule) in broken.iter().take(SHOWN) {
        println!("VIOLATION in schedule {}: {rule}", schedule.seed);
        let (small, rule) = if keep.is_some() {
            (schedule.clone(), rule.clone())
        } else {
            shrink(schedule, rule)
        };
        println!(
            "made small, it is {} moves: {rule}\n{small}",
            small.steps.len()
        );
    }
    let seeds: Vec<_> = broken.iter().map(|(schedule, _)| schedule.seed).collect();
    if broken.len() > SHOWN {
        println!("all schedules with violations: {seeds:?}");
    }
    tally.print(broken.len(), started.elapsed());
    broken.is_empty() && (tally.is_something() || keep.is_some())
}

/// The word before the colon: which rule.
fn name(rule: &str) -> &str {
    let sentence = rule.lines().last().unwrap_or_default();
    let sentence = rule
        .lines()
        .find(|line| line.contains(": "))
        .unwrap_or(sentence);
    sentence.split(": ").next().unwrap_or_default()
}

/// Leaves out moves as long as the same rule is broken.
fn shrink(schedule: &Schedule, rule: &str) -> (Schedule, String) {
    let started = Instant::now();
    let (mut small, mut why) = (schedule.clone(), rule.to_owned());
    let mut chunk = small.steps.len().div_ceil(2);
    while chunk > 0 && started.elapsed() < SHRINKING {
        let mut start = 0;
        while start < small.steps.len() && started.elapsed() < SHRINKING {
            let mut numbers = small.numbers();
            let end = (start + chunk).min(numbers.len());
            numbers.drain(start..end);
            let smaller = small.only(&numbers);
            match hold(&smaller) {
                Err(broken) if name(&broken) == name(rule) => (small, why) = (smaller, broken),
                _ => start += chunk,
            }
        }
        chunk /= 2;
    }
    (small, why)
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.moves += other.moves;
        self.counts.add(other.counts);
        self.ending.sizes = self.ending.sizes.most(other.ending.sizes);
        self.ending.pinned += other.ending.pinned;
        self.ending.replaced += other.ending.replaced;
        for (name, number) in other.events {
            *self.events.entry(name).or_default() += number;
        }
    }

    /// A run that has seen nothing has shown nothing.
    fn is_something(&self) -> bool {
        let Counts {
            content_keys,
            stanzas,
            bundles,
            shown,
            refused,
            ..
        } = self.counts;
        [content_keys, stanzas, bundles, shown, refused]
            .iter()
            .all(|count| *count > 0)
    }

    fn print(&self, violations: usize, took: Duration) {
        let Counts {
            content_keys,
            stanzas,
            bundles,
            shown,
            foreign_shown,
            refused,
        } = self.counts;
        let Sizes {
            largest, skipped, ..
        } = self.ending.sizes;
        println!(
            "| schedules | moves | stanzas sent | content keys checked | messages shown | of villains | refused, rows compared | bundles checked |"
        );
        println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
        println!(
            "| {} | {} | {stanzas} | {content_keys} | {shown} | {foreign_shown} | {refused} | {bundles} |",
            self.schedules, self.moves
        );
        println!(
            "| largest session: {largest} bytes with {skipped} skipped keys | pairs that a false key under a true id keeps apart: {}; that had to make sessions anew: {} |",
            self.ending.pinned, self.ending.replaced
        );
        let events: Vec<_> = self
            .events
            .iter()
            .map(|(name, number)| format!("{number} {name}"))
            .collect();
        println!("| events: {} |", events.join(", "));
        println!("| {violations} violations in {:.1} s |", took.as_secs_f64());
    }
}
