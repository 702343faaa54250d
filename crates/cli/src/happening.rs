//! What happens to an account while it runs, beside messages: a line for scripts and a sentence for
//! people.

use omemo::{Address, BareJid, DeviceId, Event, Fingerprint, Trust, Version};
use serde::Serialize;

use crate::report::hex;

/// One event. Scripts read the fields; new ones may be added, none is changed.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Happening {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trust: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    removed: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    orphans: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    without_bundle: Vec<u32>,
    /// What a person should be told, whatever the command.
    #[serde(skip)]
    pub(crate) sentence: Option<String>,
}

impl Happening {
    /// What is said of an event; `None` for those that have a line of their own, such as messages.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        of_server(event)
            .or_else(|| of_keys(event))
            .or_else(|| of_contacts(event))
            .or_else(|| of_rooms(event))
            .or_else(|| of_own_life(event))
    }

    /// What a person has decided about a key; one that `is_known` has a row in the store already.
    pub(crate) fn decision(
        jid: &BareJid,
        fingerprint: &Fingerprint,
        trust: Trust,
        is_known: bool,
    ) -> Self {
        let event = if is_known { "decided" } else { "held" };
        let sentence = if is_known {
            format!("of {jid} is now {trust}.")
        } else {
            format!("of {jid} was not seen yet; it is {trust} from the moment on in which it is.")
        };
        Self::new(event)
            .jid(jid)
            .key(fingerprint, Some(trust))
            .say(sentence)
    }

    /// A person agrees to plain text.
    pub(crate) fn plain_text(jid: &BareJid) -> Self {
        Self::new("plain-text").jid(jid).say(format!(
            "Noted: {jid} gets plain text from your other programs. omemo itself sends none; omemo opt-out {jid} --keep-encrypting takes it back."
        ))
    }

    /// A person does not agree to plain text.
    pub(crate) fn keep_encrypting(jid: &BareJid) -> Self {
        Self::new("keep-encrypting")
            .jid(jid)
            .say(format!("Messages to {jid} are encrypted again."))
    }

    /// A person has agreed to the weaker protocol.
    pub(crate) fn legacy_allowed(device: &Address) -> Self {
        Self::new("legacy-allowed").device(device).say(format!(
            "Device {device} is served in the legacy protocol from now on."
        ))
    }

    fn new(event: &'static str) -> Self {
        Self {
            event,
            ..Self::default()
        }
    }

    fn jid(mut self, jid: &BareJid) -> Self {
        self.jid = Some(jid.to_string());
        self
    }

    fn device(mut self, device: &Address) -> Self {
        self.device = Some(device.device.get());
        self.jid(&device.jid)
    }

    fn protocol(mut self, version: Version) -> Self {
        self.protocol = Some(omemo::namespace(version));
        self
    }

    fn key(mut self, fingerprint: &Fingerprint, trust: Option<Trust>) -> Self {
        self.fingerprint = Some(hex(fingerprint));
        self.trust = trust.map(Trust::as_str);
        self
    }

    fn reason(mut self, reason: impl ToString) -> Self {
        self.reason = Some(reason.to_string());
        self
    }

    fn accounts(mut self, accounts: &[BareJid]) -> Self {
        self.accounts = accounts.iter().map(ToString::to_string).collect();
        self
    }

    fn say(mut self, sentence: impl Into<String>) -> Self {
        self.sentence = Some(sentence.into());
        self
    }
}

fn of_server(event: &Event) -> Option<Happening> {
    Some(match event {
        Event::Published { version } => Happening::new("published").protocol(*version),
        Event::Reannounced { version } => Happening::new("reannounced").protocol(*version),
        Event::ProtocolOff { version, reason } => Happening::new("protocol-off")
            .protocol(*version)
            .reason(reason)
            .say(format!(
                "The protocol {} is off: {reason}.",
                omemo::short_name(*version)
            )),
        Event::ServerLacks {
            version,
            requirement,
        } => Happening::new("server-lacks")
            .protocol(*version)
            .reason(requirement)
            .say(format!(
                "The server falls short for {}: {requirement}.",
                omemo::short_name(*version)
            )),
        Event::ListRefused {
            jid,
            version,
            reason,
        } => Happening::new("list-refused")
            .jid(jid)
            .protocol(*version)
            .reason(reason)
            .say(format!(
                "The {} device list of {jid} was refused: {reason}.",
                omemo::short_name(*version)
            )),
        Event::CatchUpExpired => Happening::new("catch-up-expired"),
        _ => return None,
    })
}

fn of_keys(event: &Event) -> Option<Happening> {
    Some(match event {
        Event::NewKey {
            device,
            fingerprint,
            trust,
        } => {
            let happening = Happening::new("new-key")
                .device(device)
                .key(fingerprint, Some(*trust));
            if *trust == Trust::Undecided {
                happening.say(format!(
                    "Device {device} waits for a decision. Compare its fingerprint, then: omemo trust {} {fingerprint}",
                    device.jid
                ))
            } else {
                happening
            }
        }
        Event::IdentityChanged { device, version } => Happening::new("identity-changed")
            .device(device)
            .protocol(*version)
            .say(format!(
                "Device {device} shows another key than before in {} and was refused.",
                omemo::short_name(*version)
            )),
        Event::SharedKey {
            fingerprint,
            accounts,
        } => {
            let all: Vec<_> = accounts.iter().map(ToString::to_string).collect();
            Happening::new("shared-key")
                .key(fingerprint, None)
                .accounts(accounts)
                .say(format!(
                    "{} show the same key; at most one of them has it by right. Compare fingerprints before you trust any.",
                    all.join(" and ")
                ))
        }
        Event::TrustChanged {
            jid,
            fingerprint,
            trust,
            told_by,
        } => {
            let happening = Happening::new("trust-changed")
                .jid(jid)
                .key(fingerprint, Some(*trust));
            match told_by {
                Some(device) => happening.reason(device).say(format!(
                    "A key of {jid} is {trust} now, says the verified device {device}."
                )),
                None => happening.say(format!("A key of {jid} is {trust} now.")),
            }
        }
        _ => return None,
    })
}

fn of_contacts(event: &Event) -> Option<Happening> {
    Some(match event {
        Event::DevicesChanged { jid, version } => Happening::new("devices-changed")
            .jid(jid)
            .protocol(*version),
        Event::NewDevice { device, version } => Happening::new("new-device")
            .device(device)
            .protocol(*version)
            .say(format!(
                "{} has a new device, {} ({}).",
                device.jid,
                device.device,
                omemo::short_name(*version)
            )),
        Event::Downgraded { device } => Happening::new("downgraded").device(device).say(format!(
            "Device {device} spoke omemo:2 and is only listed for the weaker legacy protocol now. It gets nothing before you allow it: omemo devices allow-legacy {} {}",
            device.jid, device.device
        )),
        Event::Upgraded { device } => Happening::new("upgraded").device(device),
        Event::Duplicate {
            device,
            version,
            id,
        } => {
            let mut happening = Happening::new("duplicate")
                .device(device)
                .protocol(*version);
            happening.id.clone_from(id);
            happening
        }
        Event::OptedOut { jid, reason } => {
            let mut happening = Happening::new("opted-out").jid(jid);
            happening.reason.clone_from(reason);
            happening.say(format!(
                "{jid} asks for plain text instead of encryption{}. Nothing is sent there before you decide: omemo opt-out {jid} --plain-text or --keep-encrypting",
                reason.as_ref().map_or(String::new(), |reason| format!(" ({reason})"))
            ))
        }
        Event::OptedIn { jid } => Happening::new("opted-in")
            .jid(jid)
            .say(format!("{jid} writes encrypted messages again.")),
        Event::SessionReplaced { device, version } => Happening::new("session-replaced")
            .device(device)
            .protocol(*version),
        Event::SessionNotReplaced {
            device,
            version,
            reason,
        } => Happening::new("session-not-replaced")
            .device(device)
            .protocol(*version)
            .reason(reason)
            .say(format!(
                "The {} session with device {device} was not replaced: {reason}.",
                omemo::short_name(*version)
            )),
        _ => return None,
    })
}

fn of_rooms(event: &Event) -> Option<Happening> {
    Some(match event {
        Event::RoomReady {
            room,
            members,
            lacking,
        } => {
            let mut happening = Happening::new("room-ready").jid(room).accounts(members);
            happening.reason = unfinished(lacking);
            happening
        }
        Event::MemberChanged { room, jid, member } => {
            let (event, change) = if *member {
                ("member-joined", "is a member of")
            } else {
                ("member-left", "is no member any more of")
            };
            Happening::new(event)
                .jid(room)
                .accounts(std::slice::from_ref(jid))
                .say(format!("{jid} {change} {room}."))
        }
        Event::RoomRefused { room, reason } => Happening::new("room-refused")
            .jid(room)
            .reason(reason)
            .say(format!(
                "No encrypted message can be sent to {room}: {reason}."
            )),
        Event::RoomLeft { room } => Happening::new("room-left")
            .jid(room)
            .say(format!("We are not in {room} any more.")),
        _ => return None,
    })
}

fn of_own_life(event: &Event) -> Option<Happening> {
    Some(match event {
        Event::Restored { proof } => Happening::new("restored").reason(proof).say(format!(
            "This device's keys were put back to an older state: {proof}. Nothing is encrypted before you run: omemo recover"
        )),
        Event::Recovered => Happening::new("recovered").say("The device has recovered."),
        Event::AnchorFailed { reason } => Happening::new("anchor-failed").reason(reason).say(
            format!("The anchor could not be written: {reason}. A restored store may not be noticed."),
        ),
        Event::DeviceRemoved { device, incomplete } => {
            let mut happening = Happening::new("device-removed");
            happening.device = Some(device.get());
            happening.reason = unfinished(incomplete);
            happening
        }
        Event::Repaired {
            version,
            removed,
            orphans,
            without_bundle,
            failure,
        } => {
            let mut happening = Happening::new("repaired").protocol(*version);
            happening.reason.clone_from(failure);
            happening.removed = ids(removed);
            happening.orphans = ids(orphans);
            happening.without_bundle = ids(without_bundle);
            happening
        }
        Event::Deactivated { incomplete } => {
            let mut happening = Happening::new("deactivated");
            happening.reason = unfinished(incomplete);
            happening
        }
        _ => return None,
    })
}

fn ids(devices: &[DeviceId]) -> Vec<u32> {
    devices.iter().map(|device| device.get()).collect()
}

/// What a server refused to do, as one reason.
fn unfinished(incomplete: &[String]) -> Option<String> {
    (!incomplete.is_empty()).then(|| incomplete.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(event: &Event) -> String {
        serde_json::to_string(&Happening::of(event).unwrap()).unwrap()
    }

    #[test]
    fn json_lines_keep_their_shape() {
        let jid = BareJid::parse("a@b").unwrap();
        let device = Address {
            jid: jid.clone(),
            device: DeviceId::new(7).unwrap(),
        };
        assert_eq!(
            json(&Event::NewDevice {
                device: device.clone(),
                version: Version::Omemo2
            }),
            r#"{"event":"new-device","jid":"a@b","device":7,"protocol":"urn:xmpp:omemo:2"}"#
        );
        assert_eq!(
            json(&Event::NewKey {
                device,
                fingerprint: Fingerprint::new([0xab; 32]),
                trust: Trust::Blind
            }),
            format!(
                r#"{{"event":"new-key","jid":"a@b","device":7,"fingerprint":"{}","trust":"blind"}}"#,
                "ab".repeat(32)
            )
        );
        assert_eq!(
            json(&Event::OptedOut {
                jid: jid.clone(),
                reason: Some("why".into())
            }),
            r#"{"event":"opted-out","jid":"a@b","reason":"why"}"#
        );
        assert_eq!(
            json(&Event::RoomReady {
                room: jid.clone(),
                members: vec![jid],
                lacking: Vec::new(),
            }),
            r#"{"event":"room-ready","jid":"a@b","accounts":["a@b"]}"#
        );
    }

    #[test]
    fn who_waits_for_a_decision_is_told_how_to_decide() {
        let event = Event::NewKey {
            device: Address {
                jid: BareJid::parse("a@b").unwrap(),
                device: DeviceId::new(7).unwrap(),
            },
            fingerprint: Fingerprint::new([0; 32]),
            trust: Trust::Undecided,
        };
        let sentence = Happening::of(&event).unwrap().sentence.unwrap();
        assert!(sentence.contains("omemo trust a@b 00000000"), "{sentence}");
    }
}
