//! XML as text: what crosses the FFI, lies in the store and is sealed into envelopes.
//!
//! Reading caps size, depth, attributes and nodes (see [`super::limits`]) and allows only the XML
//! of XMPP: no document type, no entities but the five, no comments, no processing instructions
//! (RFC 6120 §11.1). Writing is ours as well, because an element may carry declarations of prefixes
//! that contradict each other, and because everybody understands default namespaces, but not
//! everybody prefixes: each element declares its namespace by `xmlns` where it differs from its
//! parent's. What was written here is read back as the same element, and written again as the same
//! text.

mod read;
mod write;

pub(crate) use read::{parse, parse_fragment};
pub(crate) use write::{is_character, to_string};

#[cfg(test)]
mod tests;
