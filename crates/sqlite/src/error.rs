//! What SQLite and the operating system say, in the words of [`StoreError`].

use std::io;
use std::path::Path;

use omemo::store::StoreError;
use rusqlite::{Error, ErrorCode, ffi};

/// What this crate itself finds wrong with a file or its use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{table}.{column} is not {expected}")]
    Misread {
        table: &'static str,
        column: &'static str,
        expected: &'static str,
    },
    #[error("it is the database of another program")]
    Foreign,
    #[error("it may only be read")]
    ReadOnly,
    #[error("its file system cannot hold a write-ahead log")]
    NoWriteAheadLog,
    #[error("its key could not be changed and is the old one")]
    KeyStays,
    #[error("a number is too large for the disk")]
    TooLarge,
    #[error("an earlier write of this transaction failed")]
    Failed,
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Misread { .. } => Self::Damaged(refusal.into()),
            _ => Self::Unusable(refusal.into()),
        }
    }
}

/// What SQLite says.
pub(crate) fn sqlite(error: Error) -> StoreError {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Locked(error.into())
        }
        Some(ErrorCode::DiskFull) => StoreError::Full(error.into()),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Damaged(error.into())
        }
        // The index of the write-ahead log could not be made larger.
        _ if extended == Some(ffi::SQLITE_IOERR_SHMSIZE) => StoreError::Full(error.into()),
        _ => StoreError::Unusable(error.into()),
    }
}

/// What the operating system says about a file.
pub(crate) fn io(path: &Path, error: &io::Error) -> StoreError {
    let text = format!("{}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::StorageFull => StoreError::Full(text.into()),
        _ => StoreError::Unusable(text.into()),
    }
}
