//! Accounts with more than one device, and people who decide whom they trust.

use omemo_tests::lab::{Domain, Lab};
use omemo_tests::patience::PATIENCE;
use omemo_tests::peers::command::{self, Device, hexadecimal};
use omemo_tests::scenario::Scenario;
use omemo_tests::wire::{LEGACY, OMEMO2};

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "second_device_joins_later_omemo2",
        run: |lab| joins_later(lab, "omemo2", OMEMO2, true),
        lacking: command::lacking,
    },
    Scenario {
        name: "second_device_joins_later_legacy",
        run: |lab| joins_later(lab, "legacy", LEGACY, true),
        lacking: command::lacking,
    },
    Scenario {
        name: "second_device_of_a_stranger_joins_later",
        run: |lab| joins_later(lab, "both", OMEMO2, false),
        lacking: command::lacking,
    },
    Scenario {
        name: "a_distrusted_device_is_not_served",
        run: distrusted,
        lacking: command::lacking,
    },
];

fn joins_later(lab: &Lab, protocols: &str, namespace: &str, friends: bool) {
    let name = format!("{protocols}-{friends}");
    let alice = lab.account(&format!("alice-late-{name}"), Domain::A);
    let bob = lab.account(&format!("bob-late-{name}"), Domain::B);
    if friends {
        lab.befriend(&alice, &bob);
    }
    let bob = Device::init(lab, &bob, protocols);
    let first = Device::init(lab, &alice, protocols);
    let text = lab.secret("before the second device");
    let mut first_hears = first.listen(&[]);
    bob.send_to(&alice.jid, &text, &[(first.id, namespace)]);
    first_hears.expect("message", PATIENCE, |message| {
        message["body"] == text.as_str()
    });

    // It joins while the first one listens and nobody else is online.
    let second = Device::init(lab, &alice, protocols);
    assert_ne!(first.id, second.id);
    let mut second_hears = second.listen(&[]);
    let text = lab.secret("to both devices");
    bob.send_to(
        &alice.jid,
        &text,
        &[(first.id, namespace), (second.id, namespace)],
    );
    for listener in [&mut first_hears, &mut second_hears] {
        let message = listener.expect("message", PATIENCE, |message| {
            message["body"] == text.as_str()
        });
        assert_eq!(message["protocol"], namespace);
    }

    // What one device writes, the other one reads as its own side of the conversation.
    let mut bob_hears = bob.listen(&[]);
    for (writer, own_listener) in [(&first, &mut second_hears), (&second, &mut first_hears)] {
        let text = lab.secret(&format!("from device {}", writer.id));
        let sent = writer.send(&bob.account.jid, &text);
        let served: Vec<_> = sent.served.iter().map(|(_, device, _)| *device).collect();
        let other = if writer.id == first.id {
            second.id
        } else {
            first.id
        };
        assert_eq!(sent.code, 0, "{}", sent.story);
        assert!(
            served.contains(&bob.id) && served.contains(&other) && served.len() == 2,
            "{}",
            sent.story
        );
        let message = bob_hears.expect("message", PATIENCE, |message| {
            message["body"] == text.as_str()
        });
        assert_eq!(message["device"], writer.id);
        let message = own_listener.expect("message", PATIENCE, |message| {
            message["body"] == text.as_str()
        });
        assert_eq!(message["from"], alice.jid.as_str());
        assert_eq!(message["chat"], bob.account.jid.as_str());
        assert_eq!(message["device"], writer.id);
    }
    for listener in [&mut first_hears, &mut second_hears, &mut bob_hears] {
        let rest = listener.unread();
        assert!(rest.is_empty(), "more was shown than was sent: {rest:?}");
    }
}

fn distrusted(lab: &Lab) {
    let alice = lab.account("alice-trust", Domain::A);
    let bob = lab.account("bob-trust", Domain::B);
    lab.befriend(&alice, &bob);
    let alice = Device::init(lab, &alice, "both");
    let first = Device::init(lab, &bob, "both");
    let second = Device::init(lab, &bob, "legacy");

    // Fingerprints can be compared before anything was said.
    let devices = alice.devices(&bob.jid);
    for device in [&first, &second] {
        let seen = devices.iter().find(|seen| seen["device"] == device.id);
        let seen =
            seen.unwrap_or_else(|| panic!("device {} is not listed: {devices:?}", device.id));
        assert_eq!(
            hexadecimal(&seen["fingerprint"]),
            device.fingerprint,
            "{devices:?}"
        );
    }

    alice.decide("trust", &bob.jid, &first.fingerprint);
    alice.decide("distrust", &bob.jid, &second.fingerprint);
    let text = lab.secret("for one of you");
    let sent = alice.send(&bob.jid, &text);
    assert_eq!(sent.code, 0, "{}", sent.story);
    assert_eq!(
        sent.served,
        [(bob.jid.clone(), first.id, OMEMO2.to_owned())],
        "{}",
        sent.story
    );
    let [(jid, device, reason)] = &sent.unserved[..] else {
        panic!("one device is unserved\n{}", sent.story)
    };
    assert_eq!((jid, *device), (&bob.jid, Some(second.id)));
    assert!(reason.contains("distrusted"), "{reason}");
    let mut hears = first.listen(&["--count", "1"]);
    hears.expect("message", PATIENCE, |message| {
        message["body"] == text.as_str()
    });

    // Nobody is left: nothing is sent, and scripts can tell by the exit code.
    alice.decide("distrust", &bob.jid, &first.fingerprint);
    let sent = alice.send(&bob.jid, &lab.secret("for none of you"));
    assert_eq!(sent.code, 3, "{}", sent.story);
    assert!(sent.served.is_empty(), "{}", sent.story);
    assert_eq!(sent.unserved.len(), 2, "{}", sent.story);
}
