//! Questions and answers (RFC 6120 §8.2.3).

use minidom::Element;

use super::malformed::Malformed;
use super::party::Party;
use super::stanza_error::StanzaError;
use super::{CLIENT, node};
use crate::BareJid;

/// An `<iq/>`.
#[derive(Debug, Clone)]
pub(crate) struct Iq<'a> {
    /// What it is.
    pub(crate) kind: IqKind,
    /// Its id, which an answer repeats.
    pub(crate) id: &'a str,
    /// Who sent it; `None` is our own account (RFC 6120 §8.1.2.1).
    pub(crate) from: Option<Party>,
    /// The whole stanza.
    pub(crate) stanza: &'a Element,
}

/// The type of an `<iq/>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IqKind {
    /// A question.
    Get,
    /// A request for a change.
    Set,
    /// The answer.
    Result,
    /// The answer that it could not be done.
    Error,
}

impl<'a> Iq<'a> {
    /// Reads the stanza.
    pub(crate) fn parse(stanza: &'a Element) -> Result<Self, Malformed> {
        node::expect(stanza, "iq", CLIENT)?;
        let kind = match node::attribute(stanza, "iq", "type")? {
            "get" => IqKind::Get,
            "set" => IqKind::Set,
            "result" => IqKind::Result,
            "error" => IqKind::Error,
            _ => {
                return Err(Malformed::Attribute {
                    element: "iq",
                    attribute: "type",
                    expected: "one of get, set, result, error",
                });
            }
        };
        Ok(Self {
            kind,
            id: node::attribute(stanza, "iq", "id")?,
            from: Party::read(stanza, "iq", "from")?,
            stanza,
        })
    }

    /// Whether it is an answer from whom we asked: only that account may answer (without a
    /// resource), and for our own account also its server, which may leave `from` out or write our
    /// full JID (RFC 6120 §8.1.2.1). The id is the caller's to compare.
    pub(crate) fn is_answer_from(&self, asked: &BareJid, own: &BareJid) -> bool {
        let answers = matches!(self.kind, IqKind::Result | IqKind::Error);
        let sender = match &self.from {
            None => asked == own,
            Some(from) if asked == own => from.bare() == *own,
            Some(from) => from.is_account(asked),
        };
        answers && sender
    }

    /// The error of a stanza of type `error`.
    pub(crate) fn error(&self) -> Option<StanzaError> {
        (self.kind == IqKind::Error).then(|| StanzaError::read(self.stanza))
    }
}

/// A question. Without `to` it goes to our own account.
pub(crate) fn get(id: &str, to: Option<&BareJid>, payload: Element) -> Element {
    request("get", id, to, payload)
}

/// A request for a change. Without `to` it goes to our own account.
pub(crate) fn set(id: &str, to: Option<&BareJid>, payload: Element) -> Element {
    request("set", id, to, payload)
}

fn request(kind: &str, id: &str, to: Option<&BareJid>, payload: Element) -> Element {
    let mut iq = node::with_attributes("iq", CLIENT, [("type", kind), ("id", id)]);
    if let Some(to) = to {
        node::set(&mut iq, "to", to.as_str());
    }
    iq.append_child(payload);
    iq
}
