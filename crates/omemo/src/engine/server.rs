//! What our server says it can do (XEP-0384 §7.1). Publishing shows most of what it cannot; here is
//! what would otherwise go unnoticed.

use super::Call;
use super::questions::Reply;
use crate::stanza::disco;
use crate::store::Transaction;
use crate::stream::Ask;
use crate::{Error, Event};

/// Items are still there after the server was started again (XEP-0060 §10).
const PERSISTENT: &str = "http://jabber.org/protocol/pubsub#persistent-items";
/// What we want a node to be like is not passed over (XEP-0060 §7.1.5).
const OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";

impl<T: Transaction> Call<'_, T> {
    /// Asks once a stream: the account itself, since some servers announce it only there.
    pub(super) fn ask_features(&mut self) -> Result<(), Error> {
        if self.stream.features_asked {
            return Ok(());
        }
        self.stream.features_asked = true;
        let me = self.me.jid.clone();
        self.ask(&me, Ask::Features, |id, _| disco::ask(id, &me))
    }

    /// A server that says nothing may do all of it.
    pub(super) fn features_answered(&mut self, reply: &Reply<'_>) {
        let Reply::Given(answer) = reply else {
            return;
        };
        if disco::names(answer, PERSISTENT) == Some(false) {
            self.server_lacks(
                "it does not announce persistent-items: our bundle may be gone when it starts again; \
                 it is looked for, and published again, with each stream",
            );
        }
        if disco::names(answer, OPTIONS) == Some(false) {
            self.server_lacks(
                "it does not announce publish-options: our nodes may be readable by some people only; \
                 they are configured instead",
            );
            for publishing in self.stream.publishing.values_mut() {
                publishing.distrust_options();
            }
        }
    }

    fn server_lacks(&mut self, requirement: &str) {
        for protocol in self.protocols() {
            self.event(Event::ServerLacks {
                version: protocol.version,
                requirement: requirement.to_owned(),
            });
        }
    }
}
