//! Reads SPDX licence expressions, as far as crates use them.

/// What may be linked into an application without asking its author for anything but a notice, and MPL-2.0, which asks
/// only for changes to its own files.
const ALLOWED: [&str; 18] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "WTFPL",
    "Zlib",
    // SQLite's, which gives it to everybody.
    "blessing",
];

/// Whether one of the ways to read the expression asks for nothing that is not allowed.
pub(crate) fn allowed(expression: &str) -> bool {
    // Old crates write MIT/Apache-2.0.
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = Words {
        words: spaced.split_whitespace().collect(),
        at: 0,
    };
    either(&mut words) == Some(true) && words.next().is_none()
}

struct Words<'a> {
    words: Vec<&'a str>,
    at: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let word = self.words.get(self.at).copied();
        self.at += 1;
        word
    }

    fn next_is(&mut self, wanted: &str) -> bool {
        let found = self.words.get(self.at) == Some(&wanted);
        self.at += usize::from(found);
        found
    }
}

/// `A OR B`. `None`: not an expression.
fn either(words: &mut Words<'_>) -> Option<bool> {
    let mut good = both(words)?;
    while words.next_is("OR") {
        good |= both(words)?;
    }
    Some(good)
}

/// `A AND B`, which binds closer than OR.
fn both(words: &mut Words<'_>) -> Option<bool> {
    let mut good = one(words)?;
    while words.next_is("AND") {
        good &= one(words)?;
    }
    Some(good)
}

/// `(…)`, `A` or `A WITH EXCEPTION`.
fn one(words: &mut Words<'_>) -> Option<bool> {
    if words.next_is("(") {
        let good = either(words)?;
        return words.next_is(")").then_some(good);
    }
    let name = words.next()?;
    if words.next_is("WITH") {
        let exception = words.next()?;
        return Some(ALLOWED.contains(&format!("{name} WITH {exception}").as_str()));
    }
    Some(ALLOWED.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn one_allowed_way_is_enough() {
        for expression in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "GPL-3.0-only OR MIT",
            "Apache-2.0 AND ISC",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
            "MPL-2.0",
            "MIT AND BSD-3-Clause AND blessing AND WTFPL",
        ] {
            assert!(allowed(expression), "{expression}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for expression in [
            "",
            "GPL-3.0-only",
            "AGPL-3.0-only",
            "LGPL-2.1-or-later",
            "MIT AND GPL-2.0-only",
            "(MIT OR GPL-2.0-only) AND AGPL-3.0-only",
            "Apache-2.0 WITH some-exception",
            "MIT OR",
            "(MIT",
            "MIT)",
        ] {
            assert!(!allowed(expression), "{expression}");
        }
    }
}
