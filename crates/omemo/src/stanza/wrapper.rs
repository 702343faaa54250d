//! Received messages, taken out of their wrapping.
//!
//! Our server hands on copies of messages: of what another device of ours sent or got (carbons,
//! XEP-0280), and from the archive (XEP-0313). Such a copy says itself who wrote the message inside,
//! so that it is believed from our own account alone; anybody else who sends one is trying to put
//! words into somebody's mouth (CVE-2017-5589 and its kin). A refused copy is refused as a whole,
//! and a copy inside a copy always. The one exception is a room that we have entered: it hands on its own
//! archive, and is believed about what was written in it.

use minidom::Element;

use super::malformed::Malformed;
use super::message::MessageKind;
use super::party::Party;
use super::stanza_error::StanzaError;
use super::{CLIENT, delay, muc, node};
use crate::{BareJid, FullJid, Timestamp};

/// The namespace of carbons (XEP-0280).
const CARBONS: &str = "urn:xmpp:carbons:2";
/// The namespace of forwarding (XEP-0297).
const FORWARD: &str = "urn:xmpp:forward:0";
/// The namespace of the archive (XEP-0313).
const ARCHIVE: &str = "urn:xmpp:mam:2";

/// A message with what is known about its way to us.
#[derive(Debug, Clone)]
pub(crate) struct Received<'a> {
    /// The message itself, without its wrapping.
    pub(crate) message: &'a Element,
    /// How it reached us.
    pub(crate) route: Route,
    /// Its type.
    pub(crate) kind: MessageKind,
    /// Its id.
    pub(crate) id: Option<&'a str>,
    /// Where it came from, as our server says; `None` is our own account, which only a message
    /// without wrapping may leave out (RFC 6120 §8.1.2.1).
    pub(crate) from: Option<Party>,
    /// Where it was sent to.
    pub(crate) to: Option<Party>,
    /// The account that wrote it. `None` when the stanza comes by a room, which writes the
    /// occupant's nick there: who that is, only the membership of the room says.
    pub(crate) sender: Option<BareJid>,
    /// When a server received it, if it came late or from the archive.
    pub(crate) delay: Option<Timestamp>,
    /// Somebody else than our own server has delayed it, or says so: whoever has the nick now need
    /// not be the one who had it then.
    pub(crate) is_history: bool,
}

/// How a message reached us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// By itself.
    Direct,
    /// As a copy of what another device of ours sent (XEP-0280 §8).
    SentCarbon,
    /// As a copy of what another device of ours received (XEP-0280 §7).
    ReceivedCarbon,
    /// From our archive (XEP-0313).
    Archive,
    /// From the archive of a room that we have entered.
    RoomArchive,
}

impl Received<'_> {
    /// The error of a message of type `error`.
    pub(crate) fn error(&self) -> Option<StanzaError> {
        (self.kind == MessageKind::Error).then(|| StanzaError::read(self.message))
    }
}

/// Takes a `<message/>` out of its wrapping. `own` is our account: what comes without a `from` comes
/// from there. `entered` knows the rooms that we have entered.
pub(crate) fn unwrap<'a>(
    stanza: &'a Element,
    own: &BareJid,
    entered: &dyn Fn(&BareJid) -> bool,
) -> Result<Received<'a>, Malformed> {
    node::expect(stanza, "message", CLIENT)?;
    let mut wrappings = stanza.children().filter_map(wrapping);
    let Some((route, wrapping)) = wrappings.next() else {
        let delay = delay::read_ours(stanza, own);
        return received(stanza, Route::Direct, delay, own, entered);
    };
    if wrappings.next().is_some() {
        return Err(Malformed::Wrapper("there are several in one stanza"));
    }
    let from = Party::read(stanza, "message", "from")?;
    let room = match from {
        Some(Party::Bare(room)) if route == Route::Archive && entered(&room) => Some(room),
        Some(from) if !from.is_account(own) => {
            return Err(Malformed::Wrapper("it does not come from our own account"));
        }
        _ => None,
    };
    let route = match room {
        Some(_) => Route::RoomArchive,
        None => route,
    };
    let forwarded = node::only_child(wrapping, "result", "forwarded", FORWARD)?
        .ok_or(Malformed::Wrapper("it forwards nothing"))?;
    let message = node::only_child(forwarded, "forwarded", "message", CLIENT)?
        .ok_or(Malformed::Wrapper("it forwards no message"))?;
    if message
        .children()
        .any(|child| self::wrapping(child).is_some())
    {
        return Err(Malformed::Wrapper("there is another copy in it"));
    }
    let stamp = delay::read(forwarded).or_else(|| delay::read_ours(message, own));
    let received = received(message, route, stamp, own, entered)?;
    if received.from.is_none() {
        return Err(Malformed::Wrapper("it does not say who wrote the message"));
    }
    if let Some(room) = room
        && !matches!(&received.from, Some(Party::Full(occupant)) if occupant.bare() == room)
    {
        return Err(Malformed::Wrapper("the room did not receive the message"));
    }
    if route == Route::SentCarbon && received.from.as_ref().map(Party::bare).as_ref() != Some(own) {
        return Err(Malformed::Wrapper("somebody else sent the message"));
    }
    Ok(received)
}

/// The kind of copy that an element of a message wraps, if it does.
fn wrapping(child: &Element) -> Option<(Route, &Element)> {
    let route = if child.is("sent", CARBONS) {
        Route::SentCarbon
    } else if child.is("received", CARBONS) {
        Route::ReceivedCarbon
    } else if child.is("result", ARCHIVE) {
        Route::Archive
    } else {
        return None;
    };
    Some((route, child))
}

fn received<'a>(
    message: &'a Element,
    route: Route,
    delay: Option<Timestamp>,
    own: &BareJid,
    entered: &dyn Fn(&BareJid) -> bool,
) -> Result<Received<'a>, Malformed> {
    let kind = MessageKind::of(message);
    let from = Party::read(message, "message", "from")?;
    // not every room marks what its occupants write in private
    let is_occupant = |jid: &FullJid| muc::is_marked(message) || entered(&jid.bare());
    let by_room = kind == MessageKind::GroupChat
        || matches!(&from, Some(Party::Full(jid)) if is_occupant(jid));
    let sender = (!by_room).then(|| from.as_ref().map_or_else(|| own.clone(), Party::bare));
    let delay = delay.or_else(|| match &from {
        Some(Party::Full(occupant)) if kind == MessageKind::GroupChat => {
            delay::read_of(message, &occupant.bare())
        }
        _ => None,
    });
    Ok(Received {
        message,
        route,
        kind,
        id: message.attr("id"),
        to: Party::read(message, "message", "to")?,
        from,
        sender,
        delay,
        is_history: delay::is_foreign(message, own),
    })
}
