//! `<message/>` itself (RFC 6121 §5.2).

use minidom::Element;

use super::{CLIENT, node};
use crate::{BareJid, Chat};

/// The type of a `<message/>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageKind {
    /// `normal`, also when the type is absent or unknown (RFC 6121 §5.2.2).
    Normal,
    /// `chat`
    Chat,
    /// `groupchat`
    GroupChat,
    /// `headline`
    Headline,
    /// `error`: one of ours came back.
    Error,
}

impl MessageKind {
    /// The type of a stanza.
    pub(crate) fn of(message: &Element) -> Self {
        match message.attr("type") {
            Some("chat") => Self::Chat,
            Some("groupchat") => Self::GroupChat,
            Some("headline") => Self::Headline,
            Some("error") => Self::Error,
            _ => Self::Normal,
        }
    }

    /// The type of messages in a conversation.
    pub(crate) const fn for_chat(chat: &Chat) -> Self {
        match chat {
            Chat::Direct(_) => Self::Chat,
            Chat::Room(_) => Self::GroupChat,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Chat => "chat",
            Self::GroupChat => "groupchat",
            Self::Headline => "headline",
            Self::Error => "error",
        }
    }
}

/// A message to an account or room with these children, in this order.
pub(crate) fn build(
    kind: MessageKind,
    id: &str,
    to: &BareJid,
    children: impl IntoIterator<Item = Element>,
) -> Element {
    let mut message = node::with_children("message", CLIENT, children);
    node::set(&mut message, "type", kind.name());
    node::set(&mut message, "id", id);
    node::set(&mut message, "to", to.as_str());
    message
}
