//! What becomes of devices: labels, removals, wishes for plain text, new sessions, their end.

use std::fs;
use std::path::Path;

use omemo_tests::lab::{Account, Domain, Lab};
use omemo_tests::patience::PATIENCE;
use omemo_tests::peers::command::{self, Device, try_init};
use omemo_tests::scenario::Scenario;
use omemo_tests::wire::{LEGACY, OMEMO2};
use serde_json::Value;

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "a_new_label_is_seen_by_others",
        run: labels,
        lacking: command::lacking,
    },
    Scenario {
        name: "a_removed_device_is_off_the_server_in_both_protocols",
        run: removed,
        lacking: command::lacking,
    },
    Scenario {
        name: "a_device_that_has_lost_omemo2_waits_for_a_person",
        run: downgraded,
        lacking: command::lacking,
    },
    Scenario {
        name: "a_wish_for_plain_text_stops_messages_until_somebody_decides",
        run: opted_out,
        lacking: command::lacking,
    },
    Scenario {
        name: "sessions_made_anew_serve_both_ways_omemo2",
        run: |lab| replaced(lab, "omemo2", OMEMO2),
        lacking: command::lacking,
    },
    Scenario {
        name: "sessions_made_anew_serve_both_ways_legacy",
        run: |lab| replaced(lab, "legacy", LEGACY),
        lacking: command::lacking,
    },
    Scenario {
        name: "a_deactivated_device_leaves_nothing_behind",
        run: deactivated,
        lacking: command::lacking,
    },
    Scenario {
        name: "a_deactivated_account_leaves_nothing_behind",
        run: deactivated_account,
        lacking: command::lacking,
    },
];

/// Two friends with a device each, on two servers.
pub(crate) fn two(lab: &Lab, name: &str, protocols: [&str; 2]) -> [Device; 2] {
    let juliet = lab.account(&format!("juliet-{name}"), Domain::A);
    let romeo = lab.account(&format!("romeo-{name}"), Domain::B);
    lab.befriend(&juliet, &romeo);
    [
        Device::init(lab, &juliet, protocols[0]),
        Device::init(lab, &romeo, protocols[1]),
    ]
}

/// One message, which arrives. Gives it as it was shown.
pub(crate) fn say(lab: &Lab, from: &Device, to: &Device, namespace: &str) -> Value {
    let text = lab.secret("something said");
    from.send_to(&to.account.jid, &text, &[(to.id, namespace)]);
    hear(to, &text)
}

/// Reads what waits, up to this text.
pub(crate) fn hear(device: &Device, text: &str) -> Value {
    let mut listener = device.listen(&[]);
    listener.expect("message", PATIENCE, |message| message["body"] == text)
}

/// A command that is done; gives its event of this name.
pub(crate) fn done(device: &Device, arguments: &[&str], event: &str) -> Value {
    let (code, events, story) = device.run(arguments);
    assert_eq!(code, 0, "omemo {} failed\n{story}", arguments.join(" "));
    let found = events.into_iter().find(|found| found["event"] == event);
    found.unwrap_or_else(|| panic!("no `{event}`\n{story}"))
}

/// A command that fails; gives what it says about that.
pub(crate) fn fails(device: &Device, arguments: &[&str]) -> String {
    let (code, events, story) = device.run(arguments);
    assert_eq!(code, 1, "omemo {}\n{story}", arguments.join(" "));
    let error = events.iter().find(|event| event["event"] == "error");
    let error = error.unwrap_or_else(|| panic!("no `error`\n{story}"));
    error["message"].as_str().unwrap_or_default().to_owned()
}

fn ids(devices: &[Value]) -> Vec<u64> {
    devices
        .iter()
        .filter_map(|it| it["device"].as_u64())
        .collect()
}

/// The protocols in which a server's files still hold anything of a device, list or bundle.
fn stored(lab: &Lab, account: &Account, device: u64) -> Vec<&'static str> {
    let user = account.jid.split('@').next().unwrap_or_default();
    let user: String = user.replace('-', "%2d");
    let id = device.to_string();
    let mut found = Vec::new();
    for folder in lab.server_folders() {
        each_file(&folder.join("data"), &mut |file| {
            let path = file.display().to_string();
            let is_users = file.file_stem().is_some_and(|stem| stem == user.as_str());
            if !is_users || !path.contains("/pep_") {
                return;
            }
            let text = fs::read_to_string(file).unwrap_or_default();
            let names_it = text.contains(&format!("\"{id}\""))
                || (path.contains(&format!("%3a{id}/")) && text.contains("item"));
            for (namespace, mark) in [(OMEMO2, "omemo%3a2"), (LEGACY, "axolotl")] {
                if names_it && path.contains(mark) && !found.contains(&namespace) {
                    found.push(namespace);
                }
            }
        });
    }
    found.sort_unstable();
    found
}

fn each_file(folder: &Path, look: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            each_file(&path, look);
        } else {
            look(&path);
        }
    }
}

fn labels(lab: &Lab) {
    let juliet = lab.account("juliet-label", Domain::A);
    let romeo = lab.account("romeo-label", Domain::B);
    let juliet = Device::init_with(lab, &juliet, "both", |_| {
        ["--label", "Balcony"].map(str::to_owned).to_vec()
    });
    let romeo = Device::init(lab, &romeo, "both");
    let seen = || romeo.devices(&juliet.account.jid)[0]["label"].clone();
    assert_eq!(seen(), "Balcony");
    let label = done(&juliet, &["label", "Orchard", "--json"], "label");
    assert_eq!(label["label"], "Orchard");
    assert_eq!(seen(), "Orchard");
    assert_eq!(
        done(&juliet, &["label", "--json"], "label")["label"],
        "Orchard"
    );
    done(&juliet, &["label", "--none", "--json"], "label");
    assert_eq!(seen(), Value::Null);
    let refused = fails(&juliet, &["label", &"x".repeat(53), "--json"]);
    assert!(refused.contains("52"), "{refused}");
}

fn removed(lab: &Lab) {
    let [juliet, romeo] = two(lab, "removed", ["both", "both"]);
    let lost = Device::init(lab, &juliet.account, "both");
    let jid = juliet.account.jid.as_str();
    let text = lab.secret("to both");
    romeo.send_to(jid, &text, &[(juliet.id, OMEMO2), (lost.id, OMEMO2)]);
    assert_eq!(stored(lab, &juliet.account, lost.id), [LEGACY, OMEMO2]);

    let device = lost.id.to_string();
    let event = done(
        &juliet,
        &["devices", "remove", &device, "--json"],
        "device-removed",
    );
    assert_eq!(
        (&event["device"], &event["reason"]),
        (&lost.id.into(), &Value::Null)
    );
    assert!(stored(lab, &juliet.account, lost.id).is_empty());
    assert_eq!(stored(lab, &juliet.account, juliet.id), [LEGACY, OMEMO2]);

    let stranger = Device::init(lab, &lab.account("stranger-removed", Domain::B), "both");
    assert_eq!(ids(&stranger.devices(jid)), [juliet.id]);
    say(lab, &romeo, &juliet, OMEMO2);
    let itself = fails(
        &juliet,
        &["devices", "remove", &juliet.id.to_string(), "--json"],
    );
    assert!(itself.contains("deactivate"), "{itself}");
}

/// One device of Romeo's is taken off by the other and comes back without omemo:2: that could be the server's work.
fn downgraded(lab: &Lab) {
    let [juliet, romeo] = two(lab, "downgraded", ["both", "both"]);
    let other = Device::init(lab, &romeo.account, "both");
    let (jid, device) = (romeo.account.jid.as_str(), romeo.id.to_string());
    let both = [(romeo.id, OMEMO2), (other.id, OMEMO2)];
    juliet.send_to(jid, &lab.secret("as ever"), &both);
    let early = fails(
        &juliet,
        &["devices", "allow-legacy", jid, &device, "--json"],
    );
    assert!(early.contains("nothing to allow"), "{early}");

    done(
        &other,
        &["devices", "remove", &device, "--json"],
        "device-removed",
    );
    let data = romeo.data();
    let folder = data.parent().expect("a folder");
    let (code, story) = try_init(&romeo.account, "legacy", folder);
    assert_eq!(code, 0, "{story}");
    let sent = juliet.send(jid, &lab.secret("not for the weaker one"));
    assert_eq!(sent.code, 0, "{}", sent.story);
    let unserved = sent
        .unserved
        .iter()
        .find(|(_, id, _)| *id == Some(romeo.id));
    let (.., reason) = unserved.unwrap_or_else(|| panic!("all served\n{}", sent.story));
    assert!(reason.contains("legacy"), "{reason}");

    let allow = ["devices", "allow-legacy", jid, &device, "--json"];
    done(&juliet, &allow, "legacy-allowed");
    let text = lab.secret("now I know why");
    juliet.send_to(jid, &text, &[(romeo.id, LEGACY), (other.id, OMEMO2)]);
    hear(&romeo, &text);
}

fn opted_out(lab: &Lab) {
    let [juliet, romeo] = two(lab, "opted-out", ["both", "both"]);
    let (juliets, romeos) = (juliet.account.jid.clone(), romeo.account.jid.clone());
    say(lab, &juliet, &romeo, OMEMO2);
    let early = fails(
        &juliet,
        &["opt-out", &romeos, "--keep-encrypting", "--json"],
    );
    assert!(early.contains("has not asked"), "{early}");

    let reason = lab.secret("our archive must be readable");
    let asked = ["opt-out", &romeos, "--reason", &reason, "--json"];
    assert_eq!(
        done(&juliet, &asked, "sent")["served"][0]["device"],
        romeo.id
    );
    let mut hears = romeo.listen(&[]);
    let event = hears.expect("opted-out", PATIENCE, |_| true);
    assert_eq!(
        (&event["jid"], &event["reason"]),
        (&juliets.as_str().into(), &reason.into())
    );
    drop(hears);
    for answer in [None, Some("--plain-text")] {
        if let Some(answer) = answer {
            done(
                &romeo,
                &["opt-out", &juliets, answer, "--json"],
                "plain-text",
            );
        }
        let sent = romeo.send(&juliets, &lab.secret("is this read?"));
        assert_eq!(sent.code, 3, "{}", sent.story);
        assert!(sent.served.is_empty(), "{}", sent.story);
        assert!(sent.unserved[0].2.contains("opted out"), "{}", sent.story);
    }
    let keep = ["opt-out", &juliets, "--keep-encrypting", "--json"];
    done(&romeo, &keep, "keep-encrypting");
    say(lab, &romeo, &juliet, OMEMO2);

    // legacy has no words for it: who speaks nothing else cannot be asked
    let nurse = Device::init(lab, &lab.account("nurse-opted-out", Domain::A), "legacy");
    let (code, events, story) = juliet.run(&["opt-out", &nurse.account.jid, "--json"]);
    assert_eq!(code, 3, "{story}");
    let sent = events.iter().find(|event| event["event"] == "sent");
    let unserved = &sent.expect("what became of it")["unserved"][0];
    assert_eq!(unserved["device"], nurse.id, "{story}");
}

fn replaced(lab: &Lab, protocols: &str, namespace: &str) {
    let [juliet, romeo] = two(lab, &format!("anew-{protocols}"), [protocols, protocols]);
    let jid = romeo.account.jid.as_str();
    let nobody = fails(
        &juliet,
        &["replace-session", "nobody@b.localhost", "--json"],
    );
    assert!(nobody.contains("omemo devices"), "{nobody}");
    say(lab, &juliet, &romeo, namespace);
    say(lab, &romeo, &juliet, namespace);
    for arguments in [
        ["replace-session", jid, "--json"],
        ["replace-session", "--all", "--json"],
    ] {
        let event = done(&juliet, &arguments, "session-replaced");
        assert_eq!(event["device"], romeo.id);
        assert_eq!(event["protocol"], namespace);
        say(lab, &romeo, &juliet, namespace);
        say(lab, &juliet, &romeo, namespace);
    }
    let unknown = fails(
        &juliet,
        &["replace-session", jid, "--device", "7", "--json"],
    );
    assert!(unknown.contains("no such device"), "{unknown}");
}

fn deactivated(lab: &Lab) {
    let [juliet, romeo] = two(lab, "ends", ["both", "both"]);
    say(lab, &juliet, &romeo, OMEMO2);
    let unsure = fails(&juliet, &["deactivate", "--json"]);
    assert!(unsure.contains("--yes"), "{unsure}");
    assert_eq!(stored(lab, &juliet.account, juliet.id), [LEGACY, OMEMO2]);

    let event = done(&juliet, &["deactivate", "--yes", "--json"], "deactivated");
    assert_eq!(event["reason"], Value::Null, "the server did it all");
    assert!(stored(lab, &juliet.account, juliet.id).is_empty());
    assert!(!juliet.data().exists(), "its files are still there");
    let jid = juliet.account.jid.as_str();
    let listed = romeo.devices(jid);
    assert!(
        listed
            .iter()
            .all(|it| it["protocols"] == Value::Array(Vec::new())),
        "{listed:?}"
    );
    let sent = romeo.send(jid, &lab.secret("farewell"));
    assert_eq!(sent.code, 3, "{}", sent.story);
    let again = fails(&juliet, &["deactivate", "--yes", "--json"]);
    assert!(again.contains("omemo init"), "{again}");
}

/// Another device's bundles go, too: nobody can write to the account any more.
fn deactivated_account(lab: &Lab) {
    let account = lab.account("juliet-all-ends", Domain::A);
    let [first, second] = [(); 2].map(|()| Device::init(lab, &account, "both"));
    done(
        &first,
        &["deactivate", "--account", "--yes", "--json"],
        "deactivated",
    );
    for device in [&first, &second] {
        assert!(stored(lab, &account, device.id).is_empty());
    }
    let stranger = Device::init(lab, &lab.account("stranger-all-ends", Domain::B), "both");
    assert!(stranger.devices(&account.jid).is_empty());
}
