//! End-to-end encryption for XMPP clients: OMEMO in both protocols in use, without I/O.

mod account;
mod address;
mod device;
mod engine;
mod environment;
mod error;
mod message;
mod output;
mod pep;
mod protocol;
mod settings;
mod stanza;
pub mod store;
mod stream;
mod trust;

pub use account::Account;
pub use address::{Address, BareJid, DeviceId, DeviceIdError, FullJid, JidError};
pub use device::Device;
pub use environment::{Environment, Timestamp};
pub use error::{CallerError, Error};
pub use message::{Chat, InboxId, Message, Outgoing, Ticket};
pub use minidom::Element;
pub use omemo_ratchet::{Fingerprint, Randomness, RandomnessError, Role, SystemRandomness, Version};
pub use output::{
    Event, Output, Served, Stanza, UndecryptableReason, UnsentReason, Unserved, UnservedReason,
};
pub use settings::Settings;
pub use trust::{Trust, TrustPolicy};
