//! Rooms (XEP-0045, XEP-0384 §5.8).

use super::Account;
use crate::store::Store;
use crate::{BareJid, Error, Output};

impl<S: Store + 'static> Account<S> {
    /// The app is about to join a room: call this first, then send the join presence, which is the
    /// app's. Every stanza of the room is handed in as all others are: the library learns from the
    /// presences who sits behind which nick, and asks the room who its members are.
    ///
    /// [`Event::RoomReady`](crate::Event::RoomReady) tells when messages can be sent to
    /// [`Chat::Room`](crate::Chat::Room), [`Event::RoomRefused`](crate::Event::RoomRefused) why not. They are
    /// encrypted for everybody whom the room has made member, admin or owner, offline ones too; in a
    /// room that is open to everybody also for those who are present. At most 2,000 accounts.
    ///
    /// What is known of a room dies with the stream: enter and join again after an
    /// [`online`](Self::online) that resumed nothing. Messages that were sealed for the room, and
    /// those that wait, go on when it is ready. The archive of a room (XEP-0313) is the app's to ask
    /// for; what the room answers is handed in too.
    ///
    /// For a room that we are in, everything is asked anew.
    ///
    /// # Errors
    /// [`Error::Store`]; [`CallerError::Offline`](crate::CallerError::Offline)
    pub fn enter(&mut self, room: &BareJid) -> Result<Output, Error> {
        self.call(|call| call.enter_room(room))
    }

    /// The app leaves a room; it sends the presence that says so. Messages that wait for the room are
    /// refused, sealed ones stay in the outbox until it is entered again, a day at most.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn leave(&mut self, room: &BareJid) -> Result<Output, Error> {
        self.call(|call| {
            call.leave_room(room);
            Ok(())
        })
    }

    /// Whom messages to a room are encrypted for, ourselves left out; `None` where none can be sent.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn members(&mut self, room: &BareJid) -> Result<Option<Vec<BareJid>>, Error> {
        self.ask(|call| Ok(call.members(room)))
    }
}
