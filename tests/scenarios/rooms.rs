//! Rooms: who gets a message, when, and what happens when that changes (XEP-0384 §5.8).

use minidom::Element;
use omemo::store::Store;
use omemo::{BareJid, Chat, Event, Settings, UnservedReason, Version};
use omemo_tests::hub::{At, Hub, speaks};

use crate::over::Stores;
use crate::stage::*;

pub const ROOM: &str = "orchard@rooms.example";
pub const MERCUTIO: &str = "mercutio@verona.example";

/// Three accounts with one device each, all of them in a room of members.
pub fn cast<S: Stores>(stores: &mut S, version: Version) -> (Hub<S::Store>, [At; 3]) {
    let mut hub = Hub::new(11);
    let all = [JULIET, ROMEO, MERCUTIO].map(|jid| hub.join(jid, stores.make(), speaks(&[version])));
    hub.open_room(
        ROOM,
        &[(JULIET, "owner"), (ROMEO, "member"), (MERCUTIO, "admin")],
    );
    for (at, nick) in all.into_iter().zip(["juliet", "romeo", "mercutio"]) {
        hub.join_room(at, ROOM, nick);
    }
    (hub, all)
}

/// Whom a message was encrypted for.
pub fn readers(events: &[Event], id: &str) -> Vec<String> {
    let served = served(events, id);
    served
        .into_iter()
        .map(|served| served.device.jid.to_string())
        .collect()
}

pub fn members<S: Store + 'static>(hub: &mut Hub<S>, at: At) -> Option<Vec<String>> {
    let room = BareJid::parse(ROOM).unwrap();
    let account = hub.devices[at.0].account.as_mut().unwrap();
    let members = account.members(&room).unwrap()?;
    Some(members.iter().map(ToString::to_string).collect())
}

/// Who became a member, or is none any more.
fn changes(events: &[Event]) -> Vec<(String, bool)> {
    let changed = events.iter().filter_map(|event| match event {
        Event::MemberChanged { jid, member, .. } => Some((jid.to_string(), *member)),
        _ => None,
    });
    changed.collect()
}

pub fn refusals(events: &[Event]) -> Vec<UnservedReason> {
    let refused = events.iter().filter_map(|event| match event {
        Event::RoomRefused { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    refused.collect()
}

pub fn sealed<S: Store + 'static>(hub: &Hub<S>, from: At) -> Vec<Element> {
    let mut messages = hub.messages_of(from);
    messages.retain(has_payload);
    messages
}

/// Rule 35: the lists of members, admins and owners together, whoever is there or not.
fn rule_35_offline_members_get_keys<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(3);
    let [juliet, romeo, mercutio] =
        [JULIET, ROMEO, MERCUTIO].map(|jid| hub.join(jid, stores.make(), speaks(&[version])));
    hub.open_room(
        ROOM,
        &[(JULIET, "owner"), (ROMEO, "member"), (MERCUTIO, "admin")],
    );
    hub.go_offline(romeo);
    hub.join_room(mercutio, ROOM, "mercutio");
    let events = hub.join_room(juliet, ROOM, "juliet");
    let ready = events.iter().find_map(|event| match event {
        Event::RoomReady {
            room,
            members,
            lacking,
        } => Some((room, members, lacking)),
        _ => None,
    });
    let (room, who, lacking) = ready.unwrap();
    assert_eq!(room.as_str(), ROOM);
    assert_eq!(
        who.iter().map(BareJid::as_str).collect::<Vec<_>>(),
        [MERCUTIO, ROMEO]
    );
    assert!(lacking.is_empty());
    let events = hub.say(juliet, ROOM, "1", "to whom it may concern");
    assert_eq!(readers(&events, "1"), [MERCUTIO, ROMEO]);
    assert_eq!(hub.bodies(mercutio), ["to whom it may concern"]);
    let message = &hub.devices[mercutio.0].messages[0];
    assert_eq!(message.chat, Chat::Room(BareJid::parse(ROOM).unwrap()));
    assert_eq!(message.from.jid.as_str(), JULIET);
    assert_eq!(message.from.device.get(), hub.id(juliet));
    // the one who was away reads the archive
    hub.go_online(romeo);
    hub.settle();
    hub.join_room(romeo, ROOM, "romeo");
    hub.read_room_archive(romeo, ROOM);
    assert_eq!(hub.bodies(romeo), ["to whom it may concern"]);
    assert_eq!(hub.devices[romeo.0].messages[0].chat.to_string(), ROOM);
    hub.say(romeo, ROOM, "2", "I am here");
    assert_eq!(hub.bodies(juliet), ["I am here"]);
    assert_eq!(
        hub.bodies(mercutio),
        ["to whom it may concern", "I am here"]
    );
}

/// Rule 35, A09: whoever is banned, or is a member no more, gets 0 keys from then on.
fn rule_35_a09_a_removed_member_gets_no_keys<S: Stores>(mut stores: S, version: Version) {
    for (becomes, is_present) in [
        ("outcast", true),
        ("none", true),
        ("outcast", false),
        ("none", false),
    ] {
        let (mut hub, [juliet, _, mercutio]) = cast(&mut stores, version);
        let events = hub.say(juliet, ROOM, "1", "all three");
        assert_eq!(readers(&events, "1"), [MERCUTIO, ROMEO]);
        if !is_present {
            hub.leave_room(mercutio, ROOM);
        }
        let start = hub.devices[juliet.0].events.len();
        hub.affiliate(ROOM, MERCUTIO, becomes);
        let events = hub.devices[juliet.0].events[start..].to_vec();
        assert_eq!(changes(&events), [(MERCUTIO.to_owned(), false)]);
        assert_eq!(members(&mut hub, juliet).unwrap(), [ROMEO]);
        let before = sealed(&hub, juliet).len();
        for n in 2..5 {
            let events = hub.say(juliet, ROOM, &n.to_string(), "we two");
            assert_eq!(readers(&events, &n.to_string()), [ROMEO]);
        }
        let rid = format!("rid=\"{}\"", hub.id(mercutio));
        let rid_too = format!("rid='{}'", hub.id(mercutio));
        for message in sealed(&hub, juliet).split_off(before) {
            let text = String::from(&message);
            assert!(!text.contains(MERCUTIO) && !text.contains(&rid) && !text.contains(&rid_too));
        }
        assert_eq!(hub.bodies(mercutio), ["all three"]);
        hub.affiliate(ROOM, MERCUTIO, "member");
        assert_eq!(members(&mut hub, juliet).unwrap(), [MERCUTIO, ROMEO]);
    }
}

/// Rule 35: who is out while a message still waits for bundles is not served by it.
fn rule_35_a_change_while_a_message_waits_counts<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, [juliet, romeo, mercutio]) = cast(&mut stores, version);
    let late = "paris@verona.example";
    let paris = hub.join(late, stores.make(), speaks(&[version]));
    let start = hub.devices[juliet.0].events.len();
    // the lists are asked for; behind their answers, and before those about bundles, one has to go and
    // another may come
    hub.say_quietly(juliet, ROOM, "1", "who reads this?");
    hub.affiliate_quietly(ROOM, late, "member");
    hub.affiliate_quietly(ROOM, MERCUTIO, "outcast");
    hub.settle();
    let asks_him = |iq: &&Element| iq.attr("to") == Some(MERCUTIO);
    let questions = hub.questions_of(juliet);
    assert_eq!(
        questions.iter().filter(asks_him).count(),
        2,
        "list and bundle"
    );
    let events = hub.devices[juliet.0].events[start..].to_vec();
    assert_eq!(readers(&events, "1"), [late, ROMEO]);
    assert!(hub.bodies(mercutio).is_empty());
    assert_eq!(hub.bodies(romeo), ["who reads this?"]);
    hub.join_room(paris, ROOM, "paris");
    hub.read_room_archive(paris, ROOM);
    assert_eq!(hub.bodies(paris), ["who reads this?"]);
}

/// Rule 35: our own other devices read what we write, in the room or from its archive.
fn rule_35_own_other_devices_read_it<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, [phone, romeo, _]) = cast(&mut stores, version);
    let laptop = hub.join(JULIET, stores.make(), speaks(&[version]));
    let tablet = hub.join(JULIET, stores.make(), speaks(&[version]));
    hub.join_room(laptop, ROOM, "juliet at home");
    let events = hub.say(phone, ROOM, "1", "from the phone");
    assert!(readers(&events, "1").contains(&JULIET.to_owned()));
    assert_eq!(hub.bodies(laptop), ["from the phone"]);
    assert_eq!(hub.bodies(romeo), ["from the phone"]);
    let message = &hub.devices[laptop.0].messages[0];
    assert_eq!(message.from.jid.as_str(), JULIET);
    assert_eq!(message.chat.to_string(), ROOM);
    hub.join_room(tablet, ROOM, "juliet abroad");
    hub.read_room_archive(tablet, ROOM);
    assert_eq!(hub.bodies(tablet), ["from the phone"]);
    hub.say(laptop, ROOM, "2", "from the laptop");
    assert_eq!(hub.bodies(phone), ["from the laptop"]);
}

/// Quirk 33: a room sends us back what we wrote, at once, in its history and from its archive.
fn quirk_33_a_room_reflects_what_we_wrote<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, [juliet, _, _]) = cast(&mut stores, version);
    let events = hub.say(juliet, ROOM, "1", "mine");
    assert!(
        read(&events).is_empty() && unread(&events).is_empty(),
        "{events:?}"
    );
    hub.room(ROOM).history = 10;
    for names in [true, false] {
        hub.room(ROOM).archive_names = names;
        hub.go_offline(juliet);
        hub.go_online(juliet);
        let mut events = hub.join_room(juliet, ROOM, "juliet again");
        let start = hub.devices[juliet.0].events.len();
        hub.read_room_archive(juliet, ROOM);
        events.extend_from_slice(&hub.devices[juliet.0].events[start..]);
        assert!(
            read(&events).is_empty() && unread(&events).is_empty(),
            "{events:?}"
        );
    }
}

/// Devices of both protocols get a stanza each, with one id.
fn a_room_of_both_protocols_gets_both_stanzas<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(6);
    let juliet = hub.join(JULIET, stores.make(), Settings::default());
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[Version::Legacy]));
    let mercutio = hub.join(MERCUTIO, stores.make(), speaks(&[Version::Omemo2]));
    hub.open_room(
        ROOM,
        &[(JULIET, "owner"), (ROMEO, "member"), (MERCUTIO, "member")],
    );
    for (at, nick) in [(juliet, "juliet"), (romeo, "romeo"), (mercutio, "mercutio")] {
        hub.join_room(at, ROOM, nick);
    }
    let events = hub.say(juliet, ROOM, "1", "each in his own way");
    assert_eq!(served(&events, "1").len(), 2);
    assert!(unserved(&events, "1").is_empty());
    let stanzas = sealed(&hub, juliet);
    assert_eq!(stanzas.len(), 2);
    for stanza in &stanzas {
        assert_eq!(stanza.attr("id"), Some("1"));
        assert_eq!(stanza.attr("type"), Some("groupchat"));
        assert_eq!(stanza.attr("to"), Some(ROOM));
    }
    for at in [romeo, mercutio] {
        assert_eq!(hub.bodies(at), ["each in his own way"]);
        assert!(unread(&hub.devices[at.0].events).is_empty());
    }
    // keys by account in omemo:2, in one flat row in legacy
    let with = |namespace: &str| {
        let mut stanzas = stanzas.iter();
        let header = stanzas
            .find_map(|stanza| stanza.get_child("encrypted", namespace))
            .unwrap();
        header.get_child("header", namespace).unwrap().clone()
    };
    let new = with("urn:xmpp:omemo:2");
    let accounts: Vec<_> = new.children().filter_map(|keys| keys.attr("jid")).collect();
    assert_eq!(accounts, [MERCUTIO]);
    let old = with("eu.siacs.conversations.axolotl");
    assert_eq!(
        old.children().filter(|child| child.name() == "key").count(),
        1
    );
}

/// What was said while we were away begins sessions, several of one device among them.
fn a_room_archive_is_caught_up_with<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, [juliet, romeo, mercutio]) = cast(&mut stores, version);
    hub.catches_up = false;
    hub.go_offline(juliet);
    for round in 0..3 {
        hub.say(romeo, ROOM, &format!("r{round}"), &format!("romeo {round}"));
        hub.say(
            mercutio,
            ROOM,
            &format!("m{round}"),
            &format!("mercutio {round}"),
        );
    }
    let exchanges = sealed(&hub, romeo)
        .iter()
        .filter(|message| is_key_exchange(message))
        .count();
    assert!(exchanges >= 3);
    hub.go_online(juliet);
    hub.settle();
    hub.join_room(juliet, ROOM, "juliet");
    hub.read_room_archive(juliet, ROOM);
    hub.call(juliet, omemo::Account::caught_up);
    hub.settle();
    let mut expected = Vec::new();
    for round in 0..3 {
        expected.extend([format!("romeo {round}"), format!("mercutio {round}")]);
    }
    assert_eq!(hub.bodies(juliet), expected);
    assert!(unread(&hub.devices[juliet.0].events).is_empty());
    // and again, as archives overlap
    hub.read_room_archive(juliet, ROOM);
    assert_eq!(hub.bodies(juliet).len(), 6);
    assert!(unread(&hub.devices[juliet.0].events).is_empty());
    hub.say(juliet, ROOM, "j", "I have read it all");
    assert_eq!(hub.bodies(romeo).last().unwrap(), "I have read it all");
    assert_eq!(hub.bodies(mercutio).last().unwrap(), "I have read it all");
}

/// Whoever shares a room with us gets automatic answers: he sees us there anyway.
fn members_of_a_room_are_answered<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, [juliet, romeo, _]) = cast(&mut stores, version);
    hub.say(romeo, ROOM, "1", "a key exchange for everybody");
    let answers = hub.messages_of(juliet);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].attr("to"), Some(ROMEO));
    assert_eq!(answers[0].attr("type"), Some("chat"));
    assert!(!has_payload(&answers[0]));
    hub.say(romeo, ROOM, "2", "no key exchange any more");
    let second = sealed(&hub, romeo).pop().unwrap();
    assert!(!is_key_exchange(&second));
}

/// A member without devices stops nobody else; a room of nobody but such is refused.
fn members_without_devices_are_named<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(8);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let own = hub.join(JULIET, stores.make(), speaks(&[version]));
    hub.open_room(
        ROOM,
        &[(JULIET, "owner"), ("tybalt@capulet.example", "member")],
    );
    hub.join_room(juliet, ROOM, "juliet");
    let events = hub.say(juliet, ROOM, "1", "nobody can read it");
    assert!(is_refused(&events, "1"));
    let left_out = unserved(&events, "1");
    assert_eq!(left_out.len(), 1);
    assert_eq!(left_out[0].jid.as_str(), "tybalt@capulet.example");
    assert_eq!(left_out[0].reason, UnservedReason::NoDevices);
    assert!(hub.bodies(own).is_empty());
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.affiliate(ROOM, ROMEO, "member");
    hub.join_room(romeo, ROOM, "romeo");
    let events = hub.say(juliet, ROOM, "2", "he can");
    assert_eq!(readers(&events, "2"), [ROMEO, JULIET]);
    assert_eq!(unserved(&events, "2").len(), 1);
    assert_eq!(hub.bodies(romeo), ["he can"]);
}

/// Alone in a room we write to our other devices; without any there is nobody to read it.
fn alone_in_a_room_we_write_to_ourselves<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(8);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    hub.open_room(ROOM, &[(JULIET, "owner")]);
    hub.join_room(juliet, ROOM, "juliet");
    assert_eq!(members(&mut hub, juliet).unwrap(), Vec::<String>::new());
    let events = hub.say(juliet, ROOM, "1", "nobody");
    assert!(is_refused(&events, "1"));
    assert_eq!(unserved(&events, "1")[0].reason, UnservedReason::NoDevices);
    let laptop = hub.join(JULIET, stores.make(), speaks(&[version]));
    hub.join_room(laptop, ROOM, "at home");
    let events = hub.say(juliet, ROOM, "2", "a note");
    assert_eq!(readers(&events, "2"), [JULIET]);
    assert_eq!(hub.bodies(laptop), ["a note"]);
    // where the room keeps a list to itself we cannot know that we are alone
    hub.room(ROOM).secret_lists = vec!["member"];
    hub.leave_room(juliet, ROOM);
    hub.join_room(juliet, ROOM, "juliet");
    let events = hub.say(juliet, ROOM, "3", "perhaps not alone");
    assert!(is_refused(&events, "3"));
    assert!(matches!(
        unserved(&events, "3")[0].reason,
        UnservedReason::ListUnavailable(_)
    ));
}

/// Some servers give the list of owners to owners alone: whoever is there counts, the gap is named.
fn rule_35_a_list_that_is_kept_secret_is_named<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, [juliet, romeo, _]) = cast(&mut stores, version);
    hub.room(ROOM).secret_lists = vec!["owner", "admin"];
    hub.leave_room(romeo, ROOM);
    let events = hub.join_room(romeo, ROOM, "romeo");
    let lacking = events.iter().find_map(|event| match event {
        Event::RoomReady { lacking, .. } => Some(lacking.clone()),
        _ => None,
    });
    let lacking = lacking.unwrap();
    assert_eq!(lacking.len(), 2, "{lacking:?}");
    assert!(
        lacking.iter().all(|text| text.contains("forbidden")),
        "{lacking:?}"
    );
    // both are present, and their affiliation is shown
    let events = hub.say(romeo, ROOM, "1", "to both");
    assert_eq!(readers(&events, "1"), [JULIET, MERCUTIO]);
    // and stay members when they leave
    hub.leave_room(juliet, ROOM);
    let events = hub.say(romeo, ROOM, "2", "to both of you");
    assert_eq!(readers(&events, "2"), [JULIET, MERCUTIO]);
}

/// In a room that is open to everybody, whoever is there belongs to it, as long as he is there.
fn in_an_open_room_those_who_are_present_count<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(9);
    let [juliet, romeo, mercutio] =
        [JULIET, ROMEO, MERCUTIO].map(|jid| hub.join(jid, stores.make(), speaks(&[version])));
    hub.open_room(ROOM, &[(JULIET, "owner"), (ROMEO, "member")]);
    hub.room(ROOM).members_only = false;
    hub.join_room(juliet, ROOM, "juliet");
    hub.join_room(romeo, ROOM, "romeo");
    let start = hub.devices[juliet.0].events.len();
    hub.join_room(mercutio, ROOM, "mercutio");
    hub.leave_room(romeo, ROOM);
    let events = hub.say(juliet, ROOM, "1", "to both");
    assert_eq!(readers(&events, "1"), [MERCUTIO, ROMEO]);
    assert_eq!(hub.bodies(mercutio), ["to both"]);
    hub.leave_room(mercutio, ROOM);
    let events = hub.say(juliet, ROOM, "2", "to the member");
    assert_eq!(readers(&events, "2"), [ROMEO]);
    let changed = changes(&hub.devices[juliet.0].events[start..]);
    assert_eq!(
        changed,
        [(MERCUTIO.to_owned(), true), (MERCUTIO.to_owned(), false)]
    );
}

/// Lists that nobody keeps up to date for us are asked for again, so that who is gone gets no keys.
fn rule_35_lists_are_asked_for_again<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, [juliet, _, mercutio]) = cast(&mut stores, version);
    hub.say(juliet, ROOM, "1", "all three");
    hub.leave_room(mercutio, ROOM);
    hub.room(ROOM).announces_absent = false;
    hub.affiliate(ROOM, MERCUTIO, "outcast");
    hub.pass(601);
    let events = hub.say(juliet, ROOM, "2", "we two");
    assert_eq!(readers(&events, "2"), [ROMEO]);
}

over!(a_room_of_both_protocols_gets_both_stanzas,);
over_versions!(
    rule_35_offline_members_get_keys,
    rule_35_a09_a_removed_member_gets_no_keys,
    rule_35_a_change_while_a_message_waits_counts,
    rule_35_own_other_devices_read_it,
    quirk_33_a_room_reflects_what_we_wrote,
    a_room_archive_is_caught_up_with,
    members_of_a_room_are_answered,
    members_without_devices_are_named,
    alone_in_a_room_we_write_to_ourselves,
    rule_35_a_list_that_is_kept_secret_is_named,
    in_an_open_room_those_who_are_present_count,
    rule_35_lists_are_asked_for_again,
);
