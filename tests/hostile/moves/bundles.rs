//! Lies about bundles.

use minidom::Element;
use omemo::Version;
use omemo_ratchet::Bundle;
use omemo_tests::chance::Chance;

use super::pick;
use crate::shape::{bundle_element, bundle_place, read_bundle};
use crate::world::World;

/// A bundle that some honest device has published.
fn published(world: &World, chance: &mut Chance, version: Version) -> Option<Element> {
    let at = chance.index(world.devices.len());
    let (node, item) = bundle_place(version, world.id(at));
    world
        .server
        .truth(&world.devices[at].jid, &node, &item)
        .cloned()
}

pub fn lie(world: &mut World, chance: &mut Chance) {
    let version = Version::ALL[chance.index(2)];
    let jid = pick(chance, &world.jids).unwrap().to_string();
    // under the id of a true device, or of one that the server has invented
    let mut under: Vec<u32> = (0..world.devices.len())
        .filter(|at| world.devices[*at].jid == jid)
        .map(|at| world.id(at))
        .collect();
    let invented = world.villains.iter().filter(|villain| villain.jid == jid);
    under.extend(invented.map(|villain| villain.id));
    let Some(id) = pick(chance, &under) else {
        return;
    };
    let (node, item) = bundle_place(version, id);
    let shown = shown(world, chance, version, &jid, id);
    world.server.lie(&jid, &node, &item, shown);
}

fn shown(
    world: &mut World,
    chance: &mut Chance,
    version: Version,
    jid: &str,
    id: u32,
) -> Option<Element> {
    let (node, item) = bundle_place(version, id);
    match chance.below(8) {
        // one that the server holds the secrets of
        0..=2 => {
            let villain = world.impostor(jid, chance);
            Some(world.villains[villain].bundle(version))
        }
        // another device's, another account's, another protocol's
        3 => published(world, chance, version),
        4 => published(world, chance, other(version)),
        // an old one
        5 => {
            let old: Vec<_> = world
                .server
                .old
                .iter()
                .filter(|((of, at, it), _)| of == jid && *at == node && *it == item)
                .map(|(_, bundle)| bundle.clone())
                .collect();
            pick(chance, &old)
        }
        6 => None,
        _ => {
            let truth = published(world, chance, version)?;
            let mut bundle = read_bundle(version, &truth)?;
            let other = published(world, chance, version)?;
            spoil(&mut bundle, &read_bundle(version, &other)?, chance);
            Some(bundle_element(version, &bundle))
        }
    }
}

const fn other(version: Version) -> Version {
    match version {
        Version::Omemo2 => Version::Legacy,
        Version::Legacy => Version::Omemo2,
    }
}

fn spoil(bundle: &mut Bundle, other: &Bundle, chance: &mut Chance) {
    match chance.below(10) {
        0 => bundle.signed_pre_key_signature[chance.index(64)] ^= 1,
        1 => bundle.signed_pre_key.clone_from(&other.signed_pre_key),
        2 => bundle.identity_key.clone_from(&other.identity_key),
        3 => bundle.pre_keys.clone_from(&other.pre_keys),
        4 => bundle.pre_keys.clear(),
        5 => {
            // one id for all
            for (id, _) in &mut bundle.pre_keys {
                *id = 1;
            }
        }
        6 => {
            // ids of each other's keys
            bundle.pre_keys.iter_mut().for_each(|(id, _)| *id += 1);
        }
        7 => bundle.signed_pre_key_id += 1,
        8 => {
            // points that give away everything
            let length = bundle.signed_pre_key.len();
            for (_, key) in &mut bundle.pre_keys {
                *key = vec![0; length];
            }
        }
        _ => {
            let at = chance.index(bundle.identity_key.len());
            bundle.identity_key[at] ^= 0x10;
        }
    }
}
