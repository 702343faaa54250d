//! A device that is not ours and obeys nobody: it speaks the ratchet well and says whatever the test wants.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use minidom::Element;
use omemo::store::Store;
use omemo::{Fingerprint, Version};
use omemo_ratchet::{
    Bundle, IdentityKeyPair, Inbound, PreKeyId, PreKeyPair, Session, SignedPreKeyId,
    SignedPreKeyPair, payload,
};
use omemo_tests::hub::{Hub, Seeded};

use crate::stage::{bundle, bundle_place, devices_node, list, namespace, xml};

pub struct Puppet {
    pub jid: String,
    pub id: u32,
    version: Version,
    identity: IdentityKeyPair,
    session: Option<Session>,
    rng: Seeded,
    to: (String, u32),
    /// The bundle of the last session.
    pub bundle_used: Option<Bundle>,
}

impl Puppet {
    pub fn new(version: Version, jid: &str, id: u32) -> Self {
        Self::with_seed(version, jid, id, u64::from(id))
    }

    /// Another one of the same name.
    pub fn with_seed(version: Version, jid: &str, id: u32, seed: u64) -> Self {
        let mut rng = Seeded(seed);
        Self {
            jid: jid.into(),
            id,
            version,
            identity: IdentityKeyPair::generate(&mut rng).unwrap(),
            session: None,
            rng,
            to: (String::new(), 0),
            bundle_used: None,
        }
    }

    /// Announces itself as the only device, with a bundle whose secrets are forgotten.
    pub fn enlist<S: Store + 'static>(&mut self, hub: &mut Hub<S>) {
        self.publish(hub);
        let jid = self.jid.clone();
        hub.plant(
            &jid,
            devices_node(self.version),
            "current",
            list(self.version, [self.id]),
        );
        hub.settle();
    }

    /// Publishes such a bundle.
    pub fn publish<S: Store + 'static>(&mut self, hub: &mut Hub<S>) {
        let signed = SignedPreKeyId::parse(1).unwrap();
        let signed =
            SignedPreKeyPair::generate(self.version, &self.identity, signed, &mut self.rng)
                .unwrap();
        let pre_keys: Vec<PreKeyPair> = (1..=3)
            .map(|id| PreKeyPair::generate(PreKeyId::parse(id).unwrap(), &mut self.rng).unwrap())
            .collect();
        let bundle = Bundle::publish(self.version, self.identity.public(), &signed, &pre_keys);
        let (node, item) = bundle_place(self.version, self.id);
        let element = bundle_element(self.version, &bundle);
        let jid = self.jid.clone();
        hub.plant(&jid, &node, &item, element);
    }

    /// Begins a session with a device on the hub; every message until then is a key exchange.
    pub fn meet<S: Store + 'static>(&mut self, hub: &Hub<S>, jid: &str, device: u32) {
        let element = bundle(hub, self.version, jid, device).unwrap();
        self.meet_bundle(&read_bundle(&element), jid, device);
    }

    /// Begins a session with this very bundle.
    pub fn meet_bundle(&mut self, bundle: &Bundle, jid: &str, device: u32) {
        let verified = bundle.verify(self.version).unwrap();
        let session = Session::initiate(
            self.version,
            &self.identity,
            self.id,
            &verified,
            &mut self.rng,
        );
        self.session = Some(session.unwrap());
        self.bundle_used = Some(bundle.clone());
        self.address(jid, device);
    }

    /// Its signature over anything.
    pub fn sign(&mut self, message: &[u8]) -> [u8; 64] {
        self.identity.sign(message, &mut self.rng).unwrap()
    }

    /// Whom its stanzas are for.
    pub fn address(&mut self, jid: &str, device: u32) {
        self.to = (jid.into(), device);
    }

    /// Whether a stanza has a key for it that opens in its session; then the session goes on.
    pub fn reads(&mut self, stanza: &Element) -> bool {
        let session = self.session.as_mut().unwrap();
        let id = self.id.to_string();
        for key in keys(stanza).filter(|key| key.attr("rid") == Some(&id)) {
            let bytes = BASE64.decode(key.text()).unwrap();
            let Ok(Inbound::Message(message)) = Inbound::parse(self.version, &bytes) else {
                continue;
            };
            if let Ok(opened) = session.open(&message, None, &mut self.rng) {
                let (_, step) = opened.into_parts();
                drop(session.apply(step));
                return true;
            }
        }
        false
    }

    /// Encrypts these bytes as the ratchet's plaintext.
    pub fn seal(&mut self, plaintext: &[u8]) -> Vec<u8> {
        self.session
            .as_mut()
            .unwrap()
            .seal(plaintext)
            .unwrap()
            .bytes
    }

    /// A message with this payload, whatever it says.
    pub fn say(&mut self, plaintext: &[u8]) -> Element {
        let sealed = payload::seal(self.version, plaintext, &mut self.rng).unwrap();
        let key = self.seal(sealed.key.as_bytes());
        self.stanza(&key, sealed.iv.as_deref(), Some(&sealed.ciphertext))
    }

    /// A message of its own that is as it should be.
    pub fn text(&mut self, body: &str) -> Element {
        let plaintext = match self.version {
            Version::Omemo2 => envelope(Some(&self.jid), Some(&self.to.0), body),
            Version::Legacy => body.into(),
        };
        self.say(plaintext.as_bytes())
    }

    /// A trust message: owner, key, and whether it is to be trusted.
    pub fn tell(&mut self, decisions: &[(&str, Fingerprint, bool)]) -> Element {
        let owners: String = decisions
            .iter()
            .map(|(owner, key, trust)| {
                let name = if *trust { "trust" } else { "distrust" };
                let key = BASE64.encode(key.as_bytes());
                format!("<key-owner jid='{owner}'><{name}>{key}</{name}></key-owner>")
            })
            .collect();
        let plaintext = format!(
            "<envelope xmlns='urn:xmpp:sce:1'><content><trust-message xmlns='urn:xmpp:tm:1' usage='urn:xmpp:atm:1' \
             encryption='urn:xmpp:omemo:2'>{owners}</trust-message></content><rpad>x</rpad></envelope>"
        );
        self.say(plaintext.as_bytes())
    }

    /// A message without payload.
    pub fn empty(&mut self) -> Element {
        let empty = payload::empty(self.version, &mut self.rng).unwrap();
        let key = self.seal(empty.key.as_bytes());
        self.stanza(&key, empty.iv.as_deref(), None)
    }

    /// The stanza around these bytes.
    pub fn stanza(&self, key: &[u8], iv: Option<&[u8]>, payload: Option<&[u8]>) -> Element {
        let (to, rid) = &self.to;
        let key = format!("<key rid='{rid}'>{}</key>", BASE64.encode(key));
        let key = match self.version {
            Version::Omemo2 => format!("<keys jid='{to}'>{key}</keys>"),
            Version::Legacy => key,
        };
        let iv = iv.map_or(String::new(), |iv| {
            format!("<iv>{}</iv>", BASE64.encode(iv))
        });
        let payload = payload.map_or(String::new(), |bytes| {
            format!("<payload>{}</payload>", BASE64.encode(bytes))
        });
        xml(&format!(
            "<message xmlns='jabber:client' from='{}/x' to='{to}' type='chat' id='p'>\
             <encrypted xmlns='{}'><header sid='{}'>{key}{iv}</header>{payload}</encrypted></message>",
            self.jid,
            namespace(self.version),
            self.id,
        ))
    }
}

/// All elements called `key` in an element.
fn keys(element: &Element) -> Box<dyn Iterator<Item = &Element> + '_> {
    if element.name() == "key" {
        return Box::new(std::iter::once(element));
    }
    Box::new(element.children().flat_map(keys))
}

/// An envelope of XEP-0420.
pub fn envelope(from: Option<&str>, to: Option<&str>, body: &str) -> String {
    let jid = |name: &str, jid: Option<&str>| {
        jid.map_or(String::new(), |jid| format!("<{name} jid='{jid}'/>"))
    };
    format!(
        "<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>{body}</body></content>{}{}\
         <rpad>x</rpad></envelope>",
        jid("from", from),
        jid("to", to),
    )
}

/// Reads a published bundle of either protocol.
pub fn read_bundle(element: &Element) -> Bundle {
    let child = |names: [&str; 2]| {
        let found = element
            .children()
            .find(|child| names.contains(&child.name()));
        found.unwrap()
    };
    let bytes = |element: &Element| BASE64.decode(element.text()).unwrap();
    let number = |element: &Element, names: [&str; 2]| {
        let text = names.iter().find_map(|name| element.attr(*name));
        text.unwrap().parse::<u32>().unwrap()
    };
    let signed = child(["spk", "signedPreKeyPublic"]);
    Bundle {
        identity_key: bytes(child(["ik", "identityKey"])),
        signed_pre_key_id: number(signed, ["id", "signedPreKeyId"]),
        signed_pre_key: bytes(signed),
        signed_pre_key_signature: bytes(child(["spks", "signedPreKeySignature"])),
        pre_keys: child(["prekeys", "prekeys"])
            .children()
            .map(|key| (number(key, ["id", "preKeyId"]), bytes(key)))
            .collect(),
    }
}

fn bundle_element(version: Version, bundle: &Bundle) -> Element {
    let encode = |bytes: &[u8]| BASE64.encode(bytes);
    let (spk, spks, ik, pk, spk_id, pk_id) = match version {
        Version::Omemo2 => ("spk", "spks", "ik", "pk", "id", "id"),
        Version::Legacy => (
            "signedPreKeyPublic",
            "signedPreKeySignature",
            "identityKey",
            "preKeyPublic",
            "signedPreKeyId",
            "preKeyId",
        ),
    };
    let pre_keys: String = bundle
        .pre_keys
        .iter()
        .map(|(id, key)| format!("<{pk} {pk_id}='{id}'>{}</{pk}>", encode(key)))
        .collect();
    xml(&format!(
        "<bundle xmlns='{}'><{spk} {spk_id}='{}'>{}</{spk}><{spks}>{}</{spks}><{ik}>{}</{ik}>\
         <prekeys>{pre_keys}</prekeys></bundle>",
        namespace(version),
        bundle.signed_pre_key_id,
        encode(&bundle.signed_pre_key),
        encode(&bundle.signed_pre_key_signature),
        encode(&bundle.identity_key),
    ))
}
