//! Runs cases against an implementation and judges what comes of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::case::{Case, Expected, Step, VectorFile};
use crate::deviation::Deviations;
use crate::implementation::{Answer, Broken, Implementation, Operation};

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Everything came as it must.
    Passed,
    /// It chose otherwise than this project where it may: see [`Flag`](crate::Flag).
    Allowed,
    /// Something else came, which a known deviation explains.
    Explained {
        /// The number of the deviation, from 0 on.
        deviation: usize,
    },
    /// It lacks the operation.
    Unsupported {
        /// Which.
        operation: Operation,
        /// In its own words.
        words: String,
    },
    /// Something else came than what must.
    Failed {
        /// The number of the step, from 1 on.
        step: usize,
        /// What it was asked to do.
        operation: Operation,
        /// In what the answer differs, for people.
        difference: String,
    },
}

/// How much is asked of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way to compare")]
pub enum Reasons {
    /// The very reason that the vectors name: for this project's library.
    Exact,
    /// Any reason: for others, who have other words.
    Any,
}

/// What an implementation is held to.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a value that others build")]
pub struct Judge {
    /// How much is asked of refusals.
    pub reasons: Reasons,
    /// What is known of the implementation.
    pub deviations: Deviations,
}

/// Runs one case. A failure that nothing explains ends it.
///
/// # Errors
///
/// [`Broken`] if the implementation gives no answer.
pub fn run_case(
    implementation: &mut dyn Implementation,
    (name, file): (&str, &VectorFile),
    case: &Case,
    judge: &Judge,
) -> Result<Outcome, Broken> {
    let mut outcome = Outcome::Passed;
    for (number, step) in (1..).zip(&case.steps) {
        let operation = step.operation;
        let answer = implementation.perform(&step.request(file.protocol))?;
        match verdict(answer, case, step, judge.reasons) {
            Verdict::Good => {}
            Verdict::Allowed if matches!(outcome, Outcome::Passed) => outcome = Outcome::Allowed,
            Verdict::Allowed => {}
            Verdict::Lacking(words) => return Ok(Outcome::Unsupported { operation, words }),
            Verdict::Bad(difference) => {
                let explained = judge.deviations.explains(name, &case.id, operation);
                let Some(deviation) = explained else {
                    return Ok(Outcome::Failed {
                        step: number,
                        operation,
                        difference,
                    });
                };
                outcome = Outcome::Explained { deviation };
            }
        }
    }
    Ok(outcome)
}

/// What is to be said of one answer.
enum Verdict {
    Good,
    Allowed,
    Lacking(String),
    Bad(String),
}

fn verdict(answer: Answer, case: &Case, step: &Step, reasons: Reasons) -> Verdict {
    let difference = match (answer, &step.expected) {
        (Answer::Unsupported(words), _) => return Verdict::Lacking(words),
        (Answer::Output(output), Expected::Output(expected)) => compare(&output, expected),
        (Answer::Refused(reason), Expected::Refused(expected)) => (reasons == Reasons::Exact
            && reason != *expected)
            .then(|| format!("refused as {reason}, and not as {expected}")),
        (Answer::Refused(_), Expected::Output(_)) if case.may_be_refused() => {
            return Verdict::Allowed;
        }
        (Answer::Refused(reason), Expected::Output(_)) => Some(format!("refused: {reason}")),
        (Answer::Output(_), Expected::Refused(_)) if case.may_be_accepted() => {
            return Verdict::Allowed;
        }
        (Answer::Output(_), Expected::Refused(expected)) => {
            Some(format!("accepted, and must be refused: {expected}"))
        }
    };
    difference.map_or(Verdict::Good, Verdict::Bad)
}

/// The first field that is not as it must be. Fields that nobody expects are nobody's business; where the field `x` may
/// have other values as well, `x_or` lists them.
fn compare(output: &Map<String, Value>, expected: &Map<String, Value>) -> Option<String> {
    let fields = expected.iter().filter(|(name, _)| !name.ends_with(OTHERS));
    fields.into_iter().find_map(|(name, value)| {
        let found = output.get(name).unwrap_or(&Value::Null);
        let others = expected.get(&format!("{name}{OTHERS}"));
        let as_good = others
            .and_then(Value::as_array)
            .is_some_and(|others| others.contains(found));
        (found != value && !as_good).then(|| format!("{name} is {found}, and not {value}"))
    })
}

/// Ends the name of the field that lists further good values of another.
const OTHERS: &str = "_or";

/// How many cases came out how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Count {
    /// As they must.
    pub passed: usize,
    /// Otherwise, where that is allowed.
    pub allowed: usize,
    /// Not as they must, for a known reason.
    pub explained: usize,
    /// Not as they must.
    pub failed: usize,
    /// Not at all.
    pub unsupported: usize,
    /// Cases that hold something to be refused, of all of them.
    pub invalid: usize,
}

impl Count {
    /// Counts one case.
    pub const fn add(&mut self, case_is_invalid: bool, outcome: &Outcome) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Allowed => self.allowed += 1,
            Outcome::Explained { .. } => self.explained += 1,
            Outcome::Failed { .. } => self.failed += 1,
            Outcome::Unsupported { .. } => self.unsupported += 1,
        }
        if case_is_invalid {
            self.invalid += 1;
        }
    }

    /// All cases.
    #[must_use]
    pub const fn all(&self) -> usize {
        self.passed + self.allowed + self.explained + self.failed + self.unsupported
    }
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.allowed += other.allowed;
        self.explained += other.explained;
        self.failed += other.failed;
        self.unsupported += other.unsupported;
        self.invalid += other.invalid;
    }
}

/// What became of the cases of one file.
#[derive(Debug)]
#[non_exhaustive]
pub struct FileReport {
    /// The file's name, without ending.
    pub name: String,
    /// The sums.
    pub count: Count,
    /// The cases that failed or were explained, by id.
    pub failures: BTreeMap<String, Outcome>,
    /// The operations that are lacking, and what the implementation says of that.
    pub lacking: BTreeMap<Operation, String>,
}

/// Runs all cases of a file.
///
/// # Errors
///
/// [`Broken`] if the implementation gives no answer.
pub fn run_file(
    implementation: &mut dyn Implementation,
    name: &str,
    file: &VectorFile,
    judge: &Judge,
) -> Result<FileReport, Broken> {
    let mut report = FileReport {
        name: name.to_owned(),
        count: Count::default(),
        failures: BTreeMap::new(),
        lacking: BTreeMap::new(),
    };
    for case in &file.cases {
        let outcome = run_case(implementation, (name, file), case, judge)?;
        report.count.add(case.is_invalid(), &outcome);
        match outcome {
            Outcome::Unsupported { operation, words } => {
                report.lacking.insert(operation, words);
            }
            bad @ (Outcome::Failed { .. } | Outcome::Explained { .. }) => {
                report.failures.insert(case.id.clone(), bad);
            }
            Outcome::Passed | Outcome::Allowed => {}
        }
    }
    Ok(report)
}
