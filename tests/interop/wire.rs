//! What the servers saw of all conversations before: looked at last.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use omemo_tests::lab::Lab;
use omemo_tests::scenario::Scenario;
use omemo_tests::wire::{LEGACY, Ledger, OMEMO2};

/// What surely stands in the servers' files.
const CONTROL: &str = "b.localhost";

/// Run after all others, whatever names were given: they judge what those have done.
pub(crate) const LAST: &[Scenario] = &[
    Scenario {
        name: "no_server_saw_a_text",
        run: no_text,
        lacking: || None,
    },
    Scenario {
        name: "every_message_key_has_one_ciphertext",
        run: one_ciphertext,
        lacking: || None,
    },
];

/// Neither in what passed nor in archives, offline stores and logs can any text be found, as it is or in base64.
fn no_text(lab: &Lab) {
    let secrets = lab.secrets();
    let mut needles = Needles::new();
    for secret in &secrets {
        needles.add(secret.as_bytes(), secret);
        // A text inside something that is encoded starts at one of three places.
        for shift in 0..3 {
            let core = encoded_core(secret, shift);
            let inside = BASE64.encode(format!("{}{secret}}}", &"{:"[..shift]));
            assert!(
                inside
                    .as_bytes()
                    .windows(core.len())
                    .any(|part| part == core)
            );
            needles.add(&core, secret);
        }
    }
    // Whoever looks for this must find it.
    needles.add(CONTROL.as_bytes(), CONTROL);
    let (mut searched, mut control) = (0, false);
    for folder in lab.server_folders() {
        for_each_file(&folder, &mut |file| {
            let bytes = match fs::read(file) {
                Ok(bytes) => bytes,
                // Servers write their journals anew while we look.
                Err(error) if error.kind() == ErrorKind::NotFound => return,
                Err(error) => panic!("{}: {error}", file.display()),
            };
            searched += bytes.len();
            for found in needles.find(&bytes) {
                control |= found == CONTROL;
                assert_eq!(
                    found,
                    CONTROL,
                    "'{found}' can be read in {}",
                    file.display()
                );
            }
        });
    }
    let encrypted = lab
        .captured()
        .iter()
        .filter(|capture| capture.xml.contains("<encrypted"))
        .count();
    assert!(control, "nothing at all was found: this has shown nothing");
    assert!(
        secrets.is_empty() || encrypted > 0,
        "no encrypted stanza was captured: this has shown nothing"
    );
    println!(
        "{} texts looked for in {searched} bytes; {encrypted} encrypted stanzas passed",
        secrets.len()
    );
}

fn one_ciphertext(lab: &Lab) {
    let mut ledger = Ledger::default();
    for capture in lab
        .captured()
        .iter()
        .filter(|capture| capture.xml.contains("<encrypted"))
    {
        if let Err(reuse) = ledger.enter(&capture.stanza(), &capture.peer) {
            panic!("{reuse}\n{}", capture.xml);
        }
    }
    let (new, old) = (ledger.keys(OMEMO2), ledger.keys(LEGACY));
    assert!(
        lab.secrets().is_empty() || new + old > 0,
        "no message key was seen: this has shown nothing"
    );
    println!("{new} message keys of omemo:2 and {old} legacy ones, each with one ciphertext");
}

/// The part of an encoding that is the same whatever stands around the text.
fn encoded_core(secret: &str, shift: usize) -> Vec<u8> {
    let skipped = (3 - shift) % 3;
    let whole = (secret.len() - skipped) / 3 * 3;
    BASE64
        .encode(&secret.as_bytes()[skipped..skipped + whole])
        .into_bytes()
}

fn for_each_file(folder: &Path, look: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .flatten()
    {
        let path = entry.path();
        let kind = entry.file_type().expect("a kind of file");
        if kind.is_dir() {
            for_each_file(&path, look);
        } else if kind.is_file() {
            look(&path);
        }
    }
}

/// Many things to look for at once, by their first bytes.
struct Needles<'a> {
    by_start: HashMap<[u8; 8], Vec<(Vec<u8>, &'a str)>>,
    /// Which two bytes anything starts with: nearly every place of the megabytes that servers write is done with these.
    pairs: Vec<bool>,
}

impl<'a> Needles<'a> {
    fn new() -> Self {
        Self {
            by_start: HashMap::new(),
            pairs: vec![false; 1 << 16],
        }
    }

    fn add(&mut self, needle: &[u8], name: &'a str) {
        let start: [u8; 8] = *needle.first_chunk().expect("something longer to look for");
        self.pairs[usize::from(u16::from_le_bytes([start[0], start[1]]))] = true;
        self.by_start
            .entry(start)
            .or_default()
            .push((needle.to_vec(), name));
    }

    /// The names of all needles in a haystack, each as often as it is there.
    fn find<'n>(&'n self, haystack: &'n [u8]) -> impl Iterator<Item = &'a str> + 'n {
        let is_possible = |(_, pair): &(usize, &[u8])| {
            self.pairs[usize::from(u16::from_le_bytes([pair[0], pair[1]]))]
        };
        let places = haystack.windows(2).enumerate().filter(is_possible);
        places.flat_map(move |(at, _)| {
            let rest = &haystack[at..];
            let candidates = rest
                .first_chunk()
                .and_then(|start| self.by_start.get(start))
                .into_iter()
                .flatten();
            candidates
                .filter(move |(needle, _)| rest.starts_with(needle))
                .map(|(_, name)| *name)
        })
    }
}
