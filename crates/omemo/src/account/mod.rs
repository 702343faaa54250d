//! The front door: one account on one store.

mod deactivation;
mod key_transport;
mod opt_out;
mod own_devices;
mod recovery;
mod replacement;
mod rooms;

pub use deactivation::Removal;

mod trust;

use omemo_ratchet::{Fingerprint, IdentityKeyPair, Role};

use crate::engine::{Call, Finished, Input, Me, make_account, make_keys};
use crate::store::{Change, Store, Transaction};
use crate::stream::Stream;
use crate::{
    BareJid, CallerError, Device, DeviceId, Element, Environment, Error, Event, FullJid, InboxId,
    Message, Outgoing, Output, Settings, Ticket, protocol,
};

/// One device of one account: it takes every stanza that arrives and gives every stanza that has
/// to be sent.
///
/// Each call is one transaction: what it returns is already durable. The handle itself keeps only
/// what belongs to one stream, so several processes may open the same store.
///
/// See the [crate's front page](crate) for a whole conversation.
pub struct Account<S> {
    store: S,
    me: Me,
    settings: Settings,
    environment: Environment,
    device: DeviceId,
    stream: Stream,
    /// It was deactivated: the store holds nothing of it any more.
    removed: bool,
    /// The latest generation of the store that this handle has seen.
    generation: u64,
    /// The anchor holds the record of this store.
    anchor_is_ours: bool,
    /// What the next output says.
    pending: Vec<Event>,
}

impl<S: Store + 'static> Account<S> {
    /// Opens an account; on an empty store a device is made: an identity key, an id, and in each
    /// protocol a signed prekey and 100 prekeys. Nothing is published before
    /// [`online`](Self::online).
    ///
    /// # Errors
    /// [`Error::Store`], [`CallerError::Settings`] when no protocol is chosen or the label is too
    /// long (or could pass for a key).
    pub fn open(
        mut store: S,
        jid: BareJid,
        settings: Settings,
        mut environment: Environment,
    ) -> Result<Self, Error> {
        settings.check()?;
        let now = environment.now();
        let mut handle = [0; 8];
        environment.randomness().fill(Role::Handle, &mut handle)?;
        let mut tx = store.begin(&jid)?;
        let known = tx.account()?;
        let is_new = known.is_none();
        let mut row = match known {
            Some(row) => row,
            None => make_account(&mut tx, environment.randomness())?,
        };
        let identity = IdentityKeyPair::from_bytes(*row.identity);
        let present = tx.publications()?;
        let mut made = is_new;
        if settings.label.is_some() && row.label != settings.label {
            row.label.clone_from(&settings.label);
            tx.write(Change::PutAccount(row.clone()))?;
            made = true;
        }
        for version in &settings.versions {
            if present.iter().all(|row| row.version != *version) {
                make_keys(&mut tx, *version, &identity, now, environment.randomness())?;
                made = true;
            }
        }
        let met = recovery::meet(environment.anchor(), &identity, &mut row, is_new)?;
        if met.changed {
            tx.write(Change::PutAccount(row.clone()))?;
        }
        if made || met.changed {
            tx.commit()?;
        } else {
            drop(tx);
        }
        Ok(Self {
            store,
            me: Me {
                jid,
                identity,
                handle: u64::from_le_bytes(handle) >> 1,
            },
            settings,
            environment,
            device: row.device,
            stream: Stream::default(),
            removed: false,
            generation: row.generation,
            anchor_is_ours: met.holds,
            pending: met.events,
        })
    }

    /// Closes the handle and gives its store back. Waiting sends are forgotten, as in a crash.
    #[must_use]
    pub fn into_store(self) -> S {
        self.store
    }

    /// The account.
    #[must_use]
    pub const fn jid(&self) -> &BareJid {
        &self.me.jid
    }

    /// This device's id. It can only change before it is published for the first time, when the
    /// account already has a device with the same one (XEP-0384 §6).
    #[must_use]
    pub const fn device(&self) -> DeviceId {
        self.device
    }

    /// The fingerprint of this device's identity key: its Curve25519 form, 32 bytes
    /// (XEP-0384 §8).
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.me.identity.public().fingerprint()
    }

    /// What the app advertises in its entity capabilities (XEP-0115), so that servers push device
    /// lists to it (XEP-0163 §4.3).
    #[must_use]
    pub fn features(&self) -> Vec<String> {
        self.settings
            .versions
            .iter()
            .map(|version| format!("{}+notify", protocol::of(*version).devices_node))
            .collect()
    }

    /// A stream is up: publishes what has to be published, fetches our own lists, and hands out
    /// what was sealed and never confirmed as sent. With `resumed` the server has kept the stream
    /// (XEP-0198): open questions stay open, and only what this handle has not handed out goes
    /// out. Without it a catch-up is opened: call [`caught_up`](Self::caught_up) when the archive
    /// has been read, or at once where there is none.
    ///
    /// # Errors
    /// [`Error::Store`]; [`CallerError::OtherAccount`] for a JID of another account.
    pub fn online(&mut self, full_jid: FullJid, resumed: bool) -> Result<Output, Error> {
        if full_jid.bare() != self.me.jid {
            return Err(CallerError::OtherAccount {
                account: self.me.jid.clone(),
                given: full_jid.bare(),
            }
            .into());
        }
        self.call(|call| {
            let resumed = resumed && !call.stream.publishing.is_empty();
            call.stream.full_jid = Some(full_jid);
            if call.is_leaving() {
                if !resumed || call.stream.leaving.is_none() {
                    call.start_leaving();
                }
                return Ok(());
            }
            call.restart_deadlines();
            call.look_at_outbox();
            if !resumed {
                call.stream.questions.clear();
                call.stream.heard.clear();
                call.stream.pushed.clear();
                call.stream.features_asked = false;
                call.lose_rooms();
                call.forget_handed_out();
                call.open_catch_up();
                call.start_publishing();
                call.restart_removals();
            }
            Ok(())
        })
    }

    /// The stream is gone. Waiting sends stay and go on with the next [`online`](Self::online).
    pub fn offline(&mut self) {
        self.stream.full_jid = None;
    }

    /// The archive has been read: prekeys that it used are deleted, answers that are owed go out.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn caught_up(&mut self) -> Result<Output, Error> {
        self.call(|call| {
            call.close_catch_up();
            Ok(())
        })
    }

    /// Takes a stanza, any that arrives. Whatever is in it, it never makes this call fail.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn receive(&mut self, stanza: &Element) -> Result<Output, Error> {
        self.receive_all(std::slice::from_ref(stanza))
    }

    /// Takes several stanzas in one transaction, as from an archive. `consumed` is true when all
    /// of them were ours.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn receive_all(&mut self, stanzas: &[Element]) -> Result<Output, Error> {
        if self.removed {
            return Err(CallerError::Removed.into());
        }
        let jid = self.me.jid.clone();
        let inputs: Vec<Input<'_>> = stanzas
            .iter()
            .filter_map(|stanza| {
                let entered = |room: &BareJid| self.stream.is_entered(room);
                Input::read(stanza, &jid, &self.settings.versions, &entered)
            })
            .filter(|input| self.concerns_us(input))
            .collect();
        if inputs.is_empty() {
            return Ok(Output {
                wake: self.stream.next_wake,
                ..Output::default()
            });
        }
        let all = inputs.len() == stanzas.len();
        self.call(|call| {
            let mut consumed = all;
            for input in inputs {
                consumed &= call.receive(input)?;
            }
            call.output.consumed = consumed;
            Ok(())
        })
    }

    /// Encrypts and hands out a message, or asks for what it lacks first and hands it out with a
    /// later call. Repeating a send with the same id does nothing twice: after a crash, repeat
    /// every send that you have not noted as sent.
    ///
    /// # Errors
    /// [`Error::Store`]; [`CallerError::Message`] when it is empty or too large.
    pub fn send(&mut self, outgoing: Outgoing) -> Result<Output, Error> {
        self.call(|call| call.send(outgoing))
    }

    /// Does what is due: rotation, retries, time-outs, and tidying up the store. Call it when
    /// `wake` of the last output has come.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn tick(&mut self) -> Result<Output, Error> {
        let output = self.call(|call| {
            call.look_at_outbox();
            Ok(())
        })?;
        // what the call has done is durable and has to go out, whatever becomes of the tidying
        if let Err(error) = self.store.tidy() {
            tracing::warn!(%error, "the store could not be tidied up; the next tick tries again");
        }
        Ok(output)
    }

    /// The network has these stanzas: acknowledged by stream management (XEP-0198), or the stream
    /// was closed in good order after them.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn sent(&mut self, tickets: &[Ticket]) -> Result<(), Error> {
        self.quiet(|call| call.sent(tickets))
    }

    /// The app has stored these messages: they leave the inbox.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn acknowledge(&mut self, ids: &[InboxId]) -> Result<(), Error> {
        self.quiet(|call| call.acknowledge(ids))
    }

    /// All messages that were not acknowledged, in order of arrival; for any process.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn unacknowledged(&mut self) -> Result<Vec<Message>, Error> {
        self.ask(|call| call.unacknowledged())
    }

    /// Fetches an account's lists and bundles without making sessions, so that people can compare
    /// fingerprints before the first message. Ends with [`Event::Inspected`](crate::Event).
    ///
    /// # Errors
    /// [`Error::Store`]; [`CallerError::Offline`]
    pub fn inspect(&mut self, jid: &BareJid) -> Result<Output, Error> {
        self.call(|call| call.inspect(jid))
    }

    /// This account may get automatic answers: they complete key exchanges and keep ratchets
    /// turning, and show that we are online. For contacts; those we write to are known anyway.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn known(&mut self, jid: &BareJid) -> Result<Output, Error> {
        self.call(|call| call.known(jid))
    }

    /// All known devices of an account, by id.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn devices(&mut self, jid: &BareJid) -> Result<Vec<Device>, Error> {
        self.ask(|call| call.devices(jid))
    }

    /// Whether a stanza can concern us at all: most answers are to the app's own questions.
    fn concerns_us(&self, input: &Input<'_>) -> bool {
        match input {
            Input::Answer(iq) => self.stream.questions.contains_key(iq.id),
            Input::Presence(presence) => self.stream.is_from_a_room(presence),
            _ => true,
        }
    }

    /// One call: one transaction, and then its output.
    fn call(
        &mut self,
        work: impl for<'c> FnOnce(&mut Call<'c, S::Transaction<'c>>) -> Result<(), Error>,
    ) -> Result<Output, Error> {
        let now = self.environment.now();
        let tx = self.store.begin(&self.me.jid)?;
        let stream = self.stream.clone();
        let randomness = self.environment.randomness();
        let mut call = Call::new(tx, &self.me, &self.settings, stream, now, randomness)?;
        call.look_back(self.generation)?;
        work(&mut call)?;
        call.due()?;
        let device = call.account.device;
        let finished = call.finish()?;
        self.device = device;
        let mut output = finished.output;
        match finished.stream {
            Some(stream) => self.stream = stream,
            None => self.erased(&mut output),
        }
        self.generation = self.generation.max(finished.generation);
        if finished.committed {
            self.keep_anchor(&mut output);
        }
        output.events.splice(0..0, self.pending.drain(..));
        Ok(output)
    }

    /// The rows are gone; what they leave behind on the disk goes too.
    fn erased(&mut self, output: &mut Output) {
        self.removed = true;
        self.stream = Stream::default();
        let Err(error) = self.store.tidy() else {
            return;
        };
        for event in &mut output.events {
            if let Event::Deactivated { incomplete } = event {
                incomplete.push(format!(
                    "deleted keys may still lie in free parts of the store's file: {error}"
                ));
            }
        }
    }

    /// A call that has no output.
    fn quiet(
        &mut self,
        work: impl for<'c> FnOnce(&mut Call<'c, S::Transaction<'c>>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let now = self.environment.now();
        let tx = self.store.begin(&self.me.jid)?;
        let randomness = self.environment.randomness();
        let stream = self.stream.clone();
        let mut call = Call::new(tx, &self.me, &self.settings, stream, now, randomness)?;
        work(&mut call)?;
        let Finished {
            generation,
            committed,
            ..
        } = call.finish()?;
        self.generation = self.generation.max(generation);
        if committed {
            let mut output = Output::default();
            self.keep_anchor(&mut output);
            self.pending.append(&mut output.events);
        }
        Ok(())
    }

    /// A call that only reads.
    fn ask<R>(
        &mut self,
        work: impl for<'c> FnOnce(&mut Call<'c, S::Transaction<'c>>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let now = self.environment.now();
        let tx = self.store.begin(&self.me.jid)?;
        let randomness = self.environment.randomness();
        let stream = self.stream.clone();
        let mut call = Call::new(tx, &self.me, &self.settings, stream, now, randomness)?;
        work(&mut call)
    }
}

impl<S> std::fmt::Debug for Account<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("domain", &self.me.jid.domain())
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}
