//! What can happen.

use omemo::Version;

/// A message, by its number. It has the same one in every copy.
pub type Text = u32;

/// A stanza on its way: to which device, of which message, in which protocol.
pub type Parcel = (usize, Text, Version);

/// One step. Devices and accounts are numbers.
#[derive(Debug, Clone)]
pub enum Transition {
    /// A device writes to an account. Without `confirmed` nobody tells it that the network has the stanza.
    Send {
        from: usize,
        to: usize,
        text: Text,
        confirmed: bool,
    },
    /// The process dies in the call that sends, before anything is handed over; the app sends again.
    DieSending {
        from: usize,
        to: usize,
        text: Text,
    },
    Deliver(Parcel),
    /// Everything that is under way to a device arrives in one call, as from an archive.
    Archive(usize),
    /// The process dies in the call that receives, before the app sees anything.
    DieReading(Parcel),
    Lose(Parcel),
    Double(Parcel),
    /// One of the empty messages that wait for a device, if there are any.
    Automatic {
        to: usize,
        which: usize,
        fate: Fate,
    },
    Offline(usize),
    /// A new stream; without `confirmed` nobody tells the device that what it sends now has arrived.
    Online {
        device: usize,
        confirmed: bool,
    },
    /// The archive has been read.
    CaughtUp(usize),
    /// The process dies and is there again two minutes later.
    Restart(usize),
    /// The same, on a copy of its store in another place.
    Move(usize),
    /// Its store is lost, and the account gets a new device.
    Replace(usize),
    /// A device discards its sessions with another.
    Forget {
        device: usize,
        peer: usize,
    },
    /// Seconds pass: prekeys are rotated, lists get old.
    Pass(i64),
}

/// What becomes of an empty message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Delivered,
    Lost,
    Doubled,
}
