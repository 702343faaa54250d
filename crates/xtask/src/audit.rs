//! AUDIT.md tells the truth: every rule and every attack has a row, every row names tests and places that exist, and every test
//! that carries a number stands in the row of that number.
//!
//! Whether a test shows what its row says is for people to judge. That it is there, and is run, is judged here.

mod source;
mod switches;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use self::table::{Number, Row, State};
use crate::workspace::Workspace;

const DOCUMENT: &str = "AUDIT.md";
/// Where source may lie.
const FOLDERS: [&str; 6] = ["crates", "tests", "benches", "oracles", "ffi", "fuzz"];

/// The source of the project.
#[derive(Debug, Default)]
struct Tree {
    /// What each Rust file defines, by its path from the root.
    files: BTreeMap<String, BTreeSet<String>>,
    /// Other files that exist.
    others: BTreeSet<String>,
    tests: BTreeSet<String>,
    /// Conditions that could switch a check off.
    switches: Vec<String>,
}

/// Compares the document with the source; gives the counts in words.
pub(crate) fn check(workspace: &Workspace) -> Result<String, String> {
    let text = fs::read_to_string(workspace.root().join(DOCUMENT))
        .map_err(|error| format!("{DOCUMENT}: {error}"))?;
    let tree = read_tree(workspace.root())?;
    let (rows, mut mistakes) = table::parse(&text);
    mistakes.extend(compare(&rows, &tree));
    if mistakes.is_empty() {
        Ok(count(&rows))
    } else {
        Err(mistakes.join("\n"))
    }
}

/// Everything that the rows and the source say against each other.
fn compare(rows: &BTreeMap<Number, Row>, tree: &Tree) -> Vec<String> {
    let mut mistakes = tree.switches.clone();
    for number in Number::all().filter(|number| !rows.contains_key(number)) {
        mistakes.push(format!("{number} has no row"));
    }
    for (number, row) in rows {
        for test in row.tests.iter().filter(|test| !exists(test, &tree.tests)) {
            mistakes.push(format!("{number}: there is no test {test}"));
        }
        for (path, items) in &row.places {
            mistakes
                .extend(misplaced(path, items, tree).map(|mistake| format!("{number}: {mistake}")));
        }
    }
    for test in &tree.tests {
        let missing = Number::all_in(test).into_iter().filter(|number| {
            let named = rows
                .get(number)
                .is_some_and(|row| row.tests.iter().any(|name| matches(name, test)));
            !named
        });
        mistakes.extend(missing.map(|number| format!("{number}: its row does not name {test}")));
    }
    mistakes
}

fn exists(name: &str, tests: &BTreeSet<String>) -> bool {
    tests.iter().any(|test| matches(name, test))
}

/// Whether a name in the table is that of a test.
fn matches(name: &str, test: &str) -> bool {
    match name.strip_suffix('*') {
        Some(start) => test.starts_with(start),
        None => name == test,
    }
}

/// What of a place does not exist.
fn misplaced<'a>(
    path: &'a str,
    items: &'a [String],
    tree: &'a Tree,
) -> impl Iterator<Item = String> {
    let defined = tree.files.get(path);
    let absent = (defined.is_none() && !tree.others.contains(path))
        .then(|| format!("there is no file {path}"));
    let undefined = items
        .iter()
        .filter(move |item| defined.is_some_and(|defined| !defined.contains(*item)))
        .map(move |item| format!("{path} does not define {item}"));
    absent.into_iter().chain(undefined)
}

/// `71 of 80 covered, 4 partly, 5 left to later work`
fn count(rows: &BTreeMap<Number, Row>) -> String {
    let of = |state: State| rows.values().filter(|row| row.state == state).count();
    format!(
        "{} of {} covered, {} partly, {} left to later work",
        of(State::Covered),
        rows.len(),
        of(State::Partly),
        of(State::Open)
    )
}

fn read_tree(root: &Path) -> Result<Tree, String> {
    let mut tree = Tree::default();
    read_manifest(root, "Cargo.toml", &mut tree)?;
    tree.others
        .extend(["SECURITY.md", "ARCHITECTURE.md"].map(str::to_owned));
    for folder in FOLDERS
        .into_iter()
        .filter(|folder| root.join(folder).is_dir())
    {
        read_folder(root, folder, &mut tree)?;
    }
    Ok(tree)
}

fn read_folder(root: &Path, folder: &str, tree: &mut Tree) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("{folder}: {error}");
    for entry in fs::read_dir(root.join(folder)).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{folder}/{name}");
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if entry.file_type().map_err(wrong)?.is_dir() {
            read_folder(root, &path, tree)?;
        } else if name.ends_with(".rs") {
            read_source(root, &path, tree)?;
        } else if name == "Cargo.toml" {
            read_manifest(root, &path, tree)?;
        } else {
            tree.others.insert(path);
        }
    }
    Ok(())
}

fn read_source(root: &Path, path: &str, tree: &mut Tree) -> Result<(), String> {
    let text = fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))?;
    let tokens = source::tokens(&text);
    tree.tests.extend(source::tests(&tokens));
    tree.files
        .insert(path.to_owned(), source::definitions(&tokens));
    let ships = path.contains("/src/") && !path.starts_with("crates/xtask/");
    if ships && (path.starts_with("crates/") || path.starts_with("ffi/")) {
        tree.switches.extend(switches::in_source(path, &tokens));
    }
    Ok(())
}

fn read_manifest(root: &Path, path: &str, tree: &mut Tree) -> Result<(), String> {
    let text = fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))?;
    tree.switches.extend(switches::in_manifest(path, &text));
    tree.others.insert(path.to_owned());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table with every row, each covered by a test that is called after it.
    fn whole() -> String {
        Number::all()
            .map(|number| {
                format!(
                    "| `{number}` | x | x | [a](crates/a.rs) `A::b` | `{number}_*` | covered |\n"
                )
            })
            .collect()
    }

    fn tree() -> Tree {
        Tree {
            files: BTreeMap::from([(
                "crates/a.rs".to_owned(),
                BTreeSet::from(["A::b".to_owned()]),
            )]),
            others: BTreeSet::from(["Cargo.toml".to_owned()]),
            tests: Number::all().map(|number| format!("{number}_x")).collect(),
            switches: Vec::new(),
        }
    }

    fn mistakes(table: &str, tree: &Tree) -> Vec<String> {
        let (rows, mut mistakes) = table::parse(table);
        mistakes.extend(compare(&rows, tree));
        mistakes
    }

    #[test]
    fn a_whole_table_has_no_mistake() {
        assert_eq!(mistakes(&whole(), &tree()), Vec::<String>::new());
        let (rows, _) = table::parse(&whole());
        assert_eq!(
            count(&rows),
            "119 of 119 covered, 0 partly, 0 left to later work"
        );
    }

    #[test]
    fn a_missing_row_is_named() {
        let table = whole().replace("| `a07` | x", "| a7 | x");
        assert_eq!(
            mistakes(&table, &tree()),
            ["a07 has no row", "a07: its row does not name a07_x"]
        );
    }

    #[test]
    fn a_test_that_does_not_exist_is_named() {
        let mut tree = tree();
        tree.tests.remove("quirk_39_x");
        assert_eq!(
            mistakes(&whole(), &tree),
            ["quirk_39: there is no test quirk_39_*"]
        );
        let table = whole().replace("`rule_01_*`", "`rule_01_*`, `rule_01_y`");
        assert!(
            mistakes(&table, &tree).contains(&"rule_01: there is no test rule_01_y".to_owned())
        );
    }

    #[test]
    fn a_test_without_its_row_is_named() {
        let mut tree = tree();
        tree.tests.insert("kat_rule_02_and_rule_03".into());
        assert_eq!(
            mistakes(&whole(), &tree),
            [
                "rule_02: its row does not name kat_rule_02_and_rule_03",
                "rule_03: its row does not name kat_rule_02_and_rule_03"
            ]
        );
    }

    #[test]
    fn a_place_that_does_not_exist_is_named() {
        let table = whole().replacen("(crates/a.rs) `A::b`", "(crates/b.rs) `A::b`", 1);
        assert_eq!(
            mistakes(&table, &tree()),
            ["rule_01: there is no file crates/b.rs"]
        );
        let table = whole().replacen("`A::b`", "`A::c`", 1);
        assert_eq!(
            mistakes(&table, &tree()),
            ["rule_01: crates/a.rs does not define A::c"]
        );
        let table = whole().replacen("(crates/a.rs) `A::b`", "(Cargo.toml)", 1);
        assert!(mistakes(&table, &tree()).is_empty());
    }

    #[test]
    fn partly_and_open_are_counted_apart() {
        let table = whole()
            .replace("| `a26_*` | covered", "| | open: later")
            .replace("| `a27_*` | covered", "| `a27_*` | partly: more later");
        let (rows, _) = table::parse(&table);
        assert_eq!(
            count(&rows),
            "117 of 119 covered, 1 partly, 1 left to later work"
        );
    }

    /// The source as it is.
    #[test]
    fn a29_nothing_in_the_source_switches_a_check_off() {
        let tree = read_tree(Workspace::find().unwrap().root()).unwrap();
        assert_eq!(tree.switches, Vec::<String>::new());
        assert!(
            tree.tests
                .contains("a29_nothing_in_the_source_switches_a_check_off")
        );
        assert!(tree.files.len() > 100, "{}", tree.files.len());
    }
}
