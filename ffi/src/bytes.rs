//! Bytes that a call gives out.

use zeroize::Zeroizing;

use crate::panic;
use crate::ptr::{self, Place};

/// Bytes of any value. They are wiped when they are freed.
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_bytes(Zeroizing<Vec<u8>>);

impl omemo_bytes {
    pub(crate) fn give(bytes: Zeroizing<Vec<u8>>, place: Place<*mut Self>) {
        place.give(Self(bytes));
    }
}

/// They may be a file's.
impl std::fmt::Debug for omemo_bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(bytes) = self;
        write!(f, "omemo_bytes({})", bytes.len())
    }
}

/// Where the bytes stand; NULL for NULL. They live as long as the object. Where there are none, nothing may be read there.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_bytes_data(bytes: *const omemo_bytes) -> *const u8 {
    panic::asked(std::ptr::null(), || Ok(ptr::borrow(bytes)?.0.as_ptr()))
}

/// How many bytes there are; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_bytes_length(bytes: *const omemo_bytes) -> usize {
    panic::asked(0, || Ok(ptr::borrow(bytes)?.0.len()))
}

/// Frees bytes, wipes them, and sets the caller's pointer to NULL. NULL, and a pointer to NULL, are harmless.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_bytes_free(bytes: *mut *mut omemo_bytes) {
    panic::asked((), || {
        drop(ptr::take(bytes));
        Ok(())
    });
}
