//! Where an account lives: transactions over plain rows.
//!
//! The engine loads rows, computes, writes [`Change`]s and commits once a call. A store keeps what
//! it is given and knows nothing else: no cryptography, no policy. `MemoryStore` is here, SQLite in
//! the crate `omemo-sqlite`; every other store must pass [`conformance`].

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod memory;
mod row;

pub use memory::{MemoryStore, MemoryTransaction};
pub use omemo_ratchet::{
    Fingerprint, IdentityKey, MessageKey, PreKeyId, PublicKey, SignedPreKeyId, Version,
};
pub use row::*;

use crate::{Address, BareJid, InboxId, Ticket};

/// A place that keeps accounts.
pub trait Store {
    /// An open transaction. Dropped without a commit, it leaves nothing behind.
    type Transaction<'store>: Transaction
    where
        Self: 'store;

    /// Opens a transaction over the rows of one account. It sees all earlier commits, of other
    /// processes too, and excludes every other transaction until it ends.
    ///
    /// # Errors
    /// [`StoreError`], for example when another process holds the store for too long.
    fn begin(&mut self, account: &BareJid) -> Result<Self::Transaction<'_>, StoreError>;

    /// Removes what deleted rows have left behind on the disk: old keys must not outlive their
    /// deletion.
    ///
    /// # Errors
    /// [`StoreError`] when the disk refuses.
    fn tidy(&mut self) -> Result<(), StoreError>;
}

/// What one call reads and writes; nothing of it is seen by anybody before [`Transaction::commit`].
#[allow(
    clippy::missing_errors_doc,
    reason = "each one fails with what the disk says"
)]
pub trait Transaction {
    /// The account's row; `None` before the first opening.
    fn account(&self) -> Result<Option<AccountRow>, StoreError>;
    /// What is published, one row a protocol.
    fn publications(&self) -> Result<Vec<PublicationRow>, StoreError>;
    /// One prekey.
    fn pre_key(&self, version: Version, id: PreKeyId) -> Result<Option<PreKeyRow>, StoreError>;
    /// All prekeys of a protocol, by id.
    fn pre_keys(&self, version: Version) -> Result<Vec<PreKeyRow>, StoreError>;
    /// The prekeys that a key exchange has used and that wait for their deletion, by id. Asked with
    /// every call, so that a store should not read all prekeys for it.
    fn used_pre_keys(&self, version: Version) -> Result<Vec<PreKeyRow>, StoreError>;
    /// One signed prekey.
    fn signed_pre_key(
        &self,
        version: Version,
        id: SignedPreKeyId,
    ) -> Result<Option<SignedPreKeyRow>, StoreError>;
    /// All signed prekeys of a protocol, by id.
    fn signed_pre_keys(&self, version: Version) -> Result<Vec<SignedPreKeyRow>, StoreError>;
    /// Whether and since when a list is known.
    fn device_list(
        &self,
        version: Version,
        jid: &BareJid,
    ) -> Result<Option<DeviceListRow>, StoreError>;
    /// The lists that were ever subscribed to explicitly, by JID.
    fn subscribed_lists(&self, version: Version) -> Result<Vec<DeviceListRow>, StoreError>;
    /// All known devices of an account in a protocol, listed or not, by id.
    fn devices(&self, version: Version, jid: &BareJid) -> Result<Vec<DeviceRow>, StoreError>;
    /// One device.
    fn device(&self, version: Version, address: &Address) -> Result<Option<DeviceRow>, StoreError>;
    /// All decisions about an account's keys.
    fn trust(&self, jid: &BareJid) -> Result<Vec<TrustRow>, StoreError>;
    /// All keys that are verified or distrusted, of all accounts, by account and key.
    fn decisions(&self) -> Result<Vec<TrustRow>, StoreError>;
    /// The accounts that have shown a key, by its Curve25519 value.
    fn key_owners(&self, key: &Fingerprint) -> Result<Vec<BareJid>, StoreError>;
    /// The sessions with one device, the one used last first.
    fn sessions(&self, version: Version, address: &Address) -> Result<Vec<SessionRow>, StoreError>;
    /// The session used last with each device of an account: what a message to it needs.
    fn newest_sessions(
        &self,
        version: Version,
        jid: &BareJid,
    ) -> Result<Vec<SessionRow>, StoreError>;
    /// The devices that there are sessions with, by address.
    fn session_peers(&self, version: Version) -> Result<Vec<Address>, StoreError>;
    /// One skipped key.
    fn skipped(&self, id: &SkippedId) -> Result<Option<SkippedRow>, StoreError>;
    /// The skipped keys of one session beyond the newest `keep`: what must go, oldest first.
    fn skipped_beyond(
        &self,
        version: Version,
        address: &Address,
        ephemeral_key: &PublicKey,
        keep: usize,
    ) -> Result<Vec<SkippedId>, StoreError>;
    /// What a device has sent us.
    fn seen(&self, version: Version, address: &Address) -> Result<Option<SeenRow>, StoreError>;
    /// All that is owed.
    fn duties(&self) -> Result<Vec<DutyRow>, StoreError>;
    /// Whether an account may get automatic answers.
    fn contact(&self, jid: &BareJid) -> Result<Option<ContactRow>, StoreError>;
    /// Whether an account has asked for plain text.
    fn opt_out(&self, jid: &BareJid) -> Result<Option<OptOutRow>, StoreError>;
    /// All decisions that could not be applied yet, in their order.
    fn held_decisions(&self) -> Result<Vec<HeldDecisionRow>, StoreError>;
    /// All decisions that others have to be told, by addressee, owner and key.
    fn owed_decisions(&self) -> Result<Vec<OwedDecisionRow>, StoreError>;
    /// All unacknowledged messages, by id.
    fn inbox(&self) -> Result<Vec<InboxRow>, StoreError>;
    /// One unacknowledged message.
    fn inbox_message(&self, message: &MessageId) -> Result<Option<InboxRow>, StoreError>;
    /// All rows of the outbox, sent ones included, by ticket.
    fn outbox(&self) -> Result<Vec<OutboxRow>, StoreError>;
    /// One row of the outbox.
    fn outbox_row(&self, ticket: Ticket) -> Result<Option<OutboxRow>, StoreError>;
    /// The rows of one message, sent ones included, by ticket.
    fn outbox_message(&self, message_id: &str) -> Result<Vec<OutboxRow>, StoreError>;

    /// Writes one change; later reads of this transaction see it.
    fn write(&mut self, change: Change) -> Result<(), StoreError>;
    /// Makes all changes durable at once, or none. There must be an account row by now, if there is
    /// any row, and a session for every skipped key.
    fn commit(self) -> Result<(), StoreError>;
}

/// One write. `Put` inserts or replaces by the row's unique key; a `Delete` of what is not there
/// does nothing.
#[allow(missing_docs, reason = "each is named after its row")]
pub enum Change {
    PutAccount(AccountRow),
    /// The account and every row of it.
    DeleteAccount,
    PutPublication(PublicationRow),
    PutPreKey(PreKeyRow),
    DeletePreKey(Version, PreKeyId),
    PutSignedPreKey(SignedPreKeyRow),
    DeleteSignedPreKey(Version, SignedPreKeyId),
    PutDeviceList(DeviceListRow),
    PutDevice(DeviceRow),
    DeleteDevice(Version, Address),
    PutTrust(TrustRow),
    PutSession(SessionRow),
    /// The session and its skipped keys.
    DeleteSession(Version, Address, PublicKey),
    PutSkipped(SkippedRow),
    DeleteSkipped(SkippedId),
    PutSeen(SeenRow),
    PutDuty(DutyRow),
    DeleteDuty(DutyRow),
    PutContact(ContactRow),
    PutOptOut(OptOutRow),
    DeleteOptOut(BareJid),
    PutHeldDecision(HeldDecisionRow),
    DeleteHeldDecision(HeldDecisionRow),
    PutOwedDecision(OwedDecisionRow),
    DeleteOwedDecision(OwedDecisionRow),
    PutInbox(InboxRow),
    DeleteInbox(InboxId),
    PutOutbox(OutboxRow),
    DeleteOutbox(Ticket),
}

/// What went wrong with the store. Nothing of the call that met it was kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds it.
    #[error(
        "the store is locked by another process and stayed so: close the other program or try again ({0})"
    )]
    Locked(Source),
    /// No room.
    #[error("the disk is full: free some space and try again; nothing was changed ({0})")]
    Full(Source),
    /// Written by a newer version of this library.
    #[error(
        "the store has schema version {found}, this program knows versions up to {known}: update the program"
    )]
    Newer {
        /// The store's schema version.
        found: u32,
        /// The newest that this program can read.
        known: u32,
    },
    /// What stands there makes no sense.
    #[error("the store is damaged: {0}; restore it, or begin a new device in a new one")]
    Damaged(Source),
    /// It is encrypted with another key.
    #[error(
        "the key does not open the store: give the one that it was made with; if this is it, the store is damaged"
    )]
    WrongKey,
    /// A key was given for a store that is not encrypted.
    #[error(
        "the store is not encrypted: open it without a key, or begin a new device in an encrypted one"
    )]
    NotEncrypted,
    /// No key was given, and nothing can be read without one.
    #[error(
        "the store is encrypted, or its first page is damaged: open it with its key if it has one"
    )]
    Encrypted,
    /// A key was given, and this program cannot encrypt.
    #[error(
        "a key was given, and this program was built without encryption of stores: build omemo-sqlite with its feature `sqlcipher`; nothing was opened"
    )]
    NoEncryption,
    /// Everything else that the operating system or the database says.
    #[error("the store cannot be used: {0}; check that the path exists and may be written")]
    Unusable(Source),
}

/// What a store's own library said, for people and logs.
pub type Source = Box<dyn std::error::Error + Send + Sync>;
