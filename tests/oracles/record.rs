//! Conversations that are kept as vectors, so that they are held again wherever tests run, without the oracle.

use std::fs;
use std::path::Path;

use omemo_vectors::{Case, Expected, FORMAT, Ours, Shim, VectorFile, to_text};

use crate::conversation::{self, Held, OURS};
use crate::oracle::Oracle;
use crate::tally::Tally;

/// Where they are kept.
const FOLDER: &str = "../test-vectors/recorded";

/// Enough to see everything, and still to be read by a person.
const MOST_MESSAGES: usize = 26;
/// Conversations that are looked at until two are good.
const TRIES: u64 = 20_000;

/// Keeps the first two conversations in which enough happens: one that each side begins.
pub(crate) fn record(oracle: &Oracle, mut shim: Shim, version: &str) -> Tally {
    let mut all = Tally::default();
    let mut ours = Ours::new();
    for (first, role) in [(1 - OURS, "initiates"), (OURS, "responds")] {
        let good = (0..TRIES).find_map(|seed| {
            let held = conversation::hold(oracle, seed, &mut ours, &mut shim);
            (held.first == first && is_good(&held)).then_some((seed, held))
        });
        let (seed, held) = good.expect("one of so many has everything");
        all += held.tally;
        let name = format!(
            "{}-{}-{role}",
            oracle.name,
            oracle.protocol().replace(':', "")
        );
        let file = file(oracle, version, seed, held);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
        fs::create_dir_all(&folder).expect("a folder for vectors");
        let text = to_text(&file).expect("vectors are JSON");
        let path = folder.join(format!("{name}.json"));
        fs::write(&path, text).expect("a vector is written");
        println!("{} recorded", path.display());
    }
    all
}

fn is_good(held: &Held) -> bool {
    let tally = held.tally;
    let messages: usize = tally.arrived.iter().sum();
    assert_eq!(
        held.wrong, None,
        "a conversation with a failure is no vector"
    );
    let refused = held
        .steps
        .iter()
        .filter(|step| matches!(step.expected, Expected::Refused(_)));
    held.single
        && messages <= MOST_MESSAGES
        && tally.arrived.iter().all(|arrived| *arrived >= 6)
        && [tally.lost, tally.duplicates, tally.forged]
            .iter()
            .all(|count| *count >= 1)
        && tally.reordered >= 4
        && tally.late >= 2
        && refused.count() >= 2
        && held.our_restarts >= 1
}

fn file(oracle: &Oracle, version: &str, seed: u64, held: Held) -> VectorFile {
    let tally = held.tally;
    let [to_it, to_us] = tally.arrived;
    let begins = if held.first == OURS {
        "our side begins"
    } else {
        "the other side begins"
    };
    VectorFile {
        format: FORMAT.into(),
        layer: "recorded".into(),
        protocol: oracle.version,
        about: format!("A conversation with {version}, as this project's side held it."),
        source: Some(format!("{version}, held by `cargo xtask oracles --record`")),
        cases: vec![Case {
            id: "conversation".into(),
            about: format!(
                "Seed {seed}; {begins}. Arrived at {}: {to_it}, at our side: {to_us}. Out of order: {}, later than a message \
                 of a newer chain: {}, lost: {}. At both sides, and refused where it is ours: again: {}, forged: {}. \
                 Restarts of our side: {}.",
                oracle.name,
                tally.reordered,
                tally.late,
                tally.lost,
                tally.duplicates,
                tally.forged,
                held.our_restarts
            ),
            flags: Vec::new(),
            steps: held.steps,
        }],
    }
}
