//! The files as a whole: where they come from, and what they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use omemo::Version;
use omemo_vectors::{Case, VectorFile, generate, to_text};

use crate::common::{committed, folder};

/// What other implementations have said, which no generator gives.
const RECORDED: &str = "recorded/";

#[test]
fn the_generator_gives_byte_for_byte_what_is_committed() {
    let generated = generate().unwrap();
    for (name, file) in &generated {
        let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let here = to_text(file).unwrap();
        // Not compared by a macro, which would print megabytes.
        if let Some(line) = first_difference(&text, &here) {
            panic!("{name}.json, line {line}: run `omemo vectors generate`");
        }
    }
    let generated: BTreeSet<_> = generated.into_iter().map(|(name, _)| name).collect();
    let committed: BTreeSet<_> = committed()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with(RECORDED))
        .collect();
    assert_eq!(committed, generated, "files without a generator");
}

/// The number of the first line in which two texts differ.
fn first_difference(one: &str, other: &str) -> Option<usize> {
    if one == other {
        return None;
    }
    let same = one
        .lines()
        .zip(other.lines())
        .take_while(|(one, other)| one == other);
    Some(same.count() + 1)
}

#[test]
fn everything_committed_is_written_as_the_generator_writes() {
    for (name, file) in committed() {
        let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let line = first_difference(&text, &to_text(&file).unwrap());
        assert_eq!(line, None, "{name}.json, first line that differs");
    }
}

#[test]
fn an_id_names_one_case_of_a_file() {
    for (name, file) in committed() {
        let mut ids = BTreeSet::new();
        for case in &file.cases {
            assert!(ids.insert(&case.id), "{name} has {:?} twice", case.id);
            assert!(!case.steps.is_empty(), "{name}/{} does nothing", case.id);
        }
    }
}

#[test]
fn no_two_cases_ask_the_same_of_an_element() {
    for (name, file) in committed() {
        let mut asked = BTreeMap::new();
        for case in &file.cases {
            if let [step] = case.steps.as_slice()
                && let Some(xml) = step.input.get("xml")
                && let Some(before) = asked.insert(xml.as_str().unwrap(), &case.id)
            {
                panic!("{name}: {} asks what {before} asks", case.id);
            }
        }
    }
}

/// A case of which there is one for every bit of a signature: they would outweigh all others.
fn is_bit_of_signature(file: &VectorFile, case: &Case) -> bool {
    file.layer == "signatures" && case.id.starts_with("flip-")
}

#[test]
fn most_cases_of_either_protocol_hold_something_to_be_refused() {
    for version in Version::ALL {
        let mut bits = 0;
        let (mut all, mut invalid) = (0, 0);
        for (_, file) in committed() {
            if file.protocol != version {
                continue;
            }
            for case in &file.cases {
                if is_bit_of_signature(&file, case) {
                    bits += 1;
                } else {
                    all += 1;
                    invalid += usize::from(case.is_invalid());
                }
            }
        }
        assert_eq!(bits, 512, "{version:?}: the bits of a signature");
        assert!(all >= 400, "{version:?}: {all} cases");
        assert!(
            invalid * 100 >= all * 60,
            "{version:?}: {invalid} of {all} cases are invalid"
        );
    }
}
