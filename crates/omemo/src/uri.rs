//! The URIs by which people verify keys out of band, most of them in QR codes: an account's name and its fingerprints.
//!
//! ```text
//! by device       xmpp:JID?omemo-sid-ID=FINGERPRINT;omemo-sid-ID2=FINGERPRINT2      what clients show each other
//! trust message   xmpp:JID?trust-message;encryption=NAMESPACE;trust=KEY;distrust=KEY    XEP-0434 §9.1.1, for XEP-0450
//! ```
//!
//! The scheme is RFC 5122's. Both kinds write keys in hexadecimal; XEP-0434 uses Base64 in messages only.
//!
//! What is read decides about trust, so everything is read or nothing: a fingerprint that is not whole, an id that is none, or
//! two statements that contradict each other refuse the URI. What other purposes such a URI may have is passed over.

use std::fmt;
use std::str::FromStr;

use omemo_ratchet::{Fingerprint, IdentityKey, Version};

use crate::stanza::limits::{MAX_JID_BYTES, MAX_URI_BYTES, MAX_URI_KEYS};
use crate::{BareJid, DeviceId, DeviceIdError, JidError, protocol};

#[cfg(test)]
mod tests;

const DEVICE: &str = "omemo-sid-";
const TRUST_MESSAGE: &str = "trust-message";
const ENCRYPTION: &str = "encryption";
const TRUST: &str = "trust";
const DISTRUST: &str = "distrust";

/// What somebody says about the keys of one account, out of band. It holds at least one key, and nothing that contradicts
/// itself.
///
/// Whether to believe it is not decided here: XEP-0434 §9.1.1 advises to take it from a trusted source only, and to ask the
/// user before it changes what is trusted. A scanned QR code is as good as the screen that it was on; a link is only as good as
/// its page.
///
/// ```
/// use omemo::{BareJid, DeviceId, Fingerprint, VerificationUri};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let fingerprint: Fingerprint = "623548d3 835c6d33 ef5cb680 f7944ef3 81cf712b f23a0119 dabe5c4f 252cd02f".parse()?;
/// let ours = VerificationUri::of_device(BareJid::parse("bob@example.com")?, DeviceId::new(42)?, fingerprint);
/// assert_eq!(
///     ours.to_string(),
///     "xmpp:bob@example.com?omemo-sid-42=623548d3835c6d33ef5cb680f7944ef381cf712bf23a0119dabe5c4f252cd02f"
/// );
///
/// let scanned: VerificationUri = ours.to_string().parse()?;
/// assert_eq!(scanned.jid().as_str(), "bob@example.com");
/// assert!(scanned.trusts(&fingerprint));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VerificationUri {
    jid: BareJid,
    /// Of a trust message, the protocol that it names.
    encryption: Option<Version>,
    keys: Vec<(Option<DeviceId>, Fingerprint)>,
    distrusted: Vec<Fingerprint>,
}

/// Why a text is no URI of this kind, or keys make none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// More than 65,536 bytes, or an address of more than 3,071.
    #[error("the URI is too long")]
    TooLong,
    /// More than 256 keys.
    #[error("the URI holds too many keys")]
    TooManyKeys,
    /// Another scheme than `xmpp:`, or none.
    #[error("this is no URI that begins with xmpp:")]
    Scheme,
    /// An authority, `xmpp://`, which names the account to act as and not the one that is meant (RFC 5122 §2.3). Some write it by
    /// mistake; what they mean is not guessed.
    #[error(
        "after xmpp: two slashes name the account to act as, not the one whose keys are verified"
    )]
    Authority,
    /// A percent sign without two hexadecimal digits, or bytes that are no UTF-8.
    #[error("the URI holds a percent sign that is not followed by the code of a character")]
    PercentEncoding,
    /// No address of an account.
    #[error(transparent)]
    Jid(#[from] JidError),
    /// No device id after `omemo-sid-`.
    #[error(transparent)]
    Device(#[from] DeviceIdError),
    /// A fingerprint that is not hexadecimal.
    #[error("the fingerprint of {name} is not hexadecimal")]
    Digits {
        /// The parameter, `omemo-sid-ID`, `trust` or `distrust`.
        name: String,
    },
    /// A fingerprint that is not whole. A part of one proves nothing, for keys that agree in a part can be made. (A30)
    #[error("the fingerprint of {name} has {digits} digits, and a whole one has 64")]
    Length {
        /// The parameter, `omemo-sid-ID`, `trust` or `distrust`.
        name: String,
        /// How many there are.
        digits: usize,
    },
    /// A trust message that does not say once which protocol its keys belong to, or says another one than OMEMO.
    #[error("the trust message does not name OMEMO as its encryption")]
    Encryption,
    /// Two keys for one device.
    #[error("the URI gives device {0} two different fingerprints")]
    TwoKeys(DeviceId),
    /// One key both trusted and distrusted.
    #[error("the URI says of one fingerprint that it is trusted, and that it is not")]
    Contradiction(Fingerprint),
    /// An address, and no key.
    #[error("the URI holds no fingerprint")]
    NoKeys,
}

impl VerificationUri {
    /// The key of one device, by device.
    #[must_use]
    pub fn of_device(jid: BareJid, device: DeviceId, fingerprint: Fingerprint) -> Self {
        Self {
            jid,
            encryption: None,
            keys: vec![(Some(device), fingerprint)],
            distrusted: Vec::new(),
        }
    }

    /// The keys of several devices, by device. What is said twice is kept once.
    ///
    /// # Errors
    /// [`UriError::NoKeys`], [`UriError::TwoKeys`] and [`UriError::TooManyKeys`].
    pub fn of_devices(
        jid: BareJid,
        devices: impl IntoIterator<Item = (DeviceId, Fingerprint)>,
    ) -> Result<Self, UriError> {
        let mut uri = Self::empty(jid, None);
        for (device, fingerprint) in devices {
            uri.add(device, fingerprint)?;
        }
        uri.checked()
    }

    /// A trust message (XEP-0434 §9.1.1). What is said twice is kept once.
    ///
    /// # Errors
    /// [`UriError::NoKeys`], [`UriError::Contradiction`] and [`UriError::TooManyKeys`].
    pub fn trust_message(
        jid: BareJid,
        encryption: Version,
        trusted: impl IntoIterator<Item = Fingerprint>,
        distrusted: impl IntoIterator<Item = Fingerprint>,
    ) -> Result<Self, UriError> {
        let mut uri = Self::empty(jid, Some(encryption));
        for fingerprint in trusted {
            uri.add_trusted(fingerprint)?;
        }
        for fingerprint in distrusted {
            uri.add_distrusted(fingerprint)?;
        }
        uri.checked()
    }

    /// Reads a URI of either kind.
    ///
    /// Accepted are the scheme and the parameters in any case; a resource, which is dropped; parameters of other purposes;
    /// `&` between parameters; white space around everything; a fragment, which is dropped. Fingerprints may be in upper case, be
    /// interrupted by white space, dashes and colons, and have the two digits `05`, the type of the key, in front.
    ///
    /// # Errors
    /// [`UriError`].
    pub fn parse(text: &str) -> Result<Self, UriError> {
        if text.len() > MAX_URI_BYTES {
            return Err(UriError::TooLong);
        }
        let (scheme, rest) = text.trim().split_once(':').ok_or(UriError::Scheme)?;
        if !scheme.eq_ignore_ascii_case("xmpp") {
            return Err(UriError::Scheme);
        }
        if rest.starts_with("//") {
            return Err(UriError::Authority);
        }
        let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let jid = read_jid(path)?;
        let parameters = query
            .split([';', '&'])
            .map(Parameter::read)
            .collect::<Result<Vec<_>, _>>()?;
        match parameters.split_first() {
            Some((kind, rest)) if kind.name == TRUST_MESSAGE => read_trust_message(jid, rest),
            _ => read_devices(jid, &parameters),
        }
    }

    /// The account whose keys these are.
    #[must_use]
    pub const fn jid(&self) -> &BareJid {
        &self.jid
    }

    /// The keys that are to be trusted as they were written, in that order, with their devices if the URI names them.
    ///
    /// To find out about a key that is known, ask [`trusts`](Self::trusts).
    #[must_use]
    pub fn keys(&self) -> &[(Option<DeviceId>, Fingerprint)] {
        &self.keys
    }

    /// The keys that are to be distrusted, as they were written. Only a trust message has any.
    #[must_use]
    pub fn distrusted(&self) -> &[Fingerprint] {
        &self.distrusted
    }

    /// The protocol that a trust message names; the keys are the same in both.
    #[must_use]
    pub const fn encryption(&self) -> Option<Version> {
        self.encryption
    }

    /// Whether the key with this fingerprint is to be trusted, and not distrusted as well in its other form.
    ///
    /// A trust message may name a key by its Ed25519 form, too. XEP-0434 leaves to the encryption protocol what identifies a
    /// key; XEP-0384 §8 wants the Curve25519 form for fingerprints and does not mention trust messages, and a widely used
    /// library puts the Ed25519 form there. We write fingerprints. Nobody gains by the second form: whoever wanted a key of
    /// theirs to be named by the digits of another key would have to find a secret to a given public key.
    #[must_use]
    pub fn trusts(&self, fingerprint: &Fingerprint) -> bool {
        let mut written = self.keys.iter().map(|(_, written)| written);
        written.any(|written| self.names(written, fingerprint)) && !self.distrusts(fingerprint)
    }

    /// Whether the key with this fingerprint is to be distrusted, in whichever form it is written.
    #[must_use]
    pub fn distrusts(&self, fingerprint: &Fingerprint) -> bool {
        self.distrusted
            .iter()
            .any(|written| self.names(written, fingerprint))
    }

    fn names(&self, written: &Fingerprint, fingerprint: &Fingerprint) -> bool {
        let as_ed25519 = || {
            IdentityKey::from_ed25519(written.as_bytes())
                .is_ok_and(|key| key.fingerprint() == *fingerprint)
        };
        written == fingerprint || (self.encryption.is_some() && as_ed25519())
    }

    fn empty(jid: BareJid, encryption: Option<Version>) -> Self {
        Self {
            jid,
            encryption,
            keys: Vec::new(),
            distrusted: Vec::new(),
        }
    }

    fn add(&mut self, device: DeviceId, fingerprint: Fingerprint) -> Result<(), UriError> {
        let known = self.keys.iter().find(|(id, _)| *id == Some(device));
        match known {
            Some((_, known)) if *known != fingerprint => Err(UriError::TwoKeys(device)),
            Some(_) => Ok(()),
            None => {
                self.keys.push((Some(device), fingerprint));
                self.within_limit()
            }
        }
    }

    fn add_trusted(&mut self, fingerprint: Fingerprint) -> Result<(), UriError> {
        if self.distrusted.contains(&fingerprint) {
            return Err(UriError::Contradiction(fingerprint));
        }
        if self.keys.contains(&(None, fingerprint)) {
            return Ok(());
        }
        self.keys.push((None, fingerprint));
        self.within_limit()
    }

    fn add_distrusted(&mut self, fingerprint: Fingerprint) -> Result<(), UriError> {
        if self.keys.contains(&(None, fingerprint)) {
            return Err(UriError::Contradiction(fingerprint));
        }
        if self.distrusted.contains(&fingerprint) {
            return Ok(());
        }
        self.distrusted.push(fingerprint);
        self.within_limit()
    }

    fn within_limit(&self) -> Result<(), UriError> {
        if self.keys.len() + self.distrusted.len() > MAX_URI_KEYS {
            return Err(UriError::TooManyKeys);
        }
        Ok(())
    }

    fn checked(self) -> Result<Self, UriError> {
        if self.keys.is_empty() && self.distrusted.is_empty() {
            return Err(UriError::NoKeys);
        }
        Ok(self)
    }
}

impl FromStr for VerificationUri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        Self::parse(text)
    }
}

/// The kind that it was made or read as. Everything that could mean something else in any part of a URI is percent-encoded, and
/// fingerprints are 64 lowercase digits.
impl fmt::Display for VerificationUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("xmpp:")?;
        write_encoded(f, self.jid.as_str())?;
        let mut separator = '?';
        if let Some(version) = self.encryption {
            let namespace = protocol::namespace(version);
            write!(f, "?{TRUST_MESSAGE};{ENCRYPTION}={namespace}")?;
            separator = ';';
        }
        for (device, fingerprint) in &self.keys {
            let digits = fingerprint.groups().concat();
            match device {
                Some(device) => write!(f, "{separator}{DEVICE}{device}={digits}")?,
                None => write!(f, "{separator}{TRUST}={digits}")?,
            }
            separator = ';';
        }
        for fingerprint in &self.distrusted {
            let digits = fingerprint.groups().concat();
            write!(f, "{separator}{DISTRUST}={digits}")?;
        }
        Ok(())
    }
}

/// A part of the query. Its name is in lower case.
struct Parameter {
    name: String,
    value: String,
}

impl Parameter {
    fn read(text: &str) -> Result<Self, UriError> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        Ok(Self {
            name: decoded(name.trim())?.to_ascii_lowercase(),
            value: decoded(value.trim())?,
        })
    }
}

fn read_jid(path: &str) -> Result<BareJid, UriError> {
    let bare = path.split_once('/').map_or(path, |(bare, _resource)| bare);
    let text = decoded(bare)?;
    if text.len() > MAX_JID_BYTES {
        return Err(UriError::TooLong);
    }
    Ok(BareJid::parse(&text)?)
}

fn read_devices(jid: BareJid, parameters: &[Parameter]) -> Result<VerificationUri, UriError> {
    let mut uri = VerificationUri::empty(jid, None);
    for Parameter { name, value } in parameters {
        if let Some(id) = name.strip_prefix(DEVICE) {
            let device: DeviceId = id.parse()?;
            uri.add(
                device,
                read_fingerprint(&format!("{DEVICE}{device}"), value)?,
            )?;
        }
    }
    uri.checked()
}

fn read_trust_message(jid: BareJid, parameters: &[Parameter]) -> Result<VerificationUri, UriError> {
    let mut named = parameters
        .iter()
        .filter(|parameter| parameter.name == ENCRYPTION);
    let (Some(encryption), None) = (named.next(), named.next()) else {
        return Err(UriError::Encryption);
    };
    let protocol = protocol::with_namespace(&encryption.value).ok_or(UriError::Encryption)?;
    let mut uri = VerificationUri::empty(jid, Some(protocol.version));
    for Parameter { name, value } in parameters {
        match name.as_str() {
            TRUST => uri.add_trusted(read_fingerprint(name, value)?)?,
            DISTRUST => uri.add_distrusted(read_fingerprint(name, value)?)?,
            _ => {}
        }
    }
    uri.checked()
}

/// All 64 digits, or 66 with the type byte of the legacy protocol's keys in front.
fn read_fingerprint(name: &str, value: &str) -> Result<Fingerprint, UriError> {
    let digits: String = value
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | ':'))
        .collect();
    let refused = || UriError::Digits { name: name.into() };
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(refused());
    }
    let key = match digits.len() {
        64 => Some(digits.as_str()),
        66 => digits.strip_prefix("05"),
        _ => None,
    };
    key.ok_or_else(|| UriError::Length {
        name: name.into(),
        digits: digits.len(),
    })?
    .parse()
    .map_err(|_| refused())
}

fn decoded(text: &str) -> Result<String, UriError> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2).ok_or(UriError::PercentEncoding)?;
        bytes.push(byte_of(code).ok_or(UriError::PercentEncoding)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).map_err(|_| UriError::PercentEncoding)
}

fn byte_of(code: &str) -> Option<u8> {
    // The number's parser alone would take a sign as well.
    let hexadecimal = code.bytes().all(|digit| digit.is_ascii_hexdigit());
    u8::from_str_radix(code, 16).ok().filter(|_| hexadecimal)
}

/// RFC 3986 §2.3's unreserved characters stand for themselves, and so does the one between the parts of a JID.
fn write_encoded(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            write!(f, "{}", char::from(byte))?;
        } else {
            write!(f, "%{byte:02X}")?;
        }
    }
    Ok(())
}
