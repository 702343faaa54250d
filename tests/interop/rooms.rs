//! A room of members on a real server: whoever is away reads the archive later.

use omemo_tests::lab::{Domain, Lab};
use omemo_tests::patience::PATIENCE;
use omemo_tests::peers::command::{self, Device};
use omemo_tests::process::Talker;
use omemo_tests::scenario::Scenario;
use omemo_tests::wire::{LEGACY, OMEMO2};

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "a_room_of_members_one_of_them_away_omemo2",
        run: |lab| one_is_away(lab, "omemo2", [OMEMO2; 3]),
        lacking: command::lacking,
    },
    Scenario {
        name: "a_room_of_members_one_of_them_away_legacy",
        run: |lab| one_is_away(lab, "legacy", [LEGACY; 3]),
        lacking: command::lacking,
    },
    Scenario {
        name: "a_room_of_members_who_speak_both_protocols",
        run: |lab| one_is_away(lab, "mixed", [OMEMO2, OMEMO2, LEGACY]),
        lacking: command::lacking,
    },
];

/// Three accounts, the third of them away while the first writes; later each has read what the others wrote, once, and
/// none was shown an error.
fn one_is_away(lab: &Lab, name: &str, namespaces: [&str; 3]) {
    let room = format!("room-{name}@rooms.{}", Domain::A.name());
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|user| {
        let account = lab.account(&format!("{user}-room-{name}"), Domain::A);
        let protocols = match (name, user) {
            ("mixed", "alice") => "both",
            ("mixed", "bob") => "omemo2",
            ("mixed", _) => "legacy",
            (protocols, _) => protocols,
        };
        Device::init(lab, &account, protocols)
    });
    let [bobs, carols] = [&bob, &carol].map(|device| device.account.jid.as_str());
    let create = [
        "room", "join", &room, "--create", "--member", bobs, "--member", carols, "--json",
    ];
    assert_eq!(members(&alice, &create), [bobs, carols]);
    for (device, others) in [(&bob, carols), (&carol, bobs)] {
        let shown = members(device, &["room", "join", &room, "--json"]);
        assert_eq!(shown, [alice.account.jid.as_str(), others]);
    }
    // carol is away
    let text = lab.secret("to all of you");
    let mut listener = bob.listen_in(&room, &["--count", "1"]);
    let served = [
        (bobs, bob.id, namespaces[1]),
        (carols, carol.id, namespaces[2]),
    ];
    alice.send_in(&room, &text, &served);
    hears(&mut listener, &room, &alice, &text, namespaces[1]);
    finish(listener);
    // later
    let mut listener = carol.listen_in(&room, &["--count", "1"]);
    hears(&mut listener, &room, &alice, &text, namespaces[2]);
    finish(listener);
    if name == "mixed" {
        return;
    }
    let text = lab.secret("I have read it in the archive");
    let served = [
        (bobs, bob.id, namespaces[1]),
        (&alice.account.jid, alice.id, namespaces[0]),
    ];
    carol.send_in(&room, &text, &served);
    for (device, namespace) in [(&alice, namespaces[0]), (&bob, namespaces[1])] {
        let mut listener = device.listen_in(&room, &["--count", "1"]);
        hears(&mut listener, &room, &carol, &text, namespace);
        finish(listener);
    }
}

fn members(device: &Device, arguments: &[&str]) -> Vec<String> {
    let (code, events, story) = device.run(arguments);
    assert_eq!(code, 0, "omemo room join failed\n{story}");
    let event = events.iter().find(|event| event["event"] == "room");
    let event = event.unwrap_or_else(|| panic!("no room\n{story}"));
    assert_eq!(
        event["lacking"].as_array().map(Vec::len),
        Some(0),
        "{story}"
    );
    let members = event["members"].as_array().unwrap().iter();
    members
        .map(|jid| jid.as_str().unwrap().to_owned())
        .collect()
}

fn hears(listener: &mut Talker, room: &str, from: &Device, text: &str, namespace: &str) {
    let message = listener.expect("message", PATIENCE, |message| message["body"] == text);
    assert_eq!(message["chat"], room);
    assert_eq!(message["from"], from.account.jid.as_str());
    assert_eq!(message["device"], from.id);
    assert_eq!(message["protocol"], namespace);
}

fn finish(listener: Talker) {
    let finished = listener.finish(PATIENCE);
    assert!(finished.status.success(), "{}", finished.story);
    assert!(
        finished.events.is_empty(),
        "more than was sent: {:?}",
        finished.events
    );
}
