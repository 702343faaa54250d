//! Sending.

use super::{Direction, Phase, Session};
use crate::error::SessionError;
use crate::framing::Header;

/// A message, ready for a `<key/>` element.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "what a <key/> element holds is fixed by the protocol"
)]
pub struct Sealed {
    /// The element's content, before base64.
    pub bytes: Vec<u8>,
    /// Whether it is a key exchange: the attribute `kex` or `prekey`.
    pub is_key_exchange: bool,
}

impl Session {
    /// Encrypts `plaintext` to the peer. Until the peer has answered, the key exchange is repeated (XEP-0384 §4.3).
    ///
    /// What is returned must not leave before the session's new state is stored: the same message key would serve
    /// twice.
    ///
    /// # Errors
    ///
    /// [`SessionError::Exhausted`] if this chain has no number left; the session is as it was before.
    pub fn seal(&mut self, plaintext: &[u8]) -> Result<Sealed, SessionError> {
        let suite = self.parties.suite;
        let number = self.sending.next;
        let next = number.checked_add(1).ok_or(SessionError::Exhausted)?;
        let header = Header {
            ratchet_key: *self.sending.ratchet.public(),
            number,
            previous: self.sending.previous,
        };

        let keys = self.sending.chain.advance().expand(suite.message_info);
        self.sending.next = next;

        let message = suite
            .framing
            .encode_message(&header, keys.encrypt(plaintext));
        let tag = keys.message_tag(
            suite,
            &self.parties.associated_data(Direction::Sent),
            &message,
        );
        let (tag, _) = tag.split_at(suite.mac_length);
        let (bytes, is_key_exchange) = match &self.phase {
            Phase::Awaiting(parts) => (
                suite
                    .framing
                    .encode_key_exchange(&self.introduction(parts), message, tag),
                true,
            ),
            Phase::Established { .. } => (suite.framing.encode_frame(message, tag), false),
        };
        Ok(Sealed {
            bytes,
            is_key_exchange,
        })
    }
}
