//! The handle by which an app speaks to its running account.

use omemo::store::Store;
use omemo::{Account, BareJid, InboxId, Outgoing, Output};
use tokio::sync::{mpsc, oneshot};

use crate::Error;

/// Something to do with the account; what comes of it is sent.
pub(crate) type Call<S> = Box<dyn FnOnce(&mut Account<S>) -> Option<Output> + Send>;

/// What the app asks of the driver.
pub(crate) enum Command<S> {
    /// Do something with the account and send what comes of it.
    Call(Call<S>),
    /// Close the stream in good order and end.
    Quit,
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
        self.command(Box::new(move |account| match call(account) {
            Ok(output) => {
                tell.send(Ok(())).ok();
                Some(output)
            }
            Err(error) => {
                tell.send(Err(error)).ok();
                None
            }
        }))
        .await?;
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
        self.command(Box::new(move |account| {
            tell.send(question(account)).ok();
            None
        }))
        .await?;
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

    /// Closes the stream in good order; the driver then ends. Does not wait for it.
    pub async fn quit(&self) {
        self.commands.send(Command::Quit).await.ok();
    }

    async fn command(&self, call: Call<S>) -> Result<(), Error> {
        self.commands
            .send(Command::Call(call))
            .await
            .map_err(|_| Error::Ended)
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
