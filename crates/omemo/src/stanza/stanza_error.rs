//! `<error/>` in a stanza (RFC 6120 §8.3), with the conditions of publish-subscribe
//! (XEP-0060 §12).

use std::fmt;

use minidom::Element;

use super::CLIENT;
use super::limits::MAX_ERROR_TEXT_CHARS;

/// The namespace of conditions (RFC 6120 §8.3.2).
const CONDITIONS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// The namespace of the more exact conditions of publish-subscribe (XEP-0060 §12).
const PUBSUB_CONDITIONS: &str = "http://jabber.org/protocol/pubsub#errors";

/// What a stanza came back with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StanzaError {
    /// What went wrong.
    pub(crate) condition: Condition,
    /// What went wrong with a node, more exactly.
    pub(crate) pubsub: Option<PubsubCondition>,
    /// What the server says to people, cut to a length that can be shown.
    pub(crate) text: Option<String>,
}

/// The defined conditions that decide what is done next (RFC 6120 §8.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// `<bad-request/>`: among others, a form that the server does not understand.
    BadRequest,
    /// `<conflict/>`: among others, a precondition that is not met.
    Conflict,
    /// `<feature-not-implemented/>`
    FeatureNotImplemented,
    /// `<forbidden/>`
    Forbidden,
    /// `<item-not-found/>`: there is no such node or item.
    ItemNotFound,
    /// `<not-acceptable/>`: among others, a value that the server does not allow.
    NotAcceptable,
    /// `<not-allowed/>`
    NotAllowed,
    /// `<not-authorized/>`
    NotAuthorized,
    /// `<policy-violation/>`
    PolicyViolation,
    /// `<remote-server-not-found/>`
    RemoteServerNotFound,
    /// `<remote-server-timeout/>`
    RemoteServerTimeout,
    /// `<resource-constraint/>`: also how ejabberd says that it does not know a publish option.
    ResourceConstraint,
    /// `<service-unavailable/>`: among others, no such account, or none that we may ask.
    ServiceUnavailable,
    /// Another one, or none at all.
    Other,
}

/// The conditions of publish-subscribe that decide what is done next (XEP-0060 §12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PubsubCondition {
    /// `<precondition-not-met/>`: the node is configured otherwise than the publish options say.
    PreconditionNotMet,
    /// `<closed-node/>`: only those on a list may read the node.
    ClosedNode,
    /// `<presence-subscription-required/>`: only those who see the presence may read the node.
    PresenceSubscriptionRequired,
    /// `<not-in-roster-group/>`: only some of the roster may read the node.
    NotInRosterGroup,
    /// `<max-items-exceeded/>`
    MaxItemsExceeded,
    /// `<payload-too-big/>`
    PayloadTooBig,
    /// `<invalid-options/>`
    InvalidOptions,
    /// `<unsupported/>`: a feature that the server does not have.
    Unsupported,
    /// Another one.
    Other,
}

const CONDITION_NAMES: [(&str, Condition); 13] = [
    ("bad-request", Condition::BadRequest),
    ("conflict", Condition::Conflict),
    ("feature-not-implemented", Condition::FeatureNotImplemented),
    ("forbidden", Condition::Forbidden),
    ("item-not-found", Condition::ItemNotFound),
    ("not-acceptable", Condition::NotAcceptable),
    ("not-allowed", Condition::NotAllowed),
    ("not-authorized", Condition::NotAuthorized),
    ("policy-violation", Condition::PolicyViolation),
    ("remote-server-not-found", Condition::RemoteServerNotFound),
    ("remote-server-timeout", Condition::RemoteServerTimeout),
    ("resource-constraint", Condition::ResourceConstraint),
    ("service-unavailable", Condition::ServiceUnavailable),
];

const PUBSUB_CONDITION_NAMES: [(&str, PubsubCondition); 8] = [
    ("precondition-not-met", PubsubCondition::PreconditionNotMet),
    ("closed-node", PubsubCondition::ClosedNode),
    (
        "presence-subscription-required",
        PubsubCondition::PresenceSubscriptionRequired,
    ),
    ("not-in-roster-group", PubsubCondition::NotInRosterGroup),
    ("max-items-exceeded", PubsubCondition::MaxItemsExceeded),
    ("payload-too-big", PubsubCondition::PayloadTooBig),
    ("invalid-options", PubsubCondition::InvalidOptions),
    ("unsupported", PubsubCondition::Unsupported),
];

impl StanzaError {
    /// The error in a stanza of type `error`. One without an `<error/>` is an error all the same.
    pub(crate) fn read(stanza: &Element) -> Self {
        let error = stanza.get_child("error", CLIENT);
        let children = || error.into_iter().flat_map(Element::children);
        let condition = children()
            .filter(|child| child.has_ns(CONDITIONS))
            .find_map(|child| named(&CONDITION_NAMES, child.name()));
        let pubsub = children()
            .find(|child| child.has_ns(PUBSUB_CONDITIONS))
            .map(|child| {
                named(&PUBSUB_CONDITION_NAMES, child.name()).unwrap_or(PubsubCondition::Other)
            });
        let text = children()
            .find(|child| child.is("text", CONDITIONS))
            .map(|text| text.text().chars().take(MAX_ERROR_TEXT_CHARS).collect());
        Self {
            condition: condition.unwrap_or(Condition::Other),
            pubsub,
            text,
        }
    }

    /// The node is there, but not as the publish options want it: it has to be configured first
    /// (XEP-0060 §7.1.5).
    pub(crate) fn is_precondition_not_met(&self) -> bool {
        self.pubsub == Some(PubsubCondition::PreconditionNotMet)
    }

    /// There is no such node or item (XEP-0060 §6.5.9).
    pub(crate) fn is_item_not_found(&self) -> bool {
        self.condition == Condition::ItemNotFound
    }

    /// The server does not know one of the publish options, or not its value. Servers say it in
    /// several ways; what they have in common is that trying without that option is right.
    pub(crate) fn is_option_refused(&self) -> bool {
        if self.is_precondition_not_met() {
            return false;
        }
        matches!(
            self.condition,
            Condition::BadRequest
                | Condition::FeatureNotImplemented
                | Condition::NotAcceptable
                | Condition::ResourceConstraint
        ) || self.pubsub == Some(PubsubCondition::InvalidOptions)
    }
}

fn named<T: Copy>(names: &[(&str, T)], name: &str) -> Option<T> {
    names
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, condition)| *condition)
}

fn name_of<T: PartialEq>(names: &[(&'static str, T)], condition: &T) -> &'static str {
    names
        .iter()
        .find(|(_, known)| known == condition)
        .map_or("an unknown condition", |(name, _)| name)
}

impl fmt::Display for StanzaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name_of(&CONDITION_NAMES, &self.condition))?;
        if let Some(pubsub) = &self.pubsub {
            write!(f, " ({})", name_of(&PUBSUB_CONDITION_NAMES, pubsub))?;
        }
        match &self.text {
            Some(text) => write!(f, ": {text}"),
            None => Ok(()),
        }
    }
}
