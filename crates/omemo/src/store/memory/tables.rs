//! The tables of one account.

use omemo_ratchet::Version;
use zeroize::Zeroizing;

use super::key::{DeviceKey, MessageKey, SessionKey, SkippedKey};
use super::table::{Table, Undo};
use crate::store::{
    AccountRow, Change, ContactRow, DeviceListRow, DeviceRow, DutyKind, DutyRow, HeldDecisionRow,
    InboxRow, OptOutRow, OutboxRow, OwedDecisionRow, PreKeyRow, PublicationRow, SeenRow,
    SessionRow, SignedPreKeyRow, SkippedId, SkippedRow, StoreError, TrustRow,
};
use crate::{Address, BareJid, InboxId, Ticket};

/// The rows of one account.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) account: Table<(), AccountRow>,
    pub(super) publications: Table<Version, PublicationRow>,
    pub(super) pre_keys: Table<(Version, u32), PreKeyRow>,
    pub(super) signed_pre_keys: Table<(Version, u32), SignedPreKeyRow>,
    pub(super) device_lists: Table<(Version, BareJid), DeviceListRow>,
    pub(super) devices: Table<DeviceKey, DeviceRow>,
    pub(super) trust: Table<(BareJid, [u8; 32]), TrustRow>,
    pub(super) sessions: Table<SessionKey, SessionRow>,
    pub(super) skipped: Table<SkippedKey, Skipped>,
    pub(super) seen: Table<DeviceKey, SeenRow>,
    pub(super) duties: Table<(DeviceKey, DutyKind), DutyRow>,
    pub(super) contacts: Table<BareJid, ContactRow>,
    pub(super) opt_outs: Table<BareJid, OptOutRow>,
    pub(super) held_decisions: Table<HeldKey, HeldDecisionRow>,
    pub(super) owed_decisions: Table<OwedKey, OwedDecisionRow>,
    pub(super) inbox: Table<InboxId, InboxRow>,
    pub(super) inbox_ids: Table<MessageKey, InboxId>,
    pub(super) outbox: Table<Ticket, OutboxRow>,
}

impl Tables {
    pub(super) fn each(&mut self) -> [&mut dyn Undo; 18] {
        let Self {
            account,
            publications,
            pre_keys,
            signed_pre_keys,
            device_lists,
            devices,
            trust,
            sessions,
            skipped,
            seen,
            duties,
            contacts,
            opt_outs,
            held_decisions,
            owed_decisions,
            inbox,
            inbox_ids,
            outbox,
        } = self;
        [
            account,
            publications,
            pre_keys,
            signed_pre_keys,
            device_lists,
            devices,
            trust,
            sessions,
            skipped,
            seen,
            duties,
            contacts,
            opt_outs,
            held_decisions,
            owed_decisions,
            inbox,
            inbox_ids,
            outbox,
        ]
    }

    /// What a commit demands.
    pub(super) fn check(&mut self) -> Result<(), StoreError> {
        let sessions = &self.sessions;
        if self
            .skipped
            .written()
            .any(|key| sessions.get(&key.session).is_none())
        {
            return Err(StoreError::Unusable(
                "a skipped key without its session".into(),
            ));
        }
        let no_account = self.account.get(&()).is_none();
        if no_account && self.each().iter().any(|table| !table.is_empty()) {
            return Err(StoreError::Unusable("rows without their account".into()));
        }
        Ok(())
    }

    pub(super) fn write(&mut self, change: Change) {
        match change {
            Change::PutAccount(row) => self.account.put((), row),
            Change::DeleteAccount => {
                for table in self.each() {
                    table.clear();
                }
            }
            Change::PutPublication(row) => self.publications.put(row.version, row),
            Change::PutPreKey(row) => self.pre_keys.put((row.version, row.id.get()), row),
            Change::DeletePreKey(version, id) => self.pre_keys.remove(&(version, id.get())),
            Change::PutSignedPreKey(row) => {
                self.signed_pre_keys.put((row.version, row.id.get()), row);
            }
            Change::DeleteSignedPreKey(version, id) => {
                self.signed_pre_keys.remove(&(version, id.get()));
            }
            Change::PutDeviceList(row) => {
                self.device_lists.put((row.version, row.jid.clone()), row);
            }
            Change::PutDevice(row) => {
                self.devices
                    .put(DeviceKey::new(row.version, &row.address), row);
            }
            Change::DeleteDevice(version, address) => {
                self.devices.remove(&DeviceKey::new(version, &address));
            }
            Change::PutTrust(row) => {
                self.trust
                    .put((row.jid.clone(), *row.key.curve25519()), row);
            }
            Change::PutSession(row) => {
                let key = SessionKey::new(row.version, &row.address, &row.ephemeral_key);
                self.sessions.put(key, row);
            }
            Change::DeleteSession(version, address, ephemeral_key) => {
                self.delete_session(&SessionKey::new(version, &address, &ephemeral_key));
            }
            Change::PutSkipped(row) => {
                let row = Skipped::from(row);
                self.skipped.put(SkippedKey::new(&row.id), row);
            }
            Change::DeleteSkipped(id) => self.skipped.remove(&SkippedKey::new(&id)),
            Change::PutSeen(row) => {
                self.seen
                    .put(DeviceKey::new(row.version, &row.address), row);
            }
            Change::PutDuty(row) => self.duties.put(duty_key(&row), row),
            Change::DeleteDuty(row) => self.duties.remove(&duty_key(&row)),
            Change::PutContact(row) => self.contacts.put(row.jid.clone(), row),
            Change::PutOptOut(row) => self.opt_outs.put(row.jid.clone(), row),
            Change::DeleteOptOut(jid) => self.opt_outs.remove(&jid),
            Change::PutHeldDecision(row) => self.held_decisions.put(held_key(&row), row),
            Change::DeleteHeldDecision(row) => self.held_decisions.remove(&held_key(&row)),
            Change::PutOwedDecision(row) => self.owed_decisions.put(owed_key(&row), row),
            Change::DeleteOwedDecision(row) => self.owed_decisions.remove(&owed_key(&row)),
            Change::PutInbox(row) => self.put_inbox(row),
            Change::DeleteInbox(id) => self.delete_inbox(id),
            Change::PutOutbox(row) => self.outbox.put(row.ticket, row),
            Change::DeleteOutbox(ticket) => self.outbox.remove(&ticket),
        }
    }

    fn delete_session(&mut self, session: &SessionKey) {
        self.sessions.remove(session);
        let keys: Vec<_> = self
            .skipped
            .keys(SkippedKey::of(session))
            .cloned()
            .collect();
        for key in keys {
            self.skipped.remove(&key);
        }
    }

    /// The row takes the place of those with its id or its message.
    fn put_inbox(&mut self, row: InboxRow) {
        let message = MessageKey::new(&row.message);
        self.delete_inbox(row.id);
        if let Some(id) = self.inbox_ids.get(&message) {
            self.delete_inbox(*id);
        }
        self.inbox_ids.put(message, row.id);
        self.inbox.put(row.id, row);
    }

    fn delete_inbox(&mut self, id: InboxId) {
        if let Some(row) = self.inbox.get(&id) {
            self.inbox_ids.remove(&MessageKey::new(&row.message));
            self.inbox.remove(&id);
        }
    }
}

/// By teller, teller's key, owner and key.
type HeldKey = (BareJid, [u8; 32], BareJid, [u8; 32]);

fn held_key(row: &HeldDecisionRow) -> HeldKey {
    (
        row.teller.clone(),
        *row.teller_key.as_bytes(),
        row.owner.clone(),
        *row.key.as_bytes(),
    )
}

/// By addressee, owner and key.
type OwedKey = (Address, BareJid, [u8; 32]);

fn owed_key(row: &OwedDecisionRow) -> OwedKey {
    (row.to.clone(), row.owner.clone(), *row.key.as_bytes())
}

fn duty_key(row: &DutyRow) -> (DeviceKey, DutyKind) {
    (DeviceKey::new(row.version, &row.address), row.kind)
}

/// A [`SkippedRow`] whose key can be given out more than once.
pub(super) struct Skipped {
    pub(super) id: SkippedId,
    key: Zeroizing<[u8; 32]>,
    pub(super) order: u64,
}

impl From<SkippedRow> for Skipped {
    fn from(row: SkippedRow) -> Self {
        Self {
            id: row.id(),
            key: row.key.to_bytes(),
            order: row.order,
        }
    }
}

impl Skipped {
    pub(super) fn to_row(&self) -> SkippedRow {
        let id = self.id.clone();
        SkippedRow {
            version: id.version,
            address: id.address,
            ephemeral_key: id.ephemeral_key,
            ratchet_key: id.ratchet_key,
            number: id.number,
            key: omemo_ratchet::MessageKey::from_bytes(*self.key),
            order: self.order,
        }
    }
}
