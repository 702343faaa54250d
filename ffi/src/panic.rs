//! The border that no panic crosses.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::status::{Failure, omemo_status};

/// Does the work of one call. A panic becomes a failure; the message of the panic has gone to the process's panic hook.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // What a panic leaves half done is thrown away: an account's handle refuses everything after one, and no other
    // object changes during a call.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|message| {
        forget(message);
        Err(omemo_status::OMEMO_PANIC.into())
    })
}

/// Drops what a panic carries: anything, which may panic in turn. What that carries stays in memory.
fn forget(message: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(message))) {
        std::mem::forget(again);
    }
}

/// The same for calls that only have a status.
pub(crate) fn status(work: impl FnOnce() -> Result<(), Failure>) -> omemo_status {
    match guarded(work) {
        Ok(()) => omemo_status::OMEMO_OK,
        Err(failure) => failure.status,
    }
}

/// The same for calls that ask an object for something and give `otherwise` where there is nothing.
pub(crate) fn asked<T>(otherwise: T, work: impl FnOnce() -> Result<T, Failure>) -> T {
    guarded(work).unwrap_or(otherwise)
}
