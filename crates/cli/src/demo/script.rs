//! The play: what is said, and what has to be true afterwards.

use std::path::Path;

use omemo::{Address, FullJid, Version};

use super::world::{Heard, Who, World};
use crate::args::Protocols;
use crate::colour::Palette;
use crate::failure::Failure;
use crate::report::say;

/// One performance.
struct Play {
    world: World,
    palette: Palette,
    /// The addresses of the devices, in the order of their entrance.
    cast: Vec<Address>,
    /// All that was said.
    lines: Vec<&'static str>,
    /// What waits for devices that are switched off.
    owed: Vec<(Who, Heard)>,
    readings: usize,
}

/// Plays it all, in a folder of its own.
pub(super) fn play(folder: &Path, show_stanzas: bool, palette: Palette) -> Result<(), Failure> {
    let mut play = Play {
        world: World::new(folder, show_stanzas.then_some(palette)),
        palette,
        cast: Vec::new(),
        lines: Vec::new(),
        owed: Vec::new(),
        readings: 0,
    };
    say(
        "Two accounts with two devices each talk through a server that sees every stanza. The server\n\
         is part of this program, and the keys lie in SQLite files in a temporary folder.",
    )?;

    play.heading("The devices")?;
    let phone = play.enter(
        "juliet's phone",
        "juliet@capulet.example/phone",
        Protocols::Both,
    )?;
    let tablet = play.enter(
        "juliet's tablet",
        "juliet@capulet.example/tablet",
        Protocols::Legacy,
    )?;
    let laptop = play.enter(
        "romeo's laptop",
        "romeo@montague.example/laptop",
        Protocols::Both,
    )?;
    let mobile = play.enter(
        "romeo's phone",
        "romeo@montague.example/phone",
        Protocols::Both,
    )?;

    play.heading("A conversation in both protocols")?;
    say(
        "Each device is served in the best protocol that it has; other devices of the sender read along.",
    )?;
    play.line(
        laptop,
        phone,
        "But soft! What light through yonder window breaks?",
    )?;
    play.line(phone, laptop, "O Romeo, Romeo, wherefore art thou Romeo?")?;
    play.line(
        tablet,
        laptop,
        "What's in a name? That which we call a rose...",
    )?;

    play.heading("A restart in the middle")?;
    play.leave(
        mobile,
        "Romeo's phone is switched off; all that is left of it is its file.",
    )?;
    play.line(
        phone,
        laptop,
        "By whose direction found'st thou out this place?",
    )?;
    play.line(
        laptop,
        phone,
        "By love, who first did prompt me to inquire.",
    )?;
    play.come_back(
        mobile,
        "It is switched on again and reads what it has missed:",
    )?;
    play.line(mobile, phone, "I am no pilot; yet, wert thou as far...")?;

    play.heading("A device that joins late")?;
    let watch = play.enter(
        "romeo's watch",
        "romeo@montague.example/watch",
        Protocols::Both,
    )?;
    play.line(
        phone,
        laptop,
        "Good night, good night! Parting is such sweet sorrow",
    )?;
    play.line(
        watch,
        phone,
        "Sleep dwell upon thine eyes, peace in thy breast!",
    )?;

    play.heading("The end")?;
    play.finish()
}

impl Play {
    fn heading(&self, text: &str) -> Result<(), Failure> {
        Ok(say(&format!("\n{}", self.palette.strong(text)))?)
    }

    /// A device comes on stage.
    fn enter(
        &mut self,
        name: &'static str,
        jid: &str,
        protocols: Protocols,
    ) -> Result<Who, Failure> {
        let jid = FullJid::parse(jid).map_err(|error| Failure::told(error.to_string()))?;
        let who = self.world.add(name, jid.clone(), protocols);
        let is_late = !self.lines.is_empty();
        let archived = self.world.switch_on(who, is_late)?;
        let account = self.world.account(who)?;
        let (device, fingerprint) = (account.device(), account.fingerprint());
        self.cast.push(Address {
            jid: jid.bare(),
            device,
        });
        let spoken = match protocols {
            Protocols::Both => "omemo:2 and legacy",
            Protocols::Omemo2 => "omemo:2 only",
            Protocols::Legacy => "legacy only",
        };
        say(&format!(
            "  {}  device {device:<10}  {spoken}\n                   {}",
            self.name(who)?,
            self.palette.fingerprint(&fingerprint)
        ))?;
        if is_late {
            let heard = self.world.heard(who)?;
            self.expect(archived > 0, who, "was handed no archive")?;
            self.expect(heard.is_empty(), who, "read what was said before it came")?;
            say(&format!(
                "It is handed the {archived} stanzas of the archive and can read none of them: they were\n\
                 encrypted before it was there. From now on it reads along."
            ))?;
        }
        Ok(who)
    }

    fn leave(&mut self, who: Who, text: &str) -> Result<(), Failure> {
        self.world.switch_off(who)?;
        Ok(say(text)?)
    }

    /// A device opens its file again; what it missed waits for it.
    fn come_back(&mut self, who: Who, text: &str) -> Result<(), Failure> {
        say(&format!("\n{text}"))?;
        self.world.switch_on(who, false)?;
        let address = self.address(who)?;
        let now = self.world.account(who)?.device();
        self.expect(address.device == now, who, "came back as another device")?;
        let (mine, others) = std::mem::take(&mut self.owed)
            .into_iter()
            .partition::<Vec<_>, _>(|(whose, _)| *whose == who);
        self.owed = others;
        let expected: Vec<_> = mine.into_iter().map(|(_, heard)| heard).collect();
        let heard = self.world.heard(who)?;
        self.expect(heard == expected, who, "did not read what it had missed")?;
        for heard in &heard {
            self.tell_reading(who, heard, &format!("\u{201c}{}\u{201d}", heard.body))?;
        }
        Ok(())
    }

    /// Somebody says something: everybody else reads just that, in the best protocol that both
    /// devices have, and those who are away are owed it.
    fn line(&mut self, who: Who, to: Who, body: &'static str) -> Result<(), Failure> {
        self.lines.push(body);
        let whom = self.address(to)?.jid;
        say(&format!(
            "\n  {} to {}: \u{201c}{body}\u{201d}",
            self.name(who)?.trim_end(),
            self.palette.paint(whom.as_str())
        ))?;
        let served = self.world.say(who, to, body)?;
        let echoes = self.world.heard(who)?;
        self.expect(echoes.is_empty(), who, "was sent its own message")?;
        let readers: Vec<Who> = (0..self.cast.len())
            .filter(|reader| *reader != who)
            .collect();
        self.expect(
            served.len() == readers.len(),
            who,
            "served too many or too few",
        )?;
        for reader in readers {
            let heard = Heard {
                body: body.to_owned(),
                from: self.address(who)?,
                version: self.best_version(who, reader)?,
            };
            let address = self.address(reader)?;
            let is_served = served
                .iter()
                .any(|served| served.device == address && served.version == heard.version);
            self.expect(is_served, reader, "was not served as it should be")?;
            if self.world.is_on(reader) {
                let read = self.world.heard(reader)?;
                self.expect(
                    read == [heard.clone()],
                    reader,
                    "did not read just what was said",
                )?;
                self.tell_reading(reader, &heard, "reads it")?;
            } else {
                self.owed.push((reader, heard));
                say(&format!("      {}  will read it later", self.name(reader)?))?;
            }
        }
        Ok(())
    }

    /// What was promised is checked once more.
    fn finish(self) -> Result<(), Failure> {
        if !self.owed.is_empty() {
            return Err(Failure::told("the demo failed: something was never read"));
        }
        let seen = &self.world.hub.seen;
        let betrayed = |line: &&&str| seen.iter().any(|stanza| stanza.contains(**line));
        if let Some(line) = self.lines.iter().find(betrayed) {
            return Err(Failure::told(format!(
                "the demo failed: the server could read \u{201c}{line}\u{201d}"
            )));
        }
        Ok(say(&format!(
            "{} messages were read {} times: by every device that should, by no other, and each once.\n\
             The server saw {} stanzas and not one line of the play in them.",
            self.lines.len(),
            self.readings,
            seen.len()
        ))?)
    }

    fn tell_reading(&mut self, who: Who, heard: &Heard, what: &str) -> Result<(), Failure> {
        self.readings += 1;
        let protocol = self
            .palette
            .faint(&format!("({})", omemo::short_name(heard.version)));
        Ok(say(&format!(
            "      {}  {what} {protocol}",
            self.name(who)?
        ))?)
    }

    /// The best protocol that both have.
    fn best_version(&self, one: Who, other: Who) -> Result<Version, Failure> {
        let theirs = self.world.player(other)?.protocols.versions();
        let ours = self.world.player(one)?.protocols.versions();
        ours.into_iter()
            .find(|version| theirs.contains(version))
            .ok_or_else(|| Failure::told("two devices have no protocol in common"))
    }

    fn address(&self, who: Who) -> Result<Address, Failure> {
        self.cast
            .get(who)
            .cloned()
            .ok_or_else(|| Failure::told("nobody of that number is on the stage"))
    }

    /// A device's name in its account's colour, as wide as all of them.
    fn name(&self, who: Who) -> Result<String, Failure> {
        let player = self.world.player(who)?;
        let padded = format!("{:<15}", player.name);
        let account = player.jid.bare();
        Ok(self.palette.paint_as(&padded, account.as_str()))
    }

    fn expect(&self, holds: bool, who: Who, what: &str) -> Result<(), Failure> {
        if holds {
            return Ok(());
        }
        let name = self.world.player(who)?.name;
        Err(Failure::told(format!("the demo failed: {name} {what}")))
    }
}
