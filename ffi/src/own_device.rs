//! This device's own life: its name, its siblings, its end.

use std::ffi::c_char;

use omemo::Removal;

use crate::account::{call, with_output};
use crate::omemo_account;
use crate::output::omemo_output;
use crate::ptr;
use crate::status::omemo_status;
use crate::trust::device_id;

/// Calls this device something else. The label is published and signed, with the next stream if the account is not online, and kept
/// until the next call, unless `omemo_settings_set_label` chooses another.
///
/// `label`: as for `omemo_settings_set_label`; NULL for none. `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_BAD_SETTINGS` for an unusable label, `OMEMO_REMOVED`, or one of `OMEMO_STORE_...`. Reads
/// and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_rename(
    account: *mut omemo_account,
    label: *const c_char,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        Ok(account.rename(ptr::optional_text(label)?)?)
    })
}

/// What this device is called.
///
/// `buffer`: where the label is copied to, cut after a whole character where it does not fit, and ended by a zero byte; may be
/// NULL if `size` is 0. `length` (out): how many bytes it has, without the zero byte; 0 for no label.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_REMOVED`, or one of `OMEMO_STORE_...`. Reads the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_label(
    account: *mut omemo_account,
    buffer: *mut c_char,
    size: usize,
    length: *mut usize,
) -> omemo_status {
    call(account, |account| {
        let place = ptr::Place::new(length)?;
        let label = account.label()?.unwrap_or_default();
        ptr::copy_text(label.as_bytes(), buffer, size);
        place.put(label.len());
        Ok(())
    })
}

/// Takes another device of ours off our lists, and its bundle with it. Ends with `OMEMO_EVENT_DEVICE_REMOVED`. A device that is still
/// in somebody's hands puts itself back: distrust its key too.
///
/// `device`: its id, not that of this device. `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_BAD_VALUE` for what is no id, `OMEMO_UNKNOWN_DEVICE`, `OMEMO_OWN_DEVICE`,
/// `OMEMO_OFFLINE`, `OMEMO_REMOVED`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_remove_device(
    account: *mut omemo_account,
    device: u32,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        Ok(account.remove_device(device_id(device)?)?)
    })
}

/// Looks whether what our account has published fits together, and removes the bundles that devices have left behind: those that were on no
/// list when they were first looked at and are on none a day later. Ends with `OMEMO_EVENT_REPAIRED`.
///
/// `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_OFFLINE`, `OMEMO_REMOVED`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_repair(
    account: *mut omemo_account,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| Ok(account.repair()?))
}

/// Takes this device off the server, and then erases its secrets. Ends with `OMEMO_EVENT_DEACTIVATED`, now or in the next stream; then
/// the calls of the handle return `OMEMO_REMOVED`, and opening the store again makes a new device.
///
/// `whole_account`: all devices of the account, so that nobody encrypts to it any more. `output` (out): free it with
/// `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_REMOVED`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_deactivate(
    account: *mut omemo_account,
    whole_account: bool,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        let removal = if whole_account {
            Removal::Account
        } else {
            Removal::Device
        };
        Ok(account.deactivate(removal)?)
    })
}
