//! A store that measures how long the store inside it takes to read, to write and to commit.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use omemo::store::{
    AccountRow, Change, ContactRow, DeviceListRow, DeviceRow, DutyRow, Fingerprint,
    HeldDecisionRow, InboxRow, MessageId, OptOutRow, OutboxRow, OwedDecisionRow, PreKeyId,
    PreKeyRow, PublicKey, PublicationRow, SeenRow, SessionRow, SignedPreKeyId, SignedPreKeyRow,
    SkippedId, SkippedRow, Store, StoreError, Transaction, TrustRow, Version,
};
use omemo::{Address, BareJid, Ticket};

/// What the store has taken since the laps were last taken.
#[derive(Debug, Default)]
pub struct Laps {
    load: Cell<Duration>,
    write: Cell<Duration>,
    commit: Cell<Duration>,
}

/// One reading of [`Laps`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Lap {
    /// Beginning transactions and reading rows.
    pub load: Duration,
    /// Writing rows.
    pub write: Duration,
    /// Committing.
    pub commit: Duration,
}

impl Laps {
    /// Reads and begins anew.
    pub fn take(&self) -> Lap {
        Lap {
            load: self.load.take(),
            write: self.write.take(),
            commit: self.commit.take(),
        }
    }
}

fn measure<R>(lap: &Cell<Duration>, work: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let result = work();
    lap.set(lap.get() + start.elapsed());
    result
}

/// A store, and a stopwatch around it.
pub struct Timed<S> {
    inner: S,
    laps: Rc<Laps>,
}

impl<S> Timed<S> {
    /// Measures this store.
    #[must_use]
    pub fn new(inner: S) -> (Self, Rc<Laps>) {
        let laps = Rc::new(Laps::default());
        let store = Self {
            inner,
            laps: Rc::clone(&laps),
        };
        (store, laps)
    }
}

/// A transaction of a [`Timed`] store.
pub struct TimedTransaction<'laps, T> {
    inner: T,
    laps: &'laps Laps,
}

impl<S: Store> Store for Timed<S> {
    type Transaction<'store>
        = TimedTransaction<'store, S::Transaction<'store>>
    where
        S: 'store;

    fn begin(&mut self, account: &BareJid) -> Result<Self::Transaction<'_>, StoreError> {
        let Self { inner, laps } = self;
        let inner = measure(&laps.load, || inner.begin(account))?;
        Ok(TimedTransaction { inner, laps })
    }

    fn tidy(&mut self) -> Result<(), StoreError> {
        self.inner.tidy()
    }
}

macro_rules! loads {
    ($($name:ident($($argument:ident: $type:ty),*) -> $row:ty;)*) => {
        $(fn $name(&self, $($argument: $type),*) -> Result<$row, StoreError> {
            measure(&self.laps.load, || self.inner.$name($($argument),*))
        })*
    };
}

impl<T: Transaction> Transaction for TimedTransaction<'_, T> {
    loads! {
        account() -> Option<AccountRow>;
        publications() -> Vec<PublicationRow>;
        pre_key(version: Version, id: PreKeyId) -> Option<PreKeyRow>;
        pre_keys(version: Version) -> Vec<PreKeyRow>;
        used_pre_keys(version: Version) -> Vec<PreKeyRow>;
        signed_pre_key(version: Version, id: SignedPreKeyId) -> Option<SignedPreKeyRow>;
        signed_pre_keys(version: Version) -> Vec<SignedPreKeyRow>;
        device_list(version: Version, jid: &BareJid) -> Option<DeviceListRow>;
        subscribed_lists(version: Version) -> Vec<DeviceListRow>;
        devices(version: Version, jid: &BareJid) -> Vec<DeviceRow>;
        device(version: Version, address: &Address) -> Option<DeviceRow>;
        trust(jid: &BareJid) -> Vec<TrustRow>;
        decisions() -> Vec<TrustRow>;
        key_owners(key: &Fingerprint) -> Vec<BareJid>;
        sessions(version: Version, address: &Address) -> Vec<SessionRow>;
        newest_sessions(version: Version, jid: &BareJid) -> Vec<SessionRow>;
        session_peers(version: Version) -> Vec<Address>;
        skipped(id: &SkippedId) -> Option<SkippedRow>;
        skipped_beyond(version: Version, address: &Address, ephemeral_key: &PublicKey, keep: usize) -> Vec<SkippedId>;
        seen(version: Version, address: &Address) -> Option<SeenRow>;
        duties() -> Vec<DutyRow>;
        contact(jid: &BareJid) -> Option<ContactRow>;
        opt_out(jid: &BareJid) -> Option<OptOutRow>;
        held_decisions() -> Vec<HeldDecisionRow>;
        owed_decisions() -> Vec<OwedDecisionRow>;
        inbox() -> Vec<InboxRow>;
        inbox_message(message: &MessageId) -> Option<InboxRow>;
        outbox() -> Vec<OutboxRow>;
        outbox_row(ticket: Ticket) -> Option<OutboxRow>;
        outbox_message(message_id: &str) -> Vec<OutboxRow>;
    }

    fn write(&mut self, change: Change) -> Result<(), StoreError> {
        let Self { inner, laps } = self;
        measure(&laps.write, || inner.write(change))
    }

    fn commit(self) -> Result<(), StoreError> {
        let Self { inner, laps } = self;
        measure(&laps.commit, || inner.commit())
    }
}
