//! What is done to messages on their way.

use omemo_tests::chance::Chance;

use super::pick;
use crate::schedule::MALLORY;
use crate::shape::{archived, carbon};
use crate::world::World;

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn is_message(text: &str) -> bool {
    text.contains("<encrypted")
}

/// Places in a mailbox where messages stand.
fn places(world: &World, at: usize) -> Vec<usize> {
    let mailbox = world.devices[at].mailbox.iter().enumerate();
    mailbox
        .filter(|(_, text)| is_message(text))
        .map(|(place, _)| place)
        .collect()
}

pub fn shuffle(world: &mut World, chance: &mut Chance) {
    let at = chance.index(world.devices.len());
    for _ in 0..=chance.below(3) {
        let places = places(world, at);
        let (Some(one), Some(two)) = (pick(chance, &places), pick(chance, &places)) else {
            return;
        };
        let mailbox = &mut world.devices[at].mailbox;
        match chance.below(4) {
            0 => drop(mailbox.remove(one)),
            1 => {
                let copy = mailbox[one].clone();
                mailbox.push_back(copy);
            }
            2 => mailbox.swap(one, two),
            // delayed
            _ => {
                let text = mailbox.remove(one).unwrap();
                mailbox.push_back(text);
            }
        }
    }
}

/// A message that waits or was there once, as its server wrote it, and whom it was for.
fn some_message(world: &World, chance: &mut Chance) -> Option<(String, String)> {
    let history: Vec<_> = world.history.iter().cloned().collect();
    pick(chance, &history)
}

pub fn damage(world: &mut World, chance: &mut Chance) {
    let at = chance.index(world.devices.len());
    let waiting = pick(chance, &places(world, at));
    let Some(place) = waiting else {
        return;
    };
    let text = world.devices[at].mailbox[place].clone();
    let damaged = damaged(&text, chance);
    if chance.percent(20) {
        // what was sent is lost
        world.devices[at].mailbox.remove(place);
    }
    world.strike(at, &damaged);
}

fn damaged(text: &str, chance: &mut Chance) -> String {
    let (start, end) = match chance.below(4) {
        0 => between(text, "<payload", chance),
        1 => between(text, "<iv", chance),
        2 => {
            let name = pick(
                chance,
                &["sid='", "sid=\"", "rid='", "rid=\"", "jid='", "jid=\""],
            );
            attribute(text, name.unwrap())
        }
        _ => between(text, "<key ", chance),
    }
    .unwrap_or((0, 0));
    if start >= end {
        return text.to_owned();
    }
    let mut bytes = text.as_bytes().to_vec();
    let at = start + chance.index(end - start);
    let old = bytes[at];
    bytes[at] = if old.is_ascii_digit() && chance.coin() {
        b'0' + (old - b'0' + 1) % 10
    } else {
        BASE64[chance.index(BASE64.len())]
    };
    if chance.percent(10) {
        bytes.drain(at..end);
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// Where the text of one of these elements stands.
fn between(text: &str, tag: &str, chance: &mut Chance) -> Option<(usize, usize)> {
    let tags: Vec<usize> = text.match_indices(tag).map(|(at, _)| at).collect();
    let tag = pick(chance, &tags)?;
    let start = tag + text[tag..].find('>')? + 1;
    Some((start, start + text[start..].find('<')?))
}

fn attribute(text: &str, name: &str) -> Option<(usize, usize)> {
    let start = text.find(name)? + name.len();
    Some((start, start + text[start..].find(['\'', '"'])?))
}

pub fn replay(world: &mut World, chance: &mut Chance) {
    let Some((_, text)) = some_message(world, chance) else {
        return;
    };
    for _ in 0..=chance.below(3) {
        let at = chance.index(world.devices.len());
        world.strike(at, &text);
    }
}

/// An honest message in a wrong frame.
pub fn misdirect(world: &mut World, chance: &mut Chance) {
    let Some((to, text)) = some_message(world, chance) else {
        return;
    };
    let at = chance.index(world.devices.len());
    let own = world.devices[at].jid.clone();
    let somebody = pick(chance, &world.jids).unwrap().to_string();
    let from_somebody = with_attribute(&text, "from", &format!("{somebody}/x"));
    let stamp = "2027-01-15T08:00:00Z";
    let framed = match chance.below(12) {
        0 => from_somebody,
        1 => with_attribute(&text, "from", MALLORY),
        2 => with_attribute(&text, "to", &somebody),
        3 => carbon(&somebody, "sent", &text),
        4 => carbon(&somebody, "received", &text),
        // our own server's word, about somebody else's message
        5 => carbon(&own, "sent", &text),
        6 => carbon(&own, "sent", &with_attribute(&text, "to", &somebody)),
        7 => carbon(&own, "received", &from_somebody),
        8 => archived(&own, stamp, &from_somebody),
        9 => archived(&somebody, stamp, &text),
        10 => carbon(&own, "received", &carbon(&own, "sent", &text)),
        _ => {
            // as if a room had handed it on
            let room = format!("room@{}/nick", to.split('@').nth(1).unwrap_or("x"));
            let text = with_attribute(&text, "from", &room);
            with_attribute(&text, "type", "groupchat")
        }
    };
    world.strike(at, &framed);
}

/// The same with another value of an attribute of the outermost element.
pub fn with_attribute(text: &str, name: &str, value: &str) -> String {
    let mut stanza = crate::shape::xml(text);
    omemo_tests::hub::set(&mut stanza, name, value);
    String::from(&stanza)
}

pub fn bounce(world: &mut World, chance: &mut Chance) {
    let Some((to, text)) = some_message(world, chance) else {
        return;
    };
    let from = pick(chance, &[to.as_str(), MALLORY, "capulet.example"]).unwrap();
    let stanza = crate::shape::xml(&text);
    let Some(id) = stanza.attr("id") else {
        return;
    };
    let back = format!(
        "<message xmlns='jabber:client' type='error' id='{id}' from='{from}'><error type='cancel'>\
         <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    );
    let at = chance.index(world.devices.len());
    if world.devices[at].online {
        world.deliver(at, &back);
    }
}
