//! Runs an omemo account over a live tokio-xmpp connection.
