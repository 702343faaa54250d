//! Rooms, servers and occupants that mean ill: a message belongs to the real account that the room vouches for, and to
//! the room that it was written to, or to nobody.

use minidom::Element;
use omemo::{Event, UndecryptableReason, Version};
use omemo_tests::hub::{At, Hub, set, speaks};

use crate::over::Stores;
use crate::puppet::{Puppet, envelope};
use crate::rooms::{MERCUTIO, ROOM, cast, members, readers};
use crate::stage::*;

const USER: &str = "http://jabber.org/protocol/muc#user";

/// What romeo wrote to the room and juliet has not seen, as it left his device.
fn fresh<S: Stores>(stores: &mut S, version: Version) -> (Hub<S::Store>, [At; 3], Element) {
    let (mut hub, all) = cast(stores, version);
    hub.strangers.push(MALLORY.into());
    let [juliet, romeo, mercutio] = all;
    hub.say(juliet, ROOM, "hello", "hello");
    hub.say(romeo, ROOM, "hi", "hi");
    hub.say(mercutio, ROOM, "ho", "ho");
    hub.say_quietly(romeo, ROOM, "target", "target");
    let waiting = hub.mailbox(juliet);
    let at = waiting
        .iter()
        .position(|text| text.contains("groupchat"))
        .unwrap();
    let stanza = xml(&waiting.remove(at).unwrap());
    hub.settle();
    (hub, all, stanza)
}

/// A puppet's message as a room hands it on.
fn in_room(mut message: Element, nick: &str) -> Element {
    set(&mut message, "type", "groupchat");
    set(&mut message, "from", format!("{ROOM}/{nick}"));
    message
}

fn said(puppet: &mut Puppet, version: Version, to: Option<&str>, body: &str) -> Element {
    let plaintext = match version {
        Version::Omemo2 => envelope(Some(&puppet.jid.clone()), to, body),
        Version::Legacy => body.into(),
    };
    puppet.say(plaintext.as_bytes())
}

pub fn presence(nick: &str, jid: Option<&str>, extra: &str) -> Element {
    let jid = jid.map_or(String::new(), |jid| format!(" jid='{jid}/x'"));
    xml(&format!(
        "<presence xmlns='jabber:client' from='{ROOM}/{nick}'><x xmlns='{USER}'>\
         <item affiliation='member' role='participant'{jid}/></x>{extra}</presence>"
    ))
}

fn gone(nick: &str) -> Element {
    let mut presence = presence(nick, None, "");
    set(&mut presence, "type", "unavailable");
    presence
}

fn archived(from: &str, message: &Element, real: Option<&str>) -> Element {
    let mut message = message.clone();
    if let Some(real) = real {
        message.append_child(xml(&format!(
            "<x xmlns='{USER}'><item affiliation='member' jid='{real}'/></x>"
        )));
    }
    xml(&format!(
        "<message xmlns='jabber:client' from='{from}'><result xmlns='urn:xmpp:mam:2' id='1'>\
         <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2027-01-15T08:00:00Z'/>{}\
         </forwarded></result></message>",
        String::from(&message)
    ))
}

fn history(message: &Element) -> Element {
    let mut message = message.clone();
    message.append_child(xml(&format!(
        "<delay xmlns='urn:xmpp:delay' from='{ROOM}' stamp='2027-01-15T08:00:00Z'/>"
    )));
    message
}

fn is_unknown(events: &[Event]) -> bool {
    unread(events) == [UndecryptableReason::SenderUnknown]
}

/// A11, quirk 12: two occupants whose devices have one id; each is who the room says, under whatever nick.
fn a11_quirk_12_two_occupants_with_one_device_id<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, [juliet, romeo, _], target) = fresh(&mut stores, version);
    let mut mallory = Puppet::new(version, MALLORY, hub.id(romeo));
    mallory.meet(&hub, JULIET, hub.id(juliet));
    hub.deliver(juliet, &presence("mallory", Some(MALLORY), ""));
    // under his own nick mallory is mallory
    let text = said(&mut mallory, version, Some(ROOM), "I am mallory");
    assert_eq!(
        read(&hub.deliver(juliet, &in_room(text, "mallory"))),
        ["I am mallory"]
    );
    let shown = hub.devices[juliet.0].messages.last().unwrap().from.clone();
    assert_eq!(shown.jid.as_str(), MALLORY);
    assert_eq!(shown.device.get(), hub.id(romeo));
    // the room's word counts: under another's nick it does not open, and changes nothing
    let before = hub.dump(juliet);
    let forged = said(&mut mallory, version, Some(ROOM), "I am romeo");
    for nick in ["romeo", "mercutio", "juliet", "nobody"] {
        let events = hub.deliver(juliet, &in_room(forged.clone(), nick));
        assert!(read(&events).is_empty(), "{nick}");
        assert_eq!(hub.dump(juliet), before, "{nick}");
    }
    for nick in ["mallory", "mercutio", "nobody"] {
        let events = hub.deliver(juliet, &in_room(target.clone(), nick));
        assert!(read(&events).is_empty(), "{nick}");
        assert_eq!(hub.dump(juliet), before, "{nick}");
    }
    assert_eq!(read(&hub.deliver(juliet, &target)), ["target"]);
    let shown = &hub.devices[juliet.0].messages.last().unwrap().from;
    assert_eq!(shown.jid.as_str(), ROMEO);
}

/// A11: nicks are swapped; the messages stay with the accounts.
fn a11_nicks_are_swapped<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, [juliet, romeo, mercutio], _) = fresh(&mut stores, version);
    hub.rename(ROOM, romeo, "between");
    hub.rename(ROOM, mercutio, "romeo");
    hub.rename(ROOM, romeo, "mercutio");
    hub.settle();
    hub.say(romeo, ROOM, "r", "by romeo");
    hub.say(mercutio, ROOM, "m", "by mercutio");
    let last: Vec<_> = hub.devices[juliet.0]
        .messages
        .iter()
        .rev()
        .take(2)
        .collect();
    assert_eq!(
        (last[1].body().unwrap().as_str(), last[1].from.jid.as_str()),
        ("by romeo", ROMEO)
    );
    assert_eq!(
        (last[0].body().unwrap().as_str(), last[0].from.jid.as_str()),
        ("by mercutio", MERCUTIO)
    );
    // our own, too: what comes under our old nick is not ours
    hub.rename(ROOM, juliet, "capulet");
    hub.rename(ROOM, mercutio, "juliet");
    hub.settle();
    hub.say(mercutio, ROOM, "m2", "not by juliet");
    let last = hub.devices[juliet.0].messages.last().unwrap();
    assert_eq!(last.from.jid.as_str(), MERCUTIO);
    let events = hub.say(juliet, ROOM, "j", "by juliet");
    assert_eq!(readers(&events, "j"), [MERCUTIO, ROMEO]);
    assert!(unread(&events).is_empty());
}

/// A11, quirk 13: a room that hides who is behind a nick; whoever has a session with that device id did not write it.
fn a11_quirk_13_in_a_semi_anonymous_room_nobody_wrote_it<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, [juliet, ..], target) = fresh(&mut stores, version);
    hub.deliver(juliet, &gone("romeo"));
    let before = hub.dump(juliet);
    // gone from the room, there without a JID, or with two
    assert!(is_unknown(&hub.deliver(juliet, &target)));
    hub.deliver(juliet, &presence("romeo", None, ""));
    assert!(is_unknown(&hub.deliver(juliet, &target)));
    let twice = format!("<x xmlns='{USER}'><item affiliation='owner' jid='{ROMEO}'/></x>");
    hub.deliver(juliet, &presence("romeo", Some(MALLORY), &twice));
    assert!(is_unknown(&hub.deliver(juliet, &target)));
    assert_eq!(hub.dump(juliet), before);
    hub.deliver(juliet, &presence("romeo", Some(ROMEO), ""));
    assert_eq!(read(&hub.deliver(juliet, &target)), ["target"]);
}

/// Quirk 13: who had a nick when an old message was written is not who has it now.
fn quirk_13_the_nick_of_an_old_message_says_nothing<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, [juliet, ..], target) = fresh(&mut stores, version);
    let before = hub.dump(juliet);
    let old = [history(&target), archived(ROOM, &target, None)];
    for old in &old {
        assert!(is_unknown(&hub.deliver(juliet, old)));
    }
    assert_eq!(hub.dump(juliet), before);
    assert_eq!(
        read(&hub.deliver(juliet, &archived(ROOM, &target, Some(ROMEO)))),
        ["target"]
    );
    let message = hub.devices[juliet.0].messages.last().unwrap();
    assert_eq!(message.chat.to_string(), ROOM);
    assert!(message.delay.is_some());
}

/// Quirk 13: occupants' ids name the writer of an old message, where the room writes them and they do not contradict.
fn quirk_13_occupants_ids_name_the_writer<S: Stores>(mut stores: S, version: Version) {
    for writes_ids in [true, false] {
        let mut hub = Hub::new(4);
        let [juliet, romeo] =
            [JULIET, ROMEO].map(|jid| hub.join(jid, stores.make(), speaks(&[version])));
        hub.open_room(
            ROOM,
            &[(JULIET, "owner"), (ROMEO, "member"), (MERCUTIO, "member")],
        );
        hub.room(ROOM).writes_ids = writes_ids;
        hub.room(ROOM).history = 10;
        hub.room(ROOM).archive_names = false;
        hub.join_room(romeo, ROOM, "romeo");
        hub.say(romeo, ROOM, "1", "first");
        hub.rename(ROOM, romeo, "montague");
        let events = hub.join_room(juliet, ROOM, "juliet");
        if !writes_ids {
            assert!(is_unknown(&events));
            // one that its writer has put in is not the room's
            let mut forged = hub.room_archive(ROOM).pop().unwrap();
            let id = "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='mine'/>";
            hub.deliver(juliet, &presence("montague", Some(ROMEO), id));
            let text = String::from(&forged).replace("</encrypted>", &format!("</encrypted>{id}"));
            forged = xml(&text);
            assert!(is_unknown(&hub.deliver(juliet, &forged)));
            continue;
        }
        assert_eq!(read(&events), ["first"]);
        assert_eq!(hub.devices[juliet.0].messages[0].from.jid.as_str(), ROMEO);
        // an id that two accounts have shown names nobody
        hub.say_quietly(romeo, ROOM, "2", "second");
        let live = xml(&hub.mailbox(juliet).pop_front().unwrap());
        let id = String::from(
            live.get_child("occupant-id", "urn:xmpp:occupant-id:0")
                .unwrap(),
        );
        hub.deliver(juliet, &presence("mercutio", Some(MERCUTIO), &id));
        let before = hub.dump(juliet);
        assert!(is_unknown(&hub.deliver(juliet, &history(&live))));
        assert!(is_unknown(&hub.deliver(juliet, &live)));
        assert_eq!(hub.dump(juliet), before);
    }
}

/// A10: the archive of a room counts from that room alone, and only for what was written in it.
fn a10_room_archives_count_from_their_room_alone<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, [juliet, ..], target) = fresh(&mut stores, version);
    // another room that we are in does not speak for this one
    let vault = "vault@rooms.example";
    hub.open_room(vault, &[(JULIET, "owner"), (ROMEO, "member")]);
    hub.join_room(juliet, vault, "juliet");
    let before = hub.dump(juliet);
    for from in [
        vault,
        MALLORY,
        "rooms.example",
        "other@rooms.example",
        &format!("{ROOM}/mercutio"),
        &format!("{ROOM}/romeo"),
    ] {
        let events = hub.deliver(juliet, &archived(from, &target, Some(ROMEO)));
        assert!(read(&events).is_empty(), "{from}");
        assert_eq!(hub.dump(juliet), before, "{from}");
    }
    for inside in [
        ROOM,
        ROMEO,
        "romeo@montague.example/1",
        "other@rooms.example/romeo",
        JULIET,
    ] {
        let mut moved = target.clone();
        set(&mut moved, "from", inside);
        for kind in ["groupchat", "chat", "normal"] {
            set(&mut moved, "type", kind);
            let events = hub.deliver(juliet, &archived(ROOM, &moved, Some(ROMEO)));
            assert!(read(&events).is_empty(), "{inside}");
            assert_eq!(hub.dump(juliet), before, "{inside}");
        }
    }
    // carbons are our own account's, and a room sends none
    let text = String::from(&archived(ROOM, &target, Some(ROMEO)));
    let carbon = text
        .replace(
            "<result xmlns='urn:xmpp:mam:2' id='1'>",
            "<received xmlns='urn:xmpp:carbons:2'>",
        )
        .replace(
            "<result id='1' xmlns='urn:xmpp:mam:2'>",
            "<received xmlns='urn:xmpp:carbons:2'>",
        )
        .replace(
            "<result xmlns=\"urn:xmpp:mam:2\" id=\"1\">",
            "<received xmlns='urn:xmpp:carbons:2'>",
        )
        .replace(
            "<result id=\"1\" xmlns=\"urn:xmpp:mam:2\">",
            "<received xmlns='urn:xmpp:carbons:2'>",
        )
        .replace("</result>", "</received>");
    assert!(carbon.contains("<received"));
    assert!(read(&hub.deliver(juliet, &xml(&carbon))).is_empty());
    // the writer's own mark, beside that of the room, or in our own archive
    let mark = format!("<x xmlns='{USER}'><item affiliation='owner' jid='{MALLORY}'/></x>");
    let mut marked = target.clone();
    marked.append_child(xml(&mark));
    assert!(read(&hub.deliver(juliet, &archived(ROOM, &marked, Some(ROMEO)))).is_empty());
    let mut marked = target.clone();
    marked.append_child(xml(&mark.replace(MALLORY, ROMEO)));
    assert!(is_unknown(
        &hub.deliver(juliet, &archived(JULIET, &marked, None))
    ));
    assert!(is_unknown(&hub.deliver(juliet, &history(&marked))));
    assert_eq!(hub.dump(juliet), before);
    assert_eq!(
        read(&hub.deliver(juliet, &archived(ROOM, &target, Some(ROMEO)))),
        ["target"]
    );
    // of a room that we have left nothing is believed any more
    hub.leave_room(juliet, ROOM);
    let before = hub.dump(juliet);
    assert!(read(&hub.deliver(juliet, &archived(ROOM, &target, Some(ROMEO)))).is_empty());
    assert!(is_unknown(&hub.deliver(juliet, &target)));
    assert_eq!(hub.dump(juliet), before);
}

/// A07, rule 20: a message from a room, moved into a chat or another room, and the reverse.
fn a07_rule_20_messages_stay_in_their_room<S: Stores>(mut stores: S) {
    let version = Version::Omemo2;
    let (mut hub, [juliet, romeo, _], target) = fresh(&mut stores, version);
    let refused = |events: &[Event]| {
        let reasons = unread(events);
        assert!(
            matches!(reasons[..], [UndecryptableReason::EnvelopeRefused(_)]),
            "{reasons:?}"
        );
    };
    let before = hub.dump(juliet);
    let mut chat = target.clone();
    set(&mut chat, "type", "chat");
    set(&mut chat, "from", "romeo@montague.example/1");
    set(&mut chat, "to", JULIET);
    refused(&hub.deliver(juliet, &chat));
    // into another room that both are in
    let other = "vault@rooms.example";
    hub.open_room(other, &[(JULIET, "owner"), (ROMEO, "member")]);
    hub.join_room(romeo, other, "romeo");
    hub.join_room(juliet, other, "juliet");
    let mut moved = target.clone();
    set(&mut moved, "from", format!("{other}/romeo"));
    refused(&hub.deliver(juliet, &moved));
    assert_eq!(hub.dump(juliet), before);
    assert_eq!(read(&hub.deliver(juliet, &target)), ["target"]);
    // and what was said in private into the room
    hub.write(romeo, JULIET, "private", "for you alone");
    hub.settle();
    let position = hub
        .bodies(juliet)
        .iter()
        .position(|body| body == "for you alone");
    assert!(position.is_some());
    hub.go_offline(juliet);
    hub.send(romeo, JULIET, "private2", "for you alone again");
    let private = xml(&hub.mailbox(juliet).pop_back().unwrap());
    hub.go_online(juliet);
    hub.settle();
    hub.join_room(juliet, ROOM, "juliet");
    let before = hub.dump(juliet);
    refused(&hub.deliver(juliet, &in_room(private.clone(), "romeo")));
    assert_eq!(hub.dump(juliet), before);
    assert_eq!(
        read(&hub.deliver(juliet, &private)),
        ["for you alone again"]
    );
}

/// Rule 20: in a room the envelope has to say which one, and who wrote it if it says that.
fn rule_20_in_a_room_the_envelope_names_it<S: Stores>(mut stores: S) {
    let version = Version::Omemo2;
    let (mut hub, [juliet, ..], _) = fresh(&mut stores, version);
    let mut mallory = Puppet::new(version, MALLORY, 77);
    mallory.meet(&hub, JULIET, hub.id(juliet));
    hub.deliver(juliet, &presence("mallory", Some(MALLORY), ""));
    let text = said(&mut mallory, version, Some(ROOM), "hello");
    assert_eq!(
        read(&hub.deliver(juliet, &in_room(text, "mallory"))),
        ["hello"]
    );
    let before = hub.dump(juliet);
    for (from, to) in [
        (Some(MALLORY), None),
        (Some(MALLORY), Some(JULIET)),
        (Some(MALLORY), Some("other@rooms.example")),
        (Some(ROMEO), Some(ROOM)),
        (Some(ROOM), Some(ROOM)),
        (None, None),
    ] {
        let text = mallory.say(envelope(from, to, "forged").as_bytes());
        let reasons = unread(&hub.deliver(juliet, &in_room(text, "mallory")));
        assert!(
            matches!(reasons[..], [UndecryptableReason::EnvelopeRefused(_)]),
            "{from:?} {to:?} {reasons:?}"
        );
        assert_eq!(hub.dump(juliet), before);
    }
}

/// A09, A11: only the room itself says who belongs to it.
fn a09_a11_only_the_room_says_who_belongs_to_it<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, [juliet, ..], _) = fresh(&mut stores, version);
    let expected = members(&mut hub, juliet);
    let item = format!("<item affiliation='owner' jid='{MALLORY}'/>");
    let user = format!("<x xmlns='{USER}'>{item}</x>");
    let lists = ["member", "admin", "owner"].map(|affiliation| {
        format!(
            "<query xmlns='http://jabber.org/protocol/muc#admin'>\
             <item affiliation='{affiliation}' jid='{MALLORY}'/></query>"
        )
    });
    let mut stanzas = Vec::new();
    for from in [
        format!("{ROOM}/mercutio"),
        MALLORY.to_owned(),
        "other@rooms.example".to_owned(),
        "rooms.example".to_owned(),
    ] {
        for kind in ["normal", "groupchat", "chat"] {
            stanzas.push(format!(
                "<message xmlns='jabber:client' from='{from}' type='{kind}'>{user}</message>"
            ));
        }
        for list in &lists {
            stanzas.push(format!(
                "<iq xmlns='jabber:client' from='{from}' type='result' id='guess'>{list}</iq>"
            ));
        }
    }
    for from in [MALLORY, "other@rooms.example/nick", ROOM] {
        stanzas.push(format!(
            "<presence xmlns='jabber:client' from='{from}'>{user}</presence>"
        ));
    }
    // an invitation carries what its sender wrote
    stanzas.push(format!(
        "<message xmlns='jabber:client' from='{ROOM}'><x xmlns='{USER}'><invite from='{MALLORY}'/>{item}</x></message>"
    ));
    // two marks, one of them an occupant's own
    stanzas.push(format!(
        "<message xmlns='jabber:client' from='{ROOM}'>{user}<x xmlns='{USER}'/></message>"
    ));
    stanzas.push(String::from(&presence("mercutio", Some(MERCUTIO), &user)));
    for stanza in stanzas {
        hub.deliver(juliet, &xml(&stanza));
        assert_eq!(members(&mut hub, juliet), expected, "{stanza}");
    }
    // and the room itself
    let notice = format!("<message xmlns='jabber:client' from='{ROOM}'>{user}</message>");
    let events = hub.deliver(juliet, &xml(&notice));
    assert!(
        matches!(&events[..], [Event::MemberChanged { member: true, .. }]),
        "{events:?}"
    );
}

/// A10: what an occupant writes in private is nobody's: neither the account's nor the room's.
fn a10_private_messages_of_occupants_are_nobodys<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, [juliet, romeo, _], _) = fresh(&mut stores, version);
    let mut mallory = Puppet::new(version, ROOM, hub.id(romeo));
    mallory.meet(&hub, JULIET, hub.id(juliet));
    let before = hub.dump(juliet);
    for kind in ["chat", "normal"] {
        let mut private = said(&mut mallory, version, Some(JULIET), "psst");
        set(&mut private, "from", format!("{ROOM}/romeo"));
        set(&mut private, "type", kind);
        assert!(is_unknown(&hub.deliver(juliet, &private)), "{kind}");
        private.append_child(xml(&format!("<x xmlns='{USER}'/>")));
        assert!(is_unknown(&hub.deliver(juliet, &private)), "{kind}");
    }
    assert_eq!(hub.dump(juliet), before);
}

over!(
    a07_rule_20_messages_stay_in_their_room,
    rule_20_in_a_room_the_envelope_names_it,
);
over_versions!(
    a11_quirk_12_two_occupants_with_one_device_id,
    a11_nicks_are_swapped,
    a11_quirk_13_in_a_semi_anonymous_room_nobody_wrote_it,
    quirk_13_the_nick_of_an_old_message_says_nothing,
    quirk_13_occupants_ids_name_the_writer,
    a10_room_archives_count_from_their_room_alone,
    a09_a11_only_the_room_says_who_belongs_to_it,
    a10_private_messages_of_occupants_are_nobodys,
);
