//! How long to wait before trying again.

use std::time::Duration;

use omemo::{Randomness, Role, SystemRandomness};

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// Doubling waits, each shortened at random by up to a half, so that a restarted server does not
/// meet all its clients at once.
#[derive(Debug)]
pub(crate) struct Backoff {
    wait: Duration,
}

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self { wait: FIRST }
    }

    /// How long to wait now.
    pub(crate) fn next(&mut self) -> Duration {
        let wait = self.wait;
        self.wait = (wait * 2).min(LONGEST);
        let mut dice = [0; 1];
        // Without randomness the wait is merely not spread.
        SystemRandomness.fill(Role::Handle, &mut dice).ok();
        wait - wait / 512 * u32::from(dice[0])
    }

    /// It went well.
    pub(crate) const fn reset(&mut self) {
        self.wait = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute() {
        let mut backoff = Backoff::new();
        for full in [1, 2, 4, 8, 16, 32, 60, 60] {
            let full = Duration::from_secs(full);
            let wait = backoff.next();
            assert!(wait <= full && wait >= full / 2, "{wait:?} of {full:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
