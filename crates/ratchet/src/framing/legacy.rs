//! The bytes of the legacy protocol, which are those of the Signal protocol's version 3.
//!
//! ```text
//! message:       33 ‖ SignalMessage { ratchetKey, counter, previousCounter, ciphertext } ‖ mac (8 bytes)
//! key exchange:  33 ‖ PreKeySignalMessage { preKeyId, baseKey, identityKey, message, registrationId, signedPreKeyId }
//! ```
//!
//! The second field decides: bytes (`baseKey`) in a key exchange, a number (`counter`) in a message.

use prost::Message;

use super::protobuf::{self, WireType};
use super::{
    Framing, Header, Inbound, Introduction, KeyExchange, RatchetMessage, key_field, required,
};
use crate::error::FrameError;
use crate::pre_key::{PreKeyId, SignedPreKeyId};
use crate::suite::{Suite, Version};

/// The framing of the legacy protocol.
pub(crate) struct Legacy;

/// Version 3, twice. Version 2 is refused: its tag does not cover the identity keys.
const VERSION_BYTE: u8 = 0x33;

// All fields are optional: the decoder would silently put defaults in the place of required ones that are missing.

#[derive(Clone, PartialEq, Message)]
struct SignalMessage {
    #[prost(bytes = "vec", optional, tag = "1")]
    ratchet_key: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "2")]
    counter: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    previous_counter: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    ciphertext: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct PreKeySignalMessage {
    #[prost(uint32, optional, tag = "1")]
    pre_key_id: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "2")]
    base_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    identity_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    message: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "5")]
    registration_id: Option<u32>,
    #[prost(uint32, optional, tag = "6")]
    signed_pre_key_id: Option<u32>,
}

fn suite() -> &'static Suite {
    Version::Legacy.suite()
}

impl Framing for Legacy {
    fn encode_message(&self, header: &Header, ciphertext: Vec<u8>) -> Vec<u8> {
        versioned(&SignalMessage {
            ratchet_key: Some(suite().encode_key(header.ratchet_key.as_bytes())),
            counter: Some(header.number),
            previous_counter: Some(header.previous),
            ciphertext: Some(ciphertext),
        })
    }

    fn encode_frame(&self, mut message: Vec<u8>, tag: &[u8]) -> Vec<u8> {
        message.extend_from_slice(tag);
        message
    }

    fn encode_key_exchange(
        &self,
        introduction: &Introduction<'_>,
        message: Vec<u8>,
        tag: &[u8],
    ) -> Vec<u8> {
        versioned(&PreKeySignalMessage {
            pre_key_id: Some(introduction.pre_key_id.get()),
            base_key: Some(suite().encode_key(introduction.ephemeral.as_bytes())),
            identity_key: Some(suite().encode_key(introduction.identity)),
            message: Some(self.encode_frame(message, tag)),
            registration_id: Some(introduction.registration_id),
            signed_pre_key_id: Some(introduction.signed_pre_key_id.get()),
        })
    }

    fn parse(&self, bytes: &[u8]) -> Result<Inbound, FrameError> {
        let protobuf = strip_version(bytes)?;
        match protobuf::wire_type_of(2, protobuf) {
            Some(WireType::Bytes) => {
                key_exchange(protobuf::decode(protobuf)?).map(Inbound::KeyExchange)
            }
            Some(WireType::Varint) => message(bytes).map(Inbound::Message),
            None => Err(FrameError::Unrecognised),
        }
    }
}

fn versioned(message: &impl Message) -> Vec<u8> {
    // The tag follows later; room for it saves a second allocation.
    let mut bytes = Vec::with_capacity(1 + message.encoded_len() + suite().mac_length);
    bytes.push(VERSION_BYTE);
    message.encode_raw(&mut bytes);
    bytes
}

fn strip_version(bytes: &[u8]) -> Result<&[u8], FrameError> {
    match bytes.split_first() {
        Some((&VERSION_BYTE, rest)) => Ok(rest),
        Some(_) => Err(FrameError::UnknownVersion),
        None => Err(FrameError::Truncated),
    }
}

fn key_exchange(parsed: PreKeySignalMessage) -> Result<KeyExchange, FrameError> {
    // The registration id has no meaning in OMEMO: some clients put their device id there, some leave it out.
    let PreKeySignalMessage {
        pre_key_id,
        base_key,
        identity_key,
        message: inner,
        registration_id: _,
        signed_pre_key_id,
    } = parsed;
    let pre_key_id = PreKeyId::parse(pre_key_id.ok_or(FrameError::NoPreKey)?)
        .map_err(|_| FrameError::Id("preKeyId"))?;
    let signed_pre_key_id = SignedPreKeyId::parse(required(signed_pre_key_id, "signedPreKeyId")?)
        .map_err(|_| FrameError::Id("signedPreKeyId"))?;
    // The message comes before the identity key, whose check costs a multiplication.
    let message = message(&required(inner, "message")?)?;
    let ephemeral_key = key_field(suite(), base_key, "baseKey")?;
    let identity = suite()
        .decode_identity(&required(identity_key, "identityKey")?)
        .map_err(|error| FrameError::Key("identityKey", error))?;
    Ok(KeyExchange {
        pre_key_id,
        signed_pre_key_id,
        identity,
        ephemeral_key,
        message,
    })
}

/// Reads version byte, protobuf and tag. The tag covers the first two.
fn message(bytes: &[u8]) -> Result<RatchetMessage, FrameError> {
    let length = bytes
        .len()
        .checked_sub(suite().mac_length)
        .ok_or(FrameError::Truncated)?;
    let (authenticated, tag) = bytes.split_at(length);
    let SignalMessage {
        ratchet_key,
        counter,
        previous_counter,
        ciphertext,
    } = protobuf::decode(strip_version(authenticated)?)?;
    let header = Header {
        number: required(counter, "counter")?,
        previous: required(previous_counter, "previousCounter")?,
        ratchet_key: key_field(suite(), ratchet_key, "ratchetKey")?,
    };
    let ciphertext = required(ciphertext, "ciphertext")?;
    Ok(RatchetMessage {
        version: Version::Legacy,
        header,
        authenticated: authenticated.to_vec(),
        ciphertext,
        tag: tag.to_vec(),
    })
}
