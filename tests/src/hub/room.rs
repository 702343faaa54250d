//! Rooms of the network (XEP-0045): nicks, affiliations, reflections, and an archive.

use minidom::Element;
use omemo::store::Store;
use omemo::{Account, BareJid, Chat, Event, Outgoing};

use super::server::{error, set};
use super::{At, Hub};

const USER: &str = "http://jabber.org/protocol/muc#user";
const ADMIN: &str = "http://jabber.org/protocol/muc#admin";
const INFO: &str = "http://jabber.org/protocol/disco#info";
/// When the network began: everything in the archive bears this stamp.
const STAMP: &str = "2027-01-15T08:00:00Z";

/// A room.
#[derive(Default)]
pub struct Room {
    /// Its own JID.
    pub jid: String,
    /// Whether everybody sees the real JIDs, or only admins and owners.
    pub shows_jids: bool,
    /// Whether only members may be in it.
    pub members_only: bool,
    /// Whether it writes occupants' ids (XEP-0421).
    pub writes_ids: bool,
    /// Whether its archive names the real senders.
    pub archive_names: bool,
    /// Whether it tells those who are in it what absent people become.
    pub announces_absent: bool,
    /// Lists that it gives to nobody.
    pub secret_lists: Vec<&'static str>,
    /// How many messages of its history it shows to those who join.
    pub history: usize,
    /// By account.
    pub affiliations: Vec<(String, String)>,
    occupants: Vec<(String, At)>,
    /// Nick, real JID and stanza of each message.
    archive: Vec<(String, String, Element)>,
}

impl Room {
    /// What an account is to it.
    #[must_use]
    pub fn affiliation(&self, jid: &str) -> &str {
        let given = self.affiliations.iter().find(|(known, _)| known == jid);
        given.map_or("none", |(_, affiliation)| affiliation)
    }

    fn user(&self, item: Option<&str>, statuses: &[u16]) -> Element {
        let statuses: String = statuses
            .iter()
            .map(|code| format!("<status code='{code}'/>"))
            .collect();
        let text = format!(
            "<x xmlns='{USER}'>{}{statuses}</x>",
            item.unwrap_or_default()
        );
        text.parse().unwrap()
    }

    fn occupant_id(&self, jid: &str) -> String {
        let id = jid.bytes().fold(7_u64, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        format!("<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{id:x}'/>")
    }
}

impl<S: Store + 'static> Hub<S> {
    /// A room that is as XEP-0384 wants it: everybody sees the real JIDs, and only members may enter.
    pub fn open_room(&mut self, jid: &str, members: &[(&str, &str)]) {
        let members = members.iter();
        self.rooms.push(Room {
            jid: jid.into(),
            shows_jids: true,
            members_only: true,
            archive_names: true,
            announces_absent: true,
            affiliations: members
                .map(|(jid, affiliation)| ((*jid).to_owned(), (*affiliation).to_owned()))
                .collect(),
            ..Room::default()
        });
    }

    /// A room of this JID.
    pub fn room(&mut self, jid: &str) -> &mut Room {
        let mut rooms = self.rooms.iter_mut();
        rooms.find(|room| room.jid == jid).unwrap()
    }

    /// A device's app joins a room; gives the events of that.
    pub fn join_room(&mut self, at: At, room: &str, nick: &str) -> Vec<Event> {
        let start = self.devices[at.0].events.len();
        let jid = BareJid::parse(room).unwrap();
        self.call(at, move |account| account.enter(&jid));
        self.admit(at, room, nick);
        self.settle();
        self.devices[at.0].events[start..].to_vec()
    }

    /// A room lets somebody in.
    pub fn admit(&mut self, at: At, room: &str, nick: &str) {
        let others = self.room(room).occupants.clone();
        self.room(room).occupants.push((nick.into(), at));
        for (other, whose) in others {
            let presence = self.presence(room, &other, whose, at, &[]);
            self.post(at, &presence);
            let presence = self.presence(room, nick, at, whose, &[]);
            self.post(whose, &presence);
        }
        let shown = if self.room(room).shows_jids {
            &[100, 110][..]
        } else {
            &[110]
        };
        let presence = self.presence(room, nick, at, at, shown);
        self.post(at, &presence);
        let history = self.room(room).history;
        let length = self.room(room).archive.len();
        for index in length.saturating_sub(history)..length {
            let old = self.old(room, index);
            self.post(at, &old);
        }
    }

    /// A device's app leaves a room.
    pub fn leave_room(&mut self, at: At, room: &str) {
        let jid = BareJid::parse(room).unwrap();
        self.call(at, move |account| account.leave(&jid));
        self.expel(at, room, &[]);
        self.settle();
    }

    /// The occupant of a device is gone, for these reasons.
    pub fn expel(&mut self, at: At, room: &str, statuses: &[u16]) {
        let occupants = self.room(room).occupants.clone();
        let Some((nick, _)) = occupants.iter().find(|(_, whose)| *whose == at).cloned() else {
            return;
        };
        self.room(room).occupants.retain(|(_, whose)| *whose != at);
        for (_, whose) in occupants {
            let mut statuses = statuses.to_vec();
            if whose == at {
                statuses.push(110);
            }
            let mut presence = self.presence(room, &nick, at, whose, &statuses);
            set(&mut presence, "type", "unavailable");
            self.post(whose, &presence);
        }
    }

    /// A device has no stream any more: it is in no room.
    pub(super) fn expel_everywhere(&mut self, at: At) {
        let rooms: Vec<String> = self.rooms.iter().map(|room| room.jid.clone()).collect();
        for room in rooms {
            // nobody keeps presences for later, so that it never hears of it
            let waiting = self.devices[at.0].mailbox.clone();
            self.expel(at, &room, &[]);
            self.devices[at.0].mailbox = waiting;
        }
    }

    /// An account becomes something to a room; outcasts, and in a room of members those who are none,
    /// have to go.
    pub fn affiliate(&mut self, room: &str, jid: &str, affiliation: &str) {
        self.affiliate_quietly(room, jid, affiliation);
        self.settle();
    }

    /// The same, and nothing is delivered.
    pub fn affiliate_quietly(&mut self, room: &str, jid: &str, affiliation: &str) {
        let known = self.room(room);
        known.affiliations.retain(|(known, _)| known != jid);
        let given = (jid.to_owned(), affiliation.to_owned());
        known.affiliations.push(given);
        let (announces, members_only) = (known.announces_absent, known.members_only);
        let occupants = known.occupants.clone();
        let theirs: Vec<(String, At)> = occupants
            .iter()
            .filter(|(_, at)| self.devices[at.0].jid.as_str() == jid)
            .cloned()
            .collect();
        let has_to_go = affiliation == "outcast" || (members_only && affiliation == "none");
        for (nick, at) in &theirs {
            if has_to_go {
                let status = if affiliation == "outcast" { 301 } else { 321 };
                self.expel(*at, room, &[status]);
                continue;
            }
            for (_, whose) in &occupants {
                let presence = self.presence(room, nick, *at, *whose, &[]);
                self.post(*whose, &presence);
            }
        }
        if theirs.is_empty() && announces {
            let item = format!("<item affiliation='{affiliation}' jid='{jid}' role='none'/>");
            let user = self.room(room).user(Some(&item), &[]);
            self.announce(room, user);
        }
    }

    /// The room is configured anew.
    pub fn configure_room(&mut self, room: &str, status: u16, change: impl FnOnce(&mut Room)) {
        change(self.room(room));
        let user = self.room(room).user(None, &[104, status]);
        self.announce(room, user);
        self.settle();
    }

    fn announce(&mut self, room: &str, user: Element) {
        let notice = Element::builder("message", "jabber:client")
            .attr("from".try_into().unwrap(), room)
            .append(user)
            .build();
        for (_, whose) in self.room(room).occupants.clone() {
            self.post(whose, &notice);
        }
    }

    /// Occupants change their nicks, each in turn.
    pub fn rename(&mut self, room: &str, at: At, nick: &str) {
        let occupants = self.room(room).occupants.clone();
        let (old, _) = occupants.iter().find(|(_, whose)| *whose == at).unwrap();
        for (_, whose) in &occupants {
            let own: &[u16] = if *whose == at { &[303, 110] } else { &[303] };
            let mut gone = self.presence(room, old, at, *whose, own);
            set(&mut gone, "type", "unavailable");
            let user = gone.get_child_mut("x", USER).unwrap();
            set(user.get_child_mut("item", USER).unwrap(), "nick", nick);
            self.post(*whose, &gone);
            let own: &[u16] = if *whose == at { &[110] } else { &[] };
            let here = self.presence(room, nick, at, *whose, own);
            self.post(*whose, &here);
        }
        for (known, whose) in &mut self.room(room).occupants {
            if *whose == at {
                nick.clone_into(known);
            }
        }
    }

    /// Sends a text to a room and lets everything happen; gives the events of that.
    pub fn say(&mut self, from: At, room: &str, id: &str, body: &str) -> Vec<Event> {
        let start = self.devices[from.0].events.len();
        self.say_quietly(from, room, id, body);
        self.settle();
        self.devices[from.0].events[start..].to_vec()
    }

    /// The same, and nothing is delivered.
    pub fn say_quietly(&mut self, from: At, room: &str, id: &str, body: &str) {
        let outgoing = Outgoing::text(id, Chat::Room(BareJid::parse(room).unwrap()), body);
        self.call(from, move |account| account.send(outgoing));
    }

    /// The archive of a room, as it answers a question for it.
    #[must_use]
    pub fn room_archive(&self, room: &str) -> Vec<Element> {
        let room = self.rooms.iter().find(|known| known.jid == room).unwrap();
        let pages = room.archive.iter().map(|(nick, real, message)| {
            let mut message = message.clone();
            set(&mut message, "from", format!("{}/{nick}", room.jid));
            if room.archive_names {
                let affiliation = room.affiliation(real);
                let item = format!("<item affiliation='{affiliation}' jid='{real}/x' role='participant'/>");
                message.append_child(room.user(Some(&item), &[]));
            }
            let text = format!(
                "<message xmlns='jabber:client' from='{}'><result xmlns='urn:xmpp:mam:2' id='1'>\
                 <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='{STAMP}'/>{}\
                 </forwarded></result></message>",
                room.jid,
                String::from(&message)
            );
            text.parse().unwrap()
        });
        pages.collect()
    }

    /// A device reads the archive of a room.
    pub fn read_room_archive(&mut self, at: At, room: &str) {
        let pages = self.room_archive(room);
        self.call(at, move |account: &mut Account<_>| {
            account.receive_all(&pages)
        });
        self.settle();
    }

    /// Takes a message to a room; `false` when it is to none.
    pub(super) fn reflect(&mut self, at: At, message: &Element) -> bool {
        let to = message.attr("to").unwrap().to_owned();
        if !self.rooms.iter().any(|room| room.jid == to) {
            return false;
        }
        let occupants = self.room(&to).occupants.clone();
        let Some((nick, _)) = occupants.iter().find(|(_, whose)| *whose == at) else {
            let mut refusal = Element::builder("message", "jabber:client")
                .append(error("modify", "not-acceptable", None))
                .build();
            for (name, value) in [("type", "error"), ("from", to.as_str())] {
                set(&mut refusal, name, value);
            }
            set(&mut refusal, "id", message.attr("id").unwrap_or_default());
            self.post(at, &refusal);
            return true;
        };
        let real = self.devices[at.0].jid.to_string();
        let mut reflected = message.clone();
        let room = self.room(&to);
        if room.writes_ids {
            reflected.append_child(room.occupant_id(&real).parse().unwrap());
        }
        set(&mut reflected, "from", format!("{to}/{nick}"));
        room.archive.push((nick.clone(), real, reflected.clone()));
        for (_, whose) in &occupants {
            self.post(*whose, &reflected);
        }
        true
    }

    /// Answers a question to a room; nothing when it is to none.
    pub(super) fn ask_room(
        &self,
        room: &str,
        iq: &Element,
    ) -> Option<Result<Option<Element>, Element>> {
        let room = self.rooms.iter().find(|known| known.jid == room)?;
        if iq.has_child("query", INFO) {
            let anonymity = if room.shows_jids {
                "muc_nonanonymous"
            } else {
                "muc_semianonymous"
            };
            let access = if room.members_only {
                "muc_membersonly"
            } else {
                "muc_open"
            };
            let text = format!(
                "<query xmlns='{INFO}'><feature var='http://jabber.org/protocol/muc'/><feature var='{anonymity}'/>\
                 <feature var='{access}'/></query>"
            );
            return Some(Ok(Some(text.parse().unwrap())));
        }
        let query = iq.get_child("query", ADMIN)?;
        let wanted = query.get_child("item", ADMIN)?.attr("affiliation")?;
        if room.secret_lists.contains(&wanted) {
            return Some(Err(error("auth", "forbidden", None)));
        }
        let items: String = room
            .affiliations
            .iter()
            .filter(|(_, affiliation)| affiliation == wanted)
            .map(|(jid, affiliation)| format!("<item affiliation='{affiliation}' jid='{jid}'/>"))
            .collect();
        let text = format!("<query xmlns='{ADMIN}'>{items}</query>");
        Some(Ok(Some(text.parse().unwrap())))
    }

    /// The message of this place in the archive, as it is shown to those who join.
    fn old(&mut self, room: &str, index: usize) -> Element {
        let (nick, _, mut message) = self.room(room).archive[index].clone();
        set(&mut message, "from", format!("{room}/{nick}"));
        let delay = format!("<delay xmlns='urn:xmpp:delay' from='{room}' stamp='{STAMP}'/>");
        message.append_child(delay.parse().unwrap());
        message
    }

    /// What a room says to one device about the occupant of another.
    fn presence(&mut self, room: &str, nick: &str, whose: At, to: At, statuses: &[u16]) -> Element {
        let real = self.devices[whose.0].full.as_str().to_owned();
        let bare = self.devices[whose.0].jid.to_string();
        let reader = self.devices[to.0].jid.to_string();
        let room = self.room(room);
        let is_shown = room.shows_jids || matches!(room.affiliation(&reader), "admin" | "owner");
        let jid = if is_shown {
            format!(" jid='{real}'")
        } else {
            String::new()
        };
        let affiliation = room.affiliation(&bare);
        let item = format!("<item affiliation='{affiliation}' role='participant'{jid}/>");
        let mut presence = Element::builder("presence", "jabber:client")
            .attr("from".try_into().unwrap(), format!("{}/{nick}", room.jid))
            .append(room.user(Some(&item), statuses))
            .build();
        if room.writes_ids {
            presence.append_child(room.occupant_id(&bare).parse().unwrap());
        }
        presence
    }
}
