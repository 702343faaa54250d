//! The stores that the library calls back: keys and sessions of one device.
//!
//! Every `unsafe extern` function here is called by the library alone, with what the documentation of its table promises;
//! "see above" in SAFETY notes means this and the top of the module above.

use std::ffi::{c_char, c_int, c_void};
use std::ptr::null_mut;

use libsignal_protocol_sys as sys;
use sys::{signal_buffer, signal_protocol_address};

use super::{NO, OK, Owned, YES, bytes, clamped, give, name, pair_of, public_of, store};

pub fn sessions(data: *mut c_void) -> sys::signal_protocol_session_store {
    sys::signal_protocol_session_store {
        load_session_func: Some(load_session),
        get_sub_device_sessions_func: Some(other_devices),
        store_session_func: Some(store_session),
        contains_session_func: Some(contains_session),
        delete_session_func: Some(delete_session),
        delete_all_sessions_func: Some(delete_all_sessions),
        destroy_func: None,
        user_data: data,
    }
}

unsafe extern "C" fn load_session(
    record: *mut *mut signal_buffer,
    _: *mut *mut signal_buffer,
    address: *const signal_protocol_address,
    data: *mut c_void,
) -> c_int {
    // SAFETY: see above.
    unsafe {
        match store(data).sessions.get(&name(address)) {
            Some(session) if give(record, session) == OK => YES,
            Some(_) => sys::SG_ERR_NOMEM,
            None => NO,
        }
    }
}

unsafe extern "C" fn store_session(
    address: *const signal_protocol_address,
    record: *mut u8,
    length: usize,
    _: *mut u8,
    _: usize,
    data: *mut c_void,
) -> c_int {
    // SAFETY: see above.
    unsafe {
        let record = bytes(record, length).to_vec();
        store(data).sessions.insert(name(address), record);
    }
    OK
}

unsafe extern "C" fn contains_session(
    address: *const signal_protocol_address,
    data: *mut c_void,
) -> c_int {
    // SAFETY: see above.
    unsafe { store(data).sessions.contains_key(&name(address)).into() }
}

/// Nothing that we call asks for it.
unsafe extern "C" fn other_devices(
    _: *mut *mut sys::signal_int_list,
    _: *const c_char,
    _: usize,
    _: *mut c_void,
) -> c_int {
    sys::SG_ERR_UNKNOWN
}

/// Nothing that we call asks for it.
unsafe extern "C" fn delete_session(_: *const signal_protocol_address, _: *mut c_void) -> c_int {
    sys::SG_ERR_UNKNOWN
}

/// Nothing that we call asks for it.
unsafe extern "C" fn delete_all_sessions(_: *const c_char, _: usize, _: *mut c_void) -> c_int {
    sys::SG_ERR_UNKNOWN
}

pub fn pre_keys(data: *mut c_void) -> sys::signal_protocol_pre_key_store {
    sys::signal_protocol_pre_key_store {
        load_pre_key: Some(load_pre_key),
        store_pre_key: Some(refuse_record),
        contains_pre_key: Some(contains_pre_key),
        remove_pre_key: Some(keep_pre_key),
        destroy_func: None,
        user_data: data,
    }
}

unsafe extern "C" fn load_pre_key(
    record: *mut *mut signal_buffer,
    id: u32,
    data: *mut c_void,
) -> c_int {
    // SAFETY: see above.
    let Some(secret) = unsafe { store(data) }.keys.pre_keys.get(&id).copied() else {
        return sys::SG_ERR_INVALID_KEY_ID;
    };
    // Keys need no context beyond a check that it is not null where it is used, which is in logs.
    let Some(pair) = pair_of(null_mut(), &secret) else {
        return sys::SG_ERR_INVALID_KEY;
    };
    let mut key = null_mut();
    // SAFETY: see above.
    unsafe {
        match sys::session_pre_key_create(&mut key, id, pair.0) {
            OK => sys::session_pre_key_serialize(record, Owned(key).0),
            code => code,
        }
    }
}

unsafe extern "C" fn contains_pre_key(id: u32, data: *mut c_void) -> c_int {
    // SAFETY: see above.
    unsafe { store(data).keys.pre_keys.contains_key(&id).into() }
}

/// Not before `forget-pre-key` says so.
unsafe extern "C" fn keep_pre_key(_: u32, _: *mut c_void) -> c_int {
    OK
}

/// Nothing that we call makes prekeys.
unsafe extern "C" fn refuse_record(_: u32, _: *mut u8, _: usize, _: *mut c_void) -> c_int {
    sys::SG_ERR_UNKNOWN
}

pub fn signed_pre_keys(data: *mut c_void) -> sys::signal_protocol_signed_pre_key_store {
    sys::signal_protocol_signed_pre_key_store {
        load_signed_pre_key: Some(load_signed_pre_key),
        store_signed_pre_key: Some(refuse_record),
        contains_signed_pre_key: Some(contains_signed_pre_key),
        remove_signed_pre_key: Some(keep_pre_key),
        destroy_func: None,
        user_data: data,
    }
}

unsafe extern "C" fn load_signed_pre_key(
    record: *mut *mut signal_buffer,
    id: u32,
    data: *mut c_void,
) -> c_int {
    // SAFETY: see above.
    let Some(own) = unsafe { store(data) }
        .keys
        .signed_pre_keys
        .get(&id)
        .cloned()
    else {
        return sys::SG_ERR_INVALID_KEY_ID;
    };
    let Some(pair) = pair_of(null_mut(), &own.secret) else {
        return sys::SG_ERR_INVALID_KEY;
    };
    let mut key = null_mut();
    // SAFETY: see above; the signature is copied.
    unsafe {
        match sys::session_signed_pre_key_create(
            &mut key,
            id,
            0,
            pair.0,
            own.signature.as_ptr(),
            own.signature.len(),
        ) {
            OK => sys::session_signed_pre_key_serialize(record, Owned(key).0),
            code => code,
        }
    }
}

unsafe extern "C" fn contains_signed_pre_key(id: u32, data: *mut c_void) -> c_int {
    // SAFETY: see above.
    unsafe { store(data).keys.signed_pre_keys.contains_key(&id).into() }
}

pub fn identities(data: *mut c_void) -> sys::signal_protocol_identity_key_store {
    sys::signal_protocol_identity_key_store {
        get_identity_key_pair: Some(own_identity),
        get_local_registration_id: Some(registration_id),
        save_identity: Some(save_identity),
        is_trusted_identity: Some(is_trusted),
        destroy_func: None,
        user_data: data,
    }
}

unsafe extern "C" fn own_identity(
    public: *mut *mut signal_buffer,
    private: *mut *mut signal_buffer,
    data: *mut c_void,
) -> c_int {
    // SAFETY: see above.
    let secret = unsafe { store(data) }.keys.identity_secret;
    let Some(key) = public_of(null_mut(), &secret) else {
        return sys::SG_ERR_INVALID_KEY;
    };
    // SAFETY: see above; what was given first is freed by the library, even if there is no second.
    unsafe {
        match give(public, &key) {
            OK => give(private, &clamped(&secret)),
            code => code,
        }
    }
}

unsafe extern "C" fn registration_id(data: *mut c_void, id: *mut u32) -> c_int {
    // SAFETY: see above.
    unsafe { *id = store(data).keys.device_id };
    OK
}

unsafe extern "C" fn save_identity(
    address: *const signal_protocol_address,
    key: *mut u8,
    length: usize,
    data: *mut c_void,
) -> c_int {
    // SAFETY: see above.
    unsafe {
        let key = bytes(key, length).to_vec();
        store(data).identities.entry(name(address)).or_insert(key);
    }
    OK
}

unsafe extern "C" fn is_trusted(
    address: *const signal_protocol_address,
    key: *mut u8,
    length: usize,
    data: *mut c_void,
) -> c_int {
    // SAFETY: see above.
    unsafe {
        store(data)
            .identities
            .get(&name(address))
            .is_none_or(|known| known == bytes(key, length))
            .into()
    }
}
