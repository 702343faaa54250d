//! Links to encrypted files: OMEMO media sharing (XEP-0454).

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::cipher::Cipher;
use crate::decryptor::EncryptedFile;
use crate::error::LinkError;
use crate::key::FileKey;

const SCHEME: &str = "aesgcm://";
const HTTPS: &str = "https://";
const KEY_DIGITS: usize = 64;

/// `aesgcm://host/path#ivkey`: where an encrypted file lies, and its key. The whole text is as secret as the key: it goes into an
/// encrypted body, never into a browser, a log, or the hands of whoever opens links (XEP-0454 §"Security Considerations").
#[derive(Clone, PartialEq, Eq)]
pub struct AesgcmLink {
    /// Without scheme and fragment.
    place: String,
    key: FileKey,
}

impl AesgcmLink {
    /// Makes a link of the `https://` URL from which the ciphertext can be downloaded.
    ///
    /// # Errors
    ///
    /// [`LinkError::NotHttps`], [`LinkError::Url`] for a URL with a fragment or without host; of a good URL, [`LinkError::Cipher`].
    pub fn new(url: &str, key: FileKey) -> Result<Self, LinkError> {
        let place = checked(after_scheme(url, HTTPS).ok_or(LinkError::NotHttps)?)?;
        if key.cipher() != Cipher::Aes256Gcm {
            return Err(LinkError::Cipher);
        }
        Ok(Self {
            place: place.to_owned(),
            key,
        })
    }

    /// Reads a link. The digits are those of the IV (12 bytes, or the 16 that clients wrote before 2018) and of the key, the last
    /// 64, in either case.
    ///
    /// # Errors
    ///
    /// [`LinkError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let text = after_scheme(text, SCHEME).ok_or(LinkError::Scheme)?;
        let (place, digits) = text.split_once('#').ok_or(LinkError::NoKey)?;
        let place = checked(place)?.to_owned();
        let bytes = from_hex(digits).ok_or(LinkError::KeyDigits)?;
        let iv_digits = digits.len().checked_sub(KEY_DIGITS);
        let (iv, key) = iv_digits
            .and_then(|digits| bytes.split_at_checked(digits / 2))
            .ok_or(LinkError::KeyDigits)?;
        let key = FileKey::parse(Cipher::Aes256Gcm, key, iv).map_err(|_| LinkError::KeyDigits)?;
        Ok(Self { place, key })
    }

    /// Where to download the ciphertext: `https://`, without the key.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{HTTPS}{}", self.place)
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &FileKey {
        &self.key
    }

    /// What there is to know for decrypting it.
    #[must_use]
    pub fn file(&self) -> EncryptedFile {
        EncryptedFile::new(self.key.clone())
    }

    /// What stands after `#`: 88 or 96 digits.
    #[must_use]
    pub fn fragment(&self) -> Zeroizing<String> {
        fragment(&self.key)
    }

    /// The link as it goes into an encrypted body.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let fragment = self.fragment();
        let parts = [SCHEME, &self.place, "#", &fragment];
        let length = parts.iter().map(|part| part.len()).sum();
        let mut text = Zeroizing::new(String::with_capacity(length));
        for part in parts {
            text.push_str(part);
        }
        text
    }
}

impl FromStr for AesgcmLink {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        Self::parse(text)
    }
}

impl std::fmt::Debug for AesgcmLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The place says what is shared and with whose server.
        let Self { place: _, key } = self;
        write!(f, "AesgcmLink([redacted], {key:?})")
    }
}

/// The digits of a key as they stand in a link: first the IV, then the key, in lower case.
pub(crate) fn fragment(key: &FileKey) -> Zeroizing<String> {
    let bytes = key.iv().iter().chain(key.key());
    let mut text = Zeroizing::new(String::with_capacity(96));
    for byte in bytes {
        for digit in [byte >> 4, byte & 0x0f] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
    text
}

/// A body that is a link and, perhaps, a small preview of an image, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SharedMedia {
    /// The link.
    pub link: AesgcmLink,
    /// The preview.
    pub thumbnail: Option<Thumbnail>,
}

/// A small image beside a link.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Thumbnail {
    /// Such as `image/jpeg`, as the sender says.
    pub media_type: String,
    /// The image. Whatever reads it has to expect anything.
    pub data: Vec<u8>,
}

impl Thumbnail {
    /// A JPEG image; XEP-0454 advises 5 KiB at most.
    #[must_use]
    pub fn jpeg(data: Vec<u8>) -> Self {
        Self {
            media_type: "image/jpeg".to_owned(),
            data,
        }
    }

    /// `data:image/jpeg,BASE64`, as in XEP-0454, or with the `;base64` that RFC 2397 wants.
    fn parse(text: &str) -> Option<Self> {
        let (media_type, data) = text.strip_prefix("data:")?.split_once(',')?;
        let media_type = media_type.strip_suffix(";base64").unwrap_or(media_type);
        let subtype = media_type.strip_prefix("image/")?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if subtype.is_empty() || !subtype.bytes().all(plain) {
            return None;
        }
        let data = STANDARD.decode(data).ok().filter(|data| !data.is_empty())?;
        Some(Self {
            media_type: media_type.to_owned(),
            data,
        })
    }
}

impl std::fmt::Debug for Thumbnail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { media_type, data } = self;
        write!(f, "Thumbnail({media_type}, {} bytes)", data.len())
    }
}

impl SharedMedia {
    /// A link, perhaps with a preview.
    #[must_use]
    pub const fn new(link: AesgcmLink, thumbnail: Option<Thumbnail>) -> Self {
        Self { link, thumbnail }
    }

    /// Reads a decrypted body. It is strict, as XEP-0454 §"Business Rules" asks: a link alone, or a link, one new line, and one image as
    /// a data URI. Everything else is a text that people wrote.
    ///
    /// # Errors
    ///
    /// [`LinkError`] says why it is none.
    pub fn parse(body: &str) -> Result<Self, LinkError> {
        let (link, rest) = match body.split_once('\n') {
            Some((link, rest)) => (link, Some(rest)),
            None => (body, None),
        };
        let link = AesgcmLink::parse(link)?;
        let thumbnail = rest
            .map(|rest| Thumbnail::parse(rest).ok_or(LinkError::Thumbnail))
            .transpose()?;
        Ok(Self { link, thumbnail })
    }

    /// The body.
    #[must_use]
    pub fn to_body(&self) -> Zeroizing<String> {
        let Some(Thumbnail { media_type, data }) = &self.thumbnail else {
            return self.link.to_text();
        };
        let link = self.link.to_text();
        let data = STANDARD.encode(data);
        // No `;base64`, as in XEP-0454: there are clients that look for this very beginning.
        Zeroizing::new(format!("{}\ndata:{media_type},{data}", link.as_str()))
    }
}

/// What follows a scheme, whose letters may be of either case.
fn after_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (found, rest) = text.split_at_checked(scheme.len())?;
    found.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// A host and what follows it. Only what could deceive is refused: the rest is for whoever downloads.
fn checked(place: &str) -> Result<&str, LinkError> {
    let host = place.split(['/', '?']).next().unwrap_or_default();
    let refused =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '#' | '<' | '>' | '"' | '\\');
    if host.is_empty() || place.contains(refused) {
        return Err(LinkError::Url);
    }
    Ok(place)
}

fn from_hex(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    for [high, low] in pairs {
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let byte = digit(high)?.checked_mul(16)?.checked_add(digit(low)?)?;
        bytes.push(u8::try_from(byte).ok()?);
    }
    Some(bytes)
}
