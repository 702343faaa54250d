//! Runs an omemo account over a live tokio-xmpp connection.

mod archive;
mod backoff;
mod caps;
mod client;
mod config;
mod dial;
mod driver;
mod error;
mod event;
mod flight;
mod ledger;
mod line;
mod link;
mod session;
mod stanza;
mod tls;

pub use client::Client;
pub use config::{Archive, Config, Security, Server, ServerError};
pub use driver::Driver;
pub use error::Error;
pub use event::Event;
