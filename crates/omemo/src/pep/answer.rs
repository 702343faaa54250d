//! What the plan is told and what it says: answers of the server, and what follows from them.

use crate::stanza::devices::DeviceList;

/// What the server answered, as far as the plan cares.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Our list; empty when there is none yet.
    List(DeviceList),
    /// The bundle under our id.
    Bundle(BundleFound),
    /// Done.
    Confirmed,
    /// Refused.
    Refused(Refusal),
    /// No answer in time.
    Nothing,
}

/// Whose bundle lies under our id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BundleFound {
    /// The very one that we would publish.
    Current,
    /// An old one with our key.
    Stale,
    /// One with another key.
    Foreign,
    /// None.
    Missing,
}

/// How the server refused.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) kind: RefusalKind,
    /// For people.
    pub(crate) text: String,
}

/// The refusals that lead somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusalKind {
    /// The node is configured otherwise.
    PreconditionNotMet,
    /// An option is unknown to the server.
    OptionUnknown,
    /// There is no such node.
    NotFound,
    /// Anything else.
    Other,
}

/// What a step does to the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Our id belongs to somebody else.
    DrawNewId,
    /// The server has our bundle.
    BundlePublished,
    /// Our id is on the list.
    Announced,
    /// All done; `again` when it had been taken away.
    Published { again: bool },
    /// The server breaks a requirement.
    Lacks(String),
    /// The protocol is off for this stream.
    Off(String),
}

/// What the plan must know of ourselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ours {
    /// The list that came last is as we want it: our id is on it, with the right label, and none
    /// that is being removed.
    pub(crate) listed: bool,
    /// Our id is on it at all.
    pub(crate) id_taken: bool,
    /// It was ours before.
    pub(crate) announced: bool,
    /// The bundle's revision is the one that the server confirmed.
    pub(crate) bundle_confirmed: bool,
    /// The node is shared by all devices.
    pub(crate) shared_node: bool,
}
