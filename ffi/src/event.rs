//! What happened.

use std::ffi::c_char;

use omemo::{Event, Fingerprint, Served, Trust, Unserved, Version};

use crate::message::omemo_message;
use crate::panic;
use crate::ptr;
use crate::reason::omemo_reason;
use crate::status::Failure;
use crate::text::{self, Text};
use crate::value::{omemo_protocol, omemo_trust};

/// What kind of event it is. The comment of each names what can be asked of it; everything else is NULL, 0 or false. New kinds
/// may be added: ignore those that you do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
#[expect(non_camel_case_types, reason = "the header's name")]
#[non_exhaustive]
pub enum omemo_event_kind {
    /// Of a newer version of this library.
    OMEMO_EVENT_OTHER = 0,
    /// A decrypted message: `message`. It stays in the inbox until it is acknowledged, and is handed out again, with the same
    /// inbox id, if its stanza arrives again before that.
    OMEMO_EVENT_MESSAGE = 1,
    /// A message for us that cannot be read: `jid`, `device` (0 if unknown), `protocol`, `id` (of the stanza), `reason`,
    /// `text`.
    OMEMO_EVENT_UNDECRYPTABLE = 2,
    /// A message was sealed and stands in the outbox: `id` (the app's), `jid` (the chat), `served`, `unserved`.
    OMEMO_EVENT_SEALED = 3,
    /// A message was given up, since no device of the recipient can be served; nothing was sent: `id`, `jid`, `unserved`.
    OMEMO_EVENT_REFUSED = 4,
    /// A sealed stanza was dropped from the outbox: `id`, `reason`, `text`, `maybe_delivered`. If the message still matters,
    /// send it again under a new id.
    OMEMO_EVENT_UNSENT = 5,
    /// Our device is published, or its bundle was renewed: `protocol`. It comes in each stream that was not resumed, also if
    /// nothing had to be done: from now on others can write to this device.
    OMEMO_EVENT_PUBLISHED = 6,
    /// A protocol is off for this stream: `protocol`, `text`.
    OMEMO_EVENT_PROTOCOL_OFF = 7,
    /// The server breaks a requirement of XEP-0384 §7: `protocol`, `text`.
    OMEMO_EVENT_SERVER_LACKS = 8,
    /// An identity key was seen for the first time: `jid`, `device`, `fingerprint`, `trust`.
    OMEMO_EVENT_NEW_KEY = 9,
    /// A device shows another identity key than before, which was refused: `jid`, `device`, `protocol`.
    OMEMO_EVENT_IDENTITY_CHANGED = 10,
    /// An account's device list changed: `jid`, `protocol`.
    OMEMO_EVENT_DEVICES_CHANGED = 11,
    /// An account's device list was refused; the known one stays in force: `jid`, `protocol`, `text`.
    OMEMO_EVENT_LIST_REFUSED = 12,
    /// `omemo_account_inspect` has learnt all it can: `jid`.
    OMEMO_EVENT_INSPECTED = 13,
    /// Nobody closed the catch-up for an hour, so it was closed now.
    OMEMO_EVENT_CATCH_UP_EXPIRED = 14,
    /// Our device list or bundle had been taken away and was published again: `protocol`.
    OMEMO_EVENT_REANNOUNCED = 15,
}

/// Something that happened. It belongs to its output.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_event {
    kind: omemo_event_kind,
    message: Option<Box<omemo_message>>,
    jid: Option<Text>,
    device: u32,
    protocol: omemo_protocol,
    id: Option<Text>,
    reason: omemo_reason,
    text: Option<Text>,
    fingerprint: Option<Text>,
    trust: omemo_trust,
    maybe_delivered: bool,
    served: Vec<omemo_recipient>,
    unserved: Vec<omemo_recipient>,
}

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

fn recipients<T: Into<omemo_recipient>>(all: Vec<T>) -> Vec<omemo_recipient> {
    all.into_iter().map(Into::into).collect()
}

impl omemo_event {
    const fn bare(kind: omemo_event_kind) -> Self {
        Self {
            kind,
            message: None,
            jid: None,
            device: 0,
            protocol: omemo_protocol::OMEMO_PROTOCOL_NONE,
            id: None,
            reason: omemo_reason::OMEMO_REASON_NONE,
            text: None,
            fingerprint: None,
            trust: omemo_trust::OMEMO_TRUST_UNDECIDED,
            maybe_delivered: false,
            served: Vec::new(),
            unserved: Vec::new(),
        }
    }

    fn jid(mut self, jid: &str) -> Self {
        self.jid = Some(Text::new(jid));
        self
    }

    const fn device(mut self, device: u32) -> Self {
        self.device = device;
        self
    }

    fn protocol(mut self, version: Version) -> Self {
        self.protocol = version.into();
        self
    }

    fn id(mut self, id: String) -> Self {
        self.id = Some(Text::new(id));
        self
    }

    fn text(mut self, text: String) -> Self {
        self.text = Some(Text::new(text));
        self
    }

    fn key(mut self, fingerprint: &Fingerprint, trust: Trust) -> Self {
        self.fingerprint = Some(Text::new(fingerprint.to_string()));
        self.trust = trust.into();
        self
    }

    pub(crate) fn new(event: Event) -> Self {
        use omemo_event_kind as Kind;
        match event {
            Event::Message(message) => Self {
                message: Some(Box::new(omemo_message::new(&message))),
                ..Self::bare(Kind::OMEMO_EVENT_MESSAGE)
            },
            Event::Sealed {
                id,
                chat,
                served,
                unserved,
            } => Self {
                served: recipients(served),
                unserved: recipients(unserved),
                ..Self::bare(Kind::OMEMO_EVENT_SEALED)
            }
            .id(id)
            .jid(chat.jid().as_str()),
            Event::Refused { id, chat, unserved } => Self {
                unserved: recipients(unserved),
                ..Self::bare(Kind::OMEMO_EVENT_REFUSED)
            }
            .id(id)
            .jid(chat.jid().as_str()),
            Event::Unsent {
                id,
                reason,
                maybe_delivered,
            } => Self {
                maybe_delivered,
                reason: omemo_reason::of_unsent(&reason),
                ..Self::bare(Kind::OMEMO_EVENT_UNSENT)
            }
            .id(id)
            .text(reason.to_string()),
            Event::Undecryptable {
                from,
                device,
                version,
                id,
                reason,
            } => Self {
                id: id.map(Text::new),
                reason: omemo_reason::of_undecryptable(&reason),
                ..Self::bare(Kind::OMEMO_EVENT_UNDECRYPTABLE)
            }
            .jid(from.as_str())
            .device(device.map_or(0, omemo::DeviceId::get))
            .protocol(version)
            .text(reason.to_string()),
            other => Self::of_account(other),
        }
    }

    /// Events that are about no message.
    fn of_account(event: Event) -> Self {
        use omemo_event_kind as Kind;
        match event {
            Event::Published { version } => {
                Self::bare(Kind::OMEMO_EVENT_PUBLISHED).protocol(version)
            }
            Event::ProtocolOff { version, reason } => Self::bare(Kind::OMEMO_EVENT_PROTOCOL_OFF)
                .protocol(version)
                .text(reason),
            Event::ServerLacks {
                version,
                requirement,
            } => Self::bare(Kind::OMEMO_EVENT_SERVER_LACKS)
                .protocol(version)
                .text(requirement),
            Event::NewKey {
                device,
                fingerprint,
                trust,
            } => Self::bare(Kind::OMEMO_EVENT_NEW_KEY)
                .jid(device.jid.as_str())
                .device(device.device.get())
                .key(&fingerprint, trust),
            Event::IdentityChanged { device, version } => {
                Self::bare(Kind::OMEMO_EVENT_IDENTITY_CHANGED)
                    .jid(device.jid.as_str())
                    .device(device.device.get())
                    .protocol(version)
            }
            Event::DevicesChanged { jid, version } => Self::bare(Kind::OMEMO_EVENT_DEVICES_CHANGED)
                .jid(jid.as_str())
                .protocol(version),
            Event::ListRefused {
                jid,
                version,
                reason,
            } => Self::bare(Kind::OMEMO_EVENT_LIST_REFUSED)
                .jid(jid.as_str())
                .protocol(version)
                .text(reason),
            Event::Inspected { jid } => Self::bare(Kind::OMEMO_EVENT_INSPECTED).jid(jid.as_str()),
            Event::CatchUpExpired => Self::bare(Kind::OMEMO_EVENT_CATCH_UP_EXPIRED),
            Event::Reannounced { version } => {
                Self::bare(Kind::OMEMO_EVENT_REANNOUNCED).protocol(version)
            }
            _ => Self::bare(Kind::OMEMO_EVENT_OTHER),
        }
    }
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
