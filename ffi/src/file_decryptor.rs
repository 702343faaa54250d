//! Decrypting files in pieces, twice through the ciphertext.

use std::sync::{Mutex, MutexGuard, PoisonError};

use omemo_files::{DecryptError, Decryptor, Verifier};
use zeroize::Zeroizing;

use crate::bytes::omemo_bytes;
use crate::file::omemo_file;
use crate::last_error;
use crate::panic;
use crate::ptr::{self, Place};
use crate::status::{Failure, omemo_status};

/// Decrypts one file. Only the end of a ciphertext tells whether its beginning is the sender's, so it is handed in twice: first, whole,
/// to `omemo_file_decryptor_verify`, then to `omemo_file_decryptor_update`, which gives nothing out before that.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_file_decryptor(Mutex<State>);

#[derive(Debug)]
enum State {
    Verifying(Box<Verifier>),
    Decrypting(Box<Decryptor>),
    /// It came to its end, or is not the sender's, or a panic ended a call in the middle.
    Ended,
}

impl omemo_file_decryptor {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the verifier out, so that whatever ends a call leaves none behind.
    fn take_verifier(state: &mut State) -> Result<Box<Verifier>, Failure> {
        match std::mem::replace(state, State::Ended) {
            State::Verifying(verifier) => Ok(verifier),
            other => {
                *state = other;
                Err(omemo_status::OMEMO_FILE_ORDER.into())
            }
        }
    }

    /// The same for the decryptor.
    fn take_decryptor(state: &mut State) -> Result<Box<Decryptor>, Failure> {
        match std::mem::replace(state, State::Ended) {
            State::Decrypting(decryptor) => Ok(decryptor),
            other => {
                *state = other;
                Err(omemo_status::OMEMO_FILE_ORDER.into())
            }
        }
    }
}

/// Begins a file.
///
/// `file`: what is known of it; it is copied. `decryptor` (out): free it with `omemo_file_decryptor_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, or `OMEMO_FILE_REFUSED` if nothing could prove whose the file is, as with a cipher without tag and no
/// hash that is known here. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_decryptor_new(
    file: *const omemo_file,
    decryptor: *mut *mut omemo_file_decryptor,
) -> omemo_status {
    last_error::without_account(|| {
        let (file, place) = (ptr::borrow(file)?, Place::new(decryptor)?);
        let begun = State::Verifying(Box::new(Verifier::new(file.known())?));
        place.give(omemo_file_decryptor(Mutex::new(begun)));
        Ok(())
    })
}

/// Frees a decryptor, wipes its key, and sets the caller's pointer to NULL. NULL, and a pointer to NULL, are harmless.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_decryptor_free(decryptor: *mut *mut omemo_file_decryptor) {
    panic::asked((), || {
        drop(ptr::take(decryptor));
        Ok(())
    });
}

/// The first way: takes the next piece of the ciphertext, and gives nothing out.
///
/// `ciphertext`, `length`: the piece, of any length.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_FILE_REFUSED`, or `OMEMO_FILE_ORDER` after `omemo_file_decryptor_verified`. Does not touch the
/// disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_decryptor_verify(
    decryptor: *mut omemo_file_decryptor,
    ciphertext: *const u8,
    length: usize,
) -> omemo_status {
    last_error::without_account(|| {
        let mut state = ptr::borrow(decryptor)?.state();
        let ciphertext = ptr::items(ciphertext, length)?;
        let mut verifier = omemo_file_decryptor::take_verifier(&mut state)?;
        verifier.update(ciphertext)?;
        *state = State::Verifying(verifier);
        Ok(())
    })
}

/// Ends the first way: says whether the whole ciphertext is the sender's.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_FILE_REFUSED` (`omemo_last_error` says why; the decryptor is of no more use), or
/// `OMEMO_FILE_ORDER` if it was ended before. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_decryptor_verified(
    decryptor: *mut omemo_file_decryptor,
) -> omemo_status {
    last_error::without_account(|| {
        let mut state = ptr::borrow(decryptor)?.state();
        let verifier = omemo_file_decryptor::take_verifier(&mut state)?;
        *state = State::Decrypting(Box::new(verifier.finish()?));
        Ok(())
    })
}

/// The second way: decrypts the next piece of the same ciphertext.
///
/// `ciphertext`, `length`: the piece, of any length. `plaintext` (out): what is ready, in this order; free it with `omemo_bytes_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_FILE_REFUSED`, or `OMEMO_FILE_ORDER` before `omemo_file_decryptor_verified` and after the end.
/// Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_decryptor_update(
    decryptor: *mut omemo_file_decryptor,
    ciphertext: *const u8,
    length: usize,
    plaintext: *mut *mut omemo_bytes,
) -> omemo_status {
    last_error::without_account(|| {
        let mut state = ptr::borrow(decryptor)?.state();
        let (ciphertext, place) = (ptr::items(ciphertext, length)?, Place::new(plaintext)?);
        let mut inner = omemo_file_decryptor::take_decryptor(&mut state)?;
        let mut out = Zeroizing::new(Vec::with_capacity(ciphertext.len().saturating_add(16)));
        inner.update(ciphertext, &mut out)?;
        *state = State::Decrypting(inner);
        omemo_bytes::give(out, place);
        Ok(())
    })
}

/// Ends the second way, in which everything was checked again.
///
/// `plaintext` (out): the end of the file; free it with `omemo_bytes_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_FILE_ORDER`, or `OMEMO_FILE_REFUSED` if what was handed in is not what was verified: then throw
/// away what came out. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_decryptor_finish(
    decryptor: *mut omemo_file_decryptor,
    plaintext: *mut *mut omemo_bytes,
) -> omemo_status {
    last_error::without_account(|| {
        let mut state = ptr::borrow(decryptor)?.state();
        let place = Place::new(plaintext)?;
        let inner = omemo_file_decryptor::take_decryptor(&mut state)?;
        let mut out = Zeroizing::new(Vec::with_capacity(32));
        inner.finish(&mut out)?;
        omemo_bytes::give(out, place);
        Ok(())
    })
}

impl From<DecryptError> for Failure {
    fn from(error: DecryptError) -> Self {
        Self {
            status: omemo_status::OMEMO_FILE_REFUSED,
            sentence: error.to_string(),
        }
    }
}
