//! The small numbers that C hands in and out: protocols, trust, policies, ciphers.

use omemo::{Trust, TrustPolicy, Version};
use omemo_files::Cipher;

use crate::status::{Failure, omemo_status};

/// A protocol. They are bits, so that a set of them is one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
#[expect(non_camel_case_types, reason = "the header's name")]
#[non_exhaustive]
pub enum omemo_protocol {
    /// None, or unknown.
    OMEMO_PROTOCOL_NONE = 0,
    /// `urn:xmpp:omemo:2`.
    OMEMO_PROTOCOL_2 = 1,
    /// `eu.siacs.conversations.axolotl`.
    OMEMO_PROTOCOL_LEGACY = 2,
}

/// How far a key is trusted. Only keys that are blindly trusted or verified receive content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
#[expect(non_camel_case_types, reason = "the header's name")]
#[non_exhaustive]
pub enum omemo_trust {
    /// Nobody has decided yet: nothing is encrypted to it.
    OMEMO_TRUST_UNDECIDED = 0,
    /// Trusted because it was there before anything of this account was verified.
    OMEMO_TRUST_BLIND = 1,
    /// A person compared the fingerprint.
    OMEMO_TRUST_VERIFIED = 2,
    /// A person refused it: nothing is encrypted to it.
    OMEMO_TRUST_DISTRUSTED = 3,
}

/// Who decides about a key that is seen for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
#[expect(non_camel_case_types, reason = "the header's name")]
#[non_exhaustive]
pub enum omemo_policy {
    /// New keys are trusted until one key of that account has been verified by a person; from then on new ones wait for
    /// a decision.
    OMEMO_POLICY_BLIND_BEFORE_VERIFICATION = 0,
    /// Every key waits for a decision.
    OMEMO_POLICY_MANUAL = 1,
    /// As the first, and verified devices tell each other what they have verified (XEP-0450).
    OMEMO_POLICY_AUTOMATIC = 2,
}

/// How a file is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
#[expect(non_camel_case_types, reason = "the header's name")]
#[non_exhaustive]
pub enum omemo_cipher {
    /// AES-256 in GCM: what every client knows, and the only one for links.
    OMEMO_CIPHER_AES_256_GCM = 0,
    /// AES-128 in GCM.
    OMEMO_CIPHER_AES_128_GCM = 1,
    /// AES-256 in CBC, which has no tag: hashes protect the file.
    OMEMO_CIPHER_AES_256_CBC = 2,
}

impl From<Version> for omemo_protocol {
    fn from(version: Version) -> Self {
        match version {
            Version::Omemo2 => Self::OMEMO_PROTOCOL_2,
            Version::Legacy => Self::OMEMO_PROTOCOL_LEGACY,
        }
    }
}

impl From<Trust> for omemo_trust {
    fn from(trust: Trust) -> Self {
        match trust {
            Trust::Undecided => Self::OMEMO_TRUST_UNDECIDED,
            Trust::Blind => Self::OMEMO_TRUST_BLIND,
            Trust::Verified => Self::OMEMO_TRUST_VERIFIED,
            Trust::Distrusted => Self::OMEMO_TRUST_DISTRUSTED,
        }
    }
}

/// Protocols as one number.
pub(crate) fn bits(versions: &[Version]) -> u32 {
    let bit = |version: &Version| omemo_protocol::from(*version) as u32;
    versions.iter().map(bit).fold(0, |all, bit| all | bit)
}

/// The protocols in a number, the best first.
pub(crate) fn protocols(number: u32) -> Result<Vec<Version>, Failure> {
    let versions: Vec<_> = Version::ALL
        .into_iter()
        .filter(|version| number & bits(&[*version]) != 0)
        .collect();
    if bits(&versions) == number {
        Ok(versions)
    } else {
        Err(omemo_status::OMEMO_BAD_VALUE.into())
    }
}

/// The level of a number.
pub(crate) fn trust(number: u32) -> Result<Trust, Failure> {
    [
        Trust::Undecided,
        Trust::Blind,
        Trust::Verified,
        Trust::Distrusted,
    ]
    .into_iter()
    .find(|level| omemo_trust::from(*level) as u32 == number)
    .ok_or_else(|| omemo_status::OMEMO_BAD_VALUE.into())
}

/// The policy of a number.
pub(crate) fn policy(number: u32) -> Result<TrustPolicy, Failure> {
    const BLIND: u32 = omemo_policy::OMEMO_POLICY_BLIND_BEFORE_VERIFICATION as u32;
    const MANUAL: u32 = omemo_policy::OMEMO_POLICY_MANUAL as u32;
    const AUTOMATIC: u32 = omemo_policy::OMEMO_POLICY_AUTOMATIC as u32;
    match number {
        BLIND => Ok(TrustPolicy::BlindBeforeVerification),
        MANUAL => Ok(TrustPolicy::Manual),
        AUTOMATIC => Ok(TrustPolicy::Automatic),
        _ => Err(omemo_status::OMEMO_BAD_VALUE.into()),
    }
}

/// The cipher of a number.
pub(crate) fn cipher(number: u32) -> Result<Cipher, Failure> {
    const AES_256_GCM: u32 = omemo_cipher::OMEMO_CIPHER_AES_256_GCM as u32;
    const AES_128_GCM: u32 = omemo_cipher::OMEMO_CIPHER_AES_128_GCM as u32;
    const AES_256_CBC: u32 = omemo_cipher::OMEMO_CIPHER_AES_256_CBC as u32;
    match number {
        AES_256_GCM => Ok(Cipher::Aes256Gcm),
        AES_128_GCM => Ok(Cipher::Aes128Gcm),
        AES_256_CBC => Ok(Cipher::Aes256Cbc),
        _ => Err(omemo_status::OMEMO_BAD_VALUE.into()),
    }
}
