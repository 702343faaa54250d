//! Why a message may be unreadable: proved by what crossed the wire.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use minidom::Element;
use omemo::Version;
use omemo_ratchet::Inbound;

use crate::transition::Text;

/// How long a prekey still opens key exchanges once a bundle without it is published.
const SLACK: i64 = 3_600;

/// Which device of which protocol a prekey is of, and the prekey.
type PreKey = (Version, u32, u32);

/// An ephemeral key, which names a key exchange.
type Ephemeral = Vec<u8>;

/// All key exchanges that crossed.
#[derive(Default)]
pub struct Proof {
    /// The key exchanges in a message, by message and receiving device.
    messages: BTreeMap<(Text, u32), Vec<(PreKey, Ephemeral)>>,
    /// The first key exchange that named a prekey where it belongs, and when it came.
    arrived: BTreeMap<PreKey, (Ephemeral, i64)>,
}

impl Proof {
    /// Reads a stanza that crosses now.
    pub fn note(&mut self, stanza: &Element, text: Option<Text>) {
        for (pre_key, ephemeral) in exchanges(stanza) {
            let (_, device, _) = pre_key;
            if let Some(text) = text {
                let known = self.messages.entry((text, device)).or_default();
                known.push((pre_key, ephemeral));
            }
        }
    }

    /// A stanza reaches a device.
    pub fn arrives(&mut self, stanza: &Element, at: u32, now: i64) {
        for (pre_key, ephemeral) in exchanges(stanza) {
            let (_, device, _) = pre_key;
            if device == at {
                self.arrived.entry(pre_key).or_insert((ephemeral, now));
            }
        }
    }

    /// Whether the message's key exchange with this device names a prekey that another one named so long ago that it may be
    /// gone.
    pub fn excuses(&self, text: Text, device: u32, now: i64) -> bool {
        let exchanges = self.messages.get(&(text, device)).into_iter().flatten();
        exchanges.into_iter().any(|(pre_key, ephemeral)| {
            self.arrived
                .get(pre_key)
                .is_some_and(|(first, at)| first != ephemeral && now - at >= SLACK)
        })
    }

    /// Whether a message comes with a key exchange for this device.
    pub fn is_key_exchange(&self, text: Text, device: u32) -> bool {
        self.messages.contains_key(&(text, device))
    }
}

/// The key exchanges in a stanza.
fn exchanges(stanza: &Element) -> Vec<(PreKey, Ephemeral)> {
    let mut found = Vec::new();
    for version in Version::ALL {
        for (device, bytes) in keys(stanza, version) {
            if let Ok(Inbound::KeyExchange(exchange)) = Inbound::parse(version, &bytes) {
                let pre_key = (version, device, exchange.pre_key_id().get());
                found.push((pre_key, exchange.ephemeral_key().as_bytes().to_vec()));
            }
        }
    }
    found
}

/// The keys in a stanza in one protocol, with the device that each is for.
fn keys(element: &Element, version: Version) -> Vec<(u32, Vec<u8>)> {
    let namespace = omemo::namespace(version);
    if element.is("key", namespace) {
        let device = element.attr("rid").unwrap().parse().unwrap();
        return vec![(device, BASE64.decode(element.text()).unwrap())];
    }
    element
        .children()
        .flat_map(|child| keys(child, version))
        .collect()
}
