//! The bytes of omemo:2 (XEP-0384 §12, "Protobuf Schema").
//!
//! ```text
//! OMEMOAuthenticatedMessage { mac, message: OMEMOMessage { n, pn, dh_pub, ciphertext } }
//! OMEMOKeyExchange { pk_id, spk_id, ik, ek, message: OMEMOAuthenticatedMessage }
//! ```
//!
//! The first field decides: a number (`pk_id`) in a key exchange, bytes (`mac`) in a message.

use prost::Message;

use super::protobuf::{self, WireType};
use super::{
    Framing, Header, Inbound, Introduction, KeyExchange, RatchetMessage, key_field, required,
};
use crate::error::FrameError;
use crate::pre_key::{PreKeyId, SignedPreKeyId};
use crate::suite::{Suite, Version};

/// The framing of omemo:2.
pub(crate) struct Omemo2;

// All fields are optional: the decoder would silently put defaults in the place of required ones that are missing.

#[derive(Clone, PartialEq, Message)]
struct OmemoMessage {
    #[prost(uint32, optional, tag = "1")]
    n: Option<u32>,
    #[prost(uint32, optional, tag = "2")]
    pn: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "3")]
    dh_pub: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    ciphertext: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct OmemoAuthenticatedMessage {
    #[prost(bytes = "vec", optional, tag = "1")]
    mac: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    message: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct OmemoKeyExchange {
    #[prost(uint32, optional, tag = "1")]
    pk_id: Option<u32>,
    #[prost(uint32, optional, tag = "2")]
    spk_id: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "3")]
    ik: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    ek: Option<Vec<u8>>,
    #[prost(message, optional, tag = "5")]
    message: Option<OmemoAuthenticatedMessage>,
}

fn suite() -> &'static Suite {
    Version::Omemo2.suite()
}

impl Framing for Omemo2 {
    fn encode_message(&self, header: &Header, ciphertext: Vec<u8>) -> Vec<u8> {
        OmemoMessage {
            n: Some(header.number),
            pn: Some(header.previous),
            dh_pub: Some(suite().encode_key(header.ratchet_key.as_bytes())),
            ciphertext: Some(ciphertext),
        }
        .encode_to_vec()
    }

    fn encode_frame(&self, message: Vec<u8>, tag: &[u8]) -> Vec<u8> {
        OmemoAuthenticatedMessage {
            mac: Some(tag.to_vec()),
            message: Some(message),
        }
        .encode_to_vec()
    }

    fn encode_key_exchange(
        &self,
        introduction: &Introduction<'_>,
        message: Vec<u8>,
        tag: &[u8],
    ) -> Vec<u8> {
        // This schema has no place for the registration id.
        OmemoKeyExchange {
            pk_id: Some(introduction.pre_key_id.get()),
            spk_id: Some(introduction.signed_pre_key_id.get()),
            ik: Some(suite().encode_key(introduction.identity)),
            ek: Some(suite().encode_key(introduction.ephemeral.as_bytes())),
            message: Some(OmemoAuthenticatedMessage {
                mac: Some(tag.to_vec()),
                message: Some(message),
            }),
        }
        .encode_to_vec()
    }

    fn parse(&self, bytes: &[u8]) -> Result<Inbound, FrameError> {
        if bytes.is_empty() {
            return Err(FrameError::Truncated);
        }
        match protobuf::wire_type_of(1, bytes) {
            Some(WireType::Varint) => {
                key_exchange(protobuf::decode(bytes)?).map(Inbound::KeyExchange)
            }
            Some(WireType::Bytes) => message(protobuf::decode(bytes)?).map(Inbound::Message),
            None => Err(without_first_field(bytes)),
        }
    }
}

/// A key exchange that leaves its first field out deserves to be called by its name.
fn without_first_field(bytes: &[u8]) -> FrameError {
    match protobuf::wire_type_of(2, bytes) {
        Some(WireType::Varint) => FrameError::NoPreKey,
        _ => FrameError::Unrecognised,
    }
}

fn key_exchange(parsed: OmemoKeyExchange) -> Result<KeyExchange, FrameError> {
    let OmemoKeyExchange {
        pk_id,
        spk_id,
        ik,
        ek,
        message: inner,
    } = parsed;
    let pre_key_id =
        PreKeyId::parse(pk_id.ok_or(FrameError::NoPreKey)?).map_err(|_| FrameError::Id("pk_id"))?;
    let signed_pre_key_id =
        SignedPreKeyId::parse(required(spk_id, "spk_id")?).map_err(|_| FrameError::Id("spk_id"))?;
    // The message comes before the identity key, whose check costs a multiplication.
    let message = message(required(inner, "message")?)?;
    let ephemeral_key = key_field(suite(), ek, "ek")?;
    let identity = suite()
        .decode_identity(&required(ik, "ik")?)
        .map_err(|error| FrameError::Key("ik", error))?;
    Ok(KeyExchange {
        pre_key_id,
        signed_pre_key_id,
        identity,
        ephemeral_key,
        message,
    })
}

fn message(parsed: OmemoAuthenticatedMessage) -> Result<RatchetMessage, FrameError> {
    let OmemoAuthenticatedMessage { mac, message } = parsed;
    let tag = required(mac, "mac")?;
    if tag.len() != suite().mac_length {
        return Err(FrameError::MacLength);
    }
    let authenticated = required(message, "message")?;
    let OmemoMessage {
        n,
        pn,
        dh_pub,
        ciphertext,
    } = protobuf::decode(&authenticated)?;
    let header = Header {
        number: required(n, "n")?,
        previous: required(pn, "pn")?,
        ratchet_key: key_field(suite(), dh_pub, "dh_pub")?,
    };
    let ciphertext = required(ciphertext, "ciphertext")?;
    Ok(RatchetMessage {
        version: Version::Omemo2,
        header,
        authenticated,
        ciphertext,
        tag,
    })
}
