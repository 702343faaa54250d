//! What each event tells C.

use omemo::{Address, BareJid, DeviceId, Event, Fingerprint, Trust, Version};

use crate::event::omemo_event;
use crate::event_kind::omemo_event_kind;
use crate::message::omemo_message;
use crate::reason::omemo_reason;
use crate::recipient::{omemo_recipient, recipients};
use crate::text::Text;
use crate::value::{omemo_protocol, omemo_trust};

impl omemo_event {
    const fn bare(kind: omemo_event_kind) -> Self {
        Self {
            kind,
            message: None,
            jid: None,
            device: 0,
            protocol: omemo_protocol::OMEMO_PROTOCOL_NONE,
            id: None,
            reason: omemo_reason::OMEMO_REASON_NONE,
            text: None,
            fingerprint: None,
            trust: omemo_trust::OMEMO_TRUST_UNDECIDED,
            maybe_delivered: false,
            accounts: Vec::new(),
            keys: Vec::new(),
            held_keys: Vec::new(),
            transported: None,
            served: Vec::new(),
            unserved: Vec::new(),
        }
    }

    fn jid(mut self, jid: &str) -> Self {
        self.jid = Some(Text::new(jid));
        self
    }

    const fn device(mut self, device: u32) -> Self {
        self.device = device;
        self
    }

    fn protocol(mut self, version: Version) -> Self {
        self.protocol = version.into();
        self
    }

    fn address(self, device: &Address) -> Self {
        self.jid(device.jid.as_str()).device(device.device.get())
    }

    fn accounts(mut self, accounts: &[BareJid]) -> Self {
        self.accounts = accounts.iter().map(|jid| Text::new(jid.as_str())).collect();
        self
    }

    /// What went wrong, if anything did.
    fn incomplete(mut self, incomplete: &[String]) -> Self {
        self.text = (!incomplete.is_empty()).then(|| Text::new(incomplete.join("; ")));
        self
    }

    fn id(mut self, id: String) -> Self {
        self.id = Some(Text::new(id));
        self
    }

    fn text(mut self, text: String) -> Self {
        self.text = Some(Text::new(text));
        self
    }

    fn key(mut self, fingerprint: &Fingerprint, trust: Trust) -> Self {
        self.fingerprint = Some(Text::new(fingerprint.to_string()));
        self.trust = trust.into();
        self
    }

    pub(crate) fn new(event: Event) -> Self {
        use omemo_event_kind as Kind;
        match event {
            Event::Message(message) => Self {
                message: Some(Box::new(omemo_message::new(&message))),
                ..Self::bare(Kind::OMEMO_EVENT_MESSAGE)
            },
            Event::Sealed {
                id,
                chat,
                served,
                unserved,
            } => Self {
                served: recipients(served),
                unserved: recipients(unserved),
                ..Self::bare(Kind::OMEMO_EVENT_SEALED)
            }
            .id(id)
            .jid(chat.jid().as_str()),
            Event::KeySealed { id, chat, key } => Self {
                transported: Some(key),
                ..Self::bare(Kind::OMEMO_EVENT_KEY_SEALED)
            }
            .id(id)
            .jid(chat.jid().as_str()),
            Event::Refused { id, chat, unserved } => Self {
                unserved: recipients(unserved),
                ..Self::bare(Kind::OMEMO_EVENT_REFUSED)
            }
            .id(id)
            .jid(chat.jid().as_str()),
            Event::Unsent {
                id,
                reason,
                maybe_delivered,
            } => Self {
                maybe_delivered,
                reason: omemo_reason::of_unsent(&reason),
                ..Self::bare(Kind::OMEMO_EVENT_UNSENT)
            }
            .id(id)
            .text(reason.to_string()),
            Event::Undecryptable {
                from,
                device,
                version,
                id,
                reason,
            } => Self {
                id: id.map(Text::new),
                reason: omemo_reason::of_undecryptable(&reason),
                ..Self::bare(Kind::OMEMO_EVENT_UNDECRYPTABLE)
            }
            .jid(from.as_str())
            .device(device.map_or(0, DeviceId::get))
            .protocol(version)
            .text(reason.to_string()),
            other => Self::of_account(other),
        }
    }

    /// Events that are about no message.
    fn of_account(event: Event) -> Self {
        use omemo_event_kind as Kind;
        match event {
            Event::Published { version } => {
                Self::bare(Kind::OMEMO_EVENT_PUBLISHED).protocol(version)
            }
            Event::ProtocolOff { version, reason } => Self::bare(Kind::OMEMO_EVENT_PROTOCOL_OFF)
                .protocol(version)
                .text(reason),
            Event::ServerLacks {
                version,
                requirement,
            } => Self::bare(Kind::OMEMO_EVENT_SERVER_LACKS)
                .protocol(version)
                .text(requirement),
            Event::NewKey {
                device,
                fingerprint,
                trust,
            } => Self::bare(Kind::OMEMO_EVENT_NEW_KEY)
                .address(&device)
                .key(&fingerprint, trust),
            Event::IdentityChanged { device, version } => {
                Self::bare(Kind::OMEMO_EVENT_IDENTITY_CHANGED)
                    .address(&device)
                    .protocol(version)
            }
            Event::DevicesChanged { jid, version } => Self::bare(Kind::OMEMO_EVENT_DEVICES_CHANGED)
                .jid(jid.as_str())
                .protocol(version),
            Event::ListRefused {
                jid,
                version,
                reason,
            } => Self::bare(Kind::OMEMO_EVENT_LIST_REFUSED)
                .jid(jid.as_str())
                .protocol(version)
                .text(reason),
            Event::Inspected { jid } => Self::bare(Kind::OMEMO_EVENT_INSPECTED).jid(jid.as_str()),
            Event::CatchUpExpired => Self::bare(Kind::OMEMO_EVENT_CATCH_UP_EXPIRED),
            Event::Reannounced { version } => {
                Self::bare(Kind::OMEMO_EVENT_REANNOUNCED).protocol(version)
            }
            other => Self::of_trust(other),
        }
    }

    /// Events about decisions.
    fn of_trust(event: Event) -> Self {
        use omemo_event_kind as Kind;
        match event {
            Event::Verified {
                jid,
                decided,
                held,
                contradicted,
            } => Self {
                keys: fingerprints(&decided),
                held_keys: fingerprints(&held),
                unserved: contradicted
                    .iter()
                    .map(omemo_recipient::contradicted)
                    .collect(),
                ..Self::bare(Kind::OMEMO_EVENT_VERIFIED)
            }
            .jid(jid.as_str()),
            other => Self::of_others(other),
        }
    }

    /// Events about other people's devices and wishes.
    fn of_others(event: Event) -> Self {
        use omemo_event_kind as Kind;
        match event {
            Event::NewDevice { device, version } => Self::bare(Kind::OMEMO_EVENT_NEW_DEVICE)
                .address(&device)
                .protocol(version),
            Event::SharedKey {
                fingerprint,
                accounts,
            } => Self {
                fingerprint: Some(Text::new(fingerprint.to_string())),
                ..Self::bare(Kind::OMEMO_EVENT_SHARED_KEY)
            }
            .accounts(&accounts),
            Event::TrustChanged {
                jid,
                fingerprint,
                trust,
                told_by,
            } => Self {
                text: told_by.map(|device| Text::new(device.to_string())),
                ..Self::bare(Kind::OMEMO_EVENT_TRUST_CHANGED)
            }
            .jid(jid.as_str())
            .key(&fingerprint, trust),
            Event::Downgraded { device } => {
                Self::bare(Kind::OMEMO_EVENT_DOWNGRADED).address(&device)
            }
            Event::Upgraded { device } => Self::bare(Kind::OMEMO_EVENT_UPGRADED).address(&device),
            Event::Duplicate {
                device,
                version,
                id,
            } => Self {
                id: id.map(Text::new),
                ..Self::bare(Kind::OMEMO_EVENT_DUPLICATE)
            }
            .address(&device)
            .protocol(version),
            Event::OptedOut { jid, reason } => Self {
                text: reason.map(Text::new),
                ..Self::bare(Kind::OMEMO_EVENT_OPTED_OUT)
            }
            .jid(jid.as_str()),
            Event::OptedIn { jid } => Self::bare(Kind::OMEMO_EVENT_OPTED_IN).jid(jid.as_str()),
            other => Self::of_rooms(other),
        }
    }

    /// Events about rooms.
    fn of_rooms(event: Event) -> Self {
        use omemo_event_kind as Kind;
        match event {
            Event::RoomReady {
                room,
                members,
                lacking,
            } => Self::bare(Kind::OMEMO_EVENT_ROOM_READY)
                .jid(room.as_str())
                .accounts(&members)
                .incomplete(&lacking),
            Event::MemberChanged { room, jid, member } => Self::bare(if member {
                Kind::OMEMO_EVENT_MEMBER_JOINED
            } else {
                Kind::OMEMO_EVENT_MEMBER_LEFT
            })
            .jid(room.as_str())
            .accounts(&[jid]),
            Event::RoomRefused { room, reason } => Self {
                reason: omemo_reason::of_unserved(&reason),
                ..Self::bare(Kind::OMEMO_EVENT_ROOM_REFUSED)
            }
            .jid(room.as_str())
            .text(reason.to_string()),
            Event::RoomLeft { room } => Self::bare(Kind::OMEMO_EVENT_ROOM_LEFT).jid(room.as_str()),
            other => Self::of_own_life(other),
        }
    }

    /// Events about this device's own life.
    fn of_own_life(event: Event) -> Self {
        use omemo_event_kind as Kind;
        match event {
            Event::Restored { proof } => {
                Self::bare(Kind::OMEMO_EVENT_RESTORED).text(proof.to_string())
            }
            Event::Recovered => Self::bare(Kind::OMEMO_EVENT_RECOVERED),
            Event::AnchorFailed { reason } => {
                Self::bare(Kind::OMEMO_EVENT_ANCHOR_FAILED).text(reason)
            }
            Event::SessionReplaced { device, version } => {
                Self::bare(Kind::OMEMO_EVENT_SESSION_REPLACED)
                    .address(&device)
                    .protocol(version)
            }
            Event::SessionNotReplaced {
                device,
                version,
                reason,
            } => Self::bare(Kind::OMEMO_EVENT_SESSION_NOT_REPLACED)
                .address(&device)
                .protocol(version)
                .text(reason),
            Event::DeviceRemoved { device, incomplete } => {
                Self::bare(Kind::OMEMO_EVENT_DEVICE_REMOVED)
                    .device(device.get())
                    .incomplete(&incomplete)
            }
            Event::Repaired {
                version,
                removed,
                orphans,
                without_bundle,
                failure,
            } => {
                let mut findings: Vec<String> = failure.into_iter().collect();
                findings.extend(finding("removed", &removed));
                findings.extend(finding("on no list", &orphans));
                findings.extend(finding("without a bundle", &without_bundle));
                Self::bare(Kind::OMEMO_EVENT_REPAIRED)
                    .protocol(version)
                    .incomplete(&findings)
            }
            Event::Deactivated { incomplete } => {
                Self::bare(Kind::OMEMO_EVENT_DEACTIVATED).incomplete(&incomplete)
            }
            _ => Self::bare(Kind::OMEMO_EVENT_OTHER),
        }
    }
}

/// Devices of one kind, in words.
fn finding(what: &str, devices: &[DeviceId]) -> Option<String> {
    let ids: Vec<_> = devices.iter().map(ToString::to_string).collect();
    (!ids.is_empty()).then(|| format!("{what}: {}", ids.join(", ")))
}

fn fingerprints(keys: &[Fingerprint]) -> Vec<Text> {
    keys.iter().map(|key| Text::new(key.to_string())).collect()
}
