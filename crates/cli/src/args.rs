//! The command line. Scripts use it: names, flags and exit codes stay.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use omemo::{BareJid, DeviceId, Fingerprint, TrustPolicy, Version};
use omemo_tokio::Server;
use serde::{Deserialize, Serialize};

use crate::file::FileCommand;
use crate::room::RoomCommand;
use crate::vectors::Vectors;

const EXAMPLES: &str = "\
Examples:
  omemo demo                                   see it work, without any server
  omemo init juliet@capulet.example            make a device for this account
  omemo send romeo@montague.example 'Good night'
  omemo listen                                 print what others send, until Ctrl-C
  omemo room send orchard@rooms.example 'To all of you'
  omemo devices romeo@montague.example         whose keys would be used, and their fingerprints
  omemo devices remove 31415                   a phone that was lost
  omemo trust romeo@montague.example 'a1b2c3d4 ...'
                                               after comparing all eight groups with him
  omemo trust --uri 'xmpp:romeo@montague.example?omemo-sid-...'
                                               what his QR code says
  omemo fingerprint --qr                       our own, for others to compare
  omemo label 'Juliet on the balcony'          what others see this device called
  omemo replace-session romeo@montague.example when he cannot read what we send
  omemo opt-out romeo@montague.example --keep-encrypting
                                               he has asked for plain text, and we do not agree
  omemo recover                                after a backup was put back
  omemo deactivate --yes                       the end of this device
  omemo file encrypt photo.jpg                 a file for a chat: what to upload, and what to send

The password is read from OMEMO_PASSWORD, or asked for; it is never stored.
Exit codes: 0 done; 1 failed; 2 wrong usage; 3 nobody at the recipient's could be served.
With --json every event is a line, and a failure is {\"event\":\"error\",\"message\":...}.";

/// Encrypted messages (OMEMO, both protocols) from the terminal.
#[derive(Debug, Parser)]
#[command(name = "omemo", version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Args {
    /// Where the device lives: its configuration and its keys [default: the user's data folder]
    #[arg(long, global = true, env = "OMEMO_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show two accounts with two devices each talking, without any server
    Demo {
        /// Print every stanza too
        #[arg(long)]
        show_stanzas: bool,
    },
    /// Make a device for an account and publish it
    Init(Init),
    /// Encrypt a message, send it, and wait until the server has it
    #[command(after_help = "\
Example:
  omemo send romeo@montague.example 'Good night, good night!'

Prints the devices that can read it and those that cannot, with the reason.
Exit code 3: no device of the recipient could be served, and nothing was sent.")]
    Send {
        /// To whom
        #[arg(value_name = "JID")]
        to: BareJid,
        /// What
        #[arg(allow_hyphen_values = true)]
        text: String,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Print decrypted messages as they arrive, those first that came before
    #[command(after_help = "\
Examples:
  omemo listen                     until Ctrl-C
  omemo listen --json --count 1    wait for one message, for a script
  omemo listen --echo --for 60     answer everything for a minute")]
    Listen(Listen),
    /// Talk in rooms, encrypted for all their members, those that are away too
    #[command(subcommand)]
    Room(RoomCommand),
    /// List the devices of an account (ours without JID) with their fingerprints, or remove one of ours
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "\
Examples:
  omemo devices                            our own
  omemo devices romeo@montague.example     whose keys would be used, and their fingerprints
  omemo devices remove 31415               take one of ours off, with its bundle
  omemo devices allow-legacy romeo@montague.example 27183
                                           it has lost omemo:2, and its owner says why"
    )]
    Devices {
        #[command(subcommand)]
        command: Option<Devices>,
        /// Whose [default: our own]
        #[arg(value_name = "JID")]
        of: Option<BareJid>,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Trust a key whose fingerprint was compared with its owner
    #[command(after_help = "\
Compare all eight groups, on the telephone or face to face; then:
  omemo trust romeo@montague.example a1b2c3d4 ... (64 digits, spaces do not matter)
or give the text of a QR code that the other device has shown:
  omemo trust --uri 'xmpp:romeo@montague.example?omemo-sid-27183=a1b2c3d4...'

From the first key of an account that is trusted so, new keys of that account wait for a
decision.")]
    Trust(Verification),
    /// Never encrypt to this key again
    Distrust(Decision),
    /// Print the fingerprint of this device, for others to compare
    Fingerprint {
        /// Also as a QR code, which other clients can scan
        #[arg(long, conflicts_with = "json")]
        qr: bool,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Encrypt and decrypt files that are shared in chats, without any account
    #[command(subcommand)]
    File(FileCommand),
    /// Show what this device is called, or call it something else; public and signed
    #[command(after_help = "\
Examples:
  omemo label                          show it
  omemo label 'Juliet on the balcony'
  omemo label --none                   take it away")]
    Label {
        /// At most 52 characters
        #[arg(value_name = "TEXT", conflicts_with = "none")]
        text: Option<String>,
        /// No label any more
        #[arg(long)]
        none: bool,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Ask a contact for plain text, or decide when a contact asks
    OptOut(OptOut),
    /// Make sessions anew, when a contact's device cannot read us or we cannot read it
    ReplaceSession(ReplaceSession),
    /// Get going again after the store was put back to an older state
    #[command(after_help = "\
A store that comes back from a backup would use keys a second time, so that nothing is
encrypted once that is noticed. First this receives what the server holds, which the old keys
can still read; then it makes new keys and sessions. The fingerprint stays, and contacts need
not compare it again.

A device that was made with omemo init --anchor FILE notices at once that it was put back;
others notice it by their own messages, if the server's archive still has them. Where nothing
shows it and you know it:
  omemo recover --anyway")]
    Recover {
        /// Also when nothing shows that the store was put back, since you know that it was
        #[arg(long)]
        anyway: bool,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Take this device off the server and erase its keys
    #[command(after_help = "\
Examples:
  omemo deactivate --yes                   this device
  omemo deactivate --account --yes         every device of the account: nobody encrypts to it any more")]
    Deactivate {
        /// All devices of the account
        #[arg(long)]
        account: bool,
        /// Really: there is no way back
        #[arg(long)]
        yes: bool,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Run test vectors through this library, or through another implementation
    #[command(subcommand)]
    Vectors(Vectors),
}

impl Command {
    /// Whether scripts read the output.
    pub(crate) const fn is_json(&self) -> bool {
        match self {
            Self::Init(Init { json, .. })
            | Self::Listen(Listen { json, .. })
            | Self::Send { json, .. }
            | Self::Devices {
                command: Some(Devices::Remove { json, .. } | Devices::AllowLegacy { json, .. }),
                ..
            }
            | Self::Devices { json, .. }
            | Self::Trust(Verification { json, .. })
            | Self::Distrust(Decision { json, .. })
            | Self::Recover { json, .. }
            | Self::Deactivate { json, .. }
            | Self::Fingerprint { json, .. }
            | Self::File(FileCommand::Encrypt { json, .. } | FileCommand::Decrypt { json, .. })
            | Self::Label { json, .. }
            | Self::OptOut(OptOut { json, .. })
            | Self::ReplaceSession(ReplaceSession { json, .. })
            | Self::Vectors(Vectors::Verify { json, .. } | Vectors::Run { json, .. }) => *json,
            Self::Room(command) => command.is_json(),
            Self::Demo { .. } | Self::Vectors(_) => false,
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  omemo init juliet@capulet.example
  omemo init juliet@capulet.example --label 'Juliet on the balcony'
  omemo --data ./second init juliet@capulet.example     a second device of the same account
  omemo init juliet@capulet.example --anchor /var/lib/no-backup/juliet
  omemo init alice@localhost --server 127.0.0.1:5222 --ca-file ca.pem

Run again, it changes the settings of the device that is there.")]
pub(crate) struct Init {
    /// The account
    #[arg(value_name = "JID")]
    pub(crate) jid: BareJid,
    /// Where its server listens [default: asked from DNS]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) server: Option<Server>,
    /// Certificates (PEM) to trust beside the system's, for servers with an authority of their own
    #[arg(long, value_name = "PEM")]
    pub(crate) ca_file: Option<PathBuf>,
    /// What the account's owner and contacts see this device called; public
    #[arg(long, value_name = "TEXT")]
    pub(crate) label: Option<String>,
    /// Which protocols to publish and speak
    #[arg(long, value_enum, default_value_t)]
    pub(crate) protocols: Protocols,
    /// Who decides about keys that are seen for the first time [default: blind]
    #[arg(long, value_enum)]
    pub(crate) policy: Option<Policy>,
    /// A small file in a place that no backup contains: by it the device notices when the rest was
    /// put back from one, and encrypts nothing before omemo recover
    #[arg(long, value_name = "FILE")]
    pub(crate) anchor: Option<PathBuf>,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Listen {
    /// Print JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Answer each message of others with "echo: TEXT", encrypted; answers that begin so are not
    /// answered again
    #[arg(long)]
    pub(crate) echo: bool,
    /// End after so many messages
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
    /// End after so many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Devices {
    /// Take another device of ours off the list, with its bundle
    #[command(after_help = "\
Contacts stop encrypting for it. If it is still in somebody's hands it puts itself back:
distrust its key too, with omemo distrust.")]
    Remove {
        /// Which: omemo devices lists them
        #[arg(value_name = "ID")]
        device: DeviceId,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Go on with a contact's device that spoke omemo:2 and is only listed for legacy now
    #[command(after_help = "\
Whoever controls a server can take a device off the list of omemo:2, to have weaker messages
written to it. So it gets nothing before you have asked its owner whether its program has
lost omemo:2.")]
    AllowLegacy {
        /// Whose
        #[arg(value_name = "JID")]
        jid: BareJid,
        /// Which: omemo devices lists them
        #[arg(value_name = "ID")]
        device: DeviceId,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  omemo opt-out romeo@montague.example --reason 'our archive must be readable'
                                                          ask him for plain text
  omemo opt-out romeo@montague.example --plain-text       he asked, and we agree
  omemo opt-out romeo@montague.example --keep-encrypting  he asked, and we do not agree

Sessions stay, and whoever writes encrypted messages again takes it back. This command never
sends plain text.")]
pub(crate) struct OptOut {
    /// Which contact
    #[arg(value_name = "JID")]
    pub(crate) jid: BareJid,
    /// Why, for the contact to read
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["plain_text", "keep_encrypting"])]
    pub(crate) reason: Option<String>,
    /// Agree to what the contact has asked for
    #[arg(long, conflicts_with = "keep_encrypting")]
    pub(crate) plain_text: bool,
    /// Go on encrypting all the same
    #[arg(long)]
    pub(crate) keep_encrypting: bool,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  omemo replace-session romeo@montague.example
  omemo replace-session romeo@montague.example --device 27183
  omemo replace-session --all

Trust and fingerprints stay as they are.")]
pub(crate) struct ReplaceSession {
    /// Which contact
    #[arg(value_name = "JID", required_unless_present = "all")]
    pub(crate) jid: Option<BareJid>,
    /// Only with this device
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    pub(crate) device: Option<DeviceId>,
    /// With everybody
    #[arg(long, conflicts_with = "jid")]
    pub(crate) all: bool,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Who decides about keys that are seen for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Policy {
    /// They are trusted until you verify one of the account; from then on new ones wait for you
    #[default]
    Blind,
    /// Every key waits for you
    Manual,
    /// As blind, and devices that verified each other tell what they have verified (XEP-0450)
    Automatic,
}

impl Policy {
    pub(crate) const fn policy(self) -> TrustPolicy {
        match self {
            Self::Blind => TrustPolicy::BlindBeforeVerification,
            Self::Manual => TrustPolicy::Manual,
            Self::Automatic => TrustPolicy::Automatic,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verification {
    /// What a QR code says: all keys in it
    #[arg(long, value_name = "URI", conflicts_with_all = ["jid", "digits"])]
    pub(crate) uri: Option<String>,
    /// Whose key
    #[arg(value_name = "JID", required_unless_present = "uri")]
    jid: Option<BareJid>,
    /// All 64 digits of it
    #[arg(required_unless_present = "uri", num_args = 1.., value_name = "FINGERPRINT")]
    digits: Vec<String>,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}

impl Verification {
    /// The decision about one key, where no URI was given.
    pub(crate) fn decision(self) -> Option<Decision> {
        Some(Decision {
            jid: self.jid?,
            digits: self.digits,
            json: self.json,
        })
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Decision {
    /// Whose key
    #[arg(value_name = "JID")]
    pub(crate) jid: BareJid,
    /// All 64 digits of it
    #[arg(required = true, num_args = 1.., value_name = "FINGERPRINT")]
    digits: Vec<String>,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}

impl Decision {
    /// The fingerprint, which may come as one argument or in its groups.
    pub(crate) fn fingerprint(&self) -> Option<Fingerprint> {
        self.digits.concat().parse().ok()
    }
}

/// The protocols that a device publishes and speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocols {
    /// Everybody can be reached
    #[default]
    Both,
    /// Only the current one, urn:xmpp:omemo:2
    Omemo2,
    /// Only the old one, eu.siacs.conversations.axolotl
    Legacy,
}

impl Protocols {
    pub(crate) fn versions(self) -> Vec<Version> {
        match self {
            Self::Both => Version::ALL.to_vec(),
            Self::Omemo2 => vec![Version::Omemo2],
            Self::Legacy => vec![Version::Legacy],
        }
    }
}

#[cfg(test)]
mod tests;
