//! `omemo vectors`, run as a program.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

fn committed() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors")
}

fn omemo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_omemo"))
        .arg("vectors")
        .args(arguments)
        .output()
        .unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// This program as a shim of itself.
fn ourselves() -> String {
    format!("'{}' vectors serve", env!("CARGO_BIN_EXE_omemo"))
}

/// Runs vectors against a program.
fn against(command: &str, folder: &Path) -> Output {
    omemo(&["run", "--against", command, folder.to_str().unwrap()])
}

/// A folder with two cases, of which the second is wrong where that is asked for.
fn folder(last: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let case = |id: &str, refused: &str| {
        json!({
            "id": id, "about": "No key.",
            "steps": [{"operation": "decode-key", "input": {"key": "05"}, "refused": refused}],
        })
    };
    let file = json!({
        "format": "omemo-test-vectors-1", "layer": "keys", "protocol": "legacy", "about": "Two cases.",
        "cases": [case("one", "key-length"), case("two", last)],
    });
    fs::write(folder.path().join("keys-legacy.json"), file.to_string()).unwrap();
    folder
}

fn lines_of_json(output: &Output) -> Vec<Value> {
    printed(output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .inspect(|line: &Value| assert!(line.is_object(), "{line}"))
        .collect()
}

#[test]
fn a_run_against_ourselves_passes_what_verify_passes() {
    let folder = committed();
    let verified = omemo(&["verify", folder.to_str().unwrap()]);
    assert!(verified.status.success(), "{}", complaint(&verified));
    let run = against(&ourselves(), &folder);
    assert!(run.status.success(), "{}", complaint(&run));
    let last = |output: &Output| printed(output).lines().last().unwrap().to_owned();
    assert!(
        last(&verified).ends_with(" passed, 0 failed"),
        "{}",
        last(&verified)
    );
    assert_eq!(last(&run), last(&verified));
    let first = printed(&run).lines().next().unwrap().to_owned();
    assert_eq!(first, format!("omemo {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn json_is_one_object_a_line() {
    let good = folder("key-length");
    let output = omemo(&["verify", "--json", good.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    let lines = lines_of_json(&output);
    let [file, sum] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert_eq!(
        (&file["event"], &file["file"]),
        (&json!("file"), &json!("keys-legacy"))
    );
    assert_eq!(file["failures"], json!([]));
    assert_eq!(sum["event"], "sum");
    assert_eq!(sum["sum"], file["sum"]);
    for (name, number) in [("cases", 2), ("invalid", 2), ("passed", 2), ("failed", 0)] {
        assert_eq!(sum["sum"][name], number, "{name}");
    }
}

#[test]
fn a_failing_case_is_named_and_gives_code_1() {
    let bad = folder("key-type");
    let path = bad.path().to_str().unwrap();
    let output = omemo(&["verify", path]);
    assert_eq!(output.status.code(), Some(1));
    let text = printed(&output);
    assert!(
        text.contains("two, step 1 (decode-key): refused as key-length"),
        "{text}"
    );
    assert!(text.ends_with("1 passed, 1 failed\n"), "{text}");
    assert_eq!(complaint(&output), "omemo: a case failed\n");

    let output = omemo(&["verify", "--json", path]);
    assert_eq!(output.status.code(), Some(1));
    let failure = &lines_of_json(&output)[0]["failures"][0];
    assert_eq!(
        (&failure["case"], &failure["step"]),
        (&json!("two"), &json!(1))
    );

    // Of others any refusal is good.
    assert_eq!(against(&ourselves(), bad.path()).status.code(), Some(0));
}

/// A program that hears one request, says this, and ends.
fn saying(answer: &str) -> String {
    // It waits for the request: one that ends before would have answered nothing.
    format!("sh -c 'read request; echo \"$1\"' - '{answer}'")
}

#[test]
fn a_shim_that_fails_is_told_in_a_sentence() {
    let good = folder("key-length");
    let no_answer = "wrote something that is no answer";
    let hello = r#"{"id":1,"output":{"name":"It","version":"1","protocols":["legacy"]}}"#;
    for (command, sentence) in [
        (saying("nonsense"), no_answer),
        (saying(r#"{"id":7,"output":{}}"#), no_answer),
        (saying(r#"{"id":1,"output":{}}"#), no_answer),
        (saying(r#"{"id":1,"refused":"no"}"#), no_answer),
        (saying(hello), "ended before it answered decode-key"),
        ("true".into(), "ended before it answered hello"),
        (
            "/nowhere/no-such-shim".into(),
            "ended before it answered hello",
        ),
    ] {
        let output = against(&command, good.path());
        assert_eq!(output.status.code(), Some(1), "{command}");
        let complaint = complaint(&output);
        assert!(complaint.contains(sentence), "{command}: {complaint}");
        let last = complaint.lines().last().unwrap();
        assert!(last.starts_with("omemo: the program "), "{complaint}");
    }
}

#[test]
fn a_folder_without_vectors_is_told_in_a_sentence() {
    let empty = TempDir::new().unwrap();
    let output = omemo(&["verify", empty.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("holds no vectors"));
    fs::write(empty.path().join("x.json"), "{}").unwrap();
    let output = omemo(&["verify", empty.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("x.json holds no test vectors"));
}
