//! The end of a device.

use super::Account;
use crate::store::Store;
use crate::{Error, Output};

/// What is taken off the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "one device or all of them: there is nothing between"
)]
pub enum Removal {
    /// This device: its entry on the lists and its bundles.
    Device,
    /// Every device: the lists and all bundles. For an account that stops using OMEMO; other devices
    /// that still run announce themselves again, so deactivate them first.
    Account,
}

impl<S: Store + 'static> Account<S> {
    /// Takes this device, or all of the account, off the server, ends the subscriptions that were made
    /// for it, and then erases everything that the store holds of the account: keys, sessions, trust,
    /// inbox and outbox (XEP-0384 §6). From here on nothing is sent and nothing decrypted.
    /// [`Event::Deactivated`](crate::Event::Deactivated) says that it is over and what the server did
    /// not do; after it every call gives [`CallerError::Removed`](crate::CallerError::Removed), and
    /// opening the store again begins a new device. Read the inbox first.
    ///
    /// It is durable: offline, or after a crash, the next [`online`](Self::online) does it. What the
    /// server refuses is asked once, and two minutes after the first question the keys go whatever it
    /// says: a device that somebody wanted removed keeps no secrets for longer than one stream that was
    /// tried.
    ///
    /// # Errors
    /// [`Error::Store`]; [`CallerError::Removed`](crate::CallerError::Removed) when it is over.
    pub fn deactivate(&mut self, removal: Removal) -> Result<Output, Error> {
        self.call(|call| call.deactivate(removal))
    }
}
