//! The elements: XML in, plain values out, and back.
//!
//! One file for each specification or concern. Nothing here knows sessions, trust, the store or
//! which protocol is in force: what differs between the protocols lies in [`omemo2`] and
//! [`legacy`], in two shapes of the same neutral values.
//!
//! Everything is read with tolerance for what real clients and servers write (unknown attributes
//! and children, whitespace in base64, damaged entries among good ones) and with none for what
//! could deceive or exhaust us: sizes are capped ([`limits`]), a wrapped message is believed only
//! from our own account ([`wrapper`]), and whatever is refused names the reason ([`malformed`]).

pub(crate) mod body;
mod datetime;
pub(crate) mod delay;
pub(crate) mod devices;
pub(crate) mod disco;
pub(crate) mod eme;
pub(crate) mod encrypted;
pub(crate) mod hints;
pub(crate) mod iq;
pub(crate) mod legacy;
pub(crate) mod limits;
pub(crate) mod malformed;
pub(crate) mod message;
pub(crate) mod muc;
mod node;
pub(crate) mod omemo2;
pub(crate) mod party;
pub(crate) mod pubsub;
pub(crate) mod sce;
pub(crate) mod sid;
pub(crate) mod stanza_error;
pub(crate) mod text;
pub(crate) mod trust_message;
pub(crate) mod wrapper;

#[cfg(test)]
mod tests;

/// The namespace of stanzas between client and server (RFC 6120 §4.8.2).
pub(crate) const CLIENT: &str = "jabber:client";
