//! Files in messages: stateless file sharing (XEP-0447) with encrypted sources (XEP-0448).
//!
//! Unknown elements, attributes, algorithms and ciphers are passed over. Of several sources a damaged one is left out, with its
//! reason in [`Sources::refused`]; whatever else is wrong refuses the whole.

mod metadata;
mod node;
mod sources;

use minidom::Element;

pub use metadata::{FileMetadata, MetadataThumbnail};
pub use sources::{EncryptedSource, Sources};

use crate::decryptor::EncryptedFile;
use crate::encryptor::SealedFile;
use crate::error::SharingError;

/// The namespace of XEP-0447.
pub(crate) const NAMESPACE: &str = "urn:xmpp:sfs:0";

/// Whether a file is meant to be shown with the message (XEP-0447 §"Receiving a file").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Disposition {
    /// Shown.
    Inline,
    /// Offered; not to be fetched unasked.
    Attachment,
}

/// `<file-sharing/>`: a file, and where it can be had. With an encrypted source it holds the key, so it belongs into an encrypted
/// message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileSharing {
    /// Tells several files of one message from each other, and says which one attached sources are for.
    pub id: Option<String>,
    /// How it is meant to be shown.
    pub disposition: Option<Disposition>,
    /// What the file is, before encryption.
    pub file: FileMetadata,
    /// Where it can be had. Without any, they will be attached later.
    pub sources: Sources,
}

impl FileSharing {
    /// A file and its sources.
    #[must_use]
    pub const fn new(file: FileMetadata, sources: Sources) -> Self {
        Self {
            id: None,
            disposition: None,
            file,
            sources,
        }
    }

    /// Of a file that was encrypted and uploaded to these places. Name and media type are the app's to fill in.
    #[must_use]
    pub fn of(sealed: &SealedFile, urls: Vec<String>) -> Self {
        let file = FileMetadata {
            size: Some(sealed.size),
            hashes: sealed.hashes.clone(),
            ..FileMetadata::default()
        };
        let mut source = EncryptedSource::new(sealed.key.clone(), urls);
        source.hashes.clone_from(&sealed.ciphertext_hashes);
        let sources = Sources {
            encrypted: vec![source],
            ..Sources::default()
        };
        Self::new(file, sources)
    }

    /// What there is to know for decrypting what comes from one of its sources, or from one that was attached later.
    #[must_use]
    pub fn encrypted_file(&self, source: &EncryptedSource) -> EncryptedFile {
        EncryptedFile::new(source.key.clone())
            .with_size(self.file.size)
            .with_hashes(&self.file.hashes)
            .with_ciphertext_hashes(&source.hashes)
    }

    /// Whether a hash that is checked here says which file it is. Without one, sources that somebody else attached are to be ignored,
    /// and so are unencrypted sources without TLS (XEP-0447 §"Security Considerations").
    #[must_use]
    pub fn has_hash(&self) -> bool {
        let mut hashes = self.file.hashes.iter();
        hashes.any(|hash| hash.algorithm().is_some())
    }

    /// Reads an element.
    ///
    /// # Errors
    ///
    /// [`SharingError`] says what is wrong with it.
    pub fn parse(element: &Element) -> Result<Self, SharingError> {
        node::expect(element, "file-sharing", NAMESPACE)?;
        let file = node::child(element, "file-sharing", "file", metadata::NAMESPACE)?;
        let sources = node::only_child(element, "file-sharing", "sources", NAMESPACE)?;
        Ok(Self {
            id: element.attr("id").map(str::to_owned),
            disposition: match element.attr("disposition") {
                Some("inline") => Some(Disposition::Inline),
                Some("attachment") => Some(Disposition::Attachment),
                _ => None,
            },
            file: FileMetadata::parse(file)?,
            sources: sources.map(Sources::parse).transpose()?.unwrap_or_default(),
        })
    }

    /// The element, in default namespaces.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let mut element = Element::bare("file-sharing", NAMESPACE);
        if let Some(disposition) = self.disposition {
            let value = match disposition {
                Disposition::Inline => "inline",
                Disposition::Attachment => "attachment",
            };
            node::set(&mut element, "disposition", value);
        }
        if let Some(id) = &self.id {
            node::set(&mut element, "id", id);
        }
        element.append_child(self.file.to_element());
        if !self.sources.is_empty() {
            element.append_child(self.sources.to_element());
        }
        element
    }
}
