//! Who lives how: when each device is awake, who writes to whom, and what must be true every day.

use std::collections::{BTreeMap, BTreeSet};

use omemo::store::MemoryStore;
use omemo::{Account, BareJid, Event, UndecryptableReason, UnservedReason, Version};
use omemo_tests::chance::Chance;
use omemo_tests::glass::{Glass, Pane};
use omemo_tests::hub::{At, Hub, speaks};
use omemo_tests::wire::{self, Ledger};

use crate::keys::{self, Bundle, Published};
use crate::totals::Totals;

const DAYS: i64 = 365;
const HOUR: i64 = 3_600;
/// Two hours a step.
const STEP: i64 = 2 * HOUR;
const STEPS: i64 = 12;
/// In a hundred steps so many messages are written.
const WRITES: u64 = 35;
/// Those who read and never write: without heartbeats the chains to them would never end.
const SILENT: [usize; 3] = [5, 10, 11];
/// In a hundred chances for another stream or another process it comes to one so often.
const BREAKS: u64 = 3;
/// Each store is looked through once in so many days.
const LOOKS: i64 = 3;
/// Days of silence after which a device is served no more.
const STALE: i64 = 90;
/// The 54th message of a chain (number 53) calls for an answer, which comes at once from whoever is awake.
const HEARTBEAT: u32 = 53;
const LONGEST_CHAIN: u32 = HEARTBEAT + 1;

/// When a device is awake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    Always,
    /// Two days a week.
    Weekends,
    /// One day in nineteen, which is longer than a signed prekey lives.
    Rarely,
    /// Not from this day to that one.
    Away(i64, i64),
}

impl Habit {
    const fn is_awake(self, day: i64) -> bool {
        match self {
            Self::Always => true,
            Self::Weekends => day % 7 < 2,
            Self::Rarely => day % 19 == 0,
            Self::Away(from, to) => day < from || day >= to,
        }
    }
}

const BOTH: &[Version] = &Version::ALL;
const NEW: &[Version] = &[Version::Omemo2];
const OLD: &[Version] = &[Version::Legacy];

/// Five accounts, twelve devices. Each account has a device that is always there and speaks both protocols.
const CAST: [(&str, &[Version], Habit); 12] = [
    ("juliet@capulet.example", BOTH, Habit::Always),
    ("juliet@capulet.example", NEW, Habit::Weekends),
    ("juliet@capulet.example", OLD, Habit::Away(30, 52)),
    ("romeo@montague.example", BOTH, Habit::Always),
    ("romeo@montague.example", NEW, Habit::Rarely),
    ("romeo@montague.example", OLD, Habit::Always),
    ("nurse@capulet.example", BOTH, Habit::Always),
    // gone for so long that nobody encrypts to it any more, and back again
    ("nurse@capulet.example", BOTH, Habit::Away(60, 250)),
    ("benvolio@montague.example", BOTH, Habit::Always),
    ("benvolio@montague.example", OLD, Habit::Weekends),
    ("mercutio@verona.example", BOTH, Habit::Always),
    ("mercutio@verona.example", NEW, Habit::Away(100, 145)),
];

pub struct Year {
    hub: Hub<Glass>,
    panes: Vec<Pane>,
    chance: Chance,
    awake: BTreeSet<usize>,
    ledger: Ledger,
    published: Vec<BTreeMap<Version, Published>>,
    /// What each device still has to read.
    owed: Vec<BTreeSet<String>>,
    read: Vec<BTreeSet<String>>,
    /// Who owes whom a heartbeat.
    turns: BTreeSet<(usize, usize)>,
    jids: Vec<BareJid>,
    /// Somebody was left out as stale.
    left_out: bool,
    totals: Totals,
}

impl Year {
    pub fn new(seed: u64) -> Self {
        let mut hub = Hub::new(seed);
        let panes: Vec<Pane> = CAST.iter().map(|_| Pane::default()).collect();
        // the archive is read before it is closed
        hub.catches_up = false;
        for ((jid, versions, _), pane) in CAST.iter().zip(&panes) {
            let store = Glass::new(MemoryStore::new(), pane);
            hub.add(jid, store, speaks(versions));
        }
        let mut jids: Vec<BareJid> = hub
            .devices
            .iter()
            .map(|device| device.jid.clone())
            .collect();
        jids.dedup();
        Self {
            hub,
            panes,
            chance: Chance::new(seed),
            awake: BTreeSet::new(),
            ledger: Ledger::default(),
            published: CAST.iter().map(|_| BTreeMap::new()).collect(),
            owed: vec![BTreeSet::new(); CAST.len()],
            read: vec![BTreeSet::new(); CAST.len()],
            turns: BTreeSet::new(),
            jids,
            left_out: false,
            totals: Totals::default(),
        }
    }

    /// Lives through it; gives what happened.
    pub fn pass(mut self) -> Totals {
        for at in 0..CAST.len() {
            for jid in self.jids.clone() {
                self.hub.call(At(at), |account| account.known(&jid));
            }
        }
        for day in 0..DAYS {
            self.dawn(day);
            for _ in 0..STEPS {
                self.step();
            }
            self.check_keys(day);
        }
        for at in 0..CAST.len() {
            self.wake_up(at);
        }
        for _ in 0..STEPS {
            self.step();
        }
        self.check_end();
        self.totals
    }

    /// Who sleeps, who wakes up, who is restarted.
    fn dawn(&mut self, day: i64) {
        for (at, (_, _, habit)) in CAST.iter().enumerate() {
            let awake = self.awake.contains(&at);
            if !habit.is_awake(day) && awake {
                self.awake.remove(&at);
                self.hub.go_offline(At(at));
                self.drop_answers(at);
            } else if habit.is_awake(day) && !awake {
                self.wake_up(at);
            } else if awake && self.chance.percent(BREAKS) {
                self.totals.restarts += 1;
                self.drop_answers(at);
                let pane = self.panes[at].clone();
                self.hub
                    .restart_quietly(At(at), |store| Glass::new(store.into_inner(), &pane));
                self.wake_up(at);
            } else if awake && self.chance.percent(BREAKS) {
                // another stream
                self.hub.go_offline(At(at));
                self.drop_answers(at);
                self.wake_up(at);
            }
        }
    }

    /// Answers of servers belong to a stream.
    fn drop_answers(&mut self, at: usize) {
        self.hub
            .mailbox(At(at))
            .retain(|text| text.contains("<encrypted"));
    }

    /// A new stream: what has come meanwhile is read, and then the archive is through.
    fn wake_up(&mut self, at: usize) {
        self.awake.insert(at);
        self.totals.catch_ups += usize::from(!self.hub.mailbox(At(at)).is_empty());
        self.hub.go_online(At(at));
        while !self.hub.mailbox(At(at)).is_empty() {
            self.hub.deliver_one(At(at));
        }
        self.hub.call(At(at), Account::caught_up);
        self.settle();
    }

    fn step(&mut self) {
        self.hub.advance(STEP);
        let now = self.hub.now();
        for at in self.awake.clone() {
            if self.hub.devices[at].wake.is_some_and(|wake| wake <= now) {
                self.hub.call(At(at), Account::tick);
                self.settle();
            }
        }
        if self.chance.percent(WRITES) {
            self.write();
        }
    }

    fn write(&mut self) {
        let awake = self.awake.iter().filter(|at| !SILENT.contains(at));
        let awake: Vec<usize> = awake.copied().collect();
        // juliet writes the most, and most of it to her nurse; mercutio has to listen to romeo
        let (from, to) = match self.chance.below(10) {
            0..=2 => (0, 2),
            3..=4 => (3, 4),
            _ => {
                let to = self.chance.index(self.jids.len());
                (awake[self.chance.index(awake.len())], to)
            }
        };
        let to = self.jids[to].to_string();
        if to == self.hub.devices[from].jid.as_str() {
            return;
        }
        self.totals.messages += 1;
        let text = format!("message {}", self.totals.messages);
        self.hub.write(At(from), &to, &text, &text);
        self.settle();
    }

    fn settle(&mut self) {
        self.hub.settle();
        for crossed in std::mem::take(&mut self.hub.wire) {
            let stanza: omemo::Element = crossed.text.parse().unwrap();
            self.look_at(crossed.from.0, &stanza);
        }
        for (at, (_, _, habit)) in CAST.iter().enumerate() {
            for event in std::mem::take(&mut self.hub.devices[at].events) {
                self.note(at, event);
            }
            for message in std::mem::take(&mut self.hub.devices[at].messages) {
                let text = message.body().unwrap();
                assert!(
                    self.read[at].insert(text.clone()),
                    "{at} reads {text} twice"
                );
                self.owed[at].remove(&text);
                self.totals.read += 1;
                let was_away = matches!(habit, Habit::Away(from, to) if to - from > STALE);
                let is_back = was_away && self.left_out && self.awake.contains(&at);
                self.totals.read_again += usize::from(is_back);
            }
        }
    }

    fn look_at(&mut self, from: usize, stanza: &omemo::Element) {
        let jid = self.hub.devices[from].jid.to_string();
        self.ledger.enter(stanza, &jid).unwrap();
        if let Some(bundle) = Bundle::find(stanza) {
            self.totals.bundles += 1;
            let now = self.hub.now().seconds();
            let published = self.published[from].entry(bundle.version).or_default();
            self.totals.rotations += usize::from(published.enter(bundle, now));
        }
        if stanza.name() == "message" {
            let empty = !String::from(stanza).contains("<payload");
            self.totals.empty += usize::from(empty);
            for key in wire::wrapped_keys(stanza, &jid) {
                let begins = key.key_exchange && key.name.counter == 0;
                self.totals.key_exchanges += usize::from(begins);
                let to = (0..CAST.len())
                    .find(|at| self.hub.id(At(*at)) == key.name.rid)
                    .unwrap();
                if empty && self.turns.contains(&(from, to)) {
                    self.totals.heartbeats += 1;
                }
                // whatever is sealed turns the ratchet
                self.turns.remove(&(from, to));
                if key.name.counter >= HEARTBEAT {
                    self.turns.insert((to, from));
                }
            }
        }
    }

    fn note(&mut self, at: usize, event: Event) {
        match event {
            Event::Sealed {
                id,
                served,
                unserved,
                ..
            } => {
                for served in served {
                    let reader =
                        self.device(served.device.jid.as_str(), served.device.device.get());
                    if !self.read[reader].contains(&id) {
                        self.owed[reader].insert(id.clone());
                    }
                }
                for unserved in unserved {
                    assert_eq!(
                        unserved.reason,
                        UnservedReason::Stale,
                        "{at} cannot serve {unserved}"
                    );
                    self.totals.stale += 1;
                    self.left_out = true;
                }
            }
            Event::Refused { id, unserved, .. } => panic!("{at} cannot send {id}: {unserved:?}"),
            Event::Unsent { id, reason, .. } => panic!("{at} could not send {id}: {reason}"),
            Event::Undecryptable { from, reason, .. } => {
                // one stanza a protocol: a device gets both and can read one
                assert_eq!(
                    reason,
                    UndecryptableReason::NotForThisDevice,
                    "{at} cannot read {from}"
                );
            }
            Event::ProtocolOff { reason, .. } => panic!("{at}: {reason}"),
            _ => {}
        }
    }

    fn device(&self, jid: &str, id: u32) -> usize {
        (0..CAST.len())
            .find(|at| CAST[*at].0 == jid && self.hub.id(At(*at)) == id)
            .unwrap()
    }

    /// The stores of devices that are awake.
    fn check_keys(&mut self, day: i64) {
        let now = self.hub.now().seconds();
        for at in self.awake.clone() {
            if (day + i64::try_from(at).unwrap()) % LOOKS != 0 {
                continue;
            }
            let published = std::mem::take(&mut self.published[at]);
            let jids = self.jids.clone();
            let who = format!("device {at} of {}", CAST[at].0);
            let (totals, chains, published) = self.look(at, move |tx| {
                let totals = keys::check(tx, &published, now, STEP, &who);
                (totals, keys::chains(tx, &jids), published)
            });
            self.published[at] = published;
            self.totals.checks += 1;
            self.totals.oldest_signed = self.totals.oldest_signed.max(totals.oldest_signed);
            self.totals.oldest_used = self.totals.oldest_used.max(totals.oldest_used);
            for ((jid, id), length) in chains {
                let peer = self.device(&jid, id);
                if CAST[peer].2 == Habit::Always {
                    self.totals.longest_chain = self.totals.longest_chain.max(length);
                    assert!(
                        length <= LONGEST_CHAIN,
                        "{at} has sent {length} messages to {peer} in one chain"
                    );
                }
            }
        }
    }

    fn look<R: Send + 'static>(
        &mut self,
        at: usize,
        what: impl FnOnce(&omemo::store::MemoryTransaction<'_>) -> R + Send + 'static,
    ) -> R {
        let account = self.hub.devices[at].account.as_mut().unwrap();
        self.panes[at].look(what, || drop(account.unacknowledged().unwrap()))
    }

    fn check_end(&mut self) {
        for at in 0..CAST.len() {
            let owed = &self.owed[at];
            assert!(owed.is_empty(), "{at} has never read {owed:?}");
            let skipped = self.look(at, keys::skipped);
            assert_eq!(skipped, 0, "{at} waits for messages that nobody has sent");
        }
        let Totals {
            messages,
            rotations,
            catch_ups,
            restarts,
            heartbeats,
            key_exchanges,
            stale,
            read_again,
            ..
        } = self.totals;
        let seen = [
            messages > 1_000,
            rotations > 400,
            catch_ups > 80,
            restarts > 30,
            heartbeats > 10,
            key_exchanges > 50,
            stale > 0,
            read_again > 0,
        ];
        assert_eq!(
            seen, [true; 8],
            "too little has happened: {:?}",
            self.totals
        );
    }
}
