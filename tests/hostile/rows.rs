//! The rows of an honest device: a logical dump, to see that a refused stanza changed nothing, and their sizes, to see that
//! nobody can fill a store.

use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use omemo::store::{DeviceRow, MemoryTransaction, SessionRow, Transaction};
use omemo::{Address, BareJid, Version};

/// What a hostile session may cost (bytes of rows).
pub const MOST_BYTES: usize = 256 * 1_024;
/// Sessions with one device.
pub const MOST_SESSIONS: usize = 4;
/// What a row costs besides what stands in it: a record's header and its place in the tree.
const ROW: usize = 12;

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Everything about these accounts, one line a row. Left out is what a refused stanza may change: when something was asked
/// last, why it failed, and the count of commits.
pub fn dump(tx: &MemoryTransaction<'_>, jids: &[BareJid]) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(row) = tx.account().unwrap() {
        lines.push(format!(
            "account {} {:x} {} {:?} {:?} {:?}",
            row.device,
            hash(&*row.identity),
            row.next_number,
            row.catching_up,
            row.label,
            row.standing
        ));
    }
    lines.extend(
        tx.publications()
            .unwrap()
            .iter()
            .map(|row| format!("{row:?}")),
    );
    for version in Version::ALL {
        lines.extend(tx.pre_keys(version).unwrap().iter().map(|row| {
            let secret = hash(&*row.secret);
            let (used, withdrawn) = (row.used_at, row.withdrawn_at);
            format!(
                "prekey {version:?} {:?} {secret:x} {used:?} {withdrawn:?}",
                row.id
            )
        }));
        lines.extend(tx.signed_pre_keys(version).unwrap().iter().map(|row| {
            let secret = hash(&*row.secret);
            format!(
                "signed prekey {version:?} {:?} {secret:x} {:?}",
                row.id, row.retired_at
            )
        }));
        for jid in jids {
            account(tx, version, jid, &mut lines);
        }
    }
    for jid in jids {
        lines.extend(tx.trust(jid).unwrap().iter().map(|row| format!("{row:?}")));
        lines.extend(tx.contact(jid).unwrap().map(|row| format!("{row:?}")));
        lines.extend(tx.opt_out(jid).unwrap().map(|row| format!("{row:?}")));
    }
    lines.extend(tx.duties().unwrap().iter().map(|row| format!("{row:?}")));
    lines.extend(tx.inbox().unwrap().iter().map(|row| format!("{row:?}")));
    lines.extend(tx.outbox().unwrap().iter().map(|row| format!("{row:?}")));
    lines
}

fn account(tx: &MemoryTransaction<'_>, version: Version, jid: &BareJid, lines: &mut Vec<String>) {
    let mut addresses: BTreeSet<Address> = BTreeSet::new();
    for row in tx.newest_sessions(version, jid).unwrap() {
        addresses.insert(row.address);
    }
    for row in tx.devices(version, jid).unwrap() {
        addresses.insert(row.address.clone());
        let row = DeviceRow {
            retry_after: None,
            failure: None,
            ..row
        };
        // a row that says nothing but this is none
        if row.listed || row.identity.is_some() || row.label.is_some() {
            lines.push(format!("{row:?}"));
        }
    }
    for address in addresses {
        for row in tx.sessions(version, &address).unwrap() {
            let key = row.ephemeral_key;
            let skipped = tx.skipped_beyond(version, &address, &key, 0).unwrap();
            lines.push(format!(
                "session {version:?} {address} {key:?} {:x} {} and {} skipped keys {:x}",
                hash(&row.state),
                row.last_used,
                skipped.len(),
                hash(format!("{skipped:?}").as_bytes())
            ));
        }
        let seen = tx.seen(version, &address).unwrap();
        lines.extend(seen.map(|row| format!("{row:?}")));
    }
}

/// What the sessions of a store cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizes {
    pub sessions: usize,
    /// Bytes of the rows of the largest session, with all that hangs on it and its device.
    pub largest: usize,
    /// Skipped keys of the one that has the most.
    pub skipped: usize,
    /// Of the device that has the most.
    pub sessions_of_a_device: usize,
}

impl Sizes {
    pub fn of(tx: &MemoryTransaction<'_>) -> Self {
        let mut sizes = Self::default();
        for version in Version::ALL {
            for address in tx.session_peers(version).unwrap() {
                let shared = device_bytes(tx, version, &address);
                let rows = tx.sessions(version, &address).unwrap();
                sizes.sessions += rows.len();
                sizes.sessions_of_a_device = sizes.sessions_of_a_device.max(rows.len());
                for row in rows {
                    let (skipped, bytes) = session_bytes(tx, &row);
                    sizes.skipped = sizes.skipped.max(skipped);
                    sizes.largest = sizes.largest.max(bytes + shared);
                }
            }
        }
        sizes
    }

    pub fn check(self, at: usize) {
        assert!(
            self.largest <= MOST_BYTES,
            "SIZE: a session of {at} takes {} bytes",
            self.largest
        );
        assert!(
            self.sessions_of_a_device <= MOST_SESSIONS,
            "SIZE: {at} keeps {} sessions with one device",
            self.sessions_of_a_device
        );
    }

    pub fn most(self, other: Self) -> Self {
        Self {
            sessions: self.sessions.max(other.sessions),
            largest: self.largest.max(other.largest),
            skipped: self.skipped.max(other.skipped),
            sessions_of_a_device: self.sessions_of_a_device.max(other.sessions_of_a_device),
        }
    }
}

/// The session and its skipped keys, each of which names the session by a number, as the SQLite store has it.
fn session_bytes(tx: &MemoryTransaction<'_>, row: &SessionRow) -> (usize, usize) {
    const NUMBER: usize = 8;
    let skipped = tx
        .skipped_beyond(row.version, &row.address, &row.ephemeral_key, 0)
        .unwrap();
    let each = ROW + 2 * NUMBER + 32 + 4 + 32;
    let own = ROW + name(&row.address) + 32 + row.state.len() + 2 * NUMBER;
    (skipped.len(), own + skipped.len() * each)
}

/// What there is once a device.
fn device_bytes(tx: &MemoryTransaction<'_>, version: Version, address: &Address) -> usize {
    let device = tx.device(version, address).unwrap();
    let device = device.map_or(0, |row| {
        let label = row
            .label
            .map_or(0, |(text, signature)| text.len() + signature.len());
        ROW + name(address) + 64 + 40 + label + row.failure.map_or(0, |failure| failure.len())
    });
    let seen = tx.seen(version, address).unwrap();
    let seen = seen.map_or(0, |row| ROW + name(address) + row.keys.len());
    let trust = tx.trust(&address.jid).unwrap().len() * (ROW + address.jid.as_str().len() + 65);
    let duties = tx.duties().unwrap();
    let owed = duties
        .iter()
        .filter(|duty| duty.address == *address)
        .count();
    device + seen + trust + owed * (ROW + name(address))
}

fn name(address: &Address) -> usize {
    address.jid.as_str().len() + 5
}
