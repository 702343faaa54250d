//! What comes twice is shown once; what was not acknowledged is shown until it is.

use omemo::{Event, Version};

use crate::over::Stores;
use crate::stage::*;

fn rule_27_a_duplicate_is_handed_out_with_its_id_until_acknowledged<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    hub.devices[juliet.0].acknowledges = false;
    hub.go_offline(juliet);
    hub.send(romeo, JULIET, "once", "once");
    let stanza = xml(&hub.mailbox(juliet).pop_back().unwrap());
    hub.go_online(juliet);
    hub.settle();
    let ids: Vec<_> = (0..3)
        .flat_map(|_| hub.deliver(juliet, &stanza))
        .map(|event| match event {
            Event::Message(message) => message.inbox_id,
            event => panic!("{event:?}"),
        })
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == ids[0]));
    // also by a new process
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    let account = hub.devices[juliet.0].account.as_mut().unwrap();
    let waiting = account.unacknowledged().unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(
        (waiting[0].inbox_id, waiting[0].body().unwrap()),
        (ids[0], "once".into())
    );
    account.acknowledge(&[ids[0]]).unwrap();
    assert!(account.unacknowledged().unwrap().is_empty());
    let again = hub.deliver(juliet, &stanza);
    let [Event::Duplicate { device, id, .. }] = &again[..] else {
        panic!("{again:?}");
    };
    assert_eq!(device.jid.as_str(), ROMEO);
    assert_eq!(id.as_deref(), Some("once"));
}

/// A15: a thousand replays.
fn a15_a_thousand_replays_are_quiet_and_change_nothing<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    hub.go_offline(juliet);
    for n in 0..4 {
        hub.send(romeo, JULIET, &format!("{n}"), &format!("{n}"));
    }
    let stanzas: Vec<_> = hub.mailbox(juliet).iter().map(|text| xml(text)).collect();
    hub.go_online(juliet);
    hub.settle();
    let before = hub.dump(juliet);
    let crossed = hub.wire.len();
    for stanza in stanzas.iter().cycle().take(1000) {
        let events = hub.deliver(juliet, stanza);
        assert!(is_repeated(&events), "{events:?}");
    }
    assert_eq!(hub.dump(juliet), before);
    assert_eq!(hub.wire.len(), crossed);
    // also across turns of the ratchet and a restart
    hub.send(juliet, ROMEO, "turn", "turn");
    hub.send(romeo, JULIET, "4", "4");
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    for stanza in &stanzas {
        assert!(is_repeated(&hub.deliver(juliet, stanza)));
    }
    assert_eq!(hub.bodies(juliet), ["0", "1", "2", "3", "4"]);
}

/// A replay under another account's name belongs to no session there.
fn a15_a_replay_under_another_name_reads_nothing<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    hub.strangers.push(MALLORY.into());
    hub.go_offline(juliet);
    hub.send(romeo, JULIET, "once", "once");
    let mut stanza = xml(&hub.mailbox(juliet).pop_back().unwrap());
    hub.go_online(juliet);
    hub.settle();
    omemo_tests::hub::set(&mut stanza, "from", format!("{MALLORY}/x"));
    let before = hub.dump(juliet);
    let events = hub.deliver(juliet, &stanza);
    assert!(read(&events).is_empty());
    assert_eq!(unread(&events).len(), 1);
    assert_eq!(hub.dump(juliet), before);
}

over_versions!(
    rule_27_a_duplicate_is_handed_out_with_its_id_until_acknowledged,
    a15_a_thousand_replays_are_quiet_and_change_nothing,
    a15_a_replay_under_another_name_reads_nothing,
);
