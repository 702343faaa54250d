//! What an honest device believes, read from its rows and from nothing that the library says of them.

use std::collections::BTreeMap;

use omemo::store::{MemoryTransaction, SessionRow, Transaction};
use omemo::{BareJid, Trust, Version};

/// A key in the form that trust is keyed by.
pub type Key = [u8; 32];

/// Where our ratchet key and the peer's identity key stand in a session's stored form (layout 1).
const PEER: std::ops::Range<usize> = 35..67;
const OUR_RATCHET: std::ops::Range<usize> = 195..227;

/// One device as a row describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub listed: bool,
    pub identity: Option<Key>,
}

/// Whom the chain of one of our ratchet keys can be read by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    pub jid: String,
    pub id: u32,
    pub key: Key,
}

/// Everything about some accounts that decides who is served.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub trust: BTreeMap<(String, Key), Trust>,
    pub devices: BTreeMap<(Version, String, u32), Known>,
    pub readers: BTreeMap<(Version, Key), Reader>,
    /// Who has opted out, and whether a person has agreed to that.
    pub opted_out: BTreeMap<String, bool>,
}

impl View {
    pub fn of(tx: &MemoryTransaction<'_>, jids: &[BareJid]) -> Self {
        let mut view = Self::default();
        for jid in jids {
            for row in tx.trust(jid).unwrap() {
                let place = (jid.to_string(), *row.key.curve25519());
                view.trust.insert(place, row.level);
            }
            if let Some(row) = tx.opt_out(jid).unwrap() {
                view.opted_out.insert(jid.to_string(), row.confirmed);
            }
            for version in Version::ALL {
                view.account(tx, version, jid);
            }
        }
        view
    }

    fn account(&mut self, tx: &MemoryTransaction<'_>, version: Version, jid: &BareJid) {
        for row in tx.devices(version, jid).unwrap() {
            let known = Known {
                listed: row.listed,
                identity: row.identity.map(|key| *key.curve25519()),
            };
            // a row that says nothing but this is none
            if known.listed || known.identity.is_some() {
                let place = (version, jid.to_string(), row.address.device.get());
                self.devices.insert(place, known);
            }
        }
        for row in tx.newest_sessions(version, jid).unwrap() {
            let (ratchet_key, reader) = reader(&row);
            self.readers.insert((version, ratchet_key), reader);
        }
    }

    /// What is thought of a key.
    pub fn level(&self, jid: &str, key: &Key) -> Option<Trust> {
        self.trust.get(&(jid.to_owned(), *key)).copied()
    }
}

fn reader(row: &SessionRow) -> (Key, Reader) {
    let bytes = |range: std::ops::Range<usize>| -> Key { row.state[range].try_into().unwrap() };
    let reader = Reader {
        jid: row.address.jid.to_string(),
        id: row.address.device.get(),
        key: bytes(PEER),
    };
    (bytes(OUR_RATCHET), reader)
}
