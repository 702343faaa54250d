//! The loop that runs an account: what comes goes to the account, what the account says goes out.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use omemo::store::Store;
use omemo::{Account, BareJid, Element, Output, Ticket, Timestamp};
use tokio::sync::mpsc;

use crate::archive::Reader;
use crate::caps::Capabilities;
use crate::client::{Client, Command, Join};
use crate::flight::Flight;
use crate::line::{Line, Progress};
use crate::link::{Arrival, Lost};
use crate::requests::Requests;
use crate::rooms::Rooms;
use crate::session::{Outcome, Session};
use crate::{Config, Error, Event};

/// How many events may wait for the app, and commands for us.
const CHANNEL: usize = 256;
/// With so many events waiting we stop reading from the server until the app has caught up.
const BACKLOG: usize = 1024;
/// The longest sleep: after a suspended machine wakes up, the clock has moved on without us.
const NAP: Duration = Duration::from_secs(60);

/// Runs one account over connections to its server, until it is told to quit.
///
/// Store calls are made in the driver's task and take milliseconds; where that matters, run it on
/// a thread of its own.
pub struct Driver<S> {
    account: Account<S>,
    line: Line,
    session: Session,
    archive: Reader,
    rooms: Rooms,
    requests: Requests,
    capabilities: Capabilities,
    own: BareJid,
    commands: mpsc::Receiver<Command<S>>,
    events: mpsc::Sender<Event>,
    /// Events that the channel had no room for.
    backlog: VecDeque<Event>,
    /// Stanzas that a resumed stream may still take.
    held: VecDeque<omemo::Stanza>,
    flight: Flight,
    wake: Option<Timestamp>,
    was_online: bool,
    /// The account was deactivated: nothing is left that could take a stanza.
    is_removed: bool,
}

/// What the driver may do next.
enum Step<S> {
    Line(Progress),
    Command(Option<Command<S>>),
    Tick,
    Delivered,
}

impl<S: Store + Send + 'static> Driver<S> {
    /// Prepares the account's connection; nothing happens before [`run`](Self::run).
    ///
    /// # Errors
    /// [`Error::CaFile`] when the CA file is unusable.
    pub fn new(
        account: Account<S>,
        config: Config,
    ) -> Result<(Self, Client<S>, mpsc::Receiver<Event>), Error> {
        let (tell, events) = mpsc::channel(CHANNEL);
        let (command, commands) = mpsc::channel(CHANNEL);
        let capabilities = Capabilities::new(account.features());
        let driver = Self {
            session: Session::new(config.jid.clone(), capabilities.clone()),
            capabilities,
            own: config.jid.clone(),
            rooms: Rooms::default(),
            requests: Requests::default(),
            archive: Reader::new(config.jid.clone(), &config.archive),
            line: Line::new(config)?,
            account,
            commands,
            events: tell,
            backlog: VecDeque::new(),
            held: VecDeque::new(),
            flight: Flight::default(),
            wake: None,
            was_online: false,
            is_removed: false,
        };
        Ok((driver, Client::new(command), events))
    }

    /// Connects, and connects again whenever the connection is lost. Ends after
    /// [`Client::quit`], and after [`Deactivated`](omemo::Event::Deactivated).
    ///
    /// # Errors
    /// The first connection's [`Error`]; later only what trying again cannot cure: see
    /// [`Error::is_permanent`].
    pub async fn run(mut self) -> Result<(), Error> {
        loop {
            let step = tokio::select! {
                progress = self.line.progress(), if self.backlog.len() < BACKLOG => Step::Line(progress),
                command = self.commands.recv() => Step::Command(command),
                () = sleep_until(self.wake) => Step::Tick,
                () = deliver(&self.events, &mut self.backlog) => Step::Delivered,
            };
            match step {
                Step::Line(progress) => self.progress(progress)?,
                Step::Command(Some(Command::Call(call))) => {
                    if let Some(output) = call(&mut self.account) {
                        self.send(output);
                    }
                }
                Step::Command(Some(Command::Join(join))) => self.join(join)?,
                Step::Command(Some(Command::Leave(room))) => self.leave(&room)?,
                Step::Command(Some(Command::Request(iq, answer))) => {
                    if let Some(link) = self.line.link() {
                        link.send(self.requests.open(iq, answer), None);
                    }
                }
                Step::Command(Some(Command::Quit) | None) => return self.quit().await,
                Step::Tick if is_due(self.wake) => {
                    let output = self.account.tick()?;
                    self.send(output);
                    // Whatever is still due waits a second, or we would spin.
                    let soonest = now().after(Duration::from_secs(1));
                    self.wake = self.wake.map(|wake| wake.max(soonest));
                }
                Step::Tick | Step::Delivered => {}
            }
            if self.is_removed {
                return self.quit().await;
            }
        }
    }

    fn progress(&mut self, progress: Progress) -> Result<(), Error> {
        match progress {
            Progress::Up { resumed, receipts } => self.up(resumed, &receipts),
            Progress::Arrival(Arrival::Stanza(stanza)) => self.stanza(stanza),
            Progress::Arrival(Arrival::Receipts(tickets)) => self.receipts(&tickets),
            Progress::Down(Lost(reason)) => {
                self.lost(reason);
                Ok(())
            }
            Progress::Failed(error) if error.is_permanent() || !self.was_online => Err(error),
            Progress::Failed(error) => {
                self.lost(error.to_string());
                Ok(())
            }
        }
    }

    /// The stream is up: the account first, then what every client does.
    fn up(&mut self, resumed: bool, receipts: &[Ticket]) -> Result<(), Error> {
        let Some(jid) = self.line.link().map(|link| link.jid().clone()) else {
            return Ok(());
        };
        tracing::info!(domain = jid.bare().domain(), resumed, "online");
        self.was_online = true;
        self.receipts(receipts)?;
        let held = std::mem::take(&mut self.held);
        if resumed {
            for stanza in held {
                self.transmit(stanza);
            }
        } else {
            self.flight.forget();
        }
        self.tell(Event::Online {
            jid: jid.clone(),
            resumed,
        });
        let output = self.account.online(jid, resumed)?;
        self.send(output);
        if !resumed {
            let greeting = self.session.greet(&mut self.archive);
            self.reply(greeting);
            for room in self.rooms.jids() {
                self.enter(&room)?;
            }
        }
        Ok(())
    }

    fn join(&mut self, join: Join) -> Result<(), Error> {
        let added = self.rooms.add(&join.room, &join.nick, &join.archive);
        let is_added = added.is_ok();
        join.done.send(added.map_err(Error::from)).ok();
        // until the stream is up there is nobody to be asked; then all rooms are entered
        if is_added && self.line.link().is_some() {
            self.enter(&join.room)?;
        }
        Ok(())
    }

    /// The account first, so that it sees every presence.
    fn enter(&mut self, room: &BareJid) -> Result<(), Error> {
        let output = self.account.enter(room)?;
        self.send(output);
        self.reply(
            self.rooms
                .join(room, &self.capabilities)
                .into_iter()
                .collect(),
        );
        Ok(())
    }

    fn leave(&mut self, room: &BareJid) -> Result<(), Error> {
        let farewell = self.rooms.remove(room).into_iter().collect();
        let output = self.account.leave(room)?;
        self.send(output);
        self.reply(farewell);
        Ok(())
    }

    fn stanza(&mut self, stanza: Element) -> Result<(), Error> {
        if self.archive.keeps(&stanza) || self.rooms.keeps(&stanza) {
            return Ok(());
        }
        let output = self.account.receive(&stanza)?;
        let mut consumed = output.consumed;
        self.send(output);
        self.archive.note(&stanza);
        self.rooms.note(&stanza);
        if !consumed {
            consumed = self.requests.answered(&stanza, &self.own);
        }
        if !consumed && !self.is_removed {
            consumed = self.room_archive(&stanza)?;
        }
        if !consumed && !self.is_removed {
            let outcome = self.session.take(&stanza, &mut self.archive);
            consumed = outcome.consumed;
            self.follow(outcome)?;
        }
        if let Some(position) = self.archive.news() {
            self.tell(Event::Archived(position));
        }
        for (room, position) in self.rooms.news() {
            self.tell(Event::RoomArchived { room, position });
        }
        if !consumed {
            self.tell(Event::Stanza(stanza));
        }
        Ok(())
    }

    /// A page of a room's archive; `false` when it is none.
    fn room_archive(&mut self, stanza: &Element) -> Result<bool, Error> {
        let Some((room, answer)) = self.rooms.answered(stanza) else {
            return Ok(false);
        };
        if !answer.page.is_empty() {
            let output = self.account.receive_all(&answer.page)?;
            self.send(output);
        }
        match answer.next {
            Some(next) => self.reply(vec![next]),
            None => self.tell(Event::RoomCaughtUp { room }),
        }
        Ok(true)
    }

    /// Does what a stanza of the session leads to, as long as there is an account.
    fn follow(&mut self, outcome: Outcome) -> Result<(), Error> {
        self.reply(outcome.replies);
        if !outcome.page.is_empty() {
            let output = self.account.receive_all(&outcome.page)?;
            self.send(output);
        }
        for jid in &outcome.known {
            if self.is_removed {
                return Ok(());
            }
            let output = self.account.known(jid)?;
            self.send(output);
        }
        if outcome.caught_up && !self.is_removed {
            let output = self.account.caught_up()?;
            self.send(output);
            self.tell(Event::CaughtUp);
        }
        Ok(())
    }

    fn receipts(&mut self, tickets: &[Ticket]) -> Result<(), Error> {
        if tickets.is_empty() {
            return Ok(());
        }
        self.account.sent(tickets)?;
        for id in self.flight.arrived(tickets) {
            self.tell(Event::Sent { id });
        }
        Ok(())
    }

    fn lost(&mut self, reason: String) {
        let retry_in = self.line.redial();
        if !self.line.may_resume() {
            self.account.offline();
            self.flight.forget();
            self.held.clear();
            self.requests.forget();
        }
        tracing::info!(%reason, ?retry_in, "offline");
        self.tell(Event::Lost { reason, retry_in });
    }

    /// Sends what a call of the account gave.
    fn send(&mut self, output: Output) {
        for stanza in output.stanzas {
            self.transmit(stanza);
        }
        for event in output.events {
            self.is_removed |= matches!(event, omemo::Event::Deactivated { .. });
            if let omemo::Event::RoomReady { room, .. } = &event {
                let question = self.rooms.begin(room);
                self.reply(question.into_iter().collect());
            }
            self.tell(Event::Account(event));
        }
        self.wake = output.wake;
    }

    fn transmit(&mut self, stanza: omemo::Stanza) {
        if let Some(ticket) = stanza.ticket {
            let message = stanza.element.attr("id").unwrap_or_default();
            self.flight.departs(ticket, message);
        }
        match self.line.link() {
            Some(link) => link.send(stanza.element, stanza.ticket),
            None => self.held.push_back(stanza),
        }
    }

    fn reply(&mut self, stanzas: Vec<Element>) {
        if let Some(link) = self.line.link() {
            for stanza in stanzas {
                link.send(stanza, None);
            }
        }
    }

    fn tell(&mut self, event: Event) {
        self.backlog.push_back(event);
    }

    async fn quit(self) -> Result<(), Error> {
        let Self {
            line,
            mut account,
            mut flight,
            mut backlog,
            events,
            is_removed,
            ..
        } = self;
        let farewell = line.close().await;
        tracing::info!(
            receipts = farewell.receipts.len(),
            late = farewell.late.len(),
            "closed"
        );
        if !is_removed {
            account.sent(&farewell.receipts)?;
            // What this gives to send stands in the outbox for the next time.
            let output = account.receive_all(&farewell.late)?;
            account.offline();
            backlog.extend(output.events.into_iter().map(Event::Account));
        }
        backlog.extend(
            flight
                .arrived(&farewell.receipts)
                .into_iter()
                .map(|id| Event::Sent { id }),
        );
        for event in backlog {
            // An app that reads no events any more wants none; messages stay in the inbox.
            if events.try_send(event).is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Hands one event to the app, as soon as it has room.
async fn deliver(events: &mpsc::Sender<Event>, backlog: &mut VecDeque<Event>) {
    if backlog.is_empty() {
        return std::future::pending().await;
    }
    match events.reserve().await {
        Ok(permit) => {
            if let Some(event) = backlog.pop_front() {
                permit.send(event);
            }
        }
        // The app listens no more, which is its right.
        Err(_) => backlog.clear(),
    }
}

async fn sleep_until(wake: Option<Timestamp>) {
    match wake {
        Some(wake) => tokio::time::sleep(wake.since(now()).min(NAP)).await,
        None => std::future::pending().await,
    }
}

fn is_due(wake: Option<Timestamp>) -> bool {
    wake.is_some_and(|wake| wake <= now())
}

fn now() -> Timestamp {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    Timestamp::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}

impl<S> std::fmt::Debug for Driver<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}
