//! The C interface of `omemo`: an account behind opaque handles.
//!
//! `include/omemo.h` is made from this crate and is the documentation; `docs/c.md` leads from nothing to a first encrypted
//! message. From Rust, use the crate `omemo`.
//!
//! # Architecture
//!
//! `ptr` turns pointers into references and back, `panic` stops panics at the border: no other file has `unsafe` code. `status`
//! and `reason` are tables of numbers that are for ever. `account` has the calls of every day, `trust`, `room`, `opt_out`,
//! `recovery` and `own_device` the others, with `settings` and `store` before and `output`,
//! `event`, `message` and `device` after them; `file`, `file_encryptor` and `file_decryptor` stand beside, and need no account. Each
//! object holds its texts ready for C, and wipes them when it is freed.

mod account;
mod bytes;
mod device;
mod event;
mod event_from;
mod event_kind;
mod file;
mod file_decryptor;
mod file_encryptor;
mod last_error;
mod message;
mod opt_out;
mod output;
mod own_device;
mod panic;
#[cfg(test)]
mod panic_tests;
mod ptr;
mod reason;
mod recipient;
mod recovery;
mod room;
mod settings;
mod status;
mod store;
mod text;
mod trust;
mod value;
mod version;

pub use account::*;
pub use bytes::*;
pub use device::*;
pub use event::*;
pub use event_kind::omemo_event_kind;
pub use file::*;
pub use file_decryptor::*;
pub use file_encryptor::*;
pub use last_error::omemo_last_error;
pub use message::*;
pub use opt_out::*;
pub use output::*;
pub use own_device::*;
pub use reason::omemo_reason;
pub use recipient::*;
pub use recovery::*;
pub use room::*;
pub use settings::*;
pub use status::{omemo_status, omemo_status_sentence};
pub use store::omemo_store_rekey;
pub use trust::*;
pub use value::{omemo_cipher, omemo_policy, omemo_protocol, omemo_trust};
pub use version::omemo_version;
