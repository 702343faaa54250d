//! How the command fails: one sentence and an exit code.

use std::io;

/// Why the command ends without having done what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Something to tell.
    #[error("{0}")]
    Told(String),
    /// There is no way to the server at the moment.
    #[error("{0}")]
    Offline(String),
    /// No device of the recipient could be served; the report has said so.
    #[error("nobody could be served")]
    NobodyServed,
    /// Whoever read our output does so no more.
    #[error("the output was closed")]
    OutputClosed,
}

impl Failure {
    pub(crate) fn told(sentence: impl Into<String>) -> Self {
        Self::Told(sentence.into())
    }

    /// The exit code, which scripts rely on.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            // As every filter does when the reader has had enough.
            Self::OutputClosed => 0,
            Self::Told(_) | Self::Offline(_) => 1,
            Self::NobodyServed => 3,
        }
    }
}

impl From<omemo::Error> for Failure {
    fn from(error: omemo::Error) -> Self {
        Self::Told(error.to_string())
    }
}

impl From<omemo_tokio::Error> for Failure {
    fn from(error: omemo_tokio::Error) -> Self {
        if error.is_permanent() {
            Self::Told(error.to_string())
        } else {
            Self::Offline(error.to_string())
        }
    }
}

/// An error while printing.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::Told(format!("the output cannot be written: {error}")),
        }
    }
}
