//! What the published crates bring along.
//!
//! The core has no runtime and no TLS, one version of each library that its cryptography stands on, and nothing that we
//! publish depends on a licence that would bind its users.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::licence;
use crate::report::Step;
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_secs(120);

/// The core: whoever embeds it brings a runtime and a network of their own.
const CORE: [&str; 3] = ["omemo-ratchet", "omemo", "omemo-files"];
const PUBLISHED: [&str; 6] = [
    "omemo-ratchet",
    "omemo",
    "omemo-files",
    "omemo-sqlite",
    "omemo-tokio",
    "omemo-cli",
];

/// What is linked. Build scripts and macros only run where the crate is compiled.
const LINKED: [&str; 2] = ["--edges", "normal"];
/// With encryption, a dependency of a build script brings the C sources that are linked.
const ENCRYPTED: (&str, [&str; 4]) = (
    "omemo-sqlite",
    ["--edges", "normal,build", "--features", "sqlcipher"],
);

const RUNTIMES_AND_TLS: [&str; 12] = [
    "tokio",
    "async-std",
    "smol",
    "async-executor",
    "rustls",
    "tokio-rustls",
    "native-tls",
    "openssl",
    "openssl-sys",
    "boring",
    "ring",
    "aws-lc-rs",
];

/// Two versions of these would mean types that do not fit, or code twice.
const SINGLE: [&str; 3] = ["rand_core", "curve25519-dalek", "digest"];

/// The exception: the XMPP elements' own hashes are one generation behind, and nothing of ours touches them.
const LATE: (&str, &str, &str) = ("digest", "xmpp-parsers", "blake2");

/// One package in a tree, with what it hangs from.
struct Branch {
    name: String,
    version: String,
    licence: String,
    /// The names above it, from the root.
    above: Vec<String>,
}

/// Finds everything that should not be there; returns how many packages were looked at.
pub(crate) fn check(workspace: &Workspace, step: &Step) -> Result<usize, String> {
    let mut mistakes = BTreeSet::new();
    let mut packages = BTreeSet::new();
    let published = PUBLISHED.map(|root| (root, LINKED.as_slice()));
    let (root, edges) = &ENCRYPTED;
    for (root, edges) in published.into_iter().chain([(*root, edges.as_slice())]) {
        let tree = grow(workspace, step, root, edges)?;
        for branch in &tree {
            packages.insert(format!("{} {}", branch.name, branch.version));
            if !licence::allowed(&branch.licence) {
                mistakes.insert(format!(
                    "{root} needs {} {}, whose licence is '{}'",
                    branch.name, branch.version, branch.licence
                ));
            }
        }
        if CORE.contains(&root) {
            mistakes.extend(unwanted(root, &tree));
            mistakes.extend(doubled(root, &tree));
        }
    }
    if mistakes.is_empty() {
        Ok(packages.len())
    } else {
        Err(mistakes.into_iter().collect::<Vec<_>>().join("\n"))
    }
}

fn unwanted(root: &str, tree: &[Branch]) -> Vec<String> {
    tree.iter()
        .filter(|branch| RUNTIMES_AND_TLS.contains(&branch.name.as_str()))
        .map(|branch| {
            format!(
                "{root} brings {} ({})",
                branch.name,
                branch.above.join(" > ")
            )
        })
        .collect()
}

fn doubled(root: &str, tree: &[Branch]) -> Vec<String> {
    let (name, family, through) = LATE;
    let mut versions: BTreeMap<&str, BTreeMap<&str, &Branch>> = BTreeMap::new();
    for branch in tree
        .iter()
        .filter(|branch| SINGLE.contains(&branch.name.as_str()))
    {
        let above = |wanted: &str| branch.above.iter().any(|name| name == wanted);
        if branch.name == name && above(family) && above(through) {
            continue;
        }
        versions
            .entry(&branch.name)
            .or_default()
            .insert(&branch.version, branch);
    }
    versions
        .into_iter()
        .filter(|(_, versions)| versions.len() > 1)
        .map(|(name, versions)| {
            let ways: Vec<_> = versions
                .values()
                .map(|branch| format!("{} ({})", branch.version, branch.above.join(" > ")))
                .collect();
            format!(
                "{root} has {} versions of {name}: {}",
                ways.len(),
                ways.join(", ")
            )
        })
        .collect()
}

/// The packages that are linked into a program that uses `root`.
fn grow(
    workspace: &Workspace,
    step: &Step,
    root: &str,
    edges: &[&str],
) -> Result<Vec<Branch>, String> {
    let finished = step.run(
        workspace
            .cargo()
            .args(["tree", "-p", root, "--prefix", "depth", "--no-dedupe"])
            .args(edges)
            .args(["--format", "\t{p}\t{l}"]),
        LIMIT,
    );
    if !finished.ok {
        return Err(finished.output);
    }
    parse(&finished.output)
}

/// Lines of `DEPTH<tab>NAME vVERSION …<tab>LICENCE`.
fn parse(text: &str) -> Result<Vec<Branch>, String> {
    let mut above: Vec<String> = Vec::new();
    let mut tree = Vec::new();
    for line in text.lines().filter(|line| line.contains('\t')) {
        let mut columns = line.split('\t');
        let depth = columns.next().and_then(|depth| depth.parse::<usize>().ok());
        let mut package = columns.next().unwrap_or_default().split_whitespace();
        let (Some(depth), Some(name), Some(version)) = (depth, package.next(), package.next())
        else {
            return Err(format!("cargo tree printed '{line}'"));
        };
        above.truncate(depth);
        tree.push(Branch {
            name: name.to_owned(),
            version: version.trim_start_matches('v').to_owned(),
            licence: columns.next().unwrap_or_default().to_owned(),
            above: above.clone(),
        });
        above.push(name.to_owned());
    }
    if tree.is_empty() {
        Err("cargo tree printed nothing".to_owned())
    } else {
        Ok(tree)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "0\tomemo v0.1.0 (/somewhere)\tMIT\n1\tsha2 v0.11.1\tMIT\n2\tdigest v0.11.0\tMIT\n\
        1\txmpp-parsers v0.23.0\tMPL-2.0\n2\tblake2 v0.10.6\tMIT\n3\tdigest v0.10.7\tMIT\n2\ttokio v1.0.0\tMIT\n";

    #[test]
    fn knows_what_hangs_from_what() {
        let tree = parse(TREE).unwrap();
        assert_eq!(tree[5].above, ["omemo", "xmpp-parsers", "blake2"]);
        assert_eq!(tree[6].above, ["omemo", "xmpp-parsers"]);
    }

    #[test]
    fn finds_a_runtime() {
        assert_eq!(
            unwanted("omemo", &parse(TREE).unwrap()),
            ["omemo brings tokio (omemo > xmpp-parsers)"]
        );
    }

    #[test]
    fn only_blake2_may_bring_an_older_digest() {
        assert!(doubled("omemo", &parse(TREE).unwrap()).is_empty());
        let other = TREE.replace("blake2", "blake3");
        assert_eq!(doubled("omemo", &parse(&other).unwrap()).len(), 1);
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        assert!(parse("").is_err());
        assert!(parse("x\ty\n").is_err());
    }
}
