//! The omemo command: encrypted messages from the terminal.
fn main() {}
