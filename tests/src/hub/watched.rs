//! A store between an account and its real one, which can be looked into and can fail.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use omemo::store::{
    AccountRow, Change, ContactRow, DeviceListRow, DeviceRow, DutyRow, HeldDecisionRow, InboxRow,
    MessageId, OptOutRow, OutboxRow, OwedDecisionRow, PreKeyId, PreKeyRow, PublicKey,
    PublicationRow, SeenRow, SessionRow, SignedPreKeyId, SignedPreKeyRow, SkippedId, SkippedRow,
    Store, StoreError, Transaction, TrustRow,
};
use omemo::{Address, BareJid, Fingerprint, Ticket, Version};

/// A store that can be looked into while an account uses it: the next transaction writes a dump of what it finds, and
/// changes nothing.
pub struct Watched<S> {
    pub(super) inner: S,
    request: Request,
    fails: Arc<AtomicBool>,
}

pub(super) type Request = Arc<Mutex<Option<Wanted>>>;

/// What is to be dumped, and the dump.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) jids: Vec<BareJid>,
    pub(super) lines: Option<Vec<String>>,
}

impl<S> Watched<S> {
    pub(super) fn new(inner: S, request: &Request, fails: &Arc<AtomicBool>) -> Self {
        Self {
            inner,
            request: Arc::clone(request),
            fails: Arc::clone(fails),
        }
    }
}

impl<S: Store> Store for Watched<S> {
    type Transaction<'store>
        = Fragile<S::Transaction<'store>>
    where
        Self: 'store;

    fn begin(&mut self, account: &BareJid) -> Result<Self::Transaction<'_>, StoreError> {
        let tx = self.inner.begin(account)?;
        if let Some(wanted) = self.request.lock().unwrap().as_mut() {
            wanted.lines = Some(dump(&tx, &wanted.jids)?);
        }
        Ok(Fragile {
            inner: tx,
            fails: Arc::clone(&self.fails),
        })
    }

    fn tidy(&mut self) -> Result<(), StoreError> {
        self.inner.tidy()
    }
}

/// A transaction that may fail when it is committed.
pub struct Fragile<T> {
    inner: T,
    fails: Arc<AtomicBool>,
}

/// Hands every read on.
macro_rules! reads {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $row:ty;)*) => {
        $(fn $name(&self, $($argument: $kind),*) -> Result<$row, StoreError> {
            self.inner.$name($($argument),*)
        })*
    };
}

impl<T: Transaction> Transaction for Fragile<T> {
    reads! {
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
        skipped_beyond(version: Version, address: &Address, key: &PublicKey, keep: usize) -> Vec<SkippedId>;
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
        self.inner.write(change)
    }

    fn commit(self) -> Result<(), StoreError> {
        if self.fails.swap(false, Ordering::Relaxed) {
            return Err(StoreError::Full("the test wants it so".into()));
        }
        self.inner.commit()
    }
}

/// The rows about these accounts.
fn dump(tx: &impl Transaction, jids: &[BareJid]) -> Result<Vec<String>, StoreError> {
    let mut lines = Vec::new();
    if let Some(row) = tx.account()? {
        let (device, identity, number, open) =
            (row.device, *row.identity, row.next_number, row.catching_up);
        lines.push(format!(
            "account {device} {identity:02x?} {number} {open:?} {:?} {:?}",
            row.label, row.standing
        ));
    }
    lines.extend(tx.publications()?.into_iter().map(|row| format!("{row:?}")));
    for version in Version::ALL {
        for row in tx.pre_keys(version)? {
            let (id, secret, used) = (row.id, *row.secret, row.used_at);
            let withdrawn = row.withdrawn_at;
            lines.push(format!(
                "prekey {version:?} {id:?} {secret:02x?} {withdrawn:?} {used:?}"
            ));
        }
        for row in tx.signed_pre_keys(version)? {
            let (id, secret, retired) = (row.id, *row.secret, row.retired_at);
            lines.push(format!(
                "signed prekey {version:?} {id:?} {secret:02x?} {retired:?}"
            ));
        }
        for jid in jids {
            dump_account(tx, version, jid, &mut lines)?;
        }
    }
    for jid in jids {
        lines.extend(tx.trust(jid)?.into_iter().map(|row| format!("{row:?}")));
        lines.extend(tx.contact(jid)?.map(|row| format!("{row:?}")));
        lines.extend(tx.opt_out(jid)?.map(|row| format!("{row:?}")));
    }
    lines.extend(tx.duties()?.into_iter().map(|row| format!("{row:?}")));
    let held = tx.held_decisions()?;
    lines.extend(held.into_iter().map(|row| format!("{row:?}")));
    let owed = tx.owed_decisions()?;
    lines.extend(owed.into_iter().map(|row| format!("{row:?}")));
    lines.extend(tx.inbox()?.into_iter().map(|row| format!("{row:?}")));
    lines.extend(tx.outbox()?.into_iter().map(|row| format!("{row:?}")));
    Ok(lines)
}

fn dump_account(
    tx: &impl Transaction,
    version: Version,
    jid: &BareJid,
    lines: &mut Vec<String>,
) -> Result<(), StoreError> {
    let mut addresses: Vec<Address> = tx
        .newest_sessions(version, jid)?
        .into_iter()
        .map(|row| row.address)
        .collect();
    for mut row in tx.devices(version, jid)? {
        (row.retry_after, row.failure) = (None, None);
        addresses.push(row.address.clone());
        // a row that says nothing but this is none
        if row.listed || row.identity.is_some() || row.label.is_some() {
            lines.push(format!("{row:?}"));
        }
    }
    addresses.sort();
    addresses.dedup();
    for address in addresses {
        for row in tx.sessions(version, &address)? {
            let (key, state) = (row.ephemeral_key, row.state);
            let (used, made) = (row.last_used, row.made_at);
            lines.push(format!(
                "session {version:?} {address} {key:?} {:02x?} {used} {made:?}",
                *state
            ));
            let skipped = tx.skipped_beyond(version, &address, &key, 0)?;
            lines.extend(skipped.into_iter().map(|id| format!("{id:?}")));
        }
        lines.extend(tx.seen(version, &address)?.map(|row| format!("{row:?}")));
    }
    Ok(())
}
