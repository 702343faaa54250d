//! What a stanza is to us, read from the stanza alone.

use omemo_ratchet::Version;

use crate::protocol::{self, Protocol};
use crate::stanza::iq::{Iq, IqKind};
use crate::stanza::message::MessageKind;
use crate::stanza::muc::News;
use crate::stanza::party::Party;
use crate::stanza::pubsub::{self, EventKind};
use crate::stanza::wrapper::{self, Received, Route};
use crate::{BareJid, Element};

/// What a stanza is to us. One without anything of ours never touches the store.
pub(crate) enum Input<'a> {
    /// An answer, perhaps to a question of ours.
    Answer(Iq<'a>),
    /// An event of a node with a device list.
    Push {
        protocol: &'static Protocol,
        jid: BareJid,
        event: EventKind<'a>,
    },
    /// A message with encrypted elements.
    Encrypted {
        received: Received<'a>,
        blocks: Vec<(&'static Protocol, &'a Element)>,
    },
    /// An encrypted message in a wrapping that must not be believed.
    Forged {
        protocol: &'static Protocol,
        from: BareJid,
        reason: String,
    },
    /// A presence, perhaps of a room that we have entered.
    Presence(&'a Element),
    /// What a room says about itself and its members.
    RoomNotice { room: BareJid, news: News },
    /// A message that came back as an error.
    Bounce { received: Received<'a>, id: &'a str },
}

impl<'a> Input<'a> {
    /// Reads a stanza; `None` when nothing in it is ours.
    pub(crate) fn read(
        stanza: &'a Element,
        own: &BareJid,
        spoken: &[Version],
        entered: &dyn Fn(&BareJid) -> bool,
    ) -> Option<Self> {
        match stanza.name() {
            "iq" => Iq::parse(stanza)
                .ok()
                .filter(|iq| matches!(iq.kind, IqKind::Result | IqKind::Error))
                .map(Self::Answer),
            "message" => Self::read_message(stanza, own, spoken, entered),
            "presence" => Some(Self::Presence(stanza)),
            _ => None,
        }
    }

    fn read_message(
        stanza: &'a Element,
        own: &BareJid,
        spoken: &[Version],
        entered: &dyn Fn(&BareJid) -> bool,
    ) -> Option<Self> {
        let received = match wrapper::unwrap(stanza, own, entered) {
            Ok(received) => received,
            Err(error) => return Self::forged(stanza, own, &error.to_string()),
        };
        if received.kind == MessageKind::Error {
            let id = received.id?;
            return Some(Self::Bounce { received, id });
        }
        let mut blocks = blocks(received.message);
        blocks.retain(|(protocol, _)| spoken.contains(&protocol.version));
        if !blocks.is_empty() {
            return Some(Self::Encrypted { received, blocks });
        }
        if let Some(Party::Bare(room)) = &received.from
            && received.route == Route::Direct
            && entered(room)
        {
            let news = News::read(received.message)?;
            let room = room.clone();
            return Some(Self::RoomNotice { room, news });
        }
        let event = pubsub::event(received.message).ok()??;
        let protocol = protocol::with_devices_node(event.node)
            .filter(|protocol| spoken.contains(&protocol.version))?;
        // events count from the account that owns the node, and never out of a wrapping
        let jid = match &received.from {
            None => own.clone(),
            Some(Party::Bare(jid)) => jid.clone(),
            Some(Party::Full(_)) => return None,
        };
        (received.route == Route::Direct).then_some(Self::Push {
            protocol,
            jid,
            event: event.kind,
        })
    }

    fn forged(stanza: &'a Element, own: &BareJid, reason: &str) -> Option<Self> {
        let protocol = find_encrypted(stanza, 6)?;
        let from = Party::read(stanza, "message", "from").ok()?;
        Some(Self::Forged {
            protocol,
            from: from.map_or_else(|| own.clone(), |party| party.bare()),
            reason: reason.to_owned(),
        })
    }
}

/// The encrypted elements of a message.
fn blocks(message: &Element) -> Vec<(&'static Protocol, &Element)> {
    message
        .children()
        .filter(|child| child.name() == "encrypted")
        .filter_map(|child| Some((protocol::with_namespace(&child.ns())?, child)))
        .collect()
}

fn find_encrypted(element: &Element, depth: usize) -> Option<&'static Protocol> {
    if let Some((protocol, _)) = blocks(element).first() {
        return Some(protocol);
    }
    let depth = depth.checked_sub(1)?;
    element
        .children()
        .find_map(|child| find_encrypted(child, depth))
}
