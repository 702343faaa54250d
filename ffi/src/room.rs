//! Rooms (XEP-0045): members, and messages to all of them.

use std::ffi::c_char;

use omemo::{BareJid, Chat};

use crate::account::{bare_jid, call, outgoing, with_output};
use crate::omemo_account;
use crate::output::omemo_output;
use crate::panic;
use crate::ptr::{self, Place};
use crate::status::omemo_status;
use crate::text::{self, Text};

/// Several bare JIDs.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_jids(Vec<Text>);

impl omemo_jids {
    fn give(jids: &[BareJid], place: Place<*mut Self>) {
        place.give(Self(
            jids.iter().map(|jid| Text::new(jid.as_str())).collect(),
        ));
    }
}

/// The JID at a position, from 0 on; NULL beyond the last, and where `jids` is NULL. It lives as long as the list.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_jids_get(jids: *const omemo_jids, index: usize) -> *const c_char {
    panic::asked(std::ptr::null(), || {
        Ok(text::pointer(ptr::borrow(jids)?.0.get(index)))
    })
}

/// Frees a list of JIDs and sets the caller's pointer to NULL. NULL, and a pointer to NULL, are harmless.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_jids_free(jids: *mut *mut omemo_jids) {
    panic::asked((), || {
        drop(ptr::take(jids));
        Ok(())
    });
}

/// The app is about to join a room, with a presence of its own (XEP-0045 §7.2): from now on the room's stanzas are looked at, and
/// when it has let us in its members are asked for. Ends with `OMEMO_EVENT_ROOM_READY` or `OMEMO_EVENT_ROOM_REFUSED`. To be
/// called again in each stream that was not resumed.
///
/// `room`: the room's bare JID. `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_enter(
    account: *mut omemo_account,
    room: *const c_char,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        Ok(account.enter(&bare_jid(room)?)?)
    })
}

/// The app has left a room: its stanzas are looked at no more.
///
/// Returns what `omemo_account_enter` does.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_leave(
    account: *mut omemo_account,
    room: *const c_char,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        Ok(account.leave(&bare_jid(room)?)?)
    })
}

/// Whom messages to a room are encrypted for, ourselves left out; none before `OMEMO_EVENT_ROOM_READY`.
///
/// `room`: the room's bare JID. `jids` (out): free it with `omemo_jids_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, or one of `OMEMO_STORE_...`. Reads the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_members(
    account: *mut omemo_account,
    room: *const c_char,
    jids: *mut *mut omemo_jids,
) -> omemo_status {
    call(account, |account| {
        let place = Place::new(jids)?;
        let members = account.members(&bare_jid(room)?)?;
        omemo_jids::give(&members.unwrap_or_default(), place);
        Ok(())
    })
}

/// Encrypts a message for the members of a room, as `omemo_account_send` does for a contact.
///
/// `room`: the room's bare JID.
///
/// Returns what `omemo_account_send` does.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_send_to_room(
    account: *mut omemo_account,
    id: *const c_char,
    room: *const c_char,
    content: *const c_char,
    hints: *const c_char,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        let chat = Chat::Room(bare_jid(room)?);
        Ok(account.send(outgoing(id, chat, content, hints)?)?)
    })
}
