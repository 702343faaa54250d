//! What can go wrong. No error carries a key, a plaintext or a URL, so all of them may be logged.

use std::io;

use thiserror::Error;

use crate::cipher::Cipher;

/// A key or an IV has not the length that its cipher demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key.
    #[error("the key has {found} bytes instead of {expected}")]
    KeyLength {
        /// How many bytes there are.
        found: usize,
        /// How many the cipher demands.
        expected: usize,
    },
    /// The IV.
    #[error("the initialisation vector has {found} bytes, which {} does not take", .cipher.namespace())]
    IvLength {
        /// How many bytes there are.
        found: usize,
        /// Whose IV it should be.
        cipher: Cipher,
    },
}

/// A file cannot be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncryptError {
    /// It is larger than the cipher can take ([`Cipher::max_plaintext`]).
    #[error("the file is too large for its cipher")]
    TooLarge,
    /// The operating system gave no randomness for the key.
    #[error("the source of randomness failed")]
    Randomness,
}

/// A ciphertext is not what its sender encrypted, or cannot be decrypted. Whatever was decrypted of it is to be thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecryptError {
    /// The tag does not match: altered, cut off, or encrypted with another key. (A25)
    #[error("the authentication tag is wrong: the file was altered, or this is not its key")]
    Tag,
    /// A hash of the ciphertext does not match. Holds the algorithm.
    #[error("the {0} of the encrypted file is another one than announced")]
    CiphertextHash(&'static str),
    /// A hash of the file does not match. Holds the algorithm.
    #[error("the {0} of the file is another one than announced")]
    Hash(&'static str),
    /// The file is shorter than announced.
    #[error("the file has {found} bytes instead of the announced {expected}")]
    Size {
        /// How many there are.
        found: u64,
        /// How many were announced.
        expected: u64,
    },
    /// There are fewer bytes than a tag or a block of the cipher has.
    #[error("the encrypted file is too short")]
    TooShort,
    /// CBC: the length is no multiple of 16.
    #[error("the encrypted file does not end with a whole block")]
    BlockLength,
    /// CBC: the end is no padding.
    #[error("the encrypted file has a malformed padding")]
    Padding,
    /// There are more bytes than the cipher can have made.
    #[error("the encrypted file is too large for its cipher")]
    TooLarge,
    /// Without a tag only a hash could tell that the file is the sender's, and none was announced that is known here. Nothing is
    /// decrypted then.
    #[error(
        "the cipher has no authentication tag, and no hash that is known here was announced: nothing proves whose file it is"
    )]
    Unauthenticated,
}

/// What goes wrong between readers and writers.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// The source cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The destination cannot be written.
    #[error("the file cannot be written: {0}")]
    Write(#[source] io::Error),
    /// It cannot be encrypted.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
    /// It cannot be decrypted.
    #[error(transparent)]
    Decrypt(#[from] DecryptError),
}

/// A text is no `aesgcm` link, a body is none with or without a thumbnail, or a link cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// It does not begin with `aesgcm://`.
    #[error("the link does not begin with aesgcm://")]
    Scheme,
    /// A link can only be made of a URL that begins with `https://`.
    #[error("only an https:// URL can become an aesgcm link")]
    NotHttps,
    /// There is no host, or a character that no URL has.
    #[error("the link is no valid URL")]
    Url,
    /// There is no `#`, so no key.
    #[error("the link has no key")]
    NoKey,
    /// After `#` stands something else than 88 or 96 hexadecimal digits.
    #[error("the key of the link is not 88 or 96 hexadecimal digits")]
    KeyDigits,
    /// Only keys of AES-256 in GCM can stand in a link.
    #[error("an aesgcm link takes a key of AES-256 in GCM")]
    Cipher,
    /// After the link and a new line stands something else than one image as a data URI.
    #[error("what follows the link is not one image as a data URI")]
    Thumbnail,
}

/// An element is not what XEP-0447 and XEP-0448 describe.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SharingError {
    /// Another element than this one.
    #[error("this is no <{0}/>")]
    Element(&'static str),
    /// A child is missing.
    #[error("<{parent}/> has no <{child}/>")]
    Missing {
        /// Which element.
        parent: &'static str,
        /// What it lacks.
        child: &'static str,
    },
    /// A child that may be there once is there twice, and nobody knows which counts.
    #[error("<{parent}/> has more than one <{child}/>")]
    Twice {
        /// Which element.
        parent: &'static str,
        /// What it has too many of.
        child: &'static str,
    },
    /// A required attribute is missing.
    #[error("<{element}/> has no attribute {attribute}")]
    Attribute {
        /// Which element.
        element: &'static str,
        /// What it lacks.
        attribute: &'static str,
    },
    /// A text is not a whole number, where one belongs.
    #[error("<{0}/> holds no whole number")]
    Number(&'static str),
    /// A text is not base64, where that belongs.
    #[error("<{0}/> holds no base64")]
    Base64(&'static str),
    /// A cipher that is not known here. Holds its namespace, cut off after 100 characters.
    #[error("the cipher '{0}' is not known")]
    Cipher(String),
    /// Key or IV do not fit the cipher.
    #[error(transparent)]
    Key(#[from] KeyError),
}
