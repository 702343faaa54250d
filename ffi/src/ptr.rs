//! Pointers from C become references, and values become pointers for C. Nothing else in this crate touches one.
//!
//! C may use an object on several threads at once and free it on another one than it was made on, so that only types that are
//! `Sync` are borrowed here, and only types that are `Send` are given away and taken back: a field that is neither does not
//! compile.

use std::ffi::{CStr, c_char};

use crate::status::{Failure, omemo_status};

/// What a pointer that was handed in points to.
pub(crate) fn borrow<'a, T: Sync>(pointer: *const T) -> Result<&'a T, Failure> {
    // SAFETY: whoever calls this library promises that a pointer that is not NULL points to a living object of its
    // type, made by this library, and that nobody frees it during the call. Objects with an inside that changes
    // guard it themselves.
    unsafe { pointer.as_ref() }.ok_or_else(|| omemo_status::OMEMO_NULL.into())
}

/// What a pointer that was handed in points to; `None` for NULL.
pub(crate) fn optional<'a, T: Sync>(pointer: *const T) -> Option<&'a T> {
    // SAFETY: as in `borrow`.
    unsafe { pointer.as_ref() }
}

/// A text that was handed in: UTF-8, ended by a zero byte.
pub(crate) fn text<'a>(pointer: *const c_char) -> Result<&'a str, Failure> {
    if pointer.is_null() {
        return Err(omemo_status::OMEMO_NULL.into());
    }
    // SAFETY: it is not NULL, and the caller promises that a text ends with a zero byte and stays as it is during
    // the call.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str()
        .map_err(|_| omemo_status::OMEMO_NOT_UTF8.into())
}

/// A text that may be left out.
pub(crate) fn optional_text<'a>(pointer: *const c_char) -> Result<Option<&'a str>, Failure> {
    if pointer.is_null() {
        Ok(None)
    } else {
        text(pointer).map(Some)
    }
}

/// Several values side by side.
pub(crate) fn items<'a, T: Copy>(pointer: *const T, count: usize) -> Result<&'a [T], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    let bytes = count.checked_mul(size_of::<T>());
    let possible = bytes.is_some_and(|bytes| isize::try_from(bytes).is_ok());
    if pointer.is_null() || !pointer.is_aligned() || !possible {
        return Err(omemo_status::OMEMO_NULL.into());
    }
    // SAFETY: it is not NULL, aligned, not longer than an object can be, and the caller promises that so many values
    // stand there and stay as they are during the call.
    Ok(unsafe { std::slice::from_raw_parts(pointer, count) })
}

/// Where a call puts what it makes. It is written once, at the end of a call that went well.
#[derive(Debug)]
pub(crate) struct Place<T>(*mut T);

impl<T> Place<T> {
    /// A place that was handed in.
    pub(crate) fn new(pointer: *mut T) -> Result<Self, Failure> {
        if pointer.is_null() {
            Err(omemo_status::OMEMO_NULL.into())
        } else {
            Ok(Self(pointer))
        }
    }

    /// Puts a value there.
    pub(crate) fn put(self, value: T) {
        // SAFETY: it is not NULL, and the caller promises that a value of this type may be written there. What stood
        // there belongs to the caller and is not looked at.
        unsafe { self.0.write(value) }
    }
}

impl<T: Send> Place<*mut T> {
    /// Gives an object away, to be freed by its own function.
    pub(crate) fn give(self, object: T) {
        self.put(Box::into_raw(Box::new(object)));
    }
}

/// Takes an object back to free it, and leaves NULL in its place, so that freeing twice is harmless.
pub(crate) fn take<T: Send>(place: *mut *mut T) -> Option<Box<T>> {
    if place.is_null() {
        return None;
    }
    // SAFETY: it is not NULL, and the caller promises that a pointer stands there that is NULL or was given away by this
    // library, and that nobody else uses the object any more.
    unsafe {
        let object = place.replace(std::ptr::null_mut());
        (!object.is_null()).then(|| Box::from_raw(object))
    }
}

/// Copies a text and a zero byte into a buffer of that size: as many whole characters as fit.
pub(crate) fn copy_text(text: &[u8], buffer: *mut c_char, size: usize) {
    let Some(room) = size.checked_sub(1).filter(|_| !buffer.is_null()) else {
        return;
    };
    // The byte after the end begins a character, so that what was copied is UTF-8.
    let begins = |at: &usize| text.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80);
    let length = (0..=text.len().min(room)).rev().find(begins).unwrap_or(0);
    // SAFETY: the buffer is not NULL, and the caller promises that it has `size` bytes that may be written; at most that
    // many are, the zero byte among them. A text of ours does not lie in a buffer of the caller's.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr().cast(), buffer, length);
        buffer.add(length).write(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(text: &str, size: usize) -> Vec<u8> {
        let mut buffer: [c_char; 8] = [0x7f; 8];
        copy_text(text.as_bytes(), buffer.as_mut_ptr(), size);
        buffer.map(|byte| byte.to_ne_bytes()[0]).to_vec()
    }

    #[test]
    fn a23_a_text_that_does_not_fit_ends_after_a_whole_character() {
        assert_eq!(copied("abc", 0), *b"\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f");
        assert_eq!(copied("abc", 1), *b"\0\x7f\x7f\x7f\x7f\x7f\x7f\x7f");
        assert_eq!(copied("abc", 3), *b"ab\0\x7f\x7f\x7f\x7f\x7f");
        assert_eq!(copied("abc", 8), *b"abc\0\x7f\x7f\x7f\x7f");
        // An euro sign has three bytes.
        for size in 2..=4 {
            let cut = copied("a\u{20ac}b", size);
            assert_eq!(cut, *b"a\0\x7f\x7f\x7f\x7f\x7f\x7f", "{size}");
        }
        assert_eq!(copied("a\u{20ac}b", 5), *b"a\xe2\x82\xac\0\x7f\x7f\x7f");
        copy_text(b"abc", std::ptr::null_mut(), 8);
    }

    #[test]
    fn a23_an_array_that_cannot_be_is_refused_before_it_is_looked_at() {
        let numbers = [1_u64, 2];
        let first = numbers.as_ptr();
        assert_eq!(items(first, 2).unwrap(), numbers);
        assert!(items(std::ptr::null::<u64>(), 0).unwrap().is_empty());
        assert!(items(std::ptr::null::<u64>(), 1).is_err());
        assert!(items(first, usize::MAX).is_err());
        assert!(items(first, usize::MAX / 8).is_err());
        assert!(items(first.wrapping_byte_add(1), 1).is_err());
    }
}
