//! What is known of devices.

use std::ffi::c_char;

use omemo::Device;

use crate::panic;
use crate::ptr::{self, Place};
use crate::status::Failure;
use crate::text::{self, Text};
use crate::value::{self, omemo_trust};

/// One device of an account. It belongs to the list that it was found in.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_device {
    id: u32,
    listed: u32,
    sessions: u32,
    fingerprint: Option<Text>,
    trust: omemo_trust,
    label: Option<Text>,
    failure: Option<Text>,
    heard_at: Option<i64>,
    stale: bool,
    own: bool,
}

impl omemo_device {
    fn new(device: Device) -> Self {
        Self {
            id: device.address.device.get(),
            listed: value::bits(&device.listed),
            sessions: value::bits(&device.sessions),
            fingerprint: device
                .fingerprint
                .map(|fingerprint| Text::new(fingerprint.to_string())),
            trust: device.trust.into(),
            label: device.label.map(Text::new),
            failure: device.failure.map(Text::new),
            heard_at: device.heard_at.map(omemo::Timestamp::seconds),
            stale: device.stale,
            own: device.own,
        }
    }
}

/// The devices of an account, by id.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_devices(Vec<omemo_device>);

impl omemo_devices {
    pub(crate) fn give(devices: Vec<Device>, place: Place<*mut Self>) {
        place.give(Self(devices.into_iter().map(omemo_device::new).collect()));
    }
}

/// The device at a position, from 0 on; NULL beyond the last. It lives as long as the list.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_devices_get(
    devices: *const omemo_devices,
    index: usize,
) -> *const omemo_device {
    panic::asked(std::ptr::null(), || {
        let device = ptr::borrow(devices)?.0.get(index);
        Ok(device.map_or(std::ptr::null(), std::ptr::from_ref))
    })
}

/// Frees a list of devices and sets the caller's pointer to NULL. NULL, and a pointer to NULL, are harmless.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_devices_free(devices: *mut *mut omemo_devices) {
    panic::asked((), || {
        drop(ptr::take(devices));
        Ok(())
    });
}

fn ask<T>(device: *const omemo_device, otherwise: T, answer: impl FnOnce(&omemo_device) -> T) -> T {
    panic::asked(otherwise, || Ok::<_, Failure>(answer(ptr::borrow(device)?)))
}

/// The device's id; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_device_id(device: *const omemo_device) -> u32 {
    ask(device, 0, |device| device.id)
}

/// The protocols in which it is on its account's list, as a sum of `OMEMO_PROTOCOL_...`; 0 for a device that left.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_device_listed(device: *const omemo_device) -> u32 {
    ask(device, 0, |device| device.listed)
}

/// The protocols in which there is a session with it, as a sum of `OMEMO_PROTOCOL_...`.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_device_sessions(device: *const omemo_device) -> u32 {
    ask(device, 0, |device| device.sessions)
}

/// Its fingerprint: eight groups of eight hexadecimal digits; NULL before its key was seen.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_device_fingerprint(device: *const omemo_device) -> *const c_char {
    ask(device, std::ptr::null(), |device| {
        text::pointer(device.fingerprint.as_ref())
    })
}

/// The decision about its key.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_device_trust(device: *const omemo_device) -> omemo_trust {
    ask(device, omemo_trust::OMEMO_TRUST_UNDECIDED, |device| {
        device.trust
    })
}

/// What its owner calls it, signed by its key; NULL if there is nothing of the kind.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_device_label(device: *const omemo_device) -> *const c_char {
    ask(device, std::ptr::null(), |device| {
        text::pointer(device.label.as_ref())
    })
}

/// Why it could not be reached last, in words for people; NULL if nothing was wrong.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_device_failure(device: *const omemo_device) -> *const c_char {
    ask(device, std::ptr::null(), |device| {
        text::pointer(device.failure.as_ref())
    })
}

/// When a message of it was last decrypted, to the day.
///
/// `seconds` (out): seconds since 1970, written only if there was one; may be NULL.
///
/// Returns whether there was.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_device_heard_at(device: *const omemo_device, seconds: *mut i64) -> bool {
    ask(device, false, |device| {
        if let (Some(heard_at), Ok(place)) = (device.heard_at, Place::new(seconds)) {
            place.put(heard_at);
        }
        device.heard_at.is_some()
    })
}

/// Whether it has been silent for so long that it is served no more, see `omemo_settings_set_stale`.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_device_is_stale(device: *const omemo_device) -> bool {
    ask(device, false, |device| device.stale)
}

/// Whether it is this very device.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_device_is_own(device: *const omemo_device) -> bool {
    ask(device, false, |device| device.own)
}
