//! What belongs to one stream and dies with it: open questions, what was published and handed out
//! in it, and the sends that wait. Everything else is in the store.
//!
//! A call works on a copy and puts it back after the commit, so that a failed commit leaves no
//! trace here either.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use omemo_ratchet::Version;

use crate::pep::Publishing;
use crate::room::{Readiness, Room};
use crate::stanza::devices::DeviceList;
use crate::stanza::muc::Affiliation;
use crate::stanza::party::Party;
use crate::{
    Address, BareJid, DeviceId, Element, FullJid, Outgoing, Ticket, Timestamp, UnservedReason,
};

/// The memory of one handle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stream {
    /// Our full JID while we are online.
    pub(crate) full_jid: Option<FullJid>,
    /// Open questions by the id of their IQ.
    pub(crate) questions: BTreeMap<String, Question>,
    /// How far each protocol is published.
    pub(crate) publishing: BTreeMap<Version, Publishing>,
    /// The server was asked what it can do.
    pub(crate) features_asked: bool,
    /// The lists that were fetched in this stream.
    pub(crate) heard: BTreeSet<(Version, BareJid)>,
    /// The lists that were pushed in this stream: the next change will be, too.
    pub(crate) pushed: BTreeSet<(Version, BareJid)>,
    /// Sends that wait for answers, oldest first.
    pub(crate) waiting: Vec<Waiting>,
    /// The rooms that the app has entered. Shared, since a call works on a copy of all this.
    pub(crate) rooms: BTreeMap<BareJid, Arc<Room>>,
    /// Accounts that the app wants to know all about.
    pub(crate) inspecting: Vec<Inspection>,
    /// Devices of our own account that are being removed.
    pub(crate) removing: BTreeMap<DeviceId, Removing>,
    /// How far this device itself is removed.
    pub(crate) leaving: Option<Leaving>,
    /// What this handle has handed out in this stream.
    pub(crate) handed_out: BTreeSet<Ticket>,
    /// The outbox has to be looked at.
    pub(crate) outbox_due: Option<Timestamp>,
    /// When accounts are told again what they are owed (XEP-0450), since a device was not served.
    pub(crate) telling: BTreeMap<BareJid, Timestamp>,
    /// More answers are owed than one call may send.
    pub(crate) duties_due: Option<Timestamp>,
    /// What the last output said.
    pub(crate) next_wake: Option<Timestamp>,
}

/// A question that is open.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// Whom we asked: the answer must come from there.
    pub(crate) to: BareJid,
    /// What we asked.
    pub(crate) ask: Ask,
    /// When we stop waiting.
    pub(crate) deadline: Timestamp,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// The next step of publishing our device.
    Publish(Version),
    /// The list of an account's devices.
    List(Version, BareJid),
    /// The bundle of a device.
    Bundle(Version, Address),
    /// How a room is configured.
    RoomInfo(BareJid),
    /// Who has an affiliation in a room.
    RoomList(BareJid, Affiliation),
    /// To remove the bundle of another device of ours.
    RemoveBundle(Version, DeviceId),
    /// To push us an account's list from now on.
    Subscribe(Version, BareJid),
    /// All bundles of our own account.
    OwnBundles(Version),
    /// What our server says it can do.
    Features,
    /// To take ourselves off the server.
    Leave(Parting),
}

/// A step of taking ourselves off the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parting {
    FetchList(Version),
    /// The list without us.
    PublishList {
        version: Version,
        /// The node may be configured as it is.
        optional: bool,
    },
    DeleteNode(Version, String),
    RemoveBundle(Version),
    Unsubscribe(Version, BareJid),
}

/// A message that is not sealed yet.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) outgoing: Outgoing,
    /// When it is sealed with what is known by then.
    pub(crate) deadline: Timestamp,
    /// What could not be learnt for it: lists by (protocol, account).
    pub(crate) failed_lists: BTreeMap<(Version, BareJid), String>,
}

/// An account whose lists and bundles are being fetched.
#[derive(Debug, Clone)]
pub(crate) struct Inspection {
    pub(crate) jid: BareJid,
    pub(crate) deadline: Timestamp,
    /// What was asked for it already.
    pub(crate) asked: Vec<Ask>,
}

/// How far we are off the server.
#[derive(Debug, Clone)]
pub(crate) struct Leaving {
    /// When the secrets go whatever the server has said.
    pub(crate) deadline: Timestamp,
    /// What is still to be asked.
    pub(crate) todo: VecDeque<Parting>,
    /// The lists as they are to be published.
    pub(crate) lists: BTreeMap<Version, DeviceList>,
    /// What the server refused.
    pub(crate) incomplete: Vec<String>,
}

/// A device of our own account that is being removed.
#[derive(Debug, Clone)]
pub(crate) struct Removing {
    /// When we stop trying.
    pub(crate) deadline: Timestamp,
    pub(crate) stages: BTreeMap<Version, Stage>,
    /// What the server refused.
    pub(crate) incomplete: Vec<String>,
}

/// How far a device is removed in one protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The publish plan takes it off the list.
    List {
        /// How often it came back.
        attempts: u32,
    },
    /// The list is without it; its bundle is being removed.
    Bundle,
    Done,
}

impl Stream {
    /// Whether our device is published in this protocol, so that messages may leave.
    pub(crate) fn is_ready(&self, version: Version) -> bool {
        self.full_jid.is_some()
            && self
                .publishing
                .get(&version)
                .is_some_and(Publishing::is_ready)
    }

    /// Whether a protocol may still become ready.
    pub(crate) fn is_pending(&self, version: Version) -> bool {
        self.full_jid.is_none()
            || self
                .publishing
                .get(&version)
                .is_none_or(Publishing::is_under_way)
    }

    /// Whether a question is open.
    pub(crate) fn is_asking(&self, ask: &Ask) -> bool {
        self.questions.values().any(|question| question.ask == *ask)
    }

    /// Whether the app has entered a room in this stream.
    pub(crate) fn is_entered(&self, room: &BareJid) -> bool {
        self.rooms.get(room).is_some_and(|room| room.is_entered())
    }

    /// Whether a presence comes from a room that the app has entered. Almost none does, so that most
    /// cost nothing.
    pub(crate) fn is_from_a_room(&self, presence: &Element) -> bool {
        let mut entered = self.rooms.values().filter(|room| room.is_entered());
        entered.next().is_some()
            && Party::read(presence, "presence", "from")
                .is_ok_and(|from| from.is_some_and(|from| self.is_entered(&from.bare())))
    }

    /// Whether messages can be sent to a room.
    pub(crate) fn readiness(&self, room: &BareJid) -> Readiness {
        match self.rooms.get(room) {
            Some(room) => room.readiness(),
            None => Readiness::Refused(UnservedReason::NotInRoom("it was not entered".into())),
        }
    }

    /// How many questions about other people's lists are open.
    pub(crate) fn open_lists(&self) -> usize {
        self.questions
            .values()
            .filter(|question| matches!(question.ask, Ask::List(..)))
            .count()
    }

    /// How many questions about other people's keys are open.
    pub(crate) fn open_bundles(&self) -> usize {
        self.questions
            .values()
            .filter(|question| matches!(question.ask, Ask::Bundle(..)))
            .count()
    }

    /// The earliest moment at which something here is due.
    pub(crate) fn wake(&self) -> Option<Timestamp> {
        let deadlines = self.questions.values().map(|question| question.deadline);
        let sends = self.waiting.iter().map(|waiting| waiting.deadline);
        let inspections = self.inspecting.iter().map(|inspection| inspection.deadline);
        let publishing = self.publishing.values().filter_map(Publishing::wake);
        let removals = self.removing.values().map(|removing| removing.deadline);
        deadlines
            .chain(sends)
            .chain(inspections)
            .chain(publishing)
            .chain(removals)
            .chain(self.leaving.as_ref().map(|leaving| leaving.deadline))
            .chain(self.outbox_due)
            .chain(self.duties_due)
            .chain(self.telling.values().copied())
            .min()
    }
}
