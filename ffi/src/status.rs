//! What every call returns: one table of numbers, names and sentences.

use std::ffi::{CStr, c_char};

use omemo::store::StoreError;
use omemo::{CallerError, Error};

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $sentence:literal;)*) => {
        /// What a call returns. Numbers and names are for ever; new ones may be added, so treat a number that you do
        /// not know as a failure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(i32)]
        #[expect(non_camel_case_types, reason = "the header's name")]
        #[non_exhaustive]
        pub enum omemo_status {
            $($(#[$doc])* $name = $number,)*
        }

        impl omemo_status {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its sentence.
            #[must_use]
            pub const fn sentence(self) -> &'static CStr {
                match self { $(Self::$name => $sentence,)* }
            }

            /// The status of a number.
            #[must_use]
            pub const fn of(number: i32) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

statuses! {
    /// Done.
    OMEMO_OK = 0, c"done";
    /// A pointer that has to point to something is NULL.
    OMEMO_NULL = 1, c"a pointer that has to point to something is NULL";
    /// A text is not UTF-8.
    OMEMO_NOT_UTF8 = 2, c"a text is not UTF-8";
    /// A number stands for nothing that is known here: a protocol, a policy, a level of trust.
    OMEMO_BAD_VALUE = 3, c"a number stands for nothing that is known here";
    /// A text is no JID, or a full one where a bare one belongs.
    OMEMO_NOT_JID = 4, c"a text is no JID of the kind that belongs there";
    /// A text is not XML as XMPP allows it, or not one element.
    OMEMO_NOT_XML = 5, c"a text is not one element of XML as XMPP allows it";
    /// A text is not a fingerprint of 64 hexadecimal digits.
    OMEMO_NOT_FINGERPRINT = 6, c"a text is not a fingerprint of 64 hexadecimal digits";
    /// Settings that cannot be followed.
    OMEMO_BAD_SETTINGS = 7, c"the settings cannot be followed";
    /// A message that cannot be sent: empty, too large, or with an unusable id.
    OMEMO_BAD_MESSAGE = 8, c"the message cannot be sent";
    /// A JID of another account than the handle's.
    OMEMO_OTHER_ACCOUNT = 9, c"the JID belongs to another account";
    /// The account was never told that it is online.
    OMEMO_OFFLINE = 10, c"the account is not online";
    /// No key with this fingerprint is known for that account.
    OMEMO_UNKNOWN_KEY = 11, c"no key with this fingerprint is known for that account";
    /// Another process holds the store and did not let go.
    OMEMO_STORE_LOCKED = 20, c"another process holds the store; try again";
    /// No room on the disk. Nothing was changed.
    OMEMO_STORE_FULL = 21, c"the disk is full; nothing was changed";
    /// The store was written by a newer version of this library.
    OMEMO_STORE_NEWER = 22, c"the store was written by a newer version of this library";
    /// The store makes no sense.
    OMEMO_STORE_DAMAGED = 23, c"the store is damaged";
    /// The store cannot be opened or written.
    OMEMO_STORE_UNUSABLE = 24, c"the store cannot be used";
    /// The operating system gave no randomness.
    OMEMO_NO_RANDOMNESS = 30, c"the operating system gave no randomness";
    /// A bug of this library, which it noticed. Please report it.
    OMEMO_BUG = 31, c"this is a bug in omemo, please report it";
    /// A bug of this library, which ended the call in the middle. What is on the disk is sound: free the handle and
    /// open a new one. Please report it.
    OMEMO_PANIC = 32, c"a bug in omemo ended the call: free the handle and open a new one, and please report it";
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
        _ => omemo_status::OMEMO_STORE_UNUSABLE,
    }
}

const fn of_caller(error: &CallerError) -> omemo_status {
    match error {
        CallerError::Jid(_) => omemo_status::OMEMO_NOT_JID,
        CallerError::OtherAccount { .. } => omemo_status::OMEMO_OTHER_ACCOUNT,
        CallerError::Message(_) => omemo_status::OMEMO_BAD_MESSAGE,
        CallerError::Settings(_) => omemo_status::OMEMO_BAD_SETTINGS,
        CallerError::UnknownKey(_) => omemo_status::OMEMO_UNKNOWN_KEY,
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
