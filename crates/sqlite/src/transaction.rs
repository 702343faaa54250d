//! An open transaction: the trait's loads and changes, each to the module of its rows.

use omemo::store::{
    AccountRow, Change, ContactRow, DeviceListRow, DeviceRow, DutyRow, Fingerprint,
    HeldDecisionRow, InboxRow, MessageId, OptOutRow, OutboxRow, OwedDecisionRow, PreKeyId,
    PreKeyRow, PublicKey, PublicationRow, SeenRow, SessionRow, SignedPreKeyId, SignedPreKeyRow,
    SkippedId, SkippedRow, StoreError, Transaction, TrustRow, Version,
};
use omemo::{Address, BareJid, Ticket};

use crate::error::{Refusal, sqlite};
use crate::rows::Rows;
use crate::{boxes, devices, keys, people, sessions};

/// An open transaction of a [`SqliteStore`](crate::SqliteStore).
pub struct SqliteTransaction<'store> {
    rows: Rows<'store>,
    jid: BareJid,
    /// A failed write may have ended SQLite's transaction, and then each later one would be
    /// committed by itself.
    failed: bool,
}

impl<'store> SqliteTransaction<'store> {
    pub(crate) const fn new(rows: Rows<'store>, jid: BareJid) -> Self {
        Self {
            rows,
            jid,
            failed: false,
        }
    }

    fn put(&self, change: &Change) -> Result<(), StoreError> {
        let rows = &self.rows;
        match change {
            Change::PutAccount(row) => keys::put_account(rows, &self.jid, row),
            Change::DeleteAccount => keys::delete_account(rows),
            Change::PutPublication(row) => keys::put_publication(rows, row),
            Change::PutPreKey(row) => keys::put_pre_key(rows, row),
            Change::DeletePreKey(version, id) => keys::delete_pre_key(rows, *version, *id),
            Change::PutSignedPreKey(row) => keys::put_signed_pre_key(rows, row),
            Change::DeleteSignedPreKey(version, id) => {
                keys::delete_signed_pre_key(rows, *version, *id)
            }
            Change::PutDeviceList(row) => devices::put_device_list(rows, row),
            Change::PutDevice(row) => devices::put_device(rows, row),
            Change::DeleteDevice(version, address) => {
                devices::delete_device(rows, *version, address)
            }
            Change::PutTrust(row) => people::put_trust(rows, row),
            Change::PutSession(row) => sessions::put_session(rows, row),
            Change::DeleteSession(version, address, ephemeral_key) => {
                sessions::delete_session(rows, *version, address, ephemeral_key)
            }
            Change::PutSkipped(row) => sessions::put_skipped(rows, row),
            Change::DeleteSkipped(id) => sessions::delete_skipped(rows, id),
            Change::PutSeen(row) => devices::put_seen(rows, row),
            Change::PutDuty(row) => devices::put_duty(rows, row),
            Change::DeleteDuty(row) => devices::delete_duty(rows, row),
            Change::PutContact(row) => people::put_contact(rows, row),
            Change::PutOptOut(row) => people::put_opt_out(rows, row),
            Change::DeleteOptOut(jid) => people::delete_opt_out(rows, jid),
            Change::PutHeldDecision(row) => people::put_held_decision(rows, row),
            Change::DeleteHeldDecision(row) => people::delete_held_decision(rows, row),
            Change::PutOwedDecision(row) => people::put_owed_decision(rows, row),
            Change::DeleteOwedDecision(row) => people::delete_owed_decision(rows, row),
            Change::PutInbox(row) => boxes::put_inbox(rows, row),
            Change::DeleteInbox(id) => boxes::delete_inbox(rows, *id),
            Change::PutOutbox(row) => boxes::put_outbox(rows, row),
            Change::DeleteOutbox(ticket) => boxes::delete_outbox(rows, *ticket),
        }
    }
}

impl Transaction for SqliteTransaction<'_> {
    fn account(&self) -> Result<Option<AccountRow>, StoreError> {
        keys::account(&self.rows)
    }

    fn publications(&self) -> Result<Vec<PublicationRow>, StoreError> {
        keys::publications(&self.rows)
    }

    fn pre_key(&self, version: Version, id: PreKeyId) -> Result<Option<PreKeyRow>, StoreError> {
        keys::pre_key(&self.rows, version, id)
    }

    fn pre_keys(&self, version: Version) -> Result<Vec<PreKeyRow>, StoreError> {
        keys::pre_keys(&self.rows, version)
    }

    fn used_pre_keys(&self, version: Version) -> Result<Vec<PreKeyRow>, StoreError> {
        keys::used_pre_keys(&self.rows, version)
    }

    fn signed_pre_key(
        &self,
        version: Version,
        id: SignedPreKeyId,
    ) -> Result<Option<SignedPreKeyRow>, StoreError> {
        keys::signed_pre_key(&self.rows, version, id)
    }

    fn signed_pre_keys(&self, version: Version) -> Result<Vec<SignedPreKeyRow>, StoreError> {
        keys::signed_pre_keys(&self.rows, version)
    }

    fn device_list(
        &self,
        version: Version,
        jid: &BareJid,
    ) -> Result<Option<DeviceListRow>, StoreError> {
        devices::device_list(&self.rows, version, jid)
    }

    fn subscribed_lists(&self, version: Version) -> Result<Vec<DeviceListRow>, StoreError> {
        devices::subscribed_lists(&self.rows, version)
    }

    fn devices(&self, version: Version, jid: &BareJid) -> Result<Vec<DeviceRow>, StoreError> {
        devices::devices(&self.rows, version, jid)
    }

    fn device(&self, version: Version, address: &Address) -> Result<Option<DeviceRow>, StoreError> {
        devices::device(&self.rows, version, address)
    }

    fn trust(&self, jid: &BareJid) -> Result<Vec<TrustRow>, StoreError> {
        people::trust(&self.rows, jid)
    }

    fn decisions(&self) -> Result<Vec<TrustRow>, StoreError> {
        people::decisions(&self.rows)
    }

    fn key_owners(&self, key: &Fingerprint) -> Result<Vec<BareJid>, StoreError> {
        people::key_owners(&self.rows, key)
    }

    fn sessions(&self, version: Version, address: &Address) -> Result<Vec<SessionRow>, StoreError> {
        sessions::sessions(&self.rows, version, address)
    }

    fn newest_sessions(
        &self,
        version: Version,
        jid: &BareJid,
    ) -> Result<Vec<SessionRow>, StoreError> {
        sessions::newest_sessions(&self.rows, version, jid)
    }

    fn session_peers(&self, version: Version) -> Result<Vec<Address>, StoreError> {
        sessions::session_peers(&self.rows, version)
    }

    fn skipped(&self, id: &SkippedId) -> Result<Option<SkippedRow>, StoreError> {
        sessions::skipped(&self.rows, id)
    }

    fn skipped_beyond(
        &self,
        version: Version,
        address: &Address,
        ephemeral_key: &PublicKey,
        keep: usize,
    ) -> Result<Vec<SkippedId>, StoreError> {
        sessions::skipped_beyond(&self.rows, version, address, ephemeral_key, keep)
    }

    fn seen(&self, version: Version, address: &Address) -> Result<Option<SeenRow>, StoreError> {
        devices::seen(&self.rows, version, address)
    }

    fn duties(&self) -> Result<Vec<DutyRow>, StoreError> {
        devices::duties(&self.rows)
    }

    fn contact(&self, jid: &BareJid) -> Result<Option<ContactRow>, StoreError> {
        people::contact(&self.rows, jid)
    }

    fn opt_out(&self, jid: &BareJid) -> Result<Option<OptOutRow>, StoreError> {
        people::opt_out(&self.rows, jid)
    }

    fn held_decisions(&self) -> Result<Vec<HeldDecisionRow>, StoreError> {
        people::held_decisions(&self.rows)
    }

    fn owed_decisions(&self) -> Result<Vec<OwedDecisionRow>, StoreError> {
        people::owed_decisions(&self.rows)
    }

    fn inbox(&self) -> Result<Vec<InboxRow>, StoreError> {
        boxes::inbox(&self.rows)
    }

    fn inbox_message(&self, message: &MessageId) -> Result<Option<InboxRow>, StoreError> {
        boxes::inbox_message(&self.rows, message)
    }

    fn outbox(&self) -> Result<Vec<OutboxRow>, StoreError> {
        boxes::outbox(&self.rows)
    }

    fn outbox_row(&self, ticket: Ticket) -> Result<Option<OutboxRow>, StoreError> {
        boxes::outbox_row(&self.rows, ticket)
    }

    fn outbox_message(&self, message_id: &str) -> Result<Vec<OutboxRow>, StoreError> {
        boxes::outbox_message(&self.rows, message_id)
    }

    fn write(&mut self, change: Change) -> Result<(), StoreError> {
        if self.failed {
            return Err(Refusal::Failed.into());
        }
        let written = self.put(&change);
        self.failed = written.is_err();
        written
    }

    fn commit(self) -> Result<(), StoreError> {
        if self.failed {
            return Err(Refusal::Failed.into());
        }
        self.rows.transaction.commit().map_err(sqlite)
    }
}

impl std::fmt::Debug for SqliteTransaction<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteTransaction").finish_non_exhaustive()
    }
}
