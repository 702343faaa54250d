//! Where the vectors lie.

use std::path::PathBuf;

use omemo_vectors::{VectorFile, read_folder};

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors")
}

/// All committed files, by name.
pub(crate) fn committed() -> Vec<(String, VectorFile)> {
    read_folder(&folder()).unwrap()
}
