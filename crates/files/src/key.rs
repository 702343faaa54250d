//! The key of one file.

use zeroize::Zeroizing;

use crate::cipher::Cipher;
use crate::error::{EncryptError, KeyError};

/// The key and the IV of one file, wiped when they are dropped.
///
/// Each is made for one file by [`Encryptor::new`](crate::Encryptor::new) and only opens files afterwards: nothing here encrypts
/// with a given key, for two files with the same key and IV would give each other away.
#[derive(Clone, PartialEq, Eq)]
pub struct FileKey {
    cipher: Cipher,
    key: Zeroizing<Vec<u8>>,
    iv: Vec<u8>,
}

impl FileKey {
    /// Takes what was received.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if a length is not the cipher's.
    pub fn parse(cipher: Cipher, key: &[u8], iv: &[u8]) -> Result<Self, KeyError> {
        if key.len() != cipher.key_length() {
            return Err(KeyError::KeyLength {
                found: key.len(),
                expected: cipher.key_length(),
            });
        }
        if !cipher.takes_iv(iv.len()) {
            return Err(KeyError::IvLength {
                found: iv.len(),
                cipher,
            });
        }
        Ok(Self {
            cipher,
            key: Zeroizing::new(key.to_vec()),
            iv: iv.to_vec(),
        })
    }

    /// A new one from the operating system's generator.
    pub(crate) fn generate(cipher: Cipher) -> Result<Self, EncryptError> {
        let mut new = Self {
            cipher,
            key: Zeroizing::new(vec![0; cipher.key_length()]),
            iv: vec![0; cipher.iv_length()],
        };
        getrandom::fill(&mut new.key).map_err(|_| EncryptError::Randomness)?;
        getrandom::fill(&mut new.iv).map_err(|_| EncryptError::Randomness)?;
        Ok(new)
    }

    /// Whose key it is.
    #[must_use]
    pub const fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// The key: 16 or 32 bytes.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The IV: 12 or 16 bytes.
    #[must_use]
    pub fn iv(&self) -> &[u8] {
        &self.iv
    }
}

impl std::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            cipher,
            key: _,
            iv: _,
        } = self;
        write!(f, "FileKey({cipher:?}, [redacted])")
    }
}
