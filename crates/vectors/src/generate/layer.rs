//! How a file's cases are written down.

use omemo_ratchet::Version;
use serde_json::{Map, Value};

use super::Disagreement;
use super::seed::Seed;
use crate::case::{Case, Expected, FORMAT, Flag, Step, VectorFile};
use crate::implementation::{Answer, Implementation, Operation, Request};
use crate::ours::Ours;

/// A file that is being written.
#[derive(Debug)]
pub(super) struct Layer {
    /// In which protocol.
    pub(super) version: Version,
    file: VectorFile,
}

impl Layer {
    pub(super) fn new(layer: &str, version: Version, about: &str) -> Self {
        let file = VectorFile {
            format: FORMAT.into(),
            layer: layer.into(),
            protocol: version,
            about: about.into(),
            source: None,
            cases: Vec::new(),
        };
        Self { version, file }
    }

    /// The source of this file's bytes.
    pub(super) fn seed(&self, name: impl std::fmt::Display) -> Seed {
        Seed::new(&self.file.layer)
            .part(omemo::short_name(self.version))
            .part(name)
    }

    pub(super) fn finish(self) -> VectorFile {
        self.file
    }

    /// Begins a case.
    pub(super) fn case(&mut self, id: impl Into<String>, about: impl Into<String>) -> Script<'_> {
        Script {
            version: self.version,
            ours: Ours::new(),
            case: Case {
                id: id.into(),
                about: about.into(),
                flags: Vec::new(),
                steps: Vec::new(),
            },
            cases: &mut self.file.cases,
        }
    }
}

/// A case that is being written. It enters the file at its [`end`](Self::end).
#[derive(Debug)]
pub(super) struct Script<'a> {
    version: Version,
    ours: Ours,
    case: Case,
    cases: &'a mut Vec<Case>,
}

impl Script<'_> {
    pub(super) fn flag(mut self, flag: Flag) -> Self {
        self.case.flags.push(flag);
        self
    }

    /// A step that must be accepted; gives its output.
    pub(super) fn accept(
        &mut self,
        operation: Operation,
        input: Value,
    ) -> Result<Map<String, Value>, Disagreement> {
        match self.ask(operation, input) {
            (input, Answer::Output(output)) => {
                let expected = Expected::Output(output.clone());
                self.case.steps.push(Step {
                    operation,
                    input,
                    expected,
                });
                Ok(output)
            }
            (_, answer) => Err(self.disagreement(operation, answer)),
        }
    }

    /// Another value that is as good in the last step's output.
    pub(super) fn or(&mut self, name: &str, value: Value) {
        if let Some(Step {
            expected: Expected::Output(output),
            ..
        }) = self.case.steps.last_mut()
        {
            output.insert(format!("{name}_or"), vec![value].into());
        }
    }

    /// A step that must be refused for this reason.
    pub(super) fn refuse(
        &mut self,
        reason: &str,
        operation: Operation,
        input: Value,
    ) -> Result<(), Disagreement> {
        match self.ask(operation, input) {
            (input, Answer::Refused(found)) if found == reason => {
                let expected = Expected::Refused(found);
                self.case.steps.push(Step {
                    operation,
                    input,
                    expected,
                });
                Ok(())
            }
            (_, answer) => Err(self.disagreement(operation, answer)),
        }
    }

    /// A step that must be refused, for whatever reason the library finds first.
    pub(super) fn refuse_somehow(
        &mut self,
        operation: Operation,
        input: Value,
    ) -> Result<(), Disagreement> {
        match self.ask(operation, input) {
            (input, Answer::Refused(reason)) => {
                let expected = Expected::Refused(reason);
                self.case.steps.push(Step {
                    operation,
                    input,
                    expected,
                });
                Ok(())
            }
            (_, answer) => Err(self.disagreement(operation, answer)),
        }
    }

    pub(super) const fn version(&self) -> Version {
        self.version
    }

    /// The case speaks of somebody whom it does not have.
    pub(super) fn lost(&self, name: &str) -> Disagreement {
        let answer = Answer::Unsupported(format!("there is no {name}"));
        self.disagreement(Operation::Device, answer)
    }

    pub(super) fn end(self) {
        self.cases.push(self.case);
    }

    fn ask(&mut self, operation: Operation, input: Value) -> (Map<String, Value>, Answer) {
        let input = match input {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let request = Request {
            operation,
            protocol: self.version,
            input,
        };
        let answer = match self.ours.perform(&request) {
            Ok(answer) => answer,
            Err(broken) => Answer::Unsupported(broken.to_string()),
        };
        (request.input, answer)
    }

    fn disagreement(&self, operation: Operation, answer: Answer) -> Disagreement {
        Disagreement {
            case: self.case.id.clone(),
            operation,
            answer,
        }
    }
}

/// Cases of one step, the most common kind.
impl Layer {
    /// A case whose only step must be accepted; gives its output.
    pub(super) fn accepted(
        &mut self,
        id: impl Into<String>,
        about: impl Into<String>,
        operation: Operation,
        input: Value,
    ) -> Result<Map<String, Value>, Disagreement> {
        let mut case = self.case(id, about);
        let output = case.accept(operation, input)?;
        case.end();
        Ok(output)
    }

    /// A case whose only step must be refused for this reason.
    pub(super) fn refused(
        &mut self,
        id: impl Into<String>,
        about: impl Into<String>,
        reason: &str,
        operation: Operation,
        input: Value,
    ) -> Result<(), Disagreement> {
        let mut case = self.case(id, about);
        case.refuse(reason, operation, input)?;
        case.end();
        Ok(())
    }

    /// A case whose only step must be refused, for whatever reason the library finds first.
    pub(super) fn refused_somehow(
        &mut self,
        id: impl Into<String>,
        about: impl Into<String>,
        operation: Operation,
        input: Value,
    ) -> Result<(), Disagreement> {
        let mut case = self.case(id, about);
        case.refuse_somehow(operation, input)?;
        case.end();
        Ok(())
    }

    /// A case whose only step this project refuses for this reason, and others may accept.
    pub(super) fn hardened(
        &mut self,
        id: impl Into<String>,
        about: impl Into<String>,
        reason: &str,
        operation: Operation,
        input: Value,
    ) -> Result<(), Disagreement> {
        let mut case = self.case(id, about).flag(Flag::Hardening);
        case.refuse(reason, operation, input)?;
        case.end();
        Ok(())
    }
}
