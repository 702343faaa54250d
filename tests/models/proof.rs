//! Why a message may be unreadable: proved by what crossed the wire.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use minidom::Element;
use omemo::Version;
use omemo_ratchet::Inbound;

use crate::transition::Text;

/// How long a signed prekey that was replaced still opens key exchanges.
const GRACE: i64 = 7 * 86_400;

/// Which device of which protocol a prekey is of, and the prekey.
type PreKey = (Version, u32, u32);

/// An ephemeral key, which names a key exchange.
type Ephemeral = Vec<u8>;

/// All key exchanges that crossed.
#[derive(Default)]
pub struct Proof {
    /// When the key exchanges that name a prekey crossed first, by ephemeral key.
    exchanges: BTreeMap<PreKey, BTreeMap<Ephemeral, i64>>,
    /// The key exchanges in a message, by message and receiving device.
    messages: BTreeMap<(Text, u32), Vec<(PreKey, Ephemeral)>>,
}

impl Proof {
    /// Reads a stanza that crosses now.
    pub fn note(&mut self, stanza: &Element, text: Option<Text>, now: i64) {
        for version in Version::ALL {
            for (device, bytes) in keys(stanza, version) {
                let Ok(Inbound::KeyExchange(exchange)) = Inbound::parse(version, &bytes) else {
                    continue;
                };
                let pre_key = (version, device, exchange.pre_key_id().get());
                let ephemeral = exchange.ephemeral_key().as_bytes().to_vec();
                self.exchanges
                    .entry(pre_key)
                    .or_default()
                    .entry(ephemeral.clone())
                    .or_insert(now);
                if let Some(text) = text {
                    let known = self.messages.entry((text, device)).or_default();
                    known.push((pre_key, ephemeral));
                }
            }
        }
    }

    /// Whether the message's key exchange with this device names a prekey that another one names too, or is older than the
    /// grace of the signed prekey that it names can be.
    pub fn excuses(&self, text: Text, device: u32, now: i64) -> bool {
        let exchanges = self.messages.get(&(text, device)).into_iter().flatten();
        exchanges.into_iter().any(|(pre_key, ephemeral)| {
            let rivals = &self.exchanges[pre_key];
            rivals.len() > 1 || now - rivals[ephemeral] >= GRACE
        })
    }

    /// Whether a message comes with a key exchange for this device.
    pub fn is_key_exchange(&self, text: Text, device: u32) -> bool {
        self.messages.contains_key(&(text, device))
    }
}

/// The keys in a stanza in one protocol, with the device that each is for.
fn keys(element: &Element, version: Version) -> Vec<(u32, Vec<u8>)> {
    let namespace = match version {
        Version::Omemo2 => "urn:xmpp:omemo:2",
        Version::Legacy => "eu.siacs.conversations.axolotl",
    };
    if element.is("key", namespace) {
        let device = element.attr("rid").unwrap().parse().unwrap();
        return vec![(device, BASE64.decode(element.text()).unwrap())];
    }
    element
        .children()
        .flat_map(|child| keys(child, version))
        .collect()
}
