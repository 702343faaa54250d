//! The row of `urn:xmpp:omemo:2` (XEP-0384 §4.2, §4.3).

use super::{Suite, Version};
use crate::framing;
use crate::identity::IdentityKey;
use crate::payload;

pub(super) static SUITE: Suite = Suite {
    version: Version::Omemo2,
    key_prefix: b"",
    identity_to_wire: IdentityKey::ed25519,
    identity_from_wire: IdentityKey::from_ed25519,
    signature_carries_sign: false,
    associated_data_by_sender: false,
    x3dh_info: b"OMEMO X3DH",
    root_info: b"OMEMO Root Chain",
    message_info: b"OMEMO Message Key Material",
    mac_length: 16,
    max_jump: 2000,
    max_stored_skipped: 1000,
    heartbeat_at: 53,
    framing: &framing::omemo2::Omemo2,
    payload: &payload::omemo2::Omemo2,
};
