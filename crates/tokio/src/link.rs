//! One stream that is bound to a resource: elements go out and come in, and the server's receipts
//! are kept (XEP-0198, RFC 6120 §7). Knows nothing of OMEMO.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{Sink, SinkExt, StreamExt};
use omemo::{Element, FullJid, Ticket};
use tokio_xmpp::minidom::rxml::Error as XmlError;
use tokio_xmpp::parsers::bind::{BindQuery, BindResponse};
use tokio_xmpp::parsers::stream_error::StreamError;
use tokio_xmpp::parsers::stream_features::StreamFeatures;
use tokio_xmpp::parsers::{ns, sm};
use tokio_xmpp::xmlstream::ReadError;

use crate::dial::Xml;
use crate::ledger::{Ledger, Parcel};
use crate::stanza;

/// How long the other side may take to close the stream after we did.
const CLOSING: Duration = Duration::from_secs(3);

/// A bound stream.
pub(crate) struct Link {
    xml: Xml,
    jid: FullJid,
    ledger: Ledger,
    queue: VecDeque<Parcel>,
    /// Stanzas that came while the stream was being set up.
    early: VecDeque<Element>,
    /// Stream elements and pings that go before the queue.
    urgent: VecDeque<Element>,
}

/// What comes out of a link.
#[derive(Debug)]
pub(crate) enum Arrival {
    Stanza(Element),
    /// The server has these.
    Receipts(Vec<Ticket>),
}

/// What came of closing a stream.
#[derive(Debug, Default)]
pub(crate) struct Farewell {
    /// What the server has.
    pub(crate) receipts: Vec<Ticket>,
    /// Stanzas that came to the end.
    pub(crate) late: Vec<Element>,
}

/// The stream is gone; why, for people.
#[derive(Debug)]
pub(crate) struct Lost(pub(crate) String);

/// What is left of a lost stream that may be resumed.
pub(crate) struct Suspended {
    jid: FullJid,
    ledger: Ledger,
    queue: VecDeque<Parcel>,
}

/// A link that was just set up.
pub(crate) struct Established {
    pub(crate) link: Link,
    /// It goes on where the suspended one ended.
    pub(crate) resumed: bool,
    /// What the server turned out to have received before.
    pub(crate) receipts: Vec<Ticket>,
}

impl Link {
    /// Resumes what was suspended, or binds a new resource.
    pub(crate) async fn establish(
        mut xml: Xml,
        features: &StreamFeatures,
        suspended: Option<Suspended>,
    ) -> Result<Established, Lost> {
        let managed = features.stream_management.is_some();
        let mut receipts = Vec::new();
        if let Some(suspended) = suspended.filter(|_| managed) {
            match resume(&mut xml, suspended).await? {
                Resumption::Done(suspended, early, received) => {
                    let Suspended { jid, ledger, queue } = *suspended;
                    let link = Self::new(xml, jid, ledger, queue, early);
                    return Ok(Established {
                        link,
                        resumed: true,
                        receipts: received,
                    });
                }
                Resumption::Refused(received) => receipts = received,
            }
        }
        let mut early = VecDeque::new();
        let jid = bind(&mut xml, &mut early).await?;
        let ledger = if managed {
            enable(&mut xml, &mut early).await?
        } else {
            Ledger::pinged()
        };
        let link = Self::new(xml, jid, ledger, VecDeque::new(), early);
        Ok(Established {
            link,
            resumed: false,
            receipts,
        })
    }

    const fn new(
        xml: Xml,
        jid: FullJid,
        ledger: Ledger,
        queue: VecDeque<Parcel>,
        early: VecDeque<Element>,
    ) -> Self {
        Self {
            xml,
            jid,
            ledger,
            queue,
            early,
            urgent: VecDeque::new(),
        }
    }

    /// The resource we are.
    pub(crate) const fn jid(&self) -> &FullJid {
        &self.jid
    }

    /// Puts a stanza into the queue.
    pub(crate) fn send(&mut self, element: Element, ticket: Option<Ticket>) {
        self.queue.push_back(Parcel { element, ticket });
    }

    /// Writes what waits and waits for what comes. May be dropped at any point.
    pub(crate) async fn next(&mut self) -> Result<Arrival, Lost> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    /// What can be resumed later.
    pub(crate) fn suspend(self) -> Option<Suspended> {
        self.ledger.resumable()?;
        Some(Suspended {
            jid: self.jid,
            ledger: self.ledger,
            queue: self.queue,
        })
    }

    /// Writes what waits and closes the stream in good order. What the server sends until it has
    /// closed its side counts for it as delivered, so it must not be lost (RFC 6120 §4.4).
    pub(crate) async fn close(mut self) -> Farewell {
        let mut farewell = Farewell {
            receipts: Vec::new(),
            late: self.early.drain(..).collect(),
        };
        self.urgent.extend(self.ledger.answer());
        let end = self.await_footer(&mut farewell);
        if let Ok(Ok(())) = tokio::time::timeout(CLOSING, end).await {
            farewell.receipts.extend(self.ledger.closed());
        }
        farewell
    }

    async fn await_footer(&mut self, farewell: &mut Farewell) -> Result<(), Lost> {
        std::future::poll_fn(|cx| self.poll_written(cx))
            .await
            .map_err(|error| lost(&error))?;
        self.xml.shutdown().await.map_err(|error| lost(&error))?;
        loop {
            match self.xml.next().await {
                Some(Ok(element)) => match self.sort(element)? {
                    Some(Arrival::Stanza(stanza)) => farewell.late.push(stanza),
                    Some(Arrival::Receipts(receipts)) => farewell.receipts.extend(receipts),
                    None => {}
                },
                Some(Err(ReadError::SoftTimeout)) => {}
                Some(Err(ReadError::StreamFooterReceived)) => return Ok(()),
                Some(Err(error)) => return Err(unreadable(&error)),
                None => return Err(Lost("the server closed the connection".into())),
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Arrival, Lost>> {
        if let Some(stanza) = self.early.pop_front() {
            return Poll::Ready(Ok(Arrival::Stanza(stanza)));
        }
        loop {
            // Writing must not keep us from reading, or both sides could wait for each other.
            if let Poll::Ready(Err(error)) = self.poll_written(cx) {
                return Poll::Ready(Err(lost(&error)));
            }
            let element = match ready!(self.xml.poll_next_unpin(cx)) {
                Some(Ok(element)) => element,
                Some(Err(ReadError::SoftTimeout)) => {
                    self.urgent.push_back(self.probe());
                    continue;
                }
                Some(Err(error)) => return Poll::Ready(Err(unreadable(&error))),
                None => return Poll::Ready(Err(Lost("the server closed the connection".into()))),
            };
            if let Some(arrival) = self.sort(element)? {
                return Poll::Ready(Ok(arrival));
            }
        }
    }

    /// Ready when everything that waited is with the operating system.
    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(Sink::<&Element>::poll_ready(Pin::new(&mut self.xml), cx))?;
            if let Some(element) = self.urgent.pop_front() {
                Pin::new(&mut self.xml).start_send(&element)?;
            } else if let Some(parcel) = self.queue.pop_front() {
                Pin::new(&mut self.xml).start_send(&parcel.element)?;
                self.ledger.wrote(parcel);
            } else if let Some(question) = self.ledger.question() {
                Pin::new(&mut self.xml).start_send(&question)?;
            } else {
                break;
            }
        }
        Sink::<&Element>::poll_flush(Pin::new(&mut self.xml), cx)
    }

    /// "Are you still there?"
    fn probe(&self) -> Element {
        if self.ledger.answer().is_some() {
            stanza::sm_request()
        } else {
            stanza::ping(&stanza::random_id())
        }
    }

    /// Keeps what belongs to the stream and lets stanzas through.
    fn sort(&mut self, element: Element) -> Result<Option<Arrival>, Lost> {
        if element.has_ns(ns::JABBER_CLIENT) {
            self.ledger.handled();
            let receipts = stanza::answered_id(&element).and_then(|id| self.ledger.ponged(id));
            return Ok(Some(match receipts {
                Some(receipts) => Arrival::Receipts(receipts),
                None => Arrival::Stanza(element),
            }));
        }
        if element.has_ns(ns::STREAM) {
            return Err(stream_error(element));
        }
        match sm::Nonza::try_from(element) {
            Ok(sm::Nonza::Req(_)) => {
                self.urgent.extend(self.ledger.answer());
                Ok(None)
            }
            Ok(sm::Nonza::Ack(ack)) => match self.ledger.acknowledged(ack.h) {
                Ok(receipts) if receipts.is_empty() => Ok(None),
                Ok(receipts) => Ok(Some(Arrival::Receipts(receipts))),
                Err(_) => Err(Lost("the server acknowledged what was not sent".into())),
            },
            Ok(_) | Err(_) => Ok(None),
        }
    }
}

enum Resumption {
    Done(Box<Suspended>, VecDeque<Element>, Vec<Ticket>),
    Refused(Vec<Ticket>),
}

async fn resume(xml: &mut Xml, mut suspended: Suspended) -> Result<Resumption, Lost> {
    let Some((id, h)) = suspended.ledger.resumable() else {
        return Ok(Resumption::Refused(Vec::new()));
    };
    let previd = sm::StreamId(id.to_owned());
    write(xml, sm::Resume { h, previd }).await?;
    let mut early = VecDeque::new();
    match answer(xml, &mut early, |element| element.has_ns(ns::SM)).await {
        Ok(element) => match sm::Nonza::try_from(element) {
            Ok(sm::Nonza::Resumed(resumed)) => {
                let receipts = suspended
                    .ledger
                    .acknowledged(resumed.h)
                    .map_err(|_| Lost("the server acknowledged what was not sent".into()))?;
                let mut queue = suspended.ledger.unacknowledged();
                queue.append(&mut suspended.queue);
                suspended.queue = queue;
                Ok(Resumption::Done(Box::new(suspended), early, receipts))
            }
            Ok(sm::Nonza::Failed(failed)) => Ok(Resumption::Refused(
                failed
                    .h
                    .and_then(|h| suspended.ledger.acknowledged(h).ok())
                    .unwrap_or_default(),
            )),
            _ => Err(Lost(
                "the server's answer to <resume/> makes no sense".into(),
            )),
        },
        Err(lost) => Err(lost),
    }
}

async fn bind(xml: &mut Xml, early: &mut VecDeque<Element>) -> Result<FullJid, Lost> {
    let id = stanza::random_id();
    write(xml, stanza::iq_set(&id, BindQuery::new(None))).await?;
    let reply = answer(xml, early, |element| {
        stanza::answered_id(element) == Some(id.as_str())
    })
    .await?;
    reply
        .get_child("bind", ns::BIND)
        .cloned()
        .and_then(|bind| BindResponse::try_from(bind).ok())
        .map(tokio_xmpp::jid::FullJid::from)
        .and_then(|jid| FullJid::parse(jid.as_str()).ok())
        .ok_or_else(|| Lost("the server gave us no resource".into()))
}

async fn enable(xml: &mut Xml, early: &mut VecDeque<Element>) -> Result<Ledger, Lost> {
    write(xml, sm::Enable::new().with_resume()).await?;
    let element = answer(xml, early, |element| element.has_ns(ns::SM)).await?;
    Ok(match sm::Nonza::try_from(element) {
        Ok(sm::Nonza::Enabled(enabled)) => {
            Ledger::managed(enabled.id.filter(|_| enabled.resume).map(|id| id.0))
        }
        _ => Ledger::pinged(),
    })
}

async fn write(xml: &mut Xml, element: impl Into<Element>) -> Result<(), Lost> {
    xml.send(&element.into())
        .await
        .map_err(|error| lost(&error))
}

/// Waits for the one that is `wanted`; other stanzas that come first are kept.
async fn answer(
    xml: &mut Xml,
    early: &mut VecDeque<Element>,
    wanted: impl Fn(&Element) -> bool,
) -> Result<Element, Lost> {
    loop {
        match xml.next().await {
            Some(Ok(element)) if wanted(&element) => return Ok(element),
            Some(Ok(element)) if element.has_ns(ns::STREAM) => return Err(stream_error(element)),
            // What comes before stream management is on does not count in it.
            Some(Ok(element)) if element.has_ns(ns::JABBER_CLIENT) => early.push_back(element),
            Some(Ok(_)) => {}
            Some(Err(ReadError::SoftTimeout)) => {}
            Some(Err(error)) => return Err(unreadable(&error)),
            None => return Err(Lost("the server closed the connection".into())),
        }
    }
}

fn lost(error: &io::Error) -> Lost {
    let in_the_middle = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<XmlError>())
        .is_some_and(|error| matches!(error, XmlError::InvalidEof(_)));
    Lost(match error.kind() {
        io::ErrorKind::TimedOut => "the server fell silent".into(),
        io::ErrorKind::UnexpectedEof => "the connection was cut".into(),
        _ if in_the_middle => "the connection was cut".into(),
        _ => error.to_string(),
    })
}

fn unreadable(error: &ReadError) -> Lost {
    Lost(match error {
        ReadError::StreamFooterReceived => "the server closed the stream".into(),
        ReadError::HardError(error) => return lost(error),
        other => other.to_string(),
    })
}

fn stream_error(element: Element) -> Lost {
    match StreamError::try_from(element) {
        Ok(error) => Lost(format!("the server ended the stream: {error}")),
        Err(_) => Lost("the server ended the stream with an error".into()),
    }
}

#[cfg(test)]
mod tests;
