//! Answers to questions, bad ones, and answers to no question.

use omemo_tests::chance::Chance;

use super::pick;
use crate::schedule::{JULIET, MALLORY, ROMEO};
use crate::server::Mood;
use crate::world::World;

const MOODS: [Mood; 11] = [
    Mood::Silent,
    Mood::Silent,
    Mood::Refusing("cancel", "item-not-found"),
    Mood::Refusing("auth", "forbidden"),
    Mood::Refusing("wait", "resource-constraint"),
    Mood::InTheNameOf(MALLORY),
    Mood::InTheNameOf(ROMEO),
    Mood::WithResource,
    Mood::Twice,
    Mood::Empty,
    Mood::Late,
];

pub fn spoil(world: &mut World, chance: &mut Chance) {
    for _ in 0..=chance.below(8) {
        world.server.moods.extend(pick(chance, &MOODS));
        // some are answered well in between
        if world.server.moods.len() > 20 {
            return;
        }
    }
}

pub fn unasked(world: &mut World, chance: &mut Chance) {
    let at = chance.index(world.devices.len());
    // what was kept back comes after all
    for (to, text) in std::mem::take(&mut world.late) {
        world.post(to, text);
    }
    for n in 0..chance.below(5) {
        let from = pick(chance, &[JULIET, ROMEO, MALLORY, "capulet.example"]).unwrap();
        let kind = pick(chance, &["result", "error", "get", "set"]).unwrap();
        let text = format!(
            "<iq xmlns='jabber:client' type='{kind}' id='{n:032x}' from='{from}'>\
             <pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:omemo:2:devices'>\
             <item id='current'><devices xmlns='urn:xmpp:omemo:2'/></item></items></pubsub></iq>"
        );
        world.post(at, text);
    }
}
