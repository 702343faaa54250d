//! What the command says on standard output: for people, or as JSON for scripts, one object a
//! line with `"event"` first.

use std::io::{self, Write};

use omemo::{
    BareJid, Device, DeviceId, Fingerprint, Message, Served, Trust, UndecryptableReason, Unserved,
    VerificationUri, Version,
};
use serde::Serialize;

use crate::colour::Palette;
use crate::happening::Happening;

/// The lines that scripts read. New fields may be added; none is changed.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum Line<'a> {
    Ready {
        jid: &'a str,
        device: u32,
        fingerprint: String,
    },
    Message {
        id: Option<&'a str>,
        from: &'a str,
        device: u32,
        protocol: &'static str,
        body: &'a str,
        trust: &'static str,
        chat: &'a str,
    },
    Undecryptable {
        from: &'a str,
        device: Option<u32>,
        protocol: &'static str,
        reason: String,
    },
    Sent {
        to: &'a str,
        served: Vec<ServedDevice<'a>>,
        unserved: Vec<UnservedDevice<'a>>,
    },
    Room {
        room: &'a str,
        members: Vec<&'a str>,
        lacking: &'a [String],
    },
    Device {
        jid: &'a str,
        device: u32,
        fingerprint: Option<String>,
        trust: &'static str,
        protocols: Vec<&'static str>,
        label: Option<&'a str>,
        own: bool,
        failure: Option<&'a str>,
    },
    Fingerprint {
        jid: &'a str,
        device: u32,
        fingerprint: String,
        uri: String,
    },
    Label {
        label: Option<&'a str>,
    },
    Error {
        message: &'a str,
    },
}

#[derive(Debug, Serialize)]
pub(crate) struct ServedDevice<'a> {
    jid: &'a str,
    device: u32,
    protocol: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct UnservedDevice<'a> {
    jid: &'a str,
    device: Option<u32>,
    reason: String,
}

/// Where the report goes and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    pub(crate) json: bool,
    pub(crate) palette: Palette,
}

impl Report {
    /// A report on standard output.
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            palette: Palette::of_stdout(),
        }
    }

    /// The device is online and published.
    pub(crate) fn ready(
        self,
        jid: &BareJid,
        device: DeviceId,
        fingerprint: &Fingerprint,
    ) -> io::Result<()> {
        if self.json {
            return line(&Line::Ready {
                jid: jid.as_str(),
                device: device.get(),
                fingerprint: hex(fingerprint),
            });
        }
        say(&format!(
            "{} is online as device {device}\n{}",
            self.jid(jid),
            self.palette.fingerprint(fingerprint)
        ))
    }

    /// A decrypted message.
    pub(crate) fn message(self, message: &Message, body: &str) -> io::Result<()> {
        if self.json {
            return line(&Line::Message {
                id: message.id.as_deref(),
                from: message.from.jid.as_str(),
                device: message.from.device.get(),
                protocol: omemo::namespace(message.version),
                body,
                trust: message.trust.as_str(),
                chat: message.chat.jid().as_str(),
            });
        }
        let chat = if *message.chat.jid() == message.from.jid {
            String::new()
        } else {
            format!(" to {}", self.jid(message.chat.jid()))
        };
        let about = format!(
            "({}, device {}, key {})",
            omemo::short_name(message.version),
            message.from.device,
            message.trust
        );
        say(&format!(
            "{}{chat} {}: {}",
            self.jid(&message.from.jid),
            self.palette.faint(&about),
            harmless(body)
        ))
    }

    /// A message that cannot be read.
    pub(crate) fn undecryptable(
        self,
        from: &BareJid,
        device: Option<DeviceId>,
        version: Version,
        reason: &UndecryptableReason,
    ) -> io::Result<()> {
        if self.json {
            return line(&Line::Undecryptable {
                from: from.as_str(),
                device: device.map(DeviceId::get),
                protocol: omemo::namespace(version),
                reason: reason.to_string(),
            });
        }
        let device = device.map_or(String::new(), |device| format!(", device {device}"));
        say(&format!(
            "{} ({}{device}): a message that cannot be read: {}",
            self.jid(from),
            omemo::short_name(version),
            harmless(&reason.to_string())
        ))
    }

    /// What the command has done: a line for scripts, or its sentence.
    pub(crate) fn done(self, happening: &Happening) -> io::Result<()> {
        match &happening.sentence {
            _ if self.json => line(happening),
            Some(sentence) => say(&harmless(sentence)),
            None => Ok(()),
        }
    }

    /// A decision about a key.
    pub(crate) fn decided(
        self,
        jid: &BareJid,
        fingerprint: &Fingerprint,
        trust: Trust,
        is_known: bool,
    ) -> io::Result<()> {
        if !self.json {
            say(&self.palette.fingerprint(fingerprint))?;
        }
        self.done(&Happening::decision(jid, fingerprint, trust, is_known))
    }

    /// Something else that happened; people were told it on standard error.
    pub(crate) fn happening(self, happening: &Happening) -> io::Result<()> {
        if self.json { line(happening) } else { Ok(()) }
    }

    /// What became of a message of ours.
    pub(crate) fn sent(
        self,
        to: &BareJid,
        served: &[Served],
        unserved: &[Unserved],
    ) -> io::Result<()> {
        if self.json {
            return line(&Line::Sent {
                to: to.as_str(),
                served: served.iter().map(ServedDevice::of).collect(),
                unserved: unserved.iter().map(UnservedDevice::of).collect(),
            });
        }
        let mut text = if served.is_empty() {
            format!("Nothing was sent to {}.", self.jid(to))
        } else {
            format!("Sent to {}, for", self.jid(to))
        };
        for served in served {
            let whose = if served.device.jid == *to {
                String::new()
            } else {
                format!(" of {}", self.jid(&served.device.jid))
            };
            text += &format!(
                "\n  device {}{whose} ({})",
                served.device.device,
                omemo::short_name(served.version)
            );
        }
        for unserved in unserved {
            text += &format!("\n  not for {}", harmless(&unserved.to_string()));
        }
        say(&text)
    }

    /// Who gets messages to a room.
    pub(crate) fn room(
        self,
        room: &BareJid,
        members: &[BareJid],
        lacking: &[String],
    ) -> io::Result<()> {
        if self.json {
            return line(&Line::Room {
                room: room.as_str(),
                members: members.iter().map(BareJid::as_str).collect(),
                lacking,
            });
        }
        let mut text = match members {
            [] => format!("Nobody but us belongs to {}.", self.jid(room)),
            _ => format!("Messages to {} are encrypted for", self.jid(room)),
        };
        for member in members {
            text += &format!("\n  {}", self.jid(member));
        }
        for lacking in lacking {
            text += &format!("\n  not known: {}", harmless(lacking));
        }
        say(&text)
    }

    /// The devices of an account.
    pub(crate) fn devices(self, jid: &BareJid, devices: &[Device]) -> io::Result<()> {
        if self.json {
            return devices.iter().try_for_each(|device| {
                line(&Line::Device {
                    jid: jid.as_str(),
                    device: device.address.device.get(),
                    fingerprint: device.fingerprint.as_ref().map(hex),
                    trust: device.trust.as_str(),
                    protocols: device
                        .listed
                        .iter()
                        .copied()
                        .map(omemo::namespace)
                        .collect(),
                    label: device.label.as_deref(),
                    own: device.own,
                    failure: device.failure.as_deref(),
                })
            });
        }
        if devices.is_empty() {
            return say(&format!("{} has no OMEMO devices.", self.jid(jid)));
        }
        let mut text = self.palette.strong(jid.as_str());
        for device in devices {
            let protocols = match device.listed.as_slice() {
                [] => "not listed any more".to_owned(),
                listed => listed
                    .iter()
                    .copied()
                    .map(omemo::short_name)
                    .collect::<Vec<_>>()
                    .join(" + "),
            };
            let label = device.label.as_deref().map_or(String::new(), |label| {
                format!("  \u{201c}{}\u{201d}", harmless(label))
            });
            let own = if device.own { "  (this device)" } else { "" };
            text += &format!(
                "\n  {:<10}  {protocols:<16}  {}{label}{own}",
                device.address.device,
                device.trust.as_str()
            );
            let second = match (&device.fingerprint, &device.failure) {
                (Some(fingerprint), _) => self.palette.fingerprint(fingerprint),
                (None, Some(failure)) => harmless(failure),
                (None, None) => "its key is not known yet".into(),
            };
            text += &format!("\n              {second}");
        }
        say(&text)
    }

    /// Our own fingerprint.
    pub(crate) fn fingerprint(
        self,
        jid: &BareJid,
        device: DeviceId,
        fingerprint: &Fingerprint,
        qr: Option<&str>,
    ) -> io::Result<()> {
        if self.json {
            return line(&Line::Fingerprint {
                jid: jid.as_str(),
                device: device.get(),
                fingerprint: hex(fingerprint),
                uri: uri(jid, device, fingerprint),
            });
        }
        let mut text = format!(
            "{}, device {device}\n{}",
            self.jid(jid),
            self.palette.fingerprint(fingerprint)
        );
        if let Some(qr) = qr {
            text += &format!("\n\n{qr}\n{}", uri(jid, device, fingerprint));
        }
        say(&text)
    }

    /// What this device is called.
    pub(crate) fn label(self, label: Option<&str>) -> io::Result<()> {
        if self.json {
            return line(&Line::Label { label });
        }
        say(&match label {
            Some(label) => format!("This device is called \u{201c}{}\u{201d}.", harmless(label)),
            None => "This device has no label.".to_owned(),
        })
    }

    /// The command has failed.
    pub(crate) fn error(self, message: &str) {
        let message = harmless(message);
        if !(self.json && line(&Line::Error { message: &message }).is_ok()) {
            note(&format!("omemo: {message}"));
        }
    }

    fn jid(self, jid: &BareJid) -> String {
        self.palette.paint(jid.as_str())
    }
}

impl<'a> ServedDevice<'a> {
    fn of(served: &'a Served) -> Self {
        Self {
            jid: served.device.jid.as_str(),
            device: served.device.device.get(),
            protocol: omemo::namespace(served.version),
        }
    }
}

impl<'a> UnservedDevice<'a> {
    fn of(unserved: &'a Unserved) -> Self {
        Self {
            jid: unserved.jid.as_str(),
            device: unserved.device.map(DeviceId::get),
            reason: unserved.reason.to_string(),
        }
    }
}

/// A line for people.
pub(crate) fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Something beside the report, on standard error.
pub(crate) fn note(text: &str) {
    // Nobody is left to hear that this fails.
    writeln!(io::stderr(), "{}", harmless(text)).ok();
}

/// The fingerprint's 64 digits without spaces.
pub(crate) fn hex(fingerprint: &Fingerprint) -> String {
    fingerprint.groups().concat()
}

/// What other clients scan.
pub(crate) fn uri(jid: &BareJid, device: DeviceId, fingerprint: &Fingerprint) -> String {
    VerificationUri::of_device(jid.clone(), device, *fingerprint).to_string()
}

/// A text of somebody else's, without what a terminal would obey.
fn harmless(text: &str) -> String {
    let obeyed = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if obeyed(c) { '\u{fffd}' } else { c })
        .collect()
}

fn line(line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests;
