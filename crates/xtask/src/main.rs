//! The project's own chores: `cargo xtask --help` lists them.
//!
//! A chore is a list of steps; a step is a check of ours or a program, has a name, a time limit and a place in the report. This
//! crate knows nothing of the crates that it checks beyond their names.

mod arrows;
mod audit;
mod c_checks;
mod c_library;
mod c_page;
mod hostile;
mod install;
mod licence;
mod oracles;
mod program;
mod report;
mod steps;
mod style;
mod tree;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::install::Installer;
use crate::report::Report;
use crate::workspace::Workspace;

/// The project's own chores.
#[derive(Parser)]
#[command(
    bin_name = "cargo xtask",
    after_help = "Start with `cargo xtask test`: it installs what it lacks, checks everything, and says at the end what passed.\n\
                  The full output of every step is in target/xtask/STEP.log."
)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Check everything: format, lints, docs, arrows, dependencies, all tests, the demo, and the end-to-end tests
    ///
    /// Takes at most 30 minutes on two cores from a clean clone. What the end-to-end tests need (two XMPP servers and foreign
    /// clients) is installed where that is possible: Debian packages when run as root, Python packages into
    /// target/peers/venv. What cannot be had is skipped, loudly.
    Test {
        #[command(flatten)]
        needs: Needs,
    },
    /// Run only the end-to-end tests: real servers on loopback, the `omemo` command, foreign clients
    Interop {
        /// Run only the tests with one of these words in their name (experiments run only this way)
        names: Vec<String>,
        /// Keep the servers' and clients' files, and say where they are
        #[arg(long)]
        keep: bool,
        #[command(flatten)]
        needs: Needs,
    },
    /// Hold random conversations with other implementations, which are installed and compiled where that is possible
    ///
    /// Everything in a conversation follows from its seed; a failure says how to hold that one again.
    Oracles {
        #[command(flatten)]
        wish: oracles::Wish,
        #[command(flatten)]
        needs: Needs,
    },
    /// Hold random schedules of honest accounts against a malicious server and malicious peers
    ///
    /// Everything in a schedule follows from its seed. One that breaks a rule is made small and printed with the command that holds
    /// it again.
    Hostile {
        #[command(flatten)]
        wish: hostile::Wish,
    },
    /// Check everything as `test --strict` does, and more thoroughly: at most an hour
    Full {
        /// Install nothing
        #[arg(long)]
        no_install: bool,
    },
    /// Build the C library and install it: header, shared and static library, and omemo.pc for pkg-config
    Install {
        /// Where it will be used
        #[arg(long, default_value = "/usr/local")]
        prefix: PathBuf,
        /// Put everything below this folder, for a package that is unpacked elsewhere
        #[arg(long)]
        destdir: Option<PathBuf>,
        /// Build it so that stores can be encrypted, which needs OpenSSL's libcrypto
        #[arg(long)]
        sqlcipher: bool,
    },
    /// Check the C library as it is shipped: what it exports, its size, the examples, the programs of docs/c.md, the C tests
    Ffi {
        /// Take a library that is not optimised, and leave out what takes minutes; for work on the header and the page
        #[arg(long)]
        quick: bool,
        #[command(flatten)]
        needs: Needs,
    },
    /// Check that the crates depend on each other as ARCHITECTURE.md draws it
    Arrows,
    /// Check that AUDIT.md leads from every rule and attack to code and tests that exist
    Audit,
    /// Check the dependencies of the published crates: no runtime or TLS in the core, no duplicates, free licences
    Tree,
}

#[derive(Args, Clone, Copy)]
struct Needs {
    /// Fail where something would be skipped
    #[arg(long)]
    strict: bool,
    /// Install nothing
    #[arg(long)]
    no_install: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let workspace = match Workspace::find() {
        Ok(workspace) => workspace,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let mut report = Report::new(workspace.logs());
    match arguments.chore {
        Chore::Test { needs } => {
            let installer = Installer::new(!needs.no_install, needs.strict);
            steps::everything(&workspace, installer, false, &mut report);
        }
        Chore::Full { no_install } => {
            steps::everything(
                &workspace,
                Installer::new(!no_install, true).with_signal(),
                true,
                &mut report,
            );
        }
        Chore::Interop { names, keep, needs } => {
            let installer = Installer::new(!needs.no_install, needs.strict);
            steps::interop(&workspace, installer, &names, keep, &mut report);
        }
        Chore::Oracles { wish, needs } => {
            let installer = Installer::new(!needs.no_install, needs.strict).with_signal();
            steps::only_oracles(&workspace, installer, &wish, &mut report);
        }
        Chore::Hostile { wish } => steps::only_hostile(&workspace, &wish, &mut report),
        Chore::Install {
            prefix,
            destdir,
            sqlcipher,
        } => {
            report.step("install", |step| {
                c_library::install(&workspace, &prefix, destdir.as_deref(), sqlcipher, step)
            });
        }
        Chore::Ffi { quick, needs } => {
            let installer = Installer::new(!needs.no_install, needs.strict);
            steps::c_interface(&workspace, installer, quick, &mut report);
        }
        Chore::Arrows => steps::arrows(&workspace, &mut report),
        Chore::Audit => steps::audit(&workspace, &mut report),
        Chore::Tree => steps::tree(&workspace, &mut report),
    }
    report.finish()
}
