//! Encrypting files in pieces.

use std::ffi::c_char;
use std::sync::{Mutex, MutexGuard, PoisonError};

use omemo_files::{EncryptError, Encryptor, SealedFile};
use zeroize::Zeroizing;

use crate::bytes::omemo_bytes;
use crate::file::omemo_file;
use crate::last_error;
use crate::panic;
use crate::ptr::{self, Place};
use crate::status::{Failure, omemo_status};
use crate::value;

/// Encrypts one file under a new key of its own.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_file_encryptor(Mutex<State>);

#[derive(Debug)]
enum State {
    Open(Box<Encryptor>),
    Finished(Box<SealedFile>),
    /// A panic ended a call in the middle.
    Broken,
}

impl omemo_file_encryptor {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the encryptor out, so that a call that ends in the middle leaves none behind.
    fn take(state: &mut State) -> Result<Box<Encryptor>, Failure> {
        match std::mem::replace(state, State::Broken) {
            State::Open(encryptor) => Ok(encryptor),
            other => {
                *state = other;
                Err(omemo_status::OMEMO_FILE_ORDER.into())
            }
        }
    }
}

/// How many bytes the ciphertext of a file has, so how many to ask an upload slot for (XEP-0363).
///
/// `cipher`: one of `OMEMO_CIPHER_...`. `size`: the file's bytes. `length` (out): the ciphertext's.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_BAD_VALUE`, or `OMEMO_FILE_TOO_LARGE`. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_ciphertext_length(
    cipher: u32,
    size: u64,
    length: *mut u64,
) -> omemo_status {
    last_error::without_account(|| {
        let (cipher, place) = (value::cipher(cipher)?, Place::new(length)?);
        let length = cipher.ciphertext_length(size);
        place.put(length.ok_or(omemo_status::OMEMO_FILE_TOO_LARGE)?);
        Ok(())
    })
}

/// Begins a file, with a new random key.
///
/// `cipher`: one of `OMEMO_CIPHER_...`. `encryptor` (out): free it with `omemo_file_encryptor_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_BAD_VALUE` or `OMEMO_NO_RANDOMNESS`. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_encryptor_new(
    cipher: u32,
    encryptor: *mut *mut omemo_file_encryptor,
) -> omemo_status {
    last_error::without_account(|| {
        let (cipher, place) = (value::cipher(cipher)?, Place::new(encryptor)?);
        let begun = State::Open(Box::new(Encryptor::new(cipher)?));
        place.give(omemo_file_encryptor(Mutex::new(begun)));
        Ok(())
    })
}

/// Frees an encryptor, wipes its key, and sets the caller's pointer to NULL. NULL, and a pointer to NULL, are harmless.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_encryptor_free(encryptor: *mut *mut omemo_file_encryptor) {
    panic::asked((), || {
        drop(ptr::take(encryptor));
        Ok(())
    });
}

/// Encrypts the next piece of the file.
///
/// `plaintext`, `length`: the piece, of any length; 64 KiB are a good one. `ciphertext` (out): what is ready, to be uploaded in this
/// order; free it with `omemo_bytes_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_FILE_TOO_LARGE` for what the cipher cannot take (nothing was done with the piece), or
/// `OMEMO_FILE_ORDER` after `omemo_file_encryptor_finish`. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_encryptor_update(
    encryptor: *mut omemo_file_encryptor,
    plaintext: *const u8,
    length: usize,
    ciphertext: *mut *mut omemo_bytes,
) -> omemo_status {
    last_error::without_account(|| {
        let mut state = ptr::borrow(encryptor)?.state();
        let (plaintext, place) = (ptr::items(plaintext, length)?, Place::new(ciphertext)?);
        let mut open = omemo_file_encryptor::take(&mut state)?;
        let mut out = Zeroizing::new(Vec::with_capacity(plaintext.len()));
        let outcome = open.update(plaintext, &mut out);
        *state = State::Open(open);
        outcome?;
        omemo_bytes::give(out, place);
        Ok(())
    })
}

/// Ends the file.
///
/// `ciphertext` (out): the end of what is to be uploaded; free it with `omemo_bytes_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, or `OMEMO_FILE_ORDER` if it was ended before. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_encryptor_finish(
    encryptor: *mut omemo_file_encryptor,
    ciphertext: *mut *mut omemo_bytes,
) -> omemo_status {
    last_error::without_account(|| {
        let mut state = ptr::borrow(encryptor)?.state();
        let place = Place::new(ciphertext)?;
        let open = omemo_file_encryptor::take(&mut state)?;
        let mut out = Zeroizing::new(Vec::new());
        *state = State::Finished(Box::new(open.finish(&mut out)));
        omemo_bytes::give(out, place);
        Ok(())
    })
}

/// What the recipients need, once the file is encrypted and uploaded: link and element.
///
/// `url`: where the ciphertext can be downloaded, `https://` and without a `#`. `name`: what people call the file; NULL for nothing.
/// `media_type`: such as `"image/jpeg"`; NULL for nothing. All are copied. `file` (out): free it with `omemo_file_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_URL`, or `OMEMO_FILE_ORDER` before `omemo_file_encryptor_finish`. Does not
/// touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_encryptor_file(
    encryptor: *const omemo_file_encryptor,
    url: *const c_char,
    name: *const c_char,
    media_type: *const c_char,
    file: *mut *mut omemo_file,
) -> omemo_status {
    last_error::without_account(|| {
        let state = ptr::borrow(encryptor)?.state();
        let (url, place) = (ptr::text(url)?, Place::new(file)?);
        let (name, media_type) = (ptr::optional_text(name)?, ptr::optional_text(media_type)?);
        let State::Finished(sealed) = &*state else {
            return Err(omemo_status::OMEMO_FILE_ORDER.into());
        };
        place.give(omemo_file::of_sealed(sealed, url, name, media_type)?);
        Ok(())
    })
}

impl From<EncryptError> for Failure {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::Randomness => omemo_status::OMEMO_NO_RANDOMNESS,
            _ => omemo_status::OMEMO_FILE_TOO_LARGE,
        }
        .into()
    }
}
