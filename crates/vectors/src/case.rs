//! The files: what a case is, and how a folder of them is read.

use std::fs;
use std::path::{Path, PathBuf};

use omemo_ratchet::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::implementation::{Answer, Operation, Request, protocol};

/// The name and version of the format, which every file says first.
pub const FORMAT: &str = "omemo-test-vectors-1";

/// One file: cases of one layer and one protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the format; a change is a new one"
)]
pub struct VectorFile {
    /// [`FORMAT`].
    pub format: String,
    /// Which layer: `keys`, `signatures`, …
    pub layer: String,
    /// In which protocol.
    #[serde(with = "protocol")]
    pub protocol: Version,
    /// What the cases are about, for people.
    pub about: String,
    /// Where the cases come from, if not from this project's generator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case: some steps, each with what must come of it. Most cases have one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the format; a change is a new one"
)]
pub struct Case {
    /// Its name, which no other case of the file has.
    pub id: String,
    /// What it shows, for people.
    pub about: String,
    /// What else is to be known about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// The steps, in order, on one implementation.
    pub steps: Vec<Step>,
}

/// What is to be known about a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Flag {
    /// The specifications do not demand to refuse this input; this project does, and says why in `about`. An
    /// implementation that accepts it is lenient, not wrong.
    Hardening,
    /// The specifications leave the limit to the implementation.
    Limit,
    /// The specifications know no such input, but clients in use send it, and this project takes it. An implementation
    /// that refuses it is strict, not wrong.
    Tolerance,
}

/// One operation and what must come of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the format; a change is a new one"
)]
pub struct Step {
    /// What to do.
    pub operation: Operation,
    /// With what.
    pub input: Map<String, Value>,
    /// What must come of it.
    #[serde(flatten)]
    pub expected: Expected,
}

/// What must come of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "there is nothing else to expect")]
pub enum Expected {
    /// This output, field by field.
    Output(Map<String, Value>),
    /// A refusal, in this project's words for the reason.
    Refused(String),
}

impl Case {
    /// Whether something in it must be refused.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step.expected, Expected::Refused(_)))
    }

    /// Whether an implementation may accept what is refused here.
    #[must_use]
    pub fn may_be_accepted(&self) -> bool {
        let free = [Flag::Hardening, Flag::Limit];
        self.flags.iter().any(|flag| free.contains(flag))
    }

    /// Whether an implementation may refuse what is accepted here.
    #[must_use]
    pub fn may_be_refused(&self) -> bool {
        let free = [Flag::Tolerance, Flag::Limit];
        self.flags.iter().any(|flag| free.contains(flag))
    }
}

impl Step {
    /// The step as a question.
    #[must_use]
    pub fn request(&self, protocol: Version) -> Request {
        Request {
            operation: self.operation,
            protocol,
            input: self.input.clone(),
        }
    }
}

impl Expected {
    /// What an implementation answered, as something to expect of others; `None` where it answered nothing.
    #[must_use]
    pub fn of(answer: Answer) -> Option<Self> {
        match answer {
            Answer::Output(output) => Some(Self::Output(output)),
            Answer::Refused(reason) => Some(Self::Refused(reason)),
            Answer::Unsupported(_) => None,
        }
    }
}

/// Why vectors could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The folder or a file in it cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not in the format.
    #[error("{} holds no test vectors: {error}", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// Why.
        error: serde_json::Error,
    },
    /// The file is in another version of the format.
    #[error("{} is in the format {found:?}, this program reads {FORMAT:?}", path.display())]
    Version {
        /// Which.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// There is nothing to run.
    #[error("{} holds no vectors (*.json, also in folders below)", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

/// Reads all vectors of a folder and the folders in it, by name. The schema is no vector.
///
/// # Errors
///
/// [`FileError`] names the first file that is wrong.
pub fn read_folder(folder: &Path) -> Result<Vec<(String, VectorFile)>, FileError> {
    let mut files = Vec::new();
    collect(folder, "", &mut files)?;
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    if files.is_empty() {
        return Err(FileError::Empty {
            path: folder.to_owned(),
        });
    }
    Ok(files)
}

fn collect(
    folder: &Path,
    above: &str,
    files: &mut Vec<(String, VectorFile)>,
) -> Result<(), FileError> {
    let refuse = |error| FileError::Read {
        path: folder.to_owned(),
        error,
    };
    for entry in fs::read_dir(folder).map_err(refuse)? {
        let path = entry.map_err(refuse)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{above}{name}");
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else if let Some(stem) = name.strip_suffix(".json").filter(|stem| *stem != "schema") {
            files.push((stem.to_owned(), read_file(&path)?));
        }
    }
    Ok(())
}

/// Reads one file.
///
/// # Errors
///
/// [`FileError`] says what is wrong with it.
pub fn read_file(path: &Path) -> Result<VectorFile, FileError> {
    let text = fs::read_to_string(path).map_err(|error| FileError::Read {
        path: path.to_owned(),
        error,
    })?;
    let file: VectorFile = serde_json::from_str(&text).map_err(|error| FileError::Format {
        path: path.to_owned(),
        error,
    })?;
    if file.format == FORMAT {
        Ok(file)
    } else {
        Err(FileError::Version {
            path: path.to_owned(),
            found: file.format,
        })
    }
}
