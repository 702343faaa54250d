//! A device that obeys nobody: it speaks the ratchet of both protocols well, keeps real sessions, and says whatever the
//! attack wants. It belongs to mallory, or to a server that speaks in somebody else's name.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use minidom::Element;
use omemo::Version;
use omemo_ratchet::{
    Bundle, IdentityKeyPair, Inbound, PreKeyId, PreKeyPair, Session, SignedPreKeyId,
    SignedPreKeyPair, payload,
};
use omemo_tests::hub::Seeded;

use crate::shape::{bundle_element, envelope, namespace};

/// Prekeys in a villain's bundle: few, since each costs time.
const PRE_KEYS: u32 = 3;

/// The secrets of a published bundle.
struct Keys {
    signed: SignedPreKeyPair,
    pre_keys: Vec<PreKeyPair>,
}

/// With whom: an account and one of its devices, in one protocol.
pub type Peer = (Version, String, u32);

pub struct Villain {
    /// The account that it speaks for, rightly or not.
    pub jid: String,
    pub id: u32,
    identity: IdentityKeyPair,
    keys: BTreeMap<Version, Keys>,
    sessions: BTreeMap<Peer, Session>,
    rng: Seeded,
}

impl Villain {
    pub fn new(jid: &str, id: u32, seed: u64) -> Self {
        let mut rng = Seeded(seed);
        Self {
            jid: jid.into(),
            id,
            identity: IdentityKeyPair::generate(&mut rng).unwrap(),
            keys: BTreeMap::new(),
            sessions: BTreeMap::new(),
            rng,
        }
    }

    /// Its identity key in the form that trust is keyed by.
    pub fn key(&self) -> [u8; 32] {
        *self.identity.public().curve25519()
    }

    /// Its bundle, as it is published; what answers it is kept.
    pub fn bundle(&mut self, version: Version) -> Element {
        if !self.keys.contains_key(&version) {
            let id = SignedPreKeyId::parse(1).unwrap();
            let signed =
                SignedPreKeyPair::generate(version, &self.identity, id, &mut self.rng).unwrap();
            let pre_keys = (1..=PRE_KEYS)
                .map(|id| {
                    PreKeyPair::generate(PreKeyId::parse(id).unwrap(), &mut self.rng).unwrap()
                })
                .collect();
            self.keys.insert(version, Keys { signed, pre_keys });
        }
        let keys = &self.keys[&version];
        let bundle = Bundle::publish(
            version,
            self.identity.public(),
            &keys.signed,
            &keys.pre_keys,
        );
        bundle_element(version, &bundle)
    }

    pub fn has_session(&self, peer: &Peer) -> bool {
        self.sessions.contains_key(peer)
    }

    /// Begins a session; `false` when the bundle does not hold.
    pub fn meet(&mut self, peer: &Peer, bundle: &Bundle) -> bool {
        let Ok(verified) = bundle.verify(peer.0) else {
            return false;
        };
        let begun = Session::initiate(peer.0, &self.identity, self.id, &verified, &mut self.rng);
        let Ok(session) = begun else {
            return false;
        };
        self.sessions.insert(peer.clone(), session);
        true
    }

    /// Goes on so many messages without sending any.
    pub fn skip(&mut self, peer: &Peer, messages: u32) {
        let session = self.sessions.get_mut(peer).unwrap();
        for _ in 0..messages {
            session.seal(&[0; 32]).unwrap();
        }
    }

    /// A message with this text to a device that it has a session with.
    pub fn text(&mut self, peer: &Peer, body: &str) -> String {
        let (version, to, _) = peer;
        let plaintext = match version {
            Version::Omemo2 => envelope(&self.jid, to, body),
            Version::Legacy => body.into(),
        };
        let sealed = payload::seal(*version, plaintext.as_bytes(), &mut self.rng).unwrap();
        let key = self.seal(peer, sealed.key.as_bytes());
        self.stanza(peer, &key, sealed.iv.as_deref(), Some(&sealed.ciphertext))
    }

    /// A message without payload.
    pub fn empty(&mut self, peer: &Peer) -> String {
        let empty = payload::empty(peer.0, &mut self.rng).unwrap();
        let key = self.seal(peer, empty.key.as_bytes());
        self.stanza(peer, &key, empty.iv.as_deref(), None)
    }

    /// Encrypts these bytes as the ratchet's plaintext.
    pub fn seal(&mut self, peer: &Peer, plaintext: &[u8]) -> Vec<u8> {
        let session = self.sessions.get_mut(peer).unwrap();
        session.seal(plaintext).unwrap().bytes
    }

    /// The stanza around these bytes.
    pub fn stanza(
        &self,
        (version, to, rid): &Peer,
        key: &[u8],
        iv: Option<&[u8]>,
        payload: Option<&[u8]>,
    ) -> String {
        let key = format!("<key rid='{rid}'>{}</key>", BASE64.encode(key));
        let key = match version {
            Version::Omemo2 => format!("<keys jid='{to}'>{key}</keys>"),
            Version::Legacy => key,
        };
        let iv = iv.map_or(String::new(), |iv| {
            format!("<iv>{}</iv>", BASE64.encode(iv))
        });
        let payload = payload.map_or(String::new(), |bytes| {
            format!("<payload>{}</payload>", BASE64.encode(bytes))
        });
        format!(
            "<message xmlns='jabber:client' from='{}/x' to='{to}' type='chat' id='v{}'>\
             <encrypted xmlns='{}'><header sid='{}'>{key}{iv}</header>{payload}</encrypted></message>",
            self.jid,
            self.id,
            namespace(*version),
            self.id,
        )
    }

    /// Takes a stanza that an honest device has sent: opens the key that is for it, so that its ratchets turn.
    pub fn receive(&mut self, from: &str, stanza: &Element) {
        for version in Version::ALL {
            let Some(encrypted) = stanza.get_child("encrypted", namespace(version)) else {
                continue;
            };
            let Some(header) = encrypted.children().find(|child| child.name() == "header") else {
                continue;
            };
            let Some(sid) = header.attr("sid").and_then(|sid| sid.parse().ok()) else {
                continue;
            };
            for key in keys(header, &self.jid, self.id) {
                self.open((version, from.to_owned(), sid), &key);
            }
        }
    }

    fn open(&mut self, peer: Peer, key: &[u8]) {
        let (session, opened) = match Inbound::parse(peer.0, key) {
            Ok(Inbound::Message(message)) => {
                let Some(session) = self.sessions.remove(&peer) else {
                    return;
                };
                let opened = session.open(&message, None, &mut self.rng).ok();
                (session, opened)
            }
            Ok(Inbound::KeyExchange(exchange)) => {
                let known = self.sessions.remove(&peer);
                match known {
                    Some(session) if session.ephemeral_key() == exchange.ephemeral_key() => {
                        let opened = session.open(exchange.message(), None, &mut self.rng).ok();
                        (session, opened)
                    }
                    known => {
                        let Some(keys) = self.keys.get(&peer.0) else {
                            self.sessions.extend(known.map(|session| (peer, session)));
                            return;
                        };
                        let named = |key: &&PreKeyPair| key.id() == exchange.pre_key_id();
                        let Some(pre_key) = keys.pre_keys.iter().find(named) else {
                            return;
                        };
                        let begun = Session::respond(
                            peer.0,
                            &self.identity,
                            &keys.signed,
                            pre_key,
                            &exchange,
                            &mut self.rng,
                        );
                        match begun {
                            Ok((session, opened)) => (session, Some(opened)),
                            Err(_) => return,
                        }
                    }
                }
            }
            Err(_) => return,
        };
        let mut session = session;
        if let Some(opened) = opened {
            let (_, step) = opened.into_parts();
            drop(session.apply(step));
        }
        self.sessions.insert(peer, session);
    }
}

/// The keys for a device in a header.
fn keys(header: &Element, jid: &str, id: u32) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for child in header.children() {
        let ours = child.attr("rid") == Some(&id.to_string());
        if child.name() == "key" && ours {
            found.extend(BASE64.decode(child.text()).ok());
        } else if child.name() == "keys" && child.attr("jid") == Some(jid) {
            found.extend(keys(child, jid, id));
        }
    }
    found
}
