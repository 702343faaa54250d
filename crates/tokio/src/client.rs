//! The handle by which an app speaks to its running account.

use omemo::store::Store;
use omemo::{Account, BareJid, Element, InboxId, Outgoing, Output};
use tokio::sync::{mpsc, oneshot};

use crate::{Archive, Error};

/// Something to do with the account; what comes of it is sent.
pub(crate) type Call<S> = Box<dyn FnOnce(&mut Account<S>) -> Option<Output> + Send>;

/// What the app asks of the driver.
pub(crate) enum Command<S> {
    /// Do something with the account and send what comes of it.
    Call(Call<S>),
    /// Be in a room from now on.
    Join(Join),
    /// Be in a room no more.
    Leave(BareJid),
    /// Ask somebody something of the app's own.
    Request(Element, oneshot::Sender<Element>),
    /// Close the stream in good order and end.
    Quit,
}

/// A room to be in.
pub(crate) struct Join {
    pub(crate) room: BareJid,
    pub(crate) nick: String,
    pub(crate) archive: Archive,
    pub(crate) done: oneshot::Sender<Result<(), Error>>,
}

/// Speaks to an account that a [`Driver`](crate::Driver) runs; cheap to clone.
pub struct Client<S> {
    commands: mpsc::Sender<Command<S>>,
}

impl<S: Store + 'static> Client<S> {
    pub(crate) const fn new(commands: mpsc::Sender<Command<S>>) -> Self {
        Self { commands }
    }

    /// Any call that ends in an [`Output`], which the driver sends.
    ///
    /// # Errors
    /// [`Error::Account`] when the call fails, [`Error::Ended`] when the driver has ended.
    pub async fn call<F>(&self, call: F) -> Result<(), Error>
    where
        F: FnOnce(&mut Account<S>) -> Result<Output, omemo::Error> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let work = move |account: &mut Account<S>| match call(account) {
            Ok(output) => {
                tell.send(Ok(())).ok();
                Some(output)
            }
            Err(error) => {
                tell.send(Err(error)).ok();
                None
            }
        };
        self.command(Command::Call(Box::new(work))).await?;
        Ok(told.await.map_err(|_| Error::Ended)??)
    }

    /// Any call that only answers, such as [`Account::devices`].
    ///
    /// # Errors
    /// [`Error::Account`] when the call fails, [`Error::Ended`] when the driver has ended.
    pub async fn ask<R, F>(&self, question: F) -> Result<R, Error>
    where
        R: Send + 'static,
        F: FnOnce(&mut Account<S>) -> Result<R, omemo::Error> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let work = move |account: &mut Account<S>| {
            tell.send(question(account)).ok();
            None
        };
        self.command(Command::Call(Box::new(work))).await?;
        Ok(told.await.map_err(|_| Error::Ended)??)
    }

    /// [`Account::send`]. The events `Sealed` or `Refused` and then
    /// [`Event::Sent`](crate::Event::Sent) tell what became of it.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn send(&self, outgoing: Outgoing) -> Result<(), Error> {
        self.call(move |account| account.send(outgoing)).await
    }

    /// [`Account::inspect`].
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn inspect(&self, jid: BareJid) -> Result<(), Error> {
        self.call(move |account| account.inspect(&jid)).await
    }

    /// [`Account::acknowledge`].
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub async fn acknowledge(&self, ids: Vec<InboxId>) -> Result<(), Error> {
        self.ask(move |account| account.acknowledge(&ids)).await
    }

    /// Joins a room (XEP-0045) under this nick, now and on every new stream, until
    /// [`leave`](Self::leave). The account's events tell when messages can be sent to it, and why not
    /// ([`Account::enter`]). Messages of before come out of its archive (XEP-0313), from `archive` on,
    /// not out of its history.
    ///
    /// # Errors
    /// [`Error::Join`] for a nick that is none; else as [`call`](Self::call).
    pub async fn join(
        &self,
        room: BareJid,
        nick: impl Into<String>,
        archive: Archive,
    ) -> Result<(), Error> {
        let (done, told) = oneshot::channel();
        let nick = nick.into();
        self.command(Command::Join(Join {
            room,
            nick,
            archive,
            done,
        }))
        .await?;
        told.await.map_err(|_| Error::Ended)?
    }

    /// Leaves a room.
    ///
    /// # Errors
    /// [`Error::Ended`] when the driver has ended.
    pub async fn leave(&self, room: BareJid) -> Result<(), Error> {
        self.command(Command::Leave(room)).await
    }

    /// Asks a server or somebody else something of the app's own, such as to configure a room: an
    /// `<iq/>` of type `get` or `set`, whose id is replaced. Gives the answer, which may be an error.
    ///
    /// # Errors
    /// [`Error::NoAnswer`] when we are offline, or the connection is lost before the answer;
    /// [`Error::Ended`] when the driver has ended.
    pub async fn request(&self, iq: Element) -> Result<Element, Error> {
        let (tell, told) = oneshot::channel();
        self.command(Command::Request(iq, tell)).await?;
        told.await.map_err(|_| Error::NoAnswer)
    }

    /// Closes the stream in good order; the driver then ends. Does not wait for it.
    pub async fn quit(&self) {
        self.commands.send(Command::Quit).await.ok();
    }

    async fn command(&self, command: Command<S>) -> Result<(), Error> {
        self.commands.send(command).await.map_err(|_| Error::Ended)
    }
}

impl<S> Clone for Client<S> {
    fn clone(&self) -> Self {
        Self {
            commands: self.commands.clone(),
        }
    }
}

impl<S> std::fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
