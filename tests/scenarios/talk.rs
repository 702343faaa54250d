//! Plain conversations: everything that is sent is read once, by everybody who should.

use omemo::{Event, Settings, Version};
use omemo_tests::hub::{Hub, speaks};

use crate::over::Stores;

const JULIET: &str = "juliet@capulet.example";
const ROMEO: &str = "romeo@montague.example";

fn first_message_each_way<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(juliet, ROMEO, "1", "Romeo, Romeo!");
    assert_eq!(hub.bodies(romeo), ["Romeo, Romeo!"]);
    hub.send(romeo, JULIET, "2", "Shall I hear more?");
    assert_eq!(hub.bodies(juliet), ["Shall I hear more?"]);
    for n in 3..20 {
        let (from, to) = if n % 3 == 0 {
            (juliet, ROMEO)
        } else {
            (romeo, JULIET)
        };
        hub.send(from, to, &n.to_string(), &format!("line {n}"));
    }
    assert_eq!(hub.bodies(juliet).len() + hub.bodies(romeo).len(), 19);
    assert!(
        hub.wire
            .iter()
            .all(|crossed| !crossed.text.contains("Romeo, Romeo"))
    );
}

fn each_device_is_served_in_its_best_protocol<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(2);
    let juliet = hub.join(JULIET, stores.make(), Settings::default());
    let own_old = hub.join(JULIET, stores.make(), speaks(&[Version::Legacy]));
    let both = hub.join(ROMEO, stores.make(), Settings::default());
    let new = hub.join(ROMEO, stores.make(), speaks(&[Version::Omemo2]));
    let old = hub.join(ROMEO, stores.make(), speaks(&[Version::Legacy]));
    let events = hub.send(juliet, ROMEO, "1", "to all of you");
    let Some(Event::Sealed {
        served, unserved, ..
    }) = events
        .iter()
        .find(|event| matches!(event, Event::Sealed { .. }))
    else {
        panic!("not sealed: {events:?}");
    };
    assert!(unserved.is_empty(), "{unserved:?}");
    assert_eq!(served.len(), 4, "{served:?}");
    for at in [both, new, old, own_old] {
        assert_eq!(hub.bodies(at), ["to all of you"], "{at:?}");
    }
    assert_eq!(hub.devices[both.0].messages[0].version, Version::Omemo2);
    assert_eq!(hub.devices[old.0].messages[0].version, Version::Legacy);
    let undecryptable = |event: &Event| matches!(event, Event::Undecryptable { .. });
    for device in &hub.devices {
        assert!(
            !device.events.iter().any(undecryptable),
            "{:?}",
            device.events
        );
    }
}

fn a_device_that_joins_late_reads_what_follows<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(3);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(juliet, ROMEO, "1", "before");
    let late = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(juliet, ROMEO, "2", "after");
    assert_eq!(hub.bodies(romeo), ["before", "after"]);
    assert_eq!(hub.bodies(late), ["after"]);
    hub.send(late, JULIET, "3", "from the new one");
    assert_eq!(hub.bodies(juliet), ["from the new one"]);
    assert_eq!(hub.bodies(romeo), ["before", "after", "from the new one"]);
    let message = hub.devices[romeo.0].messages.last().unwrap();
    assert_eq!(message.chat.to_string(), JULIET);
}

fn a_restart_forgets_nothing<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(4);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    for round in 0..6 {
        hub.send(juliet, ROMEO, &format!("j{round}"), &format!("j{round}"));
        let at = [juliet, romeo][round % 2];
        hub.restart(at, |old| stores.again(at.0, old));
        hub.send(romeo, JULIET, &format!("r{round}"), &format!("r{round}"));
    }
    assert_eq!(hub.bodies(romeo), ["j0", "j1", "j2", "j3", "j4", "j5"]);
    assert_eq!(hub.bodies(juliet), ["r0", "r1", "r2", "r3", "r4", "r5"]);
}

over!(each_device_is_served_in_its_best_protocol);
over_versions!(
    first_message_each_way,
    a_device_that_joins_late_reads_what_follows,
    a_restart_forgets_nothing,
);
