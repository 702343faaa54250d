//! Where what stands in a frame, in both protocols.

use omemo_ratchet::hazmat;

use super::protobuf::{Content, Field, decode, encode};

/// The layout of one protocol's frames.
#[derive(Debug)]
pub(super) struct Frames {
    /// Before every protobuf of legacy.
    version_byte: &'static [u8],
    /// Bytes of the tag.
    pub(super) tag: usize,
    /// The tag's field and the message's field; without them the tag follows the message.
    tag_field: Option<(u32, u32)>,
    /// The fields of a message.
    pub(super) message: &'static [(u32, &'static str)],
    /// The ratchet key's field.
    pub(super) ratchet_key: u32,
    /// The ciphertext's field.
    pub(super) ciphertext: u32,
    /// The fields of a key exchange that must be there, but for the prekey.
    pub(super) key_exchange: &'static [(u32, &'static str)],
    pub(super) pre_key_id: u32,
    pub(super) signed_pre_key_id: u32,
    pub(super) identity_key: u32,
    pub(super) ephemeral_key: u32,
}

pub(super) static OMEMO2: Frames = Frames {
    version_byte: &[],
    tag: 16,
    tag_field: Some((1, 2)),
    message: &[(1, "n"), (2, "pn"), (3, "dh_pub"), (4, "ciphertext")],
    ratchet_key: 3,
    ciphertext: 4,
    key_exchange: &[(2, "spk_id"), (3, "ik"), (4, "ek"), (5, "message")],
    pre_key_id: 1,
    signed_pre_key_id: 2,
    identity_key: 3,
    ephemeral_key: 4,
};

pub(super) static LEGACY: Frames = Frames {
    version_byte: &[0x33],
    tag: 8,
    tag_field: None,
    message: &[
        (1, "ratchetKey"),
        (2, "counter"),
        (3, "previousCounter"),
        (4, "ciphertext"),
    ],
    ratchet_key: 1,
    ciphertext: 4,
    key_exchange: &[
        (2, "baseKey"),
        (3, "identityKey"),
        (4, "message"),
        (6, "signedPreKeyId"),
    ],
    pre_key_id: 1,
    signed_pre_key_id: 6,
    identity_key: 3,
    ephemeral_key: 2,
};

impl Frames {
    /// The fields of a message, and its tag.
    pub(super) fn open(&self, frame: &[u8]) -> (Vec<Field>, Vec<u8>) {
        match self.tag_field {
            Some((tag, message)) => {
                let fields = decode(frame);
                (decode(&bytes_of(&fields, message)), bytes_of(&fields, tag))
            }
            None => {
                let (message, tag) = frame.split_at(frame.len() - self.tag);
                let message = message.strip_prefix(self.version_byte).unwrap_or_default();
                (decode(message), tag.to_vec())
            }
        }
    }

    /// A message of these fields with this tag.
    pub(super) fn close(&self, fields: &[Field], tag: &[u8]) -> Vec<u8> {
        let message = self.authenticated(fields);
        match self.tag_field {
            Some((tag_field, message_field)) => encode(&[
                Field(tag_field, Content::Bytes(tag.to_vec())),
                Field(message_field, Content::Bytes(message)),
            ]),
            None => [message.as_slice(), tag].concat(),
        }
    }

    /// What the tag covers, after the associated data.
    fn authenticated(&self, fields: &[Field]) -> Vec<u8> {
        [self.version_byte, &encode(fields)].concat()
    }

    /// The tag of a message of these fields, with this key and associated data.
    pub(super) fn authenticate(&self, fields: &[Field], key: &[u8; 32], data: &[u8]) -> Vec<u8> {
        let covered = [data, &self.authenticated(fields)].concat();
        let mut tag = hazmat::hmac(key, &covered).to_vec();
        tag.truncate(self.tag);
        tag
    }

    /// The fields of a key exchange.
    pub(super) fn open_exchange(&self, frame: &[u8]) -> Vec<Field> {
        decode(frame.strip_prefix(self.version_byte).unwrap_or_default())
    }

    /// A key exchange without the fields that mean nothing in OMEMO; `None` if it has none of them.
    pub(super) fn without_ornaments(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let fields = self.open_exchange(frame);
        let (meant, ornaments): (Vec<_>, Vec<_>) = fields
            .into_iter()
            .partition(|Field(number, _)| self.is_meant(*number));
        (!ornaments.is_empty()).then(|| self.close_exchange(&meant))
    }

    /// Whether a field of key exchanges means something in OMEMO: legacy's registration id does not.
    pub(super) fn is_meant(&self, number: u32) -> bool {
        let mut others = self.key_exchange.iter().map(|(number, _)| *number);
        number == self.pre_key_id || others.any(|other| other == number)
    }

    /// A key exchange of these fields.
    pub(super) fn close_exchange(&self, fields: &[Field]) -> Vec<u8> {
        self.authenticated(fields)
    }
}

/// The bytes in a field.
pub(super) fn bytes_of(fields: &[Field], number: u32) -> Vec<u8> {
    fields
        .iter()
        .find_map(|field| match field {
            Field(found, Content::Bytes(bytes)) if *found == number => Some(bytes.clone()),
            _ => None,
        })
        .unwrap_or_default()
}

/// The same with another content of one field.
pub(super) fn with(fields: &[Field], number: u32, content: &Content) -> Vec<Field> {
    fields
        .iter()
        .map(|field| match field {
            Field(found, _) if *found == number => Field(number, content.clone()),
            other => other.clone(),
        })
        .collect()
}

/// The same without a field.
pub(super) fn without(fields: &[Field], number: u32) -> Vec<Field> {
    let kept = fields.iter().filter(|Field(found, _)| *found != number);
    kept.cloned().collect()
}

/// The same with one field as the other type.
pub(super) fn mistyped(fields: &[Field], number: u32) -> Vec<Field> {
    fields
        .iter()
        .map(|Field(found, content)| {
            if *found == number {
                Field(number, content.of_other_type())
            } else {
                Field(*found, content.clone())
            }
        })
        .collect()
}
