//! Bundles of others: fetched only when a message needs them, verified, and made into sessions at
//! once (XEP-0384 §5.4, §6).

use std::time::Duration;

use omemo_ratchet::{Session, VerifiedBundle, Version};

use super::Call;
use super::lists::unknown_device;
use super::questions::Reply;
use super::replace::is_overdue;
use super::seen::Seen;
use crate::protocol;
use crate::stanza::pubsub;
use crate::store::{Change, DeviceRow, DutyKind, SeenRow, SessionRow, Transaction};
use crate::stream::Ask;
use crate::{Address, BareJid, DeviceId, Element, Error, Event, Trust};

/// Bundles asked for at the same time: a room of hundreds must not flood its servers.
const MOST_OPEN: usize = 32;
/// A device whose bundle is missing or bad is left alone for this long.
const BUNDLE_PAUSE: Duration = Duration::from_secs(60);
/// Sessions kept with one device; both ends may have made some at the same time.
const MOST_SESSIONS: usize = 4;

impl<T: Transaction> Call<'_, T> {
    /// Asks for a bundle, unless too many are asked for already.
    pub(super) fn fetch_bundle(
        &mut self,
        version: Version,
        address: &Address,
    ) -> Result<(), Error> {
        let ask = Ask::Bundle(version, address.clone());
        if self.stream.open_bundles() >= MOST_OPEN {
            return Ok(());
        }
        self.ask(&address.jid, ask, |id, to| {
            bundle_query(id, to, version, address.device)
        })
    }

    /// The answer to [`Call::fetch_bundle`].
    pub(super) fn bundle_answered(
        &mut self,
        version: Version,
        address: &Address,
        reply: &Reply<'_>,
    ) -> Result<(), Error> {
        let row = match self.tx.device(version, address)? {
            Some(row) => row,
            None => unknown_device(version, &address.jid, address.device),
        };
        match read_bundle(version, address, reply) {
            Ok(bundle) => self.bundle_verified(row, &bundle),
            Err(reason) => self.device_failed(row, reason),
        }
    }

    fn bundle_verified(&mut self, row: DeviceRow, bundle: &VerifiedBundle) -> Result<(), Error> {
        let version = row.version;
        let address = row.address.clone();
        let key = *bundle.identity();
        let listed = row.listed;
        if row.identity.is_some_and(|known| known != key) {
            self.event(Event::IdentityChanged {
                device: address,
                version,
            });
            return self.device_failed(row, IDENTITY_CHANGED.into());
        }
        if key == *self.me.identity.public() {
            return self.device_failed(row, "it shows our own identity key".into());
        }
        self.write(Change::PutDevice(DeviceRow {
            identity: Some(key),
            retry_after: None,
            failure: None,
            ..row
        }))?;
        let trust = self.meet(&address, &key)?;
        let may_seal = listed && self.is_settled() && self.stream.is_ready(version);
        let replaces = may_seal && self.owes_replacement(version, &address)?;
        if !replaces && !self.wants_session(version, &address, trust)? {
            return Ok(());
        }
        match self.initiate(version, address, bundle)? {
            Some(session) if replaces => self.replaced(session),
            _ => Ok(()),
        }
    }

    /// A session is made only when it is used at once (XEP-0384 §6).
    fn wants_session(
        &self,
        version: Version,
        address: &Address,
        trust: Trust,
    ) -> Result<bool, Error> {
        let sessions = self.tx.sessions(version, address)?;
        let serves = sessions
            .first()
            .is_some_and(|row| !is_overdue(row, self.now));
        if serves || self.is_restored() {
            return Ok(false);
        }
        let duty = self.tx.duties()?.into_iter().any(|duty| {
            duty.version == version && duty.address == *address && duty.kind == DutyKind::Session
        });
        let send = trust.allows_content()
            && self.stream.waiting.iter().any(|waiting| {
                self.is_for(&waiting.outgoing.chat, &address.jid) || address.jid == self.me.jid
            });
        Ok(duty || send)
    }

    fn initiate(
        &mut self,
        version: Version,
        address: Address,
        bundle: &VerifiedBundle,
    ) -> Result<Option<SessionRow>, Error> {
        let session = Session::initiate(
            version,
            &self.me.identity,
            self.account.device.get(),
            bundle,
            self.randomness,
        );
        match session {
            Ok(session) => {
                let row = SessionRow {
                    version,
                    address: address.clone(),
                    ephemeral_key: *session.ephemeral_key(),
                    state: session.to_bytes(),
                    last_used: self.number(),
                    made_at: self.now,
                };
                self.write(Change::PutSession(row.clone()))?;
                let mut seen = self.seen(version, &address)?;
                self.drop_surplus_sessions(version, &address, &mut seen)?;
                self.write(Change::PutSeen(SeenRow {
                    version,
                    address,
                    keys: seen.to_bytes(),
                }))?;
                Ok(Some(row))
            }
            Err(error) => {
                let row = self.tx.device(version, &address)?;
                let row =
                    row.unwrap_or_else(|| unknown_device(version, &address.jid, address.device));
                self.device_failed(row, error.to_string())?;
                Ok(None)
            }
        }
    }

    /// Of more than four sessions the longest unused goes; messages that it has skipped are too old
    /// from then on.
    pub(super) fn drop_surplus_sessions(
        &mut self,
        version: Version,
        address: &Address,
        seen: &mut Seen,
    ) -> Result<(), Error> {
        self.keep_sessions(version, address, MOST_SESSIONS, seen)
    }

    /// Keeps the newest sessions with a device and drops the others.
    pub(super) fn keep_sessions(
        &mut self,
        version: Version,
        address: &Address,
        most: usize,
        seen: &mut Seen,
    ) -> Result<(), Error> {
        let sessions = self.tx.sessions(version, address)?;
        for row in sessions.iter().skip(most) {
            for skipped in self
                .tx
                .skipped_beyond(version, address, &row.ephemeral_key, 0)?
            {
                seen.discarded(&skipped.ratchet_key, skipped.number);
            }
            self.write(Change::DeleteSession(
                version,
                address.clone(),
                row.ephemeral_key,
            ))?;
        }
        Ok(())
    }

    fn device_failed(&mut self, row: DeviceRow, reason: String) -> Result<(), Error> {
        tracing::debug!(
            device = %row.address.device,
            domain = row.address.jid.domain(),
            "the bundle of a device cannot be used"
        );
        self.not_replaced(row.version, &row.address, &reason)?;
        self.write(Change::PutDevice(DeviceRow {
            retry_after: Some(self.now.after(BUNDLE_PAUSE)),
            failure: Some(reason),
            ..row
        }))
    }
}

/// What a device row says about a bundle with another key.
pub(super) const IDENTITY_CHANGED: &str =
    "its identity key changed, which is never accepted under the same device id";

fn read_bundle(
    version: Version,
    address: &Address,
    reply: &Reply<'_>,
) -> Result<VerifiedBundle, String> {
    let answer = match reply {
        Reply::Nothing => return Err("no answer in time".into()),
        Reply::Refused(error) if error.is_item_not_found() => {
            return Err("there is no bundle".into());
        }
        Reply::Refused(error) => return Err(error.to_string()),
        Reply::Given(answer) => answer,
    };
    let element = bundle_item(version, address.device, answer)?;
    let element = element.ok_or("there is no bundle")?;
    let bundle = protocol::of(version)
        .shape
        .parse_bundle(element)
        .map_err(|error| error.to_string())?;
    bundle.verify(version).map_err(|error| error.to_string())
}

/// The question for a bundle. Where a node holds one bundle, its item is taken whatever its id:
/// not all clients call it `current`.
pub(super) fn bundle_query(
    id: &str,
    to: Option<&BareJid>,
    version: Version,
    device: DeviceId,
) -> Element {
    let protocol = protocol::of(version);
    let place = protocol.shape.bundle_place(device);
    if protocol.bundles_share_a_node {
        pubsub::fetch_item(id, to, &place.node, &place.item)
    } else {
        pubsub::fetch_newest(id, to, &place.node)
    }
}

/// The bundle element in the answer to [`bundle_query`].
pub(super) fn bundle_item(
    version: Version,
    device: DeviceId,
    answer: &Element,
) -> Result<Option<&Element>, String> {
    let protocol = protocol::of(version);
    let place = protocol.shape.bundle_place(device);
    let items = pubsub::items(answer).map_err(|error| error.to_string())?;
    let item = if protocol.bundles_share_a_node {
        items.named(&place.item)
    } else {
        items.choose(&place.item)
    };
    Ok(item.and_then(|item| item.payload))
}
