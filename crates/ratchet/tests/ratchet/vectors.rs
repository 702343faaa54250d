//! Conversations recorded with other implementations.
//!
//! Each file holds one conversation: our secrets, the seed of our randomness, and the steps. What the other side sent
//! must open to what it sealed; what we sent, and it opened then, must come out again byte for byte.

use omemo_ratchet::{
    Bundle, IdentityKeyPair, PreKeyId, PreKeyPair, SignedPreKeyId, SignedPreKeyPair, Version,
    payload,
};
use serde_json::Value;

use crate::common::{Device, FixedRandomness, Peer, unhex, unhex32};

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    unhex(value.as_str().unwrap())
}

fn device(version: Version, seed: &str, value: &Value) -> Device {
    let secret = |value: &Value| unhex32(value.as_str().unwrap());
    let pre_keys = value["pre_key_secrets"].as_array().unwrap();
    Device {
        version,
        identity: IdentityKeyPair::from_bytes(secret(&value["identity_secret"])),
        signed_pre_key: SignedPreKeyPair::from_parts(
            SignedPreKeyId::parse(number(&value["signed_pre_key_id"])).unwrap(),
            secret(&value["signed_pre_key_secret"]),
            bytes(&value["signature"]).try_into().unwrap(),
        ),
        pre_keys: pre_keys
            .iter()
            .map(|key| {
                let id = PreKeyId::parse(number(&key[0])).unwrap();
                PreKeyPair::from_parts(id, secret(&key[1]))
            })
            .collect(),
        rng: FixedRandomness::new(seed),
    }
}

fn bundle(value: &Value) -> Bundle {
    let pre_keys = value["pre_keys"].as_array().unwrap();
    Bundle {
        identity_key: bytes(&value["identity_key"]),
        signed_pre_key_id: number(&value["signed_pre_key_id"]),
        signed_pre_key: bytes(&value["signed_pre_key"]),
        signed_pre_key_signature: bytes(&value["signature"]),
        pre_keys: pre_keys
            .iter()
            .map(|key| (number(&key[0]), bytes(&key[1])))
            .collect(),
    }
}

fn replay(json: &str) {
    let vector: Value = serde_json::from_str(json).unwrap();
    let version = Version::from_byte(number(&vector["version"]).try_into().unwrap()).unwrap();
    let seed = vector["seed"].as_str().unwrap();
    let mut device = match vector.get("device") {
        Some(secrets) => device(version, seed, secrets),
        None => Device::new(version, seed),
    };
    let mut peer = vector
        .get("their_bundle")
        .map(|value| device.initiate(&bundle(value)));
    for step in vector["steps"].as_array().unwrap() {
        if let Some(received) = step.get("receive") {
            receive(&mut device, &mut peer, received);
        } else {
            send(peer.as_mut().unwrap(), &step["send"]);
        }
    }
}

fn receive(device: &mut Device, peer: &mut Option<Peer>, step: &Value) {
    let frame = bytes(&step["frame"]);
    let key = if let Some(peer) = peer {
        peer.restore();
        peer.receive(&frame).unwrap().0
    } else {
        let (first, key) = device.respond(&frame).unwrap();
        *peer = Some(first);
        key
    };
    assert_eq!(key, bytes(&step["key"]));
    let Some(text) = step["text"].as_str() else {
        payload::open_empty(device.version, &key).unwrap();
        return;
    };
    let iv = step.get("iv").map(bytes);
    let opened = payload::open(
        device.version,
        &key,
        iv.as_deref(),
        &bytes(&step["payload"]),
    )
    .unwrap();
    assert_eq!(opened.as_slice(), text.as_bytes());
}

fn send(peer: &mut Peer, step: &Value) {
    let version = peer.session.version();
    let key = match step["text"].as_str() {
        Some(text) => {
            let sealed = payload::seal(version, text.as_bytes(), &mut peer.rng).unwrap();
            assert_eq!(sealed.ciphertext, bytes(&step["payload"]));
            sealed.key
        }
        None => payload::empty(version, &mut peer.rng).unwrap().key,
    };
    assert_eq!(key.as_bytes(), bytes(&step["key"]));
    let sealed = peer.send(key.as_bytes());
    assert_eq!(sealed.bytes, bytes(&step["frame"]));
    assert_eq!(sealed.is_key_exchange, step["kex"].as_bool().unwrap());
}

#[test]
fn kat_twomemo_key_exchange_and_messages() {
    replay(include_str!("../vectors/twomemo-initiates.json"));
}

#[test]
fn kat_twomemo_answers_our_key_exchange() {
    replay(include_str!("../vectors/twomemo-responds.json"));
}

#[test]
fn kat_oldmemo_key_exchange_and_messages() {
    replay(include_str!("../vectors/oldmemo-initiates.json"));
}

#[test]
fn kat_oldmemo_answers_our_key_exchange() {
    replay(include_str!("../vectors/oldmemo-responds.json"));
}
