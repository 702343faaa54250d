//! The ciphers that XEP-0448 §"Ciphers" names; the second is also that of `aesgcm` links (XEP-0454).

/// A cipher for files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cipher {
    /// AES-128 in GCM: key of 16 bytes, IV of 12 (16 is accepted), a tag of 16 bytes at the end.
    Aes128Gcm,
    /// AES-256 in GCM: key of 32 bytes, IV of 12 (16 is accepted), a tag of 16 bytes at the end.
    Aes256Gcm,
    /// AES-256 in CBC with PKCS #7 padding: key of 32 bytes, IV of 16. It has no tag: what it protects is believed by its
    /// hash alone.
    Aes256Cbc,
}

/// The bytes of AES's blocks, and of GCM's tags.
pub(crate) const BLOCK: usize = 16;

impl Cipher {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Aes128Gcm, Self::Aes256Gcm, Self::Aes256Cbc];

    /// What stands in the attribute `cipher` of `<encrypted/>`.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Aes128Gcm => "urn:xmpp:ciphers:aes-128-gcm-nopadding:0",
            Self::Aes256Gcm => "urn:xmpp:ciphers:aes-256-gcm-nopadding:0",
            Self::Aes256Cbc => "urn:xmpp:ciphers:aes-256-cbc-pkcs7:0",
        }
    }

    /// The cipher of a namespace; `None` for one that is not known here.
    #[must_use]
    pub fn of(namespace: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|cipher| cipher.namespace() == namespace)
    }

    /// The bytes of its keys.
    #[must_use]
    pub const fn key_length(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm | Self::Aes256Cbc => 32,
        }
    }

    /// The bytes of the IVs that are generated.
    #[must_use]
    pub const fn iv_length(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => 12,
            Self::Aes256Cbc => 16,
        }
    }

    /// Whether an IV of so many bytes is accepted: for GCM also the 16 that clients wrote before 2018.
    #[must_use]
    pub const fn takes_iv(self, length: usize) -> bool {
        length == 16 || length == self.iv_length()
    }

    /// How many bytes a plaintext may have: GCM's counter ends at 2³⁶ − 32; for CBC, 2⁶⁴ − 17 can be counted.
    #[must_use]
    pub const fn max_plaintext(self) -> u64 {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => (1 << 36) - 32,
            Self::Aes256Cbc => u64::MAX - 16,
        }
    }

    /// How many bytes the ciphertext of so many bytes of plaintext has, tag or padding included: what to ask an upload slot
    /// for (XEP-0363). `None` if the plaintext is too large.
    #[must_use]
    pub const fn ciphertext_length(self, plaintext: u64) -> Option<u64> {
        if plaintext > self.max_plaintext() {
            return None;
        }
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => plaintext.checked_add(16),
            Self::Aes256Cbc => (plaintext / 16 * 16).checked_add(16),
        }
    }
}
