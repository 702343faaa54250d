//! Conversations with clients that share no code with ours.

use omemo_tests::lab::{Domain, Lab};
use omemo_tests::patience::PATIENCE;
use omemo_tests::peers::command::{self, Device, hexadecimal};
use omemo_tests::peers::profanity::{self, Profanity};
use omemo_tests::peers::slixmpp::{self, Slixmpp, Speaks};
use omemo_tests::scenario::Scenario;
use omemo_tests::wire::{LEGACY, OMEMO2};

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "slixmpp_echoes_omemo2",
        run: |lab| slixmpp_echoes(lab, Speaks::Omemo2, OMEMO2),
        lacking: slixmpp_lacks,
    },
    Scenario {
        name: "slixmpp_echoes_legacy",
        run: |lab| slixmpp_echoes(lab, Speaks::Legacy, LEGACY),
        lacking: slixmpp_lacks,
    },
    Scenario {
        name: "slixmpp_echoes_both",
        run: |lab| slixmpp_echoes(lab, Speaks::Both, OMEMO2),
        lacking: slixmpp_lacks,
    },
    Scenario {
        name: "slixmpp_starts_omemo2",
        run: |lab| slixmpp_starts(lab, Speaks::Omemo2, OMEMO2),
        lacking: slixmpp_lacks,
    },
    Scenario {
        name: "slixmpp_starts_legacy",
        run: |lab| slixmpp_starts(lab, Speaks::Legacy, LEGACY),
        lacking: slixmpp_lacks,
    },
    Scenario {
        name: "profanity_answers",
        run: profanity_answers,
        lacking: profanity_lacks,
    },
    Scenario {
        name: "profanity_starts",
        run: profanity_starts,
        lacking: profanity_lacks,
    },
    Scenario {
        name: "slixmpp_and_profanity_share_an_account",
        run: mixed,
        lacking: all_lack,
    },
];

fn slixmpp_lacks() -> Option<String> {
    command::lacking().or_else(slixmpp::lacking)
}

fn profanity_lacks() -> Option<String> {
    command::lacking().or_else(profanity::lacking)
}

fn all_lack() -> Option<String> {
    slixmpp_lacks().or_else(profanity::lacking)
}

/// We write first; the bot answers everything.
fn slixmpp_echoes(lab: &Lab, speaks: Speaks, namespace: &str) {
    let alice = lab.account(&format!("alice-echo-{speaks:?}").to_lowercase(), Domain::A);
    let bot = lab.account(&format!("bot-echo-{speaks:?}").to_lowercase(), Domain::B);
    lab.befriend(&alice, &bot);
    let mut echo = Slixmpp::start(lab, &bot, speaks, &[]);
    let alice = Device::init(lab, &alice, "both");
    let mut hears = alice.listen(&[]);
    for round in 1..=3 {
        let text = lab.secret(&format!("do you hear me? {round}"));
        alice.send_to(&bot.jid, &text, &[(echo.device, namespace)]);
        let message = echo.talker.expect("message", PATIENCE, |message| {
            message["body"] == text.as_str()
        });
        assert_eq!(message["protocol"], namespace);
        assert_eq!(message["device"], alice.id);
        let answer = hears.expect("message", PATIENCE, |answer| {
            answer["body"] == format!("echo: {text}").as_str()
        });
        assert_eq!(answer["protocol"], namespace);
        assert_eq!(answer["from"], bot.jid.as_str());
        assert_eq!(answer["device"], echo.device);
    }
    // Both sides show people the same fingerprints.
    let seen = alice.devices(&bot.jid);
    assert!(
        seen.iter()
            .any(|device| hexadecimal(&device["fingerprint"]) == echo.fingerprint),
        "{seen:?}"
    );
    echo.talker
        .command(&serde_json::json!({"cmd": "devices", "jid": alice.account.jid}));
    let seen = echo.talker.expect("devices", PATIENCE, |_| true);
    assert_eq!(
        seen["devices"][0]["fingerprint"],
        alice.fingerprint.as_str(),
        "{seen}"
    );
    check_rest(&mut echo, &mut hears);
}

/// The bot writes first; we answer everything.
fn slixmpp_starts(lab: &Lab, speaks: Speaks, namespace: &str) {
    let alice = lab.account(&format!("alice-start-{speaks:?}").to_lowercase(), Domain::A);
    let bot = lab.account(&format!("bot-start-{speaks:?}").to_lowercase(), Domain::B);
    lab.befriend(&alice, &bot);
    let alice = Device::init(lab, &alice, "both");
    let mut hears = alice.listen(&["--echo"]);
    let mut starter = Slixmpp::start(lab, &bot, speaks, &["--quiet"]);
    for round in 1..=3 {
        let text = lab.secret(&format!("is anybody there? {round}"));
        starter.send(&alice.account.jid, &text);
        let message = hears.expect("message", PATIENCE, |message| {
            message["body"] == text.as_str()
        });
        assert_eq!(message["protocol"], namespace);
        assert_eq!(message["from"], bot.jid.as_str());
        assert_eq!(message["device"], starter.device);
        let answer = starter.talker.expect("message", PATIENCE, |answer| {
            answer["body"] == format!("echo: {text}").as_str()
        });
        assert_eq!(answer["protocol"], namespace);
        assert_eq!(answer["device"], alice.id);
    }
    check_rest(&mut starter, &mut hears);
}

/// Nothing was shown as an error to anybody.
fn check_rest(bot: &mut Slixmpp, ours: &mut omemo_tests::process::Talker) {
    for event in bot.talker.unread() {
        let fine = ["sent", "empty"].iter().any(|name| event["event"] == *name);
        assert!(fine, "the bot said {event}\n{}", bot.talker.story());
    }
    let rest = ours.unread();
    assert!(
        rest.is_empty(),
        "more was shown than was sent: {rest:?}\n{}",
        ours.story()
    );
}

fn profanity_answers(lab: &Lab) {
    let alice = lab.account("alice-prof", Domain::A);
    let carol = lab.account("carol-prof", Domain::B);
    lab.befriend(&alice, &carol);
    let mut profanity = Profanity::start(lab, &carol);
    let alice = Device::init(lab, &alice, "both");
    let mut hears = alice.listen(&[]);
    let text = lab.secret("do you hear me?");
    let sent = alice.send(&carol.jid, &text);
    assert_eq!(sent.code, 0, "{}", sent.story);
    assert!(
        sent.served
            .iter()
            .all(|(_, _, protocol)| protocol == LEGACY),
        "{}",
        sent.story
    );
    profanity.expect(&text);
    profanity.chat_with(&alice.account.jid);
    for round in 1..=2 {
        let answer = lab.secret(&format!("as well as I can {round}"));
        profanity.say(&answer);
        let message = hears.expect("message", PATIENCE, |message| {
            message["body"] == answer.as_str()
        });
        assert_eq!(message["protocol"], LEGACY);
        let text = lab.secret(&format!("good {round}"));
        alice.send_to(
            &carol.jid,
            &text,
            &[(message["device"].as_u64().expect("a device"), LEGACY)],
        );
        profanity.expect(&text);
    }
    let rest = hears.unread();
    assert!(rest.is_empty(), "more was shown than was sent: {rest:?}");
}

fn profanity_starts(lab: &Lab) {
    let alice = lab.account("alice-prof2", Domain::A);
    let carol = lab.account("carol-prof2", Domain::B);
    lab.befriend(&alice, &carol);
    let alice = Device::init(lab, &alice, "both");
    let mut hears = alice.listen(&["--echo"]);
    let mut profanity = Profanity::start(lab, &carol);
    profanity.chat_with(&alice.account.jid);
    for round in 1..=3 {
        let text = lab.secret(&format!("is anybody there? {round}"));
        profanity.say(&text);
        let message = hears.expect("message", PATIENCE, |message| {
            message["body"] == text.as_str()
        });
        assert_eq!(message["protocol"], LEGACY);
        profanity.expect(&format!("echo: {text}"));
    }
    let rest = hears.unread();
    assert!(rest.is_empty(), "more was shown than was sent: {rest:?}");
}

/// A contact that needs both protocols: each device shows the message once, and nothing else.
fn mixed(lab: &Lab) {
    let alice = lab.account("alice-mixed", Domain::A);
    let carol = lab.account("carol-mixed", Domain::B);
    lab.befriend(&alice, &carol);
    let mut profanity = Profanity::start(lab, &carol);
    let mut new = Slixmpp::start(lab, &carol, Speaks::Omemo2, &["--quiet"]);
    let mut old = Slixmpp::start(lab, &carol, Speaks::Legacy, &["--quiet"]);
    let alice = Device::init(lab, &alice, "both");
    for round in 1..=3 {
        let text = lab.secret(&format!("to each of you {round}"));
        let sent = alice.send(&carol.jid, &text);
        assert_eq!(sent.code, 0, "{}", sent.story);
        assert_eq!(sent.served.len(), 3, "{}", sent.story);
        for (bot, namespace) in [(&mut new, OMEMO2), (&mut old, LEGACY)] {
            let message = bot.talker.expect("message", PATIENCE, |message| {
                message["body"] == text.as_str()
            });
            assert_eq!(message["protocol"], namespace);
        }
        profanity.expect(&text);
        let shown = profanity
            .shown()
            .iter()
            .filter(|line| line.contains(&text))
            .count();
        assert_eq!(shown, 1, "profanity showed it {shown} times");
    }
    for bot in [&mut new, &mut old] {
        for event in bot.talker.unread() {
            let fine = ["sent", "empty", "not_for_us"]
                .iter()
                .any(|name| event["event"] == *name);
            assert!(fine, "a bot said {event}\n{}", bot.talker.story());
        }
    }
}
