//! The client in C, which its readers copy from: it holds what it promises to clients that share no code with it.

use std::thread::sleep;
use std::time::Duration;

use omemo_tests::lab::{Domain, Lab};
use omemo_tests::patience::PATIENCE;
use omemo_tests::peers::command::{self, Device, hexadecimal};
use omemo_tests::peers::echo_bot::{self, EchoBot};
use omemo_tests::peers::slixmpp::{self, Slixmpp, Speaks};
use omemo_tests::process::Talker;
use omemo_tests::scenario::Scenario;
use omemo_tests::wire::{LEGACY, OMEMO2};

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "the_c_bot_echoes_to_the_omemo_command_omemo2",
        run: |lab| to_the_command(lab, "omemo2", OMEMO2),
        lacking: command_lacks,
    },
    Scenario {
        name: "the_c_bot_echoes_to_the_omemo_command_legacy",
        run: |lab| to_the_command(lab, "legacy", LEGACY),
        lacking: command_lacks,
    },
    Scenario {
        name: "the_c_bot_killed_while_it_answers_answers_once",
        run: killed_while_it_answers,
        lacking: command_lacks,
    },
    Scenario {
        name: "the_c_bot_echoes_to_slixmpp_omemo2",
        run: |lab| to_slixmpp(lab, Speaks::Omemo2, OMEMO2),
        lacking: slixmpp_lacks,
    },
    Scenario {
        name: "the_c_bot_echoes_to_slixmpp_legacy",
        run: |lab| to_slixmpp(lab, Speaks::Legacy, LEGACY),
        lacking: slixmpp_lacks,
    },
];

/// What a handle has handed out is left to it for so long: it may be another process that lives.
const OTHER_HANDLE: Duration = Duration::from_secs(120);

fn command_lacks() -> Option<String> {
    echo_bot::lacking().or_else(command::lacking)
}

fn slixmpp_lacks() -> Option<String> {
    echo_bot::lacking().or_else(slixmpp::lacking)
}

/// The bot is killed while it has nothing to do, and ended in good order. Each message is answered once.
fn to_the_command(lab: &Lab, protocols: &str, namespace: &str) {
    let alice = lab.account(&format!("alice-c-{protocols}"), Domain::A);
    let bob = lab.account(&format!("bot-c-{protocols}"), Domain::B);
    lab.befriend(&alice, &bob);
    let bot = EchoBot::compile(lab, &bob);
    let mut running = bot.start();
    let (device, fingerprint) = (running.device, running.fingerprint.clone());
    let alice = Device::init(lab, &alice, protocols);
    let mut hears = alice.listen(&[]);
    let ask = |text: &str| {
        let text = lab.secret(text);
        alice.send_to(&bob.jid, &text, &[(device, namespace)]);
        text
    };
    let answered = |hears: &mut Talker, text: &str| {
        let answer = hears.expect("message", PATIENCE, |answer| {
            answer["body"] == format!("echo: {text}").as_str()
        });
        assert_eq!(answer["protocol"], namespace);
        assert_eq!(answer["from"], bob.jid.as_str());
        assert_eq!(answer["device"], device);
    };
    for round in 1..=3 {
        let text = ask(&format!("do you hear me? {round}"));
        answered(&mut hears, &text);
    }
    let seen = alice.devices(&bob.jid);
    assert!(
        seen.iter()
            .any(|seen| hexadecimal(&seen["fingerprint"]) == hexadecimal(&fingerprint)),
        "{seen:?}"
    );

    running.talker.kill();
    let texts = [1, 2].map(|round| ask(&format!("while you were dead {round}")));
    running = bot.start();
    assert_eq!(running.device, device);
    assert_eq!(running.fingerprint, fingerprint);
    for text in &texts {
        answered(&mut hears, text);
    }

    running.stop();
    let text = ask("while you were away");
    running = bot.start();
    answered(&mut hears, &text);
    running.stop();
    assert_eq!(bot.complaints(), "");
    let rest = hears.unread();
    assert!(
        rest.is_empty(),
        "more was shown than was sent: {rest:?}\n{}",
        hears.story()
    );
}

/// The bot is killed while it reads a message, answers it, or sends the answer. Each message is answered once.
fn killed_while_it_answers(lab: &Lab) {
    let alice = lab.account("alice-c-killed", Domain::A);
    let bob = lab.account("bot-c-killed", Domain::B);
    lab.befriend(&alice, &bob);
    let bot = EchoBot::compile(lab, &bob);
    let mut running = bot.start();
    let alice = Device::init(lab, &alice, "both");
    let mut hears = alice.listen(&["--for", "600"]);
    let mut newest = 0;
    let mut texts = Vec::new();
    for milliseconds in [0, 1, 5, 10, 20, 50] {
        let text = lab.secret(&format!("{milliseconds} ms before your death"));
        alice.send_to(&bob.jid, &text, &[(running.device, OMEMO2)]);
        texts.push(text);
        // What an earlier life read and did not answer may be said again.
        let message = running.talker.expect("message", PATIENCE, |message| {
            message["inbox"].as_u64() > Some(newest)
        });
        newest = message["inbox"].as_u64().expect("a number");
        sleep(Duration::from_millis(milliseconds));
        running.talker.kill();
        running = bot.start();
    }
    for text in &texts {
        hears.expect("message", OTHER_HANDLE + PATIENCE, |answer| {
            answer["body"] == format!("echo: {text}").as_str()
        });
    }
    running.stop();
    assert_eq!(bot.complaints(), "");
    let rest = hears.unread();
    assert!(rest.is_empty(), "{rest:?}\n{}", hears.story());
}

/// Another implementation, and one death.
fn to_slixmpp(lab: &Lab, speaks: Speaks, namespace: &str) {
    let alice = lab.account(
        &format!("alice-c-slix-{speaks:?}").to_lowercase(),
        Domain::A,
    );
    let bob = lab.account(&format!("bot-c-slix-{speaks:?}").to_lowercase(), Domain::B);
    lab.befriend(&alice, &bob);
    let bot = EchoBot::compile(lab, &bob);
    let mut running = bot.start();
    let device = running.device;
    let mut alice = Slixmpp::start(lab, &alice, speaks, &["--quiet"]);
    let ask = |alice: &mut Slixmpp, text: &str| {
        let text = lab.secret(text);
        alice.send(&bob.jid, &text);
        alice.talker.expect("sent", PATIENCE, |_| true);
        text
    };
    let answered = |alice: &mut Slixmpp, text: &str| {
        let answer = alice.talker.expect("message", PATIENCE, |answer| {
            answer["body"] == format!("echo: {text}").as_str()
        });
        assert_eq!(answer["protocol"], namespace);
        assert_eq!(answer["device"], device);
    };
    for round in 1..=3 {
        let text = ask(&mut alice, &format!("do you hear me? {round}"));
        answered(&mut alice, &text);
    }
    running.talker.kill();
    let texts = [1, 2].map(|round| ask(&mut alice, &format!("while you were dead {round}")));
    running = bot.start();
    assert_eq!(running.device, device);
    for text in &texts {
        answered(&mut alice, text);
    }
    let text = ask(&mut alice, "and now?");
    answered(&mut alice, &text);
    running.stop();
    assert_eq!(bot.complaints(), "");
    for event in alice.talker.unread() {
        let fine = ["sent", "empty"].iter().any(|name| event["event"] == *name);
        assert!(fine, "slixmpp said {event}\n{}", alice.talker.story());
    }
}
