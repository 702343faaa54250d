//! Lists that nobody pushes: without a presence subscription a contact's server tells us of a new
//! device only if we subscribe to the list explicitly (XEP-0060 §6.1, XEP-0384 §5.2).

use std::time::Duration;

use omemo_ratchet::Version;

use super::Call;
use crate::protocol;
use crate::stanza::pubsub;
use crate::store::{Change, DeviceListRow, Transaction};
use crate::stream::Ask;
use crate::{BareJid, Chat, Error};

/// How often it is asked for: subscriptions get lost, and a refusal is no reason to insist.
const AGAIN: Duration = Duration::from_secs(7 * 86_400);

impl<T: Transaction> Call<'_, T> {
    /// A list was fetched for a message and was not pushed in this stream: subscribes to it, for our
    /// bare JID, so that all our clients get what follows. Only for somebody we write to in a direct
    /// chat: a room may have hundreds of members. The answer changes nothing: if there is a
    /// subscription, there will be pushes, and only they count.
    pub(super) fn subscribe_to_list(
        &mut self,
        version: Version,
        jid: &BareJid,
    ) -> Result<(), Error> {
        let chats = &self.stream.waiting;
        let wanted = chats
            .iter()
            .any(|waiting| matches!(&waiting.outgoing.chat, Chat::Direct(chat) if chat == jid));
        let pushed = self.stream.pushed.contains(&(version, jid.clone()));
        if !wanted || pushed || *jid == self.me.jid {
            return Ok(());
        }
        let Some(row) = self.tx.device_list(version, jid)? else {
            return Ok(());
        };
        if row
            .subscribed_at
            .is_some_and(|at| at <= self.now && self.now.since(at) < AGAIN)
        {
            return Ok(());
        }
        self.write(Change::PutDeviceList(DeviceListRow {
            subscribed_at: Some(self.now),
            ..row
        }))?;
        let own = self.me.jid.clone();
        let node = protocol::of(version).devices_node;
        self.ask(jid, Ask::Subscribe(version, jid.clone()), |id, to| {
            pubsub::subscribe(id, to, node, &own)
        })
    }
}
