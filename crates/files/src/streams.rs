//! Between readers and writers: files of any size in constant memory.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use zeroize::{Zeroize, Zeroizing};

use crate::cipher::{BLOCK, Cipher};
use crate::decryptor::{Decryptor, EncryptedFile, PIECE, UnverifiedDecryptor, Verifier};
use crate::encryptor::{Encryptor, SealedFile};
use crate::error::FileError;

/// Encrypts a file under a new key.
///
/// # Errors
///
/// [`FileError`]. What was written of a file that failed is to be thrown away.
pub fn encrypt_file(
    cipher: Cipher,
    plaintext: impl Read,
    mut ciphertext: impl Write,
) -> Result<SealedFile, FileError> {
    let mut encryptor = Encryptor::new(cipher)?;
    let mut out = Vec::with_capacity(PIECE + BLOCK);
    pieces(plaintext, |piece| {
        encryptor.update(piece, &mut out)?;
        pass_on(&mut out, &mut ciphertext)
    })?;
    let sealed = encryptor.finish(&mut out);
    pass_on(&mut out, &mut ciphertext)?;
    ciphertext.flush().map_err(FileError::Write)?;
    Ok(sealed)
}

/// Reads a ciphertext to its end and says whether it is genuine. Nothing is let out.
///
/// # Errors
///
/// [`FileError`].
pub fn verify_file(file: &EncryptedFile, ciphertext: impl Read) -> Result<Decryptor, FileError> {
    let mut verifier = Verifier::new(file)?;
    pieces(ciphertext, |piece| Ok(verifier.update(piece)?))?;
    Ok(verifier.finish()?)
}

/// Decrypts a file, from where `ciphertext` stands to its end, in two ways through it: the first finds out whether it is
/// genuine, and only then the second writes. Returns how many bytes were written.
///
/// # Errors
///
/// [`FileError`]. If the file is not the sender's, nothing was written, not even its beginning; unless somebody changed the
/// ciphertext between the two ways, which the second notices at its end: if this fails with [`FileError::Decrypt`], throw away
/// what stands in `plaintext`.
pub fn decrypt_file(
    file: &EncryptedFile,
    mut ciphertext: impl Read + Seek,
    mut plaintext: impl Write,
) -> Result<u64, FileError> {
    let start = ciphertext.stream_position().map_err(FileError::Read)?;
    let mut decryptor = verify_file(file, &mut ciphertext)?;
    ciphertext
        .seek(SeekFrom::Start(start))
        .map_err(FileError::Read)?;
    let mut out = Zeroizing::new(Vec::with_capacity(PIECE + BLOCK));
    pieces(ciphertext, |piece| {
        decryptor.update(piece, &mut out)?;
        pass_on(&mut out, &mut plaintext)
    })?;
    let size = decryptor.finish(&mut out)?;
    pass_on(&mut out, &mut plaintext)?;
    plaintext.flush().map_err(FileError::Write)?;
    Ok(size)
}

/// Decrypts a file in one way through it, such as a download. What is not verified yet stands in a file beside, whose name ends
/// with `.unverified`; it is renamed to `path` once it is known to be the sender's, and deleted otherwise. Returns how many
/// bytes the file has.
///
/// A file of that name beside, which a process left behind that was killed, is replaced, and so is one at `path`.
///
/// # Errors
///
/// [`FileError`]. What stood at `path` is as it was then.
pub fn decrypt_to_path(
    file: &EncryptedFile,
    ciphertext: impl Read,
    path: &Path,
) -> Result<u64, FileError> {
    let mut decryptor = UnverifiedDecryptor::new(file)?;
    let (beside, mut unverified) = Beside::create(path).map_err(FileError::Write)?;
    let mut out = Zeroizing::new(Vec::with_capacity(PIECE + BLOCK));
    pieces(ciphertext, |piece| {
        decryptor.update(piece, &mut out)?;
        pass_on(&mut out, &mut unverified)
    })?;
    let size = decryptor.finish(&mut out)?;
    pass_on(&mut out, &mut unverified)?;
    unverified.sync_all().map_err(FileError::Write)?;
    drop(unverified);
    beside.keep_as(path).map_err(FileError::Write)?;
    Ok(size)
}

/// The file beside, which is deleted unless it is kept.
struct Beside {
    path: PathBuf,
    delete: bool,
}

impl Beside {
    fn create(path: &Path) -> Result<(Self, File), io::Error> {
        let mut name = OsString::from(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
        name.push(".unverified");
        let path = path.with_file_name(name);
        // Never through a link that somebody has put there.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = File::create_new(&path)?;
        Ok((Self { path, delete: true }, file))
    }

    fn keep_as(mut self, path: &Path) -> Result<(), io::Error> {
        fs::rename(&self.path, path)?;
        self.delete = false;
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if self.delete {
            // Whoever hears of the failure can do no more than this.
            fs::remove_file(&self.path).ok();
        }
    }
}

/// Reads to the end, a piece at a time.
fn pieces(
    mut reader: impl Read,
    mut each: impl FnMut(&[u8]) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let mut piece = Zeroizing::new(vec![0; PIECE]);
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => each(piece.get(..length).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FileError::Read(error)),
        }
    }
}

/// Writes what is ready, and wipes it.
fn pass_on(ready: &mut Vec<u8>, mut writer: impl Write) -> Result<(), FileError> {
    let written = writer.write_all(ready);
    ready.zeroize();
    written.map_err(FileError::Write)
}
