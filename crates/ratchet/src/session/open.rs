//! Receiving: find the key, check the tag, decrypt, and say what follows. Nothing here changes a session.

use super::step::{Change, Opened, Plaintext, Step};
use super::{
    Direction, Parties, Phase, ReceivingChain, SPARE_CHAIN, Session, SkippedKey, SpareKey,
};
use crate::chain_key::ChainKey;
use crate::error::OpenError;
use crate::framing::RatchetMessage;
use crate::message_key::{MessageKey, tag_matches};
use crate::public_key::{KeyPair, PublicKey, diffie_hellman};
use crate::randomness::{Randomness, Role};
use crate::root_key::RootKey;
use crate::secret::Secret;

/// A Diffie-Hellman ratchet step: everything in a session that it replaces.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) root: RootKey,
    pub(super) ratchet: KeyPair,
    pub(super) chain: ChainKey,
    pub(super) receiving: ReceivingChain,
    pub(super) spare: Option<SpareKey>,
}

impl Session {
    /// Opens a message. `skipped` is the key that the store kept for this ratchet key and number, if it has one.
    ///
    /// The session stays as it is; [`apply`](Self::apply) enters the outcome's step.
    ///
    /// # Errors
    ///
    /// [`OpenError`]. A message that belongs to another session ends as [`OpenError::Mac`], and may end as
    /// [`OpenError::TooFarAhead`].
    pub fn open(
        &self,
        message: &RatchetMessage,
        skipped: Option<MessageKey>,
        rng: &mut dyn Randomness,
    ) -> Result<Opened, OpenError> {
        if message.version() != self.version() {
            return Err(OpenError::Version);
        }
        let parties = &self.parties;
        if let Some(key) = skipped {
            return Ok(late(decrypt(parties, key, message)?, Change::UsedSkipped));
        }
        let (receiving, spare) = match &self.phase {
            Phase::Awaiting(_) => (None, None),
            Phase::Established { receiving, spare } => (Some(receiving), spare.as_ref()),
        };
        if let Some(spare) =
            spare.filter(|spare| spare.fits(message.ratchet_key(), message.number()))
        {
            return Ok(late(
                decrypt(parties, spare.key.fork(), message)?,
                Change::UsedSpare,
            ));
        }
        match receiving {
            Some(chain) if chain.ratchet_key == *message.ratchet_key() => {
                advance(parties, chain, message)
            }
            old => {
                let secret = self.sending.ratchet.secret();
                let (turn, opened) = turn(parties, &self.root, secret, old, message, rng)?;
                let from = old.map(ReceivingChain::position);
                Ok(opened.with(Change::Turn {
                    from,
                    turn: Box::new(turn),
                }))
            }
        }
    }
}

/// The first message that a responder receives. The signed prekey stands for the ratchet key.
pub(super) fn first_message(
    parties: &Parties,
    root: &RootKey,
    signed_pre_key: &Secret,
    message: &RatchetMessage,
    rng: &mut dyn Randomness,
) -> Result<(Turn, Opened), OpenError> {
    let (turn, opened) = turn(parties, root, signed_pre_key, None, message, rng)?;
    Ok((turn, opened.with(Change::Done)))
}

/// A message of the chain that we know.
fn advance(
    parties: &Parties,
    old: &ReceivingChain,
    message: &RatchetMessage,
) -> Result<Opened, OpenError> {
    let jump = message
        .number()
        .checked_sub(old.next)
        .ok_or(OpenError::AlreadyUsed)?;
    check_jump(parties, jump, 0)?;

    let mut skipped = Vec::new();
    let (receiving, key) = receive(parties, old.fork(), message.number(), &mut skipped)?;
    let plaintext = decrypt(parties, key, message)?;
    let heartbeat_due = receiving.heartbeat_seen && !old.heartbeat_seen;
    let change = Change::Advance {
        from: old.position(),
        receiving,
    };
    Ok(Opened {
        plaintext,
        step: Step { change, skipped },
        heartbeat_due,
        via_skipped: false,
    })
}

/// A message of a new chain: the Diffie-Hellman ratchet turns. The end of the old chain and our half of the turn, with
/// a new key, come after the tag has been checked.
fn turn(
    parties: &Parties,
    root: &RootKey,
    secret: &Secret,
    old: Option<&ReceivingChain>,
    message: &RatchetMessage,
    rng: &mut dyn Randomness,
) -> Result<(Turn, Computed), OpenError> {
    let left_over = old.map_or(0, |old| message.previous().saturating_sub(old.next));
    check_jump(parties, message.number(), left_over)?;

    let theirs = *message.ratchet_key();
    let (root, chain) = root.advance(parties.suite, diffie_hellman(secret, &theirs)?.as_bytes());
    let new = ReceivingChain {
        ratchet_key: theirs,
        chain,
        next: 0,
        heartbeat_seen: false,
    };
    let mut newer = Vec::new();
    let (receiving, key) = receive(parties, new, message.number(), &mut newer)?;
    let plaintext = decrypt(parties, key, message)?;

    let mut skipped = Vec::new();
    let spare = old.and_then(|old| finish(old.fork(), message.previous(), &mut skipped));
    skipped.append(&mut newer);
    let ratchet = KeyPair::generate(Role::RatchetKey, rng)?;
    let (root, chain) = root.advance(parties.suite, ratchet.diffie_hellman(&theirs)?.as_bytes());
    let computed = Computed {
        plaintext,
        skipped,
        heartbeat_due: receiving.heartbeat_seen,
    };
    Ok((
        Turn {
            root,
            ratchet,
            chain,
            receiving,
            spare,
        },
        computed,
    ))
}

/// An outcome that lacks its change.
struct Computed {
    plaintext: Plaintext,
    skipped: Vec<SkippedKey>,
    heartbeat_due: bool,
}

impl Computed {
    fn with(self, change: Change) -> Opened {
        let Self {
            plaintext,
            skipped,
            heartbeat_due,
        } = self;
        Opened {
            plaintext,
            step: Step { change, skipped },
            heartbeat_due,
            via_skipped: false,
        }
    }
}

fn late(plaintext: Plaintext, change: Change) -> Opened {
    let step = Step {
        change,
        skipped: Vec::new(),
    };
    Opened {
        plaintext,
        step,
        heartbeat_due: false,
        via_skipped: true,
    }
}

/// Counts before a single key is derived: a message that names number 2³² − 1 costs nothing.
fn check_jump(parties: &Parties, new_chain: u32, old_chain: u32) -> Result<(), OpenError> {
    match new_chain.checked_add(old_chain) {
        Some(jump) if jump <= parties.suite.max_jump => Ok(()),
        _ => Err(OpenError::TooFarAhead),
    }
}

/// Moves a chain past `number`, and gives out the key there.
fn receive(
    parties: &Parties,
    mut receiving: ReceivingChain,
    number: u32,
    skipped: &mut Vec<SkippedKey>,
) -> Result<(ReceivingChain, MessageKey), OpenError> {
    let next = number.checked_add(1).ok_or(OpenError::Exhausted)?;
    skip(&mut receiving, number, skipped);
    let key = receiving.chain.advance();
    receiving.next = next;
    receiving.heartbeat_seen |= number >= parties.suite.heartbeat_at;
    Ok((receiving, key))
}

/// Ends a chain that had `length` messages: the missing ones are skipped, and the key after them is kept apart. A
/// length that the chain has passed already leaves nothing to keep.
fn finish(mut old: ReceivingChain, length: u32, skipped: &mut Vec<SkippedKey>) -> Option<SpareKey> {
    if length < old.next {
        return None;
    }
    skip(&mut old, length, skipped);
    let mut chain = [0; SPARE_CHAIN];
    chain
        .iter_mut()
        .zip(old.ratchet_key.as_bytes())
        .for_each(|(to, from)| *to = *from);
    Some(SpareKey {
        chain,
        number: length,
        key: old.chain.message_key(),
    })
}

/// Takes the keys from where the chain stands up to, not including, `number`.
fn skip(receiving: &mut ReceivingChain, number: u32, skipped: &mut Vec<SkippedKey>) {
    let ratchet_key: PublicKey = receiving.ratchet_key;
    skipped.extend((receiving.next..number).map(|number| SkippedKey {
        ratchet_key,
        number,
        key: receiving.chain.advance(),
    }));
    receiving.next = number;
}

/// Checks the tag, then decrypts.
fn decrypt(
    parties: &Parties,
    key: MessageKey,
    message: &RatchetMessage,
) -> Result<Plaintext, OpenError> {
    let suite = parties.suite;
    let keys = key.expand(suite.message_info);
    let tag = keys.message_tag(
        suite,
        &parties.associated_data(Direction::Received),
        message.authenticated(),
    );
    if !tag_matches(&tag, suite.mac_length, message.tag()) {
        return Err(OpenError::Mac);
    }
    keys.decrypt(message.ciphertext())
        .map(Plaintext)
        .ok_or(OpenError::Ciphertext)
}

impl ReceivingChain {
    /// A second chain at the same point, to try a message on.
    fn fork(&self) -> Self {
        Self {
            ratchet_key: self.ratchet_key,
            chain: self.chain.fork(),
            next: self.next,
            heartbeat_seen: self.heartbeat_seen,
        }
    }
}
