//! Runs an omemo account over a live tokio-xmpp connection.

mod config;
mod dial;
mod error;
mod tls;

pub use config::{Archive, Config, Security, Server, ServerError};
pub use error::Error;
