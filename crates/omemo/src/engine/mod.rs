//! What happens in one call: rows are loaded, pure steps of the layers below compute, changes are
//! written, and one commit makes them true before anything leaves the library.
//!
//! [`Call`] is the transaction with all that a step may use. Each file adds the steps of one
//! concern; none of them commits, and a step that fails drops everything.

mod bundles;
mod decisions;
mod devices;
mod downgrade;
mod duties;
mod inbox;
mod input;
mod leaving;
mod lists;
mod open;
mod opt_out;
mod outbox;
mod own_devices;
mod own_keys;
mod plan;
mod publish;
mod questions;
mod receive;
mod repair;
mod replace;
mod restore;
mod rooms;
mod seal;
mod seen;
mod sends;
mod server;
mod subscriptions;
mod telling;
mod trust;

use omemo_ratchet::{IdentityKeyPair, Randomness, Role};

use crate::protocol::{self, Protocol};
use crate::store::{AccountRow, Change, Transaction};
use crate::stream::Stream;
use crate::{BareJid, CallerError, DeviceId, Error, Event, Output, Settings, Timestamp};

pub(crate) use input::Input;
pub(crate) use own_keys::{make_account, make_keys};
pub(crate) use restore::leave_numbers_out;

/// What never changes while an account is open.
pub(crate) struct Me {
    pub(crate) jid: BareJid,
    pub(crate) identity: IdentityKeyPair,
    /// Names this handle among others on the same store.
    pub(crate) handle: u64,
}

/// What a call leaves behind.
pub(crate) struct Finished {
    /// What may leave the library.
    pub(crate) output: Output,
    /// What the handle remembers of its stream; `None` when every row of the account is gone.
    pub(crate) stream: Option<Stream>,
    /// The generation of the store.
    pub(crate) generation: u64,
    /// The call has changed the store.
    pub(crate) committed: bool,
}

/// One call's transaction and everything that its steps may use.
pub(crate) struct Call<'call, T> {
    pub(crate) tx: T,
    pub(crate) me: &'call Me,
    pub(crate) settings: &'call Settings,
    pub(crate) account: AccountRow,
    pub(crate) stream: Stream,
    pub(crate) now: Timestamp,
    pub(crate) randomness: &'call mut dyn Randomness,
    pub(crate) output: Output,
    written: bool,
    /// Every row of the account goes with this call.
    erased: bool,
}

impl<'call, T: Transaction> Call<'call, T> {
    pub(crate) fn new(
        tx: T,
        me: &'call Me,
        settings: &'call Settings,
        stream: Stream,
        now: Timestamp,
        randomness: &'call mut dyn Randomness,
    ) -> Result<Self, Error> {
        // another process may have removed this device, and begun a new one
        let account = tx
            .account()?
            .filter(|account| account.identity == me.identity.to_bytes())
            .ok_or(CallerError::Removed)?;
        Ok(Self {
            tx,
            me,
            settings,
            account,
            stream,
            now,
            randomness,
            output: Output::default(),
            written: false,
            erased: false,
        })
    }

    /// Commits, and gives what may leave the library; nothing is left to do for one that is erased.
    pub(crate) fn finish(mut self) -> Result<Finished, Error> {
        if self.erased {
            self.tx.write(Change::DeleteAccount)?;
            self.tx.commit()?;
            return Ok(Finished {
                output: self.output,
                stream: None,
                generation: self.account.generation,
                // an anchor would have nothing to hold; the next device takes it over
                committed: false,
            });
        }
        self.output.wake = self.wake()?;
        self.stream.next_wake = self.output.wake;
        if self.written {
            self.account.generation += 1;
        }
        let finished = Finished {
            output: self.output,
            stream: Some(self.stream),
            generation: self.account.generation,
            committed: self.written,
        };
        if finished.committed {
            self.tx.write(Change::PutAccount(self.account))?;
            self.tx.commit()?;
        }
        Ok(finished)
    }

    /// Everything that an online handle looks at with every call.
    pub(crate) fn due(&mut self) -> Result<(), Error> {
        if self.is_leaving() {
            return self.go_on_leaving();
        }
        if !self.is_online() {
            return Ok(());
        }
        self.close_expired_catch_up()?;
        self.drop_overdue_questions()?;
        if self.is_restored() {
            self.rest();
            return self.go_on_inspecting();
        }
        // another handle has recovered the account
        if self.stream.publishing.is_empty() {
            self.start_publishing();
        }
        self.maintain_own_keys()?;
        self.ask_features()?;
        self.go_on_removing()?;
        self.go_on_publishing()?;
        self.note_recovered()?;
        self.discharge_duties()?;
        // what was sealed earlier leaves earlier
        self.hand_out_outbox()?;
        self.go_on_telling()?;
        self.go_on_sending()?;
        self.go_on_inspecting()
    }

    fn wake(&self) -> Result<Option<Timestamp>, Error> {
        if self.is_leaving() {
            return Ok(self.stream.wake());
        }
        if !self.is_online() {
            return Ok(None);
        }
        // what waits for the end of the catch-up is not due before it
        let keys = if self.is_settled() && !self.is_restored() {
            self.next_maintenance()?
        } else {
            None
        };
        let catch_up = self
            .account
            .catching_up
            .map(|since| since.after(CATCH_UP_LIMIT));
        Ok(self
            .stream
            .wake()
            .into_iter()
            .chain(keys)
            .chain(catch_up)
            .min())
    }

    fn close_expired_catch_up(&mut self) -> Result<(), Error> {
        let Some(since) = self.account.catching_up else {
            return Ok(());
        };
        if self.now.since(since) >= CATCH_UP_LIMIT {
            self.close_catch_up();
            self.event(Event::CatchUpExpired);
        }
        Ok(())
    }

    /// From here on prekeys are deleted, keys rotated and answers sent again.
    pub(crate) fn close_catch_up(&mut self) {
        self.account.catching_up = None;
        self.written = true;
    }

    /// Opens the catch-up: what arrives may come from an archive.
    pub(crate) fn open_catch_up(&mut self) {
        self.account.catching_up = Some(self.now);
        self.written = true;
    }

    pub(crate) fn is_online(&self) -> bool {
        self.stream.full_jid.is_some()
    }

    /// Online and through with the archive: what was put off may be done.
    fn is_settled(&self) -> bool {
        self.is_online() && self.account.catching_up.is_none()
    }

    fn write(&mut self, change: Change) -> Result<(), Error> {
        self.written = true;
        self.tx.write(change)?;
        Ok(())
    }

    fn event(&mut self, event: Event) {
        self.output.events.push(event);
    }

    /// The next number of this account, for tickets and every other order.
    fn number(&mut self) -> u64 {
        let number = self.account.next_number;
        self.account.next_number += 1;
        self.written = true;
        number
    }

    /// The protocols that the app wants, best first.
    fn protocols(&self) -> impl Iterator<Item = &'static Protocol> + use<T> {
        self.settings.versions.clone().into_iter().map(protocol::of)
    }

    fn is_me(&self, jid: &BareJid, device: DeviceId) -> bool {
        *jid == self.me.jid && device == self.account.device
    }

    /// A random id for an IQ or an automatic answer: nobody can guess it.
    fn random_id(&mut self) -> Result<String, Error> {
        let mut bytes = [0; 16];
        self.randomness.fill(Role::StanzaId, &mut bytes)?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// How long a catch-up stays open when nobody closes it.
const CATCH_UP_LIMIT: std::time::Duration = std::time::Duration::from_secs(3600);
