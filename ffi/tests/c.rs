//! The programs of `tests/c`: what C may do wrong is a status, and never more.
//!
//! Each is compiled against the shared library and run as it is; with `OMEMO_THOROUGH` also with the sanitisers, and under
//! valgrind.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says that it failed by panicking"
)]

mod cc;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use tempfile::TempDir;

/// Set to run the programs in the other ways, too.
const THOROUGH: &str = "OMEMO_THOROUGH";

/// How large oversized texts are under valgrind, where everything takes fifty times as long.
const LESS: &str = "20000";

/// AddressSanitizer and UndefinedBehaviorSanitizer in the C part; the former also watches what the library allocates.
const SANITISED: [&str; 3] = [
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
];

/// What the sanitisers are told: a leak is a failure.
const SANITISERS: [(&str, &str); 2] = [
    ("ASAN_OPTIONS", "detect_leaks=1:strict_string_checks=1"),
    ("UBSAN_OPTIONS", "print_stacktrace=1"),
];

fn check(name: &str) {
    if !cc::there_is("cc") {
        return;
    }
    let sources = [format!("{name}.c"), "world.c".to_owned()];
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let plain = cc::compile(name, &sources, &[]);
    run(&mut Command::new(&plain), &[]);
    if env::var_os(THOROUGH).is_none() {
        return;
    }
    let sanitised = cc::compile(&format!("{name}-sanitised"), &sources, &SANITISED);
    run(Command::new(sanitised).envs(SANITISERS), &[]);
    if cc::there_is("valgrind") {
        let mut valgrind = Command::new("valgrind");
        valgrind
            .args(["--quiet", "--leak-check=full", "--error-exitcode=9"])
            // One thread at a time is the rule there; this lets each have its turn.
            .arg("--fair-sched=yes")
            .arg(&plain);
        run(&mut valgrind, &[LESS]);
    }
}

/// Runs a program on a folder of its own.
fn run(command: &mut Command, arguments: &[&str]) {
    let folder = TempDir::new().unwrap();
    let output = command.arg(folder.path()).args(arguments).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{printed}",
        output.status
    );
}

#[test]
fn a23_null_is_a_status_in_every_place() {
    check("null");
}

#[test]
fn a23_texts_of_any_kind_are_a_status() {
    check("texts");
}

#[test]
fn a23_numbers_that_stand_for_nothing_are_refused() {
    check("numbers");
}

#[test]
fn a23_what_is_freed_twice_is_freed_once() {
    check("freed");
}

#[test]
fn a23_beyond_the_last_there_is_nothing() {
    check("ends");
}

#[test]
fn a23_eight_threads_use_one_handle() {
    check("threads");
}

#[test]
fn a_device_is_renamed_opted_out_of_recovered_and_removed() {
    check("life");
}

#[test]
fn a25_a_file_comes_out_after_it_was_verified() {
    check("files");
}

#[test]
fn a23_the_tests_name_every_function_of_the_header() {
    let header = fs::read_to_string(cc::package().join("include/omemo.h")).unwrap();
    let declared = functions(&header);
    assert!(declared.len() > 60, "not the header: {declared:?}");
    // What takes a pointer has to be given NULL; the others are in that program, too.
    let program = fs::read_to_string(cc::package().join("tests/c/null.c")).unwrap();
    let named = functions(&program);
    let forgotten: Vec<_> = declared.difference(&named).collect();
    assert!(
        forgotten.is_empty(),
        "tests/c/null.c does not call {forgotten:?}"
    );
}

#[test]
fn every_program_of_the_folder_is_run() {
    let this =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c.rs")).unwrap();
    for entry in fs::read_dir(cc::package().join("tests/c")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(program) = name.strip_suffix(".c") else {
            continue;
        };
        let shared = ["world", "worker"].contains(&program);
        assert!(
            shared || this.contains(&format!("check(\"{program}\")")),
            "{name} is not run"
        );
    }
}

/// The names before an opening parenthesis that begin as ours do.
fn functions(source: &str) -> BTreeSet<&str> {
    source
        .match_indices('(')
        .filter_map(|(at, _)| {
            let before = &source[..at];
            let start = before
                .rfind(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                .map_or(0, |found| found + 1);
            Some(&before[start..]).filter(|name| name.starts_with("omemo_"))
        })
        .collect()
}
