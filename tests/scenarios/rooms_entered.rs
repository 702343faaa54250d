//! Being in a room: until we are, and its members are known, nothing goes out (XEP-0384 §5.8).

use omemo::{BareJid, Event, UnsentReason, UnservedReason, Version};
use omemo_tests::hub::{Hub, speaks};

use crate::over::Stores;
use crate::rooms::{MERCUTIO, ROOM, cast, members, readers, refusals, sealed};
use crate::rooms_hostile::presence;
use crate::stage::*;

/// Rule 35, A09: what was sealed for somebody who is out by now does not go out any more.
fn rule_35_a09_a_sealed_message_is_held_back_from_a_removed_member<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, [juliet, romeo, mercutio]) = cast(&mut stores, version);
    hub.say(juliet, ROOM, "1", "first");
    hub.devices[juliet.0].confirms = false;
    hub.lets_pass = |stanza| stanza.name() != "message";
    hub.say(juliet, ROOM, "2", "lost on its way");
    hub.lets_pass = |_| true;
    hub.go_offline(juliet);
    hub.affiliate(ROOM, MERCUTIO, "outcast");
    hub.go_online(juliet);
    hub.settle();
    // online, but not in the room: nobody knows who belongs to it
    assert_eq!(hub.bodies(romeo), ["first"]);
    assert!(unsent(&hub.devices[juliet.0].events).is_empty());
    let events = hub.join_room(juliet, ROOM, "juliet");
    let gone = unsent(&events);
    assert!(
        matches!(&gone[..], [(id, UnsentReason::NoLongerAllowed(device), true)]
            if id == "2" && device.jid.as_str() == MERCUTIO),
        "{gone:?}"
    );
    assert_eq!(hub.bodies(romeo), ["first"]);
    assert_eq!(hub.bodies(mercutio), ["first"]);
}

/// A sealed message waits until we are in its room again, and goes out byte for byte.
fn a_sealed_message_waits_for_its_room<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, [juliet, romeo, _]) = cast(&mut stores, version);
    hub.say(juliet, ROOM, "1", "first");
    hub.devices[juliet.0].confirms = false;
    hub.lets_pass = |stanza| stanza.name() != "message";
    hub.say(juliet, ROOM, "2", "second");
    let lost = sealed(&hub, juliet).pop().unwrap();
    hub.lets_pass = |_| true;
    hub.go_offline(juliet);
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    assert_eq!(hub.bodies(romeo), ["first"]);
    let events = hub.join_room(juliet, ROOM, "juliet");
    assert!(unsent(&events).is_empty(), "{events:?}");
    // what a process that died has handed out is left to it for two minutes
    hub.pass(121);
    assert_eq!(hub.bodies(romeo), ["first", "second"]);
    assert_eq!(sealed(&hub, juliet).pop().unwrap(), lost);
}

/// Rule 35: a room that hides who its members are is refused, with that reason, until it does not.
fn rule_35_an_anonymous_room_is_refused<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(5);
    let [juliet, romeo] =
        [JULIET, ROMEO].map(|jid| hub.join(jid, stores.make(), speaks(&[version])));
    hub.open_room(ROOM, &[(JULIET, "owner"), (ROMEO, "member")]);
    hub.room(ROOM).shows_jids = false;
    hub.join_room(romeo, ROOM, "romeo");
    let events = hub.join_room(juliet, ROOM, "juliet");
    assert_eq!(refusals(&events), [UnservedReason::RoomAnonymous]);
    assert_eq!(members(&mut hub, juliet), None);
    let events = hub.say(juliet, ROOM, "1", "to nobody");
    assert!(is_refused(&events, "1"));
    let left_out = unserved(&events, "1");
    assert_eq!(left_out[0].reason, UnservedReason::RoomAnonymous);
    assert_eq!(left_out[0].jid.as_str(), ROOM);
    assert!(sealed(&hub, juliet).is_empty());
    hub.configure_room(ROOM, 172, |room| room.shows_jids = true);
    assert_eq!(members(&mut hub, juliet).unwrap(), [ROMEO]);
    let events = hub.say(juliet, ROOM, "2", "to him");
    assert_eq!(readers(&events, "2"), [ROMEO]);
    // and back again
    hub.configure_room(ROOM, 173, |room| room.shows_jids = false);
    let events = hub.say(juliet, ROOM, "3", "to nobody again");
    assert_eq!(
        unserved(&events, "3")[0].reason,
        UnservedReason::RoomAnonymous
    );
    assert_eq!(sealed(&hub, juliet).len(), 1);
}

/// Without a word from the app no room is written to; one that it joins is waited for.
fn messages_wait_for_the_room<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(9);
    let [juliet, romeo] =
        [JULIET, ROMEO].map(|jid| hub.join(jid, stores.make(), speaks(&[version])));
    hub.open_room(ROOM, &[(JULIET, "owner"), (ROMEO, "member")]);
    hub.join_room(romeo, ROOM, "romeo");
    let events = hub.say(juliet, ROOM, "1", "from outside");
    assert!(is_refused(&events, "1"));
    assert!(matches!(
        unserved(&events, "1")[0].reason,
        UnservedReason::NotInRoom(_)
    ));
    let entering = BareJid::parse(ROOM).unwrap();
    hub.call(juliet, move |account| account.enter(&entering));
    let events = hub.say(juliet, ROOM, "2", "on my way in");
    assert!(!is_refused(&events, "2"));
    hub.admit(juliet, ROOM, "juliet");
    hub.settle();
    assert_eq!(hub.bodies(romeo), ["on my way in"]);
    // a new stream: the app has to join again, what waits is not given up
    hub.go_offline(juliet);
    hub.go_online(juliet);
    hub.settle();
    assert_eq!(members(&mut hub, juliet), None);
    let events = hub.say(juliet, ROOM, "3", "in a moment");
    assert!(!is_refused(&events, "3"));
    hub.join_room(juliet, ROOM, "juliet");
    assert_eq!(hub.bodies(romeo), ["on my way in", "in a moment"]);
    // a resumed one: nothing is lost
    hub.resume(juliet);
    hub.settle();
    assert_eq!(members(&mut hub, juliet).unwrap(), [ROMEO]);
    // an app that never joins again: in the end it is refused
    hub.go_offline(juliet);
    hub.go_online(juliet);
    hub.settle();
    hub.say(juliet, ROOM, "4", "never");
    hub.pass(31);
    assert!(is_refused(&hub.devices[juliet.0].events, "4"));
}

/// A room that throws us out is left, and what waits for it is refused.
fn a_room_that_throws_us_out_is_left<S: Stores>(mut stores: S, version: Version) {
    for status in [301, 307, 321, 322, 332] {
        let (mut hub, [juliet, romeo, _]) = cast(&mut stores, version);
        hub.expel(romeo, ROOM, &[status]);
        hub.settle();
        let left =
            |event: &Event| matches!(event, Event::RoomLeft { room } if room.as_str() == ROOM);
        assert!(hub.devices[romeo.0].events.iter().any(left), "{status}");
        assert!(!hub.devices[juliet.0].events.iter().any(left));
        assert_eq!(members(&mut hub, romeo), None);
        let events = hub.say(romeo, ROOM, "1", "after the door has closed");
        assert!(is_refused(&events, "1"));
    }
    // and one that does not let us in
    let (mut hub, [juliet, _, _]) = cast(&mut stores, version);
    let other = BareJid::parse("vault@rooms.example").unwrap();
    let entering = other.clone();
    hub.call(juliet, move |account| account.enter(&entering));
    let refusal = format!(
        "<presence xmlns='jabber:client' from='{other}/juliet' type='error'><error type='auth'>\
         <registration-required xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    );
    let events = hub.deliver(juliet, &xml(&refusal));
    assert!(
        matches!(&refusals(&events)[..], [UnservedReason::NotInRoom(_)]),
        "{events:?}"
    );
    // the same about a nick, in a room that we are in, is the app's
    let refusal = refusal.replace(other.as_str(), ROOM);
    assert!(hub.deliver(juliet, &xml(&refusal)).is_empty());
    assert!(members(&mut hub, juliet).is_some());
}

/// A room says that it did not take a message; an occupant cannot say so in its name.
fn a_room_refuses_a_message<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, [juliet, _, _]) = cast(&mut stores, version);
    hub.devices[juliet.0].confirms = false;
    hub.say(juliet, ROOM, "1", "first");
    let bounced = |from: &str| {
        xml(&format!(
            "<message xmlns='jabber:client' from='{from}' type='error' id='1'><error type='modify'>\
             <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        ))
    };
    assert!(
        hub.deliver(juliet, &bounced(&format!("{ROOM}/mercutio")))
            .is_empty()
    );
    let events = hub.deliver(juliet, &bounced(ROOM));
    assert!(
        matches!(&unsent(&events)[..], [(_, UnsentReason::Bounced(_), _)]),
        "{events:?}"
    );
}

/// A room with more members than anybody can encrypt for is refused, and not kept.
fn a_room_that_is_too_large_is_refused<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(9);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[Version::Omemo2]));
    for (count, fits) in [(1_999, true), (2_000, false)] {
        hub.open_room(&format!("hall{count}@rooms.example"), &[(JULIET, "owner")]);
        let room = hub.rooms.last_mut().unwrap();
        room.affiliations
            .extend((0..count).map(|n| (format!("c{n}@a.example"), "member".to_owned())));
        let jid = room.jid.clone();
        let events = hub.join_room(juliet, &jid, "juliet");
        let ready = events.iter().find_map(|event| match event {
            Event::RoomReady { members, .. } => Some(members.len()),
            _ => None,
        });
        assert_eq!(ready, fits.then_some(count));
        assert_eq!(refusals(&events).is_empty(), fits);
    }
}

/// A room that floods us with occupants is not kept, and nothing is sent to it.
fn a16_a_flood_of_occupants_is_bounded<S: Stores>(mut stores: S) {
    let (mut hub, [juliet, ..]) = cast(&mut stores, Version::Omemo2);
    for n in 0..2_001 {
        let jid = format!("m{n}@elsewhere.example");
        let id = format!("<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{n}'/>");
        hub.deliver(juliet, &presence(&format!("m{n}"), Some(&jid), &id));
    }
    assert_eq!(members(&mut hub, juliet), None);
    let refused = |event: &Event| matches!(event, Event::RoomRefused { .. });
    assert_eq!(
        hub.devices[juliet.0]
            .events
            .iter()
            .filter(|event| refused(event))
            .count(),
        1
    );
    let events = hub.say(juliet, ROOM, "last", "to nobody");
    assert!(is_refused(&events, "last"));
}

over!(
    a_room_that_is_too_large_is_refused,
    a16_a_flood_of_occupants_is_bounded,
);
over_versions!(
    rule_35_a09_a_sealed_message_is_held_back_from_a_removed_member,
    a_sealed_message_waits_for_its_room,
    rule_35_an_anonymous_room_is_refused,
    messages_wait_for_the_room,
    a_room_that_throws_us_out_is_left,
    a_room_refuses_a_message,
);
