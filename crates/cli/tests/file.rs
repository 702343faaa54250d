//! `omemo file`, run as a program.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const URL: &str = "https://upload.example/1/photo.jpg";

/// Runs the command in a folder.
fn omemo(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_omemo"));
    command.current_dir(folder).arg("file").args(arguments);
    command
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", complaint(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&printed(output)).unwrap()
}

/// A folder with `photo.jpg`, several pieces long.
fn folder() -> (TempDir, Vec<u8>) {
    let folder = TempDir::new().unwrap();
    let photo: Vec<u8> = (0..150_000_u32)
        .map(|number| number.to_le_bytes()[0])
        .collect();
    fs::write(folder.path().join("photo.jpg"), &photo).unwrap();
    (folder, photo)
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_comes_back_by_its_link_and_by_its_element() {
    let (folder, photo) = folder();
    let at = folder.path();
    let media = ["--media-type", "image/jpeg", "--json"];
    let told = json(&omemo(
        at,
        &[&["encrypt", "photo.jpg", "--url", URL], &media[..]].concat(),
    ));
    assert_eq!(told["event"], "encrypted");
    assert_eq!(told["size"], 150_000);
    assert_eq!(told["ciphertext_size"], 150_016);
    assert_eq!(
        fs::metadata(at.join("photo.jpg.enc")).unwrap().len(),
        150_016
    );
    let link = told["link"].as_str().unwrap();
    assert!(
        link.starts_with("aesgcm://upload.example/1/photo.jpg#"),
        "{link}"
    );
    assert!(link.ends_with(told["fragment"].as_str().unwrap()));
    let element = told["element"].as_str().unwrap();
    for part in [URL, "<name>photo.jpg</name>", "<media-type>image/jpeg<"] {
        assert!(element.contains(part), "{element}");
    }

    fs::write(at.join("element.xml"), format!("{element}\n")).unwrap();
    fs::write(at.join("link.txt"), format!("{link}\n")).unwrap();
    for (number, key) in [link, "link.txt", "element.xml"].iter().enumerate() {
        let out = format!("out{number}");
        let told = json(&omemo(
            at,
            &["decrypt", key, "photo.jpg.enc", "-o", &out, "--json"],
        ));
        assert_eq!(
            (told["event"].as_str(), told["size"].as_u64()),
            (Some("decrypted"), Some(150_000))
        );
        assert!(fs::read(at.join(out)).unwrap() == photo);
    }
    let mut child = command(at, &["decrypt", "-", "photo.jpg.enc", "-o", "out"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(link.as_bytes())
        .unwrap();
    assert!(child.wait().unwrap().success());
    assert!(fs::read(at.join("out")).unwrap() == photo);
}

#[test]
fn every_cipher_has_an_element_and_one_a_link() {
    let (folder, photo) = folder();
    let at = folder.path();
    for cipher in ["aes-256-gcm", "aes-128-gcm", "aes-256-cbc"] {
        let arguments = [
            "encrypt",
            "photo.jpg",
            "-o",
            cipher,
            "--cipher",
            cipher,
            "--url",
            URL,
            "--json",
        ];
        let told = json(&omemo(at, &arguments));
        assert!(told["cipher"].as_str().unwrap().contains(cipher));
        assert_eq!(told["link"].is_string(), cipher == "aes-256-gcm");
        fs::write(at.join("element"), told["element"].as_str().unwrap()).unwrap();
        let out = format!("{cipher}.out");
        printed(&omemo(at, &["decrypt", "element", cipher, "-o", &out]));
        assert!(fs::read(at.join(out)).unwrap() == photo);
    }
}

#[test]
fn people_are_told_what_to_send() {
    let (folder, _) = folder();
    let at = folder.path();
    let text = printed(&omemo(at, &["encrypt", "photo.jpg"]));
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("Wrote photo.jpg.enc, 150016 bytes"),
        "{text}"
    );
    let fragment = lines.iter().find(|line| line.starts_with('#')).unwrap();
    assert_eq!(fragment.len(), 89);
    let element = lines.last().unwrap();
    assert!(element.starts_with("<file-sharing xmlns="), "{text}");
    // The place of the upload is put before, as the text says.
    let link = format!("aesgcm://upload.example/anywhere{fragment}");
    printed(&omemo(
        at,
        &["decrypt", &link, "photo.jpg.enc", "-o", "out"],
    ));

    let text = printed(&omemo(
        at,
        &["encrypt", "photo.jpg", "-o", "again", "--url", URL],
    ));
    assert!(
        text.lines()
            .any(|line| line.starts_with("aesgcm://upload.example/1/")),
        "{text}"
    );
}

#[test]
fn a25_nothing_is_left_of_a_file_that_was_altered() {
    let (folder, _) = folder();
    let at = folder.path();
    let told = json(&omemo(
        at,
        &["encrypt", "photo.jpg", "--url", URL, "--json"],
    ));
    let mut ciphertext = fs::read(at.join("photo.jpg.enc")).unwrap();
    ciphertext[100_000] ^= 1;
    fs::write(at.join("photo.jpg.enc"), &ciphertext).unwrap();
    fs::write(at.join("element"), told["element"].as_str().unwrap()).unwrap();
    for (key, sentence) in [
        (
            told["link"].as_str().unwrap(),
            "the authentication tag is wrong",
        ),
        (
            "element",
            "the sha-256 of the encrypted file is another one than announced",
        ),
    ] {
        let output = omemo(at, &["decrypt", key, "photo.jpg.enc", "-o", "out"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            complaint(&output).contains(sentence),
            "{}",
            complaint(&output)
        );
        assert_eq!(names(at), ["element", "photo.jpg", "photo.jpg.enc"]);
    }
    let output = omemo(
        at,
        &["decrypt", "element", "photo.jpg.enc", "-o", "out", "--json"],
    );
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(line["event"], "error");
}

#[test]
fn no_file_is_overwritten() {
    let (folder, photo) = folder();
    let at = folder.path();
    let link = format!("aesgcm://a/b#{}", "0".repeat(88));
    for arguments in [
        &["encrypt", "photo.jpg", "-o", "photo.jpg"][..],
        &["decrypt", &link, "photo.jpg", "-o", "photo.jpg"],
    ] {
        let output = omemo(at, arguments);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(complaint(&output), "omemo: photo.jpg exists already\n");
    }
    assert!(fs::read(at.join("photo.jpg")).unwrap() == photo);
}

#[test]
fn what_is_wrong_is_told_in_a_sentence() {
    let (folder, _) = folder();
    let at = folder.path();
    let unknown = "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'/><sources>\
        <encrypted xmlns='urn:xmpp:esfs:0' cipher='urn:rot13'/></sources></file-sharing>";
    let none = "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'/></file-sharing>";
    for (name, text) in [
        ("unknown", unknown),
        ("none", none),
        ("nonsense", "nonsense"),
        ("other", "<x/>"),
    ] {
        fs::write(at.join(name), text).unwrap();
    }
    let decrypt = |key: &'static str| ["decrypt", key, "photo.jpg", "-o", "out"];
    for (arguments, sentence) in [
        (
            &["encrypt", "nothing.jpg"][..],
            "nothing.jpg cannot be read",
        ),
        (
            &["encrypt", "photo.jpg", "-o", "no/where"],
            "no/where cannot be written",
        ),
        (
            &["encrypt", "photo.jpg", "--url", "http://a/b"],
            "has to begin with https://",
        ),
        (
            &["encrypt", "photo.jpg", "--url", "https://a/b#c"],
            "the link is no valid URL",
        ),
        (&decrypt("aesgcm://a/b"), "the link has no key"),
        (
            &decrypt("aesgcm://a/b#12"),
            "not 88 or 96 hexadecimal digits",
        ),
        (&decrypt("missing"), "missing cannot be read"),
        (
            &decrypt("nonsense"),
            "neither an aesgcm:// link nor an element",
        ),
        (&decrypt("other"), "this is no <file-sharing/>"),
        (&decrypt("unknown"), "the cipher 'urn:rot13' is not known"),
        (&decrypt("none"), "the element names no encrypted source"),
    ] {
        let output = omemo(at, arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(
            complaint(&output).contains(sentence),
            "{arguments:?}: {}",
            complaint(&output)
        );
    }
    assert_eq!(
        names(at),
        ["none", "nonsense", "other", "photo.jpg", "unknown"]
    );
}
