//! How every schedule ends: the server turns honest, time passes, people compare fingerprints, and everybody talks to everybody
//! again.

use std::collections::BTreeSet;

use omemo::{Account, BareJid, Trust, Version};

use crate::rows::Sizes;
use crate::world::World;

const DAY: i64 = 86_400;
/// Rounds in which everybody writes to everybody: one in which broken ends are found, one to be answered, and the last counts.
const ROUNDS: usize = 3;

/// Who has not read what: from which device, which device, the addressee, and the text.
type Unread = (usize, usize, String, String);

impl World {
    pub fn end(&mut self) -> Ending {
        let sizes = self.check_sizes();
        for at in 0..self.devices.len() {
            // a person is told, and does what there is to do
            if self.account(at).restored().unwrap() {
                self.call(at, Account::recover);
            }
        }
        self.server.repent();
        for (to, text) in std::mem::take(&mut self.late) {
            self.post(to, text);
        }
        self.everybody_comes_back();
        for wait in [121, 3_700, DAY + 1] {
            self.pass(wait);
            self.settle();
        }
        self.compare_fingerprints();
        let mut unread = Vec::new();
        for round in 1..=ROUNDS {
            unread = self.everybody_writes();
            if round + 1 == ROUNDS && !unread.is_empty() {
                self.mend(&unread);
            }
        }
        let mut pinned = 0;
        for (from, to, addressee, text) in unread {
            if self.is_pinned(from, to)
                || self.is_pinned(to, from)
                || self.is_cut_off(from, &addressee)
            {
                pinned += 1;
                continue;
            }
            panic!(
                "STUCK: device {to} ({} of {}) cannot read what device {from} ({} of {}) writes ({text}); \
                 the sender's events: {:?}",
                self.id(to),
                self.devices[to].jid,
                self.id(from),
                self.devices[from].jid,
                self.devices[from].last_events
            );
        }
        let after = self.check_sizes();
        Ending {
            sizes: sizes.most(after),
            pinned,
            replaced: self.replaced,
        }
    }

    fn everybody_comes_back(&mut self) {
        for at in 0..self.devices.len() {
            self.devices[at].confirms = true;
            self.go_offline(at);
            self.go_online(at, true);
        }
        self.push_truth();
        self.settle();
    }

    /// Everybody verifies everybody's true keys.
    fn compare_fingerprints(&mut self) {
        for at in 0..self.devices.len() {
            for jid in self.honest_accounts() {
                let bare = BareJid::parse(&jid).unwrap();
                self.call(at, |account| account.inspect(&bare));
                self.settle();
                let keys: Vec<_> = self.observer.true_keys[&jid].iter().copied().collect();
                for key in keys {
                    let known = self.observer.watches[at].view.level(&jid, &key);
                    if known.is_some() && key != self.devices[at].key {
                        self.decide(at, &jid, &key, Trust::Verified);
                    }
                }
            }
        }
    }

    pub fn honest_accounts(&self) -> BTreeSet<String> {
        self.devices
            .iter()
            .map(|device| device.jid.clone())
            .collect()
    }

    /// Gives who should have read what and has not.
    fn everybody_writes(&mut self) -> Vec<Unread> {
        let mut unread = Vec::new();
        for from in 0..self.devices.len() {
            for to in self.honest_accounts() {
                if to == self.devices[from].jid {
                    continue;
                }
                self.devices[from].last_events.clear();
                let common = self.speak_together(from, &to);
                let text = self.write(from, &to);
                self.settle();
                self.pass(1);
                self.settle();
                for at in 0..self.devices.len() {
                    let jid = &self.devices[at].jid;
                    let should = (*jid == to || *jid == self.devices[from].jid) && at != from;
                    let can = common && self.have_common(from, at);
                    if should && can && !self.devices[at].read.contains(&text) {
                        unread.push((from, at, to.clone(), text.clone()));
                    }
                }
            }
        }
        unread
    }

    /// Whether a device can write to an account at all.
    fn speak_together(&self, from: usize, to: &str) -> bool {
        (0..self.devices.len()).any(|at| self.devices[at].jid == to && self.have_common(from, at))
    }

    fn have_common(&self, one: usize, other: usize) -> bool {
        let spoken = &self.devices[other].versions;
        self.devices[one]
            .versions
            .iter()
            .any(|version| spoken.contains(version))
    }

    /// Whether the server has passed off its own key as that of a device before anybody knew better. The library never
    /// takes another key under the same id, so that this device has to take a new one.
    fn is_pinned(&self, at: usize, peer: usize) -> bool {
        let (jid, id) = (self.devices[peer].jid.clone(), self.id(peer));
        Version::ALL.into_iter().any(|version| {
            let known = self.observer.watches[at]
                .view
                .devices
                .get(&(version, jid.clone(), id));
            known
                .and_then(|known| known.identity)
                .is_some_and(|key| key != self.devices[peer].key)
        })
    }

    /// Whether all that an account has is kept from a device like that: then nothing is sent, to its own devices neither.
    fn is_cut_off(&self, from: usize, to: &str) -> bool {
        (0..self.devices.len())
            .filter(|at| self.devices[*at].jid == to && self.have_common(from, *at))
            .all(|at| self.is_pinned(from, at))
    }

    /// What people do about a device that cannot read them: both ends make their sessions anew, once.
    fn mend(&mut self, unread: &[Unread]) {
        let apart: BTreeSet<(usize, String)> = unread
            .iter()
            .flat_map(|(from, to, ..)| {
                let jid = |at: &usize| self.devices[*at].jid.clone();
                [(*from, jid(to)), (*to, jid(from))]
            })
            .collect();
        for (at, jid) in apart {
            self.replaced += 1;
            let jid = BareJid::parse(&jid).unwrap();
            self.call(at, |account| account.replace_sessions(&jid, None));
        }
        self.settle();
        self.pass(61);
        self.settle();
        self.compare_fingerprints();
    }

    /// Nobody can fill a store.
    pub fn check_sizes(&mut self) -> Sizes {
        let mut all = Sizes::default();
        for at in 0..self.devices.len() {
            let sizes = self.look(at, Sizes::of);
            sizes.check(at);
            all = all.most(sizes);
        }
        all
    }
}

/// What was seen in the end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ending {
    pub sizes: Sizes,
    /// Pairs that cannot talk because the server was first to show a key under a true id.
    pub pinned: usize,
    /// Sessions that had to be made anew by hand before two could talk again.
    pub replaced: usize,
}
