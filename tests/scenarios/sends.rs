//! Sending: to whom, in what, in which order, and what the stanza looks like.

use omemo::{
    BareJid, Chat, Element, Outgoing, Settings, UndecryptableReason, UnservedReason, Version,
};
use omemo_tests::hub::{Hub, speaks};
use omemo_tests::wire::wrapped_keys;

use crate::over::Stores;
use crate::puppet::Puppet;
use crate::stage::*;

fn to(jid: &str) -> Chat {
    Chat::Direct(BareJid::parse(jid).unwrap())
}

fn the_same_id_is_sent_once<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    hub.write(juliet, ROMEO, "1", "once");
    hub.write(juliet, ROMEO, "1", "once");
    hub.settle();
    hub.send(juliet, ROMEO, "1", "once");
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    let events = hub.send(juliet, ROMEO, "1", "once");
    assert_eq!(served(&events, "1").len(), 1, "{events:?}");
    hub.pass(6 * 86_400);
    hub.send(juliet, ROMEO, "1", "once");
    assert_eq!(hub.bodies(romeo), ["once"]);
    let sent = hub.messages_of(juliet);
    assert_eq!(sent.iter().filter(|stanza| has_payload(stanza)).count(), 1);
}

/// The first needs a bundle that is slow, the second would be ready at once.
fn sends_to_one_chat_leave_in_order<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = pair(&mut stores, version);
    for n in 0..10 {
        hub.write(juliet, ROMEO, &n.to_string(), &n.to_string());
    }
    hub.settle();
    let wanted: Vec<String> = (0..10).map(|n| n.to_string()).collect();
    assert_eq!(hub.bodies(romeo), wanted);
    let ids: Vec<String> = hub
        .messages_of(juliet)
        .iter()
        .map(|stanza| stanza.attr("id").unwrap().to_owned())
        .collect();
    assert_eq!(ids, wanted);
}

/// One chat that waits holds up no other.
fn a_chat_that_waits_holds_up_no_other<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    hub.answers = false;
    hub.write(juliet, MALLORY, "slow", "slow");
    hub.send(juliet, ROMEO, "fast", "fast");
    assert_eq!(hub.bodies(romeo), ["hello", "fast"]);
}

/// A14: nothing of what is said crosses in the clear; whatever fails.
fn a14_plaintext_never_crosses<S: Stores>(mut stores: S, version: Version) {
    const WORD: &str = "sesquipedalian";
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    hub.send(juliet, ROMEO, "1", WORD);
    hub.send(juliet, MALLORY, "2", WORD);
    hub.manners = omemo_tests::hub::Manners::RefusesPublishing;
    hub.go_offline(juliet);
    hub.write(juliet, ROMEO, "3", WORD);
    hub.go_online(juliet);
    hub.settle();
    hub.plant(ROMEO, devices_node(version), "current", list(version, []));
    hub.send(juliet, ROMEO, "4", WORD);
    let mut odd = Outgoing::text("5", to(ROMEO), WORD);
    odd.content
        .push(xml(&format!("<x xmlns='urn:x'>{WORD}</x>")));
    hub.call(juliet, |account| account.send(odd));
    hub.settle();
    hub.pass(100);
    assert!(hub.bodies(romeo).contains(&WORD.to_owned()));
    for crossed in &hub.wire {
        assert!(!crossed.text.contains(WORD), "{}", crossed.text);
    }
}

/// Rules 18, 19 and legacy 10.
fn rule_19_the_stanza_is_as_the_specification_has_it<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, romeo) = friends(&mut stores, version);
    let mut outgoing = Outgoing::text("my id", to(ROMEO), "text");
    outgoing
        .hints
        .push(xml("<no-copy xmlns='urn:xmpp:hints'/>"));
    outgoing.hints.push(xml("<store xmlns='urn:xmpp:hints'/>"));
    hub.call(juliet, |account| account.send(outgoing));
    hub.settle();
    let sent = hub.messages_of(juliet).pop().unwrap();
    assert_eq!(sent.attr("id"), Some("my id"));
    assert_eq!(sent.attr("to"), Some(ROMEO));
    assert_eq!(sent.attr("type"), Some("chat"));
    let count = |name: &str, ns: &str| sent.children().filter(|child| child.is(name, ns)).count();
    assert_eq!(count("store", "urn:xmpp:hints"), 1);
    assert_eq!(count("no-copy", "urn:xmpp:hints"), 1);
    assert_eq!(count("encrypted", namespace(version)), 1);
    assert_eq!(count("origin-id", "urn:xmpp:sid:0"), 1);
    let eme = sent.get_child("encryption", "urn:xmpp:eme:0").unwrap();
    assert_eq!(eme.attr("namespace"), Some(namespace(version)));
    assert_eq!(
        sent.get_child("origin-id", "urn:xmpp:sid:0")
            .unwrap()
            .attr("id"),
        Some("my id")
    );
    let bodies = count("body", "jabber:client");
    assert_eq!(
        bodies,
        usize::from(version == Version::Legacy),
        "XEP-0420 forbids it"
    );
    let message = hub.devices[romeo.0].messages.last().unwrap();
    assert_eq!(message.id.as_deref(), Some("my id"));
    assert_eq!(message.content.len(), 1);
}

/// Rule 18: short answers look alike.
fn rule_18_the_length_of_short_messages_does_not_show<S: Stores>(mut stores: S) {
    let (mut hub, juliet, _) = friends(&mut stores, Version::Omemo2);
    let mut lengths = std::collections::BTreeSet::new();
    for n in 0..40 {
        hub.send(
            juliet,
            ROMEO,
            &n.to_string(),
            ["no", "yes, and much more than that, my dear"][n % 2],
        );
        let sent = hub.messages_of(juliet).pop().unwrap();
        let payload = sent
            .get_child("encrypted", "urn:xmpp:omemo:2")
            .and_then(|encrypted| encrypted.get_child("payload", "urn:xmpp:omemo:2"))
            .unwrap();
        lengths.insert(payload.text().len());
        assert!(payload.text().len() >= 256 * 4 / 3);
    }
    assert!(lengths.len() > 5, "{lengths:?}");
}

fn rule_17_only_listed_devices_and_never_ourselves<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let phone = hub.join(JULIET, stores.make(), speaks(&[version]));
    let laptop = hub.join(JULIET, stores.make(), speaks(&[version]));
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    let other = hub.join(ROMEO, stores.make(), speaks(&[version]));
    let rids = |hub: &Hub<S::Store>| {
        let sent = hub
            .messages_of(phone)
            .into_iter()
            .rfind(has_payload)
            .unwrap();
        let mut rids: Vec<u32> = wrapped_keys(&sent, JULIET)
            .iter()
            .map(|key| key.name.rid)
            .collect();
        rids.sort_unstable();
        rids
    };
    let sorted = |mut ids: Vec<u32>| {
        ids.sort_unstable();
        ids
    };
    let events = hub.send(phone, ROMEO, "1", "1");
    // we are not even missed
    assert!(unserved(&events, "1").is_empty(), "{events:?}");
    assert_eq!(
        rids(&hub),
        sorted(vec![hub.id(laptop), hub.id(romeo), hub.id(other)])
    );
    hub.go_offline(other);
    hub.plant(
        ROMEO,
        devices_node(version),
        "current",
        list(version, [hub.id(romeo)]),
    );
    hub.settle();
    hub.send(phone, ROMEO, "2", "2");
    assert_eq!(rids(&hub), sorted(vec![hub.id(laptop), hub.id(romeo)]));
    assert_eq!(hub.bodies(laptop), ["1", "2"]);
}

/// Quirk 34: without a presence subscription nobody pushes lists to us, and a device that joined is served all the same.
fn quirk_34_without_pushes_a_new_device_is_served_after_ten_minutes<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let mut hub = Hub::new(1);
    hub.pushes = false;
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.send(juliet, ROMEO, "1", "1");
    let second = hub.join(ROMEO, stores.make(), speaks(&[version]));
    hub.pass(600);
    hub.send(juliet, ROMEO, "2", "2");
    assert_eq!(hub.bodies(second), ["2"]);
}

fn own_devices_read_a_note_to_self<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let phone = hub.join(JULIET, stores.make(), speaks(&[version]));
    let laptop = hub.join(JULIET, stores.make(), speaks(&[version]));
    hub.send(phone, JULIET, "1", "buy milk");
    assert_eq!(hub.bodies(laptop), ["buy milk"]);
    assert!(hub.bodies(phone).is_empty());
    assert_eq!(hub.devices[laptop.0].messages[0].chat.to_string(), JULIET);
}

fn more_than_a_body_leaves_legacy_devices_out<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), Settings::default());
    let new = hub.join(ROMEO, stores.make(), Settings::default());
    let old = hub.join(ROMEO, stores.make(), speaks(&[Version::Legacy]));
    let reaction =
        xml("<reactions xmlns='urn:xmpp:reactions:0' id='x'><reaction>!</reaction></reactions>");
    let outgoing = Outgoing::new("1", to(ROMEO), vec![reaction.clone()]);
    hub.call(juliet, |account| account.send(outgoing));
    hub.settle();
    let events = hub.devices[juliet.0].events.clone();
    assert_eq!(served(&events, "1").len(), 1);
    let left = unserved(&events, "1");
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].reason, UnservedReason::ContentNotCarried);
    assert_eq!(left[0].device.map(omemo::DeviceId::get), Some(hub.id(old)));
    assert_eq!(hub.devices[new.0].messages[0].content, [reaction]);
    assert!(hub.devices[old.0].messages.is_empty());
}

fn a_message_too_large_or_empty_is_the_callers_mistake<S: Stores>(mut stores: S, version: Version) {
    let (mut hub, juliet, _) = friends(&mut stores, version);
    let before = hub.dump(juliet);
    let bad = [
        Outgoing::text("", to(ROMEO), "no id"),
        Outgoing::text("i".repeat(2000), to(ROMEO), "long id"),
        Outgoing::new("1", to(ROMEO), Vec::new()),
        Outgoing::text("2", to(ROMEO), &"long ".repeat(100_000)),
        Outgoing::text("3", to(ROMEO), "no \u{0} character"),
    ];
    for outgoing in bad {
        let account = hub.devices[juliet.0].account.as_mut().unwrap();
        let error = account.send(outgoing).unwrap_err();
        assert!(matches!(error, omemo::Error::Caller(_)), "{error}");
    }
    assert_eq!(hub.dump(juliet), before);
}

/// Servers close the stream above 256 KiB: the recipients are split, the payload stays one.
fn large_stanzas_are_split_by_recipients<S: Stores>(mut stores: S, version: Version) {
    let mut hub = Hub::new(1);
    let mut settings = speaks(&[version]);
    settings.max_stanza_bytes = 10_000;
    let juliet = hub.join(JULIET, stores.make(), settings);
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[version]));
    for id in 1..=60 {
        Puppet::new(version, ROMEO, id).publish(&mut hub);
    }
    let all = list(version, (1..=60).chain([hub.id(romeo)]));
    hub.plant(ROMEO, devices_node(version), "current", all);
    hub.settle();
    let events = hub.send(juliet, ROMEO, "1", "to sixty-one");
    assert_eq!(served(&events, "1").len(), 61);
    let sent = hub.messages_of(juliet);
    assert!(sent.len() > 1);
    let mut rids = Vec::new();
    let mut payloads = std::collections::BTreeSet::new();
    for stanza in &sent {
        let text = String::from(stanza);
        assert!(text.len() <= 10_100, "{}", text.len());
        assert_eq!(stanza.attr("id"), Some("1"));
        rids.extend(
            wrapped_keys(stanza, JULIET)
                .into_iter()
                .map(|key| key.name.rid),
        );
        let encrypted = stanza.get_child("encrypted", namespace(version)).unwrap();
        payloads.insert(
            encrypted
                .get_child("payload", namespace(version))
                .unwrap()
                .text(),
        );
    }
    rids.sort_unstable();
    rids.dedup();
    assert_eq!(rids.len(), 61);
    assert_eq!(payloads.len(), 1);
    assert_eq!(hub.bodies(romeo), ["to sixty-one"]);
    // a device that its part does not serve is not told that something failed: it is served by another part
    let wrong: Vec<_> = unread(&hub.devices[romeo.0].events);
    assert!(
        wrong
            .iter()
            .all(|reason| *reason == UndecryptableReason::NotForThisDevice),
        "{wrong:?}"
    );
}

/// Rule 22 and legacy 6.
fn rule_22_a_message_for_others_is_reported_in_omemo2_alone<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let (mut hub, juliet, mut puppet) = {
        let mut hub = Hub::new(1);
        let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
        let puppet = Puppet::new(version, MALLORY, 5);
        (hub, juliet, puppet)
    };
    hub.strangers.push(MALLORY.into());
    let own = hub.id(juliet);
    puppet.meet(&hub, JULIET, own);
    puppet.address(JULIET, own + 1);
    let other_device = puppet.text("not for you");
    puppet.address("tybalt@capulet.example", own);
    let mut other_account = puppet.text("not for you either");
    omemo_tests::hub::set(&mut other_account, "to", JULIET);
    let no_key = xml(&format!(
        "<message xmlns='jabber:client' from='{MALLORY}/x' id='p'><encrypted xmlns='{}'><header sid='5'>\
         <iv>AAAAAAAAAAAAAAAA</iv></header><payload>AAAA</payload></encrypted></message>",
        namespace(version)
    ));
    let before = hub.dump(juliet);
    for stanza in [&other_device, &no_key] {
        let reasons = unread(&hub.deliver(juliet, stanza));
        match version {
            Version::Omemo2 => assert_eq!(reasons, [UndecryptableReason::NotForThisDevice]),
            Version::Legacy => assert!(reasons.is_empty(), "{reasons:?}"),
        }
        assert_eq!(hub.dump(juliet), before);
    }
    if version == Version::Omemo2 {
        // the same rid under another account is another device
        assert_eq!(
            unread(&hub.deliver(juliet, &other_account)),
            [UndecryptableReason::NotForThisDevice]
        );
        assert_eq!(hub.dump(juliet), before);
    }
    // quirk 11: without a payload nothing is lost
    puppet.address(JULIET, own + 1);
    assert!(hub.deliver(juliet, &puppet.empty()).is_empty());
    assert_eq!(hub.dump(juliet), before);
}

/// Quirk 38: both elements in one stanza: the one with our key counts, the better one first.
fn quirk_38_of_two_elements_the_one_with_our_key_counts<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), Settings::default());
    hub.strangers.push(MALLORY.into());
    let own = hub.id(juliet);
    let mut new = Puppet::new(Version::Omemo2, MALLORY, 5);
    let mut old = Puppet::new(Version::Legacy, MALLORY, 5);
    let join = |one: &Element, other: &Element| {
        let mut both = one.clone();
        for child in other.children() {
            both.append_child(child.clone());
        }
        both
    };
    new.meet(&hub, JULIET, own);
    old.meet(&hub, JULIET, own);
    let both = join(&old.text("old"), &new.text("new"));
    assert_eq!(read(&hub.deliver(juliet, &both)), ["new"]);
    assert!(is_repeated(&hub.deliver(juliet, &both)), "twice");
    new.address(JULIET, own + 1);
    let second = join(&new.text("new"), &old.text("only the old one is ours"));
    let events = hub.deliver(juliet, &second);
    assert_eq!(read(&events), ["only the old one is ours"]);
    assert!(unread(&events).is_empty(), "{events:?}");
    let neither = join(&new.text("new"), &new.empty());
    assert!(read(&hub.deliver(juliet, &neither)).is_empty());
}

/// Quirks 3 to 5, 16: what the attributes say does not matter, nor how base64 is broken into lines.
fn quirk_03_attributes_are_hints_and_base64_may_be_broken<S: Stores>(
    mut stores: S,
    version: Version,
) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let mut puppet = Puppet::new(version, MALLORY, 5);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    let attributes = [
        "",
        " kex='true' prekey='true'",
        " kex='1' prekey='1'",
        " kex='TRUE' prekey='TRUE'",
        " kex='false' prekey='no'",
    ];
    for (n, attributes) in attributes.iter().enumerate() {
        let text = String::from(&puppet.text(&n.to_string()));
        let start = text.find("<key ").unwrap();
        let broken = format!("{}<key{attributes} {}", &text[..start], &text[start + 5..]);
        let at = broken.find("</key>").unwrap() - 30;
        let broken = format!("{}\n\t {}", &broken[..at], &broken[at..]);
        assert_eq!(
            read(&hub.deliver(juliet, &xml(&broken))),
            [n.to_string()],
            "{attributes}"
        );
    }
}

/// Quirk 12: legacy names no accounts, so that one stanza may hold several keys with our id.
fn quirk_12_every_key_with_our_id_is_tried<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(1);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[Version::Legacy]));
    let mut puppet = Puppet::new(Version::Legacy, MALLORY, 5);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    let foreign = String::from(&puppet.text("for somebody else"));
    let start = foreign.find("<key ").unwrap();
    let end = foreign.find("</key>").unwrap() + 6;
    let mut damaged = foreign[start..end].to_owned().into_bytes();
    let middle = damaged.len() / 2;
    damaged[middle] = if damaged[middle] == b'A' { b'B' } else { b'A' };
    let damaged = String::from_utf8(damaged).unwrap();
    let good = String::from(&puppet.text("for us"));
    let at = good.find("<key ").unwrap();
    let both = format!("{}{damaged}{}", &good[..at], &good[at..]);
    let events = hub.deliver(juliet, &xml(&both));
    assert_eq!(read(&events), ["for us"]);
    assert!(unread(&events).is_empty(), "{events:?}");
}

over!(
    rule_18_the_length_of_short_messages_does_not_show,
    more_than_a_body_leaves_legacy_devices_out,
    quirk_38_of_two_elements_the_one_with_our_key_counts,
    quirk_12_every_key_with_our_id_is_tried,
);
over_versions!(
    the_same_id_is_sent_once,
    sends_to_one_chat_leave_in_order,
    a_chat_that_waits_holds_up_no_other,
    a14_plaintext_never_crosses,
    rule_19_the_stanza_is_as_the_specification_has_it,
    rule_17_only_listed_devices_and_never_ourselves,
    quirk_34_without_pushes_a_new_device_is_served_after_ten_minutes,
    own_devices_read_a_note_to_self,
    a_message_too_large_or_empty_is_the_callers_mistake,
    large_stanzas_are_split_by_recipients,
    rule_22_a_message_for_others_is_reported_in_omemo2_alone,
    quirk_03_attributes_are_hints_and_base64_may_be_broken,
);
