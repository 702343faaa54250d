//! Nothing comes out that is not the sender's.

use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use tempfile::TempDir;

use super::{everything, key, open, seal};
use crate::{
    Cipher, DecryptError, EncryptedFile, Encryptor, FileError, FileHash, FileKey, SealedFile,
    UnverifiedDecryptor, Verifier, decrypt_file, decrypt_to_path, encrypt_file, verify_file,
};

const TEXT: &[u8] = b"Good night, good night! Parting is such sweet sorrow";

/// Counts what is written into it, even if it is taken back.
#[derive(Debug, Default)]
struct Out(Vec<u8>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn refusal(error: FileError) -> DecryptError {
    match error {
        FileError::Decrypt(error) => error,
        other => panic!("{other}"),
    }
}

/// A file of several pieces, with every byte of which something could be wrong.
fn long() -> (Vec<u8>, Vec<u8>, SealedFile) {
    let text = vec![b'x'; 200_000];
    let (ciphertext, sealed) = seal(&key(Cipher::Aes256Gcm), &text, &[]);
    (text, ciphertext, sealed)
}

#[test]
fn a25_nothing_is_written_of_a_file_with_a_wrong_tag() {
    let (text, good, sealed) = long();
    let file = EncryptedFile::new(sealed.key);
    for at in [0, 70_000, good.len() - 17, good.len() - 16, good.len() - 1] {
        let mut ciphertext = good.clone();
        ciphertext[at] ^= 0x10;
        let mut out = Out::default();
        let error = decrypt_file(&file, Cursor::new(&ciphertext), &mut out).unwrap_err();
        assert_eq!(refusal(error), DecryptError::Tag);
        assert!(out.0.is_empty(), "{} bytes came out", out.0.len());
    }
    let mut out = Out::default();
    let size = decrypt_file(&file, Cursor::new(&good), &mut out).unwrap();
    assert_eq!(size, 200_000);
    assert!(out.0 == text);
}

#[test]
fn a25_no_file_appears_if_the_tag_is_wrong() {
    let (text, good, sealed) = long();
    let file = EncryptedFile::new(sealed.key);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("photo.jpg");
    let names = || {
        let entries = fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let mut wrong = good.clone();
    wrong[1] ^= 1;
    let error = decrypt_to_path(&file, &wrong[..], &path).unwrap_err();
    assert_eq!(refusal(error), DecryptError::Tag);
    assert!(names().is_empty(), "{:?}", names());

    // What was there before stays, and what a killed process left is no obstacle.
    fs::write(&path, "older").unwrap();
    fs::write(folder.path().join("photo.jpg.unverified"), "left behind").unwrap();
    decrypt_to_path(&file, &wrong[..], &path).unwrap_err();
    assert_eq!(names(), ["photo.jpg"]);
    assert_eq!(fs::read(&path).unwrap(), b"older");

    assert_eq!(decrypt_to_path(&file, &good[..], &path).unwrap(), 200_000);
    assert_eq!(names(), ["photo.jpg"]);
    assert!(fs::read(&path).unwrap() == text);
}

/// Until the end is known to be good, a file beside has another name.
#[test]
fn a25_an_unverified_file_is_called_so() {
    struct Looking<'a>(Cursor<&'a [u8]>, &'a TempDir);
    impl Read for Looking<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert!(!self.1.path().join("photo.jpg").exists());
            self.0.read(buffer)
        }
    }
    let (_, good, sealed) = long();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("photo.jpg");
    let reader = Looking(Cursor::new(&good), &folder);
    decrypt_to_path(&EncryptedFile::new(sealed.key), reader, &path).unwrap();
    assert!(path.exists());
}

/// A ciphertext that is another one the second time, as a file may be that somebody else can write.
#[test]
fn a25_a_file_that_changes_between_the_ways_is_noticed() {
    struct Changing(Cursor<Vec<u8>>);
    impl Read for Changing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }
    impl Seek for Changing {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            if matches!(to, SeekFrom::Start(_)) {
                self.0.get_mut()[3] ^= 1;
            }
            self.0.seek(to)
        }
    }
    let (_, good, sealed) = long();
    let reader = Changing(Cursor::new(good));
    let error = decrypt_file(&EncryptedFile::new(sealed.key), reader, Out::default()).unwrap_err();
    assert_eq!(refusal(error), DecryptError::Tag);
}

/// A decryptor of pieces is only to be had of a verifier that saw a good end, and looks again.
#[test]
fn a25_a_decryptor_comes_from_a_verifier() {
    let (text, good, sealed) = long();
    let file = everything(&sealed);
    let mut verifier = Verifier::new(&file).unwrap();
    verifier.update(&good[..good.len() - 1]).unwrap();
    assert!(verifier.finish().is_err());

    let verified = || {
        let mut verifier = Verifier::new(&file).unwrap();
        verifier.update(&good).unwrap();
        verifier.finish().unwrap()
    };
    let mut decryptor = verified();
    let mut out = b"before".to_vec();
    decryptor.update(&good, &mut out).unwrap();
    assert_eq!(decryptor.finish(&mut out).unwrap(), 200_000);
    assert!(out.starts_with(b"before") && out[6..] == text);

    let mut decryptor = verified();
    decryptor.update(&good[1..], &mut out).unwrap();
    assert!(decryptor.finish(&mut out).is_err());
}

/// What `finish` itself would add is not added, nor is more than what stood there taken away.
#[test]
fn a25_a_failed_end_adds_nothing() {
    for cipher in Cipher::ALL {
        let (mut ciphertext, sealed) = seal(&key(cipher), TEXT, &[]);
        ciphertext[0] ^= 1;
        // The hash of the ciphertext would speak before the last block is decrypted.
        let file = EncryptedFile::new(sealed.key).with_hashes(&sealed.hashes);
        let mut decryptor = UnverifiedDecryptor::new(&file).unwrap();
        let mut out = b"before".to_vec();
        decryptor.update(&ciphertext, &mut out).unwrap();
        let length = out.len();
        decryptor.finish(&mut out).unwrap_err();
        assert_eq!(out.len(), length, "{cipher:?}");
        assert!(out.starts_with(b"before"));
    }
}

/// The ciphertext's end is never let out before it is known not to be the tag.
#[test]
fn the_tag_never_comes_out() {
    let (ciphertext, sealed) = seal(&key(Cipher::Aes256Gcm), TEXT, &[]);
    let mut decryptor = UnverifiedDecryptor::new(&EncryptedFile::new(sealed.key)).unwrap();
    let mut out = Vec::new();
    for (at, byte) in ciphertext.iter().enumerate() {
        decryptor.update(&[*byte], &mut out).unwrap();
        assert_eq!(out.len(), (at + 1).saturating_sub(16));
    }
    decryptor.finish(&mut out).unwrap();
    assert_eq!(out, TEXT);
}

#[test]
fn a_file_of_no_bytes_is_a_file() {
    for cipher in Cipher::ALL {
        let (ciphertext, sealed) = seal(&key(cipher), b"", &[]);
        assert_eq!(ciphertext.len(), 16);
        assert!(
            open(&everything(&sealed), &ciphertext, &[])
                .unwrap()
                .is_empty()
        );
        let file = EncryptedFile::new(sealed.key).with_hashes(&sealed.hashes);
        assert_eq!(open(&file, b"", &[]).unwrap_err(), DecryptError::TooShort);
    }
}

#[test]
fn every_reason_is_named() {
    let wrong = |hashes: &[FileHash]| {
        let mut hashes = hashes.to_vec();
        hashes[0].value[0] ^= 1;
        hashes
    };
    for cipher in Cipher::ALL {
        let (ciphertext, sealed) = seal(&key(cipher), TEXT, &[]);
        let file = everything(&sealed);
        let refusal = |file: &EncryptedFile| open(file, &ciphertext, &[]).unwrap_err();
        assert_eq!(
            refusal(
                &file
                    .clone()
                    .with_ciphertext_hashes(&wrong(&sealed.ciphertext_hashes))
            ),
            DecryptError::CiphertextHash("sha-256")
        );
        assert_eq!(
            refusal(&file.clone().with_hashes(&wrong(&sealed.hashes))),
            DecryptError::Hash("sha-256")
        );
        let expected = sealed.size + 1;
        assert_eq!(
            refusal(&file.clone().with_size(Some(expected))),
            DecryptError::Size {
                found: sealed.size,
                expected
            }
        );
    }
    let (ciphertext, sealed) = seal(&key(Cipher::Aes256Cbc), TEXT, &[]);
    let file = EncryptedFile::new(sealed.key).with_hashes(&sealed.hashes);
    assert_eq!(
        open(&file, &ciphertext[..40], &[]).unwrap_err(),
        DecryptError::BlockLength
    );
    assert_eq!(
        open(&file, &ciphertext[..48], &[]).unwrap_err(),
        DecryptError::Padding
    );
}

/// XEP-0448: what follows the announced size is cut off.
#[test]
fn what_is_beyond_the_size_is_cut_off() {
    let padded = [TEXT, &[0; 100]].concat();
    for cipher in Cipher::ALL {
        let (_, of_text) = seal(&key(cipher), TEXT, &[]);
        let (ciphertext, _) = seal(&key(cipher), &padded, &[]);
        let file = EncryptedFile::new(key(cipher))
            .with_size(Some(TEXT.len() as u64))
            .with_hashes(&of_text.hashes);
        for lengths in [&[][..], &[60, 8, 8], &[1; 100]] {
            assert_eq!(
                open(&file, &ciphertext, lengths).unwrap(),
                TEXT,
                "{cipher:?}"
            );
        }
    }
}

/// XEP-0448 lets the tag be left out, since a hash is there; without a hash it is demanded.
#[test]
fn without_a_tag_a_hash_decides() {
    for cipher in [Cipher::Aes128Gcm, Cipher::Aes256Gcm] {
        let (mut ciphertext, sealed) = seal(&key(cipher), TEXT, &[]);
        ciphertext.truncate(TEXT.len());
        let file = EncryptedFile::new(key(cipher)).with_size(Some(sealed.size));
        let hashed = file.clone().with_hashes(&sealed.hashes);
        assert_eq!(open(&hashed, &ciphertext, &[7]).unwrap(), TEXT);
        assert_eq!(
            open(&file, &ciphertext, &[7]).unwrap_err(),
            DecryptError::Tag
        );
        ciphertext[0] ^= 1;
        let error = open(&hashed, &ciphertext, &[7]).unwrap_err();
        assert_eq!(error, DecryptError::Hash("sha-256"));
    }
}

/// Nothing but a hash proves whose file it is, so nothing is even begun without.
#[test]
fn a25_cbc_without_a_known_hash_is_not_decrypted() {
    let file = EncryptedFile::new(key(Cipher::Aes256Cbc)).with_size(Some(3));
    let sha1 = FileHash::new("sha-1".to_owned(), vec![0; 20]);
    for file in [file.clone(), file.with_hashes(&[sha1])] {
        let error = DecryptError::Unauthenticated;
        assert_eq!(UnverifiedDecryptor::new(&file).unwrap_err(), error);
        assert_eq!(Verifier::new(&file).unwrap_err(), error);
        assert_eq!(refusal(verify_file(&file, &b""[..]).unwrap_err()), error);
    }
}

#[test]
fn no_two_files_have_the_same_key() {
    for cipher in Cipher::ALL {
        let seal = || encrypt_file(cipher, TEXT, Vec::new()).unwrap();
        let (one, two) = (seal(), seal());
        assert_ne!(one.key.key(), two.key.key());
        assert_ne!(one.key.iv(), two.key.iv());
        assert_eq!(one.hashes, two.hashes);
        assert_ne!(one.ciphertext_hashes, two.ciphertext_hashes);
    }
}

#[test]
fn a28_no_key_is_shown_for_debugging() {
    let marked = |cipher: Cipher| {
        FileKey::parse(cipher, &vec![0xcb; cipher.key_length()], &[0xcb; 16]).unwrap()
    };
    for cipher in Cipher::ALL {
        let encryptor = Encryptor::with_key(marked(cipher)).unwrap();
        let (_, sealed) = seal(&marked(cipher), TEXT, &[]);
        let file = everything(&sealed).with_hashes(&sealed.ciphertext_hashes);
        let verifier = Verifier::new(&file).unwrap();
        for shown in [
            format!("{encryptor:?}"),
            format!("{:?}", sealed.key),
            format!("{:?}", UnverifiedDecryptor::new(&file).unwrap()),
            format!("{verifier:?}"),
        ] {
            assert!(
                !shown.contains("203, 203") && !shown.contains("cbcb"),
                "{shown}"
            );
        }
    }
}

/// The counters of bytes stop before the cipher does; nobody has to write 64 GiB for that.
#[test]
fn files_that_are_too_large_are_refused() {
    assert_eq!(
        Cipher::Aes256Gcm.ciphertext_length((1 << 36) - 32),
        Some((1 << 36) - 16)
    );
    for cipher in Cipher::ALL {
        assert_eq!(cipher.ciphertext_length(cipher.max_plaintext() + 1), None);
        assert!(cipher.ciphertext_length(cipher.max_plaintext()).is_some());
    }
}

#[test]
fn readers_and_writers_that_fail_are_told_apart() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let cipher = Cipher::Aes256Gcm;
    assert!(matches!(
        encrypt_file(cipher, Broken, Vec::new()),
        Err(FileError::Read(_))
    ));
    assert!(matches!(
        encrypt_file(cipher, TEXT, Broken),
        Err(FileError::Write(_))
    ));
    let (ciphertext, sealed) = seal(&key(cipher), TEXT, &[]);
    let outcome = decrypt_file(&everything(&sealed), Cursor::new(&ciphertext), Broken);
    assert!(matches!(outcome, Err(FileError::Write(_))));
    assert!(matches!(
        verify_file(&everything(&sealed), Broken),
        Err(FileError::Read(_))
    ));
}
