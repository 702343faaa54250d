//! Tests that need keys of their own choice, or look at more than one module.

mod decrypting;
mod hashes;
mod links;
mod pieces;
mod sharing;
mod wycheproof;

use crate::{
    Cipher, DecryptError, EncryptedFile, Encryptor, FileKey, SealedFile, UnverifiedDecryptor,
};

/// A key that every test may know.
fn key(cipher: Cipher) -> FileKey {
    let (key, iv) = (
        vec![0x2b; cipher.key_length()],
        vec![0x0e; cipher.iv_length()],
    );
    FileKey::parse(cipher, &key, &iv).unwrap()
}

/// Encrypts in pieces of these lengths, and the rest.
fn seal(key: &FileKey, plaintext: &[u8], lengths: &[usize]) -> (Vec<u8>, SealedFile) {
    let mut encryptor = Encryptor::with_key(key.clone()).unwrap();
    let mut ciphertext = Vec::new();
    for piece in cut(plaintext, lengths) {
        encryptor.update(piece, &mut ciphertext).unwrap();
    }
    let sealed = encryptor.finish(&mut ciphertext);
    (ciphertext, sealed)
}

/// Decrypts in pieces of these lengths, and the rest.
fn open(
    file: &EncryptedFile,
    ciphertext: &[u8],
    lengths: &[usize],
) -> Result<Vec<u8>, DecryptError> {
    let mut decryptor = UnverifiedDecryptor::new(file)?;
    let mut plaintext = Vec::new();
    for piece in cut(ciphertext, lengths) {
        decryptor.update(piece, &mut plaintext)?;
    }
    let size = decryptor.finish(&mut plaintext)?;
    assert_eq!(size, plaintext.len() as u64);
    Ok(plaintext)
}

fn cut<'a>(bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    for length in lengths {
        let (piece, beyond) = rest.split_at(rest.len().min(*length));
        pieces.push(piece);
        rest = beyond;
    }
    pieces.push(rest);
    pieces
}

/// What can be known of a file that was encrypted here.
fn everything(sealed: &SealedFile) -> EncryptedFile {
    EncryptedFile::new(sealed.key.clone())
        .with_size(Some(sealed.size))
        .with_hashes(&sealed.hashes)
        .with_ciphertext_hashes(&sealed.ciphertext_hashes)
}
