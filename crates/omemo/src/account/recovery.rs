//! Restore safety: a store that was put back to an older state is noticed, and recovers.

use omemo_ratchet::IdentityKeyPair;

use super::Account;
use crate::anchor::{Anchor, Anchored};
use crate::engine::{Call, Finished, leave_numbers_out};
use crate::store::{AccountRow, Standing, Store, Transaction};
use crate::{Error, Event, Output, RestoreProof};

/// What opening learnt from the anchor.
#[derive(Default)]
pub(super) struct Met {
    /// What the next output says.
    pub(super) events: Vec<Event>,
    /// The anchor holds this store's record.
    pub(super) holds: bool,
    /// The account's row was changed.
    pub(super) changed: bool,
}

/// Compares a store that is being opened with the anchor; a new device takes it over.
pub(super) fn meet(
    anchor: Option<&mut (dyn Anchor + Send + 'static)>,
    identity: &IdentityKeyPair,
    row: &mut AccountRow,
    is_new: bool,
) -> Result<Met, Error> {
    let mut met = Met::default();
    let Some(anchor) = anchor else {
        return Ok(met);
    };
    let found = anchor.read()?.map(Anchored::from_bytes);
    let ours = Anchored::new(identity.public(), row.generation);
    let proof = match found {
        _ if is_new => None,
        Some(found) => older_than(ours, found),
        None => row.anchored.then_some(RestoreProof::AnchorGone),
    };
    if let Some(proof) = proof {
        if matches!(row.standing, Standing::Active | Standing::Recovering) {
            row.standing = Standing::Restored;
            leave_numbers_out(row);
            met.changed = true;
            met.events.push(Event::Restored { proof });
        }
        return Ok(met);
    }
    if row.standing == Standing::Restored {
        return Ok(met);
    }
    // before the commit that says that there is one
    if found != Some(ours)
        && let Err(error) = anchor.write(&ours.to_bytes())
    {
        met.events.push(failed(&error));
        return Ok(met);
    }
    met.holds = true;
    met.changed |= !row.anchored;
    row.anchored = true;
    Ok(met)
}

fn older_than(ours: Anchored, found: Anchored) -> Option<RestoreProof> {
    if !found.is_same_store(ours) {
        Some(RestoreProof::OtherStore)
    } else if found.generation > ours.generation {
        Some(RestoreProof::Anchor)
    } else {
        None
    }
}

fn failed(error: &dyn std::fmt::Display) -> Event {
    Event::AnchorFailed {
        reason: error.to_string(),
    }
}

impl<S: Store + 'static> Account<S> {
    /// Whether the store is known to be older than what was sent from it. Nothing is encrypted then
    /// and nothing published, until [`recover`](Self::recover); what arrives is decrypted as far as
    /// the old state can.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn restored(&mut self) -> Result<bool, Error> {
        self.ask(|call| Ok(call.is_restored()))
    }

    /// The app or a person knows that the store was put back from a copy: it counts as restored from
    /// here on. Without an [`Anchor`] this cannot always be proven; call it before going online, so that
    /// what the server holds can be received and nothing is encrypted, and then
    /// [`recover`](Self::recover). Where it is known already, or the device is being removed, this does
    /// nothing.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn put_back(&mut self) -> Result<Output, Error> {
        self.call(|call| call.mark_restored(RestoreProof::Said))
    }

    /// Makes an account of a store that was put back fit for use again: the identity key, the device
    /// id, all decisions about keys and all messages stay, so that nobody sees a new fingerprint;
    /// sessions and one-time keys are made anew. The new bundle is published as soon as we are
    /// online. Then every listed device of ours and of those we know that we had a session with gets
    /// an empty message in a new one, in each protocol. [`Event::Recovered`] says that the bundle is
    /// out; an [`Event::SessionReplaced`] or [`Event::SessionNotReplaced`] comes for each device.
    ///
    /// Messages that others sent on the old sessions, or to the old bundle, and that have not been
    /// read when this is called can never be read: receive what the server holds first.
    ///
    /// When the library has noticed nothing and the app knows that it put its data back from a copy,
    /// call [`put_back`](Self::put_back) first.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::Anchor`] when the anchor cannot be used;
    /// [`CallerError::Removed`](crate::CallerError::Removed) for a device that is being removed.
    pub fn recover(&mut self) -> Result<Output, Error> {
        let beyond = self.take_anchor_over()?;
        self.call(move |call| call.recover(beyond))
    }

    /// Makes the anchor ours, and gives the generation that is beyond all that it has seen.
    fn take_anchor_over(&mut self) -> Result<u64, Error> {
        let Some(anchor) = self.environment.anchor() else {
            return Ok(0);
        };
        let ours = Anchored::new(self.me.identity.public(), self.generation);
        let found = anchor.read()?.map(Anchored::from_bytes);
        let known = found.filter(|found| found.is_same_store(ours));
        if known.is_none() {
            anchor.write(&ours.to_bytes())?;
        }
        self.anchor_is_ours = true;
        Ok(known.map_or(0, |known| known.generation))
    }

    /// After a commit: the anchor learns of it. Should it know of a later one, the store went back
    /// under our hands, and nothing of the call may leave.
    pub(super) fn keep_anchor(&mut self, output: &mut Output) {
        match self.raise_anchor() {
            Ok(None) => {}
            Ok(Some(events)) => {
                output.stanzas.clear();
                output.events.extend(events);
            }
            Err(error) => output.events.push(failed(&error)),
        }
    }

    /// Writes the anchor while the store is held, so that no other handle does so meanwhile; gives
    /// what there is to say when the store turns out to be older.
    fn raise_anchor(&mut self) -> Result<Option<Vec<Event>>, Error> {
        let now = self.environment.now();
        let (randomness, anchor) = self.environment.parts();
        let Some(anchor) = anchor else {
            return Ok(None);
        };
        let tx = self.store.begin(&self.me.jid)?;
        let Some(row) = tx.account()? else {
            return Ok(None);
        };
        if row.standing == Standing::Restored {
            return Ok(None);
        }
        let ours = Anchored::new(self.me.identity.public(), row.generation);
        let found = anchor.read()?.map(Anchored::from_bytes);
        let proof = found
            .filter(|_| self.anchor_is_ours)
            .and_then(|found| older_than(ours, found));
        let Some(proof) = proof else {
            anchor.write(&ours.to_bytes())?;
            self.anchor_is_ours = true;
            return Ok(None);
        };
        let stream = self.stream.clone();
        let mut call = Call::new(tx, &self.me, &self.settings, stream, now, randomness)?;
        call.mark_restored(proof)?;
        let Finished { output, stream, .. } = call.finish()?;
        if let Some(stream) = stream {
            self.stream = stream;
        }
        Ok(Some(output.events))
    }
}
