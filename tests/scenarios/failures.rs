//! The store fails at the worst moment: the call fails, nothing of it has happened, and trying again is enough.

use omemo::store::Store;
use omemo::{Error, Event, Outgoing, Version};
use omemo_tests::hub::{At, Hub};
use omemo_tests::wire::Ledger;

use crate::over::Stores;
use crate::stage::*;

/// Calls with a store that fails at the commit.
fn failing<S: Store + 'static>(
    hub: &mut Hub<S>,
    at: At,
    call: impl FnOnce(&mut omemo::Account<omemo_tests::hub::Watched<S>>) -> Result<omemo::Output, Error>,
) {
    let before = hub.dump(at);
    hub.fail_next_commit(at);
    let result = call(hub.devices[at.0].account.as_mut().unwrap());
    assert!(matches!(result, Err(Error::Store(_))), "{result:?}");
    assert_eq!(hub.dump(at), before);
}

fn a_failed_commit_of_a_send_changes_nothing<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let chat = omemo::Chat::Direct(omemo::BareJid::parse(ROMEO).unwrap());
    let outgoing = Outgoing::text("1", chat, "once more");
    let first = outgoing.clone();
    failing(&mut hub, juliet, |account| account.send(first));
    hub.call(juliet, |account| account.send(outgoing));
    hub.settle();
    assert_eq!(hub.bodies(romeo), ["hello", "once more"]);
    check_wire(&hub);
}

fn a_failed_commit_of_a_message_loses_nothing<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    hub.go_offline(romeo);
    for n in 0..3 {
        hub.send(juliet, ROMEO, &n.to_string(), &n.to_string());
    }
    let stanzas: Vec<_> = hub
        .mailbox(romeo)
        .drain(..)
        .map(|text| xml(&text))
        .collect();
    hub.go_online(romeo);
    hub.settle();
    for (n, stanza) in stanzas.iter().enumerate() {
        failing(&mut hub, romeo, |account| account.receive(stanza));
        assert_eq!(read(&hub.deliver(romeo, stanza)), [n.to_string()]);
    }
    hub.send(romeo, JULIET, "r", "r");
    assert_eq!(hub.bodies(juliet), ["r"]);
    check_wire(&hub);
}

/// The id that was drawn in a call that failed was never ours.
fn a_failed_commit_leaves_the_handle_as_it_was<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let juliet = hub.add(JULIET, stores.make(), omemo_tests::hub::speaks(&[version]));
    let id = hub.id(juliet);
    let mut other = crate::puppet::Puppet::new(version, JULIET, id);
    other.enlist(&mut hub);
    hub.go_online(juliet);
    // the answer that shows whose id it is
    let mut tries = 0;
    loop {
        tries += 1;
        let text = hub.mailbox(juliet).front().unwrap().clone();
        let decides = text.contains("<bundle");
        if decides {
            let stanza = xml(&text);
            failing(&mut hub, juliet, |account| account.receive(&stanza));
            assert_eq!(hub.id(juliet), id, "the handle and the store disagree");
            break;
        }
        hub.deliver_one(juliet);
        assert!(tries < 50);
    }
    hub.settle();
    assert_ne!(hub.id(juliet), id);
    let published = |event: &Event| matches!(event, Event::Published { .. });
    assert!(hub.devices[juliet.0].events.iter().any(published));
}

fn check_wire<S: Store + 'static>(hub: &Hub<S>) {
    let mut ledger = Ledger::default();
    for crossed in &hub.wire {
        let jid = hub.devices[crossed.from.0].jid.as_str();
        ledger.enter(&xml(&crossed.text), jid).unwrap();
    }
}

over_versions!(
    a_failed_commit_of_a_send_changes_nothing,
    a_failed_commit_of_a_message_loses_nothing,
    a_failed_commit_leaves_the_handle_as_it_was,
);
