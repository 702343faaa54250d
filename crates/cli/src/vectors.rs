//! `omemo vectors`: test vectors, for this library and for others.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use omemo::Version;
use omemo_vectors::{
    Broken, Count, Deviations, FileError, FileReport, Implementation, Ours, Outcome, Reasons, Shim,
    VectorFile, read_folder, run_file,
};

use crate::colour::Palette;
use crate::failure::Failure;

/// Where the vectors lie in a checkout.
const FOLDER: &str = "test-vectors";

#[derive(Debug, Subcommand)]
pub(crate) enum Vectors {
    /// Run all vectors through this library
    #[command(after_help = "\
Prints a line a file and at the end `N passed, N failed`. Exit code 1 if a case fails.")]
    Verify {
        /// Where the vectors lie
        #[arg(value_name = "DIR", default_value = FOLDER)]
        folder: PathBuf,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Run all vectors through another implementation
    #[command(after_help = "\
Example:
  omemo vectors run --against 'python3 oracles/python/twomemo_shim.py' \\
      --deviations oracles/deviations/twomemo.json

The command is a program that speaks the protocol of test-vectors/PROTOCOL.md on its standard input and
output. Exit code 1 if a case fails that no deviation explains.")]
    Run {
        /// The program and its arguments
        #[arg(long, value_name = "COMMAND")]
        against: String,
        /// Known deviations, which are explained instead of counted as failures
        #[arg(long, value_name = "FILE")]
        deviations: Option<PathBuf>,
        /// Where the vectors lie
        #[arg(value_name = "DIR", default_value = FOLDER)]
        folder: PathBuf,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Speak that protocol on standard input and output, as this library
    Serve,
    /// Write this project's vectors, always the same
    Generate {
        /// Where to
        #[arg(value_name = "DIR", default_value = FOLDER)]
        folder: PathBuf,
    },
}

pub(crate) fn vectors(command: Vectors, palette: Palette) -> Result<(), Failure> {
    match command {
        Vectors::Verify { folder, json } => {
            let run = Run {
                palette,
                json,
                reasons: Reasons::Exact,
                deviations: Deviations::default(),
            };
            run.all(&mut Ours::new(), &folder, &Version::ALL)
        }
        Vectors::Run {
            against,
            deviations,
            folder,
            json,
        } => {
            let deviations = deviations.map(|path| Deviations::read(&path)).transpose()?;
            let run = Run {
                palette,
                json,
                reasons: Reasons::Any,
                deviations: deviations.unwrap_or_default(),
            };
            let mut shim = Shim::start(&against)?;
            let hello = shim.hello()?;
            if !json {
                writeln!(io::stdout(), "{} {}", hello.name, hello.version)?;
            }
            let spoken: Vec<_> = Version::ALL
                .into_iter()
                .filter(|version| hello.speaks(*version))
                .collect();
            run.all(&mut shim, &folder, &spoken)
        }
        Vectors::Serve => Ok(omemo_vectors::serve(
            &mut io::stdin().lock(),
            &mut io::stdout().lock(),
        )?),
        Vectors::Generate { folder } => generate(&folder),
    }
}

fn generate(folder: &Path) -> Result<(), Failure> {
    let files = omemo_vectors::generate().map_err(|error| Failure::told(error.to_string()))?;
    for (name, file) in files {
        let path = folder.join(format!("{name}.json"));
        let text =
            omemo_vectors::to_text(&file).map_err(|error| Failure::told(error.to_string()))?;
        fs::write(&path, text).map_err(|error| {
            Failure::told(format!("{} cannot be written: {error}", path.display()))
        })?;
        writeln!(
            io::stdout(),
            "{}: {} cases",
            path.display(),
            file.cases.len()
        )?;
    }
    Ok(())
}

/// A run over a folder.
struct Run {
    palette: Palette,
    json: bool,
    reasons: Reasons,
    deviations: Deviations,
}

/// The sums of a run.
#[derive(Default)]
struct Sum {
    count: Count,
    explained: usize,
}

impl Sum {
    const fn unexplained(&self) -> usize {
        self.count.failed - self.explained
    }
}

impl Run {
    fn all(
        &self,
        implementation: &mut dyn Implementation,
        folder: &Path,
        spoken: &[Version],
    ) -> Result<(), Failure> {
        let files = read_folder(folder)?;
        let mut sum = Sum::default();
        if !self.json {
            let head = columns(
                "file",
                [
                    "cases",
                    "invalid",
                    "passed",
                    "allowed",
                    "explained",
                    "failed",
                    "unsupported",
                ]
                .map(str::to_owned),
            );
            writeln!(io::stdout(), "{}", self.palette.strong(&head))?;
        }
        for (name, file) in &files {
            if spoken.contains(&file.protocol) {
                self.file(implementation, name, file, &mut sum)?;
            }
        }
        self.finish(&sum)
    }

    fn file(
        &self,
        implementation: &mut dyn Implementation,
        name: &str,
        file: &VectorFile,
        sum: &mut Sum,
    ) -> Result<(), Failure> {
        let report = run_file(implementation, name, file, self.reasons, &mut |_, _| {})?;
        let explained = report
            .failures
            .keys()
            .filter(|case| self.deviations.explains(name, case).is_some())
            .count();
        let row = Sum {
            count: report.count,
            explained,
        };
        sum.count += report.count;
        sum.explained += explained;
        if self.json {
            return self.json_file(&report, &row);
        }
        writeln!(io::stdout(), "{}", self.row(name, &row))?;
        for (case, outcome) in &report.failures {
            if let Outcome::Failed {
                step,
                operation,
                difference,
            } = outcome
                && self.deviations.explains(name, case).is_none()
            {
                let what = format!("  {case}, step {step} ({operation}): {difference}");
                writeln!(io::stdout(), "{}", self.palette.strong(&what))?;
            }
        }
        for (operation, words) in &report.lacking {
            let what = format!("  no {operation}: {words}");
            writeln!(io::stdout(), "{}", self.palette.faint(&what))?;
        }
        Ok(())
    }

    fn json_file(&self, report: &FileReport, row: &Sum) -> Result<(), Failure> {
        let failures: Vec<_> = report
            .failures
            .iter()
            .filter_map(|(case, outcome)| match outcome {
                Outcome::Failed {
                    step,
                    operation,
                    difference,
                } => Some(serde_json::json!({
                    "case": case,
                    "step": step,
                    "operation": operation,
                    "difference": difference,
                    "explained": self
                        .deviations
                        .explains(&report.name, case)
                        .and_then(|number| self.deviations.deviations.get(number))
                        .map(|deviation| &deviation.why),
                })),
                _ => None,
            })
            .collect();
        let lacking: Vec<_> = report.lacking.keys().collect();
        let line = serde_json::json!({
            "event": "file",
            "file": report.name,
            "sum": numbers(row),
            "failures": failures,
            "lacking": lacking,
        });
        writeln!(io::stdout(), "{line}")?;
        Ok(())
    }

    fn row(&self, name: &str, row: &Sum) -> String {
        let count = &row.count;
        let numbers = [
            count.all(),
            count.invalid,
            count.passed,
            count.allowed,
            row.explained,
            row.unexplained(),
            count.unsupported,
        ];
        columns(name, numbers.map(|number| number.to_string()))
    }

    fn finish(&self, sum: &Sum) -> Result<(), Failure> {
        let count = &sum.count;
        if self.json {
            let line = serde_json::json!({"event": "sum", "sum": numbers(sum)});
            writeln!(io::stdout(), "{line}")?;
        } else {
            writeln!(
                io::stdout(),
                "{}",
                self.palette.strong(&self.row("all", sum))
            )?;
            let share = count.invalid.saturating_mul(100) / count.all().max(1);
            writeln!(
                io::stdout(),
                "{share} % of the cases hold something to be refused"
            )?;
            self.explanations()?;
            let skipped = match count.unsupported {
                0 => String::new(),
                some => format!(", {some} skipped"),
            };
            let passed = count.passed + count.allowed + sum.explained;
            writeln!(
                io::stdout(),
                "{passed} passed, {} failed{skipped}",
                sum.unexplained()
            )?;
        }
        match sum.unexplained() {
            0 => Ok(()),
            1 => Err(Failure::told("a case failed")),
            some => Err(Failure::told(format!("{some} cases failed"))),
        }
    }

    fn explanations(&self) -> Result<(), Failure> {
        for deviation in &self.deviations.deviations {
            let cases = deviation.cases.join(", ");
            writeln!(io::stdout(), "explained: {cases}\n  {}", deviation.why)?;
        }
        Ok(())
    }
}

fn numbers(sum: &Sum) -> serde_json::Value {
    let count = &sum.count;
    serde_json::json!({
        "cases": count.all(),
        "invalid": count.invalid,
        "passed": count.passed,
        "allowed": count.allowed,
        "explained": sum.explained,
        "failed": sum.unexplained(),
        "unsupported": count.unsupported,
    })
}

fn columns(name: &str, numbers: [String; 7]) -> String {
    let numbers: String = numbers
        .into_iter()
        .map(|number| format!("{number:>12}"))
        .collect();
    format!("{name:<36}{numbers}")
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::told(error.to_string())
    }
}

impl From<Broken> for Failure {
    fn from(error: Broken) -> Self {
        Self::told(error.to_string())
    }
}
