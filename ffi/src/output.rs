//! What a call returns: stanzas to send and events to show.

use std::ffi::c_char;
use std::sync::atomic::{AtomicUsize, Ordering};

use omemo::{Output, Stanza, xml};

use crate::event::omemo_event;
use crate::panic;
use crate::ptr::{self, Place};
use crate::status::{Failure, omemo_status};
use crate::text::Text;

/// The result of a call. Everything in it is already durable: what is not sent now is handed out again.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_output {
    consumed: bool,
    stanzas: Vec<omemo_stanza>,
    events: Vec<omemo_event>,
    wake: Option<i64>,
    next_stanza: AtomicUsize,
    next_event: AtomicUsize,
}

/// One stanza to send. It belongs to its output.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_stanza {
    xml: Text,
    ticket: Option<u64>,
}

impl omemo_stanza {
    fn new(stanza: &Stanza) -> Result<Self, Failure> {
        let xml = xml::to_text(&stanza.element).map_err(|error| Failure {
            status: omemo_status::OMEMO_BUG,
            sentence: format!("a stanza of ours cannot be written: {error}"),
        })?;
        Ok(Self {
            xml: Text::new(xml),
            ticket: stanza.ticket.map(omemo::Ticket::get),
        })
    }
}

impl omemo_output {
    pub(crate) fn new(output: Output) -> Result<Self, Failure> {
        let stanzas = output.stanzas.iter().map(omemo_stanza::new);
        Ok(Self {
            consumed: output.consumed,
            stanzas: stanzas.collect::<Result<_, _>>()?,
            events: output.events.into_iter().map(omemo_event::new).collect(),
            wake: output.wake.map(omemo::Timestamp::seconds),
            next_stanza: AtomicUsize::new(0),
            next_event: AtomicUsize::new(0),
        })
    }
}

/// Frees an output with all stanzas and events, wipes their texts, and sets the caller's pointer to NULL. NULL, and a pointer
/// to NULL, are harmless.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_output_free(output: *mut *mut omemo_output) {
    panic::asked((), || {
        drop(ptr::take(output));
        Ok(())
    });
}

/// Whether the stanza that was handed in was ours: then the app neither shows nor routes it.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_output_consumed(output: *const omemo_output) -> bool {
    panic::asked(false, || Ok(ptr::borrow(output)?.consumed))
}

/// When `omemo_account_tick` is due.
///
/// `seconds` (out): seconds since 1970, written only if it is due at some time; may be NULL.
///
/// Returns whether it is. Only the newest output's answer counts.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_output_wake(output: *const omemo_output, seconds: *mut i64) -> bool {
    panic::asked(false, || {
        let wake = ptr::borrow(output)?.wake;
        if let (Some(wake), Ok(place)) = (wake, Place::new(seconds)) {
            place.put(wake);
        }
        Ok(wake.is_some())
    })
}

/// The next stanza to send, in order; NULL after the last. It lives as long as the output.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_output_next_stanza(output: *mut omemo_output) -> *const omemo_stanza {
    panic::asked(std::ptr::null(), || {
        let output = ptr::borrow(output)?;
        let stanza = next(&output.stanzas, &output.next_stanza);
        Ok(stanza.map_or(std::ptr::null(), std::ptr::from_ref))
    })
}

/// The next event, in order; NULL after the last. It lives as long as the output.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_output_next_event(output: *mut omemo_output) -> *const omemo_event {
    panic::asked(std::ptr::null(), || {
        let output = ptr::borrow(output)?;
        let event = next(&output.events, &output.next_event);
        Ok(event.map_or(std::ptr::null(), std::ptr::from_ref))
    })
}

fn next<'a, T>(all: &'a [T], position: &AtomicUsize) -> Option<&'a T> {
    let item = all.get(position.fetch_add(1, Ordering::Relaxed));
    if item.is_none() {
        position.store(all.len(), Ordering::Relaxed);
    }
    item
}

/// A stanza as XML, one element in the namespace `jabber:client`; NULL for NULL. It lives as long as the output. The `id` of a
/// `<message/>` is the one that was given to `omemo_account_send`; one of the library's own has another.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_stanza_xml(stanza: *const omemo_stanza) -> *const c_char {
    panic::asked(std::ptr::null(), || Ok(ptr::borrow(stanza)?.xml.as_ptr()))
}

/// The ticket of a stanza; messages have one. Give it to `omemo_account_sent` once the server has the stanza (XEP-0198, or the
/// stream closed in good order after it).
///
/// `ticket` (out): written only if there is one; may be NULL.
///
/// Returns whether there is.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_stanza_ticket(stanza: *const omemo_stanza, ticket: *mut u64) -> bool {
    panic::asked(false, || {
        let number = ptr::borrow(stanza)?.ticket;
        if let (Some(number), Ok(place)) = (number, Place::new(ticket)) {
            place.put(number);
        }
        Ok(number.is_some())
    })
}
