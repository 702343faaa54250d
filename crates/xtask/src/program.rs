//! Runs a program: all of its output into a file, with a limit of time, and nothing of it left behind.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How often to look at the clock.
const BEAT: Duration = Duration::from_millis(500);

/// What became of a program.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) ok: bool,
    /// Both of its outputs, in the order in which they were written.
    pub(crate) output: String,
}

/// Runs a program to its end. `watch` gets each line as it comes, and `None` every now and then.
pub(crate) fn run(
    command: &mut Command,
    limit: Duration,
    log: &Path,
    watch: &mut dyn FnMut(Option<&str>),
) -> Finished {
    attempt(command, limit, log, watch).unwrap_or_else(|error| Finished {
        ok: false,
        output: format!("{command:?}: {error}\n"),
    })
}

fn attempt(
    command: &mut Command,
    limit: Duration,
    log: &Path,
    watch: &mut dyn FnMut(Option<&str>),
) -> io::Result<Finished> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut log = File::options().create(true).append(true).open(log)?;
    writeln!(log, "$ {command:?}")?;
    let (reader, writer) = io::pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = command.spawn()?;
    // The command holds our ends of the pipe; as long as they are open, the output has no end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (sender, lines) = channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|length| length > 0)
        {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(text).is_err() {
                break;
            }
            line.clear();
        }
    });

    let started = Instant::now();
    let mut output = String::new();
    let mut status = None;
    loop {
        match lines.recv_timeout(BEAT) {
            Ok(line) => {
                writeln!(log, "{line}")?;
                output.push_str(&line);
                output.push('\n');
                watch(Some(&line));
            }
            Err(RecvTimeoutError::Timeout) => watch(None),
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if status.is_none() && started.elapsed() > limit {
            output.push_str(&format!("stopped: it took longer than {limit:?}\n"));
            kill_tree(child.id());
            child.wait()?;
            return Ok(Finished { ok: false, output });
        }
        // Something that it started may hold the output open for ever; it gets one more silent moment.
        match (status, child.try_wait()?) {
            (None, Some(ended)) => status = Some((ended, Instant::now())),
            (Some((_, when)), _) if when.elapsed() > 10 * BEAT => break,
            _ => {}
        }
    }
    let ok = child.wait()?.success();
    Ok(Finished { ok, output })
}

/// Kills a process and everything that it has started; parents first, so that none goes on when its child is gone.
fn kill_tree(id: u32) {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let child: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name, in parentheses, may hold anything; after it come the state and the parent.
            let (_, rest) = stat.rsplit_once(')')?;
            Some((child, rest.split_whitespace().nth(1)?.parse().ok()?))
        })
        .collect();
    let mut family = vec![id];
    let mut at = 0;
    while let Some(&parent) = family.get(at) {
        family.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(child, _)| *child),
        );
        at += 1;
    }
    for member in &family {
        // One that has ended meanwhile needs no signal.
        let _ = Command::new("kill")
            .args(["-KILL", &member.to_string()])
            .stderr(Stdio::null())
            .status();
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn shell(script: &str, limit: Duration) -> Finished {
        let log = std::env::temp_dir().join(format!("xtask-program-{}.log", std::process::id()));
        let finished = run(
            Command::new("sh").args(["-c", script]),
            limit,
            &log,
            &mut |_| {},
        );
        // Two tests may share it.
        let _ = fs::remove_file(log);
        finished
    }

    #[test]
    fn both_outputs_come_in_order_and_the_status_counts() {
        let finished = shell(
            "echo one; echo two >&2; echo three; exit 3",
            Duration::from_secs(60),
        );
        assert_eq!(finished.output, "one\ntwo\nthree\n");
        assert!(!finished.ok);
    }

    #[test]
    fn a_program_that_takes_too_long_ends_with_all_that_it_has_started() {
        let started = Instant::now();
        let finished = shell("sleep 300 & echo $!; wait", Duration::from_secs(2));
        assert!(
            !finished.ok && finished.output.contains("stopped"),
            "{finished:?}"
        );
        assert!(started.elapsed() < Duration::from_secs(60));
        let child = finished.output.lines().next().unwrap();
        let status = PathBuf::from("/proc").join(child).join("status");
        // The kernel takes a moment, and whoever inherits it another one.
        let sleeps = || fs::read_to_string(&status).is_ok_and(|status| !status.contains("zombie"));
        while sleeps() {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "it still sleeps"
            );
            thread::sleep(BEAT);
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let finished = run(
            &mut Command::new("no-such-program"),
            Duration::from_secs(60),
            &std::env::temp_dir().join("xtask-program-missing.log"),
            &mut |_| {},
        );
        assert!(
            !finished.ok && finished.output.contains("no-such-program"),
            "{finished:?}"
        );
    }
}
