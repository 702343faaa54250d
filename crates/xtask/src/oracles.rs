//! Compiles what stands before other implementations, and says how they are talked with.
//!
//! The programs link GPL and AGPL code. They are made on this machine, below the target folder, for tests alone.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::install::{is_program, succeeds};
use crate::report::Step;
use crate::workspace::Workspace;

/// A small program.
const C_LIMIT: Duration = Duration::from_secs(2 * 60);
/// A hundred crates and a C library.
const RUST_LIMIT: Duration = Duration::from_secs(20 * 60);

const LIBOMEMO_C: &str = "libomemo-c";
const C_LIBRARIES: [&str; 3] = [LIBOMEMO_C, "json-c", "libcrypto"];

/// What of it takes no CMake, and how much of it is quick.
const QUICK: [&str; 3] = ["twomemo", "oldmemo", "libomemo-c"];
const QUICK_CONVERSATIONS: u64 = 50;
const CONVERSATIONS: u64 = 1000;

/// What has its deviations written down in oracles/deviations, and how it is started: below oracles/ or where it was compiled.
const HELD_TO_VECTORS: [(&str, Shim); 3] = [
    ("twomemo", Shim::Python("twomemo_shim.py")),
    ("oldmemo", Shim::Python("oldmemo_shim.py")),
    (LIBOMEMO_C, Shim::Compiled),
];

/// How a shim is started.
#[derive(Clone, Copy)]
enum Shim {
    /// By the interpreter of the peers.
    Python(&'static str),
    /// As a program of its own.
    Compiled,
}

/// The runs of the test vectors against the shims that can be run here; nothing may differ that is not explained.
pub(crate) fn vector_runs(workspace: &Workspace) -> Vec<(&'static str, Result<Command, String>)> {
    HELD_TO_VECTORS
        .into_iter()
        .map(|(name, shim)| (name, vector_run(workspace, name, shim)))
        .collect()
}

fn vector_run(workspace: &Workspace, name: &str, shim: Shim) -> Result<Command, String> {
    let oracles = workspace.root().join("oracles");
    let (program, script) = match shim {
        Shim::Python(script) => (
            workspace.peers_venv().join("bin/python"),
            Some(oracles.join("python").join(script)),
        ),
        Shim::Compiled => (workspace.oracles().join(name), None),
    };
    if !program.exists() {
        return Err(format!("there is no {}", program.display()));
    }
    let parts = [Some(program), script].into_iter().flatten();
    let against: Vec<_> = parts.map(|part| format!("'{}'", part.display())).collect();
    let mut command = Command::new(workspace.built("omemo"));
    command
        .current_dir(workspace.root())
        .args(["vectors", "run", "--against", &against.join(" ")])
        .arg("--deviations")
        .arg(oracles.join(format!("deviations/{name}.json")));
    Ok(command)
}

/// Which conversations are held.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Wish {
    /// How many with each oracle and protocol
    #[arg(long, default_value_t = CONVERSATIONS)]
    conversations: u64,
    /// The seed of the first one; the next ones count up from it
    #[arg(long)]
    seed: Option<u64>,
    /// Only oracles with this in their name, like libomemo-c or oldmemo/legacy
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Instead, write two conversations with each into test-vectors/recorded
    #[arg(long)]
    record: bool,
}

impl Wish {
    pub(crate) fn quick() -> Self {
        Self {
            conversations: QUICK_CONVERSATIONS,
            only: QUICK.map(str::to_owned).to_vec(),
            ..Self::thorough()
        }
    }

    pub(crate) const fn thorough() -> Self {
        Self {
            conversations: CONVERSATIONS,
            seed: None,
            only: Vec::new(),
            record: false,
        }
    }

    /// For the test program.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--conversations".to_owned(), self.conversations.to_string()];
        if let Some(seed) = self.seed {
            arguments.extend(["--seed".to_owned(), seed.to_string()]);
        }
        for name in &self.only {
            arguments.extend(["--only".to_owned(), name.clone()]);
        }
        if self.record {
            arguments.push("--record".to_owned());
        }
        arguments
    }
}

/// Compiles the shims whose libraries are there. The test program says which are lacking.
pub(crate) fn compile(workspace: &Workspace, signal: bool, step: &Step) -> Result<(), String> {
    let folder = workspace.oracles();
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    if is_program("pkg-config")
        && succeeds(Command::new("pkg-config").arg("--exists").args(C_LIBRARIES))
    {
        libomemo_c(workspace, step)?;
    }
    if signal && is_program("cmake") {
        // In its own folder, where cargo finds its settings.
        let mut cargo = workspace.cargo();
        cargo
            .current_dir(workspace.root().join("oracles/signal"))
            .args(["build", "--locked", "--target-dir"])
            .arg(folder.join("signal"));
        run(step, &mut cargo, RUST_LIMIT)?;
    }
    Ok(())
}

fn libomemo_c(workspace: &Workspace, step: &Step) -> Result<(), String> {
    let folder = workspace.root().join("oracles").join(LIBOMEMO_C);
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut sources: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    sources.sort();
    let version = pkg_config(step, &["--modversion", LIBOMEMO_C])?;
    let mut flags = vec!["--cflags", "--libs"];
    flags.extend(C_LIBRARIES);
    let flags = pkg_config(step, &flags)?;
    let mut cc = Command::new("cc");
    cc.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1"])
        .arg(format!("-DLIBOMEMO_C_VERSION={}", version.trim()))
        .args(sources)
        .arg("-o")
        .arg(workspace.oracles().join(LIBOMEMO_C))
        .args(flags.split_whitespace());
    run(step, &mut cc, C_LIMIT).map(drop)
}

fn pkg_config(step: &Step, arguments: &[&str]) -> Result<String, String> {
    run(step, Command::new("pkg-config").args(arguments), C_LIMIT)
}

fn run(step: &Step, command: &mut Command, limit: Duration) -> Result<String, String> {
    let finished = step.run(command, limit);
    if finished.ok {
        Ok(finished.output)
    } else {
        Err(finished.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_name_everything_that_was_wished() {
        let wish = Wish {
            conversations: 1,
            seed: Some(7),
            only: vec!["a".to_owned(), "b".to_owned()],
            record: true,
        };
        assert_eq!(
            wish.arguments().join(" "),
            "--conversations 1 --seed 7 --only a --only b --record"
        );
        assert_eq!(
            Wish::thorough().arguments().join(" "),
            "--conversations 1000"
        );
    }
}
