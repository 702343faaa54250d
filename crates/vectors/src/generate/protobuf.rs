//! Protobuf as a list of fields, so that single ones can be spoilt.

/// A field: its number and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field(pub(super) u32, pub(super) Content);

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// A varint.
    Number(u64),
    /// A length and so many bytes.
    Bytes(Vec<u8>),
}

impl Content {
    /// The same as the other kind of field.
    pub(super) fn of_other_type(&self) -> Self {
        match self {
            Self::Number(number) => Self::Bytes(number.to_le_bytes().to_vec()),
            Self::Bytes(bytes) => Self::Number(bytes.len() as u64),
        }
    }
}

pub(super) fn encode(fields: &[Field]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Field(number, content) in fields {
        let tag = u64::from(*number) << 3;
        match content {
            Content::Number(value) => {
                put_varint(tag, &mut bytes);
                put_varint(*value, &mut bytes);
            }
            Content::Bytes(value) => {
                put_varint(tag | 2, &mut bytes);
                put_varint(value.len() as u64, &mut bytes);
                bytes.extend_from_slice(value);
            }
        }
    }
    bytes
}

/// Reads what [`encode`] wrote.
pub(super) fn decode(mut bytes: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    while let Some(tag) = take_varint(&mut bytes) {
        let number = u32::try_from(tag >> 3).unwrap_or(0);
        let Some(value) = take_varint(&mut bytes) else {
            break;
        };
        let content = if tag & 7 == 0 {
            Content::Number(value)
        } else {
            let length = usize::try_from(value).unwrap_or(0).min(bytes.len());
            let (content, rest) = bytes.split_at(length);
            bytes = rest;
            Content::Bytes(content.to_vec())
        };
        fields.push(Field(number, content));
    }
    fields
}

fn put_varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
