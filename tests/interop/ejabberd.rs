//! Accounts on ejabberd, which half of the world uses: with each other, and with accounts on Prosody.

use std::panic::resume_unwind;
use std::thread;

use omemo_tests::capture::Capture;
use omemo_tests::lab::{self, Domain, Lab};
use omemo_tests::patience::{PATIENCE, wait_for};
use omemo_tests::peers::command::{self, Device, hexadecimal};
use omemo_tests::process::Talker;
use omemo_tests::scenario::Scenario;
use omemo_tests::wire::{LEGACY, OMEMO2};
use serde_json::{Value, json};

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "ejabberd_and_prosody_with_two_devices_each_omemo2",
        run: |lab| two_each(lab, "omemo2", OMEMO2),
        lacking,
    },
    Scenario {
        name: "ejabberd_and_prosody_with_two_devices_each_legacy",
        run: |lab| two_each(lab, "legacy", LEGACY),
        lacking,
    },
    Scenario {
        name: "ejabberd_catches_up_with_the_archive_omemo2",
        run: |lab| catches_up(lab, "omemo2", OMEMO2),
        lacking,
    },
    Scenario {
        name: "ejabberd_catches_up_with_the_archive_legacy",
        run: |lab| catches_up(lab, "legacy", LEGACY),
        lacking,
    },
    Scenario {
        name: "ejabberd_pushes_a_device_list_to_prosody",
        run: |lab| pushed(lab, Domain::E, Domain::B),
        lacking,
    },
    Scenario {
        name: "prosody_pushes_a_device_list_to_ejabberd",
        run: |lab| pushed(lab, Domain::B, Domain::E),
        lacking,
    },
    Scenario {
        name: "ejabberd_pushes_a_device_list_to_its_own",
        run: |lab| pushed(lab, Domain::E, Domain::E),
        lacking,
    },
    Scenario {
        name: "ejabberd_has_a_room_with_a_member_elsewhere_omemo2",
        run: |lab| room(lab, "omemo2", OMEMO2),
        lacking,
    },
    Scenario {
        name: "ejabberd_has_a_room_with_a_member_elsewhere_legacy",
        run: |lab| room(lab, "legacy", LEGACY),
        lacking,
    },
];

fn lacking() -> Option<String> {
    lab::lacking_ejabberd().or_else(command::lacking)
}

/// Strangers with two devices each: whatever one of the four writes, the other three read. After that both bundles
/// of the account on ejabberd are still there for somebody else (rule 4), though each device has published again since.
fn two_each(lab: &Lab, protocols: &str, namespace: &str) {
    let erin = lab.account(&format!("erin-two-{protocols}"), Domain::E);
    let bob = lab.account(&format!("bob-two-{protocols}"), Domain::B);
    // At the same time: a node that keeps one item loses one of two bundles until it is configured.
    let erins = thread::scope(|scope| {
        [(); 2]
            .map(|()| scope.spawn(|| Device::init(lab, &erin, protocols)))
            .map(|device| device.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    let bobs = [(); 2].map(|()| Device::init(lab, &bob, protocols));
    let mut listeners: Vec<_> = erins.iter().chain(&bobs).map(hearing).collect();

    for (writers, readers) in [(&bobs, &erins), (&erins, &bobs)] {
        let to = &readers[0].account.jid;
        for writer in writers {
            let text = lab.secret(&format!("from device {}", writer.id));
            writer.send_to(
                to,
                &text,
                &readers.each_ref().map(|one| (one.id, namespace)),
            );
            for (_, listener) in listeners
                .iter_mut()
                .filter(|(reader, _)| *reader != writer.id)
            {
                let message = expect(listener, &text);
                assert_eq!(message["device"], writer.id);
                assert_eq!(message["protocol"], namespace);
            }
        }
    }
    for (_, listener) in &mut listeners {
        nothing_else(listener);
    }

    let amy = lab.account(&format!("amy-two-{protocols}"), Domain::A);
    let amy = Device::init(lab, &amy, protocols);
    let seen = amy.devices(&erin.jid);
    assert_eq!(seen.len(), 2, "{seen:?}");
    for device in &erins {
        let seen = seen.iter().find(|seen| seen["device"] == device.id);
        let seen = seen.unwrap_or_else(|| panic!("device {} is not listed", device.id));
        assert_eq!(
            hexadecimal(&seen["fingerprint"]),
            device.fingerprint,
            "{seen}"
        );
        assert_eq!(seen["protocols"], json!([namespace]), "{seen}");
    }
    let text = lab.secret("from a stranger");
    amy.send_to(
        &erin.jid,
        &text,
        &erins.each_ref().map(|one| (one.id, namespace)),
    );
    for (_, listener) in &mut listeners[..2] {
        expect(listener, &text);
    }
}

/// What was written while both devices of an account were away is read from the archive, each text once, what the
/// own other device wrote included; and once they are back they hear of each other's messages by carbons.
fn catches_up(lab: &Lab, protocols: &str, namespace: &str) {
    let erin = lab.account(&format!("erin-away-{protocols}"), Domain::E);
    let bob = lab.account(&format!("bob-away-{protocols}"), Domain::B);
    lab.befriend(&erin, &bob);
    let erins = [(); 2].map(|()| Device::init(lab, &erin, protocols));
    let bob = Device::init(lab, &bob, protocols);
    let served = erins.each_ref().map(|one| (one.id, namespace));
    let [first, second] = &erins;
    let mut bob_hears = bob.listen(&[]);
    let mut hear = erins.each_ref().map(|device| device.listen(&[]));
    let last = lab.secret("before you go");
    bob.send_to(&erin.jid, &last, &served);
    let mut ids = Vec::new();
    for listener in &mut hear {
        ids.push(expect(listener, &last)["id"].clone());
        listener.kill();
    }

    let away: Vec<_> = (1..=3)
        .map(|number| {
            let text = lab.secret(&format!("{number} while you are away"));
            bob.send_to(&erin.jid, &text, &served);
            text
        })
        .collect();
    let own = lab.secret("from the second device, which nobody listens to");
    second.send_to(&bob.account.jid, &own, &[(bob.id, namespace)]);
    expect(&mut bob_hears, &own);
    hear = erins.each_ref().map(|device| device.listen(&[]));
    for listener in &mut hear {
        for text in &away {
            expect(listener, text);
        }
    }
    let message = expect(&mut hear[0], &own);
    assert_eq!(message["chat"], bob.account.jid.as_str());
    let archived = passed(lab, |capture| {
        is_to(capture, &erin.jid)
            && capture.xml.contains("urn:xmpp:mam:2")
            && capture.xml.contains("<encrypted")
    });
    assert!(archived > 0, "nothing came from the archive");

    let text = lab.secret("now that you are back");
    bob.send_to(&erin.jid, &text, &served);
    for listener in &mut hear {
        expect(listener, &text);
    }
    let text = lab.secret("from the first device");
    first.send_to(&bob.account.jid, &text, &[(bob.id, namespace)]);
    expect(&mut bob_hears, &text);
    let message = expect(&mut hear[1], &text);
    assert_eq!(message["chat"], bob.account.jid.as_str());
    let copied = passed(lab, |capture| {
        is_to(capture, &erin.jid)
            && capture.xml.contains("<sent")
            && capture.xml.contains("urn:xmpp:carbons:2")
            && capture.xml.contains("<encrypted")
    });
    assert!(copied > 0, "no carbon came");
    nothing_else(&mut bob_hears);
    for (listener, id) in hear.iter_mut().zip(ids) {
        // Who dies before it could note that it has shown a message shows it again, under the same id.
        let again = |event: &Value| event["id"] == id && event["body"] == last.as_str();
        nothing_but(listener, again);
    }
}

/// A second device joins while the contact is online. Its server tells the contact's, and the contact serves it with
/// the next message without having asked.
fn pushed(lab: &Lab, of: Domain, to: Domain) {
    let name = format!("{}-{}", of.name(), to.name());
    let erin = lab.account(&format!("erin-pushed-{name}"), of);
    let bob = lab.account(&format!("bob-pushed-{name}"), to);
    lab.befriend(&erin, &bob);
    let first = Device::init(lab, &erin, "both");
    let bob = Device::init(lab, &bob, "both");
    let mut first_hears = first.listen(&[]);
    let _echo = bob.listen(&["--echo"]);
    let text = lab.secret("before the second device");
    first.send_to(&bob.account.jid, &text, &[(bob.id, OMEMO2)]);
    expect(&mut first_hears, &format!("echo: {text}"));

    let asks = |capture: &Capture| {
        capture.incoming
            && capture.peer.starts_with(&bob.account.jid)
            && capture.xml.contains("<items")
            && ["urn:xmpp:omemo:2:devices", "axolotl.devicelist"]
                .iter()
                .any(|node| capture.xml.contains(node))
    };
    let asked = passed(lab, asks);
    let second = Device::init(lab, &erin, "both");
    let mut second_hears = second.listen(&[]);
    for namespace in [OMEMO2, LEGACY] {
        let announced = |capture: &Capture| {
            is_to(capture, &bob.account.jid)
                && capture.xml.contains("http://jabber.org/protocol/pubsub#event")
                && capture.xml.contains(namespace)
                && [&first, &second]
                    .iter()
                    .all(|device| capture.xml.contains(&device.id.to_string()))
                // ejabberd says which of the contact's clients it was.
                && (of != Domain::E || capture.xml.contains("<addresses"))
        };
        let push = wait_for(PATIENCE, || (passed(lab, announced) > 0).then_some(()));
        assert!(
            push.is_some(),
            "no list of {namespace} with both devices was pushed"
        );
    }

    let text = lab.secret("after it");
    first.send_to(&bob.account.jid, &text, &[(bob.id, OMEMO2)]);
    for listener in [&mut first_hears, &mut second_hears] {
        let message = expect(listener, &format!("echo: {text}"));
        assert_eq!(message["protocol"], OMEMO2);
    }
    assert_eq!(
        passed(lab, asks),
        asked,
        "the contact asked for a list that it was told"
    );
}

/// A room of ejabberd's: a member of another server, and one who is away and reads the room's archive later.
fn room(lab: &Lab, protocols: &str, namespace: &str) {
    let room = format!("orchard-{protocols}@rooms.{}", Domain::E.name());
    let [erin, bob, eve] =
        [("erin", Domain::E), ("bob", Domain::B), ("eve", Domain::E)].map(|(user, domain)| {
            let account = lab.account(&format!("{user}-orchard-{protocols}"), domain);
            Device::init(lab, &account, protocols)
        });
    let [erins, bobs, eves] = [&erin, &bob, &eve].map(|device| device.account.jid.as_str());
    let joins: [(_, &[&str]); 3] = [
        (&erin, &["--create", "--member", bobs, "--member", eves]),
        (&bob, &[]),
        (&eve, &[]),
    ];
    for (device, options) in joins {
        let (code, _, story) = device.run(&[&["room", "join", &room, "--json"], options].concat());
        assert_eq!(code, 0, "omemo room join failed\n{story}");
    }
    let mut texts = Vec::new();
    for (writer, reader, to) in [(&erin, &bob, bobs), (&bob, &erin, erins)] {
        let mut listener = reader.listen_in(&room, &[]);
        let text = lab.secret(&format!("to the room from {}", writer.account.jid));
        let served = [(to, reader.id, namespace), (eves, eve.id, namespace)];
        writer.send_in(&room, &text, &served);
        let message = expect(&mut listener, &text);
        assert_eq!(message["chat"], room.as_str());
        assert_eq!(message["from"], writer.account.jid.as_str());
        nothing_else(&mut listener);
        texts.push(text);
    }
    let mut listener = eve.listen_in(&room, &[]);
    for text in &texts {
        assert_eq!(expect(&mut listener, text)["protocol"], namespace);
    }
}

fn hearing(device: &Device) -> (u64, Talker) {
    (device.id, device.listen(&[]))
}

fn expect(listener: &mut Talker, text: &str) -> Value {
    listener.expect("message", PATIENCE, |message| message["body"] == text)
}

/// Nothing was shown that nobody asked for, except which requirement ejabberd breaks (rule 39), which has its cure.
fn nothing_else(listener: &mut Talker) {
    nothing_but(listener, |_| false);
}

fn nothing_but(listener: &mut Talker, is_known: impl Fn(&Value) -> bool) {
    let mut rest = listener.unread();
    let is_cured = |reason: &str| reason.contains("max_items in publish-options");
    rest.retain(|event| {
        let cured =
            event["event"] == "server-lacks" && event["reason"].as_str().is_some_and(is_cured);
        !cured && !is_known(event)
    });
    assert!(
        rest.is_empty(),
        "more was shown than was sent: {rest:?}\n{}",
        listener.story()
    );
}

/// How many such stanzas the servers saw.
fn passed(lab: &Lab, wanted: impl Fn(&Capture) -> bool) -> usize {
    lab.captured()
        .iter()
        .filter(|capture| wanted(capture))
        .count()
}

/// A server wrote it to a client of this account.
fn is_to(capture: &Capture, jid: &str) -> bool {
    !capture.incoming && capture.peer.split('/').next() == Some(jid)
}
