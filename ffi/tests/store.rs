//! The key of the store: an account behind it is encrypted on the disk, or is not opened.
#![allow(
    clippy::unwrap_used,
    reason = "a test says that it failed by panicking"
)]

use std::ffi::CString;
use std::path::Path;
use std::ptr::{null, null_mut};

use omemo_ffi::omemo_status::{
    OMEMO_BAD_VALUE, OMEMO_NOT_UTF8, OMEMO_NULL, OMEMO_OK, OMEMO_STORE_ENCRYPTED,
};
use omemo_ffi::{
    omemo_account_free, omemo_account_open, omemo_settings, omemo_settings_free,
    omemo_settings_new, omemo_settings_set_store_key, omemo_status, omemo_store_rekey,
};

fn text(path: &Path) -> CString {
    CString::new(path.to_str().unwrap()).unwrap()
}

fn with_key(key: &[u8; 32]) -> *mut omemo_settings {
    let mut settings = null_mut();
    assert_eq!(omemo_settings_new(&raw mut settings), OMEMO_OK);
    let status = omemo_settings_set_store_key(settings, key.as_ptr(), key.len());
    assert_eq!(status, OMEMO_OK);
    settings
}

/// Opens an account and closes it.
fn open(path: &Path, key: Option<&[u8; 32]>) -> omemo_status {
    let mut settings = key.map_or(null_mut(), with_key);
    let mut account = null_mut();
    let status = omemo_account_open(
        text(path).as_ptr(),
        c"juliet@capulet.example".as_ptr(),
        settings,
        &raw mut account,
    );
    assert_eq!(account.is_null(), status != OMEMO_OK);
    omemo_settings_free(&raw mut settings);
    omemo_account_free(&raw mut account);
    status
}

fn rekey(path: &Path, old: &[u8], new: &[u8]) -> omemo_status {
    omemo_store_rekey(
        text(path).as_ptr(),
        old.as_ptr(),
        old.len(),
        new.as_ptr(),
        new.len(),
    )
}

#[test]
fn a_key_has_32_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let key = [1; 40];
    let mut settings = with_key(&[1; 32]);
    for length in [0, 1, 31, 33, 40, usize::MAX] {
        let status = omemo_settings_set_store_key(settings, key.as_ptr(), length);
        assert_eq!(status, OMEMO_BAD_VALUE, "{length}");
    }
    let set = omemo_settings_set_store_key;
    assert_eq!(set(settings, null(), 32), OMEMO_NULL);
    assert_eq!(set(null_mut(), key.as_ptr(), 32), OMEMO_NULL);
    omemo_settings_free(&raw mut settings);

    assert_eq!(rekey(&path, &key[..31], &key[..32]), OMEMO_BAD_VALUE);
    assert_eq!(rekey(&path, &key[..32], &key), OMEMO_BAD_VALUE);
    let (key, file) = (key.as_ptr(), text(&path));
    let of = omemo_store_rekey;
    assert_eq!(of(null(), key, 32, key, 32), OMEMO_NULL);
    assert_eq!(of(file.as_ptr(), null(), 32, key, 32), OMEMO_NULL);
    assert_eq!(of(file.as_ptr(), key, 32, null(), 32), OMEMO_NULL);
    assert_eq!(of(c"\xff".as_ptr(), key, 32, key, 32), OMEMO_NOT_UTF8);
    assert!(!path.exists());
}

#[test]
fn what_looks_encrypted_needs_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    std::fs::write(&path, [0x5a; 8_192]).unwrap();
    assert_eq!(open(&path, None), OMEMO_STORE_ENCRYPTED);
}

#[cfg(not(feature = "sqlcipher"))]
#[test]
fn a_key_is_refused_where_encryption_is_not_built_in() {
    use omemo_ffi::omemo_status::OMEMO_NO_ENCRYPTION;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    assert_eq!(open(&path, Some(&[1; 32])), OMEMO_NO_ENCRYPTION);
    assert_eq!(rekey(&path, &[1; 32], &[2; 32]), OMEMO_NO_ENCRYPTION);
    assert!(!path.exists());
}

#[cfg(feature = "sqlcipher")]
#[test]
fn one_key_opens_a_store() {
    use omemo_ffi::omemo_status::{
        OMEMO_STORE_LOCKED, OMEMO_STORE_NOT_ENCRYPTED, OMEMO_STORE_UNUSABLE, OMEMO_STORE_WRONG_KEY,
    };

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (old, new) = ([1; 32], [2; 32]);
    assert_eq!(rekey(&path, &old, &new), OMEMO_STORE_UNUSABLE);
    assert!(!path.exists());
    assert_eq!(open(&path, Some(&old)), OMEMO_OK);
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(7).any(|place| place == b"capulet"));
    assert_eq!(open(&path, Some(&new)), OMEMO_STORE_WRONG_KEY);
    assert_eq!(open(&path, None), OMEMO_STORE_ENCRYPTED);

    let mut settings = with_key(&old);
    let mut account = null_mut();
    let (file, jid) = (text(&path), c"juliet@capulet.example".as_ptr());
    let status = omemo_account_open(file.as_ptr(), jid, settings, &raw mut account);
    assert_eq!(status, OMEMO_OK);
    assert_eq!(rekey(&path, &old, &new), OMEMO_STORE_LOCKED);
    omemo_account_free(&raw mut account);
    omemo_settings_free(&raw mut settings);

    assert_eq!(rekey(&path, &new, &old), OMEMO_STORE_WRONG_KEY);
    assert_eq!(rekey(&path, &old, &new), OMEMO_OK);
    assert_eq!(open(&path, Some(&old)), OMEMO_STORE_WRONG_KEY);
    assert_eq!(open(&path, Some(&new)), OMEMO_OK);

    let plain = folder.path().join("plain.db");
    assert_eq!(open(&plain, None), OMEMO_OK);
    assert_eq!(open(&plain, Some(&old)), OMEMO_STORE_NOT_ENCRYPTED);
    assert_eq!(rekey(&plain, &old, &new), OMEMO_STORE_NOT_ENCRYPTED);
    assert_eq!(open(&plain, None), OMEMO_OK);
}
