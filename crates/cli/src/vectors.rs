//! `omemo vectors`: test vectors, for this library and for others.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use omemo::Version;
use omemo_vectors::{
    Broken, Count, Deviations, FileError, FileReport, Implementation, Judge, Ours, Outcome,
    Reasons, Shim, read_folder, run_file,
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
            let judge = Judge {
                reasons: Reasons::Exact,
                deviations: Deviations::default(),
            };
            let mut run = Run::new(palette, json, judge);
            run.all(&mut Ours::new(), &folder, &Version::ALL)
        }
        Vectors::Run {
            against,
            deviations,
            folder,
            json,
        } => {
            let deviations = deviations.map(|path| Deviations::read(&path)).transpose()?;
            let judge = Judge {
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
            Run::new(palette, json, judge).all(&mut shim, &folder, &spoken)
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
    judge: Judge,
    sum: Count,
    /// The deviations that explained something.
    needed: BTreeSet<usize>,
}

const COLUMNS: [&str; 7] = [
    "cases",
    "invalid",
    "passed",
    "allowed",
    "explained",
    "failed",
    "unsupported",
];

impl Run {
    fn new(palette: Palette, json: bool, judge: Judge) -> Self {
        Self {
            palette,
            json,
            judge,
            sum: Count::default(),
            needed: BTreeSet::new(),
        }
    }

    fn all(
        &mut self,
        implementation: &mut dyn Implementation,
        folder: &Path,
        spoken: &[Version],
    ) -> Result<(), Failure> {
        let files = read_folder(folder)?;
        if !self.json {
            let head = row("file", COLUMNS);
            writeln!(io::stdout(), "{}", self.palette.strong(&head))?;
        }
        for (name, file) in &files {
            if spoken.contains(&file.protocol) {
                let report = run_file(implementation, name, file, &self.judge)?;
                self.file(&report)?;
            }
        }
        self.finish()
    }

    fn file(&mut self, report: &FileReport) -> Result<(), Failure> {
        self.sum += report.count;
        let explained = report
            .failures
            .values()
            .filter_map(|outcome| match outcome {
                Outcome::Explained { deviation } => Some(*deviation),
                _ => None,
            });
        self.needed.extend(explained);
        if self.json {
            return self.json_file(report);
        }
        let line = row(
            &report.name,
            numbers(&report.count).map(|number| number.to_string()),
        );
        writeln!(io::stdout(), "{line}")?;
        for (case, outcome) in &report.failures {
            if let Outcome::Failed {
                step,
                operation,
                difference,
            } = outcome
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

    fn json_file(&self, report: &FileReport) -> Result<(), Failure> {
        let failures = report.failures.iter().map(|(case, outcome)| match outcome {
            Outcome::Failed {
                step,
                operation,
                difference,
            } => serde_json::json!({
                "case": case, "step": step, "operation": operation, "difference": difference,
            }),
            Outcome::Explained { deviation } => serde_json::json!({
                "case": case,
                "explained": self.judge.deviations.deviations.get(*deviation).map(|one| &one.why),
            }),
            _ => serde_json::json!({"case": case}),
        });
        let line = serde_json::json!({
            "event": "file",
            "file": report.name,
            "sum": sums(&report.count),
            "failures": failures.collect::<Vec<_>>(),
            "lacking": report.lacking.keys().collect::<Vec<_>>(),
        });
        writeln!(io::stdout(), "{line}")?;
        Ok(())
    }

    fn finish(&self) -> Result<(), Failure> {
        let count = &self.sum;
        if self.json {
            let line = serde_json::json!({"event": "sum", "sum": sums(count)});
            writeln!(io::stdout(), "{line}")?;
        } else {
            let line = row("all", numbers(count).map(|number| number.to_string()));
            writeln!(io::stdout(), "{}", self.palette.strong(&line))?;
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
            let passed = count.passed + count.allowed + count.explained;
            writeln!(
                io::stdout(),
                "{passed} passed, {} failed{skipped}",
                count.failed
            )?;
        }
        let idle = self.judge.deviations.deviations.len() - self.needed.len();
        match (count.failed, idle) {
            (0, 0) => Ok(()),
            (0, some) => Err(Failure::told(format!(
                "{some} of the deviations explain nothing any more"
            ))),
            (1, _) => Err(Failure::told("a case failed")),
            (some, _) => Err(Failure::told(format!("{some} cases failed"))),
        }
    }

    fn explanations(&self) -> Result<(), Failure> {
        for (number, deviation) in self.judge.deviations.deviations.iter().enumerate() {
            let state = if self.needed.contains(&number) {
                "explained"
            } else {
                "explains nothing"
            };
            let cases = deviation.cases.join(", ");
            writeln!(io::stdout(), "{state}: {cases}\n  {}", deviation.why)?;
        }
        Ok(())
    }
}

/// In the order of the columns.
const fn numbers(count: &Count) -> [usize; 7] {
    [
        count.all(),
        count.invalid,
        count.passed,
        count.allowed,
        count.explained,
        count.failed,
        count.unsupported,
    ]
}

fn sums(count: &Count) -> serde_json::Value {
    COLUMNS
        .into_iter()
        .zip(numbers(count))
        .map(|(name, number)| (name.to_owned(), number.into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn row(name: &str, cells: [impl AsRef<str>; 7]) -> String {
    let cells = cells.map(|cell| format!("{:>12}", cell.as_ref()));
    format!("{name:<36}{}", cells.concat())
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
