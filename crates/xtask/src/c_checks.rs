//! Checks the C library as somebody uses it who only has what is installed: header, libraries, pkg-config, examples and docs/c.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::c_library::{Installed, Library};
use crate::c_page;
use crate::install::{is_program, succeeds};
use crate::report::{Report, Step, Verdict};
use crate::workspace::Workspace;

/// How large the shared library of a release may be: it becomes a part of every app.
const MAX_BYTES: u64 = 4_000_000;
const COMPILE_LIMIT: Duration = Duration::from_secs(120);
const RUN_LIMIT: Duration = Duration::from_secs(300);
const PAGE: &str = "docs/c.md";

/// The languages in which programs include the header: what is told to the compiler.
const LANGUAGES: [(&str, &str); 2] = [C11, ("c++17", "c++ -std=c++17 -x c++")];
const C11: (&str, &str) = ("c11", "cc -std=c11");

/// The steps about C. A thorough check takes the library as it is shipped, which takes minutes to build.
pub(crate) fn run(workspace: &Workspace, thorough: bool, strict: bool, report: &mut Report) {
    let folder = workspace.target().join("c");
    let mut installed = None;
    report.step("c-library", |step| {
        let library = if thorough {
            Library::build(workspace, false, step)
        } else {
            Library::for_development(workspace, step)
        };
        match library
            .and_then(|library| library.install(workspace, &folder.join("prefix"), None, step))
        {
            Ok(library) => {
                installed = Some(library);
                Verdict::PASSED
            }
            Err(output) => Verdict::failed(output),
        }
    });
    let Some(installed) = installed else {
        return;
    };
    let checks = Checks {
        workspace,
        installed,
        programs: folder.join("programs"),
        thorough,
        strict,
    };
    report.step("c-symbols", |step| verdict(step, checks.symbols(step)));
    if thorough {
        report.step("c-size", |step| verdict(step, checks.size(step)));
    }
    report.step("c-examples", |step| verdict(step, checks.examples(step)));
    report.step("c-page", |step| verdict(step, checks.page(step)));
}

/// What went well and what could not be tried, or what is wrong.
type Outcome = Result<Counts, String>;

#[derive(Default)]
struct Counts {
    passed: usize,
    skipped: Vec<String>,
}

impl Counts {
    const fn passed(passed: usize) -> Self {
        Self {
            passed,
            skipped: Vec::new(),
        }
    }
}

fn verdict(step: &Step, outcome: Outcome) -> Verdict {
    match outcome {
        Ok(Counts { passed, skipped }) => {
            for reason in &skipped {
                step.note(reason);
            }
            Verdict::Passed {
                tests: Some(passed),
                skipped: skipped.len(),
            }
        }
        Err(output) => Verdict::failed(output),
    }
}

struct Checks<'a> {
    workspace: &'a Workspace,
    installed: Installed,
    programs: PathBuf,
    /// Whether programs run under valgrind, too.
    thorough: bool,
    /// Whether what cannot be tried is a failure.
    strict: bool,
}

impl Checks<'_> {
    /// The shared library exports what the header declares, and nothing else.
    fn symbols(&self, step: &Step) -> Outcome {
        let mut command = Command::new("nm");
        command
            .args(["--dynamic", "--defined-only", "--format=posix"])
            .arg(&self.installed.shared);
        let listed = step.run(&mut command, COMPILE_LIMIT);
        if !listed.ok {
            return Err(listed.output);
        }
        let first_words = listed
            .output
            .lines()
            .filter_map(|line| line.split(' ').next());
        let exported: BTreeSet<&str> = first_words.collect();
        let header = read(&self.installed.header)?;
        let declared = declared(&header);
        if exported == declared {
            return Ok(Counts::passed(declared.len()));
        }
        let names = |names: Vec<&&str>| names.into_iter().copied().collect::<Vec<_>>().join(" ");
        Err(format!(
            "exported and not declared: {}\ndeclared and not exported: {}",
            names(exported.difference(&declared).collect()),
            names(declared.difference(&exported).collect()),
        ))
    }

    fn size(&self, step: &Step) -> Outcome {
        let bytes = |file: &Path| {
            let data = fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()));
            Ok::<u64, String>(data?.len())
        };
        let (shared, archive) = (
            bytes(&self.installed.shared)?,
            bytes(&self.installed.archive)?,
        );
        step.note(&format!(
            "the shared library has {shared} bytes, the static one {archive}"
        ));
        if shared > MAX_BYTES {
            return Err(format!(
                "the shared library has {shared} bytes, and may have {MAX_BYTES}"
            ));
        }
        Ok(Counts::passed(1))
    }

    /// Every example compiles in both languages, and the one that needs no server runs, with either library.
    fn examples(&self, step: &Step) -> Outcome {
        let folder = self.workspace.root().join("ffi/examples");
        let entries =
            fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut sources: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        sources.retain(|path| path.extension().is_some_and(|extension| extension == "c"));
        sources.sort();
        let mut counts = Counts::default();
        for source in &sources {
            let packages = packages(&read(source)?);
            if !self.are_there(&packages) {
                let reason = format!("SKIPPED {}: lacking: {packages}", source.display());
                self.skip(reason, &mut counts)?;
                continue;
            }
            for language in LANGUAGES {
                self.compile(source, language, &packages, step)?;
                counts.passed += 1;
            }
        }
        let source = folder.join("two_devices.c");
        for (language, compiler) in LANGUAGES {
            let shared = self.compile(&source, (language, compiler), "omemo", step)?;
            self.two_devices(&shared, step)?;
            let fixed = self.link_statically(&source, (language, compiler), step)?;
            self.two_devices(&fixed, step)?;
            counts.passed += 2;
        }
        if self.thorough && is_program("valgrind") {
            let program = self.compile(&source, C11, "omemo", step)?;
            let mut command = Command::new("valgrind");
            command.args(["--quiet", "--leak-check=full", "--error-exitcode=9"]);
            self.run_two_devices(command.arg(&program), &program, step)?;
            counts.passed += 1;
        } else if self.thorough {
            let reason = "SKIPPED two_devices under valgrind: there is no valgrind".to_owned();
            self.skip(reason, &mut counts)?;
        }
        Ok(counts)
    }

    fn two_devices(&self, program: &Path, step: &Step) -> Result<(), String> {
        self.run_two_devices(&mut Command::new(program), program, step)
    }

    fn run_two_devices(
        &self,
        command: &mut Command,
        program: &Path,
        step: &Step,
    ) -> Result<(), String> {
        let folder = program.with_extension("data");
        empty(&folder)?;
        let files = ["juliet.omemo", "romeo.omemo"].map(|name| folder.join(name));
        self.execute(command.args(files), step)
    }

    fn skip(&self, reason: String, counts: &mut Counts) -> Result<(), String> {
        if self.strict {
            return Err(reason);
        }
        counts.skipped.push(reason);
        Ok(())
    }

    /// The programs on the page compile in both languages, and whole ones run.
    fn page(&self, step: &Step) -> Outcome {
        let page = read(&self.workspace.root().join(PAGE))?;
        let programs = c_page::programs(&page, PAGE)?;
        let folder = self.programs.join("page");
        empty(&folder)?;
        let mut passed = 0;
        for (name, text) in &programs {
            let source = folder.join(name);
            fs::write(&source, text).map_err(|error| format!("{}: {error}", source.display()))?;
            for language in LANGUAGES {
                if text.contains("int main(") {
                    let program = self.compile(&source, language, "omemo", step)?;
                    self.execute(&mut Command::new(program), step)?;
                } else {
                    self.shell(&source, language, "-c $(pkg-config --cflags omemo)", step)?;
                }
                passed += 1;
            }
        }
        Ok(Counts::passed(passed))
    }

    /// Compiles a program as the page says, with every warning an error. Gives the program.
    fn compile(
        &self,
        source: &Path,
        language: (&str, &str),
        packages: &str,
        step: &Step,
    ) -> Result<PathBuf, String> {
        let libraries = format!("$(pkg-config --cflags --libs {packages})");
        self.shell(source, language, &libraries, step)
    }

    fn link_statically(
        &self,
        source: &Path,
        (language, compiler): (&str, &str),
        step: &Step,
    ) -> Result<PathBuf, String> {
        let libraries =
            "$(pkg-config --static --cflags --libs omemo | sed 's/-lomemo/-l:libomemo.a/')";
        self.shell(
            source,
            (&format!("{language}-static"), compiler),
            libraries,
            step,
        )
    }

    fn shell(
        &self,
        source: &Path,
        (kind, compiler): (&str, &str),
        libraries: &str,
        step: &Step,
    ) -> Result<PathBuf, String> {
        let folder = self.programs.join(kind);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let program = folder.join(source.file_stem().unwrap_or_default());
        // Whatever comes after the source is no C++: the language ends with `-x none`.
        let script =
            format!(r#"{compiler} -Wall -Wextra -Werror "$1" -x none {libraries} -o "$2""#);
        let mut command = Command::new("sh");
        command
            .args(["-e", "-c", &script, "sh"])
            .args([source, &program])
            .env("PKG_CONFIG_PATH", self.pkgconfig());
        let finished = step.run(&mut command, COMPILE_LIMIT);
        if finished.ok {
            Ok(program)
        } else {
            Err(finished.output)
        }
    }

    fn pkgconfig(&self) -> PathBuf {
        self.installed.prefix.join("lib/pkgconfig")
    }

    fn are_there(&self, packages: &str) -> bool {
        let mut command = Command::new("pkg-config");
        command
            .arg("--exists")
            .args(packages.split_whitespace())
            .env("PKG_CONFIG_PATH", self.pkgconfig());
        succeeds(&mut command)
    }

    fn execute(&self, command: &mut Command, step: &Step) -> Result<(), String> {
        command.env("LD_LIBRARY_PATH", self.installed.prefix.join("lib"));
        let finished = step.run(command, RUN_LIMIT);
        if finished.ok {
            Ok(())
        } else {
            Err(finished.output)
        }
    }
}

/// The functions of a header: names before a parenthesis, outside comments.
fn declared(header: &str) -> BTreeSet<&str> {
    let code = header
        .lines()
        .filter(|line| !line.trim_start().starts_with("//") && !line.starts_with(" *"));
    code.filter_map(|line| {
        let (before, _) = line.split_once('(')?;
        let name = before.rsplit([' ', '*']).next()?;
        name.starts_with("omemo_").then_some(name)
    })
    .collect()
}

/// What an example is linked with, by its own first lines: `cc NAME.c $(pkg-config --cflags --libs PACKAGES) ...`.
fn packages(source: &str) -> String {
    source
        .split_once("pkg-config --cflags --libs ")
        .and_then(|(_, rest)| rest.split_once(')'))
        .map_or_else(|| "omemo".to_owned(), |(packages, _)| packages.to_owned())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// A folder with nothing in it.
fn empty(folder: &Path) -> Result<(), String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_functions_of_a_header() {
        let header = "// calls omemo_a(x)\nomemo_status omemo_b(int *x,\n    int y);\nconst char *omemo_c(void);\n\
                      typedef struct omemo_d omemo_d;\n";
        assert_eq!(
            declared(header).into_iter().collect::<Vec<_>>(),
            ["omemo_b", "omemo_c"]
        );
    }

    #[test]
    fn examples_say_what_they_are_linked_with() {
        assert_eq!(
            packages(" *  cc x.c $(pkg-config --cflags --libs omemo expat) -o x"),
            "omemo expat"
        );
        assert_eq!(packages("int main(void)"), "omemo");
    }
}
