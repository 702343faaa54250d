//! What has to be true at the end.

use std::collections::BTreeSet;
use std::fs;

use omemo::BareJid;
use omemo::store::{Store as _, Transaction as _};
use omemo_sqlite::SqliteStore;
use omemo_tests::wire::{LEGACY, OMEMO2};

use crate::contact::body;
use crate::world::{ALICE, APP, EXTENSION, World};

/// Every message stands once where it belongs, and no key was used twice.
pub(crate) fn judge(world: &World, killed: [u64; 2]) {
    let mut read = BTreeSet::new();
    let mut inbox_ids = BTreeSet::new();
    for line in fs::read_to_string(world.folder.path().join("received"))
        .unwrap()
        .lines()
    {
        let columns: Vec<&str> = line.split('\t').collect();
        let [inbox_id, id, text] = columns[..] else {
            panic!("a line of the app's log: {line}")
        };
        assert!(
            inbox_ids.insert(inbox_id.to_owned()),
            "inbox id {inbox_id} was given twice"
        );
        assert_eq!(text, body(id));
        assert!(read.insert(id.to_owned()), "the app has read {id} twice");
    }
    let sent = || world.contacts.iter().flat_map(|contact| &contact.sent);
    for id in sent() {
        assert!(read.contains(id), "the app never read {id}");
    }
    assert_eq!(
        read.len(),
        sent().count(),
        "the app has read what nobody sent"
    );
    for (id, to) in &world.ids {
        let contact = &world.contacts[*to];
        assert!(
            contact.read.contains(id),
            "{} never read {id}",
            contact.full
        );
    }
    let count: usize = world
        .contacts
        .iter()
        .map(|contact| contact.read.len())
        .sum();
    assert_eq!(
        count,
        world.ids.len(),
        "contacts have read what nobody sent"
    );
    check_rest(world);
    let (new, old) = (world.ledger.keys(OMEMO2), world.ledger.keys(LEGACY));
    assert!(new > 0 && old > 0, "no keys were seen on the wire");
    println!(
        "{} kills of the app, {} of the extension; {} messages read ({} given to both) and {count} sent, once each; \
         {} stanzas handed out again byte for byte; {new} keys of omemo:2 and {old} legacy ones, each with one ciphertext",
        killed[APP],
        killed[EXTENSION],
        read.len(),
        world.twice,
        world.repeated
    );
}

/// The app has acknowledged what it logged, and noted as sent what the server has.
fn check_rest(world: &World) {
    let mut store = SqliteStore::open(world.folder.path().join("omemo.db")).unwrap();
    let alice = BareJid::parse(ALICE).unwrap();
    let rows = store.begin(&alice).unwrap();
    assert!(rows.inbox().unwrap().is_empty(), "the inbox is not empty");
    let unsent = rows.outbox().unwrap();
    let unsent = unsent.iter().filter(|row| row.sent_at.is_none()).count();
    assert_eq!(unsent, 0, "the outbox is not empty");
}
