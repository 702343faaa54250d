//! Who sees everything: every row of the honest devices, every stanza on the wire, and who really wrote what. What it holds
//! them to is written down here and nowhere else; each rule ends the schedule with a sentence.

use std::collections::{BTreeMap, BTreeSet};

use minidom::Element;
use omemo::{Message, Trust, TrustPolicy, Version};
use omemo_tests::wire::{self, Ledger};

use crate::room::{ROOM, Said};
use crate::shape::{PUBSUB, namespace, read_bundle};
use crate::view::{Key, Reader, View};

/// The word that every text holds, so that one on the wire is found.
pub const WORD: &str = "sesquipedalian";
/// XEP-0384 §4.2: a bundle always holds so many.
const FEWEST_PRE_KEYS: usize = 25;

/// A text and who wrote it.
#[derive(Clone, Debug)]
pub struct Text {
    pub jid: String,
    pub key: Key,
    /// To whom, where an honest device wrote it.
    pub to: Option<String>,
}

/// What is known of one honest device from outside.
pub struct Watch {
    pub jid: String,
    pub id: u32,
    pub policy: TrustPolicy,
    pub view: View,
    /// What its person has decided.
    pub decided: BTreeMap<(String, Key), Trust>,
    /// Whom each of its ratchet keys was ever for.
    readers: BTreeMap<(Version, Key), Reader>,
    /// What the room has said to it.
    pub said: Said,
    /// The texts that it has shown.
    shown: BTreeSet<String>,
}

#[derive(Default)]
pub struct Observer {
    pub watches: Vec<Watch>,
    pub texts: BTreeMap<String, Text>,
    /// The keys that an account has by right.
    pub true_keys: BTreeMap<String, BTreeSet<Key>>,
    ledger: Ledger,
    /// How much was checked, so that a test of nothing is noticed.
    pub counts: Counts,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub content_keys: usize,
    pub stanzas: usize,
    pub bundles: usize,
    pub shown: usize,
    pub foreign_shown: usize,
    /// Stanzas that were refused, after which the rows were compared.
    pub refused: usize,
}

impl Counts {
    pub fn add(&mut self, other: Self) {
        self.content_keys += other.content_keys;
        self.stanzas += other.stanzas;
        self.bundles += other.bundles;
        self.shown += other.shown;
        self.foreign_shown += other.foreign_shown;
        self.refused += other.refused;
    }
}

impl Watch {
    pub fn new(jid: &str, id: u32, policy: TrustPolicy) -> Self {
        Self {
            jid: jid.into(),
            id,
            policy,
            view: View::default(),
            decided: BTreeMap::new(),
            readers: BTreeMap::new(),
            said: Said::default(),
            shown: BTreeSet::new(),
        }
    }
}

impl Observer {
    /// After a call: the rows are as they are now. Only what the stanza's senders may speak for has changed.
    pub fn rows(&mut self, at: usize, view: View, concerns: &BTreeSet<String>) {
        let watch = &mut self.watches[at];
        let before = std::mem::replace(&mut watch.view, view);
        let watch = &self.watches[at];
        for (place, level) in &watch.view.trust {
            let known = before.trust.get(place);
            if known != Some(level) {
                self.check_level(watch, &before, place, *level);
            }
        }
        for place in before.trust.keys() {
            assert!(
                watch.view.trust.contains_key(place),
                "TRUST: {at} has forgotten what it thought of a key of {}",
                place.0
            );
        }
        let places: BTreeSet<_> = before
            .devices
            .keys()
            .chain(watch.view.devices.keys())
            .collect();
        for place in places {
            let (old, new) = (before.devices.get(place), watch.view.devices.get(place));
            assert!(
                old == new || concerns.contains(&place.1),
                "LISTS: what {at} knows of {place:?} changed from {old:?} to {new:?} by words of {concerns:?}"
            );
            if let (Some(old), Some(new)) = (old, new) {
                assert!(
                    old.identity.is_none() || old.identity == new.identity,
                    "IDENTITY: the key of {place:?} was replaced at {at}"
                );
            }
        }
        let readers = watch.view.readers.clone();
        self.watches[at].readers.extend(readers);
    }

    /// The level of a key is what a person decided, or else what the policy makes of a new one.
    fn check_level(&self, watch: &Watch, before: &View, place: &(String, Key), level: Trust) {
        let (jid, key) = place;
        let decided = watch.decided.get(place).copied();
        let automatic = watch.policy == TrustPolicy::Automatic;
        let wanted = decided.unwrap_or_else(|| {
            let mut others = before.trust.iter().filter(|((of, _), _)| of == jid);
            let verified = others.any(|(_, level)| *level == Trust::Verified);
            // what another account has shown before is never trusted blindly
            let mut shown = before.trust.keys();
            let shared = shown.any(|(of, other)| of != jid && other == key);
            match watch.policy {
                TrustPolicy::Manual => Trust::Undecided,
                _ if verified || shared => Trust::Undecided,
                _ => Trust::Blind,
            }
        });
        let told = match level {
            // those who are believed tell the truth
            Trust::Verified => automatic && self.is_true(jid, key),
            Trust::Distrusted => automatic && !self.is_true(jid, key),
            // XEP-0450 §7.2: with the first verified key blind trust ends
            Trust::Undecided => automatic,
            Trust::Blind => false,
        };
        let is_new = !before.trust.contains_key(place);
        // among the accounts that nobody looks at here another one may have shown it, too
        let cautious = is_new && decided.is_none() && level == Trust::Undecided;
        assert!(
            told || cautious || ((is_new || decided.is_some()) && level == wanted),
            "POLICY: device {} of {} holds a key of {jid} for {level}, not {wanted}",
            watch.id,
            watch.jid
        );
    }

    pub fn is_true(&self, jid: &str, key: &Key) -> bool {
        self.true_keys
            .get(jid)
            .is_some_and(|keys| keys.contains(key))
    }

    /// A stanza that an honest device has sent.
    pub fn stanza(&mut self, at: usize, text: &str, stanza: &Element) {
        self.counts.stanzas += 1;
        assert!(
            !text.contains(WORD),
            "PLAINTEXT: {at} has sent a text in the clear: {text}"
        );
        if stanza.name() == "message" {
            self.message(at, stanza);
        } else if stanza.name() == "iq" {
            self.bundle(at, stanza);
        }
    }

    fn message(&mut self, at: usize, stanza: &Element) {
        let jid = self.watches[at].jid.clone();
        if let Err(twice) = self.ledger.enter(stanza, &jid) {
            panic!("REUSE: {twice}");
        }
        let to = wire::bare(stanza.attr("to").unwrap());
        for version in Version::ALL {
            let Some(encrypted) = stanza.get_child("encrypted", namespace(version)) else {
                continue;
            };
            let content = encrypted.children().any(|child| child.name() == "payload");
            for key in wire::wrapped_keys(stanza, &jid) {
                if content && key.name.protocol == namespace(version) {
                    self.content_key(at, version, &to, &key.name);
                }
            }
            for keys in encrypted.children().flat_map(Element::children) {
                let of = keys.attr("jid").unwrap_or(&jid);
                assert!(
                    keys.name() != "keys" || self.is_for(at, &to, of),
                    "ADDRESSEE: {at} names {of} in a message to {to}"
                );
            }
        }
    }

    /// Whether a message there may be encrypted for this account: the contact, our own, or who the room says.
    fn is_for(&self, at: usize, to: &str, jid: &str) -> bool {
        let watch = &self.watches[at];
        jid == watch.jid || jid == to || (to == ROOM && watch.said.is_member(jid))
    }

    /// A key around content: who holds the other end of its chain must be allowed to read it, at this moment.
    fn content_key(&mut self, at: usize, version: Version, to: &str, name: &wire::KeyName) {
        self.counts.content_keys += 1;
        let watch = &self.watches[at];
        let bytes = name.ratchet_key.as_slice();
        // legacy writes the type of a key before it
        let bare = bytes.strip_prefix(&[5][..]).filter(|rest| rest.len() == 32);
        let ratchet_key: Key = bare.unwrap_or(bytes).try_into().unwrap();
        let Some(reader) = watch.readers.get(&(version, ratchet_key)) else {
            panic!(
                "READER: {at} has encrypted to {} over no session of its own",
                name.rid
            );
        };
        let Reader { jid, id, key } = reader;
        assert_eq!(
            *id, name.rid,
            "READER: {at} writes another device's id over a key"
        );
        assert!(
            self.is_for(at, to, jid) && !(*jid == watch.jid && *id == watch.id),
            "READER: {at} has encrypted a message to {to} for device {id} of {jid}"
        );
        let known = watch.view.devices.get(&(version, jid.clone(), *id));
        assert!(
            known.is_some_and(|known| known.listed),
            "UNLISTED: {at} has encrypted to device {id} of {jid}, which is not on its list"
        );
        assert!(
            known.is_some_and(|known| known.identity == Some(*key)),
            "READER: {at} has encrypted to another key than it knows of device {id} of {jid}"
        );
        let level = watch.view.level(jid, key);
        assert!(
            level.is_some_and(|level| matches!(level, Trust::Blind | Trust::Verified)),
            "NOT ALLOWED: {at} has encrypted to device {id} of {jid}, whose key is {level:?}"
        );
        let believed = level != Some(Trust::Verified) || self.is_true(jid, key);
        assert!(
            believed,
            "NOT ALLOWED: {at} holds a false key of {jid} for verified"
        );
        assert!(
            watch.view.opted_out.get(to) != Some(&false),
            "OPT-OUT: {at} has written to {to}, who has opted out"
        );
    }

    /// A bundle that is published: there are always enough prekeys, each once, and the signature holds.
    fn bundle(&mut self, at: usize, stanza: &Element) {
        let Some(publish) = stanza
            .get_child("pubsub", PUBSUB)
            .and_then(|pubsub| pubsub.get_child("publish", PUBSUB))
        else {
            return;
        };
        let version = Version::ALL.into_iter().find(|version| {
            let node = publish.attr("node").unwrap_or_default();
            node.starts_with(namespace(*version)) && node.contains("bundles")
        });
        let element = publish.children().flat_map(Element::children).next();
        let (Some(version), Some(element)) = (version, element) else {
            return;
        };
        self.counts.bundles += 1;
        let bundle = read_bundle(version, element).expect("BUNDLE: it cannot be read");
        let verified = bundle.verify(version);
        assert!(verified.is_ok(), "BUNDLE: {at} has published {verified:?}");
        let ids: BTreeSet<_> = bundle.pre_keys.iter().map(|(id, _)| id).collect();
        let keys: BTreeSet<_> = bundle.pre_keys.iter().map(|(_, key)| key).collect();
        assert!(
            ids.len() >= FEWEST_PRE_KEYS
                && keys.len() == ids.len()
                && ids.len() == bundle.pre_keys.len(),
            "BUNDLE: {at} has published {} prekeys with {} ids",
            keys.len(),
            ids.len()
        );
    }

    /// A message that an honest device shows: whoever it names has written it, and it was not shown before.
    pub fn shown(&mut self, at: usize, message: &Message) {
        let Some(body) = message.body() else {
            return;
        };
        self.counts.shown += 1;
        let watch = &self.watches[at];
        let Some(text) = self.texts.get(&body) else {
            panic!("AUTHOR: {at} shows what nobody has written: {body}");
        };
        let jid = message.from.jid.to_string();
        let place = (message.version, jid.clone(), message.from.device.get());
        let key = watch
            .view
            .devices
            .get(&place)
            .and_then(|known| known.identity);
        assert!(
            key == Some(text.key),
            "AUTHOR: {at} shows a message of {} as from device {} of {jid}, which has another key",
            text.jid,
            place.2
        );
        // legacy says nothing of accounts inside: a server can show one person's key as another's, for as long as nobody
        // has compared it
        let bound = message.version == Version::Omemo2 || message.trust == Trust::Verified;
        assert!(
            jid == text.jid || !bound,
            "AUTHOR: {at} shows a message of {} as from {jid} ({})",
            text.jid,
            message.trust
        );
        let chat = message.chat.jid().to_string();
        let expected = match &text.to {
            Some(to) if jid == watch.jid || to == ROOM => Some(to.clone()),
            _ => Some(jid.clone()),
        };
        assert!(
            message.version == Version::Legacy || Some(&chat) == expected.as_ref(),
            "CHAT: {at} shows a message of {jid} in the chat with {chat}, not {expected:?}"
        );
        if text.to.is_none() || jid != text.jid {
            self.counts.foreign_shown += 1;
        }
        assert!(
            self.watches[at].shown.insert(body.clone()),
            "TWICE: {at} shows {body} again"
        );
    }
}
