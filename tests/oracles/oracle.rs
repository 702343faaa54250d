//! Who is talked with, and what is to be known about each.

use std::env;
use std::path::{Path, PathBuf};

use omemo_ratchet::Version;
use omemo_tests::chance::Chance;
use omemo_tests::wire::{self, Frame};

/// An implementation in one protocol.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Oracle {
    pub(crate) name: &'static str,
    pub(crate) version: Version,
    program: Program,
    pub(crate) habits: Habits,
}

/// What the conversations have to respect. Each of these is a fact about that implementation, and within its rights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    /// How many of our chains it keeps, where that is limited, the newest among them. A message of one that it has dropped
    /// counts as lost.
    pub(crate) receiving_chains: Option<usize>,
    /// Its `pn` is one less than the length of the chain that ended, so that its last message is not among those whose keys
    /// we put aside. We keep one key for that until the ratchet turns again; if it comes later than that, it counts as lost.
    pub(crate) short_previous: bool,
    /// Whether it keeps several sessions with a peer, so that both may initiate at the same time, and again later.
    pub(crate) several_sessions: bool,
}

const ROOMY: Habits = Habits {
    receiving_chains: None,
    short_previous: false,
    several_sessions: true,
};

/// All descendants of Signal's first libraries.
const SIGNAL: Habits = Habits {
    receiving_chains: Some(5),
    short_previous: true,
    several_sessions: true,
};

#[derive(Clone, Copy, Debug)]
enum Program {
    /// A file in oracles/python.
    Python(&'static str),
    /// A program that `cargo xtask oracles` compiled, with arguments.
    Compiled(&'static str, &'static str),
}

const SIGNAL_SHIM: &str = "signal/debug/oracle-signal";

pub(crate) const ORACLES: [Oracle; 6] = [
    Oracle {
        name: "twomemo",
        version: Version::Omemo2,
        program: Program::Python("twomemo_shim.py"),
        habits: ROOMY,
    },
    Oracle {
        name: "oldmemo",
        version: Version::Legacy,
        program: Program::Python("oldmemo_shim.py"),
        habits: ROOMY,
    },
    Oracle {
        name: "libomemo-c",
        version: Version::Omemo2,
        program: Program::Compiled("libomemo-c", ""),
        habits: SIGNAL,
    },
    Oracle {
        name: "libomemo-c",
        version: Version::Legacy,
        program: Program::Compiled("libomemo-c", ""),
        habits: SIGNAL,
    },
    Oracle {
        name: "libsignal-protocol",
        version: Version::Legacy,
        program: Program::Compiled(SIGNAL_SHIM, "libsignal-protocol"),
        habits: SIGNAL,
    },
    Oracle {
        name: "wacore-libsignal",
        version: Version::Legacy,
        program: Program::Compiled(SIGNAL_SHIM, "wacore-libsignal"),
        habits: SIGNAL,
    },
];

impl Oracle {
    /// The protocol's short name.
    pub(crate) const fn protocol(&self) -> &'static str {
        match self.version {
            Version::Legacy => "legacy",
            _ => "omemo:2",
        }
    }

    /// Both, for people and for choosing.
    pub(crate) fn title(&self) -> String {
        format!("{}/{}", self.name, self.protocol())
    }

    /// Its own course of a seed, so that the same seed is a different conversation with each.
    pub(crate) fn chance(&self, seed: u64) -> Chance {
        Chance::new(self.title().bytes().fold(seed, |seed, byte| {
            seed.wrapping_mul(31).wrapping_add(u64::from(byte))
        }))
    }

    /// How to start it, or what is lacking.
    pub(crate) fn command(&self) -> Result<String, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        match self.program {
            Program::Python(file) => {
                let python = given("OMEMO_PEERS_PYTHON")?;
                let script = root.join("oracles/python").join(file);
                Ok(format!("{} {}", quoted(&python)?, quoted(&script)?))
            }
            Program::Compiled(file, argument) => {
                let program = given("OMEMO_ORACLES")?.join(file);
                Ok(format!("{} {argument}", quoted(&program)?))
            }
        }
    }

    /// Reads a frame with a parser that shares nothing with either side.
    pub(crate) fn read(&self, frame: &[u8], key_exchange: bool) -> Frame {
        match self.version {
            Version::Legacy => wire::legacy_frame(frame, key_exchange),
            _ => wire::omemo2_frame(frame, key_exchange),
        }
    }
}

fn given(variable: &str) -> Result<PathBuf, String> {
    env::var_os(variable)
        .map(PathBuf::from)
        .ok_or_else(|| format!("{variable} is not set (`cargo xtask oracles` sets it)"))
}

/// A file that is there, for a shell.
fn quoted(path: &Path) -> Result<String, String> {
    if !path.exists() {
        return Err(format!("{} is lacking", path.display()));
    }
    let text = path.display().to_string();
    Ok(format!("'{}'", text.replace('\'', "'\\''")))
}
