//! Reads from encrypted stanzas what anybody can read, with a parser of its own: it shares no code with the crates under
//! test, so that a mistake there cannot hide itself.
//!
//! What it is for: every message key encrypts one plaintext. A key is named on the wire by the protocol, the sending
//! device, the receiving device, the ratchet key and the counter; if one name ever stands before two ciphertexts, a key was
//! used twice ([`Ledger`]).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use minidom::Element;

/// The namespaces of both protocols.
pub const OMEMO2: &str = "urn:xmpp:omemo:2";
/// See [`OMEMO2`].
pub const LEGACY: &str = "eu.siacs.conversations.axolotl";

/// How a message key is named on the wire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName {
    /// The namespace.
    pub protocol: &'static str,
    /// The sending account, bare.
    pub from: String,
    /// The sending device.
    pub sid: u32,
    /// The receiving device. The legacy header does not say whose it is, so that the account is no part of the name; with
    /// the ratchet key, which is random, the name is unique without it.
    pub rid: u32,
    /// The sender's ratchet key.
    pub ratchet_key: Vec<u8>,
    /// The counter in that key's chain.
    pub counter: u32,
}

/// One `<key/>` of a stanza.
#[derive(Clone, Debug)]
pub struct WrappedKey {
    /// The message key that encrypted it.
    pub name: KeyName,
    /// What it encrypted to.
    pub ciphertext: Vec<u8>,
    /// Whether a key exchange is around it.
    pub key_exchange: bool,
}

/// Every wrapped key in a stanza, also inside carbons and archives. `peer` sent it, if the stanza itself does not say who
/// did (servers add that).
///
/// # Panics
///
/// When an encrypted element is not as the specification has it.
#[must_use]
pub fn wrapped_keys(stanza: &Element, peer: &str) -> Vec<WrappedKey> {
    let mut keys = Vec::new();
    let from = bare(stanza.attr("from").unwrap_or(peer));
    for child in stanza.children() {
        if child.is("encrypted", OMEMO2) {
            keys.extend(omemo2_keys(child, &from));
        } else if child.is("encrypted", LEGACY) {
            keys.extend(legacy_keys(child, &from));
        } else {
            // A forwarded message says itself who sent it.
            keys.extend(wrapped_keys(child, peer));
        }
    }
    keys
}

fn omemo2_keys(encrypted: &Element, from: &str) -> Vec<WrappedKey> {
    let Some(header) = encrypted.get_child("header", OMEMO2) else {
        return Vec::new();
    };
    let sid = number(header, "sid");
    header
        .children()
        .filter(|child| child.is("keys", OMEMO2))
        .flat_map(|keys| keys.children().filter(|child| child.is("key", OMEMO2)))
        .map(|key| {
            let frame = omemo2_frame(&decode(&key.text()), truth(key, "kex"));
            frame.wrapped(OMEMO2, from, sid, number(key, "rid"))
        })
        .collect()
}

fn legacy_keys(encrypted: &Element, from: &str) -> Vec<WrappedKey> {
    let Some(header) = encrypted.get_child("header", LEGACY) else {
        return Vec::new();
    };
    let sid = number(header, "sid");
    header
        .children()
        .filter(|child| child.is("key", LEGACY))
        .map(|key| {
            let frame = legacy_frame(&decode(&key.text()), truth(key, "prekey"));
            frame.wrapped(LEGACY, from, sid, number(key, "rid"))
        })
        .collect()
}

/// What can be read of a frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The prekey and the signed prekey that a key exchange names.
    pub pre_keys: Option<(u32, u32)>,
    /// The message of the ratchet with its code, in its own framing: what nobody can change without being noticed.
    pub message: Vec<u8>,
    /// The sender's ratchet key.
    pub ratchet_key: Vec<u8>,
    /// The counter in that key's chain.
    pub counter: u32,
    /// What was encrypted.
    pub ciphertext: Vec<u8>,
}

impl Frame {
    fn wrapped(self, protocol: &'static str, from: &str, sid: u32, rid: u32) -> WrappedKey {
        WrappedKey {
            name: KeyName {
                protocol,
                from: from.to_owned(),
                sid,
                rid,
                ratchet_key: self.ratchet_key,
                counter: self.counter,
            },
            ciphertext: self.ciphertext,
            key_exchange: self.pre_keys.is_some(),
        }
    }
}

/// Reads a frame of omemo:2.
///
/// # Panics
///
/// When it is not as the specification has it.
#[must_use]
pub fn omemo2_frame(bytes: &[u8], key_exchange: bool) -> Frame {
    let exchanged = |number| field(bytes, number);
    let (pre_keys, authenticated) = if key_exchange {
        let pre_keys = (exchanged(1).number(), exchanged(2).number());
        (Some(pre_keys), exchanged(5).bytes())
    } else {
        (None, bytes.to_owned())
    };
    let message = field(&authenticated, 2).bytes();
    Frame {
        pre_keys,
        ratchet_key: field(&message, 3).bytes(),
        counter: field(&message, 1).number(),
        ciphertext: field(&message, 4).bytes(),
        message: authenticated,
    }
}

/// The version byte before both legacy messages, and the length of the code after the inner one.
const LEGACY_VERSION: u8 = 0x33;
const LEGACY_MAC: usize = 8;

/// Reads a frame of legacy.
///
/// # Panics
///
/// When it is not as the specification has it.
#[must_use]
pub fn legacy_frame(bytes: &[u8], key_exchange: bool) -> Frame {
    let exchanged = |number| field(versioned(bytes), number);
    let (pre_keys, framed) = if key_exchange {
        let pre_keys = (exchanged(1).number(), exchanged(6).number());
        (Some(pre_keys), exchanged(4).bytes())
    } else {
        (None, bytes.to_owned())
    };
    let message = versioned(&framed);
    let message = &message[..message
        .len()
        .checked_sub(LEGACY_MAC)
        .expect("a message with its code")];
    Frame {
        pre_keys,
        ratchet_key: field(message, 1).bytes(),
        counter: field(message, 2).number(),
        ciphertext: field(message, 4).bytes(),
        message: framed,
    }
}

fn versioned(bytes: &[u8]) -> &[u8] {
    match bytes.split_first() {
        Some((&LEGACY_VERSION, rest)) => rest,
        _ => panic!("not a legacy message of version 3: {bytes:02x?}"),
    }
}

/// The bare form of a JID.
#[must_use]
pub fn bare(jid: &str) -> String {
    jid.split('/').next().unwrap_or_default().to_owned()
}

fn number(element: &Element, name: &str) -> u32 {
    let text = element
        .attr(name)
        .unwrap_or_else(|| panic!("<{}/> without {name}", element.name()));
    text.parse()
        .unwrap_or_else(|error| panic!("{name}='{text}': {error}"))
}

fn truth(element: &Element, name: &str) -> bool {
    element
        .attr(name)
        .is_some_and(|text| text.eq_ignore_ascii_case("true") || text == "1")
}

fn decode(text: &str) -> Vec<u8> {
    let text: String = text.split_whitespace().collect();
    BASE64
        .decode(&text)
        .unwrap_or_else(|error| panic!("not base64: {error}: {text}"))
}

enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

impl Field {
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(number) => panic!("the number {number} where bytes belong"),
        }
    }

    fn number(self) -> u32 {
        match self {
            Self::Number(number) => u32::try_from(number).expect("a number of 32 bits"),
            Self::Bytes(bytes) => panic!("{} bytes where a number belongs", bytes.len()),
        }
    }
}

/// A field of a protobuf message: the last one of that number, as the format asks.
fn field(mut message: &[u8], wanted: u64) -> Field {
    let mut found = None;
    while !message.is_empty() {
        let tag = varint(&mut message);
        let value = match tag & 7 {
            0 => Field::Number(varint(&mut message)),
            2 => {
                let length = usize::try_from(varint(&mut message)).expect("a length");
                let (bytes, rest) = message
                    .split_at_checked(length)
                    .expect("a field that ends before the message");
                message = rest;
                Field::Bytes(bytes.to_vec())
            }
            kind => panic!("a protobuf field of type {kind}"),
        };
        if tag >> 3 == wanted {
            found = Some(value);
        }
    }
    found.unwrap_or_else(|| panic!("no protobuf field {wanted}"))
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = message
            .split_first()
            .expect("a number that ends before the message");
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
    }
    panic!("a number of more than 64 bits")
}

/// Remembers what every message key encrypted, and refuses a second thing.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: BTreeMap<KeyName, Vec<u8>>,
}

impl Ledger {
    /// Enters every wrapped key of a stanza. The same ciphertext again is no news: servers copy, and a stanza may be sent
    /// again byte for byte.
    ///
    /// # Errors
    ///
    /// Names the key that encrypted two things.
    pub fn enter(&mut self, stanza: &Element, peer: &str) -> Result<(), String> {
        for key in wrapped_keys(stanza, peer) {
            match self.entries.get(&key.name) {
                None => drop(self.entries.insert(key.name, key.ciphertext)),
                Some(known) if *known == key.ciphertext => {}
                Some(_) => return Err(format!("a message key was used twice: {:?}", key.name)),
            }
        }
        Ok(())
    }

    /// How many message keys were seen in a protocol. A check that saw none has checked nothing.
    #[must_use]
    pub fn keys(&self, protocol: &str) -> usize {
        self.entries
            .keys()
            .filter(|name| name.protocol == protocol)
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A protobuf field of bytes.
    fn bytes(number: u8, value: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | 2, u8::try_from(value.len()).unwrap()];
        field.extend(value);
        field
    }

    /// A protobuf field with a small number.
    fn small(number: u8, value: u8) -> Vec<u8> {
        vec![number << 3, value]
    }

    fn omemo2(counter: u8, ciphertext: &[u8], key_exchange: bool) -> Element {
        let message = [
            small(1, counter),
            small(2, 0),
            bytes(3, &[7; 32]),
            bytes(4, ciphertext),
        ]
        .concat();
        let authenticated = [bytes(1, &[0; 16]), bytes(2, &message)].concat();
        let (key, attribute) = if key_exchange {
            (
                [
                    small(1, 1),
                    small(2, 1),
                    bytes(3, &[1; 32]),
                    bytes(4, &[2; 32]),
                    bytes(5, &authenticated),
                ]
                .concat(),
                "kex='1'",
            )
        } else {
            (authenticated, "")
        };
        let key = BASE64.encode(key);
        format!(
            "<message xmlns='jabber:client' from='a@b/c'><encrypted xmlns='{OMEMO2}'><header sid='5'><keys jid='d@e'>\
             <key rid='6' {attribute}>{key}</key></keys></header></encrypted></message>"
        )
        .parse()
        .unwrap()
    }

    fn legacy(counter: u8, ciphertext: &[u8], key_exchange: bool) -> Element {
        let message = [
            bytes(1, &[7; 33]),
            small(2, counter),
            small(3, 0),
            bytes(4, ciphertext),
        ]
        .concat();
        let framed = [vec![LEGACY_VERSION], message, vec![0; LEGACY_MAC]].concat();
        let (key, attribute) = if key_exchange {
            (
                [
                    vec![LEGACY_VERSION],
                    small(1, 1),
                    bytes(2, &[1; 33]),
                    bytes(4, &framed),
                    small(6, 1),
                ]
                .concat(),
                "prekey='true'",
            )
        } else {
            (framed, "")
        };
        let key = BASE64.encode(key);
        format!(
            "<message xmlns='jabber:client' from='a@b/c'><encrypted xmlns='{LEGACY}'><header sid='5'>\
             <key rid='6' {attribute}>{key}</key><iv/></header></encrypted></message>"
        )
        .parse()
        .unwrap()
    }

    /// Makes a message with one key.
    type Make = fn(u8, &[u8], bool) -> Element;

    #[test]
    fn names_keys_by_what_can_be_read() {
        let both: [(Make, &str); 2] = [(omemo2, OMEMO2), (legacy, LEGACY)];
        for (make, protocol) in both {
            for key_exchange in [false, true] {
                let keys = wrapped_keys(&make(3, b"secret", key_exchange), "");
                let [key] = &keys[..] else {
                    panic!("one key: {keys:?}")
                };
                assert_eq!(
                    (
                        key.name.protocol,
                        key.name.sid,
                        key.name.rid,
                        key.name.counter
                    ),
                    (protocol, 5, 6, 3)
                );
                assert_eq!(
                    (key.name.from.as_str(), key.ciphertext.as_slice()),
                    ("a@b", b"secret".as_slice())
                );
                assert_eq!(key.key_exchange, key_exchange);
            }
        }
    }

    #[test]
    fn a_key_that_encrypts_two_things_is_noticed() {
        let both: [Make; 2] = [omemo2, legacy];
        for make in both {
            let mut ledger = Ledger::default();
            ledger.enter(&make(3, b"one", true), "").unwrap();
            ledger.enter(&make(3, b"one", false), "").unwrap();
            ledger.enter(&make(4, b"two", false), "").unwrap();
            ledger.enter(&make(3, b"two", false), "").unwrap_err();
        }
    }

    #[test]
    fn carbons_are_looked_into() {
        let inner = String::from(&omemo2(3, b"one", false));
        let carbon: Element = format!(
            "<message xmlns='jabber:client' from='x@y'><sent xmlns='urn:xmpp:carbons:2'>\
             <forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded></sent></message>"
        )
        .parse()
        .unwrap();
        assert_eq!(wrapped_keys(&carbon, "")[0].name.from, "a@b");
    }
}
