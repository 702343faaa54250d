//! Where a file can be had (XEP-0447, XEP-0448, XEP-0103).

use minidom::Element;

use super::{NAMESPACE, node};
use crate::cipher::Cipher;
use crate::error::SharingError;
use crate::hash::FileHash;
use crate::key::FileKey;

/// The namespace of XEP-0448.
const ENCRYPTED: &str = "urn:xmpp:esfs:0";
/// The namespace of XEP-0103.
const URL_DATA: &str = "http://jabber.org/protocol/url-data";

/// `<sources/>`: in a `<file-sharing/>`, in an encrypted source, or attached to a message by another one.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sources {
    /// Which file they are for, if they were attached.
    pub id: Option<String>,
    /// Places with an encrypted file.
    pub encrypted: Vec<EncryptedSource>,
    /// Places with the file as it is; within an encrypted source, with its ciphertext. They are not checked: download only what
    /// has a scheme that you expect.
    pub urls: Vec<String>,
    /// Why others were left out. They are not written.
    pub refused: Vec<SharingError>,
}

/// `<encrypted/>`: the key of a file, and where its ciphertext can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncryptedSource {
    /// The key.
    pub key: FileKey,
    /// Hashes of the ciphertext.
    pub hashes: Vec<FileHash>,
    /// Where the ciphertext is.
    pub sources: Sources,
}

impl Sources {
    /// Reads an element.
    ///
    /// # Errors
    ///
    /// [`SharingError::Element`] if it is another one.
    pub fn parse(element: &Element) -> Result<Self, SharingError> {
        let mut sources = Self::places(element)?;
        for source in element
            .children()
            .filter(|one| one.is("encrypted", ENCRYPTED))
        {
            match EncryptedSource::parse(source) {
                Ok(source) => sources.encrypted.push(source),
                Err(reason) => sources.refused.push(reason),
            }
        }
        Ok(sources)
    }

    /// The places that are not encrypted once more.
    fn places(element: &Element) -> Result<Self, SharingError> {
        node::expect(element, "sources", NAMESPACE)?;
        let mut sources = Self {
            id: element.attr("id").map(str::to_owned),
            ..Self::default()
        };
        for url in element
            .children()
            .filter(|one| one.is("url-data", URL_DATA))
        {
            match node::attribute(url, "url-data", "target") {
                Ok(target) => sources.urls.push(target.to_owned()),
                Err(reason) => sources.refused.push(reason),
            }
        }
        Ok(sources)
    }

    /// The element.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let mut element = Element::bare("sources", NAMESPACE);
        if let Some(id) = &self.id {
            node::set(&mut element, "id", id);
        }
        for source in &self.encrypted {
            element.append_child(source.to_element());
        }
        for url in &self.urls {
            let mut child = Element::bare("url-data", URL_DATA);
            node::set(&mut child, "target", url);
            element.append_child(child);
        }
        element
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.encrypted.is_empty() && self.urls.is_empty()
    }
}

impl EncryptedSource {
    /// A key, and where what it opens can be downloaded.
    #[must_use]
    pub fn new(key: FileKey, urls: Vec<String>) -> Self {
        Self {
            key,
            hashes: Vec::new(),
            sources: Sources {
                urls,
                ..Sources::default()
            },
        }
    }

    /// Reads an element.
    ///
    /// # Errors
    ///
    /// [`SharingError`] says what is wrong with it.
    pub fn parse(element: &Element) -> Result<Self, SharingError> {
        node::expect(element, "encrypted", ENCRYPTED)?;
        let namespace = node::attribute(element, "encrypted", "cipher")?;
        let cipher = Cipher::of(namespace)
            .ok_or_else(|| SharingError::Cipher(namespace.chars().take(100).collect()))?;
        let bytes = |name| {
            let child = node::child(element, "encrypted", name, ENCRYPTED)?;
            node::base64(child, name)
        };
        let key = FileKey::parse(cipher, &bytes("key")?, &bytes("iv")?)?;
        let sources = node::child(element, "encrypted", "sources", NAMESPACE)?;
        Ok(Self {
            key,
            hashes: node::hashes(element)?,
            sources: Sources::places(sources)?,
        })
    }

    /// The element.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let mut element = Element::bare("encrypted", ENCRYPTED);
        node::set(&mut element, "cipher", self.key.cipher().namespace());
        for (name, bytes) in [("key", self.key.key()), ("iv", self.key.iv())] {
            element.append_child(node::with_base64(name, ENCRYPTED, bytes));
        }
        node::append_hashes(&mut element, &self.hashes);
        element.append_child(self.sources.to_element());
        element
    }
}

/// Where a file is says what it is.
impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources")
            .field("encrypted", &self.encrypted)
            .field("urls", &self.urls.len())
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}
