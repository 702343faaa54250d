//! An account and rows to keep in it.

use std::error::Error;

use omemo::store::{
    AccountRow, Change, MessageKey, PreKeyId, PreKeyRow, PublicKey, SessionRow, SkippedRow,
    Standing, Store, StoreError, Transaction, Version,
};
use omemo::{Address, BareJid, DeviceId, Timestamp};
use zeroize::Zeroizing;

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

pub(crate) const VERSION: Version = Version::Omemo2;

pub(crate) fn juliet() -> BareJid {
    "juliet@capulet.example".parse().unwrap()
}

pub(crate) fn romeo() -> BareJid {
    "romeo@montague.example".parse().unwrap()
}

pub(crate) fn account(generation: u64) -> Change {
    Change::PutAccount(AccountRow {
        device: DeviceId::new(7).unwrap(),
        identity: Zeroizing::new([7; 32]),
        generation,
        next_number: 1,
        catching_up: None,
        label: None,
        standing: Standing::Active,
        anchored: false,
    })
}

pub(crate) fn generation(store: &mut impl Store) -> Result<u64, StoreError> {
    let account = store.begin(&juliet())?.account()?;
    Ok(account.map_or(0, |row| row.generation))
}

pub(crate) fn romeos(device: u32) -> Address {
    Address {
        jid: romeo(),
        device: DeviceId::new(device).unwrap(),
    }
}

/// 32 bytes that look random, the same for the same `n`.
pub(crate) fn noise(n: u32) -> [u8; 32] {
    let mut state = u64::from(n) + 0x9e37_79b9_7f4a_7c15;
    std::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    })
}

pub(crate) fn public_key(n: u32) -> PublicKey {
    let mut bytes = noise(n);
    bytes[31] = 0;
    PublicKey::parse(&bytes).unwrap()
}

pub(crate) fn pre_key(id: u32, secret: [u8; 32]) -> Change {
    Change::PutPreKey(PreKeyRow {
        version: VERSION,
        id: PreKeyId::parse(id).unwrap(),
        secret: Zeroizing::new(secret),
        used_at: None,
        withdrawn_at: None,
    })
}

/// One session a device, as large as sessions become.
pub(crate) fn session(device: u32, state: [u8; 32], last_used: u64) -> Change {
    let mut long = vec![1; 380];
    long[100..132].copy_from_slice(&state);
    Change::PutSession(SessionRow {
        version: VERSION,
        address: romeos(device),
        ephemeral_key: public_key(device),
        state: Zeroizing::new(long),
        last_used,
        made_at: Timestamp::from_seconds(1_700_000_000),
    })
}

/// A skipped key of the first device's session.
pub(crate) fn skipped(ratchet: u32, number: u32, key: [u8; 32], order: u64) -> SkippedRow {
    SkippedRow {
        version: VERSION,
        address: romeos(1),
        ephemeral_key: public_key(1),
        ratchet_key: public_key(ratchet),
        number,
        key: MessageKey::from_bytes(key),
        order,
    }
}

pub(crate) fn write(
    store: &mut impl Store,
    changes: impl IntoIterator<Item = Change>,
) -> Result<(), StoreError> {
    let mut rows = store.begin(&juliet())?;
    for change in changes {
        rows.write(change)?;
    }
    rows.commit()
}
