//! What the core takes from outside: the time and randomness.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use omemo_ratchet::{Randomness, SystemRandomness};

use crate::anchor::Anchor;

/// A moment, in whole seconds since 1970-01-01T00:00:00Z. Clocks go back; nothing here assumes
/// that they do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A moment from seconds since 1970.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// Later by this long, rounded down to seconds.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(wait.as_secs()).unwrap_or(i64::MAX)),
        )
    }

    /// How long ago `earlier` was; zero when the clock went back.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// The clock and the source of randomness of an account, and perhaps an anchor, given at opening so that a year runs in
/// a test in seconds and a conversation can be replayed.
pub struct Environment {
    now: Box<dyn Fn() -> Timestamp + Send>,
    randomness: Box<dyn Randomness + Send>,
    anchor: Option<Box<dyn Anchor + Send>>,
}

impl Environment {
    /// The operating system's clock and randomness: what every application uses.
    #[must_use]
    pub fn system() -> Self {
        Self::new(system_time, SystemRandomness)
    }

    /// A clock and a source of randomness of the caller's, for tests and simulations. Weak
    /// randomness breaks every promise of this library.
    #[must_use]
    pub fn new(
        now: impl Fn() -> Timestamp + Send + 'static,
        randomness: impl Randomness + Send + 'static,
    ) -> Self {
        Self {
            now: Box::new(now),
            randomness: Box::new(randomness),
            anchor: None,
        }
    }

    /// The same with an anchor: a store that was put back to an older state is noticed when it is
    /// opened. Every handle on one store needs the same anchor.
    #[must_use]
    pub fn with_anchor(mut self, anchor: impl Anchor + Send + 'static) -> Self {
        self.anchor = Some(Box::new(anchor));
        self
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    pub(crate) fn anchor(&mut self) -> Option<&mut (dyn Anchor + Send + 'static)> {
        self.anchor.as_deref_mut()
    }

    /// Both at once.
    pub(crate) fn parts(
        &mut self,
    ) -> (
        &mut dyn Randomness,
        Option<&mut (dyn Anchor + Send + 'static)>,
    ) {
        (&mut *self.randomness, self.anchor.as_deref_mut())
    }

    pub(crate) fn randomness(&mut self) -> &mut dyn Randomness {
        &mut *self.randomness
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

fn system_time() -> Timestamp {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    Timestamp(i64::try_from(seconds).unwrap_or(i64::MAX))
}
