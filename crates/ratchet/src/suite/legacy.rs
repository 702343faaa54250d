//! The row of `eu.siacs.conversations.axolotl` (XEP-0384 0.3, and the Signal protocol, version 3, as it was in 2015).

use super::{Suite, Version};
use crate::framing;
use crate::identity::IdentityKey;
use crate::payload;

pub(super) static SUITE: Suite = Suite {
    version: Version::Legacy,
    key_prefix: &[0x05],
    identity_to_wire: |identity| *identity.curve25519(),
    identity_from_wire: IdentityKey::from_curve25519,
    signature_carries_sign: true,
    associated_data_by_sender: true,
    x3dh_info: b"WhisperText",
    root_info: b"WhisperRatchet",
    message_info: b"WhisperMessageKeys",
    mac_length: 8,
    max_jump: 2000,
    max_stored_skipped: 2000,
    heartbeat_at: 53,
    framing: &framing::legacy::Legacy,
    payload: &payload::legacy::Legacy,
};
