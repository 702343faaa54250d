//! The app's choices.

use std::ffi::c_char;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use omemo::{Settings, StalePolicy};
use omemo_sqlite::StoreKey;

use crate::last_error;
use crate::panic;
use crate::ptr::{self, Place};
use crate::status::{Failure, omemo_status};
use crate::{store, value};

/// What an app may choose, given to `omemo_account_open`. Later versions of this library have more to choose; what is not
/// set is as good a choice as any.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_settings(Mutex<Chosen>);

/// What was chosen: for the account, and for the file that it is in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chosen {
    pub(crate) account: Settings,
    pub(crate) store_key: Option<StoreKey>,
    /// The file of the anchor.
    pub(crate) anchor: Option<String>,
}

impl omemo_settings {
    pub(crate) fn chosen(&self) -> Chosen {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn change(&self, change: impl FnOnce(&mut Settings)) {
        self.choose(|chosen| change(&mut chosen.account));
    }

    fn choose(&self, choose: impl FnOnce(&mut Chosen)) {
        choose(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Makes settings: both protocols, blind trust before verification, no label, stanzas of at most 200,000 bytes, a store that is
/// not encrypted.
///
/// `settings` (out): the new object; free it with `omemo_settings_free`, which may be done as soon as the account is open.
///
/// Returns `OMEMO_OK`, or `OMEMO_NULL`. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_settings_new(settings: *mut *mut omemo_settings) -> omemo_status {
    last_error::without_account(|| {
        let place = Place::new(settings)?;
        place.give(omemo_settings(Mutex::new(Chosen::default())));
        Ok(())
    })
}

/// Frees settings, wipes a key from memory, and sets the caller's pointer to NULL. NULL, and a pointer to NULL, are harmless.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_settings_free(settings: *mut *mut omemo_settings) {
    panic::asked((), || {
        drop(ptr::take(settings));
        Ok(())
    });
}

/// Chooses the protocols to publish and speak.
///
/// `protocols`: a sum of `OMEMO_PROTOCOL_...`. With none of them an account cannot be opened (`OMEMO_BAD_SETTINGS`).
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, or `OMEMO_BAD_VALUE` for a number that is no such sum. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_settings_set_protocols(
    settings: *mut omemo_settings,
    protocols: u32,
) -> omemo_status {
    last_error::without_account(|| {
        let versions = value::protocols(protocols)?;
        ptr::borrow(settings)?.change(|settings| settings.versions = versions);
        Ok(())
    })
}

/// Chooses who decides about keys that are seen for the first time.
///
/// `policy`: one of `OMEMO_POLICY_...`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL` or `OMEMO_BAD_VALUE`. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_settings_set_policy(
    settings: *mut omemo_settings,
    policy: u32,
) -> omemo_status {
    last_error::without_account(|| {
        let policy = value::policy(policy)?;
        ptr::borrow(settings)?.change(|settings| settings.trust = policy);
        Ok(())
    })
}

/// Chooses what people call this device. It is published and signed (XEP-0384 §5.3.1).
///
/// `label`: UTF-8, at most 52 code points, and not of exactly 32 bytes; NULL for none. It is copied. An unusable one is
/// refused by `omemo_account_open` (`OMEMO_BAD_SETTINGS`).
///
/// Returns `OMEMO_OK`, `OMEMO_NULL` or `OMEMO_NOT_UTF8`. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_settings_set_label(
    settings: *mut omemo_settings,
    label: *const c_char,
) -> omemo_status {
    last_error::without_account(|| {
        let label = ptr::optional_text(label)?.map(str::to_owned);
        ptr::borrow(settings)?.change(|settings| settings.label = label);
        Ok(())
    })
}

/// Chooses how large stanzas may be; larger ones are split by recipients.
///
/// `bytes`: at least 10,000, or `omemo_account_open` refuses it. Servers close the stream above 262,144.
///
/// Returns `OMEMO_OK` or `OMEMO_NULL`. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_settings_set_max_stanza_bytes(
    settings: *mut omemo_settings,
    bytes: usize,
) -> omemo_status {
    last_error::without_account(|| -> Result<(), Failure> {
        ptr::borrow(settings)?.change(|settings| settings.max_stanza_bytes = bytes);
        Ok(())
    })
}

/// Chooses when a device that never answers is served no more: when nothing of it was decrypted for so many days, and so many
/// messages were sealed for it since. Its next message ends that. The usual choice is 90 days and 60 messages.
///
/// `days`: 0 serves every device for ever.
///
/// Returns `OMEMO_OK` or `OMEMO_NULL`. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_settings_set_stale(
    settings: *mut omemo_settings,
    days: u32,
    messages: u32,
) -> omemo_status {
    last_error::without_account(|| -> Result<(), Failure> {
        let silent_for = Duration::from_secs(u64::from(days) * 86_400);
        let stale = (days > 0).then(|| StalePolicy::new(silent_for, messages));
        ptr::borrow(settings)?.change(|settings| settings.stale = stale);
        Ok(())
    })
}

/// Chooses whether legacy messages that hand over a key instead of content are handed out, see `omemo_message_transported`. Most
/// of them are answers that mean nothing, and each has to be acknowledged. They are not, usually.
///
/// Returns `OMEMO_OK` or `OMEMO_NULL`. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_settings_set_key_transport(
    settings: *mut omemo_settings,
    wanted: bool,
) -> omemo_status {
    last_error::without_account(|| -> Result<(), Failure> {
        ptr::borrow(settings)?.change(|settings| settings.key_transport = wanted);
        Ok(())
    })
}

/// Chooses whether a legacy session that is broken is replaced by itself, at most once a day and device. It is not, usually, and never
/// in omemo:2, which forbids it (XEP-0384 §8).
///
/// Returns `OMEMO_OK` or `OMEMO_NULL`. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_settings_set_heal_legacy(
    settings: *mut omemo_settings,
    wanted: bool,
) -> omemo_status {
    last_error::without_account(|| -> Result<(), Failure> {
        ptr::borrow(settings)?.change(|settings| settings.heal_legacy = wanted);
        Ok(())
    })
}

/// Chooses the file of an anchor, which notices that the store was put back to an older state: it has to lie where backups do not reach,
/// and every process that opens the store needs the same one. Without an anchor that cannot always be noticed.
///
/// `path`: a file that need not exist, in a directory that does; NULL for no anchor. It is copied.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL` or `OMEMO_NOT_UTF8`. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_settings_set_anchor(
    settings: *mut omemo_settings,
    path: *const c_char,
) -> omemo_status {
    last_error::without_account(|| {
        let path = ptr::optional_text(path)?.map(str::to_owned);
        ptr::borrow(settings)?.choose(|chosen| chosen.anchor = path);
        Ok(())
    })
}

/// Chooses the key of the store, which is encrypted then; a new one is made with it. An existing store that is not encrypted
/// cannot be: `omemo_account_open` refuses it (`OMEMO_STORE_NOT_ENCRYPTED`), as it does any key where this library was built
/// without encryption of stores (`OMEMO_NO_ENCRYPTION`).
///
/// `key`: bytes that nobody can guess, such as random ones from the system's keyring; a password has to be stretched first.
/// They are copied. `length`: 32.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, or `OMEMO_BAD_VALUE` for another length. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_settings_set_store_key(
    settings: *mut omemo_settings,
    key: *const u8,
    length: usize,
) -> omemo_status {
    last_error::without_account(|| {
        let settings = ptr::borrow(settings)?;
        let key = store::key(key, length)?;
        settings.choose(|chosen| chosen.store_key = Some(key));
        Ok(())
    })
}
