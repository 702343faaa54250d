//! The tables of AUDIT.md: rows of six cells, each with a number that tests carry in their names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What is numbered, as tests write it, and how many there are.
pub(super) const KINDS: [(&str, u8); 4] = [("rule", 39), ("legacy", 11), ("quirk", 39), ("a", 30)];

/// A number: `rule_07`, `legacy_03`, `quirk_12`, `a16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number {
    kind: &'static str,
    number: u8,
}

impl Number {
    fn parse(kind: &str, digits: &str) -> Option<Self> {
        let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let (kind, most) = KINDS.into_iter().find(|(known, _)| *known == kind)?;
        let number = digits.parse().ok().filter(|_| two)?;
        (1..=most)
            .contains(&number)
            .then_some(Self { kind, number })
    }

    /// The number that a text is.
    fn read(text: &str) -> Option<Self> {
        let (kind, digits) = match text.split_once('_') {
            Some(parts) => parts,
            None => ("a", text.strip_prefix('a')?),
        };
        Self::parse(kind, digits)
    }

    /// All numbers that the name of a test holds.
    pub(super) fn all_in(name: &str) -> BTreeSet<Self> {
        let parts: Vec<&str> = name.split('_').collect();
        let pairs = parts.windows(2).filter_map(|pair| match pair {
            [kind, digits] => Self::parse(kind, digits),
            _ => None,
        });
        let attacks = parts.iter().filter_map(|part| {
            let digits = part.strip_prefix('a')?;
            Self::parse("a", digits)
        });
        pairs.chain(attacks).collect()
    }

    /// Every number that must have a row.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        KINDS
            .into_iter()
            .flat_map(|(kind, most)| (1..=most).map(move |number| Self { kind, number }))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, number } = self;
        if *kind == "a" {
            write!(f, "a{number:02}")
        } else {
            write!(f, "{kind}_{number:02}")
        }
    }
}

/// How far a row is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Covered,
    Partly,
    Open,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    /// A file and the items named in it.
    pub(super) places: Vec<(String, Vec<String>)>,
    /// Names of tests; `*` stands for anything at the end.
    pub(super) tests: Vec<String>,
    pub(super) state: State,
}

/// Reads all rows, and what is wrong with their form.
pub(super) fn parse(text: &str) -> (BTreeMap<Number, Row>, Vec<String>) {
    let mut rows = BTreeMap::new();
    let mut mistakes = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line
            .trim()
            .trim_matches('|')
            .split('|')
            .map(str::trim)
            .collect();
        let Some(first) = cells.first() else {
            continue;
        };
        if *first == "no." || first.chars().all(|c| matches!(c, '-' | ':')) {
            continue;
        }
        let Some(number) = Number::read(first.trim_matches('`')) else {
            if looks_like_a_number(first) {
                mistakes.push(format!("'{first}' is no number that a row may have"));
            }
            continue;
        };
        match row(&cells) {
            Ok(row) => {
                if rows.insert(number, row).is_some() {
                    mistakes.push(format!("{number} has two rows"));
                }
            }
            Err(mistake) => mistakes.push(format!("{number}: {mistake}")),
        }
    }
    (rows, mistakes)
}

/// Whether the first cell of a row is one word in backticks; in other tables it is text.
fn looks_like_a_number(cell: &str) -> bool {
    let word = cell
        .strip_prefix('`')
        .and_then(|rest| rest.strip_suffix('`'));
    word.is_some_and(|word| {
        word.bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
    })
}

fn row(cells: &[&str]) -> Result<Row, String> {
    let [_, asks, source, places, tests, state] = cells else {
        return Err(format!("{} cells, where 6 belong", cells.len()));
    };
    if asks.is_empty() || source.is_empty() {
        return Err("a cell is empty".into());
    }
    let (word, reason) = state.split_once(':').unwrap_or((state, ""));
    let state = match word {
        "covered" => State::Covered,
        "partly" => State::Partly,
        "open" => State::Open,
        _ => return Err(format!("'{word}' is no state: covered, partly or open is")),
    };
    if (state == State::Covered) != reason.trim().is_empty() {
        return Err("what is covered needs no reason, and what is partly or open needs one".into());
    }
    let tests = quoted(tests);
    if state == State::Covered && tests.is_empty() {
        return Err("covered, and no test is named".into());
    }
    let places = links(places);
    if state != State::Open && places.is_empty() {
        return Err("no place in the code is named".into());
    }
    Ok(Row {
        places,
        tests,
        state,
    })
}

/// What stands in backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Links, each with the items in backticks that follow it.
fn links(text: &str) -> Vec<(String, Vec<String>)> {
    text.split("](")
        .skip(1)
        .map(|part| {
            let (path, after) = part.split_once(')').unwrap_or((part, ""));
            (path.to_owned(), quoted(after))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(line: &str) -> String {
        parse(line).1.join("\n")
    }

    #[test]
    fn reads_rows_between_other_text_and_other_tables() {
        let text = "# Title\n\n| no. | what |\n| --- | :-: |\n\
            | `rule_07` | labels | §5.3.1 | [a](x/a.rs) `A::b`, `c`; [b](y.rs) | `rule_07_*`, `other` | covered |\n\
            \nnote\n| `tests/kill`: a word | another table |\n\
            | `a16` | limits | XEP | | | open: later |\n";
        let (rows, mistakes) = parse(text);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let names: Vec<String> = rows.keys().map(Number::to_string).collect();
        assert_eq!(names, ["a16", "rule_07"]);
        let row = rows.values().next_back().unwrap();
        assert_eq!(row.tests, ["rule_07_*", "other"]);
        assert_eq!(
            row.places,
            [
                ("x/a.rs".to_owned(), vec!["A::b".to_owned(), "c".to_owned()]),
                ("y.rs".to_owned(), vec![])
            ]
        );
        assert_eq!(row.state, State::Covered);
    }

    #[test]
    fn refuses_rows_of_another_form() {
        for (line, wanted) in [
            (
                "| `rule_40` | x | x | [a](a) | `t` | covered |",
                "no number",
            ),
            ("| `rule_1` | x | x | [a](a) | `t` | covered |", "no number"),
            ("| `a31` | x | x | [a](a) | `t` | covered |", "no number"),
            ("| `a01` | x | x | [a](a) | `t` |", "5 cells"),
            ("| `a01` | | x | [a](a) | `t` | covered |", "empty"),
            ("| `a01` | x | x | [a](a) | `t` | done |", "no state"),
            ("| `a01` | x | x | [a](a) | | covered |", "no test"),
            ("| `a01` | x | x | | `t` | covered |", "no place"),
            ("| `a01` | x | x | [a](a) | `t` | partly |", "needs one"),
            ("| `a01` | x | x | | | open: |", "needs one"),
            (
                "| `a01` | x | x | [a](a) | `t` | covered: nearly |",
                "needs no reason",
            ),
        ] {
            assert!(
                mistakes(line).contains(wanted),
                "{line}: {}",
                mistakes(line)
            );
        }
        let line = "| `a01` | x | x | [a](a) | `t` | covered |\n";
        assert!(mistakes(&line.repeat(2)).contains("two rows"));
    }

    #[test]
    fn finds_the_numbers_in_names() {
        for (name, wanted) in [
            ("rule_07_labels", vec!["rule_07"]),
            ("a05_a06_hostile_keys", vec!["a05", "a06"]),
            ("rule_11_a02_a_kex", vec!["a02", "rule_11"]),
            ("kat_quirk_06_a_legacy_iv", vec!["quirk_06"]),
            ("legacy_parses_and_builds", vec![]),
            ("a_rule_of_3_and_rule_99_and_a100", vec![]),
        ] {
            let found: Vec<String> = Number::all_in(name).iter().map(Number::to_string).collect();
            assert_eq!(found, wanted, "{name}");
        }
        assert_eq!(Number::all().count(), 119);
    }
}
