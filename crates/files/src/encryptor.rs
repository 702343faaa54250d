//! Encrypting a file in pieces.

use crate::cbc_mode::CbcEncryptor;
use crate::cipher::Cipher;
use crate::error::EncryptError;
use crate::gcm::Gcm;
use crate::hash::{FileHash, HashAlgorithm, Hashers};
use crate::key::FileKey;

/// Encrypts one file under a key of its own, in pieces of any length and constant memory.
///
/// What comes out is to be uploaded as it is; its length is known before ([`Cipher::ciphertext_length`]). An upload that has to
/// be made again takes the same bytes again, or a new `Encryptor` and so a new key.
pub struct Encryptor {
    mode: Mode,
    key: FileKey,
    size: u64,
    ciphertext_size: u64,
    hashers: Hashers,
    ciphertext_hashers: Hashers,
}

enum Mode {
    Gcm(Box<Gcm>),
    Cbc(Box<CbcEncryptor>),
}

/// What is to be told about a file that was encrypted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SealedFile {
    /// Its key, which goes to the recipients, encrypted.
    pub key: FileKey,
    /// The bytes of the file.
    pub size: u64,
    /// The SHA-256 of the file.
    pub hashes: Vec<FileHash>,
    /// The bytes of the ciphertext, tag or padding included.
    pub ciphertext_size: u64,
    /// The SHA-256 of the ciphertext.
    pub ciphertext_hashes: Vec<FileHash>,
}

impl Encryptor {
    /// Begins a file with a new random key.
    ///
    /// # Errors
    ///
    /// [`EncryptError::Randomness`] if the operating system gives none.
    pub fn new(cipher: Cipher) -> Result<Self, EncryptError> {
        // The lengths of a key that was made for the cipher are right.
        Self::with_key(FileKey::generate(cipher)?).ok_or(EncryptError::Randomness)
    }

    /// For tests with known keys. Everybody else gets a key that was never used.
    pub(crate) fn with_key(key: FileKey) -> Option<Self> {
        let mode = match key.cipher() {
            Cipher::Aes128Gcm | Cipher::Aes256Gcm => Mode::Gcm(Box::new(Gcm::new(&key)?)),
            Cipher::Aes256Cbc => Mode::Cbc(Box::new(CbcEncryptor::new(&key)?)),
        };
        Some(Self {
            mode,
            key,
            size: 0,
            ciphertext_size: 0,
            hashers: Hashers::new([HashAlgorithm::Sha256]),
            ciphertext_hashers: Hashers::new([HashAlgorithm::Sha256]),
        })
    }

    /// Encrypts the next piece and appends to `ciphertext` what is ready.
    ///
    /// # Errors
    ///
    /// [`EncryptError::TooLarge`] if the piece would make the file too large; nothing was done with it then.
    pub fn update(
        &mut self,
        plaintext: &[u8],
        ciphertext: &mut Vec<u8>,
    ) -> Result<(), EncryptError> {
        let size = self.size.checked_add(plaintext.len() as u64);
        let size = size.filter(|size| *size <= self.key.cipher().max_plaintext());
        let size = size.ok_or(EncryptError::TooLarge)?;
        let start = ciphertext.len();
        match &mut self.mode {
            Mode::Gcm(gcm) => {
                ciphertext.extend_from_slice(plaintext);
                let new = ciphertext.get_mut(start..).unwrap_or_default();
                if gcm.encrypt(new).is_err() {
                    ciphertext.truncate(start);
                    return Err(EncryptError::TooLarge);
                }
            }
            Mode::Cbc(cbc) => cbc.update(plaintext, ciphertext),
        }
        self.size = size;
        self.hashers.update(plaintext);
        self.made(ciphertext, start);
        Ok(())
    }

    /// Ends the file: appends the tag or the padding, and gives out what the recipients have to know.
    pub fn finish(mut self, ciphertext: &mut Vec<u8>) -> SealedFile {
        let start = ciphertext.len();
        match self.mode {
            Mode::Gcm(gcm) => ciphertext.extend_from_slice(&gcm.tag()),
            Mode::Cbc(cbc) => cbc.finish(ciphertext),
        }
        let end = ciphertext.get(start..).unwrap_or_default();
        self.ciphertext_hashers.update(end);
        SealedFile {
            key: self.key,
            size: self.size,
            hashes: self.hashers.finish(),
            ciphertext_size: self.ciphertext_size.saturating_add(end.len() as u64),
            ciphertext_hashes: self.ciphertext_hashers.finish(),
        }
    }

    fn made(&mut self, ciphertext: &[u8], start: usize) {
        let new = ciphertext.get(start..).unwrap_or_default();
        self.ciphertext_size = self.ciphertext_size.saturating_add(new.len() as u64);
        self.ciphertext_hashers.update(new);
    }
}

impl std::fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encryptor")
            .field("key", &self.key)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is too large is refused whole, and the file goes on.
    #[test]
    fn a_piece_too_many_is_refused() {
        for cipher in Cipher::ALL {
            let mut encryptor = Encryptor::new(cipher).unwrap();
            encryptor.size = cipher.max_plaintext() - 1;
            let mut out = Vec::new();
            let refused = encryptor.update(&[7; 2], &mut out);
            assert_eq!(refused, Err(EncryptError::TooLarge));
            assert!(out.is_empty());
            encryptor.update(&[7], &mut out).unwrap();
            let refused = encryptor.update(&[7], &mut out);
            assert_eq!(refused, Err(EncryptError::TooLarge));
        }
    }
}
