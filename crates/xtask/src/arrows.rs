//! The crates depend on each other as ARCHITECTURE.md draws it, and in no other way.
//!
//! The document is the rule: its block of lines `omemo -> omemo-ratchet`, fenced as `arrows`, is read and compared with what
//! `cargo metadata` says. An arrow that stands in one of them only is a mistake in one of them.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::workspace::Workspace;

const DOCUMENT: &str = "ARCHITECTURE.md";
const FENCE: &str = "```arrows";

/// The roof: nothing may stand on these, whatever the document says.
const ROOF: [&str; 3] = ["omemo-cli", "omemo-benches", "xtask"];

/// From who depends to what is depended on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrow {
    from: String,
    to: String,
}

/// Finds every arrow that should not be, or be drawn; returns how many there are.
pub(crate) fn check(workspace: &Workspace) -> Result<usize, String> {
    let text = fs::read_to_string(workspace.root().join(DOCUMENT))
        .map_err(|error| format!("{DOCUMENT}: {error}"))?;
    let drawn = parse(&text)?;
    let built = built(workspace.packages());
    let mut mistakes = Vec::new();
    for Arrow { from, to } in built.difference(&drawn) {
        mistakes.push(format!(
            "{from} depends on {to}, which {DOCUMENT} does not allow"
        ));
    }
    for Arrow { from, to } in drawn.difference(&built) {
        mistakes.push(format!(
            "{DOCUMENT} draws {from} -> {to}, but {from} does not depend on {to}"
        ));
    }
    for Arrow { from, to } in built
        .iter()
        .filter(|arrow| ROOF.contains(&arrow.to.as_str()))
    {
        mistakes.push(format!(
            "{from} depends on {to}, on which nothing may stand"
        ));
    }
    if mistakes.is_empty() {
        Ok(built.len())
    } else {
        Err(mistakes.join("\n"))
    }
}

/// The arrows of the document's fenced block.
fn parse(text: &str) -> Result<BTreeSet<Arrow>, String> {
    let mut lines = text
        .lines()
        .skip_while(|line| line.trim() != FENCE)
        .skip(1)
        .peekable();
    if lines.peek().is_none() {
        return Err(format!("{DOCUMENT} has no block that begins with {FENCE}"));
    }
    lines
        .map(str::trim)
        .take_while(|line| !line.starts_with("```"))
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (from, to) = line
                .split_once("->")
                .ok_or_else(|| format!("{DOCUMENT}: '{line}' is no arrow"))?;
            Ok(Arrow {
                from: from.trim().to_owned(),
                to: to.trim().to_owned(),
            })
        })
        .collect()
}

/// The arrows between packages of the workspace, those of tests and build scripts included.
fn built(packages: &[Value]) -> BTreeSet<Arrow> {
    let name = |value: &Value| {
        value
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let ours: BTreeSet<String> = packages.iter().map(name).collect();
    packages
        .iter()
        .flat_map(|package| {
            let dependencies = package
                .get("dependencies")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            dependencies.map(|dependency| Arrow {
                from: name(package),
                to: name(dependency),
            })
        })
        .filter(|arrow| ours.contains(&arrow.to))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn arrow(from: &str, to: &str) -> Arrow {
        Arrow {
            from: from.to_owned(),
            to: to.to_owned(),
        }
    }

    #[test]
    fn reads_the_block_and_nothing_else() {
        let text = "a -> b\n```text\nc -> d\n```\n```arrows\n e->f \n\ng -> h\n```\ni -> j\n";
        assert_eq!(
            parse(text).unwrap(),
            BTreeSet::from([arrow("e", "f"), arrow("g", "h")])
        );
    }

    #[test]
    fn refuses_a_document_without_the_block_and_lines_without_an_arrow() {
        assert!(parse("# A house\n").is_err());
        assert!(parse("```arrows\nomemo omemo-ratchet\n```\n").is_err());
    }

    #[test]
    fn takes_every_kind_of_dependency_between_our_own_crates() {
        let packages = [
            json!({"name": "a", "dependencies": [{"name": "b", "kind": "dev"}, {"name": "serde", "kind": null}]}),
            json!({"name": "b", "dependencies": []}),
        ];
        assert_eq!(built(&packages), BTreeSet::from([arrow("a", "b")]));
    }
}
