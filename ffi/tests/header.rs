//! The header is what the crate says it is, unsafe code stands where it may, and panics can be caught.
#![allow(
    clippy::unwrap_used,
    reason = "a test says that it failed by panicking"
)]

use std::path::Path;
use std::{env, fs};

/// Set to write the header instead of comparing it.
const BLESS: &str = "OMEMO_BLESS";

/// In the order in which people read.
const SOURCES: [&str; 23] = [
    "version",
    "status",
    "value",
    "reason",
    "settings",
    "store",
    "account",
    "trust",
    "room",
    "own_device",
    "recovery",
    "opt_out",
    "last_error",
    "output",
    "event_kind",
    "event",
    "recipient",
    "message",
    "device",
    "bytes",
    "file",
    "file_encryptor",
    "file_decryptor",
];

#[test]
fn the_committed_header_is_the_generated_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for name in SOURCES {
        builder = builder.with_src(folder.join(format!("src/{name}.rs")));
    }
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    let header = String::from_utf8(header).unwrap();
    let path = folder.join("include/omemo.h");
    if env::var_os(BLESS).is_some() {
        fs::write(&path, &header).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == header,
        "include/omemo.h is not what the sources say: run {BLESS}=1 cargo test -p omemo-ffi --test header"
    );
}

#[test]
fn unsafe_blocks_stand_in_two_files() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(sources).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let blocks = ["unsafe {", "unsafe fn", "unsafe impl"];
        let found = blocks.iter().any(|block| text.contains(block));
        assert!(
            !found || ["ptr.rs", "panic.rs"].contains(&name.as_str()),
            "{name} has unsafe code"
        );
    }
}

#[test]
fn a23_no_profile_makes_a_panic_the_end_of_the_process() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let text = fs::read_to_string(manifest).unwrap();
    let profiles = text
        .split("\n[")
        .filter(|table| table.starts_with("profile."));
    let settings: Vec<_> = profiles.flat_map(str::lines).collect();
    assert!(settings.len() > 10, "not the manifest with the profiles");
    for setting in settings.iter().filter(|line| line.starts_with("panic")) {
        assert_eq!(*setting, "panic = \"unwind\"");
    }
}
