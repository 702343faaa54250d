//! One account online: what all commands that go online share.

use std::collections::VecDeque;
use std::time::Duration;

use omemo::{Account, DeviceId, Fingerprint, Version};
use omemo_sqlite::SqliteStore;
use omemo_tokio::{Client, Driver, Event};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::failure::Failure;
use crate::happening::Happening;
use crate::home::Home;
use crate::report::note;

/// How long publishing may take once we are online.
const PUBLISHING: Duration = Duration::from_secs(90);

/// How long the server may say nothing while it sends what it holds for us.
const SILENCE: Duration = Duration::from_secs(60);

/// A running account.
pub(crate) struct Live<'a> {
    pub(crate) client: Client<SqliteStore>,
    home: &'a Home,
    events: mpsc::Receiver<Event>,
    /// Events that came while something else was waited for.
    earlier: VecDeque<Event>,
    is_published: bool,
    is_caught_up: bool,
    driver: JoinHandle<Result<(), omemo_tokio::Error>>,
}

/// Our device, as others find it.
pub(crate) struct Ready {
    pub(crate) device: DeviceId,
    pub(crate) fingerprint: Fingerprint,
}

impl<'a> Live<'a> {
    /// Starts connecting.
    pub(crate) fn start(
        home: &'a Home,
        account: Account<SqliteStore>,
        password: String,
    ) -> Result<Self, Failure> {
        let (driver, client, events) = Driver::new(account, home.connection(password)?)?;
        Ok(Self {
            client,
            home,
            events,
            earlier: VecDeque::new(),
            is_published: false,
            is_caught_up: false,
            driver: tokio::spawn(driver.run()),
        })
    }

    /// Waits until the device is published and what the server held for us has been received, so that
    /// nothing is encrypted from a store of which it would show that it was put back.
    pub(crate) async fn ready(&mut self) -> Result<Ready, Failure> {
        let ready = self.online().await?;
        self.caught_up().await?;
        if self.client.ask(Account::restored).await? {
            return Err(Failure::told(
                "this device's keys were put back to an older state, and would be used a second time. Nothing is encrypted before you run: omemo recover",
            ));
        }
        Ok(ready)
    }

    /// Waits until the device is published in all protocols that the server lets it have, or until it
    /// is clear that it is not, because its store was put back.
    pub(crate) async fn online(&mut self) -> Result<Ready, Failure> {
        let is_restored = self.client.ask(Account::restored).await?;
        if is_restored && self.earlier.is_empty() {
            // the first event says whether there is a way to the server
            let event = self.receive().await?;
            self.earlier.push_back(event);
        } else if !is_restored && !self.is_published {
            tokio::time::timeout(PUBLISHING, self.published())
                .await
                .map_err(|_| {
                    Failure::told(
                        "the server let us in, but our device could not be published in time. Try again later",
                    )
                })??;
            self.is_published = true;
        }
        let (device, fingerprint) = self
            .client
            .ask(|account| Ok((account.device(), account.fingerprint())))
            .await?;
        Ok(Ready {
            device,
            fingerprint,
        })
    }

    /// Waits until everything has arrived that was sent to us while we were away.
    pub(crate) async fn caught_up(&mut self) -> Result<(), Failure> {
        while !self.is_caught_up {
            let event = tokio::time::timeout(SILENCE, self.receive())
                .await
                .map_err(|_| {
                    Failure::told(
                        "the server does not send what it holds for us. Try again: it goes on where it has stopped",
                    )
                })??;
            self.earlier.push_back(event);
        }
        Ok(())
    }

    async fn published(&mut self) -> Result<(), Failure> {
        let mut missing = self.home.protocols().versions();
        let mut refusals = Vec::new();
        let mut is_anything_published = false;
        while !missing.is_empty() {
            let event = self.receive().await?;
            let settled = match &event {
                Event::Account(
                    omemo::Event::Published { version } | omemo::Event::Reannounced { version },
                ) => {
                    is_anything_published = true;
                    Some(*version)
                }
                Event::Account(omemo::Event::ProtocolOff { version, reason }) => {
                    refusals.push(format!("{}: {reason}", omemo::short_name(*version)));
                    Some(*version)
                }
                Event::Account(omemo::Event::Restored { .. }) => {
                    self.earlier.push_back(event);
                    return Ok(());
                }
                _ => None,
            };
            missing.retain(|version: &Version| Some(*version) != settled);
            self.earlier.push_back(event);
        }
        if is_anything_published {
            return Ok(());
        }
        Err(Failure::told(format!(
            "the server refuses our device ({}). Its PEP service must allow open nodes (XEP-0384 §7)",
            refusals.join("; ")
        )))
    }

    /// The next event. May be dropped at any point.
    pub(crate) async fn next(&mut self) -> Result<Event, Failure> {
        match self.earlier.pop_front() {
            Some(event) => Ok(event),
            None => self.receive().await,
        }
    }

    /// Closes the stream in good order.
    pub(crate) async fn quit(mut self) -> Result<(), Failure> {
        self.client.quit().await;
        while let Some(event) = self.events.recv().await {
            self.keep(&event)?;
        }
        self.ended().await
    }

    async fn receive(&mut self) -> Result<Event, Failure> {
        let Some(event) = self.events.recv().await else {
            self.ended().await?;
            return Err(omemo_tokio::Error::Ended.into());
        };
        self.keep(&event)?;
        Ok(event)
    }

    /// What every command does with an event.
    fn keep(&mut self, event: &Event) -> Result<(), Failure> {
        match event {
            Event::Archived(position) => self.home.archived(position)?,
            Event::RoomArchived { room, position } => self.home.room_archived(room, position)?,
            Event::Lost { reason, retry_in } => note(&format!(
                "The connection is gone: {reason}. Trying again in {} s.",
                retry_in.as_secs().max(1)
            )),
            Event::CaughtUp => self.is_caught_up = true,
            Event::Account(event) => tell(event),
            _ => {}
        }
        Ok(())
    }

    async fn ended(&mut self) -> Result<(), Failure> {
        match (&mut self.driver).await {
            Ok(result) => Ok(result?),
            Err(error) => Err(Failure::told(format!(
                "this is a bug in omemo, please report it: {error}"
            ))),
        }
    }
}

/// Says what a person should know, whatever the command.
pub(crate) fn tell(event: &omemo::Event) {
    if let Some(sentence) = Happening::of(event).and_then(|happening| happening.sentence) {
        note(&sentence);
    }
}

/// The password, from the environment or a person.
pub(crate) fn password(home: &Home) -> Result<String, Failure> {
    if let Ok(password) = std::env::var("OMEMO_PASSWORD") {
        return Ok(password);
    }
    rpassword::prompt_password(format!("Password of {}: ", home.jid())).map_err(|_| {
        Failure::told("there is no password: set OMEMO_PASSWORD, or start omemo in a terminal")
    })
}
