//! A room whose service lies, and occupants who pretend to be the room.

use omemo::{BareJid, Chat, Outgoing};
use omemo_tests::chance::Chance;

use super::pick;
use crate::observer::Text;
use crate::room::{ROOM, notice, presence, user};
use crate::schedule::MALLORY;
use crate::server::Mood;
use crate::world::World;

const AFFILIATIONS: [&str; 5] = ["owner", "admin", "member", "none", "outcast"];

impl World {
    /// A device's app joins the room, if the room lets it in.
    pub fn enter(&mut self, at: usize) {
        if !self.devices[at].online || self.server.room.nicks.contains_key(&at) {
            return;
        }
        let room = BareJid::parse(ROOM).unwrap();
        self.observer.watches[at].said.entered = true;
        self.call(at, |account| account.enter(&room));
        let nick = format!("nick{at}");
        let there: Vec<_> = self.server.room.nicks.keys().copied().collect();
        for other in there {
            let theirs = self.presence_of(other, "", &[]);
            self.post(at, theirs);
        }
        self.server.room.nicks.insert(at, nick);
        self.tell_room(at, "", &[]);
    }

    /// A device's app leaves.
    pub fn leave(&mut self, at: usize) {
        let room = BareJid::parse(ROOM).unwrap();
        self.call(at, |account| account.leave(&room));
        self.observer.watches[at].said = crate::room::Said::default();
        self.expel(at, &[]);
    }

    /// The room has one occupant less.
    pub fn expel(&mut self, at: usize, statuses: &[u16]) {
        if self.server.room.nicks.contains_key(&at) {
            self.tell_room(at, "unavailable", statuses);
            self.server.room.nicks.remove(&at);
        }
    }

    /// Everybody in the room hears of an occupant.
    fn tell_room(&mut self, about: usize, kind: &str, statuses: &[u16]) {
        let there: Vec<_> = self.server.room.nicks.keys().copied().collect();
        for other in there {
            let mut statuses = statuses.to_vec();
            if other == about {
                statuses.extend([100, 110]);
            }
            let text = self.presence_of(about, kind, &statuses);
            self.post(other, text);
        }
    }

    fn presence_of(&self, at: usize, kind: &str, statuses: &[u16]) -> String {
        let jid = &self.devices[at].jid;
        let affiliation = self.server.room.affiliation(jid);
        let item =
            format!("<item affiliation='{affiliation}' role='participant' jid='{jid}/{at}'/>");
        let nick = &self.server.room.nicks[&at];
        presence(&format!("{ROOM}/{nick}"), kind, &item, statuses)
    }

    /// A person writes to the room.
    pub fn say(&mut self, from: usize) {
        let text = self.unique();
        let device = &self.devices[from];
        let author = Text {
            jid: device.jid.clone(),
            key: device.key,
            to: Some(ROOM.into()),
        };
        self.observer.texts.insert(text.clone(), author);
        let chat = Chat::Room(BareJid::parse(ROOM).unwrap());
        let id = format!("r{}", self.observer.texts.len());
        let outgoing = Outgoing::text(id, chat, &text);
        self.call(from, move |account| account.send(outgoing));
    }

    /// Everybody in the room hears a notice of its own.
    fn announce(&mut self, text: &str) {
        let there: Vec<_> = self.server.room.nicks.keys().copied().collect();
        for at in there {
            self.post(at, text.to_owned());
        }
    }
}

pub fn life(world: &mut World, chance: &mut Chance) {
    let at = chance.index(world.devices.len());
    match chance.below(10) {
        0..=3 => world.enter(at),
        4 => world.leave(at),
        _ => world.say(at),
    }
}

pub fn lie(world: &mut World, chance: &mut Chance) {
    let jids: Vec<String> = world.jids.iter().map(ToString::to_string).collect();
    let jid = pick(chance, &jids).unwrap();
    let affiliation = pick(chance, &AFFILIATIONS).unwrap();
    let item = format!("<item affiliation='{affiliation}' role='participant' jid='{jid}/x'/>");
    let at = chance.index(world.devices.len());
    let nick = format!("nick{}", chance.index(world.devices.len()));
    let occupant = format!("{ROOM}/{nick}");
    let elsewhere = pick(chance, &[MALLORY, "other@rooms.example", "rooms.example"]).unwrap();
    let text = match chance.below(12) {
        // the service itself: whoever it names is a member, that is what a room is
        0 => {
            world
                .server
                .room
                .affiliations
                .insert(jid.clone(), affiliation.into());
            let text = notice(ROOM, &item, &[]);
            world.announce(&text);
            return;
        }
        1 => {
            world
                .server
                .room
                .affiliations
                .insert(jid, affiliation.into());
            return;
        }
        2 => presence(&occupant, "", &item, &[]),
        // nicks change hands
        3 => {
            let item = format!("<item affiliation='{affiliation}' nick='nick{at}' jid='{jid}/x'/>");
            presence(&occupant, "unavailable", &item, &[303])
        }
        4 => presence(&occupant, "", &item, &[110]),
        // somebody else, as if they were the room
        5 => presence(&format!("{elsewhere}/{nick}"), "", &item, &[110]),
        6 => notice(elsewhere, &item, &[104]),
        7 => notice(&occupant, &item, &[104]),
        8 => {
            let twice = format!("{}{}", user(&item, &[]), user("", &[]));
            format!("<presence xmlns='jabber:client' from='{occupant}'>{twice}</presence>")
        }
        9 => {
            world.server.room.is_anonymous = chance.coin();
            world.server.room.is_open = chance.coin();
            let text = notice(ROOM, "", &[104, 172]);
            world.announce(&text);
            return;
        }
        10 => return removed_while_it_waits(world, at, &jid),
        _ => {
            // a message of one, as if another had written it
            let said: Vec<_> = world
                .history
                .iter()
                .filter(|(to, _)| to == ROOM)
                .map(|(_, text)| text.clone())
                .collect();
            let Some(text) = pick(chance, &said) else {
                return;
            };
            super::messages::with_attribute(&text, "from", &occupant)
        }
    };
    world.strike(at, &text);
}

/// A send waits for a bundle or a list, and meanwhile somebody is no member any more.
fn removed_while_it_waits(world: &mut World, at: usize, jid: &str) {
    world.server.moods.extend([Mood::Late; 4]);
    world.say(at);
    world
        .server
        .room
        .affiliations
        .insert(jid.to_owned(), "none".into());
    let item = format!("<item affiliation='none' jid='{jid}'/>");
    let text = notice(ROOM, &item, &[321]);
    world.announce(&text);
    world.settle();
    for (to, text) in std::mem::take(&mut world.late) {
        world.post(to, text);
    }
    world.settle();
}
