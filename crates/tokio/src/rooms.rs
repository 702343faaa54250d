//! The rooms that the app wants to be in (XEP-0045): joined on every new stream, their archives read.

use std::collections::BTreeMap;

use omemo::{BareJid, Element, FullJid};
use tokio_xmpp::minidom::rxml::{Namespace, xml_ncname};
use tokio_xmpp::parsers::ns;

use crate::archive::{Answer, Reader};
use crate::caps::Capabilities;
use crate::{Archive, JoinError};

/// The namespace of what those who join say to a room (XEP-0045 §7.2.1).
const MUC: &str = "http://jabber.org/protocol/muc";

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    rooms: BTreeMap<BareJid, Room>,
}

#[derive(Debug)]
struct Room {
    occupant: FullJid,
    archive: Reader,
}

impl Rooms {
    /// The app wants to be in a room under this nick, and to read its archive from here on.
    pub(crate) fn add(
        &mut self,
        room: &BareJid,
        nick: &str,
        start: &Archive,
    ) -> Result<(), JoinError> {
        let occupant = FullJid::parse(&format!("{room}/{nick}"))
            .map_err(|_| JoinError::Nick(nick.to_owned()))?;
        let archive = Reader::of_room(room.clone(), start);
        let added = Room { occupant, archive };
        self.rooms.insert(room.clone(), added);
        Ok(())
    }

    /// The app wants to be in it no more; what says so.
    pub(crate) fn remove(&mut self, room: &BareJid) -> Option<Element> {
        let room = self.rooms.remove(room)?;
        let mut presence = presence(&room.occupant);
        presence.set_attr(Namespace::NONE, xml_ncname!("type").into(), "unavailable");
        Some(presence)
    }

    /// All rooms.
    pub(crate) fn jids(&self) -> Vec<BareJid> {
        self.rooms.keys().cloned().collect()
    }

    /// What asks to be let in. Old messages come from the archive, so that none comes twice.
    pub(crate) fn join(&self, room: &BareJid, capabilities: &Capabilities) -> Option<Element> {
        let room = self.rooms.get(room)?;
        let history = Element::builder("history", MUC)
            .attr(xml_ncname!("maxstanzas").into(), "0")
            .build();
        let mut presence = presence(&room.occupant);
        presence.append_child(Element::builder("x", MUC).append(history).build());
        for child in capabilities.presence().children() {
            presence.append_child(child.clone());
        }
        Some(presence)
    }

    /// A room is ready: the first question to its archive, if anything is to be read.
    pub(crate) fn begin(&mut self, room: &BareJid) -> Option<Element> {
        self.rooms.get_mut(room)?.archive.begin()
    }

    /// Keeps a message that belongs to an open page.
    pub(crate) fn keeps(&mut self, stanza: &Element) -> bool {
        let mut rooms = self.rooms.values_mut();
        rooms.any(|room| room.archive.keeps(stanza))
    }

    /// Takes the answer of an archive.
    pub(crate) fn answered(&mut self, iq: &Element) -> Option<(BareJid, Answer)> {
        let mut rooms = self.rooms.iter_mut();
        rooms.find_map(|(jid, room)| Some((jid.clone(), room.archive.answered(iq)?)))
    }

    /// Notes the archive's id of a message that came by itself.
    pub(crate) fn note(&mut self, stanza: &Element) {
        for room in self.rooms.values_mut() {
            room.archive.note(stanza);
        }
    }

    /// The positions that have changed since the last time.
    pub(crate) fn news(&mut self) -> Vec<(BareJid, Archive)> {
        let rooms = self.rooms.iter_mut();
        rooms
            .filter_map(|(jid, room)| Some((jid.clone(), room.archive.news()?)))
            .collect()
    }
}

fn presence(occupant: &FullJid) -> Element {
    Element::builder("presence", ns::JABBER_CLIENT)
        .attr(xml_ncname!("to").into(), occupant.as_str())
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_joined_without_its_history_and_left() {
        let room = BareJid::parse("orchard@rooms.example").unwrap();
        let mut rooms = Rooms::default();
        assert!(rooms.add(&room, "", &Archive::Off).is_err());
        rooms.add(&room, "juliet", &Archive::All).unwrap();
        let join = rooms.join(&room, &Capabilities::new(Vec::new())).unwrap();
        assert_eq!(join.attr("to"), Some("orchard@rooms.example/juliet"));
        let history = join.get_child("x", MUC).unwrap().get_child("history", MUC);
        assert_eq!(history.unwrap().attr("maxstanzas"), Some("0"));
        assert!(join.has_child("c", ns::CAPS));
        let question = rooms.begin(&room).unwrap();
        assert_eq!(question.attr("to"), Some(room.as_str()));
        let answer = |from: &str| -> Element {
            let id = question.attr("id").unwrap();
            format!("<iq xmlns='jabber:client' type='error' id='{id}' from='{from}'/>")
                .parse()
                .unwrap()
        };
        assert!(rooms.answered(&answer("other@rooms.example")).is_none());
        assert!(rooms.answered(&answer(room.as_str())).is_some());
        let leave = rooms.remove(&room).unwrap();
        assert_eq!(leave.attr("type"), Some("unavailable"));
        assert!(rooms.jids().is_empty());
    }
}
