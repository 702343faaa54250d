//! What the server has of what we sent: by its counters (XEP-0198), or, where it keeps none, by
//! its answer to a ping sent after the stanzas. Pure bookkeeping; no I/O.

use std::collections::VecDeque;

use omemo::{Element, Ticket};

use crate::stanza;

/// One stanza on its way to the server.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) element: Element,
    pub(crate) ticket: Option<Ticket>,
}

/// The stanzas that were written and not acknowledged yet, oldest first.
#[derive(Debug)]
pub(crate) struct Ledger {
    mode: Mode,
    written: VecDeque<Parcel>,
    /// Stanzas were written since the last question.
    curious: bool,
}

#[derive(Debug)]
enum Mode {
    Managed {
        /// With it the stream can be resumed.
        id: Option<String>,
        /// How many of ours the server has acknowledged, modulo 2³².
        acknowledged: u32,
        /// How many of the server's we have handled, modulo 2³².
        handled: u32,
    },
    Pinged {
        /// The open ping, and how many parcels were written before it.
        open: Option<(String, usize)>,
    },
}

/// The server acknowledged what was never sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Impossible;

impl Ledger {
    /// Stream management is on; with an `id` the stream can be resumed.
    pub(crate) const fn managed(id: Option<String>) -> Self {
        Self::new(Mode::Managed {
            id,
            acknowledged: 0,
            handled: 0,
        })
    }

    /// Stream management is not to be had.
    pub(crate) const fn pinged() -> Self {
        Self::new(Mode::Pinged { open: None })
    }

    const fn new(mode: Mode) -> Self {
        Self {
            mode,
            written: VecDeque::new(),
            curious: false,
        }
    }

    /// The id to resume with and how many stanzas of the server were handled.
    pub(crate) fn resumable(&self) -> Option<(&str, u32)> {
        match &self.mode {
            Mode::Managed {
                id: Some(id),
                handled,
                ..
            } => Some((id, *handled)),
            Mode::Managed { id: None, .. } | Mode::Pinged { .. } => None,
        }
    }

    /// A stanza was written.
    pub(crate) fn wrote(&mut self, parcel: Parcel) {
        match self.mode {
            Mode::Managed { .. } => {}
            // Nothing asks for the others: a ping tells nothing that is worth knowing of them.
            Mode::Pinged { .. } if parcel.ticket.is_none() => return,
            Mode::Pinged { .. } => {}
        }
        self.written.push_back(parcel);
        self.curious = true;
    }

    /// A stanza of the server was handled.
    pub(crate) fn handled(&mut self) {
        if let Mode::Managed { handled, .. } = &mut self.mode {
            *handled = handled.wrapping_add(1);
        }
    }

    /// The answer to the server's `<r/>`.
    pub(crate) fn answer(&self) -> Option<Element> {
        match self.mode {
            Mode::Managed { handled, .. } => Some(stanza::sm_answer(handled)),
            Mode::Pinged { .. } => None,
        }
    }

    /// What to ask the server with now, if there is anything to ask.
    pub(crate) fn question(&mut self) -> Option<Element> {
        if !self.curious {
            return None;
        }
        match &mut self.mode {
            Mode::Managed { .. } => {
                self.curious = false;
                Some(stanza::sm_request())
            }
            Mode::Pinged { open: Some(_) } => None,
            Mode::Pinged { open } => {
                self.curious = false;
                let id = stanza::random_id();
                let ping = stanza::ping(&id);
                *open = Some((id, self.written.len()));
                Some(ping)
            }
        }
    }

    /// `<a h=''/>`: the tickets that the server has from now on.
    pub(crate) fn acknowledged(&mut self, h: u32) -> Result<Vec<Ticket>, Impossible> {
        let Mode::Managed { acknowledged, .. } = &mut self.mode else {
            return Ok(Vec::new());
        };
        let news = usize::try_from(h.wrapping_sub(*acknowledged)).map_err(|_| Impossible)?;
        if news > self.written.len() {
            return Err(Impossible);
        }
        *acknowledged = h;
        Ok(self.take(news))
    }

    /// An IQ answer: `Some` with the tickets, when it is the one to our ping.
    pub(crate) fn ponged(&mut self, id: &str) -> Option<Vec<Ticket>> {
        let Mode::Pinged { open } = &mut self.mode else {
            return None;
        };
        let (_, covered) = open.take_if(|(asked, _)| asked == id)?;
        Some(self.take(covered))
    }

    /// The stream was closed in good order: the server has read everything.
    pub(crate) fn closed(&mut self) -> Vec<Ticket> {
        self.take(self.written.len())
    }

    /// The stream is resumed: what was not acknowledged has to be written again.
    pub(crate) fn unacknowledged(&mut self) -> VecDeque<Parcel> {
        self.curious = false;
        std::mem::take(&mut self.written)
    }

    fn take(&mut self, count: usize) -> Vec<Ticket> {
        self.written
            .drain(..count.min(self.written.len()))
            .filter_map(|parcel| parcel.ticket)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(ticket: Option<u64>) -> Parcel {
        Parcel {
            element: Element::bare("message", "jabber:client"),
            ticket: ticket.map(Ticket::new),
        }
    }

    fn tickets(numbers: &[u64]) -> Vec<Ticket> {
        numbers.iter().copied().map(Ticket::new).collect()
    }

    #[test]
    fn counters_acknowledge_in_order() {
        let mut ledger = Ledger::managed(Some("s1".into()));
        for ticket in [Some(1), None, Some(2)] {
            ledger.wrote(parcel(ticket));
        }
        assert!(ledger.question().is_some_and(|r| r.name() == "r"));
        assert!(ledger.question().is_none(), "asked once");
        assert_eq!(ledger.acknowledged(1), Ok(tickets(&[1])));
        assert_eq!(ledger.acknowledged(1), Ok(Vec::new()));
        assert_eq!(ledger.acknowledged(3), Ok(tickets(&[2])));
        assert_eq!(ledger.acknowledged(4), Err(Impossible));
        assert_eq!(ledger.acknowledged(2), Err(Impossible), "never backwards");
    }

    #[test]
    fn a_resumed_stream_gets_what_is_missing() {
        let mut ledger = Ledger::managed(Some("s1".into()));
        ledger.wrote(parcel(Some(1)));
        ledger.wrote(parcel(Some(2)));
        ledger.handled();
        assert_eq!(ledger.resumable(), Some(("s1", 1)));
        assert_eq!(ledger.acknowledged(1), Ok(tickets(&[1])));
        let again = ledger.unacknowledged();
        assert_eq!(again.len(), 1);
        for parcel in again {
            ledger.wrote(parcel);
        }
        assert_eq!(ledger.acknowledged(2), Ok(tickets(&[2])));
    }

    #[test]
    fn a_ping_covers_what_was_written_before_it() {
        let mut ledger = Ledger::pinged();
        ledger.wrote(parcel(None));
        assert!(ledger.question().is_none(), "nothing to know");
        ledger.wrote(parcel(Some(1)));
        let ping = ledger.question().unwrap();
        ledger.wrote(parcel(Some(2)));
        assert!(ledger.question().is_none(), "one ping at a time");
        assert_eq!(ledger.ponged("another"), None);
        let id = ping.attr("id").unwrap().to_owned();
        assert_eq!(ledger.ponged(&id), Some(tickets(&[1])));
        assert_eq!(ledger.ponged(&id), None);
        assert!(ledger.question().is_some());
        assert_eq!(ledger.closed(), tickets(&[2]));
        assert_eq!(ledger.resumable(), None);
    }
}
