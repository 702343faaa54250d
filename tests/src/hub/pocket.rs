//! A place that no backup reaches: an anchor in memory, shared by everybody who was given it.

use std::sync::{Arc, Mutex};

use omemo::{Anchor, AnchorError};

/// An anchor that a test can look into, and spoil.
#[derive(Debug, Clone, Default)]
pub struct Pocket(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    record: Option<[u8; 16]>,
    writes: usize,
    mishap: Mishap,
}

/// What goes wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mishap {
    /// Nothing.
    #[default]
    None,
    /// It cannot be read.
    Unreadable,
    /// It cannot be written, and says so.
    Unwritable,
    /// What is written is lost, as when a process is killed before it writes.
    Forgets,
}

impl Pocket {
    /// What it holds.
    #[must_use]
    pub fn record(&self) -> Option<[u8; 16]> {
        self.0.lock().unwrap().record
    }

    /// Puts something else there.
    pub fn put(&self, record: Option<[u8; 16]>) {
        self.0.lock().unwrap().record = record;
    }

    /// The generation in its record.
    #[must_use]
    pub fn generation(&self) -> Option<u64> {
        let record = self.record()?;
        Some(u64::from_be_bytes(record[8..].try_into().unwrap()))
    }

    /// Sees a commit that no store has.
    pub fn advance(&self) {
        let mut record = self.record().unwrap();
        let later = self.generation().unwrap() + 1_000;
        record[8..].copy_from_slice(&later.to_be_bytes());
        self.put(Some(record));
    }

    /// How often it was written.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.0.lock().unwrap().writes
    }

    /// From now on this goes wrong.
    pub fn suffers(&self, mishap: Mishap) {
        self.0.lock().unwrap().mishap = mishap;
    }
}

impl Anchor for Pocket {
    fn read(&mut self) -> Result<Option<[u8; 16]>, AnchorError> {
        let inside = self.0.lock().unwrap();
        match inside.mishap {
            Mishap::Unreadable => Err(AnchorError::new("the test wants it so")),
            _ => Ok(inside.record),
        }
    }

    fn write(&mut self, record: &[u8; 16]) -> Result<(), AnchorError> {
        let mut inside = self.0.lock().unwrap();
        match inside.mishap {
            Mishap::Unwritable => return Err(AnchorError::new("the test wants it so")),
            Mishap::Forgets => return Ok(()),
            _ => inside.record = Some(*record),
        }
        inside.writes += 1;
        Ok(())
    }
}
