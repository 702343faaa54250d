//! Another implementation, behind a program that speaks the shim protocol (PROTOCOL.md).

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use omemo_ratchet::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::implementation::{Answer, Broken, Implementation, Operation, Request, protocol};

/// No operation takes a tenth of this, not even in an interpreter on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running shim. It is ended when this is dropped.
#[derive(Debug)]
pub struct Shim {
    command: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    last_id: u64,
}

/// A request as it goes over the line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RequestLine<Input> {
    pub(crate) id: u64,
    pub(crate) operation: Operation,
    #[serde(with = "protocol")]
    pub(crate) protocol: Version,
    pub(crate) input: Input,
}

/// An answer as it goes over the line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AnswerLine {
    pub(crate) id: u64,
    #[serde(flatten)]
    pub(crate) answer: Answer,
}

impl Shim {
    /// Starts a program by a command line that the shell understands.
    ///
    /// # Errors
    ///
    /// [`Broken::Start`] if there is no shell.
    pub fn start(command: &str) -> Result<Self, Broken> {
        let refuse = |error| Broken::Start {
            command: command.to_owned(),
            error,
        };
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {command}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(refuse)?;
        let input = child.stdin.take();
        let (sender, lines) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            // A thread of its own, so that waiting can have an end. It ends with the program.
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Ok(Self {
            command: command.to_owned(),
            child,
            input,
            lines,
            last_id: 0,
        })
    }

    /// What it says of itself: its name, version and protocols.
    ///
    /// # Errors
    ///
    /// [`Broken`] if it says nothing of the kind.
    pub fn hello(&mut self) -> Result<Hello, Broken> {
        let request = Request {
            operation: Operation::Hello,
            protocol: Version::Omemo2,
            input: Map::new(),
        };
        match self.perform(&request)? {
            Answer::Output(output) => serde_json::from_value(Value::Object(output.clone()))
                .map_err(|_| self.no_answer(&format!("{output:?}"))),
            other => Err(self.no_answer(&format!("{other:?}"))),
        }
    }

    fn ask(&mut self, request: &Request) -> Option<()> {
        let line = RequestLine {
            id: self.last_id,
            operation: request.operation,
            protocol: request.protocol,
            input: &request.input,
        };
        let mut line = serde_json::to_string(&line).ok()?;
        line.push('\n');
        let input = self.input.as_mut()?;
        input.write_all(line.as_bytes()).ok()?;
        input.flush().ok()
    }

    fn no_answer(&self, line: &str) -> Broken {
        Broken::Answer {
            command: self.command.clone(),
            line: line.chars().take(500).collect(),
        }
    }
}

/// What a shim says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Hello {
    /// The implementation's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The protocols that it speaks, by their short names.
    pub protocols: Vec<String>,
}

impl Hello {
    /// Whether it speaks a protocol.
    #[must_use]
    pub fn speaks(&self, version: Version) -> bool {
        let name = omemo::short_name(version);
        self.protocols.iter().any(|protocol| protocol == name)
    }
}

impl Implementation for Shim {
    fn perform(&mut self, request: &Request) -> Result<Answer, Broken> {
        self.last_id += 1;
        let operation = request.operation;
        let ended = |command: &str| Broken::Ended {
            command: command.to_owned(),
            operation,
        };
        self.ask(request).ok_or_else(|| ended(&self.command))?;
        let line = self
            .lines
            .recv_timeout(PATIENCE)
            .map_err(|error| match error {
                RecvTimeoutError::Disconnected => ended(&self.command),
                RecvTimeoutError::Timeout => Broken::Silent {
                    command: self.command.clone(),
                    operation,
                    seconds: PATIENCE.as_secs(),
                },
            })?;
        match serde_json::from_str::<AnswerLine>(&line) {
            Ok(answer) if answer.id == self.last_id => Ok(answer.answer),
            _ => Err(self.no_answer(&line)),
        }
    }
}

impl Drop for Shim {
    fn drop(&mut self) {
        drop(self.input.take());
        // It ends by itself when its input does; one that hangs is not waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
