//! Hashes of files (XEP-0300).

use blake2::Blake2b;
use blake2::digest::consts::{U32, U64};
use sha2::{Digest, Sha256, Sha512};
use sha3::{Sha3_256, Sha3_512};
use subtle::ConstantTimeEq;

/// The algorithms that are checked. Those that are broken (MD5, SHA-1) are not among them: they prove nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// SHA3-256.
    Sha3_256,
    /// SHA3-512.
    Sha3_512,
    /// BLAKE2b with 256 bits.
    Blake2b256,
    /// BLAKE2b with 512 bits.
    Blake2b512,
}

impl HashAlgorithm {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Sha256,
        Self::Sha512,
        Self::Sha3_256,
        Self::Sha3_512,
        Self::Blake2b256,
        Self::Blake2b512,
    ];

    /// What stands in the attribute `algo` of `<hash/>`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha512 => "sha-512",
            Self::Sha3_256 => "sha3-256",
            Self::Sha3_512 => "sha3-512",
            Self::Blake2b256 => "blake2b-256",
            Self::Blake2b512 => "blake2b-512",
        }
    }

    /// The algorithm of a name; `None` for one that is not checked here.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let name = match name {
            // As older versions of XEP-0300 call them, and the examples of XEP-0448.
            "id-blake2b256" => "blake2b-256",
            "id-blake2b512" => "blake2b-512",
            name => name,
        };
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }
}

/// A hash as it was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileHash {
    /// The name of the algorithm, which may be one that is not known here ([`HashAlgorithm::of`]).
    pub algo: String,
    /// The value, of any length: one of a wrong length matches no file.
    pub value: Vec<u8>,
}

impl FileHash {
    /// A hash.
    #[must_use]
    pub const fn new(algo: String, value: Vec<u8>) -> Self {
        Self { algo, value }
    }

    /// The algorithm, if it is one that is checked here.
    #[must_use]
    pub fn algorithm(&self) -> Option<HashAlgorithm> {
        HashAlgorithm::of(&self.algo)
    }
}

/// One hash in the making.
enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
    Sha3_256(Sha3_256),
    Sha3_512(Sha3_512),
    Blake2b256(Blake2b<U32>),
    Blake2b512(Blake2b<U64>),
}

/// Several hashes of the same bytes, each algorithm once.
pub(crate) struct Hashers(Vec<(HashAlgorithm, Hasher)>);

impl Hashers {
    /// Those that these announced hashes call for.
    pub(crate) fn of(announced: &[FileHash]) -> Self {
        let wanted = |algorithm: &HashAlgorithm| {
            let mut algorithms = announced.iter().filter_map(FileHash::algorithm);
            algorithms.any(|one| one == *algorithm)
        };
        Self::new(HashAlgorithm::ALL.into_iter().filter(wanted))
    }

    pub(crate) fn new(algorithms: impl IntoIterator<Item = HashAlgorithm>) -> Self {
        let begin = |algorithm| match algorithm {
            HashAlgorithm::Sha256 => Hasher::Sha256(Sha256::new()),
            HashAlgorithm::Sha512 => Hasher::Sha512(Sha512::new()),
            HashAlgorithm::Sha3_256 => Hasher::Sha3_256(Sha3_256::new()),
            HashAlgorithm::Sha3_512 => Hasher::Sha3_512(Sha3_512::new()),
            HashAlgorithm::Blake2b256 => Hasher::Blake2b256(Blake2b::new()),
            HashAlgorithm::Blake2b512 => Hasher::Blake2b512(Blake2b::new()),
        };
        let pairs = algorithms.into_iter().map(|one| (one, begin(one)));
        Self(pairs.collect())
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        for (_, hasher) in &mut self.0 {
            match hasher {
                Hasher::Sha256(hasher) => hasher.update(bytes),
                Hasher::Sha512(hasher) => hasher.update(bytes),
                Hasher::Sha3_256(hasher) => hasher.update(bytes),
                Hasher::Sha3_512(hasher) => hasher.update(bytes),
                Hasher::Blake2b256(hasher) => hasher.update(bytes),
                Hasher::Blake2b512(hasher) => hasher.update(bytes),
            }
        }
    }

    pub(crate) fn finish(self) -> Vec<FileHash> {
        let finish = |hasher| match hasher {
            Hasher::Sha256(hasher) => hasher.finalize().to_vec(),
            Hasher::Sha512(hasher) => hasher.finalize().to_vec(),
            Hasher::Sha3_256(hasher) => hasher.finalize().to_vec(),
            Hasher::Sha3_512(hasher) => hasher.finalize().to_vec(),
            Hasher::Blake2b256(hasher) => hasher.finalize().to_vec(),
            Hasher::Blake2b512(hasher) => hasher.finalize().to_vec(),
        };
        let hash = |(algorithm, hasher): (HashAlgorithm, Hasher)| {
            FileHash::new(algorithm.name().to_owned(), finish(hasher))
        };
        self.0.into_iter().map(hash).collect()
    }

    /// The algorithm of the first announced hash that differs; those of unknown algorithms are not compared.
    pub(crate) fn difference(self, announced: &[FileHash]) -> Option<&'static str> {
        let found = self.finish();
        announced.iter().find_map(|announced| {
            let algorithm = announced.algorithm()?;
            let same = found.iter().any(|found| {
                found.algo == algorithm.name() && bool::from(found.value.ct_eq(&announced.value))
            });
            (!same).then(|| algorithm.name())
        })
    }
}
