//! Broken sessions and restored stores.

use std::ffi::c_char;

use crate::account::{bare_jid, call, with_output};
use crate::omemo_account;
use crate::output::omemo_output;
use crate::ptr::Place;
use crate::status::omemo_status;
use crate::trust::device_id;

/// Makes sessions with an account's devices anew, when one of us cannot read the other (XEP-0384 §6). Each device ends with
/// `OMEMO_EVENT_SESSION_REPLACED` or `OMEMO_EVENT_SESSION_NOT_REPLACED`; if the account is not online, in the next stream.
///
/// `jid`: whose. `device`: which one; 0 for all. `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, `OMEMO_BAD_VALUE`, or one of `OMEMO_STORE_...`. Reads and writes
/// the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_replace_sessions(
    account: *mut omemo_account,
    jid: *const c_char,
    device: u32,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        let only = match device {
            0 => None,
            id => Some(device_id(id)?),
        };
        Ok(account.replace_sessions(&bare_jid(jid)?, only)?)
    })
}

/// Makes all sessions anew.
///
/// `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_replace_all_sessions(
    account: *mut omemo_account,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        Ok(account.replace_all_sessions()?)
    })
}

/// Whether the store is known to be older than what was sent from it, so that nothing is encrypted before `omemo_account_recover`.
///
/// `restored` (out): the answer.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Reads the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_restored(
    account: *mut omemo_account,
    restored: *mut bool,
) -> omemo_status {
    call(account, |account| {
        let place = Place::new(restored)?;
        place.put(account.restored()?);
        Ok(())
    })
}

/// How many sessions are still to be made anew, on demand, after a recovery or to heal a broken one.
///
/// `count` (out): the answer.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_REMOVED`, or one of `OMEMO_STORE_...`. Reads the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_replacing(
    account: *mut omemo_account,
    count: *mut usize,
) -> omemo_status {
    call(account, |account| {
        let place = Place::new(count)?;
        place.put(account.replacing()?.len());
        Ok(())
    })
}

/// The app, or a person, knows that the store was put back from a copy, which cannot always be proven: nothing is encrypted from here on.
/// Call it before `omemo_account_online`; receive what the server holds, and then `omemo_account_recover`.
///
/// `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_REMOVED`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_put_back(
    account: *mut omemo_account,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| Ok(account.put_back()?))
}

/// Gets going again after the store was put back to an older state: new keys and sessions under the old fingerprint. Ends with
/// `OMEMO_EVENT_RECOVERED`. May be called at any time.
///
/// `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_recover(
    account: *mut omemo_account,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| Ok(account.recover()?))
}
