//! A question, asked of foreign clients: a contact has devices of both protocols; is it quieter to serve them with two
//! stanzas of the same id, one per protocol, or with one stanza that holds both elements?
//!
//! The answers are in `tests/README.md`. To ask again: `cargo xtask interop experiment`.

use std::fmt::Write as _;
use std::thread::sleep;
use std::time::Duration;

use omemo_tests::lab::{Domain, Lab};
use omemo_tests::patience::PATIENCE;
use omemo_tests::peers::profanity::{self, Profanity};
use omemo_tests::peers::slixmpp::{self, Slixmpp, Speaks};
use omemo_tests::scenario::Scenario;

pub(crate) const EXPERIMENTS: &[Scenario] = &[
    Scenario {
        name: "experiment_two_stanzas",
        run: |lab| ask(lab, "two"),
        lacking,
    },
    Scenario {
        name: "experiment_one_stanza",
        run: |lab| ask(lab, "one"),
        lacking,
    },
];

fn lacking() -> Option<String> {
    slixmpp::lacking().or_else(profanity::lacking)
}

/// One contact with four devices; two messages, of which the first exchanges keys.
fn ask(lab: &Lab, shape: &str) {
    let sender = lab.account(&format!("asker-{shape}"), Domain::A);
    let contact = lab.account(&format!("asked-{shape}"), Domain::B);
    lab.befriend(&sender, &contact);

    let mut profanity = Profanity::start(lab, &contact);
    profanity.chat_with(&sender.jid);
    let mut devices: Vec<_> = [Speaks::Both, Speaks::Legacy, Speaks::Omemo2]
        .into_iter()
        .map(|speaks| (speaks, Slixmpp::start(lab, &contact, speaks, &["--stock"])))
        .collect();
    let mut asker = Slixmpp::start(lab, &sender, Speaks::Both, &["--quiet", "--shape", shape]);

    let mut report = format!("served with {shape} stanza(s):\n");
    for text in ["the first question", "the second question"] {
        let shown = profanity.shown().len();
        asker.send(&contact.jid, text);
        let sent = asker.talker.expect("sent", PATIENCE, |_| true);
        let _ = writeln!(
            report,
            "  {text}: {} stanzas, to {}",
            sent["stanzas"], sent["served"]
        );
        // Whoever shows something shows it by then.
        sleep(Duration::from_secs(6));
        for (speaks, device) in &mut devices {
            for event in device.talker.unread() {
                let _ = writeln!(
                    report,
                    "    slixmpp-omemo {speaks:?} ({}): {event}",
                    device.device
                );
            }
        }
        for line in profanity.shown().iter().skip(shown) {
            let _ = writeln!(report, "    profanity: {line}");
        }
    }
    for line in profanity
        .log()
        .lines()
        .filter(|line| line.contains("[OMEMO]") && line.contains("ERR"))
    {
        let _ = writeln!(report, "    profanity's log: {line}");
    }
    let _ = writeln!(report, "  profanity's screen:\n{}", profanity.screen());
    for (speaks, device) in &devices {
        let _ = writeln!(report, "  {speaks:?}: {}", device.talker.story());
    }
    println!("{report}");
}
