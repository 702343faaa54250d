//! Keys that people verify by a URI, and devices that tell each other what was verified.

use omemo_tests::lab::{Account, Domain, Lab};
use omemo_tests::patience::PATIENCE;
use omemo_tests::peers::command::{self, Device};
use omemo_tests::scenario::Scenario;
use omemo_tests::wire::{LEGACY, OMEMO2};

use crate::life::{done, fails, say, two};

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "a_uri_verifies_before_the_first_message_omemo2",
        run: |lab| by_uri(lab, "omemo2", OMEMO2),
        lacking: command::lacking,
    },
    Scenario {
        name: "a_uri_verifies_before_the_first_message_legacy",
        run: |lab| by_uri(lab, "legacy", LEGACY),
        lacking: command::lacking,
    },
    Scenario {
        name: "verified_devices_tell_each_other_whom_they_trust",
        run: told,
        lacking: command::lacking,
    },
];

fn by_uri(lab: &Lab, protocols: &str, namespace: &str) {
    let [juliet, romeo] = two(lab, &format!("uri-{protocols}"), ["both", protocols]);
    let own = done(&romeo, &["fingerprint", "--json"], "fingerprint");
    let uri = own["uri"].as_str().expect("a URI");
    let held = done(&juliet, &["trust", "--uri", uri, "--json"], "held");
    assert_eq!(held["fingerprint"], romeo.fingerprint.as_str());
    say(lab, &juliet, &romeo, namespace);
    let message = say(lab, &romeo, &juliet, namespace);
    assert_eq!(message["trust"], "verified");
    let again = done(&juliet, &["trust", "--uri", uri, "--json"], "decided");
    assert_eq!(again["trust"], "verified");

    let other = format!("{}{}", &romeo.fingerprint[1..], &romeo.fingerprint[..1]);
    let wrong = uri.replace(&romeo.fingerprint, &other);
    let refused = fails(&juliet, &["trust", "--uri", &wrong, "--json"]);
    assert!(refused.contains("another key"), "{refused}");
    let own = fails(&romeo, &["trust", "--uri", uri, "--json"]);
    assert!(own.contains("own keys"), "{own}");
}

/// Juliet's phone verifies Romeo's; her laptop, verified by the phone and verifying it, learns of it.
fn told(lab: &Lab) {
    let juliet = lab.account("juliet-told", Domain::A);
    let romeo = lab.account("romeo-told", Domain::B);
    lab.befriend(&juliet, &romeo);
    let automatic = |account: &Account| {
        Device::init_with(lab, account, "both", |_| {
            ["--policy", "automatic"].map(str::to_owned).to_vec()
        })
    };
    let romeo = automatic(&romeo);
    let [phone, laptop] = [(); 2].map(|()| automatic(&juliet));
    for device in [&phone, &laptop] {
        let _ = device.devices(&juliet.jid);
        let seen = device.devices(&romeo.account.jid);
        assert_eq!(seen[0]["trust"], "blind");
    }
    phone.decide("trust", &romeo.account.jid, &romeo.fingerprint);
    phone.decide("trust", &juliet.jid, &laptop.fingerprint);
    laptop.decide("trust", &juliet.jid, &phone.fingerprint);
    let mut laptop_hears = laptop.listen(&[]);
    let _phone = phone.listen(&[]);
    let event = laptop_hears.expect("trust-changed", PATIENCE, |event| {
        event["jid"] == romeo.account.jid.as_str()
    });
    assert_eq!(event["fingerprint"], romeo.fingerprint.as_str());
    assert_eq!(event["trust"], "verified");
    drop(laptop_hears);
    assert_eq!(laptop.devices(&romeo.account.jid)[0]["trust"], "verified");
}
