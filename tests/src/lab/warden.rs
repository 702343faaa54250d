//! Sees to it that nothing of a lab outlives the harness.
//!
//! A small shell process holds one end of a pipe whose other end is ours. When we go, by whatever way, it reads the end of
//! input, ends every process of the lab and removes the lab's folder. No other way of cleaning up exists, so that the
//! one that there is runs every time.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const SCRIPT: &str = include_str!("../../lab/warden.sh");

#[derive(Debug)]
pub(super) struct Warden {
    folder: PathBuf,
    process: Child,
}

impl Warden {
    pub(super) fn post(keep: bool) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("omemo-lab-")
            .tempdir()
            .expect("a temporary folder")
            // The warden removes it, also when we cannot.
            .keep()
            .canonicalize()
            .expect("the temporary folder's real path");
        if keep {
            fs::write(folder.join("keep"), "").expect("a note to keep the folder");
        }
        let process = Command::new("sh")
            .args(["-c", SCRIPT, "warden"])
            .arg(&folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own: Ctrl-C is for us, not for the warden.
            .process_group(0)
            .spawn()
            .expect("a shell that watches over the lab");
        Self { folder, process }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn subfolder(&self, name: &str) -> PathBuf {
        let folder = self.folder.join(name);
        fs::create_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        folder
    }

    /// Has the process `id`, which runs in the subfolder `name`, ended with the lab.
    pub(super) fn watch(&self, name: &str, id: u32) {
        fs::write(self.folder.join(name).join("main.pid"), format!("{id}\n"))
            .expect("a note of a process's id");
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // Bounded: the script gives up after ten seconds.
        let _ = self.process.wait();
    }
}
