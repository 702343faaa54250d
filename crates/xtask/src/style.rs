//! Colours, where somebody is looking who wants them.

use std::env;
use std::io::{self, IsTerminal};

/// How to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    coloured: bool,
    /// Whether a person watches a terminal; else lines are all there is.
    pub(crate) interactive: bool,
}

impl Style {
    pub(crate) fn of_this_terminal() -> Self {
        let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
        Self {
            coloured: io::stdout().is_terminal() && !no_colour && !dumb,
            interactive: io::stdout().is_terminal() && io::stderr().is_terminal() && !dumb,
        }
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn odd(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.coloured {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
