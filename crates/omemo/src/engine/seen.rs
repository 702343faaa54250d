//! What a device has sent us, in one small row: enough to tell a duplicate from a loss.
//!
//! An archive that overlaps brings messages again whose keys are long gone. They are told apart
//! from messages that we could never read by the last 64 receiving ratchet keys, each with the
//! highest number that was opened and the highest number whose skipped key was discarded.

use omemo_ratchet::PublicKey;

/// How many keys are remembered: archives overlap by days, and a chain is one turn of a dialogue.
const KEPT: usize = 64;
/// Bytes of a key that are kept: enough that no two meet by chance.
const PREFIX: usize = 8;
const FORMAT: u8 = 1;
const ENTRY: usize = PREFIX + 8;

/// The decoded row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The newest last.
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    key: [u8; PREFIX],
    /// One more than the highest number opened; 0 for an ephemeral key.
    opened_below: u32,
    /// One more than the highest number whose key was discarded.
    discarded_below: u32,
}

/// What is known about a message that nothing opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was opened before.
    Duplicate,
    /// Its key was discarded.
    TooOld,
    /// Never seen.
    Unknown,
}

impl Seen {
    /// Decodes the stored form; one of another format counts as empty, since it only ever
    /// quietens.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let Some((&FORMAT, entries)) = bytes.split_first() else {
            return Self::default();
        };
        Self {
            entries: entries
                .chunks_exact(ENTRY)
                .filter_map(Entry::decode)
                .collect(),
        }
    }

    /// The stored form: 1 byte of format, then 16 bytes a key.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        for entry in &self.entries {
            bytes.extend_from_slice(&entry.key);
            bytes.extend_from_slice(&entry.opened_below.to_le_bytes());
            bytes.extend_from_slice(&entry.discarded_below.to_le_bytes());
        }
        bytes
    }

    /// Notes that message `number` of this chain was opened.
    pub(crate) fn opened(&mut self, ratchet_key: &PublicKey, number: u32) {
        let entry = self.entry(ratchet_key);
        entry.opened_below = entry.opened_below.max(number.saturating_add(1));
    }

    /// Notes that a key exchange was used.
    pub(crate) fn key_exchange(&mut self, ephemeral_key: &PublicKey) {
        self.entry(ephemeral_key);
    }

    /// Notes that the skipped key of message `number` was discarded.
    pub(crate) fn discarded(&mut self, ratchet_key: &PublicKey, number: u32) {
        let entry = self.entry(ratchet_key);
        entry.discarded_below = entry.discarded_below.max(number.saturating_add(1));
    }

    /// Whether a key exchange with this key was ever used.
    pub(crate) fn knows(&self, ephemeral_key: &PublicKey) -> bool {
        let key = prefix(ephemeral_key);
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// What to make of a message that nothing opens.
    pub(crate) fn judge(&self, ratchet_key: &PublicKey, number: u32) -> Verdict {
        let key = prefix(ratchet_key);
        match self.entries.iter().find(|entry| entry.key == key) {
            Some(entry) if number < entry.discarded_below => Verdict::TooOld,
            Some(entry) if number < entry.opened_below => Verdict::Duplicate,
            _ => Verdict::Unknown,
        }
    }

    fn entry(&mut self, key: &PublicKey) -> &mut Entry {
        let key = prefix(key);
        let entry = match self.entries.iter().position(|entry| entry.key == key) {
            Some(at) => self.entries.remove(at),
            None => Entry {
                key,
                opened_below: 0,
                discarded_below: 0,
            },
        };
        if self.entries.len() >= KEPT {
            self.entries.remove(0);
        }
        // the newest stands last
        self.entries.push(entry);
        let last = self.entries.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "an entry was pushed just now")]
        &mut self.entries[last]
    }
}

impl Entry {
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (key, rest) = bytes.split_first_chunk::<PREFIX>()?;
        let (opened, rest) = rest.split_first_chunk::<4>()?;
        let (discarded, _) = rest.split_first_chunk::<4>()?;
        Some(Self {
            key: *key,
            opened_below: u32::from_le_bytes(*opened),
            discarded_below: u32::from_le_bytes(*discarded),
        })
    }
}

fn prefix(key: &PublicKey) -> [u8; PREFIX] {
    let mut prefix = [0; PREFIX];
    for (to, from) in prefix.iter_mut().zip(key.as_bytes()) {
        *to = *from;
    }
    prefix
}
