//! Decrypting a file in pieces, so that nobody takes for the sender's what is not.
//!
//! Only the end of a ciphertext tells whether its beginning is genuine: GCM has its tag there, and a hash covers everything.
//! Whoever can change the ciphertext, such as the server that keeps it, could otherwise choose which bits of the plaintext
//! flip, and watch what the app makes of them (A25). So the way is twice through the ciphertext: a [`Verifier`] lets nothing out,
//! and only where it ends well there is a [`Decryptor`]. [`UnverifiedDecryptor`] is what both are made of.

use zeroize::{Zeroize, Zeroizing};

use crate::cbc_mode::{BadEnd, CbcDecryptor};
use crate::cipher::{BLOCK, Cipher};
use crate::error::DecryptError;
use crate::gcm::Gcm;
use crate::hash::{FileHash, Hashers};
use crate::key::FileKey;

/// How many bytes are worked on at a time.
pub(crate) const PIECE: usize = 1 << 16;

/// What is known of an encrypted file: its key, and what it will be recognised by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptedFile {
    key: FileKey,
    size: Option<u64>,
    hashes: Vec<FileHash>,
    ciphertext_hashes: Vec<FileHash>,
}

impl EncryptedFile {
    /// A file of which nothing but the key is known, as from a link.
    #[must_use]
    pub const fn new(key: FileKey) -> Self {
        Self {
            key,
            size: None,
            hashes: Vec::new(),
            ciphertext_hashes: Vec::new(),
        }
    }

    /// With the bytes of the file. What comes after them is cut off (XEP-0448 §"Receiving a file").
    #[must_use]
    pub const fn with_size(mut self, size: Option<u64>) -> Self {
        self.size = size;
        self
    }

    /// With hashes of the file. All whose algorithm is known have to match.
    #[must_use]
    pub fn with_hashes(mut self, hashes: &[FileHash]) -> Self {
        self.hashes = hashes.to_vec();
        self
    }

    /// With hashes of its ciphertext. All whose algorithm is known have to match.
    #[must_use]
    pub fn with_ciphertext_hashes(mut self, hashes: &[FileHash]) -> Self {
        self.ciphertext_hashes = hashes.to_vec();
        self
    }

    /// Its key.
    #[must_use]
    pub const fn key(&self) -> &FileKey {
        &self.key
    }

    /// The bytes that the file should have, if that was announced.
    #[must_use]
    pub const fn size(&self) -> Option<u64> {
        self.size
    }

    /// Whether a hash that is checked tells this file from others.
    fn has_hash(&self) -> bool {
        let mut hashes = self.hashes.iter().chain(&self.ciphertext_hashes);
        hashes.any(|hash| hash.algorithm().is_some())
    }
}

/// The first way through a ciphertext: finds out whether it is genuine, and lets nothing out.
#[derive(Debug)]
pub struct Verifier {
    file: EncryptedFile,
    decryptor: UnverifiedDecryptor,
    scratch: Zeroizing<Vec<u8>>,
}

impl Verifier {
    /// Begins a ciphertext.
    ///
    /// # Errors
    ///
    /// [`DecryptError::Unauthenticated`] if nothing could prove whose file it is.
    pub fn new(file: &EncryptedFile) -> Result<Self, DecryptError> {
        Ok(Self {
            file: file.clone(),
            decryptor: UnverifiedDecryptor::new(file)?,
            scratch: Zeroizing::new(Vec::with_capacity(PIECE + BLOCK)),
        })
    }

    /// Takes the next piece of the ciphertext, of any length.
    ///
    /// # Errors
    ///
    /// [`DecryptError::TooLarge`].
    pub fn update(&mut self, ciphertext: &[u8]) -> Result<(), DecryptError> {
        for piece in ciphertext.chunks(PIECE) {
            self.decryptor.update(piece, &mut self.scratch)?;
            self.scratch.zeroize();
        }
        Ok(())
    }

    /// Ends the ciphertext. Only a genuine one gets a [`Decryptor`], which wants the same bytes again.
    ///
    /// # Errors
    ///
    /// [`DecryptError`] says what is wrong with the file.
    pub fn finish(mut self) -> Result<Decryptor, DecryptError> {
        self.decryptor.finish(&mut self.scratch)?;
        Ok(Decryptor(UnverifiedDecryptor::new(&self.file)?))
    }
}

/// The second way through a ciphertext, which a [`Verifier`] has found genuine.
///
/// Everything is checked again, since the ciphertext might be another one this time, such as a file that somebody else can
/// write: if [`finish`](Self::finish) fails, throw away what came out.
#[derive(Debug)]
pub struct Decryptor(UnverifiedDecryptor);

impl Decryptor {
    /// Decrypts the next piece, of any length, and appends to `plaintext` what is ready.
    ///
    /// # Errors
    ///
    /// [`DecryptError::TooLarge`].
    pub fn update(
        &mut self,
        ciphertext: &[u8],
        plaintext: &mut Vec<u8>,
    ) -> Result<(), DecryptError> {
        self.0.update(ciphertext, plaintext)
    }

    /// Ends the file: appends what is left, and gives out how many bytes the file has.
    ///
    /// # Errors
    ///
    /// [`DecryptError`] if it is not the ciphertext that was verified. Nothing is appended then.
    pub fn finish(self, plaintext: &mut Vec<u8>) -> Result<u64, DecryptError> {
        self.0.finish(plaintext)
    }
}

/// Decrypts a ciphertext that nobody has verified, in one go: **until [`finish`](Self::finish) has returned `Ok`, what
/// comes out may be anything that the server likes it to be.**
///
/// Write it somewhere where nothing looks at it, and delete it if `finish` fails. Until then do not show it, play it, make a
/// thumbnail of it, guess its type, unpack it, hand it to another program, or let anybody see how far it went. Where the
/// ciphertext can be read twice, use [`Verifier`]; for files, [`decrypt_file`](crate::decrypt_file) and
/// [`decrypt_to_path`](crate::decrypt_to_path).
pub struct UnverifiedDecryptor {
    mode: Mode,
    file: EncryptedFile,
    /// The last bytes so far: the tag, or the block with the padding, if nothing follows.
    held: Vec<u8>,
    read: u64,
    /// What the cipher gave, with what is cut off.
    decrypted: u64,
    written: u64,
    hashers: Hashers,
    ciphertext_hashers: Hashers,
}

enum Mode {
    Gcm(Box<Gcm>),
    Cbc(Box<CbcDecryptor>),
}

impl UnverifiedDecryptor {
    /// Begins a ciphertext.
    ///
    /// # Errors
    ///
    /// [`DecryptError::Unauthenticated`] if nothing could prove whose file it is.
    pub fn new(file: &EncryptedFile) -> Result<Self, DecryptError> {
        let mode = match file.key.cipher() {
            Cipher::Aes128Gcm | Cipher::Aes256Gcm => {
                Gcm::new(&file.key).map(|gcm| Mode::Gcm(Box::new(gcm)))
            }
            Cipher::Aes256Cbc if !file.has_hash() => None,
            Cipher::Aes256Cbc => CbcDecryptor::new(&file.key).map(|cbc| Mode::Cbc(Box::new(cbc))),
        };
        Ok(Self {
            mode: mode.ok_or(DecryptError::Unauthenticated)?,
            held: Vec::with_capacity(BLOCK),
            read: 0,
            decrypted: 0,
            written: 0,
            hashers: Hashers::of(&file.hashes),
            ciphertext_hashers: Hashers::of(&file.ciphertext_hashes),
            file: file.clone(),
        })
    }

    /// Decrypts the next piece, of any length, and appends to `unverified` what is ready. The last 16 bytes always wait for
    /// what follows them.
    ///
    /// # Errors
    ///
    /// [`DecryptError::TooLarge`]; nothing was done with the piece then.
    pub fn update(
        &mut self,
        ciphertext: &[u8],
        unverified: &mut Vec<u8>,
    ) -> Result<(), DecryptError> {
        let read = self.read.checked_add(ciphertext.len() as u64);
        let cipher = self.file.key.cipher();
        let most = cipher.max_plaintext().saturating_add(BLOCK as u64);
        let read = read.filter(|read| *read <= most);
        self.read = read.ok_or(DecryptError::TooLarge)?;
        self.ciphertext_hashers.update(ciphertext);

        let ready = (self.held.len() + ciphertext.len()).saturating_sub(BLOCK);
        let (old, kept) = self.held.split_at(ready.min(self.held.len()));
        let (old, kept) = (old.to_vec(), kept.to_vec());
        let (new, end) = ciphertext.split_at(ready - old.len());
        self.held = [kept.as_slice(), end].concat();
        self.decrypt(&old, unverified)?;
        self.decrypt(new, unverified)
    }

    /// Ends the ciphertext. Only `Ok` says that what came out is the sender's file, all of it; holds its bytes.
    ///
    /// # Errors
    ///
    /// [`DecryptError`] says what is wrong. Nothing is appended then, and what came out before is to be deleted.
    pub fn finish(mut self, unverified: &mut Vec<u8>) -> Result<u64, DecryptError> {
        let start = unverified.len();
        let outcome = self.end(unverified).and_then(|()| self.judge());
        if outcome.is_err() {
            cut(unverified, start);
        }
        outcome
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), DecryptError> {
        let hashers = std::mem::replace(&mut self.ciphertext_hashers, Hashers::of(&[]));
        if let Some(algorithm) = hashers.difference(&self.file.ciphertext_hashes) {
            return Err(DecryptError::CiphertextHash(algorithm));
        }
        if self.has_no_tag() {
            let held = std::mem::take(&mut self.held);
            return self.decrypt(&held, out);
        }
        let last = <[u8; BLOCK]>::try_from(self.held.as_slice());
        let last = last.map_err(|_| DecryptError::TooShort)?;
        match &mut self.mode {
            Mode::Gcm(gcm) => gcm.verify(&last).then_some(()).ok_or(DecryptError::Tag),
            Mode::Cbc(cbc) => {
                let start = out.len();
                cbc.finish(&last, out).map_err(|end| match end {
                    BadEnd::BlockLength => DecryptError::BlockLength,
                    BadEnd::Padding => DecryptError::Padding,
                })?;
                self.release(start, out);
                Ok(())
            }
        }
    }

    /// XEP-0448 §"Ciphers" lets GCM's tag be left out where a hash is there. Then the ciphertext is as long as the file.
    fn has_no_tag(&self) -> bool {
        matches!(self.mode, Mode::Gcm(_))
            && self.file.size == Some(self.read)
            && self.file.has_hash()
    }

    /// What the announced size and hashes say in the end.
    fn judge(&mut self) -> Result<u64, DecryptError> {
        if let Some(expected) = self.file.size.filter(|size| self.written < *size) {
            return Err(DecryptError::Size {
                found: self.written,
                expected,
            });
        }
        let hashers = std::mem::replace(&mut self.hashers, Hashers::of(&[]));
        match hashers.difference(&self.file.hashes) {
            Some(algorithm) => Err(DecryptError::Hash(algorithm)),
            None => Ok(self.written),
        }
    }

    fn decrypt(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), DecryptError> {
        let start = out.len();
        match &mut self.mode {
            Mode::Gcm(gcm) => {
                out.extend_from_slice(bytes);
                let new = out.get_mut(start..).unwrap_or_default();
                if gcm.decrypt(new).is_err() {
                    cut(out, start);
                    return Err(DecryptError::TooLarge);
                }
            }
            Mode::Cbc(cbc) => cbc.update(bytes, out),
        }
        self.release(start, out);
        Ok(())
    }

    /// Cuts off what is beyond the announced size.
    fn release(&mut self, start: usize, out: &mut Vec<u8>) {
        let new = (out.len() - start) as u64;
        self.decrypted = self.decrypted.saturating_add(new);
        if let Some(size) = self.file.size {
            let beyond = self.decrypted.saturating_sub(size).min(new);
            let beyond = usize::try_from(beyond).unwrap_or(usize::MAX);
            cut(out, out.len().saturating_sub(beyond).max(start));
        }
        let kept = out.get(start..).unwrap_or_default();
        self.written = self.written.saturating_add(kept.len() as u64);
        self.hashers.update(kept);
    }
}

/// Takes back what was appended.
fn cut(out: &mut Vec<u8>, length: usize) {
    if let Some(rest) = out.get_mut(length..) {
        rest.zeroize();
    }
    out.truncate(length);
}

impl std::fmt::Debug for UnverifiedDecryptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnverifiedDecryptor")
            .field("file", &self.file)
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::HashAlgorithm;

    #[test]
    fn a_piece_too_many_is_refused() {
        for cipher in Cipher::ALL {
            let key = FileKey::generate(cipher).unwrap();
            let hash = FileHash::new(HashAlgorithm::Sha256.name().to_owned(), vec![0; 32]);
            let file = EncryptedFile::new(key).with_hashes(&[hash]);
            let mut decryptor = UnverifiedDecryptor::new(&file).unwrap();
            let most = cipher.max_plaintext() + 16;
            decryptor.read = most - 20;
            let mut out = Vec::new();
            let refused = decryptor.update(&[7; 21], &mut out);
            assert_eq!(refused, Err(DecryptError::TooLarge));
            assert!(out.is_empty());
            decryptor.update(&[7; 20], &mut out).unwrap();
        }
    }
}
