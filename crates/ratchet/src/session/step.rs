//! What receiving a message leads to, between computing and entering it.

use zeroize::Zeroizing;

use super::open::Turn;
use super::{Phase, ReceivingChain, SendingChain, Session};
use crate::message_key::MessageKey;
use crate::public_key::PublicKey;

/// A message that has been opened: authentic, but not yet entered into its session.
#[derive(Debug)]
pub struct Opened {
    pub(super) plaintext: Plaintext,
    pub(super) step: Step,
    pub(super) heartbeat_due: bool,
    pub(super) via_skipped: bool,
}

/// A plaintext that does not show in debug output.
pub(super) struct Plaintext(pub(super) Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(_) = self;
        f.write_str("[redacted]")
    }
}

impl Opened {
    /// What the peer sealed: a payload's key.
    #[must_use]
    pub fn plaintext(&self) -> &[u8] {
        &self.plaintext.0
    }

    /// What the message does to its session.
    #[must_use]
    pub const fn step(&self) -> &Step {
        &self.step
    }

    /// Whether the peer is owed a heartbeat: true exactly for the first message numbered 53 or higher of each chain
    /// that is the newest one when it arrives. (A message of an older chain asks for nothing: the ratchet has moved
    /// on, and moving it is what a heartbeat is for.)
    #[must_use]
    pub const fn heartbeat_due(&self) -> bool {
        self.heartbeat_due
    }

    /// Whether it was a late message, opened by a key kept for it. Such a message says nothing about which session
    /// the peer uses now.
    #[must_use]
    pub const fn via_skipped(&self) -> bool {
        self.via_skipped
    }

    /// Plaintext and step.
    #[must_use]
    pub fn into_parts(self) -> (Zeroizing<Vec<u8>>, Step) {
        (self.plaintext.0, self.step)
    }
}

/// The effect of one received message, to be entered with [`Session::apply`].
#[derive(Debug)]
pub struct Step {
    pub(super) change: Change,
    pub(super) skipped: Vec<SkippedKey>,
}

#[derive(Debug)]
pub(super) enum Change {
    /// The key came from the caller; the session stays as it is.
    UsedSkipped,
    /// The key came from the spare slot, which is empty now.
    UsedSpare,
    /// The receiving chain moves on, from this position.
    Advance {
        from: (PublicKey, u32),
        receiving: ReceivingChain,
    },
    /// Both chains are new. The old receiving chain, if any, stood at this position.
    Turn {
        from: Option<(PublicKey, u32)>,
        turn: Box<Turn>,
    },
    /// Already entered.
    Done,
}

impl Step {
    /// The keys of messages that were passed over, oldest first, for the store to keep.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// Whether the caller's skipped key opened the message, and is to be deleted.
    #[must_use]
    pub const fn used_skipped(&self) -> bool {
        matches!(self.change, Change::UsedSkipped)
    }
}

/// The key of a message that has not arrived yet.
#[derive(Debug)]
#[non_exhaustive]
pub struct SkippedKey {
    /// The ratchet key of its chain.
    pub ratchet_key: PublicKey,
    /// Its number in the chain.
    pub number: u32,
    /// The key.
    pub key: MessageKey,
}

impl Session {
    /// Enters what [`open`](Self::open) computed, and gives the keys of messages that were passed over, oldest
    /// first, for the store to keep. This cannot fail.
    ///
    /// A step computed from a state that is no longer the session's state changes nothing: the ratchet never runs
    /// backwards.
    #[must_use = "messages whose keys are not stored can never be opened"]
    pub fn apply(&mut self, step: Step) -> Vec<SkippedKey> {
        match step.change {
            Change::UsedSkipped | Change::Done => {}
            Change::UsedSpare => {
                if let Phase::Established { spare, .. } = &mut self.phase {
                    *spare = None;
                }
            }
            Change::Advance {
                from,
                receiving: new,
            } => {
                if let Phase::Established { receiving, .. } = &mut self.phase
                    && receiving.position() == from
                {
                    *receiving = new;
                }
            }
            Change::Turn { from, turn } => self.turn(from, *turn),
        }
        step.skipped
    }

    fn turn(&mut self, from: Option<(PublicKey, u32)>, turn: Turn) {
        let position = match &self.phase {
            Phase::Awaiting(_) => None,
            Phase::Established { receiving, .. } => Some(receiving.position()),
        };
        if position != from {
            return;
        }
        let Turn {
            root,
            ratchet,
            chain,
            receiving,
            spare,
        } = turn;
        self.root = root;
        // Counted here, not when the step was computed: we may have sent in between.
        let previous = self.sending.next;
        self.sending = SendingChain {
            ratchet,
            chain,
            next: 0,
            previous,
        };
        self.phase = Phase::Established { receiving, spare };
    }
}
