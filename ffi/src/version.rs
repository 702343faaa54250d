//! Which version this is.

use std::ffi::{CStr, c_char};

const VERSION: &CStr = {
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    }
};

/// The version of the library that is running, as `"1.2.3"`. Functions are only added, and none changes its meaning, as long as
/// the shared library keeps the number in its name. It lives for ever and is not freed. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_version() -> *const c_char {
    VERSION.as_ptr()
}
