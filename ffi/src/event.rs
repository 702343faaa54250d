//! What happened.

use std::ffi::c_char;

use omemo::TransportedKey;

use crate::event_kind::omemo_event_kind;
use crate::message::{bytes_of, omemo_message};
use crate::panic;
use crate::ptr;
use crate::reason::omemo_reason;
use crate::recipient::omemo_recipient;
use crate::status::Failure;
use crate::text::{self, Text};
use crate::value::{omemo_protocol, omemo_trust};

/// Something that happened. It belongs to its output.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_event {
    pub(crate) kind: omemo_event_kind,
    pub(crate) message: Option<Box<omemo_message>>,
    pub(crate) jid: Option<Text>,
    pub(crate) device: u32,
    pub(crate) protocol: omemo_protocol,
    pub(crate) id: Option<Text>,
    pub(crate) reason: omemo_reason,
    pub(crate) text: Option<Text>,
    pub(crate) fingerprint: Option<Text>,
    pub(crate) trust: omemo_trust,
    pub(crate) maybe_delivered: bool,
    pub(crate) accounts: Vec<Text>,
    pub(crate) keys: Vec<Text>,
    pub(crate) held_keys: Vec<Text>,
    pub(crate) transported: Option<TransportedKey>,
    pub(crate) served: Vec<omemo_recipient>,
    pub(crate) unserved: Vec<omemo_recipient>,
}

fn ask<T>(event: *const omemo_event, otherwise: T, answer: impl FnOnce(&omemo_event) -> T) -> T {
    panic::asked(otherwise, || Ok::<_, Failure>(answer(ptr::borrow(event)?)))
}

/// What kind of event it is; `OMEMO_EVENT_OTHER` for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_kind_of(event: *const omemo_event) -> omemo_event_kind {
    ask(event, omemo_event_kind::OMEMO_EVENT_OTHER, |event| {
        event.kind
    })
}

/// The decrypted message; NULL for other kinds. It lives as long as the output.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_message(event: *const omemo_event) -> *const omemo_message {
    ask(event, std::ptr::null(), |event| {
        event
            .message
            .as_deref()
            .map_or(std::ptr::null(), std::ptr::from_ref)
    })
}

/// The bare JID that it is about; NULL for kinds without one.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_jid(event: *const omemo_event) -> *const c_char {
    ask(event, std::ptr::null(), |event| {
        text::pointer(event.jid.as_ref())
    })
}

/// The device that it is about; 0 for kinds without one.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_device(event: *const omemo_event) -> u32 {
    ask(event, 0, |event| event.device)
}

/// The protocol that it is about.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_protocol(event: *const omemo_event) -> omemo_protocol {
    ask(event, omemo_protocol::OMEMO_PROTOCOL_NONE, |event| {
        event.protocol
    })
}

/// The id of the message that it is about; NULL for kinds without one.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_id(event: *const omemo_event) -> *const c_char {
    ask(event, std::ptr::null(), |event| {
        text::pointer(event.id.as_ref())
    })
}

/// Why, as a number for programs.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_reason(event: *const omemo_event) -> omemo_reason {
    ask(event, omemo_reason::OMEMO_REASON_NONE, |event| event.reason)
}

/// Why, or what, in words for people; NULL for kinds without them.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_text(event: *const omemo_event) -> *const c_char {
    ask(event, std::ptr::null(), |event| {
        text::pointer(event.text.as_ref())
    })
}

/// The fingerprint that it is about: eight groups of eight hexadecimal digits; NULL for kinds without one.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_fingerprint(event: *const omemo_event) -> *const c_char {
    ask(event, std::ptr::null(), |event| {
        text::pointer(event.fingerprint.as_ref())
    })
}

/// What the policy made of that key.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_trust(event: *const omemo_event) -> omemo_trust {
    ask(event, omemo_trust::OMEMO_TRUST_UNDECIDED, |event| {
        event.trust
    })
}

/// Whether a stanza that was dropped had been handed out before, so that it may have arrived all the same.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_maybe_delivered(event: *const omemo_event) -> bool {
    ask(event, false, |event| event.maybe_delivered)
}

/// The fingerprint of a key that is decided now, by position from 0 on; NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_key(event: *const omemo_event, index: usize) -> *const c_char {
    ask(event, std::ptr::null(), |event| {
        text::pointer(event.keys.get(index))
    })
}

/// The fingerprint of a key that is decided when it is met, by position from 0 on; NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_held_key(event: *const omemo_event, index: usize) -> *const c_char {
    ask(event, std::ptr::null(), |event| {
        text::pointer(event.held_keys.get(index))
    })
}

/// The key that was handed over, with its initialization vector, as `omemo_message_transported` gives it to the other side.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_transported(
    event: *const omemo_event,
    length: *mut usize,
) -> *const u8 {
    ask(event, std::ptr::null(), |event| {
        bytes_of(event.transported.as_ref(), length)
    })
}

/// An account that it is about, by position from 0 on; NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_account(event: *const omemo_event, index: usize) -> *const c_char {
    ask(event, std::ptr::null(), |event| {
        text::pointer(event.accounts.get(index))
    })
}

/// A device that can read the message, by position from 0 on; NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_served(
    event: *const omemo_event,
    index: usize,
) -> *const omemo_recipient {
    ask(event, std::ptr::null(), |event| {
        event
            .served
            .get(index)
            .map_or(std::ptr::null(), std::ptr::from_ref)
    })
}

/// A device, or an account as a whole, that cannot, by position from 0 on; NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_event_unserved(
    event: *const omemo_event,
    index: usize,
) -> *const omemo_recipient {
    ask(event, std::ptr::null(), |event| {
        event
            .unserved
            .get(index)
            .map_or(std::ptr::null(), std::ptr::from_ref)
    })
}
