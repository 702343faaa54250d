//! Texts that C reads: they end with a zero byte, live as long as the object that holds them, and are wiped with it.

use std::ffi::{CString, c_char};
use std::ptr;

use zeroize::{Zeroize, Zeroizing};

/// A text for C.
#[derive(PartialEq, Eq)]
pub(crate) struct Text(CString);

impl Text {
    /// A text without zero bytes; what XMPP carries has none, and others lose what follows one.
    pub(crate) fn new(text: impl Into<Vec<u8>>) -> Self {
        let source = Zeroizing::new(text.into());
        let text = source.split(|byte| *byte == 0).next().unwrap_or_default();
        // Room for the zero byte from the start: a buffer that grows leaves behind what it held.
        let mut bytes = Vec::with_capacity(text.len().saturating_add(1));
        bytes.extend_from_slice(text);
        bytes.push(0);
        // It has one zero byte, the last.
        Self(CString::from_vec_with_nul(bytes).unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a23_a_text_ends_at_its_first_zero_byte() {
        for (given, kept) in [("", ""), ("abc", "abc"), ("a\0c", "a"), ("\0", "")] {
            assert_eq!(Text::new(given).as_bytes(), kept.as_bytes());
        }
        assert!(pointer(None).is_null());
    }
}
