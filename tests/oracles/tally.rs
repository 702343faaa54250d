//! What was done, in numbers.

use std::ops::AddAssign;

/// Counts of one conversation, or of many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) conversations: usize,
    /// Messages that arrived: at the oracle, at our side.
    pub(crate) arrived: [usize; 2],
    pub(crate) key_exchanges: usize,
    pub(crate) reordered: usize,
    /// Arrived after a message of a newer chain.
    pub(crate) late: usize,
    pub(crate) lost: usize,
    pub(crate) duplicates: usize,
    pub(crate) forged: usize,
    pub(crate) restarts: usize,
    pub(crate) failures: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.conversations += other.conversations;
        for (sum, more) in self.arrived.iter_mut().zip(other.arrived) {
            *sum += more;
        }
        self.key_exchanges += other.key_exchanges;
        self.reordered += other.reordered;
        self.late += other.late;
        self.lost += other.lost;
        self.duplicates += other.duplicates;
        self.forged += other.forged;
        self.restarts += other.restarts;
        self.failures += other.failures;
    }
}

/// The head of a table whose rows are [`Tally::row`].
pub(crate) fn head() -> String {
    format!(
        "| {:<26} | {:>6} | {:>8} | {:>8} | {:>5} | {:>9} | {:>6} | {:>6} | {:>10} | {:>6} | {:>8} | {:>8} |",
        "oracle",
        "talks",
        "to it",
        "to us",
        "kex",
        "reordered",
        "late",
        "lost",
        "duplicates",
        "forged",
        "restarts",
        "failures"
    )
}

impl Tally {
    pub(crate) fn row(&self, title: &str) -> String {
        let [to_it, to_us] = self.arrived;
        format!(
            "| {title:<26} | {:>6} | {to_it:>8} | {to_us:>8} | {:>5} | {:>9} | {:>6} | {:>6} | {:>10} | {:>6} | {:>8} | {:>8} |",
            self.conversations,
            self.key_exchanges,
            self.reordered,
            self.late,
            self.lost,
            self.duplicates,
            self.forged,
            self.restarts,
            self.failures
        )
    }
}
