//! The store of the omemo crate on SQLite.
