//! The whole sentence of the last failure: of each account, and of the calls that have none.

use std::cell::RefCell;
use std::ffi::c_char;

use crate::account::omemo_account;
use crate::panic;
use crate::ptr;
use crate::status::{Failure, omemo_status};
use crate::text::Text;

thread_local! {
    /// Of the last call of this thread that had no account and failed.
    static WITHOUT_ACCOUNT: RefCell<Option<Text>> = const { RefCell::new(None) };
}

/// Does the work of a call that has no account to keep its sentence.
pub(crate) fn without_account(work: impl FnOnce() -> Result<(), Failure>) -> omemo_status {
    let outcome = panic::guarded(work);
    let Err(Failure { status, sentence }) = outcome else {
        return omemo_status::OMEMO_OK;
    };
    panic::asked(status, || {
        WITHOUT_ACCOUNT.set(Some(Text::new(sentence)));
        Ok(status)
    })
}

/// The sentence of the last call of this account that failed, in any thread: what happened, to whom, and what to do. It holds
/// no key and no text of messages, but may name JIDs.
///
/// `account`: NULL for the last call of this thread that has no account and failed: `omemo_account_open`, `omemo_store_rekey`,
/// those of settings and of files. `buffer` (out): gets the sentence with a zero byte at its end, cut off where it does not fit; may be NULL.
/// `size`: the buffer's bytes.
///
/// Returns the bytes of the whole sentence without the zero byte; 0, and an empty sentence, if no call has failed. Does not
/// touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_last_error(
    account: *const omemo_account,
    buffer: *mut c_char,
    size: usize,
) -> usize {
    let copy = |sentence: Option<&Text>| {
        let sentence = sentence.map_or(&[][..], Text::as_bytes);
        ptr::copy_text(sentence, buffer, size);
        sentence.len()
    };
    panic::asked(0, || match ptr::optional(account) {
        Some(account) => Ok(account.with_last_error(|sentence| copy(Some(sentence)))),
        None => Ok(WITHOUT_ACCOUNT.with_borrow(|sentence| copy(sentence.as_ref()))),
    })
}
