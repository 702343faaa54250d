//! Random schedules against a malicious server and malicious peers: how they are asked for and started.

use std::process::Command;

use crate::workspace::Workspace;

/// As many as the project wants to be sure of.
const SCHEDULES: u64 = 10_000;
/// Optimised, with the checks of a development build.
const PROFILE: &str = "hostile";

/// Which schedules are held.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Wish {
    /// How many
    #[arg(long, default_value_t = SCHEDULES)]
    schedules: u64,
    /// The seed of the first one; the next ones count up from it
    #[arg(long)]
    seed: Option<u64>,
    /// Of one schedule only the moves with these numbers, as a violation prints them: 3,7,12 or none
    #[arg(long, value_name = "NUMBERS")]
    keep: Option<String>,
}

impl Wish {
    pub(crate) const fn thorough() -> Self {
        Self {
            schedules: SCHEDULES,
            seed: None,
            keep: None,
        }
    }

    /// For the test program.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--schedules".to_owned(), self.schedules.to_string()];
        if let Some(seed) = self.seed {
            arguments.extend(["--seed".to_owned(), seed.to_string()]);
        }
        if let Some(keep) = &self.keep {
            arguments.extend(["--keep".to_owned(), keep.clone()]);
        }
        arguments
    }
}

/// The test program.
pub(crate) fn command(workspace: &Workspace) -> Command {
    let mut command = workspace.cargo();
    command.args(["test", "--profile", PROFILE]).args([
        "--package",
        "omemo-tests",
        "--test",
        "hostile",
    ]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_name_everything_that_was_wished() {
        let wish = Wish {
            schedules: 1,
            seed: Some(7),
            keep: Some("3,4".to_owned()),
        };
        assert_eq!(
            wish.arguments().join(" "),
            "--schedules 1 --seed 7 --keep 3,4"
        );
        assert_eq!(Wish::thorough().arguments().join(" "), "--schedules 10000");
    }
}
