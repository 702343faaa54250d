//! Labels: signed, short, and believed only once the key is known (XEP-0384 §5.3.1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use omemo::store::{MemoryStore, Store};
use omemo::{Account, BareJid, Device, Version};
use omemo_tests::hub::{At, Hub, speaks};

use crate::over::Stores;
use crate::puppet::Puppet;
use crate::stage::*;

fn labelled(label: &str) -> omemo::Settings {
    let mut settings = speaks(&[Version::Omemo2]);
    settings.label = Some(label.into());
    settings
}

fn devices<S: Store + 'static>(hub: &mut Hub<S>, at: At, jid: &str) -> Vec<Device> {
    let jid = BareJid::parse(jid).unwrap();
    hub.devices[at.0]
        .account
        .as_mut()
        .unwrap()
        .devices(&jid)
        .unwrap()
}

fn rule_07_a_label_shows_once_the_key_is_known<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[Version::Omemo2]));
    hub.join(ROMEO, stores.make(), labelled("Romeo's phone é"));
    let before = devices(&mut hub, juliet, ROMEO);
    assert!(
        before.iter().all(|device| device.label.is_none()),
        "{before:?}"
    );
    hub.send(juliet, ROMEO, "1", "hello");
    let after = devices(&mut hub, juliet, ROMEO);
    assert_eq!(after[0].label.as_deref(), Some("Romeo's phone é"));
    let own = hub.items(ROMEO, "urn:xmpp:omemo:2:devices").remove(0).1;
    let entry = own.children().next().unwrap();
    assert_eq!(entry.attr("label"), Some("Romeo's phone é"));
    assert_eq!(
        BASE64
            .decode(entry.attr("labelsig").unwrap())
            .unwrap()
            .len(),
        64
    );
}

fn rule_07_a_label_without_a_good_signature_stays_hidden<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[Version::Omemo2]));
    hub.join(ROMEO, stores.make(), labelled("Romeo's phone"));
    let list = String::from(&hub.items(ROMEO, "urn:xmpp:omemo:2:devices").remove(0).1);
    hub.send(juliet, ROMEO, "1", "hello");
    let start = list.find("labelsig=").unwrap() + 12;
    let flipped = if list.as_bytes()[start] == b'A' {
        "B"
    } else {
        "A"
    };
    let end = start + list[start..].find(['\'', '"']).unwrap();
    let bad = [
        format!("{}{flipped}{}", &list[..start], &list[start + 1..]),
        list.replace("Romeo's phone", "Romeo's laptop"),
        list.replace("Romeo&apos;s phone", "Romeo&apos;s laptop"),
        format!("{}{}", &list[..start], &list[end..]),
        list.replace("labelsig", "other"),
    ];
    for text in bad.iter().filter(|text| **text != list) {
        hub.plant(ROMEO, "urn:xmpp:omemo:2:devices", "current", xml(text));
        while !hub.mailbox(juliet).is_empty() {
            hub.deliver_one(juliet);
        }
        let devices = devices(&mut hub, juliet, ROMEO);
        assert!(
            devices.iter().all(|device| device.label.is_none()),
            "{text}: {devices:?}"
        );
    }
    hub.plant(ROMEO, "urn:xmpp:omemo:2:devices", "current", xml(&list));
    hub.settle();
    assert!(devices(&mut hub, juliet, ROMEO)[0].label.is_some());
}

/// A signed prekey is 32 bytes: its signature must not pass for a label, nor a label's for a prekey's.
fn rule_07_a_text_of_32_bytes_is_never_a_label<S: Stores>(mut stores: S) {
    for length in [0, 32, 53] {
        let mut hub = Hub::<MemoryStore>::new(1);
        let settings = labelled(&"x".repeat(length));
        let jid = BareJid::parse(JULIET).unwrap();
        assert!(
            Account::open(MemoryStore::new(), jid, settings, hub.environment()).is_err(),
            "{length}"
        );
    }
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[Version::Omemo2]));
    let mut puppet = Puppet::new(Version::Omemo2, ROMEO, 5);
    puppet.publish(&mut hub);
    let label = "exactly thirty-two bytes of text";
    assert_eq!(label.len(), 32);
    let signature = BASE64.encode(puppet.sign(label.as_bytes()));
    let list = format!(
        "<devices xmlns='urn:xmpp:omemo:2'><device id='5' label='{label}' labelsig='{signature}'/></devices>"
    );
    hub.plant(ROMEO, "urn:xmpp:omemo:2:devices", "current", xml(&list));
    hub.settle();
    hub.send(juliet, ROMEO, "1", "hello");
    let shown = devices(&mut hub, juliet, ROMEO);
    assert!(shown[0].fingerprint.is_some());
    assert_eq!(shown[0].label, None);
    let signature = BASE64.encode(puppet.sign(b"shorter"));
    let list = format!(
        "<devices xmlns='urn:xmpp:omemo:2'><device id='5' label='shorter' labelsig='{signature}'/></devices>"
    );
    hub.plant(ROMEO, "urn:xmpp:omemo:2:devices", "current", xml(&list));
    hub.settle();
    assert_eq!(
        devices(&mut hub, juliet, ROMEO)[0].label.as_deref(),
        Some("shorter")
    );
}

fn a_label_that_changed_is_announced<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), labelled("old"));
    let id = hub.id(juliet);
    let store = hub.leave(juliet);
    let again = hub.join(JULIET, stores.again(juliet.0, store), labelled("new"));
    assert_eq!(hub.id(again), id);
    let list = hub.items(JULIET, "urn:xmpp:omemo:2:devices").remove(0).1;
    assert_eq!(list.children().count(), 1);
    assert_eq!(list.children().next().unwrap().attr("label"), Some("new"));
}

over!(
    rule_07_a_label_shows_once_the_key_is_known,
    rule_07_a_label_without_a_good_signature_stays_hidden,
    rule_07_a_text_of_32_bytes_is_never_a_label,
    a_label_that_changed_is_announced,
);
