//! Handing over a key (XEP-0384 0.3.0 §4.6).

use super::Account;
use crate::store::Store;
use crate::{Chat, Error, Output};

impl<S: Store + 'static> Account<S> {
    /// Makes a fresh key and hands it over in a legacy message without payload, for whatever something
    /// else says that it opens. It goes to whom a message would go: a key is content.
    /// [`Event::KeySealed`](crate::Event) gives it to the app once somebody can read it; omemo:2 has
    /// no such thing, and leaves devices that speak nothing else unserved.
    ///
    /// # Errors
    /// [`Error::Store`]; [`CallerError::Message`](crate::CallerError) for an id that is empty or too
    /// long.
    pub fn transport_key(&mut self, id: impl Into<String>, chat: Chat) -> Result<Output, Error> {
        let id = id.into();
        self.call(|call| call.transport_key(id, chat))
    }
}
