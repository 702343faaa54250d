//! What must be true when everything has arrived.

use std::collections::BTreeSet;
use std::path::Path;

use omemo::store::Store as _;
use omemo_sqlite::SqliteStore;
use omemo_tests::wire::{LEGACY, OMEMO2};

use super::World;
use crate::worker::read_log;

impl World {
    /// Everything was read exactly once, nothing is left, and no key stands before two ciphertexts.
    pub(super) fn judge(&self, killed: u32) {
        let mut messages = 0;
        for reader in &self.processes {
            let entries = read_log(&reader.folder);
            let inbox_ids: BTreeSet<_> = entries.iter().map(|entry| entry.inbox_id).collect();
            assert_eq!(
                inbox_ids.len(),
                entries.len(),
                "{}: an inbox id was given twice",
                reader.name
            );
            let mut expected = Vec::new();
            for writer in self
                .processes
                .iter()
                .filter(|writer| writer.to == reader.account())
            {
                expected.extend(
                    writer
                        .ids
                        .iter()
                        .map(|id| (id.clone(), format!("the text of {id}"))),
                );
            }
            let mut found: Vec<_> = entries
                .into_iter()
                .map(|entry| (entry.id, entry.body))
                .collect();
            messages += found.len();
            expected.sort();
            found.sort();
            for pair in found.windows(2) {
                assert_ne!(pair[0], pair[1], "{} has read a message twice", reader.name);
            }
            for message in &expected {
                assert!(
                    found.contains(message),
                    "{} never read {}",
                    reader.name,
                    message.0
                );
            }
            assert_eq!(
                found.len(),
                expected.len(),
                "{} has read messages that nobody sent",
                reader.name
            );
            check_rest(&reader.folder, reader.account());
        }
        let (new, old) = (self.ledger.keys(OMEMO2), self.ledger.keys(LEGACY));
        assert!(new > 0 && old > 0, "no keys were seen on the wire");
        println!(
            "{killed} kills, {messages} messages read once each, {} stanzas handed out again byte for byte; \
             {new} keys of omemo:2 and {old} legacy ones, each with one ciphertext",
            self.repeated
        );
    }
}

/// Nothing is left in the inbox: every app has acknowledged what it logged.
fn check_rest(folder: &Path, account: &str) {
    use omemo::store::Transaction as _;
    let mut store = SqliteStore::open(folder.join("omemo.db")).unwrap();
    let transaction = store
        .begin(&omemo::BareJid::parse(account).unwrap())
        .unwrap();
    let unsent = transaction
        .outbox()
        .unwrap()
        .into_iter()
        .filter(|row| row.sent_at.is_none())
        .count();
    assert_eq!(unsent, 0, "{account}: the outbox is not empty");
}
