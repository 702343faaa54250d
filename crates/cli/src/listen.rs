//! `omemo listen`: prints what others send, and answers if it is told to.

use std::collections::HashSet;
use std::future::pending;
use std::time::Duration;

use omemo::{Chat, InboxId, Message, Outgoing};
use omemo_tokio::Event;

use crate::args::Listen;
use crate::failure::Failure;
use crate::happening::Happening;
use crate::home::Home;
use crate::live::{Live, password};
use crate::report::{Report, note};
use crate::room::{Place, enter};
use crate::send::message_id;

/// How our answers begin; what begins so is not answered, or two that listen would never stop.
const ECHO: &str = "echo: ";

/// How long the last answers may take to reach the server.
const FAREWELL: Duration = Duration::from_secs(30);

/// Listens to everybody, or to one room.
pub(crate) async fn listen(
    home: &Home,
    options: &Listen,
    place: Option<&Place>,
    report: Report,
) -> Result<(), Failure> {
    let account = home.account()?;
    let password = password(home)?;
    let mut stop = Stop::new(options.seconds)?;
    let mut listener = Listener {
        live: Live::start(home, account, password)?,
        home,
        place,
        report,
        echo: options.echo,
        left: options.count,
        printed: HashSet::new(),
        answers: HashSet::new(),
    };
    listener.run(&mut stop).await?;
    listener.live.quit().await
}

struct Listener<'a> {
    live: Live<'a>,
    home: &'a Home,
    /// The room that is listened to, if it is one.
    place: Option<&'a Place>,
    report: Report,
    echo: bool,
    /// How many messages are still to come, if that matters.
    left: Option<u64>,
    printed: HashSet<InboxId>,
    /// The ids of answers that the server does not have yet.
    answers: HashSet<String>,
}

impl Listener<'_> {
    /// Prints until enough was printed, or until it is told to stop. A message that was begun is
    /// finished, so that none is printed twice.
    async fn run(&mut self, stop: &mut Stop) -> Result<(), Failure> {
        let ready = tokio::select! {
            ready = self.live.online() => ready?,
            () = stop.wait() => return Ok(()),
        };
        self.report
            .ready(self.home.jid(), ready.device, &ready.fingerprint)?;
        if let Some(place) = self.place {
            tokio::select! {
                entered = enter(&mut self.live, self.home, place, self.report) => entered?,
                () = stop.wait() => return Ok(()),
            }
        }
        let waiting = self.live.client.ask(omemo::Account::unacknowledged).await?;
        for message in &waiting {
            self.message(message).await?;
        }
        while self.left != Some(0) {
            let event = tokio::select! {
                event = self.live.next() => event?,
                () = stop.wait() => return Ok(()),
            };
            self.event(event).await?;
        }
        // The last answers still have to reach the server.
        let patience = tokio::time::Instant::now() + FAREWELL;
        while !self.answers.is_empty() {
            let event = tokio::select! {
                event = self.live.next() => event?,
                () = stop.signal() => return Ok(()),
                () = tokio::time::sleep_until(patience) => {
                    return Err(Failure::told("the last answers could not be sent in time"));
                }
            };
            self.settle(&event);
        }
        Ok(())
    }

    async fn event(&mut self, event: Event) -> Result<(), Failure> {
        self.settle(&event);
        match event {
            Event::Account(omemo::Event::Message(message)) => self.message(&message).await,
            Event::Account(omemo::Event::Undecryptable {
                from,
                device,
                version,
                reason,
                ..
            }) => Ok(self.report.undecryptable(&from, device, version, &reason)?),
            Event::Account(event) => match Happening::of(&event) {
                Some(happening) => Ok(self.report.happening(&happening)?),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Prints a message once; then it has been handed over and leaves the inbox.
    async fn message(&mut self, message: &Message) -> Result<(), Failure> {
        let is_meant = self
            .place
            .is_none_or(|place| message.chat == Chat::Room(place.room.clone()));
        if self.left == Some(0) || !is_meant || !self.printed.insert(message.inbox_id) {
            return Ok(());
        }
        // Typing notices and the like have no body.
        if let Some(body) = message.body() {
            self.report.message(message, &body)?;
            self.left = self.left.map(|left| left.saturating_sub(1));
            if self.echo && message.from.jid != *self.home.jid() && !body.starts_with(ECHO) {
                self.answer(message, &body).await?;
            }
        }
        self.live.client.acknowledge(vec![message.inbox_id]).await?;
        Ok(())
    }

    async fn answer(&mut self, message: &Message, body: &str) -> Result<(), Failure> {
        let id = message_id()?;
        let chat = match &message.chat {
            // one that is not listened to was not joined
            Chat::Room(_) if self.place.is_none() => return Ok(()),
            Chat::Room(_) => message.chat.clone(),
            _ => Chat::Direct(message.from.jid.clone()),
        };
        let outgoing = Outgoing::text(id.clone(), chat, &format!("{ECHO}{body}"));
        self.live.client.send(outgoing).await?;
        self.answers.insert(id);
        Ok(())
    }

    /// Strikes off the answers that are done with.
    fn settle(&mut self, event: &Event) {
        match event {
            Event::Sent { id } => {
                self.answers.remove(id);
            }
            Event::Account(omemo::Event::Refused { id, unserved, .. })
                if self.answers.remove(id) =>
            {
                let reasons: Vec<_> = unserved.iter().map(ToString::to_string).collect();
                note(&format!("An answer was not sent: {}.", reasons.join("; ")));
            }
            Event::Account(omemo::Event::Unsent { id, reason, .. }) if self.answers.remove(id) => {
                note(&format!("An answer was given up: {reason}."));
            }
            _ => {}
        }
    }
}

/// What ends listening from outside: a signal or the time.
struct Stop {
    deadline: Option<tokio::time::Instant>,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    fn new(seconds: Option<u64>) -> Result<Self, Failure> {
        #[cfg(unix)]
        let on = |kind| {
            tokio::signal::unix::signal(kind)
                .map_err(|error| Failure::told(format!("signals cannot be caught: {error}")))
        };
        Ok(Self {
            deadline: seconds
                .and_then(|s| tokio::time::Instant::now().checked_add(Duration::from_secs(s))),
            #[cfg(unix)]
            terminate: on(tokio::signal::unix::SignalKind::terminate())?,
            #[cfg(unix)]
            interrupt: on(tokio::signal::unix::SignalKind::interrupt())?,
        })
    }

    async fn wait(&mut self) {
        let deadline = self.deadline;
        let time_is_up = async move {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = time_is_up => {}
            () = self.signal() => {}
        }
    }

    #[cfg(unix)]
    async fn signal(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn signal(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    }
}
