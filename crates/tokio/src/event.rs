//! What an app hears of a running account.

use std::time::Duration;

use omemo::{BareJid, Element, FullJid};

use crate::Archive;

/// Something happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// We are online.
    Online {
        /// The resource we are.
        jid: FullJid,
        /// The server has kept the stream, so that nothing was missed (XEP-0198 §5).
        resumed: bool,
    },
    /// What came while we were away has been read.
    CaughtUp,
    /// The connection is gone and is being made anew.
    Lost {
        /// Why.
        reason: String,
        /// When it is tried again.
        retry_in: Duration,
    },
    /// The account has something to say. Messages stay in the inbox until they are acknowledged:
    /// [`Client::acknowledge`](crate::Client::acknowledge).
    Account(omemo::Event),
    /// The server has all stanzas of a message.
    Sent {
        /// The app's id of it.
        id: String,
    },
    /// Everything in the archive up to here has been handed to the account: keep it, and begin
    /// here the next time ([`Config::archive`](crate::Config::archive)).
    Archived(Archive),
    /// The same of a room's archive: keep it, and give it to [`Client::join`](crate::Client::join) the
    /// next time.
    RoomArchived {
        /// Which room.
        room: BareJid,
        /// The position.
        position: Archive,
    },
    /// What was said in a room while we were away has been read; where it has no archive there was
    /// nothing to read.
    RoomCaughtUp {
        /// Which room.
        room: BareJid,
    },
    /// A message or presence that has nothing to do with OMEMO.
    Stanza(Element),
}
