//! A panic inside a call is a number for C, never the end of the process.
//!
//! The functions here stand for those of the interface: they are `extern "C"` as those are, and a panic that left one would end
//! this test's process. Nothing of the library that ships panics on purpose.

use std::ffi::{CStr, CString, c_char};
use std::panic::panic_any;
use std::path::Path;
use std::ptr::{null, null_mut};

use omemo::{BareJid, Chat, Outgoing};
use tempfile::TempDir;

use crate::account::call;
use crate::panic;
use crate::ptr::{self, Place};
use crate::status::omemo_status::{self, OMEMO_NULL, OMEMO_OK, OMEMO_PANIC};
use crate::{
    omemo_account, omemo_account_acknowledge, omemo_account_caught_up, omemo_account_decide,
    omemo_account_devices, omemo_account_fingerprint, omemo_account_free, omemo_account_inbox,
    omemo_account_inspect, omemo_account_jid, omemo_account_known, omemo_account_offline,
    omemo_account_online, omemo_account_open, omemo_account_receive, omemo_account_receive_all,
    omemo_account_send, omemo_account_send_text, omemo_account_sent, omemo_account_tick,
    omemo_devices, omemo_last_error, omemo_messages, omemo_output, omemo_status_sentence,
};

const JID: &CStr = c"a@b.example";
const STANZA: &CStr = c"<message from='c@d.example'><body>hello</body></message>";

extern "C" fn panics(account: *mut omemo_account) -> omemo_status {
    call(account, |_| panic!("on purpose"))
}

/// Dies with a message sealed into the store, or waiting, and half of an output made.
extern "C" fn panics_after_a_send(account: *mut omemo_account) -> omemo_status {
    call(account, |account| {
        let chat = Chat::Direct(BareJid::parse("c@d.example").unwrap());
        let _lost = account.send(Outgoing::text("1", chat, "text"))?;
        panic!("on purpose")
    })
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("on purpose, while it is dropped")
    }
}

extern "C" fn panics_with_what_panics(account: *mut omemo_account) -> omemo_status {
    call(account, |_| panic_any(PanicsWhenDropped))
}

extern "C" fn asked() -> *const c_char {
    panic::asked(null(), || panic!("on purpose"))
}

extern "C" fn free(object: *mut *mut PanicsWhenDropped) {
    panic::asked((), || {
        drop(ptr::take(object));
        Ok(())
    });
}

fn open(folder: &Path) -> *mut omemo_account {
    let path = CString::new(folder.join("omemo.db").to_str().unwrap()).unwrap();
    let mut account = null_mut();
    let status = omemo_account_open(path.as_ptr(), JID.as_ptr(), null(), &raw mut account);
    assert_eq!(status, OMEMO_OK);
    account
}

fn sentence(account: *const omemo_account) -> String {
    let mut buffer = [c_char::MAX; 500];
    let length = omemo_last_error(account, buffer.as_mut_ptr(), buffer.len());
    let bytes = buffer[..length].iter().map(|byte| byte.to_ne_bytes()[0]);
    String::from_utf8(bytes.collect()).unwrap()
}

/// Every call of a handle, with arguments that are right.
fn calls(account: *mut omemo_account) -> Vec<(&'static str, omemo_status)> {
    let text = |text: &'static CStr| text.as_ptr();
    let mut output: *mut omemo_output = null_mut();
    let mut messages: *mut omemo_messages = null_mut();
    let mut devices: *mut omemo_devices = null_mut();
    let out = &raw mut output;
    let (jid, xml, body) = (text(JID), text(STANZA), text(c"text"));
    let key = text(c"aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa");
    let statuses = vec![
        (
            "online",
            omemo_account_online(account, text(c"a@b.example/c"), false, out),
        ),
        ("offline", omemo_account_offline(account)),
        ("caught_up", omemo_account_caught_up(account, out)),
        ("receive", omemo_account_receive(account, xml, out)),
        (
            "receive_all",
            omemo_account_receive_all(account, &raw const xml, 1, out),
        ),
        (
            "send_text",
            omemo_account_send_text(account, body, jid, body, out),
        ),
        (
            "send",
            omemo_account_send(account, body, jid, xml, null(), out),
        ),
        ("tick", omemo_account_tick(account, out)),
        ("sent", omemo_account_sent(account, &raw const SEVEN, 1)),
        (
            "acknowledge",
            omemo_account_acknowledge(account, &raw const SEVEN, 1),
        ),
        ("inbox", omemo_account_inbox(account, &raw mut messages)),
        ("inspect", omemo_account_inspect(account, jid, out)),
        ("known", omemo_account_known(account, jid, out)),
        (
            "devices",
            omemo_account_devices(account, jid, &raw mut devices),
        ),
        ("decide", omemo_account_decide(account, jid, key, 2, out)),
    ];
    assert!(output.is_null() && messages.is_null() && devices.is_null());
    statuses
}

static SEVEN: u64 = 7;

#[test]
fn a23_a_panic_is_a_status_and_the_handle_refuses_everything_after_it() {
    let provoked: [extern "C" fn(*mut omemo_account) -> omemo_status; 3] =
        [panics, panics_after_a_send, panics_with_what_panics];
    for provoke in provoked {
        let folder = TempDir::new().unwrap();
        let mut account = open(folder.path());
        let fingerprint = ptr::text(omemo_account_fingerprint(account))
            .unwrap()
            .to_owned();
        assert_eq!(sentence(account), "");

        assert_eq!(provoke(account), OMEMO_PANIC);
        let said = ptr::text(omemo_status_sentence(OMEMO_PANIC as i32)).unwrap();
        assert_eq!(sentence(account), said);
        for (name, status) in calls(account) {
            assert_eq!(status, OMEMO_PANIC, "{name}");
        }
        assert_eq!(sentence(account), said);
        // What never changes can still be read.
        assert_eq!(
            ptr::text(omemo_account_jid(account)).unwrap(),
            JID.to_str().unwrap()
        );

        let mut again = open(folder.path());
        omemo_account_free(&raw mut account);
        assert!(account.is_null());
        assert_eq!(
            ptr::text(omemo_account_fingerprint(again)).unwrap(),
            fingerprint
        );
        assert_eq!(omemo_account_offline(again), OMEMO_OK);
        omemo_account_free(&raw mut again);
    }
}

#[test]
fn a23_other_handles_on_the_store_go_on_after_a_panic() {
    let folder = TempDir::new().unwrap();
    let (mut first, mut second) = (open(folder.path()), open(folder.path()));
    assert_eq!(panics_after_a_send(first), OMEMO_PANIC);
    let mut messages = null_mut();
    assert_eq!(omemo_account_inbox(second, &raw mut messages), OMEMO_OK);
    crate::omemo_messages_free(&raw mut messages);
    omemo_account_free(&raw mut first);
    omemo_account_free(&raw mut second);
}

#[test]
fn a23_a_panic_of_an_accessor_is_what_it_gives_where_there_is_nothing() {
    assert!(asked().is_null());
}

#[test]
fn a23_an_object_whose_end_panics_is_freed_once() {
    let mut object = null_mut();
    Place::new(&raw mut object).unwrap().give(PanicsWhenDropped);
    free(&raw mut object);
    assert!(object.is_null());
    free(&raw mut object);
}

#[test]
fn a23_a_call_without_a_handle_does_no_work() {
    assert_eq!(panics(null_mut()), OMEMO_NULL);
}
