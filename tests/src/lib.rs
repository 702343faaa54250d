//! Tests that need more than one crate, a real server or a foreign client.
