//! A look at the outermost layer of protobuf: of what type is a field?

use crate::error::FrameError;

/// The two wire types that tell messages and key exchanges apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WireType {
    /// A number.
    Varint,
    /// Bytes: a string, a key, an inner message.
    Bytes,
}

/// The wire type of the first occurrence of `field`; `None` if it does not occur before the bytes end or stop making
/// sense, or has another type than these two.
pub(super) fn wire_type_of(field: u64, mut bytes: &[u8]) -> Option<WireType> {
    while !bytes.is_empty() {
        let key = read_varint(&mut bytes)?;
        let wire_type = match key & 7 {
            0 => Some(WireType::Varint),
            2 => Some(WireType::Bytes),
            _ => None,
        };
        if key >> 3 == field {
            return wire_type;
        }
        let skipped = match key & 7 {
            0 => {
                read_varint(&mut bytes)?;
                0
            }
            1 => 8,
            2 => usize::try_from(read_varint(&mut bytes)?).ok()?,
            5 => 4,
            _ => return None,
        };
        bytes = bytes.get(skipped..)?;
    }
    None
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
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

/// Decodes one of the schemas' messages.
pub(super) fn decode<M: prost::Message + Default>(bytes: &[u8]) -> Result<M, FrameError> {
    M::decode(bytes).map_err(|_| FrameError::Protobuf)
}
