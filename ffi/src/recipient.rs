//! Whom a message serves, and whom it does not.

use std::ffi::c_char;

use omemo::{Address, Served, Unserved};

use crate::panic;
use crate::ptr;
use crate::reason::omemo_reason;
use crate::status::Failure;
use crate::text::{self, Text};
use crate::value::omemo_protocol;

/// A device, or an account as a whole, that a message was encrypted for, or was not. It belongs to its event.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_recipient {
    jid: Text,
    device: u32,
    protocol: omemo_protocol,
    reason: omemo_reason,
    text: Option<Text>,
}

impl From<Served> for omemo_recipient {
    fn from(served: Served) -> Self {
        Self {
            jid: Text::new(served.device.jid.as_str()),
            device: served.device.device.get(),
            protocol: served.version.into(),
            reason: omemo_reason::OMEMO_REASON_NONE,
            text: None,
        }
    }
}

impl From<Unserved> for omemo_recipient {
    fn from(unserved: Unserved) -> Self {
        Self {
            jid: Text::new(unserved.jid.as_str()),
            device: unserved.device.map_or(0, omemo::DeviceId::get),
            protocol: omemo_protocol::OMEMO_PROTOCOL_NONE,
            reason: omemo_reason::of_unserved(&unserved.reason),
            text: Some(Text::new(unserved.reason.to_string())),
        }
    }
}

impl omemo_recipient {
    /// A device that is known with another key than it was said to have.
    pub(crate) fn contradicted(device: &Address) -> Self {
        Self {
            jid: Text::new(device.jid.as_str()),
            device: device.device.get(),
            protocol: omemo_protocol::OMEMO_PROTOCOL_NONE,
            reason: omemo_reason::OMEMO_REASON_IDENTITY_CHANGED,
            text: None,
        }
    }
}

pub(crate) fn recipients<T: Into<omemo_recipient>>(all: Vec<T>) -> Vec<omemo_recipient> {
    all.into_iter().map(Into::into).collect()
}

fn ask_recipient<T>(
    recipient: *const omemo_recipient,
    otherwise: T,
    answer: impl FnOnce(&omemo_recipient) -> T,
) -> T {
    panic::asked(otherwise, || {
        Ok::<_, Failure>(answer(ptr::borrow(recipient)?))
    })
}

/// Its bare JID.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_recipient_jid(recipient: *const omemo_recipient) -> *const c_char {
    ask_recipient(recipient, std::ptr::null(), |recipient| {
        recipient.jid.as_ptr()
    })
}

/// Its device; 0 where the account as a whole is meant.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_recipient_device(recipient: *const omemo_recipient) -> u32 {
    ask_recipient(recipient, 0, |recipient| recipient.device)
}

/// In which protocol it is served; none for one that is not.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_recipient_protocol(recipient: *const omemo_recipient) -> omemo_protocol {
    ask_recipient(
        recipient,
        omemo_protocol::OMEMO_PROTOCOL_NONE,
        |recipient| recipient.protocol,
    )
}

/// Why it is not served, as a number for programs.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_recipient_reason(recipient: *const omemo_recipient) -> omemo_reason {
    ask_recipient(recipient, omemo_reason::OMEMO_REASON_NONE, |recipient| {
        recipient.reason
    })
}

/// Why it is not served, in words for people; NULL for one that is.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_recipient_text(recipient: *const omemo_recipient) -> *const c_char {
    ask_recipient(recipient, std::ptr::null(), |recipient| {
        text::pointer(recipient.text.as_ref())
    })
}
