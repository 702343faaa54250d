//! What happened in the year, for people.

use std::time::Duration;

/// Counts of everything that a year is about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    pub messages: usize,
    /// Readings: a message counts once a device that has shown it.
    pub read: usize,
    pub bundles: usize,
    pub rotations: usize,
    pub key_exchanges: usize,
    /// Messages without content: answers to key exchanges, and heartbeats.
    pub empty: usize,
    /// Empty messages while the longest chain between the two was long enough for a heartbeat.
    pub heartbeats: usize,
    pub restarts: usize,
    pub catch_ups: usize,
    /// Messages that a device did not get because it had been silent for so long.
    pub stale: usize,
    /// Messages that it has read after it came back.
    pub read_again: usize,
    pub checks: usize,
    /// The longest sending chain to a device that is always awake.
    pub longest_chain: u32,
    /// The oldest secret of a signed prekey, in days since its successor was published.
    pub oldest_signed: i64,
    /// The oldest secret of a prekey, in days since it was used.
    pub oldest_used: i64,
}

impl Totals {
    pub fn print(&self, took: Duration) {
        let Self {
            messages,
            read,
            bundles,
            rotations,
            key_exchanges,
            empty,
            heartbeats,
            restarts,
            catch_ups,
            stale,
            read_again,
            checks,
            longest_chain,
            oldest_signed,
            oldest_used,
        } = self;
        println!("| 365 days, 5 accounts, 12 devices | |");
        println!("| --- | --- |");
        println!("| messages written, and read by devices | {messages}, {read} |");
        println!("| bundles published, of them rotations | {bundles}, {rotations} |");
        println!("| key exchanges begun | {key_exchanges} |");
        println!("| messages without content, of them heartbeats | {empty}, {heartbeats} |");
        println!("| restarts, catch-ups | {restarts}, {catch_ups} |");
        println!(
            "| times a stale device was left out; messages that it read when it was back | {stale}, {read_again} |"
        );
        println!("| stores looked through | {checks} |");
        println!("| longest sending chain to a device that is always awake | {longest_chain} |");
        println!(
            "| oldest replaced signed prekey, oldest used prekey | {oldest_signed} days, {oldest_used} days |"
        );
        println!("| took | {:.1} s |", took.as_secs_f64());
    }
}
