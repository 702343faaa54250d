//! How long to wait before calling it a failure: no test may hang.

use std::time::{Duration, Instant};

/// For anything that a healthy machine does in a second or two. Machines of a CI are neither healthy nor alone.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often to look again where nothing can tell us.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks until `look` finds something, and says whether it did.
pub fn wait_for<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() > end {
            return None;
        }
        std::thread::sleep(PAUSE);
    }
}
