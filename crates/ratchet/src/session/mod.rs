//! A session with one device: X3DH's outcome, run by the Double Ratchet (XEP-0384 §4.2, §4.3).
//!
//! ```text
//! initiate   RK = X3DH; new ratchet key R; (RK, CKs) = KDF_RK(RK, DH(R, SPKb))
//! respond    RK = X3DH; R = SPKb; then the first message is received like any other
//! seal       MK = KDF_CK(CKs); header n = Ns, pn = length of the previous sending chain
//! open       new ratchet key R′: (RK, CKr) = KDF_RK(RK, DH(R, R′)); new R; (RK, CKs) = KDF_RK(RK, DH(R, R′))
//! ```
//!
//! Receiving is in two parts. [`Session::open`] computes, checks the tag and changes nothing; [`Session::apply`]
//! enters what came of it, and cannot fail. A forged message therefore leaves no trace, and the caller may still
//! change its mind after a good tag, when the payload turns out to be bad.
//!
//! Skipped message keys are the caller's to store: `apply` hands out the new ones, and `open` takes the one that a late
//! message needs.

use crate::VerifiedBundle;
use crate::chain_key::ChainKey;
use crate::error::SessionError;
use crate::framing::{Introduction, KeyExchange};
use crate::identity::{IdentityKey, IdentityKeyPair};
use crate::message_key::{AssociatedData, MessageKey};
use crate::pre_key::{PreKeyId, PreKeyPair, SignedPreKeyId, SignedPreKeyPair};
use crate::public_key::{KeyPair, PublicKey};
use crate::randomness::{Randomness, Role};
use crate::root_key::RootKey;
use crate::suite::{Suite, Version};
use crate::x3dh::{self, InitiatorKeys, ResponderKeys};

mod ahead;
mod open;
mod seal;
mod step;
mod stored;

pub use seal::Sealed;
pub use step::{Opened, SkippedKey, Step};

/// A Double Ratchet session with one device.
pub struct Session {
    parties: Parties,
    ephemeral_key: PublicKey,
    root: RootKey,
    sending: SendingChain,
    phase: Phase,
}

/// Who talks to whom: fixed for a session's life, and computed once, since every message's tag needs it.
#[derive(Debug, Clone)]
struct Parties {
    suite: &'static Suite,
    initiated_by_us: bool,
    /// The wire forms without prefix.
    our_wire: [u8; 32],
    their_wire: [u8; 32],
    peer: IdentityKey,
}

/// The direction of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Sent,
    Received,
}

/// Our ratchet key and the chain that hangs on it.
#[derive(Debug)]
struct SendingChain {
    ratchet: KeyPair,
    chain: ChainKey,
    /// The number of the next message.
    next: u32,
    /// The length of the chain before.
    previous: u32,
}

/// Has the peer answered?
#[derive(Debug)]
enum Phase {
    /// No: every message repeats the key exchange.
    Awaiting(KeyExchangeParts),
    /// Yes, or the peer began.
    Established {
        receiving: ReceivingChain,
        spare: Option<SpareKey>,
    },
}

/// What a repeated key exchange says besides what the session holds anyway.
#[derive(Debug, Clone, Copy)]
struct KeyExchangeParts {
    pre_key_id: PreKeyId,
    signed_pre_key_id: SignedPreKeyId,
    registration_id: u32,
}

/// The peer's ratchet key and the chain that hangs on it.
#[derive(Debug)]
struct ReceivingChain {
    ratchet_key: PublicKey,
    chain: ChainKey,
    /// The number of the next message in order.
    next: u32,
    /// Whether a message of this chain has called for a heartbeat already.
    heartbeat_seen: bool,
}

/// The key at number `pn` of the chain before.
///
/// By the specification a chain of N messages, numbered from 0, is followed by pn = N, and then no message has this
/// number. Widely used libraries send pn = N − 1, and then the chain's last message has it. One slot, replaced at the
/// next step, lets that message arrive late without cluttering the store with keys that mostly nobody needs.
#[derive(Debug)]
struct SpareKey {
    /// The head of the chain's ratchet key. Enough to find the key by; whether it fits, its tag decides.
    chain: [u8; SPARE_CHAIN],
    number: u32,
    key: MessageKey,
}

/// Bytes of the ratchet key that the spare slot remembers. The stored form of a session has a limit to keep.
const SPARE_CHAIN: usize = 16;

impl Session {
    /// Begins a session with the owner of `bundle`. `registration_id` is our device id; legacy key exchanges hold
    /// it, omemo:2 has no place for it.
    ///
    /// # Errors
    ///
    /// [`SessionError::Version`] if the bundle was verified for another version, otherwise only what the bundle's
    /// prekeys or the source of randomness are to blame for.
    pub fn initiate(
        version: Version,
        identity: &IdentityKeyPair,
        registration_id: u32,
        bundle: &VerifiedBundle,
        rng: &mut dyn Randomness,
    ) -> Result<Self, SessionError> {
        if bundle.version() != version {
            return Err(SessionError::Version);
        }
        let suite = version.suite();
        let (pre_key_id, pre_key) = bundle.choose_pre_key(rng)?;
        let ephemeral = KeyPair::generate(Role::EphemeralKey, rng)?;
        let responder = ResponderKeys {
            identity: &bundle.identity().diffie_hellman_key(),
            signed_pre_key: bundle.signed_pre_key(),
            pre_key: &pre_key,
        };
        let root = x3dh::initiate(suite, identity.secret(), &ephemeral, &responder)?;

        let ratchet = KeyPair::generate(Role::RatchetKey, rng)?;
        let shared = ratchet.diffie_hellman(bundle.signed_pre_key())?;
        let (root, chain) = root.advance(suite, shared.as_bytes());
        Ok(Self {
            parties: Parties::new(suite, true, identity.public(), bundle.identity()),
            ephemeral_key: *ephemeral.public(),
            root,
            sending: SendingChain {
                ratchet,
                chain,
                next: 0,
                previous: 0,
            },
            phase: Phase::Awaiting(KeyExchangeParts {
                pre_key_id,
                signed_pre_key_id: bundle.signed_pre_key_id(),
                registration_id,
            }),
        })
    }

    /// Accepts a session that the peer began, and opens the message that came with it. The step of that message is
    /// already in the session that is returned; [`apply`](Self::apply) only hands out its skipped keys.
    ///
    /// The two prekeys are those that the key exchange names. Whoever calls this sees to it that the prekey serves
    /// once.
    ///
    /// # Errors
    ///
    /// [`SessionError`]; a forged key exchange ends as [`SessionError::Open`] with
    /// [`OpenError::Mac`](crate::OpenError::Mac).
    pub fn respond(
        version: Version,
        identity: &IdentityKeyPair,
        signed_pre_key: &SignedPreKeyPair,
        pre_key: &PreKeyPair,
        key_exchange: &KeyExchange,
        rng: &mut dyn Randomness,
    ) -> Result<(Self, Opened), SessionError> {
        if key_exchange.version() != version {
            return Err(SessionError::Version);
        }
        if key_exchange.pre_key_id() != pre_key.id() {
            return Err(SessionError::PreKey);
        }
        if key_exchange.signed_pre_key_id() != signed_pre_key.id() {
            return Err(SessionError::SignedPreKey);
        }
        let ephemeral_key = *key_exchange.ephemeral_key();
        ephemeral_key
            .check_torsion_free()
            .map_err(SessionError::EphemeralKey)?;

        let suite = version.suite();
        let peer = key_exchange.identity();
        let initiator = InitiatorKeys {
            identity: &peer.diffie_hellman_key(),
            ephemeral: &ephemeral_key,
        };
        let root = x3dh::respond(
            suite,
            identity.secret(),
            signed_pre_key.key_pair(),
            pre_key.key_pair(),
            &initiator,
        )?;
        let parties = Parties::new(suite, false, identity.public(), peer);
        let (first, opened) = open::first_message(
            &parties,
            &root,
            signed_pre_key.key_pair().secret(),
            key_exchange.message(),
            rng,
        )?;
        let open::Turn {
            root,
            ratchet,
            chain,
            receiving,
            spare,
        } = first;
        let session = Self {
            parties,
            ephemeral_key,
            root,
            sending: SendingChain {
                ratchet,
                chain,
                next: 0,
                previous: 0,
            },
            phase: Phase::Established { receiving, spare },
        };
        Ok((session, opened))
    }

    /// The protocol of this session.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.parties.suite.version
    }

    /// The ephemeral key of the key exchange that made this session: its name.
    #[must_use]
    pub const fn ephemeral_key(&self) -> &PublicKey {
        &self.ephemeral_key
    }

    /// The peer's identity key.
    #[must_use]
    pub const fn peer(&self) -> &IdentityKey {
        &self.parties.peer
    }

    /// The peer's ratchet key, once a message has been received.
    #[must_use]
    pub const fn receiving_ratchet_key(&self) -> Option<&PublicKey> {
        match &self.phase {
            Phase::Awaiting(_) => None,
            Phase::Established { receiving, .. } => Some(&receiving.ratchet_key),
        }
    }

    /// Whether the next message will repeat the key exchange, because the peer has not answered yet.
    #[must_use]
    pub const fn awaits_answer(&self) -> bool {
        matches!(self.phase, Phase::Awaiting(_))
    }

    /// How many messages were sealed since the peer's ratchet key changed last: it has seen none of
    /// them, as far as its own messages tell.
    #[must_use]
    pub const fn unanswered(&self) -> u32 {
        self.sending.next
    }

    /// Whether we began it.
    #[must_use]
    pub const fn initiated_by_us(&self) -> bool {
        self.parties.initiated_by_us
    }

    fn introduction<'a>(&'a self, parts: &KeyExchangeParts) -> Introduction<'a> {
        Introduction {
            pre_key_id: parts.pre_key_id,
            signed_pre_key_id: parts.signed_pre_key_id,
            registration_id: parts.registration_id,
            identity: &self.parties.our_wire,
            ephemeral: &self.ephemeral_key,
        }
    }
}

impl Parties {
    fn new(
        suite: &'static Suite,
        initiated_by_us: bool,
        ours: &IdentityKey,
        theirs: &IdentityKey,
    ) -> Self {
        let wire = suite.identity_to_wire;
        Self {
            suite,
            initiated_by_us,
            our_wire: wire(ours),
            their_wire: wire(theirs),
            peer: *theirs,
        }
    }

    /// omemo:2 names the initiator first, in both directions; legacy names the sender first.
    fn associated_data(&self, direction: Direction) -> AssociatedData<'_> {
        let ours_first = if self.suite.associated_data_by_sender {
            direction == Direction::Sent
        } else {
            self.initiated_by_us
        };
        if ours_first {
            AssociatedData {
                first: &self.our_wire,
                second: &self.their_wire,
            }
        } else {
            AssociatedData {
                first: &self.their_wire,
                second: &self.our_wire,
            }
        }
    }
}

impl ReceivingChain {
    /// Where the chain stands: what a step is based on.
    const fn position(&self) -> (PublicKey, u32) {
        (self.ratchet_key, self.next)
    }
}

impl SpareKey {
    fn fits(&self, ratchet_key: &PublicKey, number: u32) -> bool {
        self.number == number && ratchet_key.as_bytes().starts_with(&self.chain)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            parties,
            ephemeral_key,
            root: _,
            sending: _,
            phase: _,
        } = self;
        f.debug_struct("Session")
            .field("version", &parties.suite.version)
            .field("initiated_by_us", &parties.initiated_by_us)
            .field("ephemeral_key", ephemeral_key)
            .finish_non_exhaustive()
    }
}
