//! A map that can go back to where it was.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

/// Rows by key, and what the open transaction found in their place.
pub(super) struct Table<K, V> {
    rows: BTreeMap<K, V>,
    undo: Vec<(K, Option<V>)>,
}

impl<K: Ord + Clone, V> Table<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    pub(super) fn range(&self, keys: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = &V> {
        self.rows.range(keys).map(|(_, row)| row)
    }

    pub(super) fn keys(&self, keys: impl RangeBounds<K>) -> impl Iterator<Item = &K> {
        self.rows.range(keys).map(|(key, _)| key)
    }

    pub(super) fn put(&mut self, key: K, row: V) {
        let before = self.rows.insert(key.clone(), row);
        self.undo.push((key, before));
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some((key, before)) = self.rows.remove_entry(key) {
            self.undo.push((key, Some(before)));
        }
    }

    /// The keys that the open transaction has written and not removed again.
    pub(super) fn written(&self) -> impl Iterator<Item = &K> {
        let touched = self.undo.iter().map(|(key, _)| key);
        touched.filter(|key| self.rows.contains_key(key))
    }
}

/// What is done with tables of every type when a transaction ends.
pub(super) trait Undo {
    /// Whether there is no row.
    fn is_empty(&self) -> bool;
    /// Keeps all changes.
    fn keep(&mut self);
    /// Takes all changes back.
    fn undo(&mut self);
    /// Removes every row.
    fn clear(&mut self);
}

impl<K: Ord + Clone, V> Undo for Table<K, V> {
    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn keep(&mut self) {
        self.undo.clear();
    }

    fn undo(&mut self) {
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }

    fn clear(&mut self) {
        while let Some((key, row)) = self.rows.pop_first() {
            self.undo.push((key, Some(row)));
        }
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            undo: Vec::new(),
        }
    }
}
