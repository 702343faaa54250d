//! Is this session older than what was sent on it? A store that was restored from a copy does not know that it was;
//! a message of its own that it has yet to send proves it.

use std::num::NonZeroU32;

use super::{Direction, Session};
use crate::framing::RatchetMessage;
use crate::message_key::tag_matches;

/// Numbers that are looked ahead. Whoever brings the message chooses its number, so the work needs an end: four
/// milliseconds on the machine where it was measured. A chain ends with every answer of the peer; only one that leads to a
/// silent device grows long, and of that one an archive that is read in order brings the nearest message first.
const MAX_AHEAD: u32 = 10_000;

impl Session {
    /// How many messages were sealed by this session's present sending chain that the session knows nothing of, if `message`,
    /// which is said to be one of ours, proves that there are any: it stands at the session's next number or later, and has the
    /// tag that only the key at that number makes. It counts as one of them, so that 1 means the next number itself. `None`
    /// proves nothing.
    ///
    /// `Some` means that the session's state is a copy from before that message: sealing again would use the same message
    /// keys twice. The session stays as it is, and nothing is decrypted.
    ///
    /// Ask this about our own device's key for the peer's device, wherever it comes back: a carbon, an archive, the
    /// reflection in a room. In a key exchange it is [`KeyExchange::message`](crate::KeyExchange::message). A device with
    /// several sessions has one question for each; the wrong ones cost a comparison of keys.
    ///
    /// - A server cannot make this up: it knows no chain key. The *peer's device* can, for it has the same chain to open our
    ///   messages with, if it also gets its forgery delivered in our name. What follows from the proof should therefore be
    ///   to stop and ask, or to begin anew: nothing that helps whoever forced it.
    /// - A copy from before the ratchet's last turn, or from before the session, is not found out: the message then names a
    ///   ratchet key that was drawn after the copy was made, and nothing ties it to the state that we have.
    /// - At most 10,000 numbers are looked ahead; a message beyond gives `None` without any work.
    #[must_use]
    pub fn sent_ahead(&self, message: &RatchetMessage) -> Option<NonZeroU32> {
        let ahead = self.said_ahead(message)?;
        let mut chain = self.sending.chain.fork();
        for _ in 1..ahead.get() {
            chain.pass();
        }
        let suite = self.parties.suite;
        let tag = chain.message_key().expand(suite.message_info).message_tag(
            suite,
            &self.parties.associated_data(Direction::Sent),
            message.authenticated(),
        );
        tag_matches(&tag, suite.mac_length, message.tag()).then_some(ahead)
    }

    /// What [`Session::sent_ahead`] would say if the message had the right tag, which is not looked at: how many numbers it
    /// would look ahead. For whoever has to bound the work over many messages.
    #[must_use]
    pub fn said_ahead(&self, message: &RatchetMessage) -> Option<NonZeroU32> {
        let sending = &self.sending;
        if message.version() != self.version() || message.ratchet_key() != sending.ratchet.public()
        {
            return None;
        }
        let passed = message.number().checked_sub(sending.next)?;
        let ahead = NonZeroU32::MIN.saturating_add(passed);
        (ahead.get() <= MAX_AHEAD).then_some(ahead)
    }
}
