//! Cryptography, which the library leaves to its users. It calls these functions alone, as the documentation of its table
//! promises.

use std::ffi::{c_int, c_void};
use std::slice;

use aes::Aes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use libsignal_protocol_sys as sys;
use sha2::{Digest, Sha256, Sha512};
use sys::signal_buffer;

use super::{OK, bytes, give, store};

pub fn provider(data: *mut c_void) -> sys::signal_crypto_provider {
    sys::signal_crypto_provider {
        random_func: Some(random),
        hmac_sha256_init_func: Some(hmac_begin),
        hmac_sha256_update_func: Some(hmac_update),
        hmac_sha256_final_func: Some(hmac_finish),
        hmac_sha256_cleanup_func: Some(hmac_drop),
        sha512_digest_init_func: Some(sha512_begin),
        sha512_digest_update_func: Some(sha512_update),
        sha512_digest_final_func: Some(sha512_finish),
        sha512_digest_cleanup_func: Some(sha512_drop),
        encrypt_func: Some(encrypt),
        decrypt_func: Some(decrypt),
        user_data: data,
    }
}

unsafe extern "C" fn random(output: *mut u8, length: usize, data: *mut c_void) -> c_int {
    // SAFETY: only contexts of a device draw, and the library gives room for what it asks.
    unsafe {
        let output = slice::from_raw_parts_mut(output, length);
        store(data).chance.fill(output);
    }
    OK
}

unsafe extern "C" fn hmac_begin(
    state: *mut *mut c_void,
    key: *const u8,
    length: usize,
    _: *mut c_void,
) -> c_int {
    // SAFETY: see above; `hmac_drop` takes the box back.
    unsafe {
        let Ok(hmac) = Hmac::<Sha256>::new_from_slice(bytes(key, length)) else {
            return sys::SG_ERR_INVAL;
        };
        *state = Box::into_raw(Box::new(hmac)).cast();
    }
    OK
}

unsafe extern "C" fn hmac_update(
    state: *mut c_void,
    data: *const u8,
    length: usize,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the state is what `hmac_begin` made.
    unsafe { (*state.cast::<Hmac<Sha256>>()).update(bytes(data, length)) };
    OK
}

unsafe extern "C" fn hmac_finish(
    state: *mut c_void,
    output: *mut *mut signal_buffer,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the state is what `hmac_begin` made.
    unsafe {
        let hmac = (*state.cast::<Hmac<Sha256>>()).clone();
        give(output, &hmac.finalize().into_bytes())
    }
}

unsafe extern "C" fn hmac_drop(state: *mut c_void, _: *mut c_void) {
    if !state.is_null() {
        // SAFETY: the state is what `hmac_begin` made, and is not used again.
        drop(unsafe { Box::from_raw(state.cast::<Hmac<Sha256>>()) });
    }
}

unsafe extern "C" fn sha512_begin(state: *mut *mut c_void, _: *mut c_void) -> c_int {
    // SAFETY: see above; `sha512_drop` takes the box back.
    unsafe { *state = Box::into_raw(Box::new(Sha512::new())).cast() };
    OK
}

unsafe extern "C" fn sha512_update(
    state: *mut c_void,
    data: *const u8,
    length: usize,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the state is what `sha512_begin` made.
    unsafe { Digest::update(&mut *state.cast::<Sha512>(), bytes(data, length)) };
    OK
}

unsafe extern "C" fn sha512_finish(
    state: *mut c_void,
    output: *mut *mut signal_buffer,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the state is what `sha512_begin` made.
    unsafe { give(output, &(*state.cast::<Sha512>()).finalize_reset()) }
}

unsafe extern "C" fn sha512_drop(state: *mut c_void, _: *mut c_void) {
    if !state.is_null() {
        // SAFETY: the state is what `sha512_begin` made, and is not used again.
        drop(unsafe { Box::from_raw(state.cast::<Sha512>()) });
    }
}

/// Messages of version 3 are sealed with CBC; CTR belongs to version 2.
fn is_cbc(cipher: c_int) -> bool {
    u32::try_from(cipher) == Ok(sys::SG_CIPHER_AES_CBC_PKCS5)
}

unsafe extern "C" fn encrypt(
    output: *mut *mut signal_buffer,
    cipher: c_int,
    key: *const u8,
    key_length: usize,
    iv: *const u8,
    iv_length: usize,
    data: *const u8,
    length: usize,
    _: *mut c_void,
) -> c_int {
    // SAFETY: see above.
    unsafe {
        match cbc::Encryptor::<Aes256>::new_from_slices(
            bytes(key, key_length),
            bytes(iv, iv_length),
        ) {
            Ok(cbc) if is_cbc(cipher) => give(
                output,
                &cbc.encrypt_padded_vec::<Pkcs7>(bytes(data, length)),
            ),
            _ => sys::SG_ERR_INVAL,
        }
    }
}

unsafe extern "C" fn decrypt(
    output: *mut *mut signal_buffer,
    cipher: c_int,
    key: *const u8,
    key_length: usize,
    iv: *const u8,
    iv_length: usize,
    data: *const u8,
    length: usize,
    _: *mut c_void,
) -> c_int {
    // SAFETY: see above.
    unsafe {
        match cbc::Decryptor::<Aes256>::new_from_slices(
            bytes(key, key_length),
            bytes(iv, iv_length),
        ) {
            Ok(cbc) if is_cbc(cipher) => {
                match cbc.decrypt_padded_vec::<Pkcs7>(bytes(data, length)) {
                    Ok(plaintext) => give(output, &plaintext),
                    Err(_) => sys::SG_ERR_INVALID_MESSAGE,
                }
            }
            _ => sys::SG_ERR_INVAL,
        }
    }
}
