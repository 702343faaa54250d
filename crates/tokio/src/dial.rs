//! From nothing to an authenticated stream: TCP, TLS, SASL (RFC 6120 §§3–6, XEP-0368).
//! Knows nothing of stanzas.

use std::borrow::Cow;

use futures_util::{SinkExt, StreamExt};
use omemo::Element;
use sasl::common::{ChannelBinding, Credentials};
use tokio::io::{AsyncBufRead, AsyncWrite, BufStream};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_xmpp::connect::{AsyncReadAndWrite, DnsConfig};
use tokio_xmpp::error::AuthError;
use tokio_xmpp::parsers::ns;
use tokio_xmpp::parsers::sasl::DefinedCondition;
use tokio_xmpp::parsers::sasl_cb;
use tokio_xmpp::parsers::stream_features::StreamFeatures;
use tokio_xmpp::xmlstream::{
    FallibleStreamElement, PendingFeaturesRecv, ReadError, RecvFeaturesError, StreamHeader,
    Timeouts, XmlStream, initiate_stream,
};

use crate::tls::{Tls, exporter};
use crate::{Config, Error, Security};

/// An authenticated stream on which whole elements come and go.
pub(crate) type Xml = XmlStream<Box<dyn AsyncReadAndWrite + Send>, Element>;

/// The mechanisms that we accept; ANONYMOUS, for one, would log in as somebody else.
const MECHANISMS: [&str; 5] = [
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-1",
    "PLAIN",
];

/// One way into the server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    StartTls,
    DirectTls,
}

/// Connects and logs in. The time-out is the caller's.
pub(crate) async fn dial(config: &Config, tls: &Tls) -> Result<(Xml, StreamFeatures), Error> {
    let doors: &[Door] = match config.security {
        Security::Any => &[Door::StartTls, Door::DirectTls],
        Security::StartTls => &[Door::StartTls],
        Security::DirectTls => &[Door::DirectTls],
    };
    let mut first = None;
    for door in doors {
        match enter(config, tls, *door).await {
            Err(error) if next_door_may_help(&error) => {
                tracing::debug!(domain = config.domain(), %error, "one way in failed");
                first.get_or_insert(error);
            }
            other => return other,
        }
    }
    Err(first.unwrap_or(Error::Ended))
}

const fn next_door_may_help(error: &Error) -> bool {
    matches!(
        error,
        Error::Unreachable { .. } | Error::NotXmpp { .. } | Error::NoEncryption { .. }
    )
}

async fn enter(config: &Config, tls: &Tls, door: Door) -> Result<(Xml, StreamFeatures), Error> {
    let domain = config.domain();
    let address = address(config, door);
    let mut tcp = connect(config, door, &address).await?;
    if door == Door::StartTls {
        tcp = start_tls(config, tcp, &address).await?;
    }
    let stream = tls.handshake(tcp, domain, &address).await?;
    let binding = exporter(&stream);
    let pending = open_stream(config, BufStream::new(stream), Some(config.jid.as_str()))
        .await
        .map_err(|reason| Error::NotXmpp {
            address: address.clone(),
            reason,
        })?;
    log_in(config, pending, binding, &address).await
}

fn address(config: &Config, door: Door) -> String {
    match (&config.server, door) {
        (Some(server), _) => server.to_string(),
        (None, Door::StartTls) => format!("{} (STARTTLS)", config.domain()),
        (None, Door::DirectTls) => format!("{} (direct TLS)", config.domain()),
    }
}

async fn connect(config: &Config, door: Door, address: &str) -> Result<TcpStream, Error> {
    let found = match (&config.server, door) {
        (Some(server), _) => TcpStream::connect((server.host.as_str(), server.port))
            .await
            .map_err(|error| error.to_string()),
        (None, Door::StartTls) => by_srv(&DnsConfig::srv_default_client(config.domain())).await,
        (None, Door::DirectTls) => by_srv(&DnsConfig::srv_xmpps(config.domain())).await,
    };
    let tcp = found.map_err(|reason| Error::Unreachable {
        domain: config.domain().into(),
        address: address.into(),
        reason,
    })?;
    tcp.set_nodelay(true).ok();
    Ok(tcp)
}

async fn by_srv(dns: &DnsConfig) -> Result<TcpStream, String> {
    dns.resolve().await.map_err(|error| match error {
        tokio_xmpp::Error::Disconnected => "no address of it accepts a connection".into(),
        tokio_xmpp::Error::DnsNet(error) => format!("DNS: {error}"),
        other => other.to_string(),
    })
}

async fn open_stream<Io: AsyncBufRead + AsyncWrite + Unpin>(
    config: &Config,
    io: Io,
    from: Option<&str>,
) -> Result<PendingFeaturesRecv<Io>, String> {
    let timeouts = Timeouts {
        read_timeout: config.silence,
        response_timeout: config.connect_timeout,
    };
    initiate_stream(io, ns::JABBER_CLIENT, header(config, from), timeouts)
        .await
        .map_err(|error| error.to_string())
}

fn header<'a>(config: &'a Config, from: Option<&'a str>) -> StreamHeader<'a> {
    StreamHeader {
        to: Some(Cow::Borrowed(config.domain())),
        from: from.map(Cow::Borrowed),
        id: None,
    }
}

/// RFC 6120 §5. Whatever was sent in clear after `<proceed/>` is thrown away with the buffer.
async fn start_tls(config: &Config, tcp: TcpStream, address: &str) -> Result<TcpStream, Error> {
    let not_xmpp = |reason: String| Error::NotXmpp {
        address: address.into(),
        reason,
    };
    let no_encryption = || Error::NoEncryption {
        domain: config.domain().into(),
    };
    let pending = open_stream(config, BufStream::new(tcp), None)
        .await
        .map_err(not_xmpp)?;
    let (features, mut xml) = pending
        .recv_features::<Element>()
        .await
        .map_err(|error| no_features(config, address, &error))?;
    if !features.can_starttls() {
        return Err(no_encryption());
    }
    xml.send(&Element::bare("starttls", ns::TLS))
        .await
        .map_err(|error| not_xmpp(error.to_string()))?;
    loop {
        match xml.next().await {
            Some(Ok(element)) if element.is("proceed", ns::TLS) => break,
            Some(Ok(element)) if element.is("failure", ns::TLS) => return Err(no_encryption()),
            Some(Ok(_) | Err(ReadError::SoftTimeout)) => {}
            Some(Err(error)) => return Err(not_xmpp(error.to_string())),
            None => return Err(not_xmpp("it closed the connection".into())),
        }
    }
    Ok(xml.into_inner().into_inner())
}

async fn log_in(
    config: &Config,
    pending: PendingFeaturesRecv<BufStream<TlsStream<TcpStream>>>,
    binding: Option<Vec<u8>>,
    address: &str,
) -> Result<(Xml, StreamFeatures), Error> {
    let broken = |reason: String| Error::Broken {
        domain: config.domain().into(),
        reason,
    };
    let (features, xml) = pending
        .recv_features::<FallibleStreamElement>()
        .await
        .map_err(|error| no_features(config, address, &error))?;
    let credentials = Credentials::default()
        .with_username(config.jid.as_str().split('@').next().unwrap_or_default())
        .with_password(config.password.as_str())
        .with_channel_binding(channel_binding(&features, binding));
    let mechanisms = features
        .sasl_mechanisms
        .into_iter()
        .filter(|offered| MECHANISMS.contains(&offered.as_str()))
        .collect();
    let pending = tokio_xmpp::client_login(xml, mechanisms, credentials)
        .await
        .map_err(|error| refusal(config.domain(), &error))?
        .send_header(header(config, Some(config.jid.as_str())))
        .await
        .map_err(|error| broken(error.to_string()))?;
    let (features, xml) = pending
        .recv_features::<Element>()
        .await
        .map_err(|error| broken(error.to_string()))?;
    Ok((xml.box_stream(), features))
}

fn no_features(config: &Config, address: &str, error: &RecvFeaturesError) -> Error {
    match error {
        RecvFeaturesError::StreamError(error) => Error::StreamRefused {
            domain: config.domain().into(),
            address: address.into(),
            reason: error.0.to_string(),
        },
        RecvFeaturesError::Io(error) => Error::NotXmpp {
            address: address.into(),
            reason: error.to_string(),
        },
    }
}

/// Binds the login to this TLS connection where the server can (XEP-0440, RFC 9266).
fn channel_binding(features: &StreamFeatures, exporter: Option<Vec<u8>>) -> ChannelBinding {
    let offered = features
        .sasl_mechanisms
        .iter()
        .any(|m| m.ends_with("-PLUS"))
        && features
            .sasl_cb
            .as_ref()
            .is_some_and(|cb| cb.types.contains(&sasl_cb::Type::TlsExporter));
    match exporter {
        Some(data) if offered => ChannelBinding::TlsExporter(data),
        _ => ChannelBinding::None,
    }
}

fn refusal(domain: &str, error: &tokio_xmpp::Error) -> Error {
    let domain = domain.to_owned();
    let refused = |reason: String, temporary| Error::LoginRefused {
        domain: domain.clone(),
        reason,
        temporary,
    };
    match error {
        tokio_xmpp::Error::Auth(AuthError::Fail(condition)) => match condition {
            DefinedCondition::NotAuthorized => Error::WrongPassword { domain },
            DefinedCondition::TemporaryAuthFailure => {
                refused("it cannot check passwords at the moment".into(), true)
            }
            DefinedCondition::AccountDisabled => refused("the account is disabled".into(), false),
            DefinedCondition::CredentialsExpired => {
                refused("the password has expired".into(), false)
            }
            other => refused(format!("{other:?}"), false),
        },
        tokio_xmpp::Error::Auth(AuthError::NoMechanism) => refused(
            "it offers no way to log in by password that we know".into(),
            false,
        ),
        tokio_xmpp::Error::Auth(error) => refused(error.to_string(), false),
        other => Error::Broken {
            reason: other.to_string(),
            domain,
        },
    }
}
