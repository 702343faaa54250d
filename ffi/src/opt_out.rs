//! Plain text instead of encryption, at a contact's request or ours (XEP-0384 §5.7).

use std::ffi::c_char;

use omemo::OptOutAnswer;

use crate::account::{bare_jid, call, with_output};
use crate::omemo_account;
use crate::output::omemo_output;
use crate::ptr::{self, Place};
use crate::status::omemo_status;

/// Whether a contact has opted out of encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
#[expect(non_camel_case_types, reason = "the header's name")]
#[non_exhaustive]
pub enum omemo_opt_out {
    /// No.
    OMEMO_OPT_OUT_NONE = 0,
    /// It asks for plain text, and nobody has answered: messages to it are refused.
    OMEMO_OPT_OUT_ASKED = 1,
    /// A person has agreed: the app sends plain text itself, and messages to it are still refused here.
    OMEMO_OPT_OUT_AGREED = 2,
}

/// Asks a contact for plain text. It is a message like others: `OMEMO_EVENT_SEALED` or `OMEMO_EVENT_REFUSED`.
///
/// `id`: the app's own id of the message. `jid`: the contact. `reason`: why, for the contact to read; may be NULL. `output` (out):
/// free it with `omemo_output_free`.
///
/// Returns what `omemo_account_send_text` does.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_opt_out(
    account: *mut omemo_account,
    id: *const c_char,
    jid: *const c_char,
    reason: *const c_char,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        let reason = ptr::optional_text(reason)?;
        Ok(account.opt_out(ptr::text(id)?, &bare_jid(jid)?, reason)?)
    })
}

/// Whether a contact has opted out.
///
/// `state` (out): one of `OMEMO_OPT_OUT_...`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, or one of `OMEMO_STORE_...`. Reads the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_opted_out(
    account: *mut omemo_account,
    jid: *const c_char,
    state: *mut u32,
) -> omemo_status {
    call(account, |account| {
        let place = Place::new(state)?;
        let opt_out = account.opted_out(&bare_jid(jid)?)?;
        let state = match opt_out {
            None => omemo_opt_out::OMEMO_OPT_OUT_NONE,
            Some(opt_out) if opt_out.confirmed => omemo_opt_out::OMEMO_OPT_OUT_AGREED,
            Some(_) => omemo_opt_out::OMEMO_OPT_OUT_ASKED,
        };
        place.put(state as u32);
        Ok(())
    })
}

/// A person has decided about a contact that opted out.
///
/// `plain_text`: whether the app will send plain text from now on, which it does itself: this library never does. If not, messages
/// are encrypted again. `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_answer_opt_out(
    account: *mut omemo_account,
    jid: *const c_char,
    plain_text: bool,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        let answer = if plain_text {
            OptOutAnswer::PlainText
        } else {
            OptOutAnswer::KeepEncrypting
        };
        Ok(account.answer_opt_out(&bare_jid(jid)?, answer)?)
    })
}
