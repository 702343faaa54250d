//! AES in Galois/Counter Mode (NIST SP 800-38D), in pieces.
//!
//! ```text
//! H = AES(K, 0¹²⁸)      J₀ = IV ‖ 0³¹ ‖ 1  (IV of 96 bits), GHASH(H, IV ‖ pad ‖ [|IV|]₁₂₈)  (others)
//! C = P ⊕ CTR₃₂(K, J₀ + 1)                  T = AES(K, J₀) ⊕ GHASH(H, C ‖ pad ‖ [0]₆₄ ‖ [|C|]₆₄)
//! ```
//!
//! The crate `aes-gcm` wants a whole message in memory; tests compare this with it.

use aes::cipher::array::Array;
use aes::cipher::consts::U16;
use aes::cipher::{BlockCipherEncrypt, BlockSizeUser, InnerIvInit, KeyInit};
use aes::{Aes128, Aes256};
use ctr::cipher::StreamCipher;
use ctr::{Ctr32BE, CtrCore};
use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::cipher::{BLOCK, Cipher};
use crate::key::FileKey;

type Block = Array<u8, U16>;

/// One file under one key, in one direction.
pub(crate) struct Gcm {
    keystream: Keystream,
    mask: Block,
    hash: Hash,
}

/// There is no keystream left.
#[derive(Debug)]
pub(crate) struct Exhausted;

/// The cipher in counter mode.
enum Keystream {
    Aes128(Ctr32BE<Aes128>),
    Aes256(Ctr32BE<Aes256>),
}

impl Gcm {
    /// `None` for a key that is not of GCM.
    pub(crate) fn new(key: &FileKey) -> Option<Self> {
        let begun = match key.cipher() {
            Cipher::Aes128Gcm => {
                let (hash, keystream) = begin(key)?;
                (hash, Keystream::Aes128(keystream))
            }
            Cipher::Aes256Gcm => {
                let (hash, keystream) = begin(key)?;
                (hash, Keystream::Aes256(keystream))
            }
            Cipher::Aes256Cbc => return None,
        };
        let (hash, mut keystream) = begun;
        // The first block of the keystream is not for the file.
        let mut mask = Block::default();
        keystream.apply(&mut mask).ok()?;
        Some(Self {
            keystream,
            mask,
            hash,
        })
    }

    pub(crate) fn encrypt(&mut self, bytes: &mut [u8]) -> Result<(), Exhausted> {
        self.keystream.apply(bytes)?;
        self.hash.update(bytes);
        Ok(())
    }

    pub(crate) fn decrypt(&mut self, bytes: &mut [u8]) -> Result<(), Exhausted> {
        // Checked before the hash takes anything in: rejected input changes nothing.
        self.keystream.has(bytes.len())?;
        self.hash.update(bytes);
        self.keystream.apply(bytes)
    }

    /// The tag of all that went through.
    pub(crate) fn tag(&self) -> [u8; BLOCK] {
        let mut tag = self.hash.finish();
        for (byte, mask) in tag.iter_mut().zip(&self.mask) {
            *byte ^= mask;
        }
        tag
    }

    /// Whether this is the tag of all that went through, in constant time.
    pub(crate) fn verify(&self, tag: &[u8; BLOCK]) -> bool {
        self.tag().ct_eq(tag).into()
    }
}

impl Drop for Gcm {
    fn drop(&mut self) {
        // The others wipe themselves.
        self.mask.zeroize();
    }
}

fn begin<Aes>(key: &FileKey) -> Option<(Hash, Ctr32BE<Aes>)>
where
    Aes: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
{
    let aes = Aes::new_from_slice(key.key()).ok()?;
    let mut subkey = Block::default();
    aes.encrypt_block(&mut subkey);
    let ghash = GHash::new(&subkey);
    subkey.zeroize();
    let counter = first_counter(&ghash, key.iv());
    let keystream = Ctr32BE::from_core(CtrCore::inner_iv_init(aes, &counter));
    Some((Hash::new(ghash), keystream))
}

/// J₀.
fn first_counter(ghash: &GHash, iv: &[u8]) -> Block {
    if let Ok(iv) = <[u8; 12]>::try_from(iv) {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = iv;
        return [a, b, c, d, e, f, g, h, i, j, k, l, 0, 0, 0, 1].into();
    }
    let mut hash = Hash::new(ghash.clone());
    hash.update(iv);
    hash.finish().into()
}

impl Keystream {
    fn apply(&mut self, bytes: &mut [u8]) -> Result<(), Exhausted> {
        let applied = match self {
            Self::Aes128(cipher) => cipher.try_apply_keystream(bytes),
            Self::Aes256(cipher) => cipher.try_apply_keystream(bytes),
        };
        applied.map_err(|_| Exhausted)
    }

    fn has(&self, length: usize) -> Result<(), Exhausted> {
        let enough = match self {
            Self::Aes128(cipher) => cipher.check_remaining(length),
            Self::Aes256(cipher) => cipher.check_remaining(length),
        };
        enough.map_err(|_| Exhausted)
    }
}

/// GHASH over bytes that come in pieces of any length.
struct Hash {
    ghash: GHash,
    /// The beginning of a block.
    partial: [u8; BLOCK],
    filled: usize,
    /// In bytes.
    length: u64,
}

impl Hash {
    const fn new(ghash: GHash) -> Self {
        Self {
            ghash,
            partial: [0; BLOCK],
            filled: 0,
            length: 0,
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.length = self.length.saturating_add(bytes.len() as u64);
        let mut rest = bytes;
        if self.filled > 0 {
            let (fits, beyond) = rest.split_at(rest.len().min(BLOCK - self.filled));
            for (to, from) in self.partial.iter_mut().skip(self.filled).zip(fits) {
                *to = *from;
            }
            self.filled += fits.len();
            rest = beyond;
            if self.filled < BLOCK {
                return;
            }
            self.ghash.update(&[self.partial.into()]);
        }
        let (blocks, beyond) = Block::slice_as_chunks(rest);
        self.ghash.update(blocks);
        self.partial = [0; BLOCK];
        for (to, from) in self.partial.iter_mut().zip(beyond) {
            *to = *from;
        }
        self.filled = beyond.len();
    }

    /// Pads, and puts the length at the end.
    fn finish(&self) -> [u8; BLOCK] {
        let mut ghash = self.ghash.clone();
        if self.filled > 0 {
            ghash.update(&[self.partial.into()]);
        }
        let bits = u128::from(self.length.saturating_mul(8));
        ghash.update(&[bits.to_be_bytes().into()]);
        ghash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use ctr::cipher::StreamCipherSeek;

    use super::*;

    /// The last two blocks that a file may have, and the first that it may not: nobody has to write 64 GiB for that.
    #[test]
    fn the_keystream_ends_where_the_largest_file_does() {
        for iv in [12, 16] {
            let key = FileKey::parse(Cipher::Aes256Gcm, &[7; 32], &vec![9; iv]).unwrap();
            let mut gcm = Gcm::new(&key).unwrap();
            let Keystream::Aes256(cipher) = &mut gcm.keystream else {
                panic!("another cipher");
            };
            // The mask took one block.
            cipher.seek(BLOCK as u64 + Cipher::Aes256Gcm.max_plaintext() - 32);
            let mut end = [0; 32];
            gcm.encrypt(&mut end).unwrap();
            assert_ne!(end, [0; 32]);
            assert!(gcm.encrypt(&mut [0]).is_err());
            assert!(gcm.decrypt(&mut [0]).is_err());
        }
    }
}
