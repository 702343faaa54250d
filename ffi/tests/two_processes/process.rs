//! A process that can be killed: the app, or its extension.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread::spawn;

/// What a process has printed, and in which of its lives; `None` at the end of its output.
pub(crate) type Line = (usize, u32, Option<String>);

/// A message that waits until the process has said that it was handled.
pub(crate) struct Waiting {
    pub(crate) number: u64,
    pub(crate) stanza: String,
}

pub(crate) struct Process {
    /// Which of the two it is.
    at: usize,
    program: PathBuf,
    folder: PathBuf,
    jid: &'static str,
    full: &'static str,
    sender: Sender<Line>,
    child: Child,
    input: ChildStdin,
    pub(crate) life: u32,
    pub(crate) waiting: Vec<Waiting>,
}

impl Process {
    pub(crate) fn start(
        at: usize,
        program: &Path,
        folder: &Path,
        (jid, full): (&'static str, &'static str),
        sender: &Sender<Line>,
        ahead: i64,
    ) -> Self {
        let arguments = [jid, full, &ahead.to_string()];
        let (child, input) = spawn_worker((at, 0), program, folder, arguments, sender);
        Self {
            at,
            program: program.to_owned(),
            folder: folder.to_owned(),
            jid,
            full,
            sender: sender.clone(),
            child,
            input,
            life: 0,
            waiting: Vec::new(),
        }
    }

    pub(crate) fn tell(&mut self, command: &str) {
        // It may have been killed meanwhile.
        let _ = self.input.write_all(format!("{command}\n").as_bytes());
    }

    /// Delivers a message, now and in every later life until it was handled.
    pub(crate) fn deliver(&mut self, number: u64, stanza: &str) {
        self.tell(&format!("receive {number} {stanza}"));
        self.waiting.push(Waiting {
            number,
            stanza: stanza.to_owned(),
        });
    }

    pub(crate) fn deliver_again(&mut self) {
        for waiting in std::mem::take(&mut self.waiting) {
            self.deliver(waiting.number, &waiting.stanza);
        }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn start_again(&mut self, ahead: i64) {
        self.life += 1;
        let arguments = [self.jid, self.full, &ahead.to_string()];
        let which = (self.at, self.life);
        let started = spawn_worker(which, &self.program, &self.folder, arguments, &self.sender);
        (self.child, self.input) = started;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn_worker(
    (at, life): (usize, u32),
    program: &Path,
    folder: &Path,
    arguments: [&str; 3],
    sender: &Sender<Line>,
) -> (Child, ChildStdin) {
    let errors = File::options()
        .create(true)
        .append(true)
        .open(folder.join("errors"))
        .unwrap();
    let mut child = Command::new(program)
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let sender = sender.clone();
    spawn(move || {
        let mut line = String::new();
        // A line without its end is one that a kill has cut: nobody has heard it.
        while output.read_line(&mut line).is_ok() && line.ends_with('\n') {
            line.pop();
            if sender
                .send((at, life, Some(std::mem::take(&mut line))))
                .is_err()
            {
                return;
            }
        }
        let _ = sender.send((at, life, None));
    });
    let input = child.stdin.take().unwrap();
    (child, input)
}
