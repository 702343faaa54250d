//! Stanza content encryption (XEP-0420): the envelope that omemo:2 encrypts.

use std::fmt::Write;

use minidom::Element;
use omemo_ratchet::{Randomness, RandomnessError, Role};
use zeroize::Zeroizing;

use super::limits::MAX_PAYLOAD_BYTES;
use super::malformed::Malformed;
use super::{datetime, delay, eme, hints, node, sid, text};
use crate::{BareJid, Timestamp};

/// The namespace.
pub(crate) const NAMESPACE: &str = "urn:xmpp:sce:1";

/// The namespace of extended stanza addressing (XEP-0033).
const ADDRESSING: &str = "http://jabber.org/protocol/address";
/// The namespaces in which servers and rooms tell about a message: delay, occupants, copies and
/// archives. Whoever rebuilds a stanza from its content, as XEP-0420 §8 has it, must not find there
/// what only they may say.
const STAMPS: [&str; 6] = [
    delay::NAMESPACE,
    "jabber:x:delay",
    "urn:xmpp:occupant-id:0",
    "urn:xmpp:carbons:2",
    "urn:xmpp:mam:2",
    "http://jabber.org/protocol/muc#user",
];

/// Envelopes are at least this long, so that short answers look alike.
const MIN_BYTES: usize = 256;
/// So many characters at most are added on top (XEP-0420 §4).
const MAX_EXTRA: u32 = 200;
/// What padding consists of: any text would do, and these need no escaping.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// An `<envelope/>` without its padding.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Envelope {
    /// The elements of the message.
    pub(crate) content: Vec<Element>,
    /// Who wrote it, by the writer's own account.
    pub(crate) from: Option<BareJid>,
    /// Whom it was written to: an account or a room.
    pub(crate) to: Option<BareJid>,
    /// When it was written.
    pub(crate) time: Option<Timestamp>,
}

/// Why an envelope could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum EnvelopeError {
    /// The content cannot be written as XML.
    #[error(transparent)]
    Content(#[from] Malformed),
    /// There was no randomness for the padding.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

/// Whether an element must stand outside the envelope, where servers read and filter it. Inside it
/// is never written and never read (XEP-0420 §9): hints, stanza ids, addresses and the marks of
/// encryption, as well as what servers and rooms write themselves.
fn is_for_servers(element: &Element) -> bool {
    let namespace = element.ns();
    let namespace = namespace.as_str();
    [hints::NAMESPACE, eme::NAMESPACE, ADDRESSING].contains(&namespace)
        || STAMPS.contains(&namespace)
        || element.is("stanza-id", sid::NAMESPACE)
}

impl Envelope {
    /// The plaintext: XML with default namespaces, padded to 256 bytes and then by 0 to 200 random
    /// characters. Content that is for servers is left out.
    pub(crate) fn build(
        &self,
        randomness: &mut dyn Randomness,
    ) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let content = self.content.iter().filter(|child| is_allowed(child));
        let content = node::with_children("content", NAMESPACE, content.cloned());
        let mut envelope = node::with_children("envelope", NAMESPACE, [content]);
        for (name, jid) in [("from", &self.from), ("to", &self.to)] {
            if let Some(jid) = jid {
                envelope.append_child(node::with_attributes(
                    name,
                    NAMESPACE,
                    [("jid", jid.as_str())],
                ));
            }
        }
        if let Some(time) = self.time {
            let stamp = datetime::format(time);
            envelope.append_child(node::with_attributes(
                "time",
                NAMESPACE,
                [("stamp", &stamp)],
            ));
        }
        let bare = Zeroizing::new(text::to_string(&envelope)?);
        let padding = padding(bare.len().saturating_add("<rpad></rpad>".len()), randomness)?;
        envelope.append_child(node::with_text("rpad", NAMESPACE, &padding));
        Ok(Zeroizing::new(text::to_string(&envelope)?.into_bytes()))
    }

    /// Reads a plaintext. What cannot be content is dropped from it. Whether `from`, `to` and `time` agree
    /// with the stanza is the caller's to judge.
    pub(crate) fn parse(plaintext: &[u8]) -> Result<Self, Malformed> {
        if plaintext.len() > MAX_PAYLOAD_BYTES {
            return Err(Malformed::TooLong {
                what: "the envelope",
                limit: MAX_PAYLOAD_BYTES,
            });
        }
        let plaintext = std::str::from_utf8(plaintext).map_err(|_| Malformed::NotUtf8)?;
        let envelope = text::parse_fragment(plaintext)?;
        node::expect(&envelope, "envelope", NAMESPACE)?;
        let content = node::only_child(&envelope, "envelope", "content", NAMESPACE)?.ok_or(
            Malformed::NoChild {
                parent: "envelope",
                child: "content",
            },
        )?;
        let content = node::with_children(
            "content",
            NAMESPACE,
            content
                .children()
                .filter(|child| is_allowed(child))
                .cloned(),
        );
        // What could not be stored could be neither acknowledged nor shown.
        text::to_string(&content)?;
        Ok(Self {
            content: content.children().cloned().collect(),
            from: jid(&envelope, "from")?,
            to: jid(&envelope, "to")?,
            time: time(&envelope)?,
        })
    }
}

/// Whether an element is content: not for servers, and in a namespace of its own. One that only
/// inherits the envelope's has none, so that a `<body/>` counts in `jabber:client` alone.
pub(crate) fn is_allowed(element: &Element) -> bool {
    let namespaced = !element.has_ns("") && !element.has_ns(NAMESPACE);
    namespaced && !is_for_servers(element)
}

/// A JID beside the content. One that is there, but is none, can be compared with nothing and is
/// refused.
fn jid(envelope: &Element, name: &'static str) -> Result<Option<BareJid>, Malformed> {
    let Some(child) = node::only_child(envelope, "envelope", name, NAMESPACE)? else {
        return Ok(None);
    };
    let jid = node::bare_jid(node::attribute(child, name, "jid")?);
    jid.map(Some).ok_or(Malformed::Attribute {
        element: name,
        attribute: "jid",
        expected: "a JID",
    })
}

fn time(envelope: &Element) -> Result<Option<Timestamp>, Malformed> {
    let Some(child) = node::only_child(envelope, "envelope", "time", NAMESPACE)? else {
        return Ok(None);
    };
    let stamp = datetime::parse(node::attribute(child, "time", "stamp")?);
    stamp.map(Some).ok_or(Malformed::Attribute {
        element: "time",
        attribute: "stamp",
        expected: "a date and time",
    })
}

/// The padding of an envelope that has so many bytes without it.
fn padding(bare: usize, randomness: &mut dyn Randomness) -> Result<String, RandomnessError> {
    let mut number = [0; 4];
    randomness.fill(Role::Padding, &mut number)?;
    // 2³² is so much more than 201 that the remainder's bias does not matter.
    let extra = u32::from_le_bytes(number) % (MAX_EXTRA + 1);
    let length = MIN_BYTES
        .saturating_sub(bare)
        .saturating_add(usize::try_from(extra).unwrap_or(0));
    let mut bytes = vec![0; length];
    randomness.fill(Role::Padding, &mut bytes)?;
    let mut padding = String::with_capacity(length);
    for byte in bytes {
        let character = ALPHABET
            .get(usize::from(byte & 0x3f))
            .map_or('A', |c| char::from(*c));
        let _ = padding.write_char(character);
    }
    Ok(padding)
}
