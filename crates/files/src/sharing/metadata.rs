//! What a file is (XEP-0446).

use std::str::FromStr;

use minidom::Element;

use super::node;
use crate::error::SharingError;
use crate::hash::FileHash;

/// The namespace.
pub(super) const NAMESPACE: &str = "urn:xmpp:file:metadata:0";
/// The namespace of XEP-0264.
const THUMBS: &str = "urn:xmpp:thumbs:1";

/// `<file/>`: what the sender says of a file, which may be anything. Of encrypted files it describes the plaintext.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileMetadata {
    /// What the file is called. Never a path to write to as it stands: it may hold `/`, `..`, and what terminals obey.
    pub name: Option<String>,
    /// Its media type (RFC 6838), such as `image/jpeg`.
    pub media_type: Option<String>,
    /// Its bytes. XEP-0448 demands this of encrypted files.
    pub size: Option<u64>,
    /// When it was last changed, as in XEP-0082.
    pub date: Option<String>,
    /// What is on it, for people who cannot see it.
    pub desc: Option<String>,
    /// Its hashes. XEP-0448 demands one of encrypted files.
    pub hashes: Vec<FileHash>,
    /// The width of an image or a film in pixels.
    pub width: Option<u32>,
    /// The height of an image or a film in pixels.
    pub height: Option<u32>,
    /// How long a sound or a film is, in milliseconds.
    pub length: Option<u64>,
    /// Small images of it.
    pub thumbnails: Vec<MetadataThumbnail>,
}

/// `<thumbnail/>` (XEP-0264): where a small image of the file is.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataThumbnail {
    /// Where it is, such as `cid:...` (XEP-0231) or `data:...`.
    pub uri: String,
    /// Its media type.
    pub media_type: Option<String>,
    /// Its width in pixels.
    pub width: Option<u32>,
    /// Its height in pixels.
    pub height: Option<u32>,
}

impl MetadataThumbnail {
    /// A thumbnail of which only the place is known.
    #[must_use]
    pub const fn new(uri: String) -> Self {
        Self {
            uri,
            media_type: None,
            width: None,
            height: None,
        }
    }

    /// One without a place is left out: it shows nothing, and says nothing about the file.
    fn parse(element: &Element) -> Option<Self> {
        let number = |name| element.attr(name).and_then(|text| text.parse().ok());
        Some(Self {
            uri: element.attr("uri")?.to_owned(),
            media_type: element.attr("media-type").map(str::to_owned),
            width: number("width"),
            height: number("height"),
        })
    }

    fn to_element(&self) -> Element {
        let mut element = Element::bare("thumbnail", THUMBS);
        node::set(&mut element, "uri", &self.uri);
        if let Some(media_type) = &self.media_type {
            node::set(&mut element, "media-type", media_type);
        }
        for (name, number) in [("width", self.width), ("height", self.height)] {
            if let Some(number) = number {
                node::set(&mut element, name, &number.to_string());
            }
        }
        element
    }
}

impl FileMetadata {
    /// Reads an element.
    ///
    /// # Errors
    ///
    /// [`SharingError`] says what is wrong with it.
    pub fn parse(element: &Element) -> Result<Self, SharingError> {
        node::expect(element, "file", NAMESPACE)?;
        let thumbnails = element.children().filter(|one| one.is("thumbnail", THUMBS));
        // There may be several, one a language.
        let desc = element.children().find(|one| one.is("desc", NAMESPACE));
        Ok(Self {
            name: text(element, "name")?,
            media_type: text(element, "media-type")?,
            size: number(element, "size")?,
            date: text(element, "date")?,
            desc: desc.map(Element::text),
            hashes: node::hashes(element)?,
            width: number(element, "width")?,
            height: number(element, "height")?,
            length: number(element, "length")?,
            thumbnails: thumbnails.filter_map(MetadataThumbnail::parse).collect(),
        })
    }

    /// The element.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let size = self.size.map(|number| number.to_string());
        let [width, height] = [self.width, self.height].map(|n| n.map(|number| number.to_string()));
        let length = self.length.map(|number| number.to_string());
        let mut element = Element::bare("file", NAMESPACE);
        for (name, value) in [
            ("media-type", &self.media_type),
            ("name", &self.name),
            ("date", &self.date),
            ("size", &size),
            ("width", &width),
            ("height", &height),
            ("length", &length),
            ("desc", &self.desc),
        ] {
            if let Some(value) = value {
                element.append_child(node::with_text(name, NAMESPACE, value));
            }
        }
        node::append_hashes(&mut element, &self.hashes);
        for thumbnail in &self.thumbnails {
            element.append_child(thumbnail.to_element());
        }
        element
    }
}

/// Names and descriptions are part of the message.
impl std::fmt::Debug for FileMetadata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileMetadata")
            .field("media_type", &self.media_type)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for MetadataThumbnail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MetadataThumbnail")
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

fn text(element: &Element, name: &'static str) -> Result<Option<String>, SharingError> {
    Ok(node::only_child(element, "file", name, NAMESPACE)?.map(Element::text))
}

fn number<T: FromStr>(element: &Element, name: &'static str) -> Result<Option<T>, SharingError> {
    let number = text(element, name)?.map(|text| text.trim().parse());
    number.transpose().map_err(|_| SharingError::Number(name))
}
