//! The processes that are killed.

use std::collections::VecDeque;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread::spawn;

use serde_json::Value;

use super::{Line, Sending};
use crate::worker;

/// A process as the server knows it.
pub(super) struct Process {
    pub(super) name: &'static str,
    pub(super) full: String,
    pub(super) to: &'static str,
    pub(super) protocols: &'static str,
    /// In which protocols its recipients have to be served.
    pub(super) serves: &'static [&'static str],
    pub(super) folder: PathBuf,
    pub(super) clock: i64,
    pub(super) life: u32,
    pub(super) child: Child,
    pub(super) input: ChildStdin,
    /// What was sent to it and not handled yet, by any of its lives.
    pub(super) queue: VecDeque<String>,
    pub(super) sendings: Vec<Sending>,
    /// All that it ever was to send.
    pub(super) ids: Vec<String>,
}

impl Process {
    pub(super) fn account(&self) -> &str {
        self.full.split('/').next().unwrap()
    }

    pub(super) fn tell(&mut self, command: &Value) {
        // It may have been killed meanwhile.
        let _ = self.input.write_all(format!("{command}\n").as_bytes());
    }
}

/// Starts a process, which prints to the sender as long as it lives.
pub(super) fn start(
    at: usize,
    life: u32,
    folder: &Path,
    jid: &str,
    protocols: &str,
    clock: i64,
    sender: &Sender<Line>,
) -> (Child, ChildStdin) {
    let errors = fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("errors"))
        .unwrap();
    let mut child = Command::new(env::current_exe().unwrap())
        .arg(worker::ARGUMENT)
        .arg(folder)
        .args([jid, protocols, &clock.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let sender = sender.clone();
    spawn(move || {
        for text in output.lines().map_while(Result::ok) {
            if sender.send((at, life, Some(text))).is_err() {
                return;
            }
        }
        let _ = sender.send((at, life, None));
    });
    let input = child.stdin.take().unwrap();
    (child, input)
}

/// Copies a store with its write-ahead log.
pub(super) fn copy_store(folder: &Path, from: &str, to: &str) {
    for suffix in ["", "-wal"] {
        let (from, to) = (
            folder.join(format!("{from}{suffix}")),
            folder.join(format!("{to}{suffix}")),
        );
        let _ = fs::remove_file(&to);
        if from.exists() {
            fs::copy(from, to).unwrap();
        }
    }
    // An index of the log as it was: it is made anew.
    let _ = fs::remove_file(folder.join(format!("{to}-shm")));
}
