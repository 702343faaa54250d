//! Known deviations: cases in which an implementation differs, and why.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::case::FileError;
use crate::implementation::Operation;

/// The deviations of one implementation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Deviations {
    /// Whose.
    pub implementation: String,
    /// Each of them.
    pub deviations: Vec<Deviation>,
}

/// A deviation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Deviation {
    /// The cases, as `FILE/CASE`; a `*` stands for any characters.
    pub cases: Vec<String>,
    /// The operation in whose answers it shows; without it, all of the case's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// What the implementation does, and what follows, for people.
    pub why: String,
}

impl Deviations {
    /// Reads a file of deviations.
    ///
    /// # Errors
    ///
    /// [`FileError`] says what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let text = fs::read_to_string(path).map_err(|error| FileError::Read {
            path: path.to_owned(),
            error,
        })?;
        serde_json::from_str(&text).map_err(|error| FileError::Format {
            path: path.to_owned(),
            error,
        })
    }

    /// The number of the first deviation, from 0 on, that explains an unexpected answer to this operation in this case.
    #[must_use]
    pub fn explains(&self, file: &str, case: &str, operation: Operation) -> Option<usize> {
        let name = format!("{file}/{case}");
        self.deviations.iter().position(|deviation| {
            deviation.operation.is_none_or(|only| only == operation)
                && deviation.cases.iter().any(|pattern| fits(pattern, &name))
        })
    }
}

/// Whether a name fits a pattern in which `*` stands for any characters.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            (0..=name.len())
                .filter_map(|at| name.get(at..))
                .any(|tail| fits(rest, tail))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/bc", false),
            ("a/*", "a/", true),
            ("*/b-*-d", "x/y/b-c-d", true),
            ("*/b-*-d", "x/b-d", false),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn the_first_deviation_explains() {
        let deviations = Deviations {
            implementation: "it".into(),
            deviations: ["keys-*/x", "keys-legacy/*"]
                .map(|pattern| Deviation {
                    cases: vec![pattern.into()],
                    operation: (pattern == "keys-*/x").then_some(Operation::Verify),
                    why: "because".into(),
                })
                .to_vec(),
        };
        let explains = |file, case| deviations.explains(file, case, Operation::Verify);
        assert_eq!(explains("keys-legacy", "x"), Some(0));
        assert_eq!(explains("keys-legacy", "y"), Some(1));
        assert_eq!(explains("kdf-legacy", "y"), None);
        assert_eq!(
            deviations.explains("keys-omemo2", "x", Operation::Sign),
            None
        );
    }
}
