//! What honest people and their devices do.

use omemo::{Account, BareJid, Fingerprint, Trust};
use omemo_tests::chance::Chance;

use super::pick;
use crate::view::Key;
use crate::world::World;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

pub fn write(world: &mut World, chance: &mut Chance) {
    let from = chance.index(world.devices.len());
    let own = world.devices[from].jid.clone();
    let others: Vec<_> = world
        .jids
        .iter()
        .map(ToString::to_string)
        .filter(|jid| *jid != own || chance.percent(10))
        .collect();
    if let Some(to) = pick(chance, &others) {
        world.write(from, &to);
    }
}

pub fn deliver(world: &mut World, chance: &mut Chance) {
    let at = chance.index(world.devices.len());
    for _ in 0..=chance.below(6) {
        world.deliver_one(at);
    }
}

pub fn stream(world: &mut World, chance: &mut Chance) {
    let at = chance.index(world.devices.len());
    if world.devices[at].online {
        world.go_offline(at);
        if chance.coin() {
            return;
        }
    }
    match chance.below(4) {
        0 => world.resume(at),
        // the archive is never read to its end
        1 => world.go_online(at, false),
        _ => world.go_online(at, true),
    }
}

pub fn restart(world: &mut World, chance: &mut Chance) {
    let at = chance.index(world.devices.len());
    world.restart(at);
    if chance.percent(80) {
        world.go_online(at, chance.percent(80));
    }
}

pub fn pass(world: &mut World, chance: &mut Chance) {
    let seconds = match chance.below(10) {
        0..=4 => chance.below(120),
        5..=6 => chance.below(2 * HOUR),
        7..=8 => chance.below(2 * DAY),
        _ => chance.below(9 * DAY),
    };
    world.pass(i64::try_from(seconds).unwrap());
}

pub fn confirm(world: &mut World, chance: &mut Chance) {
    let at = chance.index(world.devices.len());
    world.devices[at].confirms = chance.coin();
}

/// People compare fingerprints with each other, so that what they verify is true and what they distrust is not.
pub fn decide(world: &mut World, chance: &mut Chance) {
    let at = chance.index(world.devices.len());
    let keys: Vec<(String, Key)> = world.observer.watches[at]
        .view
        .trust
        .keys()
        .cloned()
        .collect();
    let Some((jid, key)) = pick(chance, &keys) else {
        return;
    };
    let level = match (world.observer.is_true(&jid, &key), chance.below(6)) {
        (true, 0) => Trust::Undecided,
        (true, 1) => Trust::Blind,
        (true, _) => Trust::Verified,
        (false, 0) => Trust::Undecided,
        (false, _) => Trust::Distrusted,
    };
    world.decide(at, &jid, &key, level);
}

pub fn look(world: &mut World, chance: &mut Chance) {
    let at = chance.index(world.devices.len());
    let Some(jid) = pick(chance, &world.jids.clone()) else {
        return;
    };
    if chance.coin() {
        world.call(at, |account| account.known(&jid));
    } else if world.devices[at].online {
        world.call(at, |account| account.inspect(&jid));
    }
    world.call(at, Account::tick);
}

pub fn renew(world: &mut World, chance: &mut Chance) {
    let at = chance.index(world.devices.len());
    match chance.below(5) {
        0 => drop(world.call(at, Account::recover)),
        1 => drop(world.call(at, Account::replace_all_sessions)),
        _ => {
            if let Some(jid) = pick(chance, &world.jids.clone()) {
                world.call(at, |account| account.replace_sessions(&jid, None));
            }
        }
    }
}

impl World {
    /// A person decides.
    pub fn decide(&mut self, at: usize, jid: &str, key: &Key, level: Trust) {
        let fingerprint = Fingerprint::new(*key);
        let decided = &mut self.observer.watches[at].decided;
        decided.insert((jid.to_owned(), *key), level);
        let jid = BareJid::parse(jid).unwrap();
        self.call(at, |account| account.decide(&jid, &fingerprint, level));
    }
}
