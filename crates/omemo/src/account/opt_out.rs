//! Going on in plain text (XEP-0384 §5.7).

use super::Account;
use crate::store::Store;
use crate::{BareJid, Error, OptOut, OptOutAnswer, Output};

impl<S: Store + 'static> Account<S> {
    /// Tells a contact, encrypted, that this account would like plain text from now on, and why. It is
    /// a message like any other under this id: [`Event::Sealed`](crate::Event) or
    /// [`Event::Refused`](crate::Event) says what became of it. Legacy cannot carry it, and leaves
    /// devices that speak nothing else unserved. Sessions stay; whoever encrypts again has opted in.
    ///
    /// # Errors
    /// [`Error::Store`]; [`CallerError::Message`](crate::CallerError) when it is too large.
    pub fn opt_out(
        &mut self,
        id: impl Into<String>,
        jid: &BareJid,
        reason: Option<&str>,
    ) -> Result<Output, Error> {
        let (id, jid) = (id.into(), jid.clone());
        self.call(|call| call.send_opt_out(id, jid, reason))
    }

    /// Whether a contact has opted out, and what was answered. From then on every message to it is
    /// refused with [`UnservedReason::OptedOut`](crate::UnservedReason), waiting ones too.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn opted_out(&mut self, jid: &BareJid) -> Result<Option<OptOut>, Error> {
        self.ask(|call| call.opted_out(jid))
    }

    /// A person has answered a contact who opted out. Where nobody has, this does nothing.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn answer_opt_out(&mut self, jid: &BareJid, answer: OptOutAnswer) -> Result<Output, Error> {
        self.call(|call| call.answer_opt_out(jid, answer))
    }
}
