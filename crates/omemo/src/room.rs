//! What is known of one room that we are in (XEP-0045, XEP-0384 §5.8): who belongs to it, who sits
//! behind which nick. A state that takes what the room says and sends nothing; it belongs to the
//! stream, since rooms forget us with it.
//!
//! Who gets messages:
//!
//! - whoever the room has made member, admin or owner, present or not: they read the archive later;
//! - in a room that is open to everybody, those who are present too, as long as they are: to be there
//!   is all that belonging means in such a room, and they see that something was said;
//! - never an outcast, and never an account that the room does not name.

use std::collections::{BTreeMap, BTreeSet};

use crate::stanza::limits::MAX_ROOM;
use crate::stanza::muc::{self, Affiliation, News, PresenceKind};
use crate::{BareJid, FullJid, Timestamp, UnservedReason};

/// One room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Room {
    jid: BareJid,
    phase: Phase,
    info: Info,
    lists: BTreeMap<Affiliation, List>,
    /// When the lists were asked for.
    asked_at: Timestamp,
    affiliations: BTreeMap<BareJid, Affiliation>,
    /// The real accounts behind the nicks, where the room says them.
    occupants: BTreeMap<FullJid, Option<BareJid>>,
    /// Whose occupants' ids these are, absent ones' too; `None` when two accounts have shown one.
    ids: BTreeMap<String, Option<BareJid>>,
    own_nick: Option<FullJid>,
    /// The room writes occupants' ids: it has put one into our own presence.
    has_ids: bool,
    is_too_large: bool,
}

/// How far we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// We were in it before this stream; the app has to join again.
    Away,
    /// The app is joining.
    Joining,
    /// We are in it.
    Inside,
}

/// What is known of its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Info {
    Asked,
    Failed(String),
    Known {
        non_anonymous: bool,
        members_only: bool,
    },
}

/// What is known of one of its lists.
#[derive(Debug, Clone, PartialEq, Eq)]
enum List {
    Asked,
    Refused(String),
    Known,
}

/// Whether messages can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// Something is still to be learnt.
    Waits,
    /// Yes.
    Ready,
    /// No, and why.
    Refused(UnservedReason),
}

/// What has to follow from what a room said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Then {
    /// Nothing.
    #[default]
    Nothing,
    /// It has to be asked how it is configured and who belongs to it.
    Ask,
    /// We are out of it.
    Left,
    /// It does not let us in.
    Denied,
}

/// What a message from a room says about who wrote it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    /// The room's name for its writer.
    pub(crate) occupant: &'a FullJid,
    /// The occupant's id, which the room writes.
    pub(crate) id: Option<&'a str>,
    /// What the room has noted in its archive.
    pub(crate) archived: Option<&'a BareJid>,
    /// It was written earlier: the nick says nothing.
    pub(crate) is_old: bool,
}

impl Room {
    /// A room that the app is about to join.
    pub(crate) fn joining(jid: BareJid, now: Timestamp) -> Self {
        Self {
            jid,
            phase: Phase::Joining,
            info: Info::Asked,
            lists: Affiliation::LISTED.map(|which| (which, List::Asked)).into(),
            asked_at: now,
            affiliations: BTreeMap::new(),
            occupants: BTreeMap::new(),
            ids: BTreeMap::new(),
            own_nick: None,
            has_ids: false,
            is_too_large: false,
        }
    }

    /// The stream is gone, and with it all that was known.
    pub(crate) fn away(&self) -> Self {
        Self {
            phase: Phase::Away,
            ..Self::joining(self.jid.clone(), self.asked_at)
        }
    }

    /// Whether the app says that we are in it, or on our way, in this stream.
    pub(crate) fn is_entered(&self) -> bool {
        self.phase != Phase::Away
    }

    pub(crate) fn is_inside(&self) -> bool {
        self.phase == Phase::Inside
    }

    pub(crate) fn asked_at(&self) -> Timestamp {
        self.asked_at
    }

    /// Whether messages can be sent.
    pub(crate) fn readiness(&self) -> Readiness {
        let refused = |text: &str| Readiness::Refused(UnservedReason::NotInRoom(text.to_owned()));
        if self.is_too_large {
            return refused("it has more than 2,000 members");
        }
        match (&self.phase, &self.info) {
            (Phase::Away | Phase::Joining, _) | (_, Info::Asked) => Readiness::Waits,
            (Phase::Inside, Info::Failed(reason)) => refused(reason),
            (
                Phase::Inside,
                Info::Known {
                    non_anonymous: false,
                    ..
                },
            ) => Readiness::Refused(UnservedReason::RoomAnonymous),
            _ if self.lists.values().any(|list| *list == List::Asked) => Readiness::Waits,
            _ => Readiness::Ready,
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.readiness() == Readiness::Ready
    }

    /// All that belong to it, ourselves included.
    pub(crate) fn members(&self) -> BTreeSet<&BareJid> {
        let affiliated = self.affiliations.keys();
        let present = self.occupants.values().flatten();
        let mut members: BTreeSet<&BareJid> = affiliated.chain(present).collect();
        members.retain(|jid| self.counts(jid, true));
        members
    }

    /// Whether an account belongs to it.
    pub(crate) fn is_member(&self, jid: &BareJid) -> bool {
        let is_present = self
            .occupants
            .values()
            .any(|real| real.as_ref() == Some(jid));
        self.counts(jid, is_present)
    }

    fn counts(&self, jid: &BareJid, is_present: bool) -> bool {
        let is_open = matches!(
            self.info,
            Info::Known {
                members_only: false,
                ..
            }
        );
        match self.affiliations.get(jid) {
            Some(Affiliation::Outcast) => false,
            Some(Affiliation::Member | Affiliation::Admin | Affiliation::Owner) => true,
            Some(Affiliation::None) | None => is_open && is_present,
        }
    }

    /// What could not be learnt about its members.
    pub(crate) fn lacking(&self) -> Vec<String> {
        let refused = self.lists.iter().filter_map(|(which, list)| match list {
            List::Refused(reason) => Some(format!("the list of {}s: {reason}", which.name())),
            List::Asked | List::Known => None,
        });
        refused.collect()
    }

    /// It is asked how it is configured; until it answers nothing is sent.
    pub(crate) fn ask_info(&mut self) {
        self.info = Info::Asked;
    }

    /// Its lists are asked for. Those that are known serve until it answers.
    pub(crate) fn ask_lists(&mut self, now: Timestamp) {
        self.asked_at = now;
        for list in self.lists.values_mut() {
            if *list != List::Known {
                *list = List::Asked;
            }
        }
    }

    /// It has said how it is configured.
    pub(crate) fn configured(&mut self, features: &Result<Vec<&str>, String>) {
        self.info = match features {
            Ok(features) => Info::Known {
                non_anonymous: features.contains(&"muc_nonanonymous"),
                members_only: features.contains(&"muc_membersonly"),
            },
            Err(reason) => Info::Failed(format!("it does not say how it is configured: {reason}")),
        };
    }

    /// It has given a list, or not.
    pub(crate) fn listed(&mut self, which: Affiliation, jids: Result<Vec<BareJid>, String>) {
        let Some(list) = self.lists.get_mut(&which) else {
            return;
        };
        match jids {
            Ok(jids) => {
                *list = List::Known;
                self.affiliations.retain(|_, given| *given != which);
                let given = jids.into_iter().map(|jid| (jid, which));
                self.affiliations.extend(given);
                self.check_size();
            }
            // what was known stays in force
            Err(_) if *list == List::Known => {}
            Err(reason) => *list = List::Refused(reason),
        }
    }

    /// A presence of one of its occupants.
    pub(crate) fn presence(
        &mut self,
        occupant: &FullJid,
        kind: PresenceKind,
        news: Option<&News>,
        id: Option<&str>,
    ) -> Then {
        if kind == PresenceKind::Error {
            let is_joining = self.phase == Phase::Joining;
            return if is_joining {
                Then::Denied
            } else {
                Then::Nothing
            };
        }
        let is_self = news.is_some_and(|news| news.says(muc::SELF))
            || self.own_nick.as_ref() == Some(occupant);
        let item = news.and_then(News::item);
        if let Some(item) = item {
            let known = self.occupants.get(occupant).cloned().flatten();
            self.became(item.jid.clone().or(known), item.affiliation);
        }
        if kind == PresenceKind::Available {
            self.arrived(occupant, item.and_then(|item| item.jid.clone()), id);
        } else if let Some(renamed) = news.and_then(|news| self.renamed(news)) {
            let moved = self.occupants.remove(occupant);
            self.occupants
                .extend(moved.map(|real| (renamed.clone(), real)));
            if is_self {
                self.own_nick = Some(renamed);
            }
            return Then::Nothing;
        } else {
            self.occupants.remove(occupant);
            return if is_self { Then::Left } else { Then::Nothing };
        }
        self.check_size();
        if !is_self {
            return Then::Nothing;
        }
        self.own_nick = Some(occupant.clone());
        self.has_ids = id.is_some();
        if self.phase == Phase::Joining {
            self.phase = Phase::Inside;
            return Then::Ask;
        }
        Then::Nothing
    }

    /// A notice of the room itself: who became what, or that it is configured anew.
    pub(crate) fn notice(&mut self, news: &News) -> Then {
        for item in &news.items {
            self.became(item.jid.clone(), item.affiliation);
        }
        self.check_size();
        let is_configured = muc::CONFIGURED.iter().any(|status| news.says(*status));
        if is_configured && self.phase == Phase::Inside {
            Then::Ask
        } else {
            Then::Nothing
        }
    }

    /// The account that wrote a message, where the room vouches for it; never a guess.
    pub(crate) fn author(&self, claim: &Claim<'_>, own: &BareJid) -> Option<BareJid> {
        // whatever the room says about a message must agree
        let by_id = match claim.id.filter(|_| self.has_ids).map(|id| self.ids.get(id)) {
            Some(Some(None)) => return None,
            Some(Some(Some(jid))) => Some(jid),
            Some(None) | None => None,
        };
        let by_name = if claim.is_old {
            claim.archived
        } else if self.own_nick.as_ref() == Some(claim.occupant) {
            Some(own)
        } else {
            Some(self.occupants.get(claim.occupant)?.as_ref()?)
        };
        match (by_id, by_name) {
            (Some(one), Some(other)) if one != other => None,
            (one, other) => one.or(other).cloned(),
        }
    }

    fn arrived(&mut self, occupant: &FullJid, jid: Option<BareJid>, id: Option<&str>) {
        let has_room = self.ids.len() < MAX_ROOM;
        if let (Some(id), Some(jid)) = (id, &jid) {
            match self.ids.get_mut(id) {
                Some(known) if known.as_ref() == Some(jid) => {}
                Some(known) => *known = None,
                None if has_room => {
                    self.ids.insert(id.to_owned(), Some(jid.clone()));
                }
                None => {}
            }
        }
        self.occupants.insert(occupant.clone(), jid);
    }

    /// What an account is to the room from now on.
    fn became(&mut self, jid: Option<BareJid>, affiliation: Option<Affiliation>) {
        match (jid, affiliation) {
            (Some(jid), Some(Affiliation::None)) => {
                self.affiliations.remove(&jid);
            }
            (Some(jid), Some(affiliation)) => {
                self.affiliations.insert(jid, affiliation);
            }
            _ => {}
        }
    }

    fn renamed(&self, news: &News) -> Option<FullJid> {
        let nick = news.item().filter(|_| news.says(muc::NEW_NICK))?;
        FullJid::parse(&format!("{}/{}", self.jid, nick.nick.as_deref()?)).ok()
    }

    /// A room without end would be a memory without end.
    fn check_size(&mut self) {
        let most = self.affiliations.len().max(self.occupants.len());
        if self.is_too_large || most > MAX_ROOM {
            self.is_too_large = true;
            self.affiliations.clear();
            self.occupants.clear();
            self.ids.clear();
        }
    }
}
