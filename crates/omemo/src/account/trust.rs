//! What people decide about keys.

use omemo_ratchet::Fingerprint;

use super::Account;
use crate::store::Store;
use crate::{Address, BareJid, Error, Output, Trust, VerificationUri};

impl<S: Store + 'static> Account<S> {
    /// A person has decided about a key. Only a full fingerprint names one.
    ///
    /// With [`TrustPolicy::Automatic`](crate::TrustPolicy::Automatic) those who are to know it are told,
    /// now or as soon as it can be (XEP-0450): our own other devices whose keys are verified, of anybody's
    /// key, and contacts' verified devices, of our own account's. A device that becomes verified is told what
    /// was decided before, and what it has told us counts from now on.
    ///
    /// # Errors
    /// [`Error::Store`]; [`CallerError::UnknownKey`](crate::CallerError::UnknownKey) for a key that this
    /// account never showed.
    pub fn decide(
        &mut self,
        jid: &BareJid,
        fingerprint: &Fingerprint,
        trust: Trust,
    ) -> Result<Output, Error> {
        self.call(|call| call.decide(jid, fingerprint, trust))
    }

    /// A person believes what a URI says, having scanned it from a screen that it trusts: the keys that
    /// it names are verified, those that a trust message distrusts are distrusted. Keys that were
    /// not met yet are held until they are, so that this works before the first message. A device that is known
    /// with another key than the URI gives it stays as it is. Which was which, [`Event::Verified`] says.
    ///
    /// # Errors
    /// [`Error::Store`]
    ///
    /// [`Event::Verified`]: crate::Event::Verified
    pub fn verify(&mut self, uri: &VerificationUri) -> Result<Output, Error> {
        self.call(|call| call.verify(uri))
    }

    /// What others scan or open to verify this device: its id and its fingerprint.
    #[must_use]
    pub fn uri(&self) -> VerificationUri {
        VerificationUri::of_device(self.me.jid.clone(), self.device, self.fingerprint())
    }

    /// A person agrees that this device is served in a weaker protocol than it spoke before, after
    /// [`Event::Downgraded`](crate::Event::Downgraded). What is known of it in the better one is forgotten.
    ///
    /// # Errors
    /// [`Error::Store`]; [`CallerError::UnknownDevice`](crate::CallerError::UnknownDevice) when the device
    /// was not downgraded.
    pub fn allow_downgrade(&mut self, device: &Address) -> Result<(), Error> {
        self.quiet(|call| call.allow_downgrade(device))
    }
}
