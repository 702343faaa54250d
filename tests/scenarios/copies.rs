//! Copies of messages: carbons, the archive, forwards, and what people build of them.

use minidom::Element;
use omemo::{UndecryptableReason, Version};
use omemo_tests::hub::{At, Hub, carbon, set, speaks};

use crate::over::Stores;
use crate::puppet::Puppet;
use crate::stage::*;

/// A message from romeo's device that juliet has not seen, as it leaves his server.
fn fresh<S: Stores>(stores: &mut S, version: Version) -> (Hub<S::Store>, At, Element) {
    let (mut hub, juliet, romeo) = friends(stores, version);
    hub.strangers.push(MALLORY.into());
    hub.go_offline(juliet);
    hub.send(romeo, JULIET, "target", "target");
    let stanza = xml(&hub.mailbox(juliet).pop_back().unwrap());
    hub.go_online(juliet);
    hub.settle();
    (hub, juliet, stanza)
}

fn forwarded(message: &Element) -> String {
    format!(
        "<forwarded xmlns='urn:xmpp:forward:0'>{}</forwarded>",
        String::from(message)
    )
}

fn wrapped(from: &str, inside: &str) -> Element {
    let from = if from.is_empty() {
        String::new()
    } else {
        format!(" from='{from}'")
    };
    xml(&format!(
        "<message xmlns='jabber:client'{from} to='{JULIET}/0'>{inside}</message>"
    ))
}

fn shapes(message: &Element) -> Vec<String> {
    let inside = forwarded(message);
    vec![
        format!("<received xmlns='urn:xmpp:carbons:2'>{inside}</received>"),
        format!("<sent xmlns='urn:xmpp:carbons:2'>{inside}</sent>"),
        format!("<result xmlns='urn:xmpp:mam:2' id='1'>{inside}</result>"),
    ]
}

/// A10: a copy counts from our own account alone; nothing of a refused one is read or kept.
fn a10_copies_from_anybody_but_our_own_account_are_refused<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, message) = fresh(&mut stores, version);
    let before = hub.dump(juliet);
    let crossed = hub.wire.len();
    let senders = [
        MALLORY,
        "mallory@elsewhere.example/x",
        ROMEO,
        "romeo@montague.example/1",
        "capulet.example",
        "juliet@capulet.example.elsewhere.example",
        "juliet@capulet.example/other",
        "@@",
    ];
    for from in senders {
        for shape in shapes(&message) {
            let events = hub.deliver(juliet, &wrapped(from, &shape));
            assert!(read(&events).is_empty(), "{from}: {shape}");
        }
    }
    // nested, doubled, or without a wrapping of its own
    let [received, sent, archived]: [String; 3] = shapes(&message).try_into().unwrap();
    let nested = wrapped(JULIET, &received);
    for shape in shapes(&nested) {
        assert!(
            read(&hub.deliver(juliet, &wrapped(JULIET, &shape))).is_empty(),
            "{shape}"
        );
    }
    let both = format!("{received}{archived}");
    assert!(read(&hub.deliver(juliet, &wrapped(JULIET, &both))).is_empty());
    assert!(read(&hub.deliver(juliet, &wrapped(JULIET, &forwarded(&message)))).is_empty());
    // what romeo wrote was not sent by another device of ours
    assert!(read(&hub.deliver(juliet, &wrapped(JULIET, &sent))).is_empty());
    assert_eq!(hub.dump(juliet), before);
    assert_eq!(hub.wire.len(), crossed);
    // and the same message, well wrapped, is read
    assert_eq!(
        read(&hub.deliver(juliet, &wrapped(JULIET, &received))),
        ["target"]
    );
}

/// A10: whoever wrote the inner stanza, the session decides, and it belongs to the inner sender alone.
fn a10_the_inner_sender_is_the_one_whose_session_it_is<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, message) = fresh(&mut stores, version);
    let before = hub.dump(juliet);
    for name in [
        MALLORY,
        "mallory@elsewhere.example/x",
        JULIET,
        "tybalt@capulet.example/x",
    ] {
        let mut forged = message.clone();
        set(&mut forged, "from", name);
        for shape in shapes(&forged) {
            let events = hub.deliver(juliet, &wrapped(JULIET, &shape));
            assert!(read(&events).is_empty(), "{name}: {shape}");
        }
        assert!(read(&hub.deliver(juliet, &forged)).is_empty());
        assert_eq!(hub.dump(juliet), before, "{name}");
    }
    assert_eq!(read(&hub.deliver(juliet, &message)), ["target"]);
    let from = &hub.devices[juliet.0].messages.last().unwrap().from;
    assert_eq!(from.jid.as_str(), ROMEO);
}

fn copies_from_our_own_account_are_read<S: Stores>(mut stores: S, version: Version) {
    for shape in [0, 2] {
        for from in [JULIET, ""] {
            let (mut hub, juliet, message) = fresh(&mut stores, version);
            let copy = wrapped(from, &shapes(&message)[shape]);
            assert_eq!(read(&hub.deliver(juliet, &copy)), ["target"]);
        }
    }
}

fn a_carbon_of_our_other_device_stands_in_the_contacts_chat<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let mut hub = Hub::new(2);
    let phone = hub.join(JULIET, stores.make(), speaks(&[version]));
    let laptop = hub.join(JULIET, stores.make(), speaks(&[version]));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(phone, ROMEO, "1", "from the phone");
    assert_eq!(hub.bodies(laptop), ["from the phone"]);
    assert_eq!(hub.bodies(romeo), ["from the phone"]);
    let message = &hub.devices[laptop.0].messages[0];
    assert_eq!(message.chat.to_string(), ROMEO);
    assert_eq!(message.from.jid.as_str(), JULIET);
    assert_eq!(message.from.device.get(), hub.id(phone));
}

/// A07: what we wrote to one contact, moved by a server into the chat with another.
fn a07_a_carbon_moved_into_another_chat_is_refused<S: Stores>(mut stores: S) {
    let version = Version::Omemo2;
    let mut hub = Hub::new(2);
    let phone = hub.join(JULIET, stores.make(), speaks(&[version]));
    let laptop = hub.join(JULIET, stores.make(), speaks(&[version]));
    hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.go_offline(laptop);
    hub.send(phone, ROMEO, "1", "I love you");
    hub.mailbox(laptop).clear();
    hub.go_online(laptop);
    hub.settle();
    let mut moved = hub
        .messages_of(phone)
        .into_iter()
        .find(has_payload)
        .unwrap();
    let before = hub.dump(laptop);
    for to in [MALLORY, JULIET, "room@muc.example"] {
        set(&mut moved, "to", to);
        let reasons = unread(&hub.deliver(laptop, &carbon(JULIET, &moved)));
        assert!(
            matches!(reasons[..], [UndecryptableReason::EnvelopeRefused(_)]),
            "{to}: {reasons:?}"
        );
        assert_eq!(hub.dump(laptop), before);
    }
    set(&mut moved, "to", ROMEO);
    assert_eq!(
        read(&hub.deliver(laptop, &carbon(JULIET, &moved))),
        ["I love you"]
    );
}

/// A11, quirk 13: a room writes a nick where the sender stands. Whoever has a session with the same device id did not write it.
fn a11_quirk_13_a_message_by_a_room_is_attributed_to_nobody<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, message) = fresh(&mut stores, version);
    let before = hub.dump(juliet);
    let by_room = |kind: &str, from: &str, mark: &str| {
        let mut stanza = message.clone();
        set(&mut stanza, "type", kind);
        set(&mut stanza, "from", from);
        if !mark.is_empty() {
            stanza.append_child(xml(mark));
        }
        stanza
    };
    let private = "<x xmlns='http://jabber.org/protocol/muc#user'/>";
    for stanza in [
        by_room("groupchat", "room@muc.example/romeo", ""),
        // even where the nick, or the room, is called as he is
        by_room("groupchat", "romeo@montague.example/romeo", ""),
        by_room("chat", "room@muc.example/romeo", private),
        by_room("chat", "romeo@montague.example/romeo", private),
    ] {
        let archived = wrapped(JULIET, &shapes(&stanza)[2]);
        for stanza in [stanza, archived] {
            let reasons = unread(&hub.deliver(juliet, &stanza));
            assert_eq!(reasons, [UndecryptableReason::SenderUnknown]);
            assert_eq!(hub.dump(juliet), before);
        }
    }
    assert_eq!(read(&hub.deliver(juliet, &message)), ["target"]);
}

/// Rule 20: a time that does not fit the server's stamp is shown with the message, and refuses nothing.
fn rule_20_a_time_far_from_the_stamp_flags_the_message<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(2);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[Version::Omemo2]));
    let mut puppet = Puppet::new(Version::Omemo2, MALLORY, 5);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    let stamp = "<delay xmlns='urn:xmpp:delay' stamp='2027-01-15T08:00:00Z'/>";
    let cases = [
        ("2027-01-15T08:00:00Z", stamp, false),
        ("2027-01-16T08:00:00Z", stamp, false),
        ("2027-01-16T08:00:01Z", stamp, true),
        ("2027-01-14T08:00:00Z", stamp, false),
        ("2027-01-14T07:59:59Z", stamp, true),
        ("1999-12-31T23:59:59Z", stamp, true),
        // without a stamp there is nothing to compare with
        ("1999-12-31T23:59:59Z", "", false),
    ];
    for (time, stamp, differs) in cases {
        let plaintext = format!(
            "<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>{time}</body></content>\
             <time stamp='{time}'/><rpad>x</rpad></envelope>"
        );
        let message = String::from(&puppet.say(plaintext.as_bytes()));
        let archived = format!(
            "<result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'>{stamp}{message}</forwarded></result>"
        );
        let events = hub.deliver(juliet, &wrapped(JULIET, &archived));
        assert_eq!(read(&events), [time], "{events:?}");
        let shown = hub.devices[juliet.0].messages.last().unwrap();
        assert_eq!(shown.time_differs, differs, "{time} {stamp}");
    }
}

/// Quirk 33: our own messages come back, from rooms, archives and reflecting servers.
fn quirk_33_our_own_reflections_are_ignored<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, _) = friends(&mut stores, version);
    hub.send(juliet, ROMEO, "mine", "mine");
    let own = hub.messages_of(juliet).pop().unwrap();
    let before = hub.dump(juliet);
    let mut reflections = vec![own.clone(), carbon(JULIET, &own)];
    reflections.extend(shapes(&own).iter().map(|shape| wrapped(JULIET, shape)));
    for reflection in reflections {
        let events = hub.deliver(juliet, &reflection);
        assert!(events.is_empty(), "{events:?}");
    }
    assert_eq!(hub.dump(juliet), before);
}

over!(
    a07_a_carbon_moved_into_another_chat_is_refused,
    rule_20_a_time_far_from_the_stamp_flags_the_message,
);
over_versions!(
    a10_copies_from_anybody_but_our_own_account_are_refused,
    a10_the_inner_sender_is_the_one_whose_session_it_is,
    a11_quirk_13_a_message_by_a_room_is_attributed_to_nobody,
    copies_from_our_own_account_are_read,
    a_carbon_of_our_other_device_stands_in_the_contacts_chat,
    quirk_33_our_own_reflections_are_ignored,
);
