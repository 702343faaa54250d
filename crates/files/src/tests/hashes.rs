//! Hashes against values that others have computed.

use crate::hash::Hashers;
use crate::{FileHash, HashAlgorithm};

/// Of the three bytes `abc`.
const ABC: [(&str, &str); 6] = [
    (
        "sha-256",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    (
        "sha-512",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
         2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
    (
        "sha3-256",
        "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
    ),
    (
        "sha3-512",
        "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e\
         10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
    ),
    (
        "blake2b-256",
        "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
    ),
    (
        "blake2b-512",
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
         7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
    ),
];

fn of_abc(algorithms: impl IntoIterator<Item = HashAlgorithm>) -> Hashers {
    let mut hashers = Hashers::new(algorithms);
    hashers.update(b"a");
    hashers.update(b"bc");
    hashers
}

#[test]
fn hashes_are_those_of_the_standards() {
    let found = of_abc(HashAlgorithm::ALL).finish();
    for (found, (name, digits)) in found.iter().zip(ABC) {
        assert_eq!(
            (found.algo.as_str(), hex::encode(&found.value)),
            (name, digits.to_owned())
        );
    }
    assert_eq!(found.len(), ABC.len());
}

#[test]
fn every_known_hash_has_to_match() {
    let good: Vec<FileHash> = of_abc(HashAlgorithm::ALL).finish();
    for wrong in 0..good.len() {
        let mut announced = good.clone();
        announced[wrong].value[7] ^= 1;
        let difference = of_abc(HashAlgorithm::ALL).difference(&announced);
        assert_eq!(difference, Some(good[wrong].algo.as_str()));
        // One that matches beside does not help.
        announced.push(good[wrong].clone());
        assert!(of_abc(HashAlgorithm::ALL).difference(&announced).is_some());
        // Nor does one of another length.
        announced = good.clone();
        announced[wrong].value.pop();
        assert!(of_abc(HashAlgorithm::ALL).difference(&announced).is_some());
    }
    let unknown = FileHash::new("md5".to_owned(), vec![0; 16]);
    let announced = [good[0].clone(), unknown];
    assert_eq!(Hashers::of(&announced).finish().len(), 1);
    assert_eq!(of_abc([HashAlgorithm::Sha256]).difference(&announced), None);
}

#[test]
fn old_names_of_blake2_are_known() {
    assert_eq!(
        HashAlgorithm::of("id-blake2b256"),
        Some(HashAlgorithm::Blake2b256)
    );
    assert_eq!(
        HashAlgorithm::of("id-blake2b512"),
        Some(HashAlgorithm::Blake2b512)
    );
    assert_eq!(HashAlgorithm::of("sha-1"), None);
}
