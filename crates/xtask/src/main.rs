//! The project's own chores: test, interop, full.
fn main() {}
