//! The elements of `urn:xmpp:omemo:2` (XEP-0384 0.9).

pub(crate) mod bundle;
pub(crate) mod devices;
pub(crate) mod encrypted;
pub(crate) mod opt_out;

/// The namespace of all of them.
pub(crate) const NAMESPACE: &str = "urn:xmpp:omemo:2";
