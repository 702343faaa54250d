//! What people decide about keys.

use std::ffi::c_char;

use omemo::{Address, DeviceId, Fingerprint, VerificationUri};

use crate::account::{bare_jid, call, with_output};
use crate::omemo_account;
use crate::output::omemo_output;
use crate::ptr::{self, Place};
use crate::status::{Failure, omemo_status};
use crate::value;

/// A person has decided about a key. Only a full fingerprint names one.
///
/// With `OMEMO_POLICY_AUTOMATIC` others are told (XEP-0450): now, or as soon as it can be.
///
/// `jid`: whose key, a bare JID. `fingerprint`: 64 hexadecimal digits; spaces do not matter. `trust`: one of `OMEMO_TRUST_...`.
/// `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, `OMEMO_NOT_FINGERPRINT`, `OMEMO_BAD_VALUE`,
/// `OMEMO_UNKNOWN_KEY`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_decide(
    account: *mut omemo_account,
    jid: *const c_char,
    fingerprint: *const c_char,
    trust: u32,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        let fingerprint: Fingerprint = ptr::text(fingerprint)?
            .parse()
            .map_err(|_| Failure::from(omemo_status::OMEMO_NOT_FINGERPRINT))?;
        let (jid, trust) = (bare_jid(jid)?, value::trust(trust)?);
        Ok(account.decide(&jid, &fingerprint, trust)?)
    })
}

/// A person believes what a URI says, having scanned it from a screen that it trusts: the keys that it names are verified, now or when
/// they are met. `OMEMO_EVENT_VERIFIED` says which was which.
///
/// `uri`: `xmpp:JID?omemo-sid-ID=FINGERPRINT;...`, as other clients show it in QR codes, or that of a trust message (XEP-0434). `output`
/// (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_URI`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_verify(
    account: *mut omemo_account,
    uri: *const c_char,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        let uri = VerificationUri::parse(ptr::text(uri)?).map_err(|error| Failure {
            status: omemo_status::OMEMO_NOT_URI,
            sentence: error.to_string(),
        })?;
        Ok(account.verify(&uri)?)
    })
}

/// What others scan to verify this device, for a QR code.
///
/// `buffer`: where the URI is copied to, with a zero byte at its end, cut off where it does not fit; may be NULL if `size` is 0.
/// `length` (out): its bytes, without the zero byte.
///
/// Returns `OMEMO_OK` or `OMEMO_NULL`. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_uri(
    account: *mut omemo_account,
    buffer: *mut c_char,
    size: usize,
    length: *mut usize,
) -> omemo_status {
    call(account, |account| {
        let place = Place::new(length)?;
        let uri = account.uri().to_string();
        ptr::copy_text(uri.as_bytes(), buffer, size);
        place.put(uri.len());
        Ok(())
    })
}

/// A person agrees that a device is served in legacy although it spoke omemo:2 before, after `OMEMO_EVENT_DOWNGRADED`.
///
/// `jid`, `device`: which one.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, `OMEMO_BAD_VALUE` for what is no id, `OMEMO_UNKNOWN_DEVICE` for
/// one that was not downgraded, or one of `OMEMO_STORE_...`. Reads and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_allow_downgrade(
    account: *mut omemo_account,
    jid: *const c_char,
    device: u32,
) -> omemo_status {
    call(account, |account| {
        let jid = bare_jid(jid)?;
        let device = device_id(device)?;
        Ok(account.allow_downgrade(&Address { jid, device })?)
    })
}

/// The id of a number.
pub(crate) fn device_id(number: u32) -> Result<DeviceId, Failure> {
    DeviceId::new(number).map_err(|_| omemo_status::OMEMO_BAD_VALUE.into())
}
