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

/// A running account.
pub(crate) struct Live<'a> {
    pub(crate) client: Client<SqliteStore>,
    home: &'a Home,
    events: mpsc::Receiver<Event>,
    /// Events that came while something else was waited for.
    earlier: VecDeque<Event>,
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
            driver: tokio::spawn(driver.run()),
        })
    }

    /// Waits until the device is published in all protocols that the server lets it have.
    pub(crate) async fn ready(&mut self) -> Result<Ready, Failure> {
        tokio::time::timeout(PUBLISHING, self.published())
            .await
            .map_err(|_| {
                Failure::told(
                    "the server let us in, but our device could not be published in time. Try again later",
                )
            })??;
        let (device, fingerprint) = self
            .client
            .ask(|account| Ok((account.device(), account.fingerprint())))
            .await?;
        Ok(Ready {
            device,
            fingerprint,
        })
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
    fn keep(&self, event: &Event) -> Result<(), Failure> {
        match event {
            Event::Archived(position) => self.home.archived(position)?,
            Event::RoomArchived { room, position } => self.home.room_archived(room, position)?,
            Event::Lost { reason, retry_in } => note(&format!(
                "The connection is gone: {reason}. Trying again in {} s.",
                retry_in.as_secs().max(1)
            )),
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
fn tell(event: &omemo::Event) {
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
