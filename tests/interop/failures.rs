//! What cannot work says so, in time, in a sentence, and with the exit code that scripts wait for.

use std::fs;

use omemo_tests::lab::{Account, Domain, Lab};
use omemo_tests::peers::command::{self, Device, new_folder, try_init};
use omemo_tests::scenario::Scenario;

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "a_recipient_without_devices_cannot_be_served",
        run: nobody_served,
        lacking: command::lacking,
    },
    Scenario {
        name: "a_wrong_password_is_told",
        run: wrong_password,
        lacking: command::lacking,
    },
    Scenario {
        name: "a_server_that_does_not_listen_is_told",
        run: unreachable,
        lacking: command::lacking,
    },
    Scenario {
        name: "an_unknown_certificate_is_told",
        run: untrusted,
        lacking: command::lacking,
    },
];

fn nobody_served(lab: &Lab) {
    let alice = Device::init(lab, &lab.account("alice-alone", Domain::A), "both");
    let empty = lab.account("empty", Domain::B);
    let sent = alice.send(&empty.jid, &lab.secret("to nobody"));
    assert_eq!(sent.code, 3, "{}", sent.story);
    assert!(sent.served.is_empty(), "{}", sent.story);
    let [(jid, device, reason)] = &sent.unserved[..] else {
        panic!("one account is unserved\n{}", sent.story)
    };
    assert_eq!((jid, *device), (&empty.jid, None));
    assert!(!reason.is_empty(), "{}", sent.story);
    // Somebody who does not exist at all is no other case.
    let sent = alice.send("nobody@b.localhost", &lab.secret("to nobody else"));
    assert_eq!(sent.code, 3, "{}", sent.story);
}

fn wrong_password(lab: &Lab) {
    let mut account = lab.account("alice-wrong", Domain::A);
    account.password = "not the password".to_owned();
    fails(lab, &account, "password");
}

fn unreachable(lab: &Lab) {
    let mut account = lab.account("alice-unreachable", Domain::A);
    account.server = lab.nobody();
    fails(lab, &account, &lab.nobody().to_string());
}

fn untrusted(lab: &Lab) {
    let mut account = lab.account("alice-untrusted", Domain::A);
    // A certificate that vouches for nobody but itself.
    account.ca_file = new_folder(lab, "other-authority").join("other.pem");
    let other = lab.root().join("certificates/b.localhost.crt");
    fs::copy(other, &account.ca_file).expect("another certificate");
    fails(lab, &account, "certificate");
}

/// `omemo init` fails with code 1 and one sentence in which this word stands.
fn fails(lab: &Lab, account: &Account, word: &str) {
    let (code, story) = try_init(account, "both", &new_folder(lab, &account.jid));
    assert_eq!(code, 1, "{story}");
    assert!(story.contains(word), "nothing is said of '{word}'\n{story}");
    assert!(!story.contains("panicked"), "{story}");
}
