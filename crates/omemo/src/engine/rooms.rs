//! Rooms: what they say goes into their state, what is not known of them is asked (XEP-0384 §5.8.1).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Call;
use super::questions::Reply;
use crate::room::{Claim, Readiness, Room, Then};
use crate::stanza::limits::MAX_ROOM;
use crate::stanza::message::MessageKind;
use crate::stanza::muc::{self, Affiliation, News, PresenceKind};
use crate::stanza::party::Party;
use crate::stanza::stanza_error::StanzaError;
use crate::stanza::wrapper::{Received, Route};
use crate::store::Transaction;
use crate::stream::Ask;
use crate::{BareJid, CallerError, Chat, Element, Error, Event, UnservedReason};

/// Not every room tells those who are in it when somebody absent becomes a member or is one no more.
const LISTS_AGE: Duration = Duration::from_secs(600);

impl<T: Transaction> Call<'_, T> {
    /// The app is about to join a room.
    pub(crate) fn enter_room(&mut self, room: &BareJid) -> Result<(), Error> {
        self.check_not_leaving()?;
        if !self.is_online() {
            return Err(CallerError::Offline.into());
        }
        let known = self.stream.rooms.get(room);
        if known.is_some_and(|known| known.is_inside()) {
            return self.ask_room(room);
        }
        let joining = Room::joining(room.clone(), self.now);
        self.stream.rooms.insert(room.clone(), Arc::new(joining));
        Ok(())
    }

    /// The app leaves a room, or the room has thrown us out.
    pub(crate) fn leave_room(&mut self, room: &BareJid) {
        if self.stream.rooms.remove(room).is_some() {
            self.event(Event::RoomLeft { room: room.clone() });
        }
    }

    /// Whom messages to a room are encrypted for.
    pub(crate) fn members(&self, room: &BareJid) -> Option<Vec<BareJid>> {
        let room = self.stream.rooms.get(room).filter(|room| room.is_ready())?;
        let members = room.members().into_iter();
        let others = members.filter(|jid| **jid != self.me.jid);
        Some(others.cloned().collect())
    }

    /// A new stream: no room knows us any more.
    pub(crate) fn lose_rooms(&mut self) {
        for room in self.stream.rooms.values_mut() {
            *room = Arc::new(room.away());
        }
    }

    /// A presence from a room.
    pub(super) fn room_presence(&mut self, presence: &Element) -> Result<(), Error> {
        let Ok(Some(from)) = Party::read(presence, "presence", "from") else {
            return Ok(());
        };
        let Some(kind) = PresenceKind::of(presence) else {
            return Ok(());
        };
        let room = from.bare();
        let then = match &from {
            Party::Full(occupant) => {
                let news = News::read(presence);
                let id = muc::occupant_id(presence);
                self.change_room(&room, |room| {
                    room.presence(occupant, kind, news.as_ref(), id)
                })
            }
            // the room itself does not let us in
            Party::Bare(_) if kind == PresenceKind::Error => Then::Denied,
            Party::Bare(_) => Then::Nothing,
        };
        if then == Then::Denied {
            let reason = StanzaError::read(presence).to_string();
            self.denied(&room, reason);
        }
        self.follow(&room, then)
    }

    /// A notice of a room itself.
    pub(super) fn room_notice(&mut self, room: &BareJid, news: &News) -> Result<(), Error> {
        let then = self.change_room(room, |room| room.notice(news));
        self.follow(room, then)
    }

    fn follow(&mut self, room: &BareJid, then: Then) -> Result<(), Error> {
        match then {
            Then::Nothing | Then::Denied => Ok(()),
            Then::Ask => self.ask_room(room),
            Then::Left => {
                self.leave_room(room);
                Ok(())
            }
        }
    }

    fn denied(&mut self, room: &BareJid, reason: String) {
        if self
            .stream
            .rooms
            .get(room)
            .is_some_and(|room| room.is_inside())
        {
            return;
        }
        if self.stream.rooms.remove(room).is_some() {
            self.event(Event::RoomRefused {
                room: room.clone(),
                reason: UnservedReason::NotInRoom(format!("it does not let us in: {reason}")),
            });
        }
    }

    /// Asks for all that is to be known of a room.
    fn ask_room(&mut self, room: &BareJid) -> Result<(), Error> {
        self.change_room(room, Room::ask_info);
        let ask = Ask::RoomInfo(room.clone());
        self.ask(room, ask, muc::ask_info)?;
        self.ask_room_lists(room)
    }

    fn ask_room_lists(&mut self, room: &BareJid) -> Result<(), Error> {
        let now = self.now;
        self.change_room(room, |room| room.ask_lists(now));
        for which in Affiliation::LISTED {
            let ask = Ask::RoomList(room.clone(), which);
            self.ask(room, ask, |id, to| muc::ask_list(id, to, which))?;
        }
        Ok(())
    }

    /// The answer to how a room is configured.
    pub(super) fn room_configured(&mut self, room: &BareJid, reply: &Reply<'_>) {
        let features = match reply {
            Reply::Nothing => Err("no answer in time".to_owned()),
            Reply::Refused(error) => Err(error.to_string()),
            Reply::Given(answer) => muc::features(answer).map_err(|error| error.to_string()),
        };
        self.change_room(room, |room| room.configured(&features));
    }

    /// The answer to who has an affiliation in a room.
    pub(super) fn room_listed(&mut self, room: &BareJid, which: Affiliation, reply: &Reply<'_>) {
        let jids = match reply {
            Reply::Nothing => Err("no answer in time".to_owned()),
            Reply::Refused(error) => Err(error.to_string()),
            Reply::Given(answer) => {
                muc::listed(answer, which, MAX_ROOM).map_err(|error| error.to_string())
            }
        };
        self.change_room(room, |room| room.listed(which, jids));
    }

    /// Whether a message to a room has to wait until the room is known.
    pub(super) fn lacks_room(&mut self, room: &BareJid) -> Result<bool, Error> {
        match self.stream.readiness(room) {
            Readiness::Waits => return Ok(true),
            Readiness::Refused(_) => return Ok(false),
            Readiness::Ready => {}
        }
        let asked_at = self.stream.rooms.get(room).map(|room| room.asked_at());
        if asked_at.is_some_and(|at| self.now.since(at) >= LISTS_AGE) {
            self.ask_room_lists(room)?;
        }
        let asks = Affiliation::LISTED.map(|which| Ask::RoomList(room.clone(), which));
        Ok(asks.iter().any(|ask| self.stream.is_asking(ask)))
    }

    /// The accounts that a message in this conversation is for, ourselves left out; or why there is
    /// nobody to be encrypted for.
    pub(super) fn audience(&self, chat: &Chat) -> Result<Vec<BareJid>, UnservedReason> {
        let room = match chat {
            Chat::Direct(jid) => return Ok(vec![jid.clone()]),
            Chat::Room(room) => room,
        };
        match self.stream.readiness(room) {
            Readiness::Ready => Ok(self.members(room).unwrap_or_default()),
            Readiness::Refused(reason) => Err(reason),
            Readiness::Waits => Err(UnservedReason::NotInRoom(
                "what is to be known of it did not come in time".into(),
            )),
        }
    }

    /// Whether a message in this conversation is for an account.
    pub(super) fn is_for(&self, chat: &Chat, jid: &BareJid) -> bool {
        match chat {
            Chat::Direct(contact) => contact == jid,
            Chat::Room(room) => self
                .stream
                .rooms
                .get(room)
                .is_some_and(|room| room.is_member(jid)),
        }
    }

    /// Whether we share a room with an account, so that it sees us there.
    pub(super) fn is_in_a_room_with_us(&self, jid: &BareJid) -> bool {
        let mut rooms = self.stream.rooms.values();
        rooms.any(|room| room.is_inside() && room.is_member(jid))
    }

    /// The account that wrote a message: its sender, or in a room that we have entered the one behind
    /// the nick, as far as the room vouches for it.
    pub(super) fn author(&self, received: &Received<'_>) -> Option<BareJid> {
        if let Some(sender) = &received.sender {
            return Some(sender.clone());
        }
        let (room, Some(Party::Full(occupant))) = (room_of(received)?, &received.from) else {
            return None;
        };
        // only the room's own archive says who it was; anywhere else its writer could have put it in
        let noted = News::read(received.message);
        let noted = noted.as_ref().and_then(News::item);
        let noted = noted.and_then(|item| item.jid.as_ref());
        let is_archive = received.route == Route::RoomArchive;
        let claim = Claim {
            occupant,
            id: muc::occupant_id(received.message),
            archived: noted.filter(|_| is_archive),
            is_old: is_archive || received.is_history,
        };
        let room = self
            .stream
            .rooms
            .get(&room)
            .filter(|room| room.is_entered())?;
        room.author(&claim, &self.me.jid)
    }

    /// Changes what is known of a room and tells what follows from it.
    fn change_room<R: Default>(&mut self, jid: &BareJid, change: impl FnOnce(&mut Room) -> R) -> R {
        let Some(room) = self
            .stream
            .rooms
            .get_mut(jid)
            .filter(|room| room.is_entered())
        else {
            return R::default();
        };
        let before = Arc::clone(room);
        let result = change(Arc::make_mut(room));
        let after = Arc::clone(room);
        self.tell_change(jid, &before, &after);
        result
    }

    fn tell_change(&mut self, jid: &BareJid, before: &Room, after: &Room) {
        match (before.readiness(), after.readiness()) {
            (Readiness::Ready, Readiness::Ready) => self.tell_members(jid, before, after),
            (_, Readiness::Ready) => {
                let members = self.members(jid).unwrap_or_default();
                self.event(Event::RoomReady {
                    room: jid.clone(),
                    members,
                    lacking: after.lacking(),
                });
                self.look_at_outbox();
            }
            (before, Readiness::Refused(reason)) => {
                if before != Readiness::Refused(reason.clone()) {
                    let room = jid.clone();
                    self.event(Event::RoomRefused { room, reason });
                }
            }
            (_, Readiness::Waits) => {}
        }
    }

    fn tell_members(&mut self, room: &BareJid, before: &Room, after: &Room) {
        let (before, after): (BTreeSet<_>, BTreeSet<_>) = (before.members(), after.members());
        for jid in before.symmetric_difference(&after) {
            if **jid != self.me.jid {
                self.event(Event::MemberChanged {
                    room: room.clone(),
                    jid: (*jid).clone(),
                    member: after.contains(jid),
                });
            }
        }
    }
}

/// The room that a message belongs to.
pub(super) fn room_of(received: &Received<'_>) -> Option<BareJid> {
    let by_room = matches!(received.route, Route::Direct | Route::RoomArchive);
    match &received.from {
        Some(Party::Full(occupant)) if by_room && received.kind == MessageKind::GroupChat => {
            Some(occupant.bare())
        }
        _ => None,
    }
}
