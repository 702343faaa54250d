//! Programs that hold a conversation: our own command and foreign clients.

pub mod command;
pub mod echo_bot;
pub mod profanity;
pub mod slixmpp;
