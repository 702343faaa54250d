//! A file of any size takes the same memory.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says that it failed by panicking"
)]

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read};
use std::{env, iter};

use omemo_files::{
    AesgcmLink, Cipher, EncryptedFile, FileSharing, decrypt_file, decrypt_to_path, encrypt_file,
};
use tempfile::TempDir;

const MIB: u64 = 1 << 20;
/// What a large file may take more than a small one.
const ROOM: u64 = 2 * MIB;

/// The most memory that this process has had so far, in bytes.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Encrypts, decrypts and verifies a file of that size, in every way that there is for files.
fn there_and_back(cipher: Cipher, size: u64) {
    let folder = TempDir::new().unwrap();
    let (sealed_path, opened_path) = (folder.path().join("sealed"), folder.path().join("opened"));
    let ciphertext = BufWriter::new(File::create(&sealed_path).unwrap());
    let sealed = encrypt_file(cipher, io::repeat(b'x').take(size), ciphertext).unwrap();
    let read = || BufReader::new(File::open(&sealed_path).unwrap());
    let sharing = FileSharing::of(&sealed, vec!["https://a.example/b".to_owned()]);
    let file = sharing.encrypted_file(&sharing.sources.encrypted[0]);
    assert_eq!(decrypt_file(&file, read(), io::sink()).unwrap(), size);
    if cipher == Cipher::Aes256Gcm {
        let link = AesgcmLink::new("https://a.example/b", sealed.key).unwrap();
        let file: EncryptedFile = link.file();
        assert_eq!(decrypt_to_path(&file, read(), &opened_path).unwrap(), size);
        assert_eq!(fs::metadata(opened_path).unwrap().len(), size);
    }
}

/// 256 MiB in the cipher of links, and 32 MiB in the others. It has a process of its own, since what is measured is the process's.
#[test]
fn memory_is_constant() {
    if peak().is_none() {
        println!("SKIPPED: this system does not say how much memory a process has had");
        assert!(
            env::var_os("OMEMO_STRICT").is_none_or(|strict| strict != "1"),
            "the memory cannot be measured, and nothing may be skipped"
        );
        return;
    }
    for cipher in Cipher::ALL {
        there_and_back(cipher, MIB);
    }
    let peaks: Vec<u64> = iter::once(None)
        .chain(Cipher::ALL.map(Some))
        .map(|cipher| {
            if let Some(cipher) = cipher {
                let size = if cipher == Cipher::Aes256Gcm { 256 } else { 32 };
                there_and_back(cipher, size * MIB);
            }
            peak().unwrap()
        })
        .collect();
    println!(
        "the most memory after 1 MiB with each cipher, then after 32, 256 and 32: {peaks:?} bytes"
    );
    assert!(peaks[3] - peaks[0] < ROOM, "{peaks:?}");
}
