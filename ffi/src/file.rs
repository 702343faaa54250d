//! Files of chats: what a message tells about one.

use std::ffi::c_char;

use omemo::xml;
use omemo_files::{AesgcmLink, EncryptedFile, FileSharing, LinkError, SealedFile, SharedMedia};

use crate::last_error;
use crate::panic;
use crate::ptr::{self, Place};
use crate::status::{Failure, omemo_status};
use crate::text::{self, Text};

/// What a message tells about an encrypted file: the key, where the ciphertext is, and what the sender says of it. It is wiped when
/// it is freed.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "the header's name")]
pub struct omemo_file {
    known: EncryptedFile,
    urls: Vec<Text>,
    link: Option<Text>,
    element: Option<Text>,
    name: Option<Text>,
    media_type: Option<Text>,
    thumbnail: Option<Vec<u8>>,
}

impl omemo_file {
    /// What there is to know for decrypting it.
    pub(crate) const fn known(&self) -> &EncryptedFile {
        &self.known
    }

    /// Of a file that was just encrypted.
    pub(crate) fn of_sealed(
        sealed: &SealedFile,
        url: &str,
        name: Option<&str>,
        media_type: Option<&str>,
    ) -> Result<Self, Failure> {
        match AesgcmLink::new(url, sealed.key.clone()) {
            // The element is for every cipher.
            Ok(_) | Err(LinkError::Cipher) => {}
            Err(error) => {
                return Err(Failure {
                    status: omemo_status::OMEMO_NOT_URL,
                    sentence: error.to_string(),
                });
            }
        }
        let mut sharing = FileSharing::of(sealed, vec![url.to_owned()]);
        sharing.file.name = name.map(str::to_owned);
        sharing.file.media_type = media_type.map(str::to_owned);
        Self::of_sharing(&sharing)
    }

    fn of_body(body: &str) -> Result<Self, LinkError> {
        let SharedMedia {
            link, thumbnail, ..
        } = SharedMedia::parse(body)?;
        Ok(Self {
            known: link.file(),
            urls: vec![Text::new(link.url())],
            link: Some(Text::new(link.to_text().as_str())),
            element: None,
            name: None,
            media_type: None,
            thumbnail: thumbnail.map(|thumbnail| thumbnail.data),
        })
    }

    fn of_sharing(sharing: &FileSharing) -> Result<Self, Failure> {
        let source = sharing.sources.encrypted.first().ok_or_else(|| {
            let reason = sharing.sources.refused.first();
            not_file(reason.map_or_else(
                || "the element names no encrypted source".to_owned(),
                ToString::to_string,
            ))
        })?;
        let urls = &source.sources.urls;
        let link = urls.first().and_then(|url| {
            let link = AesgcmLink::new(url, source.key.clone()).ok()?;
            Some(Text::new(link.to_text().as_str()))
        });
        let element = xml::to_text(&sharing.to_element());
        let element = element.map_err(|error| not_file(error.to_string()))?;
        Ok(Self {
            known: sharing.encrypted_file(source),
            urls: urls.iter().map(|url| Text::new(url.as_str())).collect(),
            link,
            element: Some(Text::new(element)),
            name: sharing.file.name.as_deref().map(Text::new),
            media_type: sharing.file.media_type.as_deref().map(Text::new),
            thumbnail: None,
        })
    }
}

fn not_file(sentence: String) -> Failure {
    Failure {
        status: omemo_status::OMEMO_NOT_FILE,
        sentence,
    }
}

/// Reads the body of a decrypted message that is an `aesgcm` link alone, or one with a small image (XEP-0454). All others are texts
/// that people wrote: show them as such, and never as a link that can be opened, since that would tell a server the key.
///
/// `body`: as `omemo_message_body` gives it. `file` (out): free it with `omemo_file_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, or `OMEMO_NOT_FILE`. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_of_body(
    body: *const c_char,
    file: *mut *mut omemo_file,
) -> omemo_status {
    last_error::without_account(|| {
        let (body, place) = (ptr::text(body)?, Place::new(file)?);
        let file = omemo_file::of_body(body).map_err(|error| not_file(error.to_string()))?;
        place.give(file);
        Ok(())
    })
}

/// Reads a `<file-sharing/>` element with an encrypted source (XEP-0447, XEP-0448) from the content of a decrypted message. Of several
/// encrypted sources the first is taken whose cipher and key make sense.
///
/// `xml`: as `omemo_message_content` gives it. `file` (out): free it with `omemo_file_free`.
///
/// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_XML`, or `OMEMO_NOT_FILE` for another element, a damaged one, or one
/// without such a source. Does not touch the disk.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_of_element(
    xml: *const c_char,
    file: *mut *mut omemo_file,
) -> omemo_status {
    last_error::without_account(|| {
        let (text, place) = (ptr::text(xml)?, Place::new(file)?);
        let element = xml::parse(text).map_err(|error| Failure {
            status: omemo_status::OMEMO_NOT_XML,
            sentence: error.to_string(),
        })?;
        let sharing = FileSharing::parse(&element).map_err(|error| not_file(error.to_string()))?;
        place.give(omemo_file::of_sharing(&sharing)?);
        Ok(())
    })
}

/// Frees what is known of a file, wipes it, and sets the caller's pointer to NULL. NULL, and a pointer to NULL, are harmless.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_free(file: *mut *mut omemo_file) {
    panic::asked((), || {
        drop(ptr::take(file));
        Ok(())
    });
}

fn ask<T>(file: *const omemo_file, otherwise: T, answer: impl FnOnce(&omemo_file) -> T) -> T {
    panic::asked(otherwise, || Ok::<_, Failure>(answer(ptr::borrow(file)?)))
}

/// Where the ciphertext can be downloaded, by position from 0 on; NULL beyond the last. The sender has chosen it: download only what
/// has a scheme that you expect.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_url(file: *const omemo_file, index: usize) -> *const c_char {
    ask(file, std::ptr::null(), |file| {
        text::pointer(file.urls.get(index))
    })
}

/// The `aesgcm` link, which is the whole body of a message for clients that know no more; NULL for another cipher than AES-256-GCM, or
/// a first URL that is not `https://`. As secret as the file.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_link(file: *const omemo_file) -> *const c_char {
    ask(file, std::ptr::null(), |file| {
        text::pointer(file.link.as_ref())
    })
}

/// The `<file-sharing/>` element, for `omemo_account_send`; NULL for a file that came as a link. As secret as the file.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_element(file: *const omemo_file) -> *const c_char {
    ask(file, std::ptr::null(), |file| {
        text::pointer(file.element.as_ref())
    })
}

/// What the sender calls the file; NULL if nothing. Never a path to write to as it stands: it may hold `/` and `..`.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_name(file: *const omemo_file) -> *const c_char {
    ask(file, std::ptr::null(), |file| {
        text::pointer(file.name.as_ref())
    })
}

/// What kind of file it is, as the sender says, such as `image/jpeg`; NULL if nothing was said.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_media_type(file: *const omemo_file) -> *const c_char {
    ask(file, std::ptr::null(), |file| {
        text::pointer(file.media_type.as_ref())
    })
}

/// How many bytes the decrypted file should have.
///
/// `bytes` (out): written only if that was said; may be NULL.
///
/// Returns whether it was.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_size(file: *const omemo_file, bytes: *mut u64) -> bool {
    ask(file, false, |file| {
        let size = file.known.size();
        if let (Some(size), Ok(place)) = (size, Place::new(bytes)) {
            place.put(size);
        }
        size.is_some()
    })
}

/// The small image that came beside a link. Whatever reads it has to expect anything.
///
/// `length` (out): its bytes, written only if there is one; may be NULL.
///
/// Returns where it stands, for as long as the file lives; NULL if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn omemo_file_thumbnail(file: *const omemo_file, length: *mut usize) -> *const u8 {
    ask(file, std::ptr::null(), |file| {
        let Some(image) = &file.thumbnail else {
            return std::ptr::null();
        };
        if let Ok(place) = Place::new(length) {
            place.put(image.len());
        }
        image.as_ptr()
    })
}
