//! Runs one scenario over every store, and over both protocols where it makes a difference.

use omemo::Version;

pub use omemo_tests::stores::{Memory, Sqlite, Stores};

pub const BOTH: [Version; 2] = Version::ALL;

/// `over!(name)` makes a test a store from the function `name<S: Stores>(stores: S)`;
/// `over!(name, versions)` one a store and protocol from `name<S: Stores>(stores: S, version: Version)`.
macro_rules! over {
    ($($name:ident),* $(,)?) => {
        mod in_memory { $(#[test] fn $name() { super::$name($crate::over::Memory) })* }
        mod in_sqlite { $(#[test] fn $name() { super::$name($crate::over::Sqlite::default()) })* }
    };
}

/// The same once a protocol.
macro_rules! over_versions {
    ($($name:ident),* $(,)?) => {
        mod in_memory_by_protocol { $(#[test] fn $name() {
            for version in $crate::over::BOTH { super::$name($crate::over::Memory, version) }
        })* }
        mod in_sqlite_by_protocol { $(#[test] fn $name() {
            for version in $crate::over::BOTH { super::$name($crate::over::Sqlite::default(), version) }
        })* }
    };
}

/// The same for stores with files only: what is put back is a file.
macro_rules! in_files {
    ($($name:ident),* $(,)?) => {
        mod in_sqlite_by_protocol { $(#[test] fn $name() {
            for version in $crate::over::BOTH { super::$name(version) }
        })* }
    };
}
