//! The account: what every call of it has in common, and the calls.

use std::ffi::c_char;
use std::sync::{Mutex, MutexGuard, PoisonError};

use omemo::{
    Account, BareJid, CallerError, Chat, Environment, FullJid, InboxId, Outgoing, Output, Ticket,
    xml,
};
use omemo_sqlite::{FileAnchor, SqliteStore};

use crate::device::omemo_devices;
use crate::last_error;
use crate::message::omemo_messages;
use crate::output::omemo_output;
use crate::panic;
use crate::ptr::{self, Place};
use crate::settings::{Chosen, omemo_settings};
use crate::status::{Failure, omemo_status};
use crate::store;
use crate::text::Text;

/// One device of one account, on a store on disk. It may be used from several threads: calls wait for each other. Several
/// processes may open the same store: transactions wait for each other, for at most 10 seconds.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_account {
    inner: Mutex<Inner>,
    jid: Text,
    fingerprint: Text,
    features: Vec<Text>,
}

struct Inner {
    account: Account<SqliteStore>,
    last_error: Text,
    /// A panic ended a call: what the handle holds in memory is not to be trusted any more.
    broken: bool,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            account,
            last_error: _,
            broken,
        } = self;
        f.debug_struct("Inner")
            .field("account", account)
            .field("broken", broken)
            .finish_non_exhaustive()
    }
}

impl omemo_account {
    /// Shows the sentence of the last call that failed.
    pub(crate) fn with_last_error<T>(&self, show: impl FnOnce(&Text) -> T) -> T {
        show(&self.lock().last_error)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does one call's work on the account behind a handle, and keeps the sentence of a failure with it.
pub(crate) fn call(
    account: *const omemo_account,
    work: impl FnOnce(&mut Account<SqliteStore>) -> Result<(), Failure>,
) -> omemo_status {
    panic::status(|| {
        let mut inner = ptr::borrow(account)?.lock();
        if inner.broken {
            return Err(omemo_status::OMEMO_PANIC.into());
        }
        let outcome = panic::guarded(|| work(&mut inner.account));
        if let Err(Failure { status, sentence }) = &outcome {
            inner.last_error = Text::new(sentence.as_str());
            inner.broken = *status == omemo_status::OMEMO_PANIC;
        }
        outcome
    })
}

/// The same for a call that has an output.
pub(crate) fn with_output(
    account: *const omemo_account,
    output: *mut *mut omemo_output,
    work: impl FnOnce(&mut Account<SqliteStore>) -> Result<Output, Failure>,
) -> omemo_status {
    call(account, |account| {
        let place = Place::new(output)?;
        place.give(omemo_output::new(work(account)?)?);
        Ok(())
    })
}

pub(crate) fn bare_jid(text: *const c_char) -> Result<BareJid, Failure> {
    Ok(BareJid::parse(ptr::text(text)?).map_err(CallerError::from)?)
}

/// A message with any content.
pub(crate) fn outgoing(
    id: *const c_char,
    chat: Chat,
    content: *const c_char,
    hints: *const c_char,
) -> Result<Outgoing, Failure> {
    let elements = |text: &str| xml::parse_all(text).map_err(|error| not_xml(&error));
    let mut outgoing = Outgoing::new(ptr::text(id)?, chat, elements(ptr::text(content)?)?);
    if let Some(hints) = ptr::optional_text(hints)? {
        outgoing.hints = elements(hints)?;
    }
    Ok(outgoing)
}

fn not_xml(error: &xml::XmlError) -> Failure {
    Failure {
        status: omemo_status::OMEMO_NOT_XML,
        sentence: error.to_string(),
    }
}

/// Opens an account; on an empty store a new device is made. Nothing is published before `omemo_account_online`.
///
/// `path`: the store's file, made if it is not there, which only its owner may read. `jid`: the account's bare JID; one file
/// may hold several accounts. `settings`: copied; NULL for the usual ones. `account` (out): the handle; free it with
/// `omemo_account_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, `OMEMO_BAD_SETTINGS`, `OMEMO_NO_RANDOMNESS`,
/// `OMEMO_NO_ENCRYPTION`, or one of `OMEMO_STORE_...`; after a failure `omemo_last_error` of NULL has the sentence. Reads and
/// writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_open(
    path: *const c_char,
    jid: *const c_char,
    settings: *const omemo_settings,
    account: *mut *mut omemo_account,
) -> omemo_status {
    last_error::without_account(|| {
        let place = Place::new(account)?;
        let (path, jid) = (ptr::text(path)?, bare_jid(jid)?);
        let settings = ptr::optional(settings).map(omemo_settings::chosen);
        let Chosen {
            account,
            store_key,
            anchor,
        } = settings.unwrap_or_default();
        let environment = match anchor {
            Some(path) => Environment::system().with_anchor(FileAnchor::new(path)),
            None => Environment::system(),
        };
        let store = store::open(path, store_key)?;
        let account = Account::open(store, jid, account, environment)?;
        place.give(omemo_account {
            jid: Text::new(account.jid().as_str()),
            fingerprint: Text::new(account.fingerprint().to_string()),
            features: account.features().into_iter().map(Text::new).collect(),
            inner: Mutex::new(Inner {
                account,
                last_error: Text::new(""),
                broken: false,
            }),
        });
        Ok(())
    })
}

/// Closes an account, wipes its keys from memory and sets the caller's pointer to NULL. What waits in the outbox stays there;
/// messages that still wait for keys are forgotten, as in a crash: send them again after the next start. NULL, and a pointer
/// to NULL, are harmless. No other thread may use the handle any more. Tidies the store on the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_free(account: *mut *mut omemo_account) {
    panic::asked((), || {
        drop(ptr::take(account));
        Ok(())
    });
}

/// The account's bare JID, normalised. It lives as long as the handle.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_jid(account: *const omemo_account) -> *const c_char {
    panic::asked(std::ptr::null(), || Ok(ptr::borrow(account)?.jid.as_ptr()))
}

/// This device's id; 0 for NULL. It can only change before the device is published for the first time.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_device(account: *const omemo_account) -> u32 {
    panic::asked(0, || {
        Ok(ptr::borrow(account)?.lock().account.device().get())
    })
}

/// The fingerprint of this device's identity key: eight groups of eight hexadecimal digits (XEP-0384 §8). It lives as long as
/// the handle.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_fingerprint(account: *const omemo_account) -> *const c_char {
    panic::asked(std::ptr::null(), || {
        Ok(ptr::borrow(account)?.fingerprint.as_ptr())
    })
}

/// What the app advertises in its entity capabilities (XEP-0115), so that servers push device lists to it: one feature, by
/// position from 0 on; NULL beyond the last. It lives as long as the handle.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_feature(
    account: *const omemo_account,
    index: usize,
) -> *const c_char {
    panic::asked(std::ptr::null(), || {
        let feature = ptr::borrow(account)?.features.get(index);
        Ok(crate::text::pointer(feature))
    })
}

/// A stream is up: publishes what has to be published, fetches our own lists, and hands out what was sealed and never
/// confirmed as sent. What another handle has handed out in the last two minutes is left to that one, even if its process has
/// died meanwhile: it is handed out later, when `omemo_output_wake` says so.
///
/// `full_jid`: the JID with the resource that the server bound. `resumed`: whether the server kept the stream (XEP-0198) for
/// this handle; if not, a catch-up is opened: call `omemo_account_caught_up` when the archive (XEP-0313) has been read, or at
/// once where there is none.
/// `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, `OMEMO_OTHER_ACCOUNT`, or one of `OMEMO_STORE_...`. Reads
/// and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_online(
    account: *mut omemo_account,
    full_jid: *const c_char,
    resumed: bool,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        let full_jid = FullJid::parse(ptr::text(full_jid)?).map_err(CallerError::from)?;
        Ok(account.online(full_jid, resumed)?)
    })
}

/// The stream is gone. Waiting messages stay and go on with the next `omemo_account_online`.
///
/// Returns `OMEMO_OK` or `OMEMO_NULL`. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_offline(account: *mut omemo_account) -> omemo_status {
    call(account, |account| {
        account.offline();
        Ok(())
    })
}

/// The archive has been read: prekeys that it used are deleted, and answers that are owed go out.
///
/// `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_caught_up(
    account: *mut omemo_account,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| Ok(account.caught_up()?))
}

/// Takes a stanza, any that arrives: `<message/>`, `<iq/>` or `<presence/>`. Whatever is in it, what it causes are events.
///
/// `stanza`: one element as XML; what declares no namespace is in `jabber:client`. `output` (out): free it with
/// `omemo_output_free`; if `omemo_output_consumed`, the app neither shows nor routes the stanza.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_XML` (nothing was looked at), or one of `OMEMO_STORE_...`. A
/// stanza without anything of OMEMO does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_receive(
    account: *mut omemo_account,
    stanza: *const c_char,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        let stanza = xml::parse(ptr::text(stanza)?).map_err(|error| not_xml(&error))?;
        Ok(account.receive(&stanza)?)
    })
}

/// Takes several stanzas in one transaction, as from an archive.
///
/// `stanzas`: so many pointers to texts as for `omemo_account_receive`. `output` (out): free it with `omemo_output_free`; it
/// says consumed if all of them were.
///
/// Returns what `omemo_account_receive` does; after a failure none of them was taken.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_receive_all(
    account: *mut omemo_account,
    stanzas: *const *const c_char,
    count: usize,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        let stanzas = ptr::items(stanzas, count)?
            .iter()
            .map(|stanza| xml::parse(ptr::text(*stanza)?).map_err(|error| not_xml(&error)))
            .collect::<Result<Vec<_>, Failure>>()?;
        Ok(account.receive_all(&stanzas)?)
    })
}

/// Encrypts a text message and hands it out, or asks for what it lacks first and hands it out with a later call. What becomes of
/// it is an event: `OMEMO_EVENT_SEALED` or `OMEMO_EVENT_REFUSED`. Repeating a send with the same id does nothing twice, for a week
/// after it was sent: after a crash, repeat every send that you have not noted as sent or refused.
///
/// `id`: the app's own id of the message, unlike that of any other; it becomes the id of the stanza. `jid`: the contact's bare
/// JID. `body`: the text, not escaped. All are copied. `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, `OMEMO_BAD_MESSAGE`, or one of `OMEMO_STORE_...`. Reads and
/// writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_send_text(
    account: *mut omemo_account,
    id: *const c_char,
    jid: *const c_char,
    body: *const c_char,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        let chat = Chat::Direct(bare_jid(jid)?);
        let outgoing = Outgoing::text(ptr::text(id)?, chat, ptr::text(body)?);
        Ok(account.send(outgoing)?)
    })
}

/// Encrypts a message with any content, as `omemo_account_send_text` does. Devices that only speak the legacy protocol are left
/// unserved when there is more than a body.
///
/// `content`: the elements to encrypt as XML, side by side; what declares no namespace is in `jabber:client`. `hints`: elements
/// that stand beside the encrypted one in the clear, such as XEP-0334 hints; NULL for none.
///
/// Returns what `omemo_account_send_text` does, and `OMEMO_NOT_XML`.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_send(
    account: *mut omemo_account,
    id: *const c_char,
    jid: *const c_char,
    content: *const c_char,
    hints: *const c_char,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        let chat = Chat::Direct(bare_jid(jid)?);
        Ok(account.send(outgoing(id, chat, content, hints)?)?)
    })
}

/// Hands over a key for something else, such as a file, to the devices of a contact that speak legacy (XEP-0384 0.3.0 §4.6). Ends with
/// `OMEMO_EVENT_KEY_SEALED`, which has the key, or `OMEMO_EVENT_REFUSED`.
///
/// Parameters and what it returns are those of `omemo_account_send_text`.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_transport_key(
    account: *mut omemo_account,
    id: *const c_char,
    jid: *const c_char,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        Ok(account.transport_key(ptr::text(id)?, Chat::Direct(bare_jid(jid)?))?)
    })
}

/// Does what is due: rotation, retries, time-outs, and tidying up the store. Call it when the time of `omemo_output_wake` has
/// come.
///
/// `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_tick(
    account: *mut omemo_account,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| Ok(account.tick()?))
}

/// The network has these stanzas: acknowledged by stream management (XEP-0198), or the server has answered a ping (XEP-0199) that
/// was sent after them, or the stream was closed in good order after them. Unknown tickets are ignored.
///
/// `tickets`: so many numbers of `omemo_stanza_ticket`; may be NULL if `count` is 0.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_sent(
    account: *mut omemo_account,
    tickets: *const u64,
    count: usize,
) -> omemo_status {
    call(account, |account| {
        let tickets = ptr::items(tickets, count)?.iter().copied().map(Ticket::new);
        Ok(account.sent(&tickets.collect::<Vec<_>>())?)
    })
}

/// The app has stored these messages: they leave the inbox. Unknown ids are ignored. A program that answers a message
/// acknowledges it when the answer is sealed or refused (`OMEMO_EVENT_SEALED`, `OMEMO_EVENT_REFUSED`): an answer that still
/// waits for keys is forgotten in a crash, and the message in the inbox is what brings it back.
///
/// `ids`: so many numbers of `omemo_message_inbox_id`; may be NULL if `count` is 0.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_acknowledge(
    account: *mut omemo_account,
    ids: *const u64,
    count: usize,
) -> omemo_status {
    call(account, |account| {
        let ids = ptr::items(ids, count)?.iter().copied().map(InboxId::new);
        Ok(account.acknowledge(&ids.collect::<Vec<_>>())?)
    })
}

/// All messages that were not acknowledged, in order of arrival; for any process.
///
/// `messages` (out): free it with `omemo_messages_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Reads the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_inbox(
    account: *mut omemo_account,
    messages: *mut *mut omemo_messages,
) -> omemo_status {
    call(account, |account| {
        let place = Place::new(messages)?;
        omemo_messages::give(&account.unacknowledged()?, place);
        Ok(())
    })
}

/// Fetches an account's lists and bundles without making sessions, so that people can compare fingerprints before the first
/// message. Ends with `OMEMO_EVENT_INSPECTED`; then ask `omemo_account_devices`.
///
/// `jid`: the bare JID. `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, `OMEMO_OFFLINE`, or one of `OMEMO_STORE_...`. Reads and
/// writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_inspect(
    account: *mut omemo_account,
    jid: *const c_char,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        Ok(account.inspect(&bare_jid(jid)?)?)
    })
}

/// This account may get automatic answers: they complete key exchanges and keep ratchets turning, and show that we are online.
/// For contacts; those we write to are known anyway.
///
/// `jid`: the bare JID. `output` (out): free it with `omemo_output_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_known(
    account: *mut omemo_account,
    jid: *const c_char,
    output: *mut *mut omemo_output,
) -> omemo_status {
    with_output(account, output, |account| {
        Ok(account.known(&bare_jid(jid)?)?)
    })
}

/// All known devices of an account, by id; our own account's too.
///
/// `jid`: the bare JID. `devices` (out): free it with `omemo_devices_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, or one of `OMEMO_STORE_...`. Reads the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_account_devices(
    account: *mut omemo_account,
    jid: *const c_char,
    devices: *mut *mut omemo_devices,
) -> omemo_status {
    call(account, |account| {
        let place = Place::new(devices)?;
        omemo_devices::give(account.devices(&bare_jid(jid)?)?, place);
        Ok(())
    })
}
