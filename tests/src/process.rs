//! Child processes with bounded lives: those that run to their end, and those that talk in JSON lines.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::patience::wait_for;

/// Runs a program to its end and returns what it printed.
///
/// # Panics
///
/// When the program cannot be started or fails; the message holds its output.
pub fn run(command: &mut Command) -> String {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| {
            panic!(
                "{} does not start: {error}",
                command.get_program().display()
            )
        });
    let printed = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.success(),
        "{command:?}: {}\n{printed}",
        output.status
    );
    printed
}

/// The last lines of a file, or nothing where there is none.
#[must_use]
pub fn tail(file: &Path, lines: usize) -> String {
    let Ok(text) = fs::read(file) else {
        return String::new();
    };
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..]
        .iter()
        .fold(String::new(), |text, line| text + line + "\n")
}

/// How a talker ended.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it said and nobody had asked for yet, without hints.
    pub events: Vec<Value>,
    /// All that it said, for the message of a failure.
    pub story: String,
}

/// A process that prints one JSON object a line, each with an `event`, and may take commands the same way.
///
/// It is killed when dropped: no test leaves one behind.
#[derive(Debug)]
pub struct Talker {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    /// What nobody has asked for yet.
    unread: VecDeque<Value>,
    /// Events that need not be asked for.
    hints: &'static [&'static str],
    /// Everything, for the message of a failure.
    transcript: Vec<String>,
    errors: PathBuf,
}

impl Talker {
    /// Starts a process. Its standard error goes to a file in `folder`, which is shown when the test fails; its id to
    /// another, by which the lab's warden finds it.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn start(name: &str, folder: &Path, command: &mut Command) -> Self {
        let errors = (0..)
            .map(|number| folder.join(format!("{name}.{number}.stderr")))
            .find(|file| !file.exists())
            .expect("a free file name");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&errors).expect("a file for errors"))
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{} does not start: {error}",
                    command.get_program().display()
                )
            });
        let output = BufReader::new(child.stdout.take().expect("a piped output"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        fs::write(errors.with_extension("pid"), format!("{}\n", child.id()))
            .expect("a note of a process's id");
        let input = child.stdin.take();
        Self {
            name: name.to_owned(),
            child,
            input,
            lines,
            unread: VecDeque::new(),
            hints: &[],
            transcript: Vec::new(),
            errors,
        }
    }

    /// Events of these names may be asked for, and are no surprise where nobody has.
    #[must_use]
    pub fn with_hints(mut self, hints: &'static [&'static str]) -> Self {
        self.hints = hints;
        self
    }

    /// The process's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes one command.
    ///
    /// # Panics
    ///
    /// When the process no longer reads.
    pub fn command(&mut self, command: &Value) {
        let line = format!("{command}\n");
        let written = self.input.as_mut().map(|input| {
            input
                .write_all(line.as_bytes())
                .and_then(|()| input.flush())
        });
        assert!(
            matches!(written, Some(Ok(()))),
            "{} does not take {command}\n{}",
            self.name,
            self.story()
        );
    }

    /// The first event of that name for which `wanted` holds; others stay for later questions.
    ///
    /// # Panics
    ///
    /// When it does not come in time, or the process ends without it; the message holds all that the process has said.
    pub fn expect(
        &mut self,
        event: &str,
        patience: Duration,
        mut wanted: impl FnMut(&Value) -> bool,
    ) -> Value {
        let mut fits = |value: &Value| value["event"] == event && wanted(value);
        if let Some(at) = self.unread.iter().position(&mut fits) {
            return self
                .unread
                .remove(at)
                .expect("an index that was just found");
        }
        let end = Instant::now() + patience;
        loop {
            match self
                .lines
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    let Some(value) = self.take_note(line) else {
                        continue;
                    };
                    if fits(&value) {
                        return value;
                    }
                    self.unread.push_back(value);
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!(
                        "{}: no such `{event}` within {patience:?}\n{}",
                        self.name,
                        self.story()
                    )
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!(
                        "{}: ended without such an `{event}`\n{}",
                        self.name,
                        self.story()
                    )
                }
            }
        }
    }

    /// Everything that was said and not asked for yet, without waiting; hints are left out.
    pub fn unread(&mut self) -> Vec<Value> {
        while let Ok(line) = self.lines.try_recv() {
            if let Some(value) = self.take_note(line) {
                self.unread.push_back(value);
            }
        }
        self.take_unread()
    }

    /// Waits for the process to end by itself.
    ///
    /// # Panics
    ///
    /// When it does not end in time.
    #[must_use]
    pub fn finish(mut self, patience: Duration) -> Finished {
        self.input = None;
        let status = wait_for(patience, || {
            self.child.try_wait().expect("a child's status")
        });
        let Some(status) = status else {
            panic!(
                "{}: still runs after {patience:?}\n{}",
                self.name,
                self.story()
            )
        };
        // The reader's channel closes at the end of the output.
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(5)) {
            if let Some(value) = self.take_note(line) {
                self.unread.push_back(value);
            }
        }
        Finished {
            status,
            events: self.take_unread(),
            story: self.story(),
        }
    }

    /// SIGKILL, now. What the process had said before stays readable.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    pub fn kill(&mut self) {
        self.child.kill().expect("to kill a child");
        self.child.wait().expect("a killed child's status");
    }

    /// All that the process has said, for the message of a failure.
    #[must_use]
    pub fn story(&self) -> String {
        let said: String = self
            .transcript
            .iter()
            .map(|line| format!("    {line}\n"))
            .collect();
        format!(
            "  {} said:\n{said}  and on its standard error:\n{}",
            self.name,
            tail(&self.errors, 30)
        )
    }

    fn take_unread(&mut self) -> Vec<Value> {
        let mut unread: Vec<Value> = self.unread.drain(..).collect();
        unread.retain(|value| !self.hints.iter().any(|hint| value["event"] == *hint));
        unread
    }

    fn take_note(&mut self, line: String) -> Option<Value> {
        let value = serde_json::from_str(&line).ok();
        self.transcript.push(line);
        value
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
