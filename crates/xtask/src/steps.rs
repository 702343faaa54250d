//! The steps of each chore.
//!
//! Builds of one workspace differ by profile, features and the packages that are chosen; whatever differs is compiled again.
//! So every step here takes the whole workspace with the same features, and there are two builds in all: one that only checks
//! (clippy, docs) and one that runs (tests, the demo, the end-to-end tests). The thorough chore adds two test programs that are
//! optimised, and the crates that can encrypt their files, built to do so.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::c_checks;
use crate::hostile;
use crate::install::Installer;
use crate::oracles::{self, Wish};
use crate::report::{Report, Step, Verdict};
use crate::workspace::Workspace;
use crate::{arrows as arrows_check, audit as audit_check, tree as tree_check};

/// The feature that is off in the builds of everything: it puts another database in the place of SQLite, and needs the headers
/// of OpenSSL. A step of its own turns it on.
const APART: &str = "sqlcipher";

const MINUTE: Duration = Duration::from_secs(60);
/// On two slow cores, from nothing.
const BUILD_LIMIT: Duration = Duration::from_secs(25 * 60);
const TEST_LIMIT: Duration = Duration::from_secs(15 * 60);
const INTEROP_LIMIT: Duration = Duration::from_secs(15 * 60);
const HOSTILE_LIMIT: Duration = Duration::from_secs(30 * 60);
const ORACLES_LIMIT: Duration = Duration::from_secs(30 * 60);

/// How much more the thorough chore does: cases of each property (proptest's own number is 256), kills, and rounds of the
/// end-to-end tests, since what is wrong there may go well twice.
const MANY_CASES: &str = "1024";
const MANY_KILLS: &str = "1000";
const ROUNDS: usize = 3;
const THOROUGH_LIMIT: Duration = Duration::from_secs(35 * 60);

/// Checks everything; the quick steps come first.
pub(crate) fn everything(
    workspace: &Workspace,
    installer: Installer,
    thorough: bool,
    report: &mut Report,
) {
    report.step("install", |step| installer.provide(workspace, step));
    report.step("fmt", |step| {
        step.check(
            workspace
                .cargo()
                .args(["fmt", "--all", "--check", "--", "--color", "never"]),
            MINUTE,
        )
    });
    arrows(workspace, report);
    tree(workspace, report);
    audit(workspace, report);
    report.step("clippy", |step| {
        let lints = ["--", "-D", "warnings", "-W", "clippy::incompatible_msrv"];
        step.check(
            workspace
                .cargo()
                .arg("clippy")
                .args(choice(workspace))
                .arg("--all-targets")
                .args(lints),
            BUILD_LIMIT,
        )
    });
    report.step("docs", |step| {
        let mut command = workspace.cargo();
        command
            .arg("doc")
            .args(choice(workspace))
            .arg("--no-deps")
            .env("RUSTDOCFLAGS", "-D warnings");
        step.check(&mut command, BUILD_LIMIT)
    });
    if !build(workspace, report) {
        // Everything below would only say the same again.
        return;
    }
    report.step("tests", |step| {
        let mut command = workspace.cargo();
        command
            .arg("test")
            .args(choice(workspace))
            .arg("--no-fail-fast");
        if thorough {
            command
                .env("PROPTEST_CASES", MANY_CASES)
                .env("OMEMO_KILLS", MANY_KILLS)
                .env("OMEMO_THOROUGH", "1");
        }
        run_tests(
            step,
            &mut command,
            if thorough { THOROUGH_LIMIT } else { TEST_LIMIT },
        )
    });
    if thorough {
        report.step("iterations", |step| iterations(workspace, step));
        only_hostile(workspace, &hostile::Wish::thorough(), report);
    }
    report.step("demo", |step| {
        step.check(Command::new(workspace.built("omemo")).arg("demo"), MINUTE)
    });
    c_checks::run(workspace, thorough, installer.strict, report);
    oracles(
        workspace,
        installer,
        &if thorough {
            Wish::thorough()
        } else {
            Wish::quick()
        },
        report,
    );
    for round in 1..=if thorough { ROUNDS } else { 1 } {
        let name = if round == 1 {
            "interop".to_owned()
        } else {
            format!("interop-{round}")
        };
        report.step(&name, |step| {
            end_to_end(workspace, installer, &[], false, step)
        });
    }
    if thorough {
        // Last: it leaves libraries in the target folder that were built otherwise.
        report.step(APART, |step| encrypted_files(workspace, step));
    }
}

/// Every build of everything, with the same choice: all features but one.
fn choice(workspace: &Workspace) -> [String; 3] {
    let mut features = Vec::new();
    for package in workspace.packages() {
        let name = package.get("name").and_then(Value::as_str);
        let own = package.get("features").and_then(Value::as_object);
        for feature in own.into_iter().flat_map(|own| own.keys()) {
            if feature != APART {
                features.push(format!("{}/{feature}", name.unwrap_or_default()));
            }
        }
    }
    [
        "--workspace".to_owned(),
        "--features".to_owned(),
        features.join(","),
    ]
}

/// The crates that can encrypt their files, where they do.
fn encrypted_files(workspace: &Workspace, step: &Step) -> Verdict {
    let mut command = workspace.cargo();
    command.args(["test", "--no-fail-fast"]);
    for package in ["omemo-sqlite", "omemo-ffi"] {
        let feature = format!("{package}/{APART}");
        command.args(["--package", package, "--features", &feature]);
    }
    run_tests(step, &mut command, BUILD_LIMIT)
}

/// What only optimised code does in reasonable time: RFC 7748's loop of a million ladders.
fn iterations(workspace: &Workspace, step: &Step) -> Verdict {
    let mut command = workspace.cargo();
    command
        .args(["test", "--release", "--package", "omemo-ratchet"])
        .args(["--all-features", "--test", "ratchet", "rfc_7748"]);
    run_tests(step, &mut command, TEST_LIMIT)
}

/// Only what is about C; thoroughly, unless it is to be quick.
pub(crate) fn c_interface(
    workspace: &Workspace,
    installer: Installer,
    quick: bool,
    report: &mut Report,
) {
    if quick {
        let mut command = workspace.cargo();
        command.args(["build", "--package", "omemo-ffi"]);
        if report.step("build", |step| step.check(&mut command, BUILD_LIMIT)) {
            c_checks::run(workspace, false, installer.strict, report);
        }
        return;
    }
    report.step("install", |step| installer.provide(workspace, step));
    c_checks::run(workspace, true, installer.strict, report);
    report.step("c-tests", |step| {
        let mut command = workspace.cargo();
        command
            .args(["test", "--package", "omemo-ffi"])
            .env("OMEMO_THOROUGH", "1");
        if installer.strict {
            command.env("OMEMO_STRICT", "1");
        }
        run_tests(step, &mut command, THOROUGH_LIMIT)
    });
}

/// Only the end-to-end tests.
pub(crate) fn interop(
    workspace: &Workspace,
    installer: Installer,
    names: &[String],
    keep: bool,
    report: &mut Report,
) {
    report.step("install", |step| installer.provide(workspace, step));
    if build(workspace, report) {
        report.step("interop", |step| {
            end_to_end(workspace, installer, names, keep, step)
        });
    }
}

/// Only the schedules against a malicious server.
pub(crate) fn only_hostile(workspace: &Workspace, wish: &hostile::Wish, report: &mut Report) {
    let built = report.step("hostile-build", |step| {
        step.check(hostile::command(workspace).arg("--no-run"), BUILD_LIMIT)
    });
    if built {
        report.step("hostile", |step| {
            let mut command = hostile::command(workspace);
            command.arg("--").args(wish.arguments());
            run_tests(step, &mut command, HOSTILE_LIMIT)
        });
    }
}

/// Only the conversations with other implementations.
pub(crate) fn only_oracles(
    workspace: &Workspace,
    installer: Installer,
    wish: &Wish,
    report: &mut Report,
) {
    report.step("install", |step| installer.provide(workspace, step));
    let built = report.step("build", |step| {
        step.check(test_oracles(workspace).arg("--no-run"), BUILD_LIMIT)
    }) && report.step("command", |step| {
        let mut command = workspace.cargo();
        command
            .arg("build")
            .args(choice(workspace))
            .args(["--bin", "omemo"]);
        step.check(&mut command, BUILD_LIMIT)
    });
    if built {
        oracles(workspace, installer, wish, report);
    }
}

fn test_oracles(workspace: &Workspace) -> Command {
    let mut command = workspace.cargo();
    command.arg("test").args(choice(workspace));
    command.args(["--test", "oracles"]);
    command
}

fn oracles(workspace: &Workspace, installer: Installer, wish: &Wish, report: &mut Report) {
    report.step("oracles", |step| {
        if let Err(output) = oracles::compile(workspace, installer.signal, step) {
            return Verdict::failed(output);
        }
        let mut command = test_oracles(workspace);
        command.arg("--").args(wish.arguments());
        command.env("OMEMO_ORACLES", workspace.oracles()).env(
            "OMEMO_PEERS_PYTHON",
            workspace.peers_venv().join("bin/python"),
        );
        if installer.strict {
            command.env("OMEMO_STRICT", "1");
        }
        run_tests(step, &mut command, ORACLES_LIMIT)
    });
    for (name, run) in oracles::vector_runs(workspace) {
        report.step(&format!("vectors-{name}"), |step| match run {
            Ok(mut command) => step.check(&mut command, ORACLES_LIMIT),
            Err(lacking) if installer.strict => Verdict::failed(lacking),
            Err(lacking) => Verdict::Skipped(lacking),
        });
    }
}

pub(crate) fn arrows(workspace: &Workspace, report: &mut Report) {
    report.step("arrows", |_| match arrows_check::check(workspace) {
        Ok(_) => Verdict::PASSED,
        Err(mistakes) => Verdict::failed(mistakes),
    });
}

pub(crate) fn tree(workspace: &Workspace, report: &mut Report) {
    report.step("tree", |step| match tree_check::check(workspace, step) {
        Ok(_) => Verdict::PASSED,
        Err(mistakes) => Verdict::failed(mistakes),
    });
}

pub(crate) fn audit(workspace: &Workspace, report: &mut Report) {
    report.step("audit", |step| match audit_check::check(workspace) {
        Ok(counts) => {
            step.note(&counts);
            Verdict::PASSED
        }
        Err(mistakes) => Verdict::failed(mistakes),
    });
}

/// Everything that the later steps run, so that their times are their own.
fn build(workspace: &Workspace, report: &mut Report) -> bool {
    report.step("build", |step| {
        step.check(
            workspace
                .cargo()
                .arg("build")
                .args(choice(workspace))
                .arg("--all-targets"),
            BUILD_LIMIT,
        )
    })
}

fn end_to_end(
    workspace: &Workspace,
    installer: Installer,
    names: &[String],
    keep: bool,
    step: &Step,
) -> Verdict {
    let mut command = workspace.cargo();
    command
        .arg("test")
        .args(choice(workspace))
        .args(["--test", "interop", "--"])
        .args(names);
    if keep {
        command.arg("--keep");
    }
    command.env("OMEMO_INTEROP", "1").env(
        "OMEMO_PEERS_PYTHON",
        workspace.peers_venv().join("bin/python"),
    );
    if installer.strict {
        command.env("OMEMO_STRICT", "1");
    }
    run_tests(step, &mut command, INTEROP_LIMIT)
}

/// Runs test programs and counts what they say of themselves.
fn run_tests(step: &Step, command: &mut Command, limit: Duration) -> Verdict {
    let finished = step.run(command, limit);
    let skipped: Vec<_> = finished
        .output
        .lines()
        .filter(|line| line.contains("SKIPPED"))
        .collect();
    let (passed, failed) = count(&finished.output);
    if !finished.ok || failed > 0 {
        return Verdict::Failed {
            output: digest(&finished.output),
            tests: Some((passed, failed)),
        };
    }
    if passed == 0 && !skipped.is_empty() {
        return Verdict::Skipped(skipped.join("\n"));
    }
    let tables = finished
        .output
        .lines()
        .filter(|line| line.starts_with("| "));
    for line in skipped.iter().copied().chain(tables) {
        step.note(line);
    }
    Verdict::Passed {
        tests: Some(passed),
        skipped: skipped.len(),
    }
}

/// The sum of all lines `test result: ok. 3 passed; 0 failed; …`.
fn count(output: &str) -> (usize, usize) {
    let number = |line: &str, word: &str| {
        let (before, _) = line.split_once(word)?;
        before.split_whitespace().next_back()?.parse::<usize>().ok()
    };
    output
        .lines()
        .filter(|line| line.starts_with("test result: "))
        .map(|line| {
            (
                number(line, " passed;").unwrap_or(0),
                number(line, " failed;").unwrap_or(0),
            )
        })
        .fold((0, 0), |(passed, failed), (more_passed, more_failed)| {
            (passed + more_passed, failed + more_failed)
        })
}

/// Output of test programs without the tests that went well, and without the frames of backtraces, which would leave no
/// room for the messages.
fn digest(output: &str) -> String {
    output
        .lines()
        .filter(|line| !is_dull(line))
        .collect::<Vec<_>>()
        .join("\n")
}

fn is_dull(line: &str) -> bool {
    let text = line.trim_start();
    let passed =
        line.starts_with("test ") && (line.ends_with(" ... ok") || line.contains(" ... ok ("));
    let numbered = text
        .split_once(": ")
        .is_some_and(|(number, _)| number.parse::<u32>().is_ok());
    let frame = line != text && (numbered || text.starts_with("at "));
    let empty = line.starts_with("running 0 tests")
        || line.starts_with("test result: ok. 0 passed; 0 failed")
        || line.starts_with("progress: ");
    passed
        || frame
        || empty
        || text.is_empty()
        || text.starts_with("Running ")
        || text.starts_with("Doc-tests ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\
        test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
        test result: ok. 40 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.10s\n";

    #[test]
    fn counts_the_tests_of_all_programs() {
        assert_eq!(count(OUTPUT), (41, 1));
        assert_eq!(count("error: could not compile"), (0, 0));
    }

    #[test]
    fn shows_failures_and_leaves_out_the_rest() {
        let output = format!(
            "{OUTPUT}panicked at x.rs:1:1:\nno such luck\n   3: a::b\n             at ./x.rs:1:1\n"
        );
        let shown = digest(&output);
        for line in ["test b ... FAILED", "panicked at x.rs:1:1:", "no such luck"] {
            assert!(shown.contains(line), "{line}");
        }
        for line in ["test a ... ok", "3: a::b", "at ./x.rs"] {
            assert!(!shown.contains(line), "{line}");
        }
    }
}
