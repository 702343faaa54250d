//! Texts that C reads: they end with a zero byte, live as long as the object that holds them, and are wiped with it.

use std::ffi::{CString, c_char};
use std::ptr;

use zeroize::Zeroize;

/// A text for C.
#[derive(PartialEq, Eq)]
pub(crate) struct Text(CString);

impl Text {
    /// A text without zero bytes; what XMPP carries has none, and others lose what follows one.
    pub(crate) fn new(text: impl Into<Vec<u8>>) -> Self {
        let mut bytes = text.into();
        if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
            bytes.truncate(end);
        }
        Self(CString::new(bytes).unwrap_or_default())
    }

    pub(crate) fn as_ptr(&self) -> *const c_char {
        self.0.as_ptr()
    }

    /// Its bytes, without the zero byte.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        std::mem::take(&mut self.0).into_bytes().zeroize();
    }
}

/// No text may show up in a log.
impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(_) = self;
        f.write_str("Text")
    }
}

/// A text that may be missing.
pub(crate) fn pointer(text: Option<&Text>) -> *const c_char {
    text.map_or(ptr::null(), Text::as_ptr)
}
