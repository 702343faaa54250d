//! Lies about device lists.

use minidom::Element;
use omemo::Version;
use omemo_tests::chance::Chance;

use super::pick;
use crate::schedule::MALLORY;
use crate::shape::{self, devices_node, ids};
use crate::world::World;

/// Whose list, and in which protocol.
fn whose(world: &World, chance: &mut Chance) -> (String, Version) {
    let jid = pick(chance, &world.jids).unwrap().to_string();
    (jid, Version::ALL[chance.index(2)])
}

/// A list that is not true.
fn false_list(world: &mut World, chance: &mut Chance, jid: &str, version: Version) -> Element {
    let node = devices_node(version);
    let truth = world.server.truth(jid, node, "current").cloned();
    let mut listed = truth.as_ref().map(ids).unwrap_or_default();
    match chance.below(10) {
        // the server adds devices of its own
        0..=3 => {
            for _ in 0..=chance.below(3) {
                let villain = world.impostor(jid, chance);
                listed.push(world.villains[villain].id);
            }
        }
        4 => listed.clear(),
        5 => listed.truncate(1),
        // an old one
        6 => {
            let old: Vec<_> = world
                .server
                .old
                .iter()
                .filter(|((of, at, _), _)| of == jid && at == node)
                .map(|(_, list)| list.clone())
                .collect();
            if let Some(old) = pick(chance, &old) {
                return old;
            }
        }
        7 => listed.reverse(),
        // somebody else's
        8 => {
            let (other, _) = whose(world, chance);
            let truth = world.server.truth(&other, node, "current");
            listed = truth.map(ids).unwrap_or_default();
        }
        _ => {
            let many = u32::try_from(chance.below(60)).unwrap();
            listed.extend((0..many).map(|n| 1_000 + n));
            listed.extend(listed.clone());
        }
    }
    if chance.percent(4) {
        return shape::xml(
            "<devices xmlns='urn:xmpp:omemo:2'><device id='-1'/><device/><list/></devices>",
        );
    }
    shape::list(version, &listed)
}

pub fn lie(world: &mut World, chance: &mut Chance) {
    let (jid, version) = whose(world, chance);
    let list = false_list(world, chance, &jid, version);
    let shown = (!chance.percent(10)).then_some(list);
    world
        .server
        .lie(&jid, devices_node(version), "current", shown.clone());
    if let Some(list) = shown.filter(|_| chance.coin()) {
        world.push_to_all(&jid, devices_node(version), &list);
    }
}

/// Pushes, also such as nobody may send.
pub fn push(world: &mut World, chance: &mut Chance) {
    let (jid, version) = whose(world, chance);
    let list = false_list(world, chance, &jid, version);
    let node = devices_node(version);
    let full = format!("{jid}/x");
    let text = match chance.below(8) {
        0 => shape::push(Some(&full), node, &list),
        1 => shape::push(None, node, &list),
        2 => shape::push(Some(MALLORY), node, &list),
        3 => {
            let inner = shape::push(Some(&jid), node, &list);
            let outer = pick(chance, &world.jids).unwrap().to_string();
            shape::carbon(&outer, "received", &inner)
        }
        4 => {
            let inside = pick(
                chance,
                &["<purge/>", "<delete/>", "<retract id='current'/>"],
            );
            let inside = match inside.unwrap() {
                "<retract id='current'/>" => {
                    format!("<items node='{node}'><retract id='current'/></items>")
                }
                other => other.replace('/', &format!(" node='{node}'/")),
            };
            format!(
                "<message xmlns='jabber:client' from='{jid}' type='headline'>\
                 <event xmlns='{}'>{inside}</event></message>",
                shape::EVENT
            )
        }
        _ => shape::push(Some(&jid), node, &list),
    };
    let at = chance.index(world.devices.len());
    if world.devices[at].online {
        world.deliver(at, &text);
    }
}

pub fn forget(world: &mut World, chance: &mut Chance) {
    let (jid, version) = whose(world, chance);
    let node = devices_node(version).to_owned();
    if chance.coin() {
        world.server.forget(&jid, &node);
        let nothing = shape::list(version, &[]);
        if chance.coin() {
            world.push_to_all(&jid, &node, &nothing);
        }
        return;
    }
    let at = chance.index(world.devices.len());
    let (node, _) = shape::bundle_place(version, world.id(at));
    let jid = world.devices[at].jid.clone();
    world.server.forget(&jid, &node);
}

pub fn downgrade(world: &mut World, chance: &mut Chance) {
    let (jid, _) = whose(world, chance);
    let node = devices_node(Version::Omemo2);
    let nothing = shape::list(Version::Omemo2, &[]);
    world
        .server
        .lie(&jid, node, "current", Some(nothing.clone()));
    world.push_to_all(&jid, node, &nothing);
}
