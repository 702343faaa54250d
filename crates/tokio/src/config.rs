//! Where to connect, as whom, and how patiently.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use omemo::BareJid;

/// What a connection needs to know.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// The account.
    pub jid: BareJid,
    /// Its password.
    pub password: String,
    /// Where its server listens; `None` asks DNS (SRV records of the domain).
    pub server: Option<Server>,
    /// How the stream is encrypted.
    pub security: Security,
    /// Certificates (PEM) that are trusted beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// How long connecting and logging in may take.
    pub connect_timeout: Duration,
    /// After so much silence the server is asked whether it is still there.
    pub silence: Duration,
    /// What is read from the server's archive (XEP-0313) after logging in.
    pub archive: Archive,
}

/// How the stream is encrypted. There is no unencrypted way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Security {
    /// STARTTLS; where that door does not speak XMPP, TLS from the first byte.
    #[default]
    Any,
    /// STARTTLS only (RFC 6120 §5).
    StartTls,
    /// TLS from the first byte only (XEP-0368).
    DirectTls,
}

/// What is read from the archive after logging in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Archive {
    /// Nothing: what the server kept for us while we were away comes by itself (XEP-0160).
    #[default]
    Off,
    /// Nothing yet, but its newest id is learnt and reported, to begin there the next time.
    FromNowOn,
    /// Everything there is.
    All,
    /// Everything after the message with this archive id.
    After(String),
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Server {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A text that names no server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no server: HOST:PORT does, such as xmpp.example.org:5222 or [::1]:5222")]
#[non_exhaustive]
pub struct ServerError(pub String);

impl Config {
    /// The account and its password; everything else as usual.
    #[must_use]
    pub fn new(jid: BareJid, password: impl Into<String>) -> Self {
        Self {
            jid,
            password: password.into(),
            server: None,
            security: Security::default(),
            ca_file: None,
            connect_timeout: Duration::from_secs(30),
            silence: Duration::from_secs(60),
            archive: Archive::default(),
        }
    }

    pub(crate) fn domain(&self) -> &str {
        self.jid.domain()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            jid: _,
            password: _,
            server,
            security,
            ca_file,
            connect_timeout,
            silence,
            archive,
        } = self;
        f.debug_struct("Config")
            .field("domain", &self.domain())
            .field("server", server)
            .field("security", security)
            .field("ca_file", ca_file)
            .field("connect_timeout", connect_timeout)
            .field("silence", silence)
            .field("archive", archive)
            .finish_non_exhaustive()
    }
}

impl FromStr for Server {
    type Err = ServerError;

    fn from_str(text: &str) -> Result<Self, ServerError> {
        let refused = || ServerError(text.into());
        let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
        let port = port
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or_else(refused)?;
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = match bare {
            Some(v6) => v6,
            None if host.contains(':') => return Err(refused()),
            None => host,
        };
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || "[]/".contains(c)) {
            return Err(refused());
        }
        Ok(Self {
            host: host.into(),
            port,
        })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_and_written() {
        for text in ["xmpp.example.org:5222", "127.0.0.1:5723", "[::1]:5222"] {
            let server: Server = text.parse().unwrap();
            assert_eq!(server.to_string(), text);
        }
    }

    #[test]
    fn what_names_no_server_is_refused() {
        for text in [
            "",
            ":",
            ":5222",
            "host",
            "host:",
            "host:0",
            "host:65536",
            "::1:5222",
            "a b:5222",
            "https://host:443",
            "[::1:5222",
        ] {
            assert_eq!(
                text.parse::<Server>(),
                Err(ServerError(text.into())),
                "{text}"
            );
        }
    }

    #[test]
    fn the_password_stays_out_of_debug_output() {
        let config = Config::new(BareJid::parse("juliet@capulet.example").unwrap(), "balcony");
        let shown = format!("{config:?}");
        assert!(
            !shown.contains("balcony") && !shown.contains("juliet"),
            "{shown}"
        );
    }
}
