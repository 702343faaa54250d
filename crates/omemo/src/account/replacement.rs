//! Sessions that a person wants to be made anew.

use omemo_ratchet::Version;

use super::Account;
use crate::store::Store;
use crate::{Address, BareJid, DeviceId, Error, Output};

impl<S: Store + 'static> Account<S> {
    /// Makes the sessions with an account's listed devices anew, or with one of them: for people
    /// whose messages cannot be read over there any more (XEP-0384 §8). For each a fresh bundle is
    /// fetched and an empty message sent in the new session, which sends from then on; whoever is
    /// trusted with content stays so. What was sent in the old one can still be read.
    ///
    /// This may be called offline, and survives a restart: it is done when we are online and the
    /// archive is read. Ends with an [`Event::SessionReplaced`](crate::Event) or an
    /// [`Event::SessionNotReplaced`](crate::Event) for each device and protocol.
    ///
    /// # Errors
    /// [`Error::Store`]; [`CallerError::UnknownDevice`](crate::CallerError::UnknownDevice) for a
    /// device that is not on the list that we have.
    pub fn replace_sessions(
        &mut self,
        jid: &BareJid,
        device: Option<DeviceId>,
    ) -> Result<Output, Error> {
        self.call(|call| call.replace_sessions(jid, device))
    }

    /// The same for everybody that there is a session with: our own other devices, and the accounts
    /// that may get automatic answers ([`known`](Self::known)).
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn replace_all_sessions(&mut self) -> Result<Output, Error> {
        self.call(|call| call.replace_all_sessions())
    }

    /// The sessions that are still to be made anew, on demand, after a recovery or to heal a broken one.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn replacing(&mut self) -> Result<Vec<(Version, Address)>, Error> {
        self.ask(|call| call.replacing())
    }
}
