//! Whatever the pieces are, the file is the one that `aes-gcm` and `cbc` make in one go.

use aes::cipher::array::ArraySize;
use aes::cipher::consts::{U12, U16};
use aes::{Aes128, Aes256};
use aes_gcm::AesGcm;
use aes_gcm::aead::{Aead, KeyInit};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{everything, open, seal};
use crate::{Cipher, EncryptedFile, FileKey};

fn gcm_at_once<IvLength: ArraySize>(cipher: Cipher, key: &[u8], iv: &[u8], text: &[u8]) -> Vec<u8> {
    let iv = iv.try_into().unwrap();
    match cipher {
        Cipher::Aes128Gcm => AesGcm::<Aes128, IvLength>::new_from_slice(key)
            .unwrap()
            .encrypt(iv, text)
            .unwrap(),
        _ => AesGcm::<Aes256, IvLength>::new_from_slice(key)
            .unwrap()
            .encrypt(iv, text)
            .unwrap(),
    }
}

fn at_once(key: &FileKey, text: &[u8]) -> Vec<u8> {
    let cipher = key.cipher();
    if cipher == Cipher::Aes256Cbc {
        return cbc::Encryptor::<Aes256>::new_from_slices(key.key(), key.iv())
            .unwrap()
            .encrypt_padded_vec::<Pkcs7>(text);
    }
    match key.iv().len() {
        12 => gcm_at_once::<U12>(cipher, key.key(), key.iv(), text),
        _ => gcm_at_once::<U16>(cipher, key.key(), key.iv(), text),
    }
}

fn any_key() -> impl Strategy<Value = FileKey> {
    let cipher = prop::sample::select(Cipher::ALL.to_vec());
    let lengths = (cipher, any::<bool>());
    lengths.prop_flat_map(|(cipher, long)| {
        let iv = if long { 16 } else { cipher.iv_length() };
        let parts = (vec(any::<u8>(), cipher.key_length()), vec(any::<u8>(), iv));
        parts.prop_map(move |(key, iv)| FileKey::parse(cipher, &key, &iv).unwrap())
    })
}

proptest! {
    #[test]
    fn pieces_make_the_same_file(
        key in any_key(),
        text in vec(any::<u8>(), 0..700),
        there in vec(0_usize..70, 0..20),
        back in vec(0_usize..70, 0..20),
    ) {
        let (ciphertext, sealed) = seal(&key, &text, &there);
        prop_assert_eq!(&ciphertext, &at_once(&key, &text));
        let length = key.cipher().ciphertext_length(text.len() as u64);
        prop_assert_eq!(length, Some(ciphertext.len() as u64));
        prop_assert_eq!(sealed.ciphertext_size, ciphertext.len() as u64);
        prop_assert_eq!(sealed.size, text.len() as u64);
        prop_assert_eq!(&open(&everything(&sealed), &ciphertext, &back).unwrap(), &text);
    }

    /// Whatever bit is changed, and wherever the file is cut off.
    #[test]
    fn a25_an_altered_file_is_refused(
        key in any_key(),
        text in vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
        pieces in vec(0_usize..40, 0..9),
    ) {
        let (ciphertext, sealed) = seal(&key, &text, &[]);
        let at = at.index(ciphertext.len());
        let mut altered = ciphertext.clone();
        altered[at] ^= 1 << bit;
        let gcm = key.cipher() != Cipher::Aes256Cbc;
        let alone = EncryptedFile::new(key);
        // Each that can say something, alone.
        let hashes = alone.clone().with_hashes(&sealed.hashes);
        let ciphertext_hashes = alone.clone().with_ciphertext_hashes(&sealed.ciphertext_hashes);
        for file in [gcm.then_some(alone), Some(hashes), Some(ciphertext_hashes)].into_iter().flatten() {
            prop_assert!(open(&file, &altered, &pieces).is_err());
            prop_assert!(open(&file, &ciphertext[..at], &pieces).is_err());
            prop_assert_eq!(&open(&file, &ciphertext, &pieces).unwrap(), &text);
        }
    }
}

/// Around the length of what is worked on at a time.
#[test]
fn long_pieces_make_the_same_file() {
    let text: Vec<u8> = (0..200_003_u32)
        .map(|number| number.to_le_bytes()[1])
        .collect();
    for cipher in Cipher::ALL {
        let key = super::key(cipher);
        let expected = at_once(&key, &text);
        for lengths in [
            &[][..],
            &[65_535, 1, 65_536, 65_537],
            &[15, 17, 100_001],
            &[1; 100],
        ] {
            let (ciphertext, sealed) = seal(&key, &text, lengths);
            assert!(ciphertext == expected, "{cipher:?} {lengths:?}");
            assert!(open(&everything(&sealed), &ciphertext, lengths).unwrap() == text);
        }
    }
}
