//! What tests need beyond Rust: servers and clients of Debian, Python libraries for the bot and the oracles, and the C
//! libraries of the others.
//!
//! Installed where that is allowed: Debian packages by root, Python packages into a folder of their own below the target
//! folder. Everything else is named, so that somebody can install it by hand.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::report::{Step, Verdict};
use crate::workspace::Workspace;

/// Package lists, downloads and unpacking over a slow line.
const APT_LIMIT: Duration = Duration::from_secs(600);
const PIP_LIMIT: Duration = Duration::from_secs(600);

/// Debian packages, and how to see that one is there already.
const PACKAGES: [(&str, Sign); 17] = [
    ("prosody", Sign::Program("prosodyctl")),
    ("lua-unbound", Sign::Package),
    ("lua-sec", Sign::Package),
    ("lua-event", Sign::Package),
    ("ejabberd", Sign::Package),
    ("openssl", Sign::Program("openssl")),
    ("profanity", Sign::Program("profanity")),
    ("tmux", Sign::Program("tmux")),
    ("python3-venv", Sign::Venv),
    ("gcc", Sign::Program("cc")),
    ("g++", Sign::Program("c++")),
    ("valgrind", Sign::Program("valgrind")),
    ("pkg-config", Sign::Program("pkg-config")),
    ("libomemo-c-dev", Sign::Package),
    ("libjson-c-dev", Sign::Package),
    ("libssl-dev", Sign::Package),
    ("libstrophe-dev", Sign::Package),
];

/// What only some chores need.
const SIGNAL_PACKAGES: [(&str, Sign); 1] = [("cmake", Sign::Program("cmake"))];

/// The bot's libraries, with their versions.
const REQUIREMENTS: &str = "tests/peers/requirements.txt";

/// A package's scripts ask this program whether they may start a server, and 101 means no.
const POLICY: &str = "/usr/sbin/policy-rc.d";

enum Sign {
    /// A program of it can be found.
    Program(&'static str),
    /// It has none: the package manager knows.
    Package,
    /// Python can make environments.
    Venv,
}

/// Provides what tests need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Installer {
    may_install: bool,
    /// Whether the oracles of oracles/signal are compiled, too.
    pub(crate) signal: bool,
    /// Whether something that is lacking is a failure.
    pub(crate) strict: bool,
}

impl Installer {
    pub(crate) const fn new(may_install: bool, strict: bool) -> Self {
        Self {
            may_install,
            signal: false,
            strict,
        }
    }

    pub(crate) const fn with_signal(self) -> Self {
        Self {
            signal: true,
            ..self
        }
    }

    /// Installs what is missing and may be installed. What is lacking after that is skipped, or a failure under `--strict`.
    pub(crate) fn provide(self, workspace: &Workspace, step: &Step) -> Verdict {
        let mut lacking = Vec::new();
        if let Err(reason) = self.debian(step) {
            lacking.push(reason);
        }
        if let Err(reason) = self.python(workspace, step) {
            lacking.push(reason);
        }
        if lacking.is_empty() {
            Verdict::PASSED
        } else if self.strict {
            Verdict::failed(lacking.join("\n"))
        } else {
            Verdict::Skipped(lacking.join("\n"))
        }
    }

    fn debian(self, step: &Step) -> Result<(), String> {
        let missing = missing_packages(self.signal);
        if missing.is_empty() {
            return Ok(());
        }
        let by_hand = format!(
            "lacking: {0} (as root: apt-get install {0})",
            missing.join(" ")
        );
        if !self.may_install {
            return Err(format!("{by_hand}; --no-install forbids to install it"));
        }
        if !is_program("apt-get") {
            return Err(format!(
                "lacking: {}, by the names that Debian gives them",
                missing.join(" ")
            ));
        }
        if !is_root() {
            return Err(format!("{by_hand}; only root may install it"));
        }
        step.note(&format!("installing {}", missing.join(" ")));
        let _no_servers =
            Policy::forbid_servers().map_err(|error| format!("{by_hand}; {POLICY}: {error}"))?;
        let apt = || {
            let mut apt = Command::new("apt-get");
            apt.env("DEBIAN_FRONTEND", "noninteractive")
                .args(["-q", "-y"]);
            apt
        };
        // Lists may be missing altogether, or name files that are gone.
        let updated = step.run(apt().arg("update"), APT_LIMIT);
        let install = ["install", "--no-install-recommends"];
        let installed = step.run(apt().args(install).args(&missing), APT_LIMIT);
        let missing = missing_packages(self.signal);
        if installed.ok && missing.is_empty() {
            return Ok(());
        }
        let what = if updated.ok {
            ""
        } else {
            " (and could not update its lists)"
        };
        Err(format!(
            "{by_hand}; apt-get failed{what}:\n{}",
            installed.output
        ))
    }

    fn python(self, workspace: &Workspace, step: &Step) -> Result<(), String> {
        let requirements = fs::read_to_string(workspace.root().join(REQUIREMENTS))
            .map_err(|error| format!("{REQUIREMENTS}: {error}"))?;
        let venv = workspace.peers_venv();
        // What it was made from. Written last, so that an installation that was cut short is repeated.
        let stamp = venv.join("made-from.txt");
        if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == requirements) {
            return Ok(());
        }
        let by_hand = format!(
            "lacking: the Python packages of {REQUIREMENTS} in {}",
            venv.display()
        );
        if !self.may_install {
            return Err(format!("{by_hand}; --no-install forbids to install them"));
        }
        step.note(&format!(
            "installing the Python packages of {REQUIREMENTS} into {}",
            venv.display()
        ));
        let made = step.run(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&venv),
            PIP_LIMIT,
        );
        if !made.ok {
            return Err(format!(
                "{by_hand}; python3 -m venv failed:\n{}",
                made.output
            ));
        }
        let installed = step.run(
            Command::new(venv.join("bin/python"))
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--disable-pip-version-check",
                    "--no-input",
                    "-q",
                    "-r",
                ])
                .arg(workspace.root().join(REQUIREMENTS)),
            PIP_LIMIT,
        );
        if !installed.ok {
            return Err(format!("{by_hand}; pip failed:\n{}", installed.output));
        }
        fs::write(&stamp, requirements).map_err(|error| format!("{}: {error}", stamp.display()))
    }
}

fn missing_packages(signal: bool) -> Vec<&'static str> {
    let missing = |sign: &Sign, package: &str| match sign {
        Sign::Program(program) => !is_program(program),
        Sign::Package => !is_installed(package),
        Sign::Venv => !succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"])),
    };
    let more: &[_] = if signal { &SIGNAL_PACKAGES } else { &[] };
    PACKAGES
        .iter()
        .chain(more)
        .filter(|(package, sign)| missing(sign, package))
        .map(|(package, _)| *package)
        .collect()
}

pub(crate) fn is_program(name: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|folder| is_executable(&folder.join(name)))
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn is_installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| output.stdout == b"installed")
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// While it lives, installed packages start no servers of their own.
struct Policy {
    /// Whether the file is ours, to be removed; a machine may have one of its own, which stays.
    ours: bool,
}

impl Policy {
    fn forbid_servers() -> std::io::Result<Self> {
        match File::options().write(true).create_new(true).open(POLICY) {
            Ok(mut file) => {
                file.write_all(b"#!/bin/sh\nexit 101\n")?;
                file.set_permissions(fs::Permissions::from_mode(0o755))?;
                Ok(Self { ours: true })
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Ok(Self { ours: false })
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        if self.ours {
            // Left behind, it would keep later packages from starting their servers: not our business, but worth a try only.
            let _ = fs::remove_file(POLICY);
        }
    }
}
