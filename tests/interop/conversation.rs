//! Two accounts on two servers.

use omemo_tests::lab::{Domain, Lab};
use omemo_tests::patience::PATIENCE;
use omemo_tests::peers::command::{self, Device};
use omemo_tests::scenario::Scenario;
use omemo_tests::wire::{LEGACY, OMEMO2};

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "first_message_each_way_both",
        run: |lab| each_way(lab, "both", OMEMO2),
        lacking: command::lacking,
    },
    Scenario {
        name: "first_message_each_way_omemo2",
        run: |lab| each_way(lab, "omemo2", OMEMO2),
        lacking: command::lacking,
    },
    Scenario {
        name: "first_message_each_way_legacy",
        run: |lab| each_way(lab, "legacy", LEGACY),
        lacking: command::lacking,
    },
    Scenario {
        name: "devices_of_both_protocols_are_served_with_one_message",
        run: both_kinds,
        lacking: command::lacking,
    },
    Scenario {
        name: "strangers_can_write_to_each_other",
        run: strangers,
        lacking: command::lacking,
    },
    Scenario {
        name: "a_listener_and_a_sender_share_one_device",
        run: shared,
        lacking: command::lacking,
    },
];

/// The first message each way, and some more, so that the ratchets turn.
fn each_way(lab: &Lab, protocols: &str, namespace: &str) {
    let alice = lab.account(&format!("alice-{protocols}"), Domain::A);
    let bob = lab.account(&format!("bob-{protocols}"), Domain::B);
    lab.befriend(&alice, &bob);
    let alice = Device::init(lab, &alice, protocols);
    let bob = Device::init(lab, &bob, protocols);
    for round in 1..=3 {
        for (from, to) in [(&alice, &bob), (&bob, &alice)] {
            let text = lab.secret(&format!("message {round} to {}", to.account.jid));
            let mut listener = to.listen(&["--count", "1"]);
            from.send_to(&to.account.jid, &text, &[(to.id, namespace)]);
            let message = listener.expect("message", PATIENCE, |message| {
                message["body"] == text.as_str()
            });
            assert_eq!(message["from"], from.account.jid.as_str());
            assert_eq!(message["chat"], from.account.jid.as_str());
            assert_eq!(message["device"], from.id);
            assert_eq!(message["protocol"], namespace);
            assert_eq!(message["trust"], "blind");
            let finished = listener.finish(PATIENCE);
            assert!(finished.status.success(), "{}", finished.story);
            assert!(
                finished.events.is_empty(),
                "more than was sent: {:?}",
                finished.events
            );
        }
    }
}

/// A contact with a device of each kind: both read the message, once, and none sees an error.
fn both_kinds(lab: &Lab) {
    let alice = lab.account("alice-kinds", Domain::A);
    let bob = lab.account("bob-kinds", Domain::B);
    lab.befriend(&alice, &bob);
    let alice = Device::init(lab, &alice, "both");
    let new = Device::init(lab, &bob, "omemo2");
    let old = Device::init(lab, &bob, "legacy");
    let both = Device::init(lab, &bob, "both");
    let mut listeners = [(&new, OMEMO2), (&old, LEGACY), (&both, OMEMO2)]
        .map(|(device, namespace)| (device.listen(&[]), namespace));
    for text in [lab.secret("to all of you"), lab.secret("and again")] {
        alice.send_to(
            &bob.jid,
            &text,
            &[(new.id, OMEMO2), (old.id, LEGACY), (both.id, OMEMO2)],
        );
        for (listener, namespace) in &mut listeners {
            let message = listener.expect("message", PATIENCE, |message| {
                message["body"] == text.as_str()
            });
            assert_eq!(message["protocol"], *namespace);
        }
    }
    for (listener, _) in &mut listeners {
        let rest = listener.unread();
        assert!(rest.is_empty(), "more than the message was shown: {rest:?}");
    }
}

/// No presence, no pushed lists: everything has to be asked for.
fn strangers(lab: &Lab) {
    let alice = Device::init(lab, &lab.account("alice-stranger", Domain::A), "both");
    let bob = Device::init(lab, &lab.account("bob-stranger", Domain::B), "both");
    let text = lab.secret("you do not know me");
    let mut listener = bob.listen(&["--echo"]);
    let mut own = alice.listen(&[]);
    alice.send_to(&bob.account.jid, &text, &[(bob.id, OMEMO2)]);
    listener.expect("message", PATIENCE, |message| {
        message["body"] == text.as_str()
    });
    own.expect("message", PATIENCE, |message| {
        message["body"] == format!("echo: {text}").as_str()
    });
}

/// Two processes use one device's store at the same time, as scripts do.
fn shared(lab: &Lab) {
    let alice = lab.account("alice-shared", Domain::A);
    let bob = lab.account("bob-shared", Domain::B);
    lab.befriend(&alice, &bob);
    let alice = Device::init(lab, &alice, "both");
    let bob = Device::init(lab, &bob, "both");
    let mut echo = bob.listen(&["--echo"]);
    let mut own = alice.listen(&[]);
    for round in 1..=5 {
        let text = lab.secret(&format!("round {round}"));
        alice.send_to(&bob.account.jid, &text, &[(bob.id, OMEMO2)]);
        echo.expect("message", PATIENCE, |message| {
            message["body"] == text.as_str()
        });
        own.expect("message", PATIENCE, |message| {
            message["body"] == format!("echo: {text}").as_str()
        });
    }
    for (name, listener) in [("bob", &mut echo), ("alice", &mut own)] {
        let rest = listener.unread();
        assert!(
            rest.is_empty(),
            "{name} was shown more than was sent: {rest:?}"
        );
    }
}
