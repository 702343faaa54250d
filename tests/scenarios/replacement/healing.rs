//! Broken sessions that heal by themselves: in legacy, for those who want it.

use super::*;

/// Romeo's store was put back to before he had a session with Juliet, whom he knows: he cannot read what she writes.
fn broken(version: Version, heals: bool) -> (Sqlite, Hub<<Sqlite as Stores>::Store>, At, At) {
    let mut stores = Sqlite::default();
    let mut settings = speaks(&[version]);
    settings.heal_legacy = heals;
    let mut hub = Hub::new(6);
    let juliet = hub.join(JULIET, stores.make(), speaks(&[version]));
    let romeo = hub.join(ROMEO, stores.make(), settings);
    hub.send(romeo, JULIET, "0", "zero");
    hub.restart(romeo, |old| stores.back_up(romeo.0, old));
    hub.send(juliet, ROMEO, "1", "one");
    hub.send(romeo, JULIET, "2", "two");
    hub.send(juliet, ROMEO, "3", "three");
    hub.restart(romeo, |old| stores.put_back(romeo.0, old));
    // the numbers of the inbox begin again where they were
    hub.devices[romeo.0].messages.clear();
    (stores, hub, juliet, romeo)
}

fn answers<S: Store + 'static>(hub: &Hub<S>, from: At, since: usize) -> usize {
    let sent = hub.messages_of(from).split_off(since);
    sent.iter()
        .filter(|it| !has_payload(it) && is_key_exchange(it))
        .count()
}

#[test]
fn legacy_08_a_broken_session_heals_once_a_day_where_the_app_wants_it() {
    let (_stores, mut hub, juliet, romeo) = broken(Version::Legacy, true);
    let since = hub.messages_of(romeo).len();
    hub.send(juliet, ROMEO, "4", "four");
    assert_eq!(unread(&hub.devices[romeo.0].events).len(), 1);
    assert_eq!(answers(&hub, romeo, since), 1);
    hub.send(juliet, ROMEO, "5", "five");
    assert_eq!(hub.bodies(romeo).last().unwrap(), "five");

    // a message that nothing opens, again and again
    hub.lets_pass = |stanza| stanza.name() != "message";
    hub.send(juliet, ROMEO, "6", "six");
    hub.lets_pass = |_| true;
    let text = String::from(&hub.messages_of(juliet).pop().unwrap());
    let at = text.find("<key ").unwrap();
    let at = at + text[at..].find("</key>").unwrap() - 8;
    let damaged = xml(&format!("{}AAAA{}", &text[..at], &text[at + 4..]));
    let since = hub.messages_of(romeo).len();
    for _ in 0..5 {
        assert_eq!(unread(&hub.deliver(romeo, &damaged)).len(), 1);
        hub.settle();
    }
    assert_eq!(answers(&hub, romeo, since), 0, "healed today");
    hub.pass(86_400);
    for _ in 0..5 {
        hub.deliver(romeo, &damaged);
        hub.settle();
    }
    assert_eq!(answers(&hub, romeo, since), 1);
    hub.send(romeo, JULIET, "7", "seven");
    assert_eq!(hub.bodies(juliet).last().unwrap(), "seven");
}

#[test]
fn quirk_32_nothing_heals_by_itself_unless_the_app_wants_it() {
    let (_stores, mut hub, juliet, romeo) = broken(Version::Legacy, false);
    let since = hub.messages_of(romeo).len();
    hub.send(juliet, ROMEO, "4", "four");
    assert_eq!(unread(&hub.devices[romeo.0].events).len(), 1);
    assert_eq!(hub.messages_of(romeo).len(), since);
}

/// A20: in omemo:2 a message that does not open leads to nothing, whatever the app wants.
#[test]
fn a20_omemo_2_never_heals() {
    let mut settings = speaks(&[Version::Omemo2]);
    settings.heal_legacy = true;
    let mut stores = Sqlite::default();
    let mut hub = Hub::new(6);
    let juliet = hub.join(JULIET, stores.make(), settings);
    let romeo = hub.join(ROMEO, stores.make(), speaks(&[Version::Omemo2]));
    hub.send(juliet, ROMEO, "hello", "hello");
    hub.send(romeo, JULIET, "hi", "hi");
    hub.lets_pass = |stanza| stanza.name() != "message";
    hub.send(romeo, JULIET, "lost", "lost");
    hub.lets_pass = |_| true;
    let text = String::from(&hub.messages_of(romeo).pop().unwrap());
    let at = text.find("<key ").unwrap();
    let at = at + text[at..].find("</key>").unwrap() - 8;
    let damaged = xml(&format!("{}AAAA{}", &text[..at], &text[at + 4..]));
    let crossed = hub.wire.len();
    let refused = unread(&hub.deliver(juliet, &damaged));
    assert!(matches!(
        refused[..],
        [UndecryptableReason::SessionRefused(_)]
    ));
    hub.settle();
    assert_eq!(hub.wire.len(), crossed);
}

/// Strangers and devices that are on no list get nothing.
#[test]
fn quirk_32_strangers_are_not_healed() {
    let mut settings = Settings::default();
    settings.heal_legacy = true;
    let mut stores = Sqlite::default();
    let mut hub = Hub::new(6);
    let juliet = hub.join(JULIET, stores.make(), settings);
    let mut mallory = Puppet::new(Version::Legacy, MALLORY, 3);
    mallory.enlist(&mut hub);
    mallory.meet(&hub, JULIET, hub.id(juliet));
    assert_eq!(read(&hub.deliver(juliet, &mallory.text("spam"))), ["spam"]);
    // she has looked at the device, and that is all
    let stranger = BareJid::parse(MALLORY).unwrap();
    hub.call(juliet, |account| account.inspect(&stranger));
    hub.settle();
    let since = hub.messages_of(juliet).len();
    let text = String::from(&mallory.text("damaged"));
    let at = text.find("</key>").unwrap() - 12;
    let damaged = xml(&format!("{}AAAA{}", &text[..at], &text[at + 4..]));
    let refused = unread(&hub.deliver(juliet, &damaged));
    assert!(matches!(
        refused[..],
        [UndecryptableReason::SessionRefused(_)]
    ));
    hub.settle();
    assert_eq!(hub.messages_of(juliet).len(), since);
}
