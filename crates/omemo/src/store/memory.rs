//! The store in memory: for tests, simulations and accounts that shall leave nothing behind.

mod key;
mod table;
mod tables;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use omemo_ratchet::{Fingerprint, PreKeyId, PublicKey, SignedPreKeyId, Version};

use self::key::{DeviceKey, MessageKey, SessionKey, SkippedKey};
use self::tables::{Skipped, Tables};
use super::{
    AccountRow, Change, ContactRow, DeviceListRow, DeviceRow, DutyRow, HeldDecisionRow, InboxRow,
    MessageId, OptOutRow, OutboxRow, OwedDecisionRow, PreKeyRow, PublicationRow, SeenRow,
    SessionRow, SignedPreKeyRow, SkippedId, SkippedRow, Store, StoreError, Transaction, TrustRow,
};
use crate::{Address, BareJid, Ticket, Trust};

/// A store that is gone when it is dropped.
#[derive(Default)]
pub struct MemoryStore {
    accounts: BTreeMap<BareJid, Tables>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    type Transaction<'store> = MemoryTransaction<'store>;

    fn begin(&mut self, account: &BareJid) -> Result<MemoryTransaction<'_>, StoreError> {
        let tables = self.accounts.entry(account.clone()).or_default();
        Ok(MemoryTransaction { tables })
    }

    fn tidy(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// An open transaction of a [`MemoryStore`].
pub struct MemoryTransaction<'store> {
    tables: &'store mut Tables,
}

impl std::fmt::Debug for MemoryTransaction<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryTransaction").finish_non_exhaustive()
    }
}

impl Drop for MemoryTransaction<'_> {
    fn drop(&mut self) {
        for table in self.tables.each() {
            table.undo();
        }
    }
}

impl Transaction for MemoryTransaction<'_> {
    fn account(&self) -> Result<Option<AccountRow>, StoreError> {
        Ok(self.tables.account.get(&()).cloned())
    }

    fn publications(&self) -> Result<Vec<PublicationRow>, StoreError> {
        Ok(self.tables.publications.range(..).cloned().collect())
    }

    fn pre_key(&self, version: Version, id: PreKeyId) -> Result<Option<PreKeyRow>, StoreError> {
        Ok(self.tables.pre_keys.get(&(version, id.get())).cloned())
    }

    fn pre_keys(&self, version: Version) -> Result<Vec<PreKeyRow>, StoreError> {
        let ids = (version, 0)..=(version, u32::MAX);
        Ok(self.tables.pre_keys.range(ids).cloned().collect())
    }

    fn used_pre_keys(&self, version: Version) -> Result<Vec<PreKeyRow>, StoreError> {
        let ids = (version, 0)..=(version, u32::MAX);
        let rows = self.tables.pre_keys.range(ids);
        Ok(rows.filter(|row| row.used_at.is_some()).cloned().collect())
    }

    fn signed_pre_key(
        &self,
        version: Version,
        id: SignedPreKeyId,
    ) -> Result<Option<SignedPreKeyRow>, StoreError> {
        let keys = &self.tables.signed_pre_keys;
        Ok(keys.get(&(version, id.get())).cloned())
    }

    fn signed_pre_keys(&self, version: Version) -> Result<Vec<SignedPreKeyRow>, StoreError> {
        let ids = (version, 0)..=(version, u32::MAX);
        Ok(self.tables.signed_pre_keys.range(ids).cloned().collect())
    }

    fn device_list(
        &self,
        version: Version,
        jid: &BareJid,
    ) -> Result<Option<DeviceListRow>, StoreError> {
        let lists = &self.tables.device_lists;
        Ok(lists.get(&(version, jid.clone())).cloned())
    }

    fn subscribed_lists(&self, version: Version) -> Result<Vec<DeviceListRow>, StoreError> {
        let rows = self.tables.device_lists.range(..);
        let subscribed = rows.filter(|row| row.version == version && row.subscribed_at.is_some());
        Ok(subscribed.cloned().collect())
    }

    fn devices(&self, version: Version, jid: &BareJid) -> Result<Vec<DeviceRow>, StoreError> {
        let devices = DeviceKey::of(version, jid);
        Ok(self.tables.devices.range(devices).cloned().collect())
    }

    fn device(&self, version: Version, address: &Address) -> Result<Option<DeviceRow>, StoreError> {
        let key = DeviceKey::new(version, address);
        Ok(self.tables.devices.get(&key).cloned())
    }

    fn trust(&self, jid: &BareJid) -> Result<Vec<TrustRow>, StoreError> {
        let keys = (jid.clone(), [0; 32])..=(jid.clone(), [0xff; 32]);
        Ok(self.tables.trust.range(keys).cloned().collect())
    }

    fn decisions(&self) -> Result<Vec<TrustRow>, StoreError> {
        let rows = self.tables.trust.range(..);
        let decided = rows.filter(|row| matches!(row.level, Trust::Verified | Trust::Distrusted));
        Ok(decided.cloned().collect())
    }

    fn key_owners(&self, key: &Fingerprint) -> Result<Vec<BareJid>, StoreError> {
        let rows = self.tables.trust.range(..);
        let shown = rows.filter(|row| row.key.fingerprint() == *key);
        Ok(shown.map(|row| row.jid.clone()).collect())
    }

    fn sessions(&self, version: Version, address: &Address) -> Result<Vec<SessionRow>, StoreError> {
        let device = DeviceKey::new(version, address);
        let keys = SessionKey::of(device.clone()..=device);
        let mut rows: Vec<_> = self.tables.sessions.range(keys).cloned().collect();
        rows.sort_by_key(|row| Reverse(row.last_used));
        Ok(rows)
    }

    fn newest_sessions(
        &self,
        version: Version,
        jid: &BareJid,
    ) -> Result<Vec<SessionRow>, StoreError> {
        let keys = SessionKey::of(DeviceKey::of(version, jid));
        let mut newest = BTreeMap::<_, &SessionRow>::new();
        for row in self.tables.sessions.range(keys) {
            let other = newest.entry(row.address.device).or_insert(row);
            if row.last_used > other.last_used {
                *other = row;
            }
        }
        Ok(newest.into_values().cloned().collect())
    }

    fn session_peers(&self, version: Version) -> Result<Vec<Address>, StoreError> {
        let rows = self.tables.sessions.range(..);
        let mut peers: Vec<_> = rows
            .filter(|row| row.version == version)
            .map(|row| row.address.clone())
            .collect();
        peers.dedup();
        Ok(peers)
    }

    fn skipped(&self, id: &SkippedId) -> Result<Option<SkippedRow>, StoreError> {
        let row = self.tables.skipped.get(&SkippedKey::new(id));
        Ok(row.map(Skipped::to_row))
    }

    fn skipped_beyond(
        &self,
        version: Version,
        address: &Address,
        ephemeral_key: &PublicKey,
        keep: usize,
    ) -> Result<Vec<SkippedId>, StoreError> {
        let session = SessionKey::new(version, address, ephemeral_key);
        let keys = SkippedKey::of(&session);
        let mut rows: Vec<_> = self.tables.skipped.range(keys).collect();
        rows.sort_by_key(|row| row.order);
        rows.truncate(rows.len().saturating_sub(keep));
        Ok(rows.into_iter().map(|row| row.id.clone()).collect())
    }

    fn seen(&self, version: Version, address: &Address) -> Result<Option<SeenRow>, StoreError> {
        let key = DeviceKey::new(version, address);
        Ok(self.tables.seen.get(&key).cloned())
    }

    fn duties(&self) -> Result<Vec<DutyRow>, StoreError> {
        Ok(self.tables.duties.range(..).cloned().collect())
    }

    fn contact(&self, jid: &BareJid) -> Result<Option<ContactRow>, StoreError> {
        Ok(self.tables.contacts.get(jid).cloned())
    }

    fn opt_out(&self, jid: &BareJid) -> Result<Option<OptOutRow>, StoreError> {
        Ok(self.tables.opt_outs.get(jid).cloned())
    }

    fn held_decisions(&self) -> Result<Vec<HeldDecisionRow>, StoreError> {
        let mut rows: Vec<_> = self.tables.held_decisions.range(..).cloned().collect();
        rows.sort_by_key(|row| row.order);
        Ok(rows)
    }

    fn owed_decisions(&self) -> Result<Vec<OwedDecisionRow>, StoreError> {
        Ok(self.tables.owed_decisions.range(..).cloned().collect())
    }

    fn inbox(&self) -> Result<Vec<InboxRow>, StoreError> {
        Ok(self.tables.inbox.range(..).cloned().collect())
    }

    fn inbox_message(&self, message: &MessageId) -> Result<Option<InboxRow>, StoreError> {
        let id = self.tables.inbox_ids.get(&MessageKey::new(message));
        Ok(id.and_then(|id| self.tables.inbox.get(id)).cloned())
    }

    fn outbox(&self) -> Result<Vec<OutboxRow>, StoreError> {
        Ok(self.tables.outbox.range(..).cloned().collect())
    }

    fn outbox_row(&self, ticket: Ticket) -> Result<Option<OutboxRow>, StoreError> {
        Ok(self.tables.outbox.get(&ticket).cloned())
    }

    fn outbox_message(&self, message_id: &str) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = self.tables.outbox.range(..);
        let of_message = rows.filter(|row| row.message_id.as_deref() == Some(message_id));
        Ok(of_message.cloned().collect())
    }

    fn write(&mut self, change: Change) -> Result<(), StoreError> {
        self.tables.write(change);
        Ok(())
    }

    fn commit(self) -> Result<(), StoreError> {
        self.tables.check()?;
        for table in self.tables.each() {
            table.keep();
        }
        Ok(())
    }
}
