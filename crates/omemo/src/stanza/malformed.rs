//! What is wrong with an element that a peer, a server or the app gave us.

/// Why an element was refused: which part of it, in a sentence for people. No text of the peer's is
/// repeated, but for the names of elements.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Malformed {
    /// It is another element than the one that belongs here.
    #[error("this is <{found}/>, where <{expected}/> in its own namespace belongs")]
    Element {
        /// What belongs here.
        expected: &'static str,
        /// The name of what is there.
        found: String,
    },
    /// A child is missing.
    #[error("<{parent}/> has no <{child}/>")]
    NoChild {
        /// The element that lacks it.
        parent: &'static str,
        /// What is missing.
        child: &'static str,
    },
    /// A child that can only mean one thing is there twice.
    #[error("<{parent}/> has more than one <{child}/>")]
    TwoChildren {
        /// The element.
        parent: &'static str,
        /// What is there twice.
        child: &'static str,
    },
    /// An attribute is missing.
    #[error("<{element}/> has no attribute {attribute:?}")]
    NoAttribute {
        /// The element that lacks it.
        element: &'static str,
        /// What is missing.
        attribute: &'static str,
    },
    /// An attribute has a value that it cannot have.
    #[error("the attribute {attribute:?} of <{element}/> is not {expected}")]
    Attribute {
        /// The element.
        element: &'static str,
        /// Its attribute.
        attribute: &'static str,
        /// What would be right.
        expected: &'static str,
    },
    /// A text is no base64 (RFC 4648 §4).
    #[error("the text of <{element}/> is not base64")]
    Base64 {
        /// The element.
        element: &'static str,
    },
    /// There is more of something than anybody needs.
    #[error("there are more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// Something is longer than anybody needs.
    #[error("{what} is longer than {limit} bytes")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// How long it may be.
        limit: usize,
    },
    /// Elements lie in each other more deeply than anybody needs.
    #[error("its elements are nested more than {limit} deep")]
    TooDeep {
        /// How deep they may lie.
        limit: usize,
    },
    /// A text is not the XML that XMPP allows (RFC 6120 §11), or an element cannot be written as
    /// such.
    #[error("it is not XML as XMPP allows it: {0}")]
    Xml(String),
    /// A decrypted text is no UTF-8.
    #[error("the decrypted text is not UTF-8")]
    NotUtf8,
    /// A copy of a message whose wrapping cannot be believed.
    #[error("the copy of a message is refused: {0}")]
    Wrapper(&'static str),
}
