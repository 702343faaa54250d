//! The line to the server: up, being made, or waited for. A lost one is kept for resumption.

use std::time::Duration;

use futures_util::future::BoxFuture;
use omemo::Ticket;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::backoff::Backoff;
use crate::dial::dial;
use crate::link::{Arrival, Established, Farewell, Link, Lost, Suspended};
use crate::tls::Tls;
use crate::{Config, Error};

/// A line that lasted so long was a good one: the next one is tried soon.
const GOOD: Duration = Duration::from_secs(60);

pub(crate) struct Line {
    config: Config,
    tls: Tls,
    state: State,
    backoff: Backoff,
    suspended: Option<Suspended>,
}

enum State {
    Waiting(Instant),
    Dialing(BoxFuture<'static, Result<Established, Failure>>),
    Up { link: Box<Link>, since: Instant },
}

/// A line that could not be made, and what may still be resumed by the next.
struct Failure {
    error: Error,
    suspended: Option<Suspended>,
}

/// What a line does next.
pub(crate) enum Progress {
    /// It is up.
    Up {
        resumed: bool,
        receipts: Vec<Ticket>,
    },
    /// Something came.
    Arrival(Arrival),
    /// It is gone.
    Down(Lost),
    /// It could not be made.
    Failed(Error),
}

impl Line {
    /// A line that is tried at once.
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        Ok(Self {
            tls: Tls::new(config.ca_file.as_deref())?,
            config,
            state: State::Waiting(Instant::now()),
            backoff: Backoff::new(),
            suspended: None,
        })
    }

    pub(crate) fn link(&mut self) -> Option<&mut Link> {
        match &mut self.state {
            State::Up { link, .. } => Some(link),
            State::Waiting(_) | State::Dialing(_) => None,
        }
    }

    /// Ends the line in good order, if it is up.
    pub(crate) async fn close(self) -> Farewell {
        match self.state {
            State::Up { link, .. } => link.close().await,
            State::Waiting(_) | State::Dialing(_) => Farewell::default(),
        }
    }

    /// Makes the line anew, after a while; the result says how long.
    pub(crate) fn redial(&mut self) -> Duration {
        let now = Instant::now();
        if let State::Up { link, since } = std::mem::replace(&mut self.state, State::Waiting(now)) {
            self.suspended = link.suspend();
            if since.elapsed() > GOOD {
                self.backoff.reset();
            }
        }
        let wait = self.backoff.next();
        self.state = State::Waiting(now + wait);
        wait
    }

    /// Whether the server may still have our stream.
    pub(crate) const fn may_resume(&self) -> bool {
        self.suspended.is_some()
    }

    /// The next thing that happens. May be dropped at any point.
    pub(crate) async fn progress(&mut self) -> Progress {
        loop {
            match &mut self.state {
                State::Waiting(until) => {
                    sleep_until(*until).await;
                    let (config, tls) = (self.config.clone(), self.tls.clone());
                    let suspended = self.suspended.take();
                    self.state = State::Dialing(Box::pin(make(config, tls, suspended)));
                }
                State::Dialing(dialing) => match dialing.await {
                    Ok(Established {
                        link,
                        resumed,
                        receipts,
                    }) => {
                        self.state = State::Up {
                            link: Box::new(link),
                            since: Instant::now(),
                        };
                        return Progress::Up { resumed, receipts };
                    }
                    Err(Failure { error, suspended }) => {
                        self.suspended = suspended;
                        self.state = State::Waiting(Instant::now());
                        return Progress::Failed(error);
                    }
                },
                State::Up { link, .. } => {
                    return match link.next().await {
                        Ok(arrival) => Progress::Arrival(arrival),
                        Err(lost) => Progress::Down(lost),
                    };
                }
            }
        }
    }
}

async fn make(
    config: Config,
    tls: Tls,
    suspended: Option<Suspended>,
) -> Result<Established, Failure> {
    let domain = || config.domain().to_owned();
    let deadline = Instant::now() + config.connect_timeout;
    let late = || Error::TimedOut {
        domain: domain(),
        after: config.connect_timeout,
    };
    let dialed = timeout_at(deadline, dial(&config, &tls)).await;
    let (xml, features) = match dialed.unwrap_or_else(|_| Err(late())) {
        Ok(dialed) => dialed,
        Err(error) => return Err(Failure { error, suspended }),
    };
    // Whatever goes wrong from here on, the server may have given up the old stream.
    let established = timeout_at(deadline, Link::establish(xml, &features, suspended)).await;
    let error = match established {
        Ok(Ok(established)) => return Ok(established),
        Ok(Err(Lost(reason))) => Error::Broken {
            domain: domain(),
            reason,
        },
        Err(_) => late(),
    };
    Err(Failure {
        error,
        suspended: None,
    })
}
