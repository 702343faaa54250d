//! Processes that are killed in the middle of a conversation over real servers. (The kill test does it more often, without.)

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use omemo_tests::lab::{Domain, Lab};
use omemo_tests::patience::PATIENCE;
use omemo_tests::peers::command::{self, Device};
use omemo_tests::process::Talker;
use omemo_tests::scenario::Scenario;
use omemo_tests::wire::{LEGACY, OMEMO2};
use serde_json::Value;

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "both_ends_killed_and_restarted_omemo2",
        run: |lab| killed(lab, "omemo2", OMEMO2),
        lacking: command::lacking,
    },
    Scenario {
        name: "both_ends_killed_and_restarted_legacy",
        run: |lab| killed(lab, "legacy", LEGACY),
        lacking: command::lacking,
    },
];

/// Every message that somebody was shown, by its text, with the ids under which it was shown.
#[derive(Default)]
struct Shown(BTreeMap<String, Vec<String>>);

impl Shown {
    fn note(&mut self, message: &Value) {
        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        self.0.entry(text("body")).or_default().push(text("id"));
    }

    /// What was said and nobody waited for. Errors are failures.
    fn note_rest(&mut self, listener: &mut Talker) {
        for event in listener.unread() {
            match event["event"].as_str() {
                Some("message") => self.note(&event),
                Some("ready") => {}
                _ => panic!("{event}\n{}", listener.story()),
            }
        }
    }

    fn expect(&mut self, listener: &mut Talker, text: &str) {
        let message = listener.expect("message", PATIENCE, |message| message["body"] == text);
        self.note(&message);
    }
}

fn killed(lab: &Lab, protocols: &str, namespace: &str) {
    let alice = lab.account(&format!("alice-killed-{protocols}"), Domain::A);
    let bob = lab.account(&format!("bob-killed-{protocols}"), Domain::B);
    lab.befriend(&alice, &bob);
    let alice = Device::init(lab, &alice, protocols);
    let bob = Device::init(lab, &bob, protocols);
    let (alice_jid, bob_jid) = (alice.account.jid.clone(), bob.account.jid.clone());
    let (mut alice_saw, mut bob_saw) = (Shown::default(), Shown::default());
    let mut alice_hears = alice.listen(&[]);
    let mut bob_hears = bob.listen(&[]);
    let mut texts = Vec::new();

    let text = lab.secret("before anything happens");
    alice.send_to(&bob_jid, &text, &[(bob.id, namespace)]);
    bob_saw.expect(&mut bob_hears, &text);
    texts.push(text);
    let text = lab.secret("an answer");
    bob.send_to(&alice_jid, &text, &[(alice.id, namespace)]);
    alice_saw.expect(&mut alice_hears, &text);

    // Both die. What is written to the dead waits for them.
    alice_hears.kill();
    bob_hears.kill();
    let text = lab.secret("while you were dead");
    alice.send_to(&bob_jid, &text, &[(bob.id, namespace)]);
    texts.push(text.clone());
    let answer = lab.secret("while you were dead, too");
    bob.send_to(&alice_jid, &answer, &[(alice.id, namespace)]);
    bob_hears = bob.listen(&[]);
    bob_saw.expect(&mut bob_hears, &text);
    alice_hears = alice.listen(&[]);
    alice_saw.expect(&mut alice_hears, &answer);

    // The listener dies in the very moment in which it shows a message, and a little after that.
    for milliseconds in [0, 1, 5, 20] {
        let text = lab.secret(&format!("{milliseconds} ms before your death"));
        alice.send_to(&bob_jid, &text, &[(bob.id, namespace)]);
        bob_saw.expect(&mut bob_hears, &text);
        texts.push(text);
        sleep(Duration::from_millis(milliseconds));
        bob_hears.kill();
        bob_saw.note_rest(&mut bob_hears);
        bob_hears = bob.listen(&[]);
    }

    // The sender dies at some moment; its message may arrive or not, but not twice.
    for milliseconds in [20, 60, 120, 200, 300, 450] {
        let text = lab.secret(&format!("a sender that lived for {milliseconds} ms"));
        let mut sender = alice.start_send(&bob_jid, &text);
        sleep(Duration::from_millis(milliseconds));
        sender.kill();
    }
    alice_hears.kill();
    alice_saw.note_rest(&mut alice_hears);
    alice_hears = alice.listen(&[]);

    // And the conversation goes on.
    for round in 1..=2 {
        let text = lab.secret(&format!("after all of that {round}"));
        alice.send_to(&bob_jid, &text, &[(bob.id, namespace)]);
        bob_saw.expect(&mut bob_hears, &text);
        texts.push(text);
        let text = lab.secret(&format!("indeed {round}"));
        bob.send_to(&alice_jid, &text, &[(alice.id, namespace)]);
        alice_saw.expect(&mut alice_hears, &text);
    }
    alice_saw.note_rest(&mut alice_hears);
    bob_saw.note_rest(&mut bob_hears);

    for text in &texts {
        assert!(bob_saw.0.contains_key(text), "lost: {text}");
    }
    for (text, ids) in alice_saw.0.iter().chain(&bob_saw.0) {
        // Who dies before it could note that it has shown a message shows it again, under the same id.
        assert!(
            ids.windows(2).all(|pair| pair[0] == pair[1]),
            "'{text}' was shown as several messages: {ids:?}"
        );
    }
}
