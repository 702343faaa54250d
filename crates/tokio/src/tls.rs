//! TLS with the system's certificates and those of the user's own file.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, Error as TlsError, ProtocolVersion, RootCertStore,
};

use crate::Error;

/// Whom we trust to vouch for servers.
#[derive(Clone)]
pub(crate) struct Tls(TlsConnector);

impl Tls {
    /// Reads the system's certificates and those of `ca_file`.
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = ca_file {
            add_file(&mut roots, path).map_err(|reason| Error::CaFile {
                path: path.into(),
                reason,
            })?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::NoTls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// The handshake; the server must prove to be `domain`.
    pub(crate) async fn handshake(
        &self,
        tcp: TcpStream,
        domain: &str,
        address: &str,
    ) -> Result<TlsStream<TcpStream>, Error> {
        let name = ServerName::try_from(domain.to_owned()).map_err(|error| {
            Error::UntrustedCertificate {
                domain: domain.into(),
                reason: error.to_string(),
            }
        })?;
        self.0
            .connect(name, tcp)
            .await
            .map_err(|error| blame(&error, domain, address))
    }
}

/// The channel-binding data of RFC 9266, for SCRAM-PLUS: TLS 1.3 only.
pub(crate) fn exporter(stream: &TlsStream<TcpStream>) -> Option<Vec<u8>> {
    let (_, connection) = stream.get_ref();
    if connection.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return None;
    }
    connection
        .export_keying_material(vec![0; 32], b"EXPORTER-Channel-Binding", None)
        .ok()
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let mut found = false;
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())? {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
        found = true;
    }
    if found {
        Ok(())
    } else {
        Err("there is no certificate in it (PEM is expected)".into())
    }
}

fn blame(error: &io::Error, domain: &str, address: &str) -> Error {
    let cause = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<TlsError>());
    match cause {
        Some(TlsError::InvalidCertificate(reason)) => Error::UntrustedCertificate {
            domain: domain.into(),
            reason: in_words(reason),
        },
        _ => Error::NotXmpp {
            address: address.into(),
            reason: format!("no TLS there ({error})"),
        },
    }
}

fn in_words(reason: &CertificateError) -> String {
    match reason {
        CertificateError::BadSignature => {
            "its authority has the name of one that we trust, but another key; is the CA file an old one?".into()
        }
        // webpki has no word of its own for this in rustls.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "it is the certificate of an authority, not of a server".into()
        }
        CertificateError::UnknownIssuer => {
            "no authority that this system knows has signed it".into()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; check this machine's clock".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it was made for another name".into()
        }
        other => other.to_string(),
    }
}
