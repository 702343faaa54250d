//! Rows as text, those with secrets too, so that they can be compared.

use std::fmt::Debug;

use super::sample::{
    identity_key, message, pre_key_id, public_key, romeo, romeos, session, signed_pre_key_id,
    skipped_id,
};
use crate::store::{
    AccountRow, PreKeyRow, SessionRow, SignedPreKeyRow, SkippedRow, StoreError, Transaction,
    Version,
};

/// All that [`every_put`](super::sample::every_put) may have written.
pub(super) fn dump(rows: &impl Transaction) -> Result<String, StoreError> {
    let mut dump = Dump::default();
    dump.add(rows.account()?.iter().map(account));
    dump.add(rows.publications()?);
    dump.add(rows.trust(&romeo())?);
    dump.add(rows.decisions()?);
    dump.add(rows.key_owners(&identity_key(1).fingerprint())?);
    dump.add(rows.contact(&romeo())?);
    dump.add(rows.opt_out(&romeo())?);
    dump.add(rows.held_decisions()?);
    dump.add(rows.owed_decisions()?);
    dump.add(rows.duties()?);
    let inbox = rows.inbox()?;
    dump.add(inbox.iter().map(|row| (&row.content, &row.transported)));
    dump.add(&inbox);
    dump.add(rows.outbox()?);
    dump.add(rows.outbox_message("a message")?);
    for version in Version::ALL {
        let romeo_1 = romeos(1);
        let its_session = session(version, romeos(1), public_key(10), 0, 0);
        dump.add(rows.pre_key(version, pre_key_id(1))?.iter().map(pre_key));
        dump.add(rows.pre_keys(version)?.iter().map(pre_key));
        let id = signed_pre_key_id(1);
        dump.add(rows.signed_pre_key(version, id)?.iter().map(signed_pre_key));
        dump.add(rows.signed_pre_keys(version)?.iter().map(signed_pre_key));
        dump.add(rows.device_list(version, &romeo())?);
        dump.add(rows.device(version, &romeo_1)?);
        dump.add(rows.devices(version, &romeo())?);
        dump.add(rows.sessions(version, &romeo_1)?.iter().map(session_parts));
        dump.add(
            rows.newest_sessions(version, &romeo())?
                .iter()
                .map(session_parts),
        );
        dump.add(
            rows.skipped(&skipped_id(&its_session, 20, 1))?
                .iter()
                .map(skipped),
        );
        dump.add(rows.skipped_beyond(version, &romeo_1, &public_key(10), 0)?);
        dump.add(rows.session_peers(version)?);
        dump.add(rows.seen(version, &romeo_1)?);
        dump.add(rows.inbox_message(&message(version, romeos(1), 1))?);
    }
    Ok(dump.0)
}

#[derive(Default)]
struct Dump(String);

impl Dump {
    /// One load: its rows, then an empty line, so that an absent row is seen.
    fn add(&mut self, rows: impl IntoIterator<Item = impl Debug>) {
        for row in rows {
            self.0 += &format!("{row:?}\n");
        }
        self.0 += "\n";
    }
}

pub(super) fn account(row: &AccountRow) -> impl Debug + PartialEq + use<> {
    (
        row.device,
        *row.identity,
        row.generation,
        row.next_number,
        row.catching_up,
        row.label.clone(),
        row.standing,
        row.anchored,
    )
}

pub(super) fn pre_key(row: &PreKeyRow) -> impl Debug + PartialEq + use<> {
    (
        row.version,
        row.id,
        *row.secret,
        row.used_at,
        row.withdrawn_at,
    )
}

pub(super) fn signed_pre_key(row: &SignedPreKeyRow) -> impl Debug + PartialEq + use<> {
    let signature = row.signature.to_vec();
    (
        row.version,
        row.id,
        *row.secret,
        signature,
        row.made_at,
        row.retired_at,
    )
}

pub(super) fn session_parts(row: &SessionRow) -> impl Debug + PartialEq + use<> {
    let state = row.state.to_vec();
    (
        row.version,
        row.address.clone(),
        row.ephemeral_key,
        state,
        row.last_used,
        row.made_at,
    )
}

pub(super) fn skipped(row: &SkippedRow) -> impl Debug + PartialEq + use<> {
    (row.id(), *row.key.to_bytes(), row.order)
}
