//! What the steps of a chore came to: shown while they run, summed up at the end.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::program::{self, Finished};
use crate::style::Style;

/// Lines of output that a failed step shows. The whole is in its log.
const TAIL: usize = 80;

/// Where nobody sees a spinner, a long step says this often that it is alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);

/// So often, if it counts what it does.
const SIGN_OF_PROGRESS: Duration = Duration::from_secs(10);

/// What a step came to.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// All is well.
    Passed {
        /// How many tests passed, where it ran tests.
        tests: Option<usize>,
        /// How many of them could not run here.
        skipped: usize,
    },
    /// It could not run here.
    Skipped(String),
    /// What it found.
    Failed {
        /// What to show.
        output: String,
        /// How many tests passed and failed, where it ran tests.
        tests: Option<(usize, usize)>,
    },
}

impl Verdict {
    pub(crate) const PASSED: Self = Self::Passed {
        tests: None,
        skipped: 0,
    };

    pub(crate) fn failed(output: impl Into<String>) -> Self {
        Self::Failed {
            output: output.into(),
            tests: None,
        }
    }

    fn in_words(&self, style: Style) -> String {
        match self {
            Self::Passed { tests, skipped } => {
                let mut words = style.good("ok");
                if let Some(tests) = tests {
                    words += &format!(", {tests} tests");
                }
                if *skipped > 0 {
                    words += &format!(", {}", style.odd(&format!("{skipped} SKIPPED")));
                }
                words
            }
            Self::Skipped(_) => style.odd("SKIPPED"),
            Self::Failed { .. } => style.bad("FAILED"),
        }
    }
}

#[derive(Debug)]
struct Row {
    name: String,
    took: Duration,
    verdict: Verdict,
}

/// The report of one chore.
#[derive(Debug)]
pub(crate) struct Report {
    logs: PathBuf,
    style: Style,
    started: Instant,
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn new(logs: PathBuf) -> Self {
        Self {
            logs,
            style: Style::of_this_terminal(),
            started: Instant::now(),
            rows: Vec::new(),
        }
    }

    /// Runs one step, and shows what it came to. Says whether it passed.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce(&Step) -> Verdict) -> bool {
        let step = Step::begin(name, self);
        let started = Instant::now();
        let verdict = work(&step);
        let took = started.elapsed();
        step.bar.finish_and_clear();
        println!(
            "{name:<12} {} ({})",
            verdict.in_words(self.style),
            seconds(took)
        );
        match &verdict {
            Verdict::Passed { .. } => {}
            Verdict::Skipped(reason) => println!("{}", indent(reason)),
            Verdict::Failed { output, .. } => {
                println!("{}", indent(&tail(output)));
                if step.log.exists() {
                    println!("    the whole: {}", step.log.display());
                }
            }
        }
        let passed = matches!(verdict, Verdict::Passed { .. });
        self.rows.push(Row {
            name: name.to_owned(),
            took,
            verdict,
        });
        passed
    }

    /// Shows the table and the sum; the last line is for programs.
    pub(crate) fn finish(self) -> ExitCode {
        let (mut passed, mut failed, mut skipped) = (0, 0, 0);
        println!("\n{}", self.style.strong("step           time  result"));
        for row in &self.rows {
            match row.verdict {
                Verdict::Passed {
                    tests,
                    skipped: some,
                } => {
                    passed += tests.unwrap_or(1);
                    skipped += some;
                }
                Verdict::Skipped(_) => skipped += 1,
                Verdict::Failed { tests, .. } => {
                    // A step that failed before or beside its tests is a failure of its own.
                    let (good, bad) = tests.unwrap_or_default();
                    passed += good;
                    failed += bad.max(1);
                }
            }
            let result = row.verdict.in_words(self.style);
            println!("{:<10} {:>8}  {result}", row.name, seconds(row.took));
        }
        println!("{:<10} {:>8}", "all", seconds(self.started.elapsed()));
        if skipped > 0 {
            println!(
                "{}",
                self.style.odd(&format!(
                    "{skipped} skipped: this machine lacks something, see above"
                ))
            );
        }
        let ok = failed == 0;
        println!(
            "{}",
            if ok {
                self.style.good("PASS")
            } else {
                self.style.bad("FAIL")
            }
        );
        println!("{passed} passed, {failed} failed");
        if ok {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// A running step: shows that it runs, and keeps its output.
#[derive(Debug)]
pub(crate) struct Step {
    name: String,
    log: PathBuf,
    bar: ProgressBar,
    style: Style,
}

impl Step {
    fn begin(name: &str, report: &Report) -> Self {
        let style = report.style;
        let bar = if style.interactive {
            let bar = ProgressBar::new_spinner();
            // The template is a constant; where it is wrong, the default shows.
            if let Ok(template) =
                ProgressStyle::with_template("{spinner} {prefix:<10} {elapsed:>4}  {wide_msg}")
            {
                bar.set_style(template);
            }
            bar.set_prefix(name.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        } else {
            println!("{name} ...");
            ProgressBar::hidden()
        };
        let log = report.logs.join(format!("{name}.log"));
        // A log tells of one run only. Where there is none yet, none needs to go.
        let _ = std::fs::remove_file(&log);
        Self {
            name: name.to_owned(),
            log,
            bar,
            style,
        }
    }

    /// Runs a program as part of this step.
    pub(crate) fn run(&self, command: &mut Command, limit: Duration) -> Finished {
        let started = Instant::now();
        let mut last_sign = started;
        program::run(command, limit, &self.log, &mut |line| {
            let progress = line.and_then(progress);
            if self.style.interactive {
                match (progress, line) {
                    (Some((done, all, words)), _) => self.advance(done, all, words),
                    (None, Some(line)) => self.bar.set_message(line.to_owned()),
                    (None, None) => {}
                }
                return;
            }
            match (progress, line) {
                (Some((done, all, words)), _) if last_sign.elapsed() > SIGN_OF_PROGRESS => {
                    last_sign = Instant::now();
                    println!("{} ... {done} of {all} {words}", self.name);
                }
                (None, None) if last_sign.elapsed() > SIGN_OF_LIFE => {
                    last_sign = Instant::now();
                    let took = seconds(started.elapsed());
                    println!("{} ... still running ({took})", self.name);
                }
                _ => {}
            }
        })
    }

    /// The spinner becomes a bar.
    fn advance(&self, done: u64, all: u64, words: &str) {
        if self.bar.length() != Some(all) {
            let template = "{spinner} {prefix:<10} {elapsed:>4}  [{bar:30}] {pos}/{len} {wide_msg}";
            // The template is a constant; where it is wrong, the spinner stays.
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.bar.set_style(style.progress_chars("=> "));
            }
            self.bar.set_length(all);
        }
        self.bar.set_position(done);
        self.bar.set_message(words.to_owned());
    }

    /// Runs a program whose exit status is the verdict.
    pub(crate) fn check(&self, command: &mut Command, limit: Duration) -> Verdict {
        let finished = self.run(command, limit);
        if finished.ok {
            Verdict::PASSED
        } else {
            Verdict::failed(finished.output)
        }
    }

    /// Says something in passing.
    pub(crate) fn note(&self, text: &str) {
        self.bar.suspend(|| println!("    {text}"));
    }
}

/// A line `progress: 3 of 10 conversations`: how much is done, of how much, of what.
fn progress(line: &str) -> Option<(u64, u64, &str)> {
    let (done, rest) = line.strip_prefix("progress: ")?.split_once(" of ")?;
    let (all, words) = rest.split_once(' ')?;
    Some((done.parse().ok()?, all.parse().ok()?, words))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL);
    let shown = lines.get(from..).unwrap_or_default().join("\n");
    if from > 0 {
        format!("... {from} lines before\n{shown}")
    } else {
        shown
    }
}

fn indent(text: &str) -> String {
    text.lines()
        .map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_how_far_a_program_is() {
        assert_eq!(
            progress("progress: 3 of 10 conversations with x"),
            Some((3, 10, "conversations with x"))
        );
        for other in ["progress: all of 10 y", "progress: 3 of 10", "3 of 10 y"] {
            assert_eq!(progress(other), None, "{other}");
        }
    }
}
