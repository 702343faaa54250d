//! Legacy messages without payload, which hand a key over.

use omemo::store::Store;
use omemo::{
    BareJid, Chat, Event, Message, Settings, TransportedKey, Trust, TrustPolicy, UnservedReason,
    Version,
};
use omemo_tests::hub::{At, Hub, speaks};

use crate::over::Stores;
use crate::puppet::Puppet;
use crate::stage::*;

fn transports(version: Version) -> Settings {
    let mut settings = speaks(&[version]);
    settings.key_transport = true;
    settings
}

fn chat() -> Chat {
    Chat::Direct(BareJid::parse(ROMEO).unwrap())
}

fn transport<S: Store + 'static>(hub: &mut Hub<S>, at: At, id: &str) -> Vec<Event> {
    let start = hub.devices[at.0].events.len();
    hub.call(at, |account| account.transport_key(id, chat()));
    hub.settle();
    hub.devices[at.0].events[start..].to_vec()
}

fn given(events: &[Event]) -> Vec<TransportedKey> {
    let keys = events.iter().filter_map(|event| match event {
        Event::KeySealed { key, .. } => Some(key.clone()),
        _ => None,
    });
    keys.collect()
}

fn shown(message: &Message) -> &TransportedKey {
    assert!(message.content.is_empty());
    assert_eq!(message.body(), None);
    message.transported.as_ref().unwrap()
}

/// Legacy rule 5: both ends have the same key, and nobody else; it is no text, and goes to whom a text would go.
fn legacy_05_a_key_is_handed_over<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), transports(Version::Legacy));
    let romeo = hub.join(ROMEO, stores.make(), transports(Version::Legacy));
    let events = transport(&mut hub, juliet, "key");
    assert_eq!(served(&events, "key").len(), 1);
    let keys = given(&events);
    assert_eq!(keys.len(), 1);
    assert_eq!((keys[0].key().len(), keys[0].iv().len()), (16, 12));
    let message = hub.devices[romeo.0].messages.last().unwrap();
    assert_eq!(message.id.as_deref(), Some("key"));
    assert_eq!(message.trust, Trust::Blind);
    assert!(*shown(message) == keys[0]);
    let crossed = hub.messages_of(juliet).into_iter().next().unwrap();
    assert!(!has_payload(&crossed));
    assert!(!crossed.has_child("body", "jabber:client"), "{crossed:?}");
    assert!(crossed.has_child("store", "urn:xmpp:hints"));
    // a second one is another, and the same id gives nothing twice
    let second = given(&transport(&mut hub, juliet, "second"));
    assert!(second[0].key() != keys[0].key());
    let again = transport(&mut hub, juliet, "second");
    assert!(matches!(again[..], [Event::Sealed { .. }]), "{again:?}");
    // no log tells it
    assert!(!format!("{:?}", keys[0]).contains(&format!("{}", keys[0].key()[0])));
}

/// It stands in the inbox like a message, until the app has it.
fn legacy_05_a_key_waits_for_its_acknowledgement<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), transports(Version::Legacy));
    hub.devices[juliet.0].acknowledges = false;
    let mut puppet = Puppet::new(Version::Legacy, ROMEO, 5);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    // quirk 9: some send the key alone, others the tag with it
    let short = puppet.seal(&[7; 16]);
    let long = puppet.seal(&[8; 32]);
    let cases = [
        (short, Some([1; 12].to_vec()), [7; 16], 12),
        (long, Some([2; 16].to_vec()), [8; 16], 16),
        (puppet.seal(&[9; 16]), None, [9; 16], 0),
        (puppet.seal(&[6; 16]), Some([3; 7].to_vec()), [6; 16], 0),
    ];
    for (bytes, iv, key, iv_bytes) in &cases {
        let stanza = puppet.stanza(bytes, iv.as_deref(), None);
        for _ in 0..2 {
            let events = hub.deliver(juliet, &stanza);
            let Some(Event::Message(message)) = events.last() else {
                panic!("{events:?}");
            };
            assert_eq!(shown(message).key(), key);
            assert_eq!(shown(message).iv().len(), *iv_bytes);
        }
    }
    let bad = puppet.seal(&[5; 24]);
    let bad = puppet.stanza(&bad, Some(&[1; 12]), None);
    let before = hub.dump(juliet);
    assert!(hub.deliver(juliet, &bad).is_empty());
    assert_eq!(hub.dump(juliet), before);
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    let account = hub.devices[juliet.0].account.as_mut().unwrap();
    let waiting = account.unacknowledged().unwrap();
    assert_eq!(waiting.len(), cases.len());
    for (message, (_, _, key, _)) in waiting.iter().zip(&cases) {
        assert_eq!(shown(message).key(), key);
    }
    let ids: Vec<_> = waiting.iter().map(|message| message.inbox_id).collect();
    account.acknowledge(&ids).unwrap();
    assert!(account.unacknowledged().unwrap().is_empty());
}

/// Who did not ask for keys is not shown the automatic answers that look like them; omemo:2 has none.
fn legacy_05_nobody_is_shown_a_key_unasked<S: Stores>(mut stores: S, version: Version) {
    let asked = version == Version::Omemo2;
    let mut settings = speaks(&[version]);
    settings.key_transport = asked;
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), settings);
    let mut puppet = Puppet::new(version, ROMEO, 5);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    let stanza = puppet.empty();
    let events = hub.deliver(juliet, &stanza);
    let shows = |event: &Event| matches!(event, Event::Message(_));
    assert!(!events.iter().any(shows), "{events:?}");
    assert!(hub.deliver(juliet, &stanza).is_empty());
    assert!(hub.devices[juliet.0].messages.is_empty());
}

/// A key is content: whom a text is not encrypted to gets no key either, and then nobody has it.
fn rule_36_a_key_goes_to_no_device_that_is_not_trusted<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let mut settings = transports(Version::Legacy);
    settings.trust = TrustPolicy::Manual;
    let juliet = hub.join(JULIET, stores.make(), settings);
    let romeo = hub.join(ROMEO, stores.make(), transports(Version::Legacy));
    let events = transport(&mut hub, juliet, "key");
    assert!(is_refused(&events, "key"), "{events:?}");
    let left = unserved(&events, "key");
    assert!(matches!(left[0].reason, UnservedReason::Undecided(_)));
    assert!(given(&events).is_empty());
    assert!(hub.messages_of(juliet).is_empty());
    assert!(hub.devices[romeo.0].messages.is_empty());
}

/// In omemo:2 there is no such thing.
fn a_key_cannot_be_handed_over_in_omemo2<S: Stores>(mut stores: S) {
    let (mut hub, juliet, _) = friends(&mut stores, Version::Omemo2);
    let crossed = hub.messages_of(juliet).len();
    let events = transport(&mut hub, juliet, "key");
    assert!(is_refused(&events, "key"), "{events:?}");
    assert_eq!(
        unserved(&events, "key")[0].reason,
        UnservedReason::ContentNotCarried
    );
    assert!(given(&events).is_empty());
    assert_eq!(hub.messages_of(juliet).len(), crossed);
}

over!(
    legacy_05_a_key_is_handed_over,
    legacy_05_a_key_waits_for_its_acknowledgement,
    rule_36_a_key_goes_to_no_device_that_is_not_trusted,
    a_key_cannot_be_handed_over_in_omemo2,
);
over_versions!(legacy_05_nobody_is_shown_a_key_unasked);
