//! The `omemo` command.
