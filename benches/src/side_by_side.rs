//! Two operations, measured in turns.
//!
//! Where other programs compete for the processor its speed changes from second to second, and a ratio of two figures that were
//! measured one after the other says little. Blocks in turns, each shorter than a time slice, meet the same conditions.

use std::time::{Duration, Instant};

/// How long a block should take: much more than reading the clock.
const BLOCK: Duration = Duration::from_micros(50);
/// How long two operations are compared.
const PATIENCE: Duration = Duration::from_secs(1);

/// Does something so many times and says how long that took.
pub type Block<'a> = &'a mut dyn FnMut(u32) -> Duration;

/// Times an operation that needs no preparation.
pub fn timed<R>(mut operation: impl FnMut() -> R) -> impl FnMut(u32) -> Duration {
    move |times| {
        let start = Instant::now();
        for _ in 0..times {
            std::hint::black_box(operation());
        }
        start.elapsed()
    }
}

/// How many times longer `operation` takes than `unit`: the median over all pairs of blocks.
pub fn ratio(operation: Block<'_>, unit: Block<'_>) -> f64 {
    let operations = block_size(operation);
    let units = block_size(unit);
    let mut ratios = Vec::new();
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let one = operation(operations).as_secs_f64() / f64::from(operations);
        let other = unit(units).as_secs_f64() / f64::from(units);
        ratios.push(one / other);
    }
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How many times fill a block.
fn block_size(block: Block<'_>) -> u32 {
    let mut times = 1;
    while block(times) < BLOCK && times < 10_000 {
        times *= 2;
    }
    times
}
