//! The stored form of a session: a fixed layout of 387 bytes, numbers big-endian.
//!
//! ```text
//!   0  layout (1)                       99  ephemeral key             259  sending: next number (4)
//!   1  version                         131  root key                  263  length of the chain before (4)
//!   2  flags                           163  our ratchet secret        267  the tail, 120 bytes:
//!   3  our identity, wire form         195  our ratchet key
//!  35  peer: Curve25519 form           227  sending chain key
//!  67  peer: Ed25519 form
//!
//! tail, awaiting an answer: prekey id (4), signed prekey id (4), registration id (4), zeros
//! tail, established:  0 their ratchet key    32 receiving chain key    64 next number (4)
//!                    68 spare: chain (16)    84 number (4)             88 key (32)         zeros when empty
//! flags: 1 begun by us   2 established   4 spare   8 heartbeat seen
//! ```
//!
//! Every layout that was ever written stays readable. Numbers of old layouts are never used again.

use zeroize::Zeroizing;

use super::{
    KeyExchangeParts, Parties, Phase, ReceivingChain, SPARE_CHAIN, SendingChain, Session, SpareKey,
};
use crate::chain_key::ChainKey;
use crate::error::SessionError;
use crate::identity::IdentityKey;
use crate::message_key::MessageKey;
use crate::pre_key::{PreKeyId, SignedPreKeyId};
use crate::public_key::{KeyPair, PublicKey};
use crate::root_key::RootKey;
use crate::secret::Secret;
use crate::suite::Version;

const LAYOUT: u8 = 1;
const LENGTH: usize = 387;

const BEGUN_BY_US: u8 = 1;
const ESTABLISHED: u8 = 2;
const SPARE: u8 = 4;
const HEARTBEAT_SEEN: u8 = 8;

impl Session {
    /// The stored form (387 bytes). It holds secrets.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let Self {
            parties,
            ephemeral_key,
            root,
            sending,
            phase,
        } = self;
        let Parties {
            suite,
            initiated_by_us: _,
            our_wire,
            their_wire: _,
            peer,
        } = parties;
        let SendingChain {
            ratchet,
            chain,
            next,
            previous,
        } = sending;
        // With the full capacity from the start, no growing leaves an unwiped copy behind.
        let mut out = Zeroizing::new(Vec::with_capacity(LENGTH));
        out.extend_from_slice(&[LAYOUT, suite.version.to_byte(), self.flags()]);
        out.extend_from_slice(our_wire);
        out.extend_from_slice(peer.curve25519());
        out.extend_from_slice(&peer.ed25519());
        out.extend_from_slice(ephemeral_key.as_bytes());
        out.extend_from_slice(root.as_bytes());
        out.extend_from_slice(ratchet.secret().as_bytes());
        out.extend_from_slice(ratchet.public().as_bytes());
        out.extend_from_slice(chain.as_bytes());
        out.extend_from_slice(&next.to_be_bytes());
        out.extend_from_slice(&previous.to_be_bytes());
        write_phase(phase, &mut out);
        out.resize(LENGTH, 0);
        out
    }

    fn flags(&self) -> u8 {
        let mut flags = 0;
        if self.parties.initiated_by_us {
            flags |= BEGUN_BY_US;
        }
        if let Phase::Established { receiving, spare } = &self.phase {
            flags |= ESTABLISHED;
            if spare.is_some() {
                flags |= SPARE;
            }
            if receiving.heartbeat_seen {
                flags |= HEARTBEAT_SEEN;
            }
        }
        flags
    }

    /// Restores a session.
    ///
    /// # Errors
    ///
    /// [`SessionError::Stored`] if the bytes are not of a layout that this version of the crate knows.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SessionError> {
        read(bytes).ok_or(SessionError::Stored)
    }
}

fn write_phase(phase: &Phase, out: &mut Vec<u8>) {
    match phase {
        Phase::Awaiting(KeyExchangeParts {
            pre_key_id,
            signed_pre_key_id,
            registration_id,
        }) => {
            out.extend_from_slice(&pre_key_id.get().to_be_bytes());
            out.extend_from_slice(&signed_pre_key_id.get().to_be_bytes());
            out.extend_from_slice(&registration_id.to_be_bytes());
        }
        Phase::Established { receiving, spare } => {
            let ReceivingChain {
                ratchet_key,
                chain,
                next,
                heartbeat_seen: _,
            } = receiving;
            out.extend_from_slice(ratchet_key.as_bytes());
            out.extend_from_slice(chain.as_bytes());
            out.extend_from_slice(&next.to_be_bytes());
            if let Some(SpareKey { chain, number, key }) = spare {
                out.extend_from_slice(chain);
                out.extend_from_slice(&number.to_be_bytes());
                out.extend_from_slice(key.as_bytes());
            }
        }
    }
}

/// Reads front to back. The layout's fixed length is the only length there is.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(head)
    }

    fn number(&mut self) -> Option<u32> {
        self.take().copied().map(u32::from_be_bytes)
    }

    fn public_key(&mut self) -> Option<PublicKey> {
        self.take().copied().map(PublicKey::from_checked)
    }

    fn secret(&mut self) -> Option<Secret> {
        self.take().map(Secret::from_array)
    }

    fn rest_is_zero(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }
}

fn read(bytes: &[u8]) -> Option<Session> {
    if bytes.len() != LENGTH {
        return None;
    }
    let mut reader = Reader(bytes);
    let [layout, version, flags] = *reader.take()?;
    if layout != LAYOUT || flags & !(BEGUN_BY_US | ESTABLISHED | SPARE | HEARTBEAT_SEEN) != 0 {
        return None;
    }
    let suite = Version::from_byte(version)?.suite();
    let our_wire = *reader.take()?;
    let peer = IdentityKey::from_stored(*reader.take()?, *reader.take()?);
    let their_wire = (suite.identity_to_wire)(&peer);
    let session = Session {
        parties: Parties {
            suite,
            initiated_by_us: flags & BEGUN_BY_US != 0,
            our_wire,
            their_wire,
            peer,
        },
        ephemeral_key: reader.public_key()?,
        root: RootKey::from_array(reader.take()?),
        sending: SendingChain {
            ratchet: KeyPair::from_stored(reader.secret()?, reader.public_key()?),
            chain: ChainKey::from_array(reader.take()?),
            next: reader.number()?,
            previous: reader.number()?,
        },
        phase: read_phase(flags, &mut reader)?,
    };
    reader.rest_is_zero().then_some(session)
}

fn read_phase(flags: u8, reader: &mut Reader<'_>) -> Option<Phase> {
    if flags & ESTABLISHED == 0 {
        if flags & (SPARE | HEARTBEAT_SEEN) != 0 || flags & BEGUN_BY_US == 0 {
            return None;
        }
        return Some(Phase::Awaiting(KeyExchangeParts {
            pre_key_id: PreKeyId::parse(reader.number()?).ok()?,
            signed_pre_key_id: SignedPreKeyId::parse(reader.number()?).ok()?,
            registration_id: reader.number()?,
        }));
    }
    let receiving = ReceivingChain {
        ratchet_key: reader.public_key()?,
        chain: ChainKey::from_array(reader.take()?),
        next: reader.number()?,
        heartbeat_seen: flags & HEARTBEAT_SEEN != 0,
    };
    let spare = if flags & SPARE == 0 {
        None
    } else {
        Some(read_spare(reader)?)
    };
    Some(Phase::Established { receiving, spare })
}

fn read_spare(reader: &mut Reader<'_>) -> Option<SpareKey> {
    let chain: [u8; SPARE_CHAIN] = *reader.take()?;
    let number = reader.number()?;
    Some(SpareKey {
        chain,
        number,
        key: MessageKey::new(reader.secret()?),
    })
}
