//! AES-256 in cipher block chaining mode with PKCS #7 padding, in pieces (NIST SP 800-38A, RFC 5652 §6.3).
//!
//! It hides and does not authenticate: whoever decrypts checks a hash.

use aes::Aes256;
use aes::cipher::array::Array;
use aes::cipher::consts::U16;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use zeroize::{Zeroize, Zeroizing};

use crate::cipher::BLOCK;
use crate::key::FileKey;

/// One file under one key, in one direction.
pub(crate) struct Cbc<Direction> {
    direction: Direction,
    /// The beginning of a block.
    partial: Zeroizing<Vec<u8>>,
}

/// Towards the ciphertext.
pub(crate) type CbcEncryptor = Cbc<cbc::Encryptor<Aes256>>;
/// Towards the plaintext.
pub(crate) type CbcDecryptor = Cbc<cbc::Decryptor<Aes256>>;

/// What a direction does with whole blocks.
pub(crate) trait Blocks {
    fn blocks(&mut self, blocks: &mut [Array<u8, U16>]);
}

impl Blocks for cbc::Encryptor<Aes256> {
    fn blocks(&mut self, blocks: &mut [Array<u8, U16>]) {
        self.encrypt_blocks(blocks);
    }
}

impl Blocks for cbc::Decryptor<Aes256> {
    fn blocks(&mut self, blocks: &mut [Array<u8, U16>]) {
        self.decrypt_blocks(blocks);
    }
}

impl<Direction: Blocks + KeyIvInit> Cbc<Direction> {
    /// `None` if key and IV are of another cipher.
    pub(crate) fn new(key: &FileKey) -> Option<Self> {
        Some(Self {
            direction: Direction::new_from_slices(key.key(), key.iv()).ok()?,
            partial: Zeroizing::new(Vec::with_capacity(BLOCK)),
        })
    }

    /// Appends what the whole blocks give; the rest waits.
    pub(crate) fn update(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let (first, rest) = if self.partial.is_empty() {
            bytes.split_at(0)
        } else {
            bytes.split_at(bytes.len().min(BLOCK - self.partial.len()))
        };
        self.partial.extend_from_slice(first);
        let start = out.len();
        if self.partial.len() == BLOCK {
            out.extend_from_slice(&self.partial);
            self.wipe();
        }
        let (whole, beyond) = rest.split_at(rest.len() - rest.len() % BLOCK);
        out.extend_from_slice(whole);
        self.partial.extend_from_slice(beyond);
        if let Some(new) = out.get_mut(start..) {
            let (blocks, _) = Array::slice_as_chunks_mut(new);
            self.direction.blocks(blocks);
        }
    }

    fn wipe(&mut self) {
        // Of a Vec, this also wipes what lies beyond its length, and leaves it empty with its room.
        self.partial.zeroize();
    }
}

impl CbcEncryptor {
    /// Appends the last block: what waited, and the padding.
    pub(crate) fn finish(mut self, out: &mut Vec<u8>) {
        let missing = BLOCK - self.partial.len();
        let padding = [u8::try_from(missing).unwrap_or_default(); BLOCK];
        if let Some((padding, _)) = padding.split_at_checked(missing) {
            self.update(padding, out);
        }
    }
}

/// The end of a ciphertext is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadEnd {
    /// Bytes that are no whole block.
    BlockLength,
    /// No padding.
    Padding,
}

impl CbcDecryptor {
    /// Appends what the last block holds beside the padding; nothing if there is none.
    pub(crate) fn finish(&mut self, last: &[u8; BLOCK], out: &mut Vec<u8>) -> Result<(), BadEnd> {
        if !self.partial.is_empty() {
            return Err(BadEnd::BlockLength);
        }
        let mut block = Zeroizing::new(Vec::with_capacity(BLOCK));
        self.update(last, &mut block);
        let padding = block.last().copied().unwrap_or_default();
        let kept = BLOCK.checked_sub(padding.into()).filter(|_| padding > 0);
        let (kept, pad) = kept
            .and_then(|kept| block.split_at_checked(kept))
            .ok_or(BadEnd::Padding)?;
        if pad.iter().any(|byte| *byte != padding) {
            return Err(BadEnd::Padding);
        }
        out.extend_from_slice(kept);
        Ok(())
    }
}
