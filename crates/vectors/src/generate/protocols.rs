//! What differs between the protocols, as far as the generator has to know it: a row each.
//!
//! Taken from the specifications and not from the library, so that the two can disagree.

use omemo_ratchet::Version;

use super::frames::{self, Frames};
use super::points::{self, BadKey};
use super::seed::Seed;

/// A row of the table.
pub(super) struct Protocol {
    /// Stands before Curve25519 keys on the wire.
    pub(super) key_prefix: &'static [u8],
    /// Bit 7 of a signature's last byte holds the sign of the signer's Ed25519 form.
    pub(super) signature_carries_sign: bool,
    /// The initiator's identity key comes first in what tags cover, else the sender's.
    pub(super) initiator_first: bool,
    /// Bytes of a payload's key.
    pub(super) payload_key: usize,
    /// Bytes of a payload's tag, which goes with its key.
    pub(super) payload_tag: usize,
    /// Bytes that go through the ratchet where there is no payload.
    pub(super) empty: &'static [usize],
    /// Identity keys on the wire that are none, and why.
    pub(super) bad_identities: fn(&Seed) -> Vec<BadKey>,
    /// The layout of frames.
    pub(super) frames: &'static Frames,
}

static OMEMO2: Protocol = Protocol {
    key_prefix: &[],
    signature_carries_sign: false,
    initiator_first: true,
    payload_key: 32,
    payload_tag: 16,
    empty: &[32],
    bad_identities: points::bad_ed25519_identities,
    frames: &frames::OMEMO2,
};

static LEGACY: Protocol = Protocol {
    key_prefix: &[5],
    signature_carries_sign: true,
    initiator_first: false,
    payload_key: 16,
    payload_tag: 16,
    empty: &[16, 32],
    bad_identities: points::bad_curve25519_identities,
    frames: &frames::LEGACY,
};

/// The row of a version.
pub(super) const fn of(version: Version) -> &'static Protocol {
    match version {
        Version::Omemo2 => &OMEMO2,
        Version::Legacy => &LEGACY,
    }
}
