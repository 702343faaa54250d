//! A contact who wants plain text: nothing leaves before a person has answered, and nothing here ever sends it.

use omemo::store::Store;
use omemo::{
    BareJid, Chat, Element, Event, OptOut, OptOutAnswer, Outgoing, Trust, TrustPolicy,
    UnservedReason, Version,
};
use omemo_tests::hub::{At, Hub, speaks};

use crate::over::Stores;
use crate::puppet::Puppet;
use crate::stage::*;

const REASON: &str = "Sorry, but for compliance reasons I need a permanent record.";

fn jid(text: &str) -> BareJid {
    BareJid::parse(text).unwrap()
}

/// A device opts out; gives what it was told.
fn opt_out<S: Store + 'static>(hub: &mut Hub<S>, at: At, contact: &str, id: &str) -> Vec<Event> {
    let start = hub.devices[at.0].events.len();
    hub.call(at, |account| {
        account.opt_out(id, &jid(contact), Some(REASON))
    });
    hub.settle();
    hub.devices[at.0].events[start..].to_vec()
}

fn known<S: Store + 'static>(hub: &mut Hub<S>, at: At, contact: &str) -> Option<OptOut> {
    let account = hub.devices[at.0].account.as_mut().unwrap();
    account.opted_out(&jid(contact)).unwrap()
}

fn answer<S: Store + 'static>(hub: &mut Hub<S>, at: At, answer: OptOutAnswer) {
    hub.call(at, |account| account.answer_opt_out(&jid(ROMEO), answer));
    hub.settle();
}

fn is_blocked<S: Store + 'static>(hub: &mut Hub<S>, at: At, id: &str) -> bool {
    let crossed = hub.messages_of(at).len();
    let events = hub.send(at, ROMEO, id, id);
    if !is_refused(&events, id) {
        return false;
    }
    let left = unserved(&events, id);
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].reason, UnservedReason::OptedOut);
    assert_eq!(hub.messages_of(at).len(), crossed, "nothing of it left");
    true
}

/// Content of any kind from one device to an account.
fn say<S: Store + 'static>(hub: &mut Hub<S>, from: At, to: &str, id: &str, content: &[&str]) {
    let content: Vec<Element> = content.iter().map(|text| xml(text)).collect();
    let outgoing = Outgoing::new(id, Chat::Direct(jid(to)), content);
    hub.call(from, |account| account.send(outgoing));
    hub.settle();
}

fn opted_out(events: &[Event]) -> usize {
    let wishes = events
        .iter()
        .filter(|event| matches!(event, Event::OptedOut { .. }));
    wishes.count()
}

/// Rule 34: blocked until a person answers, across restarts; the sessions stay.
fn rule_34_an_opt_out_blocks_until_a_person_has_answered<S: Stores>(mut stores: S) {
    let (mut hub, juliet, romeo) = friends(&mut stores, Version::Omemo2);
    let events = opt_out(&mut hub, romeo, JULIET, "stop");
    assert_eq!(served(&events, "stop").len(), 1);
    let crossed = String::from(hub.messages_of(romeo).last().unwrap());
    assert!(!crossed.contains("opt-out") && !crossed.contains("compliance"));
    let told = Event::OptedOut {
        jid: jid(ROMEO),
        reason: Some(REASON.into()),
    };
    assert_eq!(hub.devices[juliet.0].events.last(), Some(&told));
    assert_eq!(hub.bodies(juliet), ["hi"], "it is no message to show");
    assert!(is_blocked(&mut hub, juliet, "blocked"));
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    let row = known(&mut hub, juliet, ROMEO).unwrap();
    assert_eq!(row.reason.as_deref(), Some(REASON));
    assert_eq!(row.received_at, hub.now());
    assert!(!row.confirmed);
    assert!(is_blocked(&mut hub, juliet, "still blocked"));
    // agreed: the app may send plain text now, and this library does not
    answer(&mut hub, juliet, OptOutAnswer::PlainText);
    assert!(known(&mut hub, juliet, ROMEO).unwrap().confirmed);
    assert!(is_blocked(&mut hub, juliet, "for ever"));
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    assert!(known(&mut hub, juliet, ROMEO).unwrap().confirmed);
    opt_out(&mut hub, romeo, JULIET, "stop again");
    assert!(known(&mut hub, juliet, ROMEO).unwrap().confirmed);
    answer(&mut hub, juliet, OptOutAnswer::KeepEncrypting);
    assert_eq!(known(&mut hub, juliet, ROMEO), None);
    assert!(!is_blocked(&mut hub, juliet, "again"));
    assert_eq!(hub.bodies(romeo).last().unwrap(), "again");
    let last = hub.messages_of(juliet).pop().unwrap();
    assert!(!is_key_exchange(&last), "the session stayed");
    // where nobody has opted out there is nothing to answer
    answer(&mut hub, juliet, OptOutAnswer::PlainText);
    assert_eq!(known(&mut hub, juliet, ROMEO), None);
}

/// What waits when the wish arrives is refused, too.
fn rule_34_a_message_that_waits_is_refused<S: Stores>(mut stores: S) {
    let (mut hub, juliet, romeo) = friends(&mut stores, Version::Omemo2);
    hub.go_offline(juliet);
    hub.write(juliet, ROMEO, "waits", "waits");
    opt_out(&mut hub, romeo, JULIET, "stop");
    let start = hub.devices[juliet.0].events.len();
    hub.go_online(juliet);
    hub.settle();
    let events = hub.devices[juliet.0].events[start..].to_vec();
    assert!(is_refused(&events, "waits"), "{events:?}");
    assert_eq!(
        unserved(&events, "waits")[0].reason,
        UnservedReason::OptedOut
    );
    assert_eq!(hub.bodies(romeo), ["hello"]);
}

/// Who writes encrypted messages again has changed their mind; programs that only confirm have not.
fn rule_34_an_encrypted_text_opts_in_again<S: Stores>(mut stores: S) {
    let (mut hub, juliet, romeo) = friends(&mut stores, Version::Omemo2);
    hub.lets_pass = |stanza| !String::from(stanza).contains("overtaken");
    hub.write(romeo, JULIET, "overtaken", "written before");
    let overtaken = hub.messages_of(romeo).pop().unwrap();
    opt_out(&mut hub, romeo, JULIET, "stop");
    answer(&mut hub, juliet, OptOutAnswer::PlainText);
    // written before the wish, and late
    hub.deliver(juliet, &overtaken);
    assert_eq!(hub.bodies(juliet).last().unwrap(), "written before");
    assert!(is_blocked(&mut hub, juliet, "1"));
    let receipt = "<received xmlns='urn:xmpp:receipts' id='1'/>";
    say(&mut hub, romeo, JULIET, "receipt", &[receipt]);
    assert!(is_blocked(&mut hub, juliet, "2"));
    hub.send(romeo, JULIET, "back", "I thought better of it");
    let back = Event::OptedIn { jid: jid(ROMEO) };
    assert!(hub.devices[juliet.0].events.contains(&back));
    assert_eq!(known(&mut hub, juliet, ROMEO), None);
    assert!(!is_blocked(&mut hub, juliet, "3"));
    assert_eq!(hub.bodies(romeo).last().unwrap(), "3");
}

/// What stands beside the wish is a message like any other.
fn rule_34_words_beside_the_wish_are_shown<S: Stores>(mut stores: S) {
    let (mut hub, juliet, romeo) = friends(&mut stores, Version::Omemo2);
    let wish = "<opt-out xmlns='urn:xmpp:omemo:2'/>";
    let words = "<body xmlns='jabber:client'>sorry</body>";
    say(&mut hub, romeo, JULIET, "both", &[words, wish]);
    assert_eq!(hub.bodies(juliet), ["hi", "sorry"]);
    let row = known(&mut hub, juliet, ROMEO).unwrap();
    assert_eq!(row.reason, None);
    // an endless reason is cut
    let long = format!(
        "<opt-out xmlns='urn:xmpp:omemo:2'><reason>\n  {}  </reason></opt-out>",
        "long ".repeat(2_000)
    );
    say(&mut hub, romeo, JULIET, "long", &[&long]);
    let reason = known(&mut hub, juliet, ROMEO).unwrap().reason.unwrap();
    assert_eq!(reason.chars().count(), 1_024);
    assert!(reason.starts_with("long long "));
}

fn decide<S: Store + 'static>(hub: &mut Hub<S>, at: At, trust: Trust) {
    let account = hub.devices[at.0].account.as_mut().unwrap();
    let key = account.devices(&jid(MALLORY)).unwrap()[0].fingerprint;
    hub.call(at, |account| {
        account.decide(&jid(MALLORY), &key.unwrap(), trust)
    });
}

/// A09: a device that a server has added must not lead anybody into plain text.
fn a09_a_device_that_is_not_trusted_opts_nobody_out<S: Stores>(mut stores: S) {
    let mut hub = Hub::new(3);
    let mut settings = speaks(&[Version::Omemo2]);
    settings.trust = TrustPolicy::Manual;
    let juliet = hub.join(JULIET, stores.make(), settings);
    hub.strangers.push(MALLORY.into());
    let mut puppet = Puppet::new(Version::Omemo2, MALLORY, 5);
    puppet.enlist(&mut hub);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    let wish = "<envelope xmlns='urn:xmpp:sce:1'><content><opt-out xmlns='urn:xmpp:omemo:2'/></content><rpad/></envelope>";
    for trust in [Trust::Undecided, Trust::Distrusted] {
        let events = hub.deliver(juliet, &puppet.say(wish.as_bytes()));
        assert_eq!(opted_out(&events), 0);
        let shown = hub.devices[juliet.0].messages.last().unwrap();
        assert_eq!(shown.trust, trust, "it is shown as what it is");
        assert!(shown.content[0].is("opt-out", "urn:xmpp:omemo:2"));
        assert_eq!(known(&mut hub, juliet, MALLORY), None);
        decide(&mut hub, juliet, Trust::Distrusted);
    }
    decide(&mut hub, juliet, Trust::Verified);
    let events = hub.deliver(juliet, &puppet.say(wish.as_bytes()));
    assert_eq!(opted_out(&events), 1);
    assert!(known(&mut hub, juliet, MALLORY).is_some());
}

/// What another device of ours tells a contact is news, and nobody's wish to us.
fn rule_34_our_other_device_blocks_nothing<S: Stores>(mut stores: S) {
    let (mut hub, juliet, romeo) = friends(&mut stores, Version::Omemo2);
    let other = hub.join(ROMEO, stores.make(), speaks(&[Version::Omemo2]));
    let start = hub.devices[other.0].events.len();
    opt_out(&mut hub, romeo, JULIET, "stop");
    assert!(known(&mut hub, juliet, ROMEO).is_some());
    let events = hub.devices[other.0].events[start..].to_vec();
    assert_eq!(opted_out(&events), 0);
    let shown = hub.devices[other.0].messages.last().unwrap();
    assert_eq!(shown.chat, Chat::Direct(jid(JULIET)));
    assert!(shown.content[0].is("opt-out", "urn:xmpp:omemo:2"));
    for of in [JULIET, ROMEO] {
        assert_eq!(known(&mut hub, other, of), None);
    }
    let events = hub.send(other, JULIET, "goes", "goes");
    assert!(!is_refused(&events, "goes"));
}

/// Legacy has no word for it: nothing is sent, and the refusal says why.
fn legacy_cannot_carry_an_opt_out<S: Stores>(mut stores: S) {
    let (mut hub, juliet, romeo) = friends(&mut stores, Version::Legacy);
    let crossed = hub.messages_of(romeo).len();
    let events = opt_out(&mut hub, romeo, JULIET, "stop");
    assert!(is_refused(&events, "stop"));
    let left = unserved(&events, "stop");
    assert_eq!(left[0].reason, UnservedReason::ContentNotCarried);
    assert_eq!(hub.messages_of(romeo).len(), crossed);
    // nor does a text that looks like one
    let text = "<opt-out xmlns='urn:xmpp:omemo:2'/>";
    hub.send(romeo, JULIET, "text", text);
    assert_eq!(hub.bodies(juliet).last().unwrap(), text);
    assert_eq!(known(&mut hub, juliet, ROMEO), None);
}

/// What was sealed before the wish came does not go out again after it.
fn rule_34_what_was_sealed_before_stays_here<S: Stores>(mut stores: S) {
    let (mut hub, juliet, romeo) = friends(&mut stores, Version::Omemo2);
    hub.devices[juliet.0].confirms = false;
    hub.lets_pass = |stanza| stanza.name() != "message";
    hub.send(juliet, ROMEO, "lost", "on its way");
    hub.lets_pass = |_| true;
    opt_out(&mut hub, romeo, JULIET, "stop");
    assert!(known(&mut hub, juliet, ROMEO).is_some());
    let crossed = hub.messages_of(juliet).len();
    let start = hub.devices[juliet.0].events.len();
    hub.restart(juliet, |old| stores.again(juliet.0, old));
    // the dead process is no longer waited for
    hub.pass(130);
    let events = &hub.devices[juliet.0].events[start..];
    let told = Event::Unsent {
        id: "lost".into(),
        reason: omemo::UnsentReason::OptedOut,
        maybe_delivered: true,
    };
    assert!(events.contains(&told), "{events:?}");
    let later = &hub.messages_of(juliet)[crossed..];
    assert!(later.iter().all(|stanza| stanza.attr("id") != Some("lost")));
}

over!(
    rule_34_what_was_sealed_before_stays_here,
    rule_34_an_opt_out_blocks_until_a_person_has_answered,
    rule_34_a_message_that_waits_is_refused,
    rule_34_an_encrypted_text_opts_in_again,
    rule_34_words_beside_the_wish_are_shown,
    a09_a_device_that_is_not_trusted_opts_nobody_out,
    rule_34_our_other_device_blocks_nothing,
    legacy_cannot_carry_an_opt_out,
);
