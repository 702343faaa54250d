//! What rows are found by. What lies between the smallest and the greatest value of a key's last
//! parts is a range, so those parts are numbers and bytes.

use std::ops::RangeInclusive;

use omemo_ratchet::{PublicKey, Version};

use crate::store::{MessageId, SkippedId};
use crate::{Address, BareJid};

const FIRST: [u8; 32] = [0; 32];
const LAST: [u8; 32] = [0xff; 32];

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DeviceKey {
    version: Version,
    jid: BareJid,
    device: u32,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SessionKey {
    device: DeviceKey,
    ephemeral_key: [u8; 32],
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SkippedKey {
    pub(super) session: SessionKey,
    ratchet_key: [u8; 32],
    number: u32,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MessageKey {
    device: DeviceKey,
    ratchet_key: [u8; 32],
    number: u32,
}

impl DeviceKey {
    pub(super) fn new(version: Version, address: &Address) -> Self {
        Self {
            version,
            jid: address.jid.clone(),
            device: address.device.get(),
        }
    }

    /// All devices of an account in a protocol.
    pub(super) fn of(version: Version, jid: &BareJid) -> RangeInclusive<Self> {
        let key = |device| Self {
            version,
            jid: jid.clone(),
            device,
        };
        key(0)..=key(u32::MAX)
    }
}

impl SessionKey {
    pub(super) fn new(version: Version, address: &Address, ephemeral_key: &PublicKey) -> Self {
        Self {
            device: DeviceKey::new(version, address),
            ephemeral_key: *ephemeral_key.as_bytes(),
        }
    }

    /// All sessions with these devices.
    pub(super) fn of(devices: RangeInclusive<DeviceKey>) -> RangeInclusive<Self> {
        let (first, last) = devices.into_inner();
        let key = |device, ephemeral_key| Self {
            device,
            ephemeral_key,
        };
        key(first, FIRST)..=key(last, LAST)
    }
}

impl SkippedKey {
    pub(super) fn new(id: &SkippedId) -> Self {
        Self {
            session: SessionKey::new(id.version, &id.address, &id.ephemeral_key),
            ratchet_key: *id.ratchet_key.as_bytes(),
            number: id.number,
        }
    }

    /// All skipped keys of a session.
    pub(super) fn of(session: &SessionKey) -> RangeInclusive<Self> {
        let key = |ratchet_key, number| Self {
            session: session.clone(),
            ratchet_key,
            number,
        };
        key(FIRST, 0)..=key(LAST, u32::MAX)
    }
}

impl MessageKey {
    pub(super) fn new(id: &MessageId) -> Self {
        Self {
            device: DeviceKey::new(id.version, &id.address),
            ratchet_key: *id.ratchet_key.as_bytes(),
            number: id.number,
        }
    }
}
