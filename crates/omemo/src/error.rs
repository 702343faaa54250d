//! What makes a call fail: the store, the caller, or a bug of ours. Whatever a peer or a server
//! does is an [`Event`](crate::Event) instead, so that no stanza ends the app's loop.

use omemo_ratchet::RandomnessError;

use crate::anchor::AnchorError;
use crate::store::StoreError;
use crate::{BareJid, JidError};

/// Why a call failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The caller.
    #[error(transparent)]
    Caller(#[from] CallerError),
    /// The anchor, without which it is not known whether the store is the newest.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system: {0}")]
    Randomness(#[from] RandomnessError),
    /// Something that cannot be. Please report it.
    #[error("this is a bug in omemo, please report it: {0}")]
    Bug(&'static str),
}

/// What the caller did that cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallerError {
    /// A JID that is none.
    #[error(transparent)]
    Jid(#[from] JidError),
    /// Going online under a JID of another account.
    #[error("this store's account is {account}, not {given}")]
    OtherAccount {
        /// The account that was opened.
        account: BareJid,
        /// The JID that was given.
        given: BareJid,
    },
    /// An empty message, or an id that is empty or too long.
    #[error("the message cannot be sent: {0}")]
    Message(&'static str),
    /// Settings that cannot be followed.
    #[error("the settings cannot be followed: {0}")]
    Settings(&'static str),
    /// A decision about a key that was never seen under this account.
    #[error("no key with this fingerprint is known for {0}: look at the devices first")]
    UnknownKey(BareJid),
    /// Nothing is known of such a device.
    #[error("{0} has no such device: look at the devices first")]
    UnknownDevice(crate::Address),
    /// A label that cannot be signed (XEP-0384 §5.3.1).
    #[error("a label has 1 to 52 characters and not exactly 32 bytes, which could pass for a key")]
    Label,
    /// This device itself is not one of the others.
    #[error("this is the device itself: `deactivate` takes it off the server and erases its keys")]
    OwnDevice,
    /// The device was taken off the server and its secrets are erased.
    #[error("this device was removed: open the store again to begin a new one")]
    Removed,
    /// What an account was never asked to do.
    #[error("the account is not online: call online() first")]
    Offline,
}
