//! Rows to keep. Where one takes a number `n`, rows of the same key differ by it.

#![allow(clippy::expect_used, reason = "the samples are valid")]

use omemo_ratchet::IdentityKeyPair;
use zeroize::Zeroizing;

use crate::store::{
    AccountRow, Change, ContactRow, DeviceListRow, DeviceRow, DutyKind, DutyRow, HeldDecisionRow,
    IdentityKey, InboxRow, MessageId, MessageKey, OptOutRow, OutboxRow, OwedDecisionRow, PreKeyId,
    PreKeyRow, PublicKey, PublicationRow, SeenRow, SessionRow, SignedPreKeyId, SignedPreKeyRow,
    SkippedId, SkippedRow, Standing, TrustRow, Version,
};
use crate::{Address, BareJid, Chat, DeviceId, InboxId, Ticket, Timestamp, Trust};

pub(super) fn juliet() -> BareJid {
    jid("juliet@capulet.example")
}

pub(super) fn romeo() -> BareJid {
    jid("romeo@montague.example")
}

pub(super) fn jid(text: &str) -> BareJid {
    BareJid::parse(text).expect("a JID")
}

pub(super) fn device(id: u32) -> DeviceId {
    DeviceId::new(id).expect("a device id")
}

/// A device of Romeo's.
pub(super) fn romeos(id: u32) -> Address {
    Address {
        jid: romeo(),
        device: device(id),
    }
}

pub(super) fn pre_key_id(id: u32) -> PreKeyId {
    PreKeyId::parse(id).expect("a prekey id")
}

pub(super) fn signed_pre_key_id(id: u32) -> SignedPreKeyId {
    SignedPreKeyId::parse(id).expect("a signed prekey id")
}

pub(super) fn public_key(n: u32) -> PublicKey {
    let mut bytes = [9; 32];
    for (byte, of_n) in bytes.iter_mut().zip(n.to_be_bytes()) {
        *byte = of_n;
    }
    PublicKey::parse(&bytes).expect("a public key")
}

pub(super) fn identity_key(n: u8) -> IdentityKey {
    *IdentityKeyPair::from_bytes([n; 32]).public()
}

pub(super) fn at(n: u8) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + i64::from(n))
}

fn sometimes<T>(n: u8, value: T) -> Option<T> {
    even(n).then_some(value)
}

fn even(n: u8) -> bool {
    n.is_multiple_of(2)
}

pub(super) fn account(n: u8) -> AccountRow {
    AccountRow {
        device: device(u32::from(n) + 1),
        identity: Zeroizing::new([n; 32]),
        generation: u64::from(n),
        next_number: u64::from(n) + 1,
        catching_up: sometimes(n, at(n)),
        label: sometimes(n, format!("Gerät {n}")),
        standing: match n % 5 {
            0 => Standing::RemovingAccount,
            1 => Standing::Active,
            2 => Standing::Restored,
            3 => Standing::Recovering,
            _ => Standing::RemovingDevice,
        },
        anchored: even(n),
    }
}

pub(super) fn publication(version: Version, n: u8) -> PublicationRow {
    PublicationRow {
        version,
        bundle_revision: u64::from(n) + 1,
        published_revision: u64::from(n),
        announced: even(n),
        next_pre_key: pre_key_id(u32::from(n) + 101),
        next_signed_pre_key: signed_pre_key_id(u32::from(n) + 2),
    }
}

pub(super) fn pre_key(version: Version, id: u32, n: u8) -> PreKeyRow {
    PreKeyRow {
        version,
        id: pre_key_id(id),
        secret: Zeroizing::new([n; 32]),
        used_at: sometimes(n, at(n)),
        withdrawn_at: sometimes(n, at(n.wrapping_add(1))),
    }
}

pub(super) fn signed_pre_key(version: Version, id: u32, n: u8) -> SignedPreKeyRow {
    SignedPreKeyRow {
        version,
        id: signed_pre_key_id(id),
        secret: Zeroizing::new([n; 32]),
        signature: [n.wrapping_add(1); 64],
        made_at: at(n),
        retired_at: sometimes(n, at(n.wrapping_add(1))),
    }
}

pub(super) fn device_list(version: Version, jid: BareJid, n: u8) -> DeviceListRow {
    DeviceListRow {
        version,
        jid,
        fetched_at: at(n),
        subscribed_at: sometimes(n, at(n.wrapping_add(1))),
    }
}

pub(super) fn device_row(version: Version, address: Address, n: u8) -> DeviceRow {
    DeviceRow {
        version,
        address,
        listed: even(n),
        identity: sometimes(n, identity_key(n)),
        label: sometimes(n, (format!("Gerät {n}"), vec![n; 64])),
        retry_after: sometimes(n, at(n)),
        failure: sometimes(n, format!("failure {n}")),
        listed_at: sometimes(n, at(n.wrapping_add(1))),
        heard_at: sometimes(n, at(n.wrapping_add(2))),
        healed_at: sometimes(n, at(n.wrapping_add(3))),
    }
}

pub(super) fn session(
    version: Version,
    address: Address,
    ephemeral_key: PublicKey,
    last_used: u64,
    n: u8,
) -> SessionRow {
    SessionRow {
        version,
        address,
        ephemeral_key,
        state: Zeroizing::new(vec![n; 300 + usize::from(n % 100)]),
        last_used,
        made_at: at(n),
    }
}

pub(super) fn skipped(session: &SessionRow, ratchet: u32, number: u32, order: u64) -> SkippedRow {
    let [n, ..] = number.to_le_bytes();
    SkippedRow {
        version: session.version,
        address: session.address.clone(),
        ephemeral_key: session.ephemeral_key,
        ratchet_key: public_key(ratchet),
        number,
        key: MessageKey::from_bytes([n; 32]),
        order,
    }
}

pub(super) fn skipped_id(row: &SessionRow, ratchet: u32, number: u32) -> SkippedId {
    skipped(row, ratchet, number, 0).id()
}

pub(super) fn message(version: Version, address: Address, number: u32) -> MessageId {
    MessageId {
        version,
        address,
        ratchet_key: public_key(30),
        number,
    }
}

fn chat(n: u8) -> Chat {
    if even(n) {
        Chat::Direct(romeo())
    } else {
        Chat::Room(jid("garden@rooms.capulet.example"))
    }
}

pub(super) fn opt_out(jid: BareJid, n: u8) -> OptOutRow {
    OptOutRow {
        jid,
        reason: sometimes(n, format!("reason {n}")),
        received_at: at(n),
        confirmed: even(n),
    }
}

/// What a key of Romeo's says about one of Juliet's.
pub(super) fn held(teller_key: u8, key: u8, order: u64, trust: bool) -> HeldDecisionRow {
    HeldDecisionRow {
        teller: romeo(),
        teller_key: identity_key(teller_key).fingerprint(),
        owner: juliet(),
        key: identity_key(key).fingerprint(),
        trust,
        decided_at: at(key),
        order,
    }
}

pub(super) fn owed(to: Address, owner: BareJid, key: u8, trust: bool) -> OwedDecisionRow {
    OwedDecisionRow {
        to,
        owner,
        key: identity_key(key).fingerprint(),
        trust,
    }
}

pub(super) fn inbox(id: u64, message: MessageId, n: u8) -> InboxRow {
    InboxRow {
        id: InboxId::new(id),
        message,
        chat: chat(n),
        trust: match n % 4 {
            0 => Trust::Undecided,
            1 => Trust::Blind,
            2 => Trust::Verified,
            _ => Trust::Distrusted,
        },
        stanza_id: sometimes(n, format!("stanza {n}")),
        delay: sometimes(n, at(n)),
        time_differs: even(n),
        received_at: at(n),
        content: format!("<content><body xmlns='jabber:client'>{n} ☂</body></content>"),
        transported: sometimes(n, Zeroizing::new(vec![n; 28])),
    }
}

pub(super) fn outbox(ticket: u64, message_id: Option<&str>, n: u8) -> OutboxRow {
    let addresses = [
        (juliet(), 7),
        (romeo(), 1),
        (romeo(), DeviceId::MAX),
        (juliet(), 8),
    ];
    let served = addresses.map(|(jid, id)| Address {
        jid,
        device: device(id),
    });
    let [first, second] = Version::ALL;
    OutboxRow {
        ticket: Ticket::new(ticket),
        message_id: message_id.map(Into::into),
        chat: chat(n),
        version: if even(n) { first } else { second },
        served: served.into_iter().take(usize::from(n) % 5).collect(),
        made_at: at(n),
        tells_trust: even(n),
        handed_out: u32::from(n),
        handed_by: sometimes(n, (u64::MAX - u64::from(n), at(n))),
        sent_at: sometimes(n, at(n)),
        stanza: format!("<message id='{n}'/>"),
    }
}

/// One row of every table.
pub(super) fn every_put(n: u8) -> Vec<Change> {
    let mut changes = vec![
        Change::PutAccount(account(n)),
        Change::PutTrust(TrustRow {
            jid: romeo(),
            key: identity_key(1),
            level: if even(n) {
                Trust::Blind
            } else {
                Trust::Verified
            },
            decided_at: sometimes(n, at(n)),
        }),
        Change::PutContact(ContactRow { jid: romeo() }),
        Change::PutOptOut(opt_out(romeo(), n)),
        Change::PutHeldDecision(held(1, 2, n.into(), even(n))),
        Change::PutOwedDecision(owed(romeos(1), juliet(), 1, even(n))),
        Change::PutOutbox(outbox(1, Some("a message"), n)),
    ];
    for version in Version::ALL {
        let session = session(version, romeos(1), public_key(10), u64::from(n), n);
        changes.extend([
            Change::PutPublication(publication(version, n)),
            Change::PutPreKey(pre_key(version, 1, n)),
            Change::PutSignedPreKey(signed_pre_key(version, 1, n)),
            Change::PutDeviceList(device_list(version, romeo(), n)),
            Change::PutDevice(device_row(version, romeos(1), n)),
            Change::PutSkipped(skipped(&session, 20, 1, u64::from(n))),
            Change::PutSession(session),
            Change::PutSeen(seen(version, n)),
            Change::PutDuty(duty(version)),
            Change::PutInbox(inbox(
                version.to_byte().into(),
                message(version, romeos(1), 1),
                n,
            )),
        ]);
    }
    changes
}

/// Deletes all that [`every_put`] puts and that can be deleted.
pub(super) fn every_delete() -> Vec<Change> {
    let mut changes = vec![
        Change::DeleteOptOut(romeo()),
        Change::DeleteHeldDecision(held(1, 2, 0, false)),
        Change::DeleteOwedDecision(owed(romeos(1), juliet(), 1, false)),
        Change::DeleteOutbox(Ticket::new(1)),
    ];
    for version in Version::ALL {
        let session = session(version, romeos(1), public_key(10), 0, 0);
        changes.extend([
            Change::DeletePreKey(version, pre_key_id(1)),
            Change::DeleteSignedPreKey(version, signed_pre_key_id(1)),
            Change::DeleteDevice(version, romeos(1)),
            Change::DeleteSkipped(skipped_id(&session, 20, 1)),
            Change::DeleteSession(version, session.address, session.ephemeral_key),
            Change::DeleteDuty(duty(version)),
            Change::DeleteInbox(InboxId::new(version.to_byte().into())),
        ]);
    }
    changes
}

pub(super) fn seen(version: Version, n: u8) -> SeenRow {
    SeenRow {
        version,
        address: romeos(1),
        keys: vec![n; 1_100],
    }
}

pub(super) fn duty(version: Version) -> DutyRow {
    DutyRow {
        version,
        address: romeos(1),
        kind: DutyKind::Heartbeat,
    }
}
