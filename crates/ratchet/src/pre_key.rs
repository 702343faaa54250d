//! Prekeys: keys published ahead of time, so that a session can be built with a device that is not online
//! (XEP-0384 §4.2, §5.3.2).
//!
//! A prekey serves one key exchange. The signed prekey serves all of its period, and carries the identity key's
//! signature over its public part as it stands on the wire: 32 bytes in omemo:2, 33 in legacy.

use zeroize::Zeroizing;

use crate::error::{IdError, RandomnessError};
use crate::identity::IdentityKeyPair;
use crate::public_key::{KeyPair, PublicKey};
use crate::randomness::{Randomness, Role};
use crate::secret::Secret;
use crate::suite::Version;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// The specification wants 1 to 2³¹ − 1; 0 is accepted because clients exist that use it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u32);

        impl $name {
            /// The greatest id to give to keys of our own: a widely used library treats the next one, 0xFFFFFF, as
            /// a key that is never deleted.
            pub const MAX_OWN: Self = Self(0xff_fffe);

            /// Accepts 0 to 2³¹ − 1.
            ///
            /// # Errors
            ///
            /// [`IdError`] for anything greater.
            pub const fn parse(id: u32) -> Result<Self, IdError> {
                if id > 0x7fff_ffff { Err(IdError) } else { Ok(Self(id)) }
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> u32 {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// The number of a prekey.
    PreKeyId
}
id! {
    /// The number of a signed prekey. Prekeys are counted apart: a prekey may have the same number.
    SignedPreKeyId
}

/// A prekey of our own: a key pair that one key exchange may use.
#[derive(Debug)]
pub struct PreKeyPair {
    id: PreKeyId,
    pair: KeyPair,
}

impl PreKeyPair {
    /// Draws a new prekey.
    ///
    /// # Errors
    ///
    /// [`RandomnessError`] if the source fails.
    pub fn generate(id: PreKeyId, rng: &mut dyn Randomness) -> Result<Self, RandomnessError> {
        Ok(Self {
            id,
            pair: KeyPair::generate(Role::PreKey, rng)?,
        })
    }

    /// Restores a prekey from its secret (32 bytes).
    #[must_use]
    pub fn from_parts(id: PreKeyId, secret: [u8; 32]) -> Self {
        let secret = Zeroizing::new(secret);
        Self {
            id,
            pair: KeyPair::from_secret(Secret::from_array(&secret)),
        }
    }

    /// Its number.
    #[must_use]
    pub const fn id(&self) -> PreKeyId {
        self.id
    }

    /// Its public part.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        self.pair.public()
    }

    /// Its secret (32 bytes), for the store.
    #[must_use]
    pub fn secret(&self) -> Zeroizing<[u8; 32]> {
        self.pair.secret().export()
    }

    pub(crate) const fn key_pair(&self) -> &KeyPair {
        &self.pair
    }
}

/// A signed prekey of our own: a key pair and the identity key's signature over its public part.
#[derive(Debug)]
pub struct SignedPreKeyPair {
    id: SignedPreKeyId,
    pair: KeyPair,
    signature: [u8; 64],
}

impl SignedPreKeyPair {
    /// Draws a new signed prekey and signs it as `version` demands.
    ///
    /// # Errors
    ///
    /// [`RandomnessError`] if the source fails.
    pub fn generate(
        version: Version,
        identity: &IdentityKeyPair,
        id: SignedPreKeyId,
        rng: &mut dyn Randomness,
    ) -> Result<Self, RandomnessError> {
        let pair = KeyPair::generate(Role::SignedPreKey, rng)?;
        // Our sign is always 0, and so is the bit in which legacy signatures carry it: nothing to set.
        let signature =
            identity.sign(&version.suite().encode_key(pair.public().as_bytes()), rng)?;
        Ok(Self {
            id,
            pair,
            signature,
        })
    }

    /// Restores a signed prekey from its secret (32 bytes) and signature (64 bytes).
    #[must_use]
    pub fn from_parts(id: SignedPreKeyId, secret: [u8; 32], signature: [u8; 64]) -> Self {
        let secret = Zeroizing::new(secret);
        Self {
            id,
            pair: KeyPair::from_secret(Secret::from_array(&secret)),
            signature,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn id(&self) -> SignedPreKeyId {
        self.id
    }

    /// Its public part.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        self.pair.public()
    }

    /// Its secret (32 bytes), for the store.
    #[must_use]
    pub fn secret(&self) -> Zeroizing<[u8; 32]> {
        self.pair.secret().export()
    }

    /// The identity key's signature over the public part (64 bytes).
    #[must_use]
    pub const fn signature(&self) -> &[u8; 64] {
        &self.signature
    }

    pub(crate) const fn key_pair(&self) -> &KeyPair {
        &self.pair
    }
}
