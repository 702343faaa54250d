//! What every call returns: one table of numbers, names and sentences.

use std::ffi::{CStr, c_char};

use omemo::store::StoreError;
use omemo::{CallerError, Error};

/// What a call returns. Numbers and names are for ever; new ones may be added, so treat a number that you do not know as a
/// failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
#[expect(non_camel_case_types, reason = "the header's name")]
#[non_exhaustive]
pub enum omemo_status {
    /// Done.
    OMEMO_OK = 0,
    /// A pointer that has to point to something is NULL.
    OMEMO_NULL = 1,
    /// A text is not UTF-8.
    OMEMO_NOT_UTF8 = 2,
    /// A number stands for nothing that is known here: a protocol, a policy, a level of trust.
    OMEMO_BAD_VALUE = 3,
    /// A text is no JID, or a full one where a bare one belongs.
    OMEMO_NOT_JID = 4,
    /// A text is not XML as XMPP allows it, or not one element.
    OMEMO_NOT_XML = 5,
    /// A text is not a fingerprint of 64 hexadecimal digits.
    OMEMO_NOT_FINGERPRINT = 6,
    /// Settings that cannot be followed.
    OMEMO_BAD_SETTINGS = 7,
    /// A message that cannot be sent: without any content, too large, or with an unusable id.
    OMEMO_BAD_MESSAGE = 8,
    /// A JID of another account than the handle's.
    OMEMO_OTHER_ACCOUNT = 9,
    /// The account was never told that it is online.
    OMEMO_OFFLINE = 10,
    /// No key with this fingerprint is known for that account.
    OMEMO_UNKNOWN_KEY = 11,
    /// Nothing is known of such a device.
    OMEMO_UNKNOWN_DEVICE = 12,
    /// It is this device itself, and only others can be meant.
    OMEMO_OWN_DEVICE = 13,
    /// This device was removed and its secrets are erased: free the handle; opening the store again makes a new device.
    OMEMO_REMOVED = 14,
    /// A text is no URI that verifies keys.
    OMEMO_NOT_URI = 15,
    /// The anchor cannot be read or written.
    OMEMO_ANCHOR = 16,
    /// Another process holds the store and did not let go.
    OMEMO_STORE_LOCKED = 20,
    /// No room on the disk. Nothing was changed.
    OMEMO_STORE_FULL = 21,
    /// The store was written by a newer version of this library.
    OMEMO_STORE_NEWER = 22,
    /// The store makes no sense.
    OMEMO_STORE_DAMAGED = 23,
    /// The store cannot be opened or written.
    OMEMO_STORE_UNUSABLE = 24,
    /// The store is encrypted with another key than the given one.
    OMEMO_STORE_WRONG_KEY = 25,
    /// A key was given, and the store is not encrypted.
    OMEMO_STORE_NOT_ENCRYPTED = 26,
    /// The store is encrypted (or its first page is damaged), and no key was given.
    OMEMO_STORE_ENCRYPTED = 27,
    /// A key was given, and this library was built without encryption of stores. Nothing was opened.
    OMEMO_NO_ENCRYPTION = 28,
    /// The operating system gave no randomness.
    OMEMO_NO_RANDOMNESS = 30,
    /// A bug of this library, which it noticed. Please report it.
    OMEMO_BUG = 31,
    /// A bug of this library, which ended the call in the middle. What is on the disk is sound: free the handle and
    /// open a new one. Please report it.
    OMEMO_PANIC = 32,
    /// A text tells of no encrypted file: it is no body with an `aesgcm` link alone, or no such element.
    OMEMO_NOT_FILE = 40,
    /// A text is not an `https://` URL without a fragment.
    OMEMO_NOT_URL = 41,
    /// An encrypted file is not the sender's, or nothing proves that it is: throw away what came out of it.
    OMEMO_FILE_REFUSED = 42,
    /// A file is larger than its cipher can take.
    OMEMO_FILE_TOO_LARGE = 43,
    /// The calls of a file's encryptor or decryptor come in another order than they have to.
    OMEMO_FILE_ORDER = 44,
}

impl omemo_status {
    /// All of them.
    const ALL: [Self; 34] = [
        Self::OMEMO_OK,
        Self::OMEMO_NULL,
        Self::OMEMO_NOT_UTF8,
        Self::OMEMO_BAD_VALUE,
        Self::OMEMO_NOT_JID,
        Self::OMEMO_NOT_XML,
        Self::OMEMO_NOT_FINGERPRINT,
        Self::OMEMO_BAD_SETTINGS,
        Self::OMEMO_BAD_MESSAGE,
        Self::OMEMO_OTHER_ACCOUNT,
        Self::OMEMO_OFFLINE,
        Self::OMEMO_UNKNOWN_KEY,
        Self::OMEMO_UNKNOWN_DEVICE,
        Self::OMEMO_OWN_DEVICE,
        Self::OMEMO_REMOVED,
        Self::OMEMO_NOT_URI,
        Self::OMEMO_ANCHOR,
        Self::OMEMO_STORE_LOCKED,
        Self::OMEMO_STORE_FULL,
        Self::OMEMO_STORE_NEWER,
        Self::OMEMO_STORE_DAMAGED,
        Self::OMEMO_STORE_UNUSABLE,
        Self::OMEMO_STORE_WRONG_KEY,
        Self::OMEMO_STORE_NOT_ENCRYPTED,
        Self::OMEMO_STORE_ENCRYPTED,
        Self::OMEMO_NO_ENCRYPTION,
        Self::OMEMO_NO_RANDOMNESS,
        Self::OMEMO_BUG,
        Self::OMEMO_PANIC,
        Self::OMEMO_NOT_FILE,
        Self::OMEMO_NOT_URL,
        Self::OMEMO_FILE_REFUSED,
        Self::OMEMO_FILE_TOO_LARGE,
        Self::OMEMO_FILE_ORDER,
    ];

    /// Its sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static CStr {
        match self {
            Self::OMEMO_OK => c"done",
            Self::OMEMO_NULL => c"a pointer that has to point to something is NULL",
            Self::OMEMO_NOT_UTF8 => c"a text is not UTF-8",
            Self::OMEMO_BAD_VALUE => c"a number stands for nothing that is known here",
            Self::OMEMO_NOT_JID => c"a text is no JID of the kind that belongs there",
            Self::OMEMO_NOT_XML => c"a text is not one element of XML as XMPP allows it",
            Self::OMEMO_NOT_FINGERPRINT => c"a text is not a fingerprint of 64 hexadecimal digits",
            Self::OMEMO_BAD_SETTINGS => c"the settings cannot be followed",
            Self::OMEMO_BAD_MESSAGE => c"the message cannot be sent",
            Self::OMEMO_OTHER_ACCOUNT => c"the JID belongs to another account",
            Self::OMEMO_OFFLINE => c"the account is not online",
            Self::OMEMO_UNKNOWN_KEY => c"no key with this fingerprint is known for that account",
            Self::OMEMO_UNKNOWN_DEVICE => c"nothing is known of such a device",
            Self::OMEMO_OWN_DEVICE => c"this is the device itself",
            Self::OMEMO_REMOVED => c"this device was removed: free the handle and open the store again to begin a new one",
            Self::OMEMO_NOT_URI => c"a text is no URI that verifies keys",
            Self::OMEMO_ANCHOR => c"the anchor cannot be used",
            Self::OMEMO_STORE_LOCKED => c"another process holds the store; try again",
            Self::OMEMO_STORE_FULL => c"the disk is full; nothing was changed",
            Self::OMEMO_STORE_NEWER => c"the store was written by a newer version of this library",
            Self::OMEMO_STORE_DAMAGED => c"the store is damaged",
            Self::OMEMO_STORE_UNUSABLE => c"the store cannot be used",
            Self::OMEMO_STORE_WRONG_KEY => c"the key does not open the store",
            Self::OMEMO_STORE_NOT_ENCRYPTED => c"a key was given, and the store is not encrypted",
            Self::OMEMO_STORE_ENCRYPTED => c"the store is encrypted: open it with its key",
            Self::OMEMO_NO_ENCRYPTION => c"a key was given, and omemo was built without encryption of stores",
            Self::OMEMO_NO_RANDOMNESS => c"the operating system gave no randomness",
            Self::OMEMO_BUG => c"this is a bug in omemo, please report it",
            Self::OMEMO_PANIC => c"a bug in omemo ended the call: free the handle and open a new one, and please report it",
            Self::OMEMO_NOT_FILE => c"a text tells of no encrypted file",
            Self::OMEMO_NOT_URL => c"a text is not an https:// URL without a fragment",
            Self::OMEMO_FILE_REFUSED => c"the encrypted file is not the sender's, or nothing proves that it is",
            Self::OMEMO_FILE_TOO_LARGE => c"the file is too large for its cipher",
            Self::OMEMO_FILE_ORDER => c"the calls about a file come in another order than they have to",
        }
    }

    /// The status of a number.
    #[must_use]
    pub fn of(number: i32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|status| *status as i32 == number)
    }
}

/// A failed call: the status, and the sentence that says more.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: omemo_status,
    pub(crate) sentence: String,
}

impl From<omemo_status> for Failure {
    fn from(status: omemo_status) -> Self {
        Self {
            status,
            sentence: status.sentence().to_string_lossy().into_owned(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Store(error) => of_store(error),
            Error::Caller(error) => of_caller(error),
            Error::Anchor(_) => omemo_status::OMEMO_ANCHOR,
            Error::Randomness(_) => omemo_status::OMEMO_NO_RANDOMNESS,
            _ => omemo_status::OMEMO_BUG,
        };
        Self {
            status,
            sentence: error.to_string(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl From<CallerError> for Failure {
    fn from(error: CallerError) -> Self {
        Error::from(error).into()
    }
}

const fn of_store(error: &StoreError) -> omemo_status {
    match error {
        StoreError::Locked(_) => omemo_status::OMEMO_STORE_LOCKED,
        StoreError::Full(_) => omemo_status::OMEMO_STORE_FULL,
        StoreError::Newer { .. } => omemo_status::OMEMO_STORE_NEWER,
        StoreError::Damaged(_) => omemo_status::OMEMO_STORE_DAMAGED,
        StoreError::WrongKey => omemo_status::OMEMO_STORE_WRONG_KEY,
        StoreError::NotEncrypted => omemo_status::OMEMO_STORE_NOT_ENCRYPTED,
        StoreError::Encrypted => omemo_status::OMEMO_STORE_ENCRYPTED,
        StoreError::NoEncryption => omemo_status::OMEMO_NO_ENCRYPTION,
        _ => omemo_status::OMEMO_STORE_UNUSABLE,
    }
}

const fn of_caller(error: &CallerError) -> omemo_status {
    match error {
        CallerError::Jid(_) => omemo_status::OMEMO_NOT_JID,
        CallerError::OtherAccount { .. } => omemo_status::OMEMO_OTHER_ACCOUNT,
        CallerError::Message(_) => omemo_status::OMEMO_BAD_MESSAGE,
        CallerError::Settings(_) | CallerError::Label => omemo_status::OMEMO_BAD_SETTINGS,
        CallerError::UnknownKey(_) => omemo_status::OMEMO_UNKNOWN_KEY,
        CallerError::UnknownDevice(_) => omemo_status::OMEMO_UNKNOWN_DEVICE,
        CallerError::OwnDevice => omemo_status::OMEMO_OWN_DEVICE,
        CallerError::Removed => omemo_status::OMEMO_REMOVED,
        CallerError::Offline => omemo_status::OMEMO_OFFLINE,
        _ => omemo_status::OMEMO_BAD_VALUE,
    }
}

/// The sentence of a status, for people; of a number that is none, a sentence that says so. It lives for ever and is
/// not freed. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_status_sentence(status: i32) -> *const c_char {
    omemo_status::of(status)
        .map_or(
            c"a status of a newer version of omemo",
            omemo_status::sentence,
        )
        .as_ptr()
}
