//! A room of members on a real server: whoever is away reads the archive later.

use omemo_tests::lab::{Domain, Lab};
use omemo_tests::patience::PATIENCE;
use omemo_tests::peers::command::{self, Device};
use omemo_tests::peers::profanity::{self, Profanity};
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
    Scenario {
        name: "a_room_with_profanity_legacy",
        run: |lab| with_profanity(lab, ["legacy", "legacy"], LEGACY),
        lacking: profanity_lacks,
    },
    Scenario {
        name: "a_room_with_profanity_and_one_without_legacy",
        run: |lab| with_profanity(lab, ["both", "omemo2"], OMEMO2),
        lacking: profanity_lacks,
    },
];

fn profanity_lacks() -> Option<String> {
    command::lacking().or_else(profanity::lacking)
}

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

/// profanity is one of the members and another one, bob, is away: each reads what the others wrote, attributed to the real
/// JID of who wrote it, whatever that one is called in the room. `namespace` is that of the protocol in which alice serves
/// bob; where it is not profanity's, her message goes as two stanzas, and profanity serves bob with nothing.
fn with_profanity(lab: &Lab, protocols: [&str; 2], namespace: &str) {
    let [alices, bobs] = protocols;
    let room = format!("room-profanity-{bobs}@rooms.{}", Domain::A.name());
    let [alice, bob, carol] = ["alice", "bob", "carol"]
        .map(|user| lab.account(&format!("{user}-room-profanity-{bobs}"), Domain::A));
    let mut profanity = Profanity::start(lab, &carol);
    let alice = Device::init(lab, &alice, alices);
    let bob = Device::init(lab, &bob, bobs);
    let [alices, bobs] = [&alice, &bob].map(|it| (it.account.jid.as_str(), it.id, namespace));
    let carols = (carol.jid.as_str(), profanity.device(), LEGACY);
    let create = [
        "room", "join", &room, "--create", "--member", bobs.0, "--member", carols.0, "--json",
    ];
    assert_eq!(members(&alice, &create), [bobs.0, carols.0]);
    let shown = members(&bob, &["room", "join", &room, "--json"]);
    assert_eq!(shown, [alices.0, carols.0]);
    // bob is away
    let mut hears = alice.listen_in(&room, &[]);
    profanity.enter(&room, "greengrocer");
    let both = [(alices.0, alices.1), (bobs.0, bobs.1)];
    let served = if namespace == LEGACY { 2 } else { 1 };
    profanity.encrypt_in_room(&both[..served]);
    let mut for_bob = Vec::new();
    for round in 1..=3 {
        // It wraps the message's key twice for who is in the room: as one who is there, and as a member.
        let text = lab.secret(&format!("does anybody hear me? {round}"));
        profanity.say(&text);
        heard(&mut hears, &room, carols, &text);
        if namespace == LEGACY {
            for_bob.push((carols, text));
        }
        let text = lab.secret(&format!("one of us does {round}"));
        alice.send_in(&room, &text, &[bobs, carols]);
        profanity.expect(&text);
        for_bob.push((alices, text));
    }
    let rest = hears.unread();
    assert!(rest.is_empty(), "more was shown than was sent: {rest:?}");
    let shown = profanity.shown();
    assert_eq!(
        shown.len(),
        6,
        "three lines of its own, and ours: {shown:?}"
    );
    // later
    let mut hears = bob.listen_in(&room, &["--count", &for_bob.len().to_string()]);
    for (from, text) in &for_bob {
        heard(&mut hears, &room, *from, text);
    }
    finish(hears);
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
    heard(
        listener,
        room,
        (&from.account.jid, from.id, namespace),
        text,
    );
}

/// `from` is the author's real JID and device, and the namespace of the protocol.
fn heard(listener: &mut Talker, room: &str, from: (&str, u64, &str), text: &str) {
    let message = listener.expect("message", PATIENCE, |message| message["body"] == text);
    assert_eq!(message["chat"], room);
    assert_eq!(message["from"], from.0);
    assert_eq!(message["device"], from.1);
    assert_eq!(message["protocol"], from.2);
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
