//! What villains send: messages of their own, key exchanges by the dozen, counters that jump, and stanzas beyond measure.

use omemo::Version;
use omemo_tests::chance::Chance;

use super::pick;
use crate::schedule::MALLORY;
use crate::shape::{bundle_place, devices_node, list, namespace, read_bundle};
use crate::villain::{Peer, Villain};
use crate::world::World;

/// Messages that a villain leaves out at a time: XEP-0384 §4.3 and what widely used clients take.
const JUMPS: [u32; 5] = [1, 400, 999, 1_999, 2_100];

impl World {
    /// A villain of this account by right, with a list and bundles that hold.
    pub fn enlist(&mut self, jid: &str, chance: &mut Chance) {
        self.know(jid);
        let mut villain = Villain::new(jid, 666, chance.below(u64::MAX));
        self.observer
            .true_keys
            .entry(jid.into())
            .or_default()
            .insert(villain.key());
        for version in Version::ALL {
            let (node, item) = bundle_place(version, villain.id);
            let bundle = villain.bundle(version);
            self.server.lie(jid, &node, &item, Some(bundle));
            let list = list(version, &[villain.id]);
            self.server
                .lie(jid, devices_node(version), "current", Some(list));
        }
        self.villains.push(villain);
    }

    /// A villain that the server passes off as a device of this account: one that is there already, or a new one, under an id
    /// of its own or a true device's.
    pub fn impostor(&mut self, jid: &str, chance: &mut Chance) -> usize {
        let there: Vec<usize> = (0..self.villains.len())
            .filter(|n| self.villains[*n].jid == jid)
            .collect();
        if let Some(known) = pick(chance, &there).filter(|_| chance.percent(60)) {
            return known;
        }
        let true_ids: Vec<u32> = (0..self.devices.len())
            .filter(|at| self.devices[*at].jid == jid)
            .map(|at| self.id(at))
            .collect();
        let borrowed = pick(chance, &true_ids).filter(|_| chance.percent(20));
        let id = borrowed.unwrap_or_else(|| 2_000 + u32::try_from(chance.below(1_000)).unwrap());
        let mut villain = Villain::new(jid, id, chance.below(u64::MAX));
        for version in Version::ALL {
            let bundle = villain.bundle(version);
            if borrowed.is_none() {
                let (node, item) = bundle_place(version, id);
                self.server.lie(jid, &node, &item, Some(bundle));
            }
        }
        self.villains.push(villain);
        self.villains.len() - 1
    }

    /// Lets a villain begin a session with an honest device, if it has none or wants another one.
    fn acquaint(&self, villain: &mut Villain, peer: &Peer, anew: bool) -> bool {
        if villain.has_session(peer) && !anew {
            return true;
        }
        let (node, item) = bundle_place(peer.0, peer.2);
        let truth = self.server.truth(&peer.1, &node, &item);
        let bundle = truth.and_then(|bundle| read_bundle(peer.0, bundle));
        bundle.is_some_and(|bundle| villain.meet(peer, &bundle))
    }

    /// An honest device that a villain can write to.
    fn victim(&self, chance: &mut Chance) -> (usize, Peer) {
        let at = chance.index(self.devices.len());
        let device = &self.devices[at];
        let version = device.versions[chance.index(device.versions.len())];
        (at, (version, device.jid.clone(), self.id(at)))
    }
}

pub fn villain(world: &mut World, chance: &mut Chance) {
    let jid = pick(chance, &world.jids).unwrap().to_string();
    let n = if chance.coin() {
        0
    } else {
        world.impostor(&jid, chance)
    };
    let (at, peer) = world.victim(chance);
    let mut villain = world.villains.swap_remove(n);
    let met = world.acquaint(&mut villain, &peer, chance.percent(15));
    world.villains.push(villain);
    let n = world.villains.len() - 1;
    if !met {
        return;
    }
    for _ in 0..=chance.below(4) {
        let body = world.villainous(n);
        let villain = &mut world.villains[n];
        if !villain.has_session(&peer) {
            return;
        }
        let text = match chance.below(6) {
            0 => villain.empty(&peer),
            1 => {
                // a key that fits nothing
                let length = chance.index(70);
                let key = villain.seal(&peer, &chance.bytes(length));
                let payload = chance.bytes(40);
                villain.stanza(&peer, &key, Some(&[1; 12]), Some(&payload))
            }
            2 => {
                let text = villain.text(&peer, &body);
                let somebody = pick(chance, &world.jids).unwrap();
                text.replace(
                    &format!("from='{}/x'", villain.jid),
                    &format!("from='{somebody}/x'"),
                )
            }
            _ => villain.text(&peer, &body),
        };
        match chance.below(3) {
            0 => world.post(at, text),
            _ => world.strike(at, &text),
        }
    }
}

/// Key exchanges that hold, of many devices and accounts, or again and again of one.
pub fn key_exchanges(world: &mut World, chance: &mut Chance) {
    let (at, peer) = world.victim(chance);
    let many = 5 + chance.below(60);
    let one = chance.coin();
    let mut villain = Villain::new(MALLORY, 700, chance.below(u64::MAX));
    for n in 0..many {
        if !one {
            let id = 701 + u32::try_from(n).unwrap();
            let jid = match chance.below(3) {
                0 => format!("mallory{n}@elsewhere.example"),
                1 => world.jids[chance.index(world.jids.len())].to_string(),
                _ => MALLORY.to_owned(),
            };
            villain = Villain::new(&jid, id, chance.below(u64::MAX));
        }
        if !world.acquaint(&mut villain, &peer, true) {
            return;
        }
        let text = villain.empty(&peer);
        world.post(at, text);
        if chance.percent(20) {
            world.settle();
        }
    }
}

/// A session whose counters jump, with turns of the ratchet in between where the honest side answers.
pub fn skips(world: &mut World, chance: &mut Chance) {
    let (at, peer) = world.victim(chance);
    let jid = world.devices[at].jid.clone();
    let mut villain = world.villains.swap_remove(0);
    let met = world.acquaint(&mut villain, &peer, false);
    world.villains.push(villain);
    let n = world.villains.len() - 1;
    if !met || !world.devices[at].online {
        return;
    }
    for _ in 0..2 + chance.below(6) {
        let body = world.villainous(n);
        let jump = pick(chance, &JUMPS).unwrap();
        let villain = &mut world.villains[n];
        if !villain.has_session(&peer) {
            // a key exchange of the honest side that it could not follow has ended it
            return;
        }
        villain.skip(&peer, jump);
        let text = villain.text(&peer, &body);
        world.deliver(at, &text);
        if chance.coin() {
            // an answer turns the ratchet
            let to = world.villains[n].jid.clone();
            if to != jid {
                world.write(at, &to);
                world.settle();
            }
        }
    }
}

pub fn huge(world: &mut World, chance: &mut Chance) {
    // it costs more than everything else
    if chance.percent(70) {
        return villain(world, chance);
    }
    let (at, peer) = world.victim(chance);
    let version = peer.0;
    let key = format!("<key rid='{}'>AAAA</key>", peer.2);
    let keys = key.repeat(1 + chance.index(5_000));
    let keys = match version {
        Version::Omemo2 => format!("<keys jid='{}'>{keys}</keys>", peer.1),
        Version::Legacy => keys,
    };
    let inside = match chance.below(3) {
        0 => format!("<header sid='666'>{keys}</header><payload>AAAA</payload>"),
        1 => format!(
            "<header sid='666'>{keys}</header><payload>{}</payload>",
            "A".repeat(4 * chance.index(300_000))
        ),
        _ => format!(
            "<header sid='666'>{}{}</header>",
            "<a>".repeat(200),
            "</a>".repeat(200)
        ),
    };
    let text = format!(
        "<message xmlns='jabber:client' from='{MALLORY}/x' type='chat' id='huge'>\
         <encrypted xmlns='{}'>{inside}</encrypted></message>",
        namespace(version)
    );
    world.strike(at, &text);
}
