//! An anchor in a file.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use omemo::{Anchor, AnchorError};

/// An [`Anchor`] in a file of 16 bytes, for apps that have a directory which no backup contains and no
/// restored backup brings back: `getNoBackupFilesDir()` on Android, a file with
/// `isExcludedFromBackup` elsewhere. It must not lie beside the store, where whatever copies the one
/// copies the other.
///
/// The file is replaced by a rename, so that a crash leaves the old record or the new one.
#[derive(Debug)]
pub struct FileAnchor {
    path: PathBuf,
}

impl FileAnchor {
    /// The anchor in this file, which need not exist; its directory must.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn explain(&self, error: &io::Error) -> AnchorError {
        AnchorError::new(format!("{}: {error}", self.path.display()))
    }

    fn replace(&self, record: [u8; 16]) -> io::Result<()> {
        let path = std::path::absolute(&self.path)?;
        let mut name = path
            .file_name()
            .map(OsString::from)
            .ok_or(ErrorKind::InvalidFilename)?;
        name.push(".new");
        let new = path.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut file = owners_alone(&mut options).open(&new)?;
        file.write_all(&record)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&new, &path)?;
        path.parent().map_or(Ok(()), sync_directory)
    }
}

impl Anchor for FileAnchor {
    fn read(&mut self) -> Result<Option<[u8; 16]>, AnchorError> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.explain(&error)),
        };
        let record = <[u8; 16]>::try_from(bytes).map_err(|_| {
            AnchorError::new(format!(
                "{} has not 16 bytes: if it was damaged, delete it, and recover the account",
                self.path.display()
            ))
        })?;
        Ok(Some(record))
    }

    fn write(&mut self, record: &[u8; 16]) -> Result<(), AnchorError> {
        self.replace(*record).map_err(|error| self.explain(&error))
    }
}

/// A file that nobody else may read, where the system knows owners.
#[cfg(unix)]
fn owners_alone(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
const fn owners_alone(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Makes a rename durable. Only Unix opens directories.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
const fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
