//! Benchmarks of the omemo crates.
