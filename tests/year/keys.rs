//! No key is kept longer than its rule allows: the secrets in the stores against what was published, as anybody could see it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use minidom::Element;
use omemo::store::{MemoryTransaction, Transaction};
use omemo::{BareJid, Version};
use omemo_ratchet::{PreKeyPair, SignedPreKeyPair};

use crate::totals::Totals;

const DAY: i64 = 86_400;
/// XEP-0384 §4.2: a signed prekey is published for a week, and its secret stays for a week more.
const ROTATION: i64 = 7 * DAY;
const GRACE: i64 = 7 * DAY;
/// How long a used prekey may stay once the server has confirmed a bundle without it: whoever fetched an older one may have drawn
/// it, too.
const USED: i64 = 3_600;
/// A bundle is never smaller, and is full again when its publication is through.
const PRE_KEYS: usize = 100;
/// Where the number of the next message stands in a session's stored form (layout 1).
const NEXT: std::ops::Range<usize> = 259..263;

type Public = [u8; 32];

/// What one device has published in one protocol.
#[derive(Default)]
pub struct Published {
    /// Signed prekeys: when each was published first.
    pub signed: Vec<(Public, i64)>,
    /// The prekeys of the newest bundle.
    pub pre_keys: Vec<Public>,
}

/// A bundle on its way to the server.
pub struct Bundle {
    pub version: Version,
    signed: Public,
    pre_keys: Vec<Public>,
}

impl Bundle {
    /// Finds the bundle in a question to the server.
    pub fn find(iq: &Element) -> Option<Self> {
        const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
        let publish = iq
            .get_child("pubsub", PUBSUB)?
            .get_child("publish", PUBSUB)?;
        let bundle = publish.children().next()?.children().next()?;
        let (version, name) = match bundle.ns().as_str() {
            "urn:xmpp:omemo:2" => (Version::Omemo2, "spk"),
            _ => (Version::Legacy, "signedPreKeyPublic"),
        };
        let child = |name: &str| bundle.children().find(|child| child.name() == name);
        Some(Self {
            version,
            signed: key(child(name)?),
            pre_keys: child("prekeys")?.children().map(key).collect(),
        })
    }
}

fn key(element: &Element) -> Public {
    let bytes = BASE64.decode(element.text()).unwrap();
    // legacy writes the type before the key
    bytes[bytes.len() - 32..].try_into().unwrap()
}

impl Published {
    /// Whether the bundle has another signed prekey than the one before.
    pub fn enter(&mut self, bundle: Bundle, now: i64) -> bool {
        self.pre_keys = bundle.pre_keys;
        let new = self.signed.iter().all(|(key, _)| *key != bundle.signed);
        if new {
            self.signed.push((bundle.signed, now));
        }
        new && self.signed.len() > 1
    }
}

/// Looks through the keys of a device that is online, has read its archive and has done what was due.
pub fn check(
    tx: &MemoryTransaction<'_>,
    published: &BTreeMap<Version, Published>,
    now: i64,
    slack: i64,
    who: &str,
) -> Totals {
    let mut totals = Totals::default();
    for (version, published) in published {
        let (newest, since) = published.signed.last().unwrap();
        assert!(
            now - since <= ROTATION + slack,
            "{who}: a signed prekey is {} s old in {version:?}",
            now - since
        );
        for row in tx.signed_pre_keys(*version).unwrap() {
            let pair = SignedPreKeyPair::from_parts(row.id, *row.secret, row.signature);
            let public = pair.public().as_bytes();
            let place = published.signed.iter().position(|(key, _)| key == public);
            // a new one that the server has not confirmed yet
            let Some(place) = place else {
                panic!("{who}: the secret of a signed prekey that was never published");
            };
            if public == newest {
                continue;
            }
            let replaced = now - published.signed[place + 1].1;
            totals.oldest_signed = totals.oldest_signed.max(replaced / DAY);
            assert!(
                replaced <= GRACE + slack,
                "{who}: a signed prekey was replaced {replaced} s ago and is still there"
            );
        }
        let mut unused = 0;
        for row in tx.pre_keys(*version).unwrap() {
            let pair = PreKeyPair::from_parts(row.id, *row.secret);
            let public = pair.public().as_bytes();
            let listed = published.pre_keys.contains(public);
            match row.used_at {
                None => {
                    unused += 1;
                    assert!(listed, "{who}: a prekey that is not published");
                }
                Some(used) => {
                    let since = row
                        .withdrawn_at
                        .unwrap_or(used)
                        .seconds()
                        .max(used.seconds());
                    totals.oldest_used = totals.oldest_used.max((now - used.seconds()) / DAY);
                    assert!(!listed, "{who}: a used prekey is published again");
                    assert!(
                        now - since <= USED + slack,
                        "{who}: a prekey was used {} s ago and is still there",
                        now - used.seconds()
                    );
                }
            }
        }
        assert_eq!(
            unused, PRE_KEYS,
            "{who}: the bundle is not full in {version:?}"
        );
    }
    totals
}

/// The numbers that the next messages to the devices of these accounts will have: how long each sending chain is.
pub fn chains(tx: &MemoryTransaction<'_>, jids: &[BareJid]) -> BTreeMap<(String, u32), u32> {
    let mut chains = BTreeMap::new();
    for version in Version::ALL {
        for jid in jids {
            for row in tx.newest_sessions(version, jid).unwrap() {
                let next = u32::from_be_bytes(row.state[NEXT].try_into().unwrap());
                let place = (jid.to_string(), row.address.device.get());
                let known = chains.entry(place).or_insert(0);
                *known = next.max(*known);
            }
        }
    }
    chains
}

/// Keys of messages that have not arrived.
pub fn skipped(tx: &MemoryTransaction<'_>) -> usize {
    let mut count = 0;
    for version in Version::ALL {
        for address in tx.session_peers(version).unwrap() {
            for row in tx.sessions(version, &address).unwrap() {
                let rows = tx.skipped_beyond(version, &address, &row.ephemeral_key, 0);
                count += rows.unwrap().len();
            }
        }
    }
    count
}
