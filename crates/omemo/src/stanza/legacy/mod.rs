//! The elements of `eu.siacs.conversations.axolotl` (XEP-0384 0.3.0).

pub(crate) mod bundle;
pub(crate) mod devices;
pub(crate) mod encrypted;

/// The namespace of all of them.
pub(crate) const NAMESPACE: &str = "eu.siacs.conversations.axolotl";
