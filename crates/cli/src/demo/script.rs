//! What is played, what is told about it, and the check that every line was read by exactly those who should.

use std::error::Error;
use std::path::{Path, PathBuf};

use omemo::{
    Account, BareJid, Chat, Environment, Event, FullJid, Outgoing, Output, Served, Settings, Unserved, Version,
};
use omemo_sqlite::SqliteStore;

use super::hub::Hub;
use crate::colour;

type Failure = Box<dyn Error>;

const JULIET: &str = "juliet@capulet.example";
const ROMEO: &str = "romeo@montague.example";

/// Plays the demo. Everything that it says was checked; the first thing that is not as it should be ends it.
///
/// # Errors
/// What was not as it should be.
pub(crate) fn run(show_stanzas: bool) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut play = Play::new(folder.path(), show_stanzas);
    println!("Two accounts, two devices each, no server but this process, and both OMEMO protocols.");

    play.join("balcony", JULIET, &Version::ALL)?;
    play.join("phone", JULIET, &Version::ALL)?;
    play.join("garden", ROMEO, &Version::ALL)?;
    play.join("old", ROMEO, &[Version::Legacy])?;

    play.title("The first message: sessions are made with every device, each in its best protocol.");
    play.say("balcony", ROMEO, "O Romeo, Romeo! Wherefore art thou Romeo?")?;
    play.title("The answer, from the device that only speaks the legacy protocol.");
    play.say("old", JULIET, "Shall I hear more, or shall I speak at this?")?;
    play.title("The program on the balcony is ended and started again on the same files.");
    play.restart("balcony")?;
    play.say("balcony", ROMEO, "What's in a name?")?;
    play.say("garden", JULIET, "Call me but love, and I'll be new baptized.")?;
    play.title("Romeo gets a new device. It reads what is written from now on, and nothing older.");
    play.join("tablet", ROMEO, &Version::ALL)?;
    play.say("phone", ROMEO, "What man art thou?")?;
    play.say("tablet", JULIET, "By a name I know not how to tell thee who I am.")?;
    println!("\nAll {} lines were read once by everybody they were written to, and by nobody else.", play.said);
    Ok(())
}

/// One device of the play.
struct Player {
    name: &'static str,
    full: FullJid,
    store: PathBuf,
    settings: Settings,
    account: Option<Account<SqliteStore>>,
    /// What it has read since the last line was spoken.
    heard: Vec<String>,
}

struct Play {
    folder: PathBuf,
    show_stanzas: bool,
    hub: Hub,
    players: Vec<Player>,
    /// Lines spoken.
    said: usize,
    /// What became of the last line.
    outcome: Option<(Vec<Served>, Vec<Unserved>)>,
}

impl Play {
    fn new(folder: &Path, show_stanzas: bool) -> Self {
        Self {
            folder: folder.to_owned(),
            show_stanzas,
            hub: Hub::default(),
            players: Vec::new(),
            said: 0,
            outcome: None,
        }
    }

    fn title(&self, text: &str) {
        println!("\n{}", colour::strong(text));
    }

    /// A new device: made, published, introduced.
    fn join(&mut self, name: &'static str, jid: &str, versions: &[Version]) -> Result<(), Failure> {
        let mut settings = Settings::default();
        settings.versions = versions.to_vec();
        settings.label = Some(format!("the {name}"));
        let player = Player {
            name,
            full: FullJid::parse(&format!("{jid}/{name}"))?,
            store: self.folder.join(format!("{name}.db")),
            settings,
            account: None,
            heard: Vec::new(),
        };
        self.hub.connect(&player.full);
        self.players.push(player);
        self.switch_on(name)?;
        let account = self.account(name)?;
        let protocols = versions.iter().map(|version| namespace(*version)).collect::<Vec<_>>();
        println!("\n  {jid}, device {} ({name}): {}", account.device(), protocols.join(" and "));
        println!("    {}", colour::fingerprint(&account.fingerprint()));
        Ok(())
    }

    /// Ends a program without a word and starts it again.
    fn restart(&mut self, name: &str) -> Result<(), Failure> {
        self.player(name)?.account = None;
        self.switch_on(name)
    }

    fn switch_on(&mut self, name: &str) -> Result<(), Failure> {
        let player = self.player(name)?;
        let store = SqliteStore::open(&player.store)?;
        let jid = player.full.bare();
        let full = player.full.clone();
        player.account = Some(Account::open(store, jid, player.settings.clone(), Environment::system())?);
        self.call(name, |account| account.online(full, false))?;
        self.call(name, Account::caught_up)?;
        self.settle()
    }

    /// One line, and the proof that it was read by everybody else, once.
    fn say(&mut self, name: &str, to: &str, line: &str) -> Result<(), Failure> {
        self.said += 1;
        for player in &mut self.players {
            player.heard.clear();
        }
        self.outcome = None;
        println!("\n  {name} says: {}", colour::quiet(line));
        let chat = Chat::Direct(BareJid::parse(to)?);
        let outgoing = Outgoing::text(format!("line-{}", self.said), chat, line);
        self.call(name, |account| account.send(outgoing))?;
        self.settle()?;
        let (served, unserved) = self.outcome.take().ok_or("the line was not encrypted")?;
        if let Some(unserved) = unserved.first() {
            return Err(format!("a device was left out: {unserved}").into());
        }
        for served in served {
            let reader = self.name_of(&served);
            println!("    -> {reader}, by {}", namespace(served.version));
        }
        for player in self.players.iter().filter(|player| player.name != name) {
            if player.heard != [line] {
                return Err(format!("{} read {:?} instead of the line", player.name, player.heard).into());
            }
        }
        Ok(())
    }

    /// Lets everything happen that follows.
    fn settle(&mut self) -> Result<(), Failure> {
        while let Some((device, stanza)) = self.hub.next() {
            let name = self.players.iter().find(|player| player.full == device).map(|player| player.name);
            let name = name.ok_or("a stanza for nobody")?;
            self.call(name, |account| account.receive(&stanza))?;
        }
        Ok(())
    }

    fn call(
        &mut self,
        name: &str,
        call: impl FnOnce(&mut Account<SqliteStore>) -> Result<Output, omemo::Error>,
    ) -> Result<(), Failure> {
        let output = call(self.account(name)?)?;
        for event in output.events {
            self.note(name, event)?;
        }
        let mut tickets = Vec::new();
        let full = self.player(name)?.full.clone();
        for stanza in output.stanzas {
            if self.show_stanzas {
                println!("    {}", colour::quiet(&format!("{name}: {}", String::from(&stanza.element))));
            }
            tickets.extend(stanza.ticket);
            self.hub.take(&full, &stanza.element);
        }
        self.account(name)?.sent(&tickets)?;
        Ok(())
    }

    fn note(&mut self, name: &str, event: Event) -> Result<(), Failure> {
        match event {
            Event::Message(message) => {
                let body = message.body().unwrap_or_default();
                println!("    {name} reads it ({} trust)", message.trust);
                self.player(name)?.heard.push(body);
                self.account(name)?.acknowledge(&[message.inbox_id])?;
            }
            Event::Sealed { served, unserved, .. } => self.outcome = Some((served, unserved)),
            Event::Refused { unserved, .. } => self.outcome = Some((Vec::new(), unserved)),
            Event::Undecryptable { from, reason, .. } => {
                return Err(format!("{name} cannot read a message of {from}: {reason}").into());
            }
            Event::ProtocolOff { reason, .. } => return Err(format!("{name} is not published: {reason}").into()),
            _ => {}
        }
        Ok(())
    }

    fn player(&mut self, name: &str) -> Result<&mut Player, Failure> {
        let player = self.players.iter_mut().find(|player| player.name == name);
        player.ok_or_else(|| format!("no device called {name}").into())
    }

    fn account(&mut self, name: &str) -> Result<&mut Account<SqliteStore>, Failure> {
        let account = self.player(name)?.account.as_mut();
        account.ok_or_else(|| format!("{name} is switched off").into())
    }

    fn name_of(&self, served: &Served) -> String {
        let player = self.players.iter().find(|player| {
            player.full.bare() == served.device.jid
                && player.account.as_ref().is_some_and(|account| account.device() == served.device.device)
        });
        player.map_or_else(|| served.device.to_string(), |player| player.name.to_owned())
    }
}

fn namespace(version: Version) -> &'static str {
    omemo::namespace(version)
}
