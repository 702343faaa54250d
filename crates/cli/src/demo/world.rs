//! Devices on a [`Hub`]: what comes out of one goes into the others until all is quiet.

use std::path::{Path, PathBuf};

use omemo::{
    Account, Address, Chat, Environment, Event, FullJid, Outgoing, Output, Served, Settings,
    Version,
};
use omemo_sqlite::SqliteStore;

use super::hub::Hub;
use crate::args::Protocols;
use crate::colour::Palette;
use crate::failure::Failure;
use crate::send::message_id;
use omemo::namespace;

/// More stanzas than any part of the demo has: two that answer each other for ever.
const STANZAS: usize = 2000;

/// One device in the play.
pub(super) struct Player {
    pub(super) name: &'static str,
    pub(super) jid: FullJid,
    pub(super) protocols: Protocols,
    file: PathBuf,
    account: Option<Account<SqliteStore>>,
    /// What it has read and nobody has looked at yet.
    heard: Vec<Heard>,
}

/// A message as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) body: String,
    pub(super) from: Address,
    pub(super) version: Version,
}

/// The stage.
pub(super) struct World {
    pub(super) hub: Hub,
    players: Vec<Player>,
    folder: PathBuf,
    /// Stanzas are printed in this palette, if at all.
    shown: Option<Palette>,
    sealed: Vec<Served>,
}

/// A player's place on the stage.
pub(super) type Who = usize;

impl World {
    pub(super) fn new(folder: &Path, shown: Option<Palette>) -> Self {
        Self {
            hub: Hub::default(),
            players: Vec::new(),
            folder: folder.to_owned(),
            shown,
            sealed: Vec::new(),
        }
    }

    /// A new device, still switched off.
    pub(super) fn add(&mut self, name: &'static str, jid: FullJid, protocols: Protocols) -> Who {
        let who = self.players.len();
        self.players.push(Player {
            name,
            jid,
            protocols,
            file: self.folder.join(format!("{who}.db")),
            account: None,
            heard: Vec::new(),
        });
        who
    }

    /// Opens a device's file and brings it online. The archive, if it is wanted, is read before
    /// the catch-up ends; the result is how many messages it held.
    pub(super) fn switch_on(&mut self, who: Who, archive: bool) -> Result<usize, Failure> {
        let player = self.player(who)?;
        let mut settings = Settings::default();
        settings.versions = player.protocols.versions();
        settings.label = Some(player.name.to_owned());
        let store =
            SqliteStore::open(&player.file).map_err(|error| Failure::told(error.to_string()))?;
        let jid = player.jid.clone();
        let mut account = Account::open(store, jid.bare(), settings, Environment::system())?;
        let output = account.online(jid.clone(), false)?;
        let features = account.features();
        self.player_mut(who)?.account = Some(account);
        self.hub.connect(&jid, &features);
        self.apply(who, output)?;
        self.settle()?;
        let mut read = 0;
        if archive {
            let messages = self.hub.archive(&jid.bare(), &jid);
            read = messages.len();
            // What was written before this device existed is not for it: that is no news here.
            let output = self.account(who)?.receive_all(&messages)?;
            self.hear(who, output.events, true)?;
            self.send(who, output.stanzas)?;
        }
        let output = self.account(who)?.caught_up()?;
        self.apply(who, output)?;
        self.settle()?;
        Ok(read)
    }

    /// Pulls a device's plug: all that is left of it is its file.
    pub(super) fn switch_off(&mut self, who: Who) -> Result<(), Failure> {
        let player = self.player_mut(who)?;
        player.account = None;
        let jid = player.jid.clone();
        self.hub.disconnect(&jid);
        Ok(())
    }

    /// Encrypts and sends a message, and waits until all is quiet: the devices that were served.
    pub(super) fn say(&mut self, who: Who, to: Who, body: &str) -> Result<Vec<Served>, Failure> {
        let chat = Chat::Direct(self.player(to)?.jid.bare());
        let outgoing = Outgoing::text(message_id()?, chat, body);
        self.sealed.clear();
        let output = self.account(who)?.send(outgoing)?;
        self.apply(who, output)?;
        self.settle()?;
        Ok(std::mem::take(&mut self.sealed))
    }

    /// What a device has read since it was last asked.
    pub(super) fn heard(&mut self, who: Who) -> Result<Vec<Heard>, Failure> {
        Ok(std::mem::take(&mut self.player_mut(who)?.heard))
    }

    /// The account of a device that is switched on.
    pub(super) fn account(&mut self, who: Who) -> Result<&mut Account<SqliteStore>, Failure> {
        let player = self.player_mut(who)?;
        let name = player.name;
        player
            .account
            .as_mut()
            .ok_or_else(|| Failure::told(format!("{name} is switched off")))
    }

    pub(super) fn is_on(&self, who: Who) -> bool {
        self.players
            .get(who)
            .is_some_and(|player| player.account.is_some())
    }

    pub(super) fn player(&self, who: Who) -> Result<&Player, Failure> {
        self.players.get(who).ok_or_else(nobody)
    }

    fn player_mut(&mut self, who: Who) -> Result<&mut Player, Failure> {
        self.players.get_mut(who).ok_or_else(nobody)
    }

    fn settle(&mut self) -> Result<(), Failure> {
        for _ in 0..STANZAS {
            let Some((to, stanza)) = self.hub.next() else {
                return Ok(());
            };
            let Some(who) = self.players.iter().position(|player| player.jid == to) else {
                continue;
            };
            let output = self.account(who)?.receive(&stanza)?;
            self.apply(who, output)?;
        }
        Err(Failure::told(
            "the demo failed: the devices do not come to rest",
        ))
    }

    fn apply(&mut self, who: Who, output: Output) -> Result<(), Failure> {
        self.hear(who, output.events, false)?;
        self.send(who, output.stanzas)
    }

    fn send(&mut self, who: Who, stanzas: Vec<omemo::Stanza>) -> Result<(), Failure> {
        let player = self.player(who)?;
        let (name, jid) = (player.name, player.jid.clone());
        for stanza in stanzas {
            if let Some(palette) = self.shown {
                let text = String::from(&stanza.element);
                let shown = palette.faint(&format!("    {name}: {text}"));
                crate::report::say(&shown)?;
            }
            self.hub.take(&jid, stanza.element);
            if let Some(ticket) = stanza.ticket {
                self.account(who)?.sent(&[ticket])?;
            }
        }
        Ok(())
    }

    fn hear(&mut self, who: Who, events: Vec<Event>, lenient: bool) -> Result<(), Failure> {
        let name = self.player(who)?.name;
        let failed = |what: String| Err(Failure::told(format!("the demo failed: {name} {what}")));
        for event in events {
            match event {
                Event::Message(message) => {
                    let heard = Heard {
                        body: message.body().unwrap_or_default(),
                        from: message.from,
                        version: message.version,
                    };
                    self.player_mut(who)?.heard.push(heard);
                    self.account(who)?.acknowledge(&[message.inbox_id])?;
                }
                Event::Sealed { served, .. } => self.sealed.extend(served),
                Event::Undecryptable { .. } if lenient => {}
                Event::Undecryptable { from, reason, .. } => {
                    return failed(format!("cannot read a message of {from}: {reason}"));
                }
                Event::Refused { unserved, .. } => {
                    let reasons: Vec<_> = unserved.iter().map(ToString::to_string).collect();
                    return failed(format!("could send to nobody: {}", reasons.join("; ")));
                }
                Event::Unsent { reason, .. } => {
                    return failed(format!("gave a message up: {reason}"));
                }
                Event::ProtocolOff { version, reason } => {
                    return failed(format!(
                        "could not publish {}: {reason}",
                        namespace(version)
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn nobody() -> Failure {
    Failure::told("nobody of that number is on the stage")
}
