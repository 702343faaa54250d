//! What ends a connection, as sentences that say what to do.

use std::path::PathBuf;
use std::time::Duration;

/// Why there is no connection, or why the account stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody answers there.
    #[error(
        "the server of {domain} cannot be reached at {address}: {reason}. Check the network and the server's address"
    )]
    Unreachable {
        /// The account's domain.
        domain: String,
        /// Where it was looked for.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// Somebody answers there, but not as an XMPP server does.
    #[error("what listens at {address} does not speak XMPP: {reason}. Check host and port")]
    NotXmpp {
        /// Where it was looked for.
        address: String,
        /// What was seen.
        reason: String,
    },
    /// An XMPP server answers there, but wants nothing of us.
    #[error(
        "the server at {address} refuses to serve {domain}: {reason}. Check the JID and the server's address"
    )]
    StreamRefused {
        /// The account's domain.
        domain: String,
        /// Where it was looked for.
        address: String,
        /// What it said.
        reason: String,
    },
    /// Connecting took too long.
    #[error(
        "the server of {domain} did not let us in within {} seconds. Check the network and the server's address, or try again later",
        after.as_secs()
    )]
    TimedOut {
        /// The account's domain.
        domain: String,
        /// How long was waited.
        after: Duration,
    },
    /// The certificate proves nothing to us. The password was not sent.
    #[error(
        "the certificate of {domain} is not trusted: {reason}. The password was not sent. If the server is yours, name its authority's certificate (PEM) with --ca-file"
    )]
    UntrustedCertificate {
        /// The account's domain.
        domain: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server offers no encryption. The password was not sent.
    #[error(
        "the server of {domain} offers no encryption (STARTTLS), so the password was not sent. Ask its operator, or check the server's address"
    )]
    NoEncryption {
        /// The account's domain.
        domain: String,
    },
    /// Wrong password, or no such account: servers do not say which.
    #[error("wrong password, or no such account at {domain}. Check both and try again")]
    WrongPassword {
        /// The account's domain.
        domain: String,
    },
    /// The server refused us for another reason than the password.
    #[error("the server of {domain} refused to log us in: {reason}")]
    LoginRefused {
        /// The account's domain.
        domain: String,
        /// What it said.
        reason: String,
        /// Trying again may help.
        temporary: bool,
    },
    /// The stream broke before we were online.
    #[error("the connection to {domain} broke while logging in: {reason}. Try again")]
    Broken {
        /// The account's domain.
        domain: String,
        /// What was seen.
        reason: String,
    },
    /// The file of trusted certificates is unusable.
    #[error("the CA file {} cannot be used: {reason}", path.display())]
    CaFile {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The TLS library itself cannot work here.
    #[error("TLS cannot be set up: {0}")]
    NoTls(String),
    /// The account itself: its store, a wrong call, or a bug.
    #[error(transparent)]
    Account(#[from] omemo::Error),
    /// A room cannot be joined like this.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The connection was lost before the answer came.
    #[error("the connection was lost before the server had answered. Try again")]
    NoAnswer,
    /// The driver has ended, so nobody is there to do this.
    #[error("the connection has been ended")]
    Ended,
}

/// Why a room cannot be joined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The nick cannot stand in an occupant's JID (XEP-0045 §4.1).
    #[error("{0:?} is no nick: it has to be a text that can end a JID")]
    Nick(String),
}

impl Error {
    /// Whether trying again cannot help before somebody changes something.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Broken { .. } => false,
            // A server that is just starting may answer oddly; a proxy before a server that is
            // down closes at once.
            Self::NotXmpp { .. } | Self::StreamRefused { .. } | Self::NoEncryption { .. } => false,
            Self::LoginRefused { temporary, .. } => !*temporary,
            Self::NoAnswer => false,
            Self::UntrustedCertificate { .. }
            | Self::WrongPassword { .. }
            | Self::CaFile { .. }
            | Self::NoTls(_)
            | Self::Account(_)
            | Self::Join(_)
            | Self::Ended => true,
        }
    }
}
