//! Which messages still have stanzas that the server has not acknowledged.

use std::collections::HashMap;

use omemo::Ticket;

/// The tickets on their way, each with the app's id of its message.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    messages: HashMap<Ticket, String>,
}

impl Flight {
    /// A stanza is handed to the network.
    pub(crate) fn departs(&mut self, ticket: Ticket, message: &str) {
        self.messages.insert(ticket, message.to_owned());
    }

    /// The server has these; the result names the messages that it now has as a whole.
    pub(crate) fn arrived(&mut self, tickets: &[Ticket]) -> Vec<String> {
        let mut whole = Vec::new();
        for ticket in tickets {
            if let Some(message) = self.messages.remove(ticket)
                && !message.is_empty()
                && self.messages.values().all(|other| *other != message)
            {
                whole.push(message);
            }
        }
        whole
    }

    /// The stream is gone for good; what is missing will be handed out again.
    pub(crate) fn forget(&mut self) {
        self.messages.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_arrived_with_its_last_stanza() {
        let mut flight = Flight::default();
        let [one, two, three] = [1, 2, 3].map(Ticket::new);
        flight.departs(one, "m1");
        flight.departs(two, "m1");
        flight.departs(three, "m2");
        assert!(flight.arrived(&[one]).is_empty());
        assert_eq!(flight.arrived(&[two, three]), ["m1", "m2"]);
        assert!(flight.arrived(&[two]).is_empty());
    }
}
