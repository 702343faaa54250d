//! Project Wycheproof's vectors through our own code: every vector of six sets is judged or counted as skipped, with its
//! reason.
//!
//! We are stricter than the RFCs where no honest device goes: a key that is not canonical (A6) or gives a zero secret (A5) is
//! refused, and so is a key on the twist wherever it could pass one key exchange off as several. And we have less than the
//! sets: keys of one size each, no associated data in AES-GCM. Salts and keys of HMAC have 32 bytes with us; RFC 2104 makes
//! shorter ones equal to padded ones and long ones equal to their hash, so most vectors can be asked all the same.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Display};

use omemo_ratchet::hazmat::{
    cbc_decrypt_unauthenticated, cbc_encrypt, check_torsion_free, diffie_hellman, ed25519_verify,
    hkdf, hkdf_zero_salt, hmac, tag_matches,
};
use omemo_ratchet::{
    IdentityKey, KeyError, PayloadError, PublicKey, Randomness, RandomnessError, Role, Version,
    payload,
};
use sha2::{Digest, Sha256};
use wycheproof::{TestResult, aead, cipher, eddsa, hkdf as kdf, mac, xdh};

/// What became of the vectors of one set.
struct Tally {
    name: &'static str,
    total: usize,
    /// By what the vectors are and what we did with them.
    judged: BTreeMap<String, usize>,
    skipped: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn new(name: &'static str, total: usize) -> Self {
        Self {
            name,
            total,
            judged: BTreeMap::new(),
            skipped: BTreeMap::new(),
        }
    }

    fn judge(&mut self, result: TestResult, flags: &[impl Debug], outcome: impl Display) {
        let mut words: Vec<String> = flags.iter().map(|flag| format!("{flag:?}")).collect();
        words.sort();
        words.insert(0, format!("{result:?}"));
        let row = format!("{}: {outcome}", words.join(" "));
        *self.judged.entry(row).or_default() += 1;
    }

    fn skip(&mut self, reason: &'static str) {
        *self.skipped.entry(reason).or_default() += 1;
    }

    fn run(&self) -> usize {
        self.judged.values().sum()
    }

    /// Nothing is forgotten, and the table is this one.
    fn assert(&self, table: &str) {
        println!("{self}");
        let skipped: usize = self.skipped.values().sum();
        assert_eq!(self.run() + skipped, self.total);
        let lines = |text: &str| -> Vec<String> {
            let lines = text.lines().map(str::trim);
            lines
                .filter(|line| !line.is_empty())
                .map(Into::into)
                .collect()
        };
        assert_eq!(lines(&self.to_string()), lines(table));
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} of {} run", self.name, self.run(), self.total)?;
        for (row, count) in &self.judged {
            writeln!(f, "{count} {row}")?;
        }
        for (reason, count) in &self.skipped {
            writeln!(f, "{count} skipped: {reason}")?;
        }
        Ok(())
    }
}

/// As ratchet key, as any other key.
fn x25519() -> Tally {
    use xdh::TestFlag::{NonCanonicalPublic, Twist, ZeroSharedSecret};
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let mut tally = Tally::new("x25519", set.number_of_tests);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let has = |flag| test.flags.contains(&flag);
        let key = PublicKey::parse(&test.public_key);
        let outcome = match &key {
            Err(error) => format!("{error:?}"),
            Ok(key) => {
                let secret: [u8; 32] = test.private_key[..].try_into().unwrap();
                let shared = diffie_hellman(&secret, key).unwrap();
                assert_eq!(shared[..], test.shared_secret[..], "{}", test.tc_id);
                match check_torsion_free(key) {
                    Ok(()) => "computed".into(),
                    Err(error) => format!("computed, {error:?} as another key"),
                }
            }
        };
        assert_eq!(
            key.is_err(),
            has(ZeroSharedSecret) || has(NonCanonicalPublic),
            "{}",
            test.tc_id
        );
        // whatever else a key is for, it must be in the group; nobody's honest key is refused
        let elsewhere = IdentityKey::from_curve25519(&test.public_key).err();
        assert_eq!(
            elsewhere,
            key.and_then(|key| check_torsion_free(&key)).err()
        );
        if has(Twist) {
            assert!(elsewhere.is_some(), "{}", test.tc_id);
        }
        assert!(elsewhere != Some(KeyError::Length));
        tally.judge(test.result, &test.flags, outcome);
    }
    tally
}

fn ed25519() -> Tally {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut tally = Tally::new("ed25519", set.number_of_tests);
    for group in &set.test_groups {
        let key: [u8; 32] = group.key.pk[..].try_into().unwrap();
        let identity = IdentityKey::from_ed25519(&key).unwrap();
        for test in &group.tests {
            let verdict = ed25519_verify(&key, &test.msg, &test.sig);
            assert_eq!(verdict, identity.verify(&test.msg, &test.sig));
            assert_eq!(
                verdict.is_ok(),
                test.result == TestResult::Valid,
                "{}",
                test.tc_id
            );
            let outcome = if verdict.is_ok() {
                "verified"
            } else {
                "refused"
            };
            tally.judge(test.result, &test.flags, outcome);
        }
    }
    tally
}

/// The key of 32 bytes that is the same key to HMAC (RFC 2104 §2), if there is one.
pub(crate) fn same_key(key: &[u8]) -> Option<[u8; 32]> {
    if key.len() > 64 {
        return Some(Sha256::digest(key).into());
    }
    let zeros = key.iter().rev().take_while(|byte| **byte == 0).count();
    let (key, _) = key.split_at(key.len() - zeros);
    let mut padded = [0; 32];
    padded.get_mut(..key.len())?.copy_from_slice(key);
    Some(padded)
}

fn hkdf_sha256() -> Tally {
    let set = kdf::TestSet::load(kdf::TestName::HkdfSha256).unwrap();
    let mut tally = Tally::new("hkdf_sha256", set.number_of_tests);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        if test.size > 8160 {
            assert_eq!(test.result, TestResult::Invalid);
            tally.skip("so much output does not compile (see `hazmat::hkdf`)");
            continue;
        }
        let Some(salt) = same_key(&test.salt) else {
            tally.skip("no salt of 32 bytes is the same as this one");
            continue;
        };
        assert_eq!(test.result, TestResult::Valid);
        // shorter outputs are heads of longer ones
        let output = hkdf::<8160>(&salt, &test.ikm, &test.info);
        assert_eq!(output[..test.size], test.okm[..], "{}", test.tc_id);
        let short = hkdf::<20>(&salt, &test.ikm, &test.info);
        let common = test.size.min(20);
        assert_eq!(short[..common], test.okm[..common], "{}", test.tc_id);
        if salt == [0; 32] {
            assert_eq!(hkdf_zero_salt::<8160>(&test.ikm, &test.info), output);
        }
        tally.judge(test.result, &test.flags, "computed");
    }
    tally
}

fn hmac_sha256() -> Tally {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let mut tally = Tally::new("hmac_sha256", set.number_of_tests);
    for group in &set.test_groups {
        for test in &group.tests {
            let Some(key) = same_key(&test.key) else {
                tally.skip("no key of 32 bytes is the same as this one");
                continue;
            };
            let matches = tag_matches(&hmac(&key, &test.msg), group.tag_size / 8, &test.tag);
            assert_eq!(matches, test.result == TestResult::Valid, "{}", test.tc_id);
            let outcome = if matches { "matches" } else { "refused" };
            tally.judge(test.result, &test.flags, outcome);
        }
    }
    tally
}

/// Payload key and initialisation vector of somebody else's choice.
struct Chosen<'a> {
    key: &'a [u8],
    iv: &'a [u8],
}

impl Randomness for Chosen<'_> {
    fn fill(&mut self, role: Role, out: &mut [u8]) -> Result<(), RandomnessError> {
        out.copy_from_slice(match role {
            Role::PayloadKey => self.key,
            Role::PayloadIv => self.iv,
            other => panic!("a payload needs no {other:?}"),
        });
        Ok(())
    }
}

/// The whole payload of the legacy protocol: `key ‖ tag` is what comes through the ratchet.
fn aes_gcm() -> Tally {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let mut tally = Tally::new("aes_gcm", set.number_of_tests);
    for group in &set.test_groups {
        for test in &group.tests {
            let through_the_ratchet = [&test.key[..], &test.tag[..]].concat();
            let opened = payload::open(
                Version::Legacy,
                &through_the_ratchet,
                Some(&test.nonce),
                &test.ct,
            );
            // what is not ours is refused as well
            let (expected, reason) = if group.key_size != 128 {
                (PayloadError::KeyLength, Some("a key of another size"))
            } else if ![96, 128].contains(&group.nonce_size) {
                (
                    PayloadError::IvLength,
                    Some("an initialisation vector of another size"),
                )
            } else if !test.aad.is_empty() {
                (
                    PayloadError::Mac,
                    Some("associated data, which payloads have not"),
                )
            } else {
                (PayloadError::Mac, None)
            };
            assert_eq!(group.tag_size, 128);
            if let Some(reason) = reason {
                assert_eq!(opened.unwrap_err(), expected, "{}", test.tc_id);
                tally.skip(reason);
                continue;
            }
            let outcome = match opened {
                Ok(text) => {
                    assert_eq!(text[..], test.pt[..], "{}", test.tc_id);
                    seal_gcm(test)
                }
                Err(error) => format!("{error:?}"),
            };
            let valid = test.result == TestResult::Valid;
            assert_eq!(valid, outcome != "Mac", "{}", test.tc_id);
            tally.judge(test.result, &test.flags, outcome);
        }
    }
    tally
}

/// Our own initialisation vectors have 12 bytes.
fn seal_gcm(test: &aead::Test) -> String {
    if test.nonce.len() != 12 {
        return "opened".into();
    }
    let mut chosen = Chosen {
        key: &test.key,
        iv: &test.nonce,
    };
    let sealed = payload::seal(Version::Legacy, &test.pt, &mut chosen).unwrap();
    assert_eq!(sealed.ciphertext[..], test.ct[..], "{}", test.tc_id);
    assert_eq!(
        sealed.key.as_bytes(),
        [&test.key[..], &test.tag[..]].concat(),
        "{}",
        test.tc_id
    );
    "opened and sealed".into()
}

fn aes_cbc_pkcs5() -> Tally {
    let set = cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap();
    let mut tally = Tally::new("aes_cbc_pkcs5", set.number_of_tests);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let Ok(key) = test.key[..].try_into() else {
            tally.skip("a key of another size");
            continue;
        };
        let iv = test.nonce[..].try_into().unwrap();
        let valid = test.result == TestResult::Valid;
        let outcome = match cbc_decrypt_unauthenticated(key, iv, &test.ct) {
            Some(text) => {
                assert_eq!(text[..], test.pt[..], "{}", test.tc_id);
                assert_eq!(cbc_encrypt(key, iv, &test.pt), test.ct[..]);
                "decrypted and encrypted"
            }
            None => "refused",
        };
        assert_eq!(valid, outcome != "refused", "{}", test.tc_id);
        tally.judge(test.result, &test.flags, outcome);
    }
    tally
}

#[test]
fn wycheproof_x25519() {
    x25519().assert(
        "
            x25519: 518 of 518 run
            2 Acceptable EdgeCaseMultiplication LowOrderPublic SmallPublicKey ZeroSharedSecret: SmallOrder
            1 Acceptable EdgeCaseMultiplication LowOrderPublic Twist ZeroSharedSecret: SmallOrder
            2 Acceptable EdgeCaseMultiplication LowOrderPublic ZeroSharedSecret: SmallOrder
            170 Acceptable EdgeCaseMultiplication Twist: computed, NotOnCurve as another key
            8 Acceptable EdgeCaseShared Twist: computed, NotOnCurve as another key
            1 Acceptable KnownTestVector Twist: computed, NotOnCurve as another key
            3 Acceptable LowOrderPublic NonCanonicalPublic SmallPublicKey SpecialPublicKey ZeroSharedSecret: NonCanonical
            1 Acceptable LowOrderPublic NonCanonicalPublic SpecialPublicKey Twist ZeroSharedSecret: NonCanonical
            2 Acceptable LowOrderPublic NonCanonicalPublic SpecialPublicKey ZeroSharedSecret: NonCanonical
            1 Acceptable LowOrderPublic SmallPublicKey SpecialPublicKey ZeroSharedSecret: NonCanonical
            2 Acceptable LowOrderPublic SmallPublicKey SpecialPublicKey ZeroSharedSecret: SmallOrder
            1 Acceptable LowOrderPublic SpecialPublicKey Twist ZeroSharedSecret: SmallOrder
            2 Acceptable LowOrderPublic SpecialPublicKey ZeroSharedSecret: SmallOrder
            1 Acceptable LowOrderPublic Twist ZeroSharedSecret: NonCanonical
            1 Acceptable LowOrderPublic Twist ZeroSharedSecret: SmallOrder
            8 Acceptable LowOrderPublic ZeroSharedSecret: NonCanonical
            4 Acceptable LowOrderPublic ZeroSharedSecret: SmallOrder
            6 Acceptable NonCanonicalPublic SpecialPublicKey Twist: NonCanonical
            7 Acceptable NonCanonicalPublic SpecialPublicKey: NonCanonical
            25 Acceptable SpecialPublicKey Twist: computed, NotOnCurve as another key
            6 Acceptable Twist: computed, NotOnCurve as another key
            29 Valid EdgeCaseMultiplication: computed
            190 Valid EdgeCaseMultiplication: computed, Torsion as another key
            7 Valid EdgeCasePrivateKey: computed
            6 Valid EdgeCaseShared: computed
            1 Valid KnownTestVector: computed
            1 Valid KnownTestVector: computed, Torsion as another key
            1 Valid Normal: computed
            6 Valid SpecialPublicKey: computed
            23 Valid SpecialPublicKey: computed, Torsion as another key
        ",
    );
}

#[test]
fn wycheproof_ed25519() {
    ed25519().assert(
        "
            ed25519: 151 of 151 run
            4 Invalid CompressedSignature: refused
            22 Invalid InvalidEncoding: refused
            1 Invalid InvalidKnownTestVector: refused
            20 Invalid InvalidSignature: refused
            8 Invalid SignatureMalleability: refused
            5 Invalid SignatureWithGarbage: refused
            3 Invalid TruncatedSignature: refused
            38 Valid KnownTestVector: verified
            32 Valid TinkOverflow: verified
            18 Valid Valid: verified
        ",
    );
}

#[test]
fn wycheproof_hkdf_sha256() {
    hkdf_sha256().assert(
        "
            hkdf_sha256: 77 of 86 run
            21 Valid EmptySalt Normal: computed
            1 Valid EmptySalt OutputCollision: computed
            1 Valid EmptySalt: computed
            3 Valid MaximalOutputSize: computed
            39 Valid Normal: computed
            10 Valid OutputCollision: computed
            2 Valid: computed
            6 skipped: no salt of 32 bytes is the same as this one
            3 skipped: so much output does not compile (see `hazmat::hkdf`)
        ",
    );
}

#[test]
fn wycheproof_hmac_sha256() {
    hmac_sha256().assert(
        "
            hmac_sha256: 174 of 174 run
            108 Invalid ModifiedTag: refused
            66 Valid Pseudorandom: matches
        ",
    );
}

#[test]
fn wycheproof_aes_gcm() {
    aes_gcm().assert(
        "
            aes_gcm: 68 of 316 run
            27 Invalid ModifiedTag: Mac
            12 Valid CounterWrap: opened
            1 Valid KnownTestVector: opened and sealed
            5 Valid Pseudorandom: opened
            19 Valid Pseudorandom: opened and sealed
            2 Valid SpecialCase: opened
            2 Valid SpecialCase: opened and sealed
            208 skipped: a key of another size
            21 skipped: an initialisation vector of another size
            19 skipped: associated data, which payloads have not
        ",
    );
}

#[test]
fn wycheproof_aes_cbc_pkcs5() {
    aes_cbc_pkcs5().assert(
        "
            aes_cbc_pkcs5: 72 of 216 run
            47 Invalid BadPadding: refused
            1 Invalid NoPadding: refused
            24 Valid Pseudorandom: decrypted and encrypted
            144 skipped: a key of another size
        ",
    );
}

/// Of 1,461 vectors 1,060 are run. Our parameters exclude the rest: 352 have keys of another size (AES-192 and AES-256 in GCM,
/// AES-128 and AES-192 in CBC), 21 another initialisation vector, 19 associated data, 6 a salt that we cannot be given, and 3
/// want more output than HKDF has, which the compiler refuses.
#[test]
fn wycheproof_in_all() {
    let sets = [
        x25519(),
        ed25519(),
        hkdf_sha256(),
        hmac_sha256(),
        aes_gcm(),
        aes_cbc_pkcs5(),
    ];
    for set in &sets {
        println!("{:<15} {:>4} of {:>4}", set.name, set.run(), set.total);
    }
    let total: usize = sets.iter().map(|set| set.total).sum();
    let run: usize = sets.iter().map(Tally::run).sum();
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    for (reason, count) in sets.iter().flat_map(|set| &set.skipped) {
        *skipped.entry(reason).or_default() += count;
    }
    let counts: Vec<usize> = skipped.into_values().collect();
    assert_eq!(counts, [352, 21, 19, 6, 3]);
    assert_eq!((run, total), (1060, 1461));
}
