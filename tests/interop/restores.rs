//! Devices whose keys were put back from a copy: noticed, refused, recovered.

use std::fs;
use std::path::Path;

use omemo_tests::lab::{Domain, Lab};
use omemo_tests::peers::command::{self, Device, hexadecimal};
use omemo_tests::scenario::Scenario;
use omemo_tests::wire::{LEGACY, OMEMO2};

use crate::life::{done, fails, hear, say, two};

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "an_anchor_notices_a_device_that_was_put_back_omemo2",
        run: |lab| put_back(lab, "omemo2", OMEMO2, true),
        lacking: command::lacking,
    },
    Scenario {
        name: "an_anchor_notices_a_device_that_was_put_back_legacy",
        run: |lab| put_back(lab, "legacy", LEGACY, true),
        lacking: command::lacking,
    },
    Scenario {
        name: "the_archive_shows_that_a_device_was_put_back",
        run: |lab| put_back(lab, "both", OMEMO2, false),
        lacking: command::lacking,
    },
    Scenario {
        name: "who_knows_of_a_copy_recovers_without_any_proof",
        run: said,
        lacking: command::lacking,
    },
];

/// What is sent between the copy and its return is forgotten. The last test of all sees whether any key was used twice.
fn put_back(lab: &Lab, protocols: &str, namespace: &str, with_anchor: bool) {
    let name = format!("back-{protocols}-{with_anchor}");
    let juliet = lab.account(&format!("juliet-{name}"), Domain::A);
    let romeo = lab.account(&format!("romeo-{name}"), Domain::B);
    lab.befriend(&juliet, &romeo);
    let juliet = Device::init_with(lab, &juliet, protocols, |folder| {
        let anchor = folder.join("anchor").display().to_string();
        if with_anchor {
            vec!["--anchor".to_owned(), anchor]
        } else {
            Vec::new()
        }
    });
    let romeo = Device::init(lab, &romeo, protocols);
    say(lab, &juliet, &romeo, namespace);
    say(lab, &romeo, &juliet, namespace);

    let copy = juliet.data().with_file_name("copy");
    copy_folder(&juliet.data(), &copy);
    let meanwhile = lab.secret("meanwhile");
    romeo.send_to(&juliet.account.jid, &meanwhile, &[(juliet.id, namespace)]);
    for _ in 0..2 {
        say(lab, &juliet, &romeo, namespace);
    }
    fs::remove_dir_all(juliet.data()).expect("to forget");
    fs::rename(&copy, juliet.data()).expect("to put back");

    for _ in 0..2 {
        let text = lab.secret("never to be sent");
        let refused = fails(&juliet, &["send", &romeo.account.jid, &text, "--json"]);
        assert!(refused.contains("omemo recover"), "{refused}");
    }
    done(&juliet, &["recover", "--json"], "recovered");
    // the old keys have read it before they went
    hear(&juliet, &meanwhile);
    say(lab, &juliet, &romeo, namespace);
    say(lab, &romeo, &juliet, namespace);
    let [seen] = &romeo.devices(&juliet.account.jid)[..] else {
        panic!("one device")
    };
    assert_eq!(hexadecimal(&seen["fingerprint"]), juliet.fingerprint);
}

fn said(lab: &Lab) {
    let [juliet, romeo] = two(lab, "said", ["both", "both"]);
    say(lab, &juliet, &romeo, OMEMO2);
    let refused = fails(&juliet, &["recover", "--json"]);
    assert!(refused.contains("--anyway"), "{refused}");
    done(&juliet, &["recover", "--anyway", "--json"], "recovered");
    say(lab, &juliet, &romeo, OMEMO2);
    say(lab, &romeo, &juliet, OMEMO2);
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder for a copy");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
}
