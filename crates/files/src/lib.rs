//! Encrypted files for XMPP chats: `aesgcm` links (XEP-0454) and encrypted stateless file sharing (XEP-0448 with XEP-0447).
//!
//! A file is encrypted under a key of its own and uploaded for everybody to see; link or element, which hold the key, go into a
//! message that OMEMO encrypts. This crate encrypts, decrypts, and reads and writes links and elements. Uploading (XEP-0363),
//! downloading and messages are the app's.
//!
//! # Send and receive a file
//!
//! ```
//! use std::io::Cursor;
//!
//! use omemo_files::{AesgcmLink, Cipher, FileSharing, SharedMedia, decrypt_file, encrypt_file};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The app asks for an upload slot of so many bytes, and uploads `ciphertext` there.
//! let photo = b"a photo of the balcony";
//! assert_eq!(Cipher::Aes256Gcm.ciphertext_length(photo.len() as u64), Some(photo.len() as u64 + 16));
//! let mut ciphertext = Vec::new();
//! let sealed = encrypt_file(Cipher::Aes256Gcm, &photo[..], &mut ciphertext)?;
//! let url = "https://upload.capulet.example/1/photo.jpg";
//!
//! // For clients that know no more than bodies: the body of an encrypted message.
//! let body = SharedMedia::new(AesgcmLink::new(url, sealed.key.clone())?, None).to_body();
//! assert!(body.starts_with("aesgcm://upload.capulet.example/1/photo.jpg#"));
//! // For the others: one more element of its content.
//! let mut sharing = FileSharing::of(&sealed, vec![url.to_owned()]);
//! sharing.file.name = Some("photo.jpg".to_owned());
//! sharing.file.media_type = Some("image/jpeg".to_owned());
//! let element = sharing.to_element();
//!
//! // Whoever receives the element downloads from `url` and decrypts. A file that is not the sender's leaves nothing behind.
//! let sharing = FileSharing::parse(&element)?;
//! let source = &sharing.sources.encrypted[0];
//! assert_eq!(source.sources.urls, [url]);
//! let mut plaintext = Vec::new();
//! decrypt_file(&sharing.encrypted_file(source), Cursor::new(&ciphertext), &mut plaintext)?;
//! assert_eq!(plaintext, photo);
//!
//! // And whoever receives the body:
//! let link = SharedMedia::parse(&body)?.link;
//! assert_eq!(link.url(), url);
//! let mut plaintext = Vec::new();
//! decrypt_file(&link.file(), Cursor::new(&ciphertext), &mut plaintext)?;
//! assert_eq!(plaintext, photo);
//!
//! ciphertext[0] ^= 1;
//! let mut plaintext = Vec::new();
//! assert!(decrypt_file(&link.file(), Cursor::new(&ciphertext), &mut plaintext).is_err());
//! assert!(plaintext.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # Which function
//!
//! | the ciphertext | decrypt with | nothing is out before it is verified because |
//! | --- | --- | --- |
//! | is a file, or in memory | [`decrypt_file`] | it is read twice |
//! | comes once, the file goes to the disk | [`decrypt_to_path`] | it gets its name at the end |
//! | comes in pieces, and can come again | [`Verifier`], then [`Decryptor`] | the second is made by the first |
//! | anything else | [`UnverifiedDecryptor`] | **the app sees to it** |
//!
//! Files of any size take constant memory, up to the 64 GiB that GCM can encrypt. Keys are wiped when they are dropped; elements and
//! texts that hold them are the app's to forget.
//!
//! # What a recipient may believe
//!
//! What a link opens was encrypted by somebody who knows the link's key: whoever received the message, too. GCM does not commit to
//! its key, so a malicious sender can make one ciphertext mean different things under two keys (A13); the hashes of a
//! [`FileSharing`] rule that out. With AES-256-CBC only the hashes prove anything, and without one nothing is decrypted.

mod cbc_mode;
mod cipher;
mod decryptor;
mod encryptor;
mod error;
mod gcm;
mod hash;
mod key;
mod link;
mod sharing;
mod streams;
#[cfg(test)]
mod tests;

pub use cipher::Cipher;
pub use decryptor::{Decryptor, EncryptedFile, UnverifiedDecryptor, Verifier};
pub use encryptor::{Encryptor, SealedFile};
pub use error::{DecryptError, EncryptError, FileError, KeyError, LinkError, SharingError};
pub use hash::{FileHash, HashAlgorithm};
pub use key::FileKey;
pub use link::{AesgcmLink, SharedMedia, Thumbnail};
pub use sharing::{
    Disposition, EncryptedSource, FileMetadata, FileSharing, MetadataThumbnail, Sources,
};
pub use streams::{decrypt_file, decrypt_to_path, encrypt_file, verify_file};
