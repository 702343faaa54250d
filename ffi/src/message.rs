//! Decrypted messages.

use std::ffi::c_char;

use omemo::{Chat, Message, TransportedKey, xml};

use crate::panic;
use crate::ptr::{self, Place};
use crate::status::Failure;
use crate::text::{self, Text};
use crate::value::{omemo_protocol, omemo_trust};

/// A decrypted message. It stands in the account's inbox until it is acknowledged. It belongs to the output or the list that
/// it was found in and is freed, and wiped, with it.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_message {
    inbox_id: u64,
    id: Option<Text>,
    from: Text,
    device: u32,
    chat: Text,
    in_room: bool,
    protocol: omemo_protocol,
    trust: omemo_trust,
    delay: Option<i64>,
    time_differs: bool,
    body: Option<Text>,
    content: Vec<Text>,
    transported: Option<TransportedKey>,
}

impl omemo_message {
    pub(crate) fn new(message: &Message) -> Self {
        let content = message.content.iter();
        Self {
            inbox_id: message.inbox_id.get(),
            id: message.id.as_deref().map(Text::new),
            from: Text::new(message.from.jid.as_str()),
            device: message.from.device.get(),
            chat: Text::new(message.chat.jid().as_str()),
            in_room: matches!(message.chat, Chat::Room(_)),
            protocol: message.version.into(),
            trust: message.trust.into(),
            delay: message.delay.map(omemo::Timestamp::seconds),
            time_differs: message.time_differs,
            body: message.body().map(Text::new),
            // What was stored can be written.
            content: content
                .filter_map(|element| xml::to_text(element).ok().map(Text::new))
                .collect(),
            transported: message.transported.clone(),
        }
    }
}

/// Messages of the inbox, in order of arrival.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_messages(pub(crate) Vec<omemo_message>);

impl omemo_messages {
    pub(crate) fn give(messages: &[Message], place: Place<*mut Self>) {
        place.give(Self(messages.iter().map(omemo_message::new).collect()));
    }
}

/// The message at a position, from 0 on; NULL beyond the last, and where `messages` is NULL. It lives as long as the list.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_messages_get(
    messages: *const omemo_messages,
    index: usize,
) -> *const omemo_message {
    panic::asked(std::ptr::null(), || {
        let message = ptr::borrow(messages)?.0.get(index);
        Ok(message.map_or(std::ptr::null(), std::ptr::from_ref))
    })
}

/// Frees a list of messages, wipes their texts, and sets the caller's pointer to NULL. The inbox stays as it is. NULL, and a
/// pointer to NULL, are harmless.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_messages_free(messages: *mut *mut omemo_messages) {
    panic::asked((), || {
        drop(ptr::take(messages));
        Ok(())
    });
}

fn ask<T>(
    message: *const omemo_message,
    otherwise: T,
    answer: impl FnOnce(&omemo_message) -> T,
) -> T {
    panic::asked(otherwise, || {
        Ok::<_, Failure>(answer(ptr::borrow(message)?))
    })
}

/// What `omemo_account_acknowledge` wants once the app has stored the message; 0 for NULL. Later messages have higher ones.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_message_inbox_id(message: *const omemo_message) -> u64 {
    ask(message, 0, |message| message.inbox_id)
}

/// The `id` of the stanza, which is the sender's own id of the message; NULL if it had none.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_message_id(message: *const omemo_message) -> *const c_char {
    ask(message, std::ptr::null(), |message| {
        text::pointer(message.id.as_ref())
    })
}

/// The bare JID of the account that wrote it, proven by its session.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_message_from(message: *const omemo_message) -> *const c_char {
    ask(message, std::ptr::null(), |message| message.from.as_ptr())
}

/// The id of the device that wrote it; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_message_device(message: *const omemo_message) -> u32 {
    ask(message, 0, |message| message.device)
}

/// The bare JID of the contact in whose conversation it belongs, also when another device of ours wrote it, or of the room.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_message_chat(message: *const omemo_message) -> *const c_char {
    ask(message, std::ptr::null(), |message| message.chat.as_ptr())
}

/// Whether it was written in a room: `omemo_message_chat` is the room then, and `omemo_message_from` the real JID of who wrote it.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_message_in_room(message: *const omemo_message) -> bool {
    ask(message, false, |message| message.in_room)
}

/// In which protocol it came.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_message_protocol(message: *const omemo_message) -> omemo_protocol {
    ask(message, omemo_protocol::OMEMO_PROTOCOL_NONE, |message| {
        message.protocol
    })
}

/// How far the sender's key was trusted when the message was decrypted.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_message_trust(message: *const omemo_message) -> omemo_trust {
    ask(message, omemo_trust::OMEMO_TRUST_UNDECIDED, |message| {
        message.trust
    })
}

/// The text of its `<body/>`; NULL if it has none.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_message_body(message: *const omemo_message) -> *const c_char {
    ask(message, std::ptr::null(), |message| {
        text::pointer(message.body.as_ref())
    })
}

/// One of its content elements as XML, by position from 0 on; NULL beyond the last. Each declares its own namespace.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_message_content(
    message: *const omemo_message,
    index: usize,
) -> *const c_char {
    ask(message, std::ptr::null(), |message| {
        text::pointer(message.content.get(index))
    })
}

/// When the server received it, if it came late (XEP-0203) or from the archive.
///
/// `seconds` (out): seconds since 1970, written only if there is such a time; may be NULL.
///
/// Returns whether there is.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_message_delay(message: *const omemo_message, seconds: *mut i64) -> bool {
    ask(message, false, |message| {
        if let (Some(delay), Ok(place)) = (message.delay, Place::new(seconds)) {
            place.put(delay);
        }
        message.delay.is_some()
    })
}

/// Whether the sender's own time differs from the server's by more than a day: a server that reorders, or a wrong clock.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_message_time_differs(message: *const omemo_message) -> bool {
    ask(message, false, |message| message.time_differs)
}

/// The key that a legacy message without content hands over (XEP-0384 0.3.0 §4.6), with its initialization vector; only with
/// `omemo_settings_set_key_transport`.
///
/// `length` (out): the number of bytes, written only if there is such a key; may be NULL.
///
/// Returns the key of 16 bytes and then the vector of 12 or 16; NULL if there is none. It lives as long as the message.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_message_transported(
    message: *const omemo_message,
    length: *mut usize,
) -> *const u8 {
    ask(message, std::ptr::null(), |message| {
        bytes_of(message.transported.as_ref(), length)
    })
}

/// A key that is handed over, for C.
pub(crate) fn bytes_of(key: Option<&TransportedKey>, length: *mut usize) -> *const u8 {
    let Some(key) = key else {
        return std::ptr::null();
    };
    if let Ok(place) = Place::new(length) {
        place.put(key.as_bytes().len());
    }
    key.as_bytes().as_ptr()
}
