//! URIs as clients write them, as attackers might, and back.

use proptest::prelude::*;

use super::{UriError, VerificationUri};
use crate::stanza::limits::{MAX_URI_BYTES, MAX_URI_KEYS};
use crate::{BareJid, DeviceId, Fingerprint, Version};

const DIGITS: &str = "623548d3835c6d33ef5cb680f7944ef381cf712bf23a0119dabe5c4f252cd02f";

fn jid(text: &str) -> BareJid {
    BareJid::parse(text).unwrap()
}

fn id(id: u32) -> DeviceId {
    DeviceId::new(id).unwrap()
}

fn fingerprint(digits: &str) -> Fingerprint {
    digits.parse().unwrap()
}

fn refused(text: &str) -> UriError {
    VerificationUri::parse(text).unwrap_err()
}

/// The example of XEP-0434 §9.1.1.
const SPECIFICATION: &str = "xmpp:bob@example.com?trust-message;encryption=urn:xmpp:omemo:2;\
    trust=623548d3835c6d33ef5cb680f7944ef381cf712bf23a0119dabe5c4f252cd02f;\
    distrust=b423f5088de9a924d51b31581723d850c7cc67d0a4fe6b267c3d301ff56d2413;\
    distrust=d9f849b6b828309c5f2c8df4f38fd891887da5aaa24a22c50d52f69b4a80817e";

#[test]
fn quirk_36_one_device_as_clients_write_it() {
    let spaced = fingerprint(DIGITS).to_string();
    let dashed = spaced.replace(' ', "-");
    let expected = VerificationUri::of_device(jid("bob@example.com"), id(42), fingerprint(DIGITS));
    for text in [
        format!("xmpp:bob@example.com?omemo-sid-42={DIGITS}"),
        format!("xmpp:bob@example.com?omemo-sid-42={DIGITS};"),
        format!("xmpp:bob@example.com?omemo-sid-42={dashed}"),
        format!("xmpp:bob@example.com?omemo-sid-42={spaced}"),
        format!(
            "xmpp:bob@example.com?omemo-sid-42={}",
            spaced.replace(' ', "%20")
        ),
        format!("xmpp:bob@example.com?omemo-sid-42=05{DIGITS}"),
        format!("xmpp:bob@example.com?omemo-sid-42=05-{dashed}"),
        format!(
            "XMPP:BOB@EXAMPLE.COM?OMEMO-SID-42={}",
            DIGITS.to_uppercase()
        ),
        format!(" xmpp:bob%40example.com/phone?omemo-sid-42={DIGITS}#top\n"),
        format!("xmpp:bob@example.com?message;body=hi%3Bthere;omemo-sid-42={DIGITS}"),
        format!("xmpp:bob@example.com?omemo-sid-42={DIGITS}&name=Bob"),
        format!("xmpp:bob@example.com?omemo-sid-42={DIGITS};omemo-sid-42={DIGITS}"),
        // A trust message's parameters mean nothing without its name.
        format!("xmpp:bob@example.com?omemo-sid-42={DIGITS};trust=1"),
    ] {
        assert_eq!(
            VerificationUri::parse(&text).as_ref(),
            Ok(&expected),
            "{text}"
        );
    }
    assert_eq!(
        expected.to_string(),
        format!("xmpp:bob@example.com?omemo-sid-42={DIGITS}")
    );
}

/// From a page on which its owner published it: OTR's fingerprint comes first.
#[test]
fn quirk_36_several_devices_beside_another_protocol() {
    let text = "xmpp:v@jabberhead.example?otr-fingerprint=811b9618014cdd1e610c63dc33a02560cd0e9215;\
        omemo-sid-1057050797=c758975a5960aace88d6c3353630da8c553281f3871b181b06d7eb55478a9155;\
        omemo-sid-1953869954=4092df9c2cca9c9fe8fd567794be1838b4c16e17449f36b1bfd6ed866f819f73";
    let uri = VerificationUri::parse(text).unwrap();
    let expected = [
        (
            Some(id(1_057_050_797)),
            fingerprint("c758975a5960aace88d6c3353630da8c553281f3871b181b06d7eb55478a9155"),
        ),
        (
            Some(id(1_953_869_954)),
            fingerprint("4092df9c2cca9c9fe8fd567794be1838b4c16e17449f36b1bfd6ed866f819f73"),
        ),
    ];
    assert_eq!(uri.keys(), expected);
    assert_eq!(uri.distrusted(), []);
    assert_eq!(uri.encryption(), None);
    let (_, others) = text.split_once(';').unwrap();
    assert_eq!(
        uri.to_string(),
        format!("xmpp:v@jabberhead.example?{others}")
    );
}

#[test]
fn a_trust_message_is_read_and_written_as_specified() {
    let uri = VerificationUri::parse(SPECIFICATION).unwrap();
    assert_eq!(uri.jid(), &jid("bob@example.com"));
    assert_eq!(uri.encryption(), Some(Version::Omemo2));
    assert_eq!(uri.keys(), [(None, fingerprint(DIGITS))]);
    let distrusted = [
        fingerprint("b423f5088de9a924d51b31581723d850c7cc67d0a4fe6b267c3d301ff56d2413"),
        fingerprint("d9f849b6b828309c5f2c8df4f38fd891887da5aaa24a22c50d52f69b4a80817e"),
    ];
    assert_eq!(uri.distrusted(), distrusted);
    assert!(uri.trusts(&fingerprint(DIGITS)) && !uri.distrusts(&fingerprint(DIGITS)));
    assert!(uri.distrusts(&distrusted[1]) && !uri.trusts(&distrusted[1]));
    assert_eq!(uri.to_string(), SPECIFICATION);

    let only_distrust = format!(
        "xmpp:a@b?trust-message;encryption=eu.siacs.conversations.axolotl;distrust={DIGITS}"
    );
    let uri = VerificationUri::parse(&only_distrust).unwrap();
    assert_eq!(uri.encryption(), Some(Version::Legacy));
    assert!(uri.keys().is_empty());
    assert_eq!(uri.to_string(), only_distrust);
}

/// The two forms of one key, and the Ed25519 form with the other sign: all of them are the key.
#[test]
fn a_trust_message_may_name_keys_by_their_ed25519_form() {
    use omemo_ratchet::IdentityKeyPair;

    let key = IdentityKeyPair::from_bytes([7; 32]);
    let fingerprint = key.public().fingerprint();
    let other = IdentityKeyPair::from_bytes([8; 32]).public().fingerprint();
    let ed25519 = key.public().ed25519();
    let mut other_sign = ed25519;
    other_sign[31] ^= 0x80;
    for form in [*fingerprint.as_bytes(), ed25519, other_sign] {
        let form = Fingerprint::new(form);
        let uri = |trusted: &[Fingerprint],
                   distrusted: &[Fingerprint]|
         -> Result<VerificationUri, UriError> {
            VerificationUri::trust_message(
                jid("a@b"),
                Version::Omemo2,
                trusted.iter().copied(),
                distrusted.iter().copied(),
            )
        };
        let trusted = uri(&[form], &[]).unwrap();
        assert!(trusted.trusts(&fingerprint) && !trusted.trusts(&other));
        assert!(!trusted.distrusts(&fingerprint));
        let distrusted = uri(&[], &[form]).unwrap();
        assert!(distrusted.distrusts(&fingerprint) && !distrusted.distrusts(&other));
        assert!(!distrusted.trusts(&fingerprint));

        let both = uri(&[fingerprint], &[form]);
        match both {
            Ok(uri) => assert!(!uri.trusts(&fingerprint) && uri.distrusts(&fingerprint)),
            Err(error) => assert_eq!(error, UriError::Contradiction(fingerprint)),
        }

        // Between clients that write fingerprints there is one form only.
        let by_device = VerificationUri::of_device(jid("a@b"), id(1), form);
        assert_eq!(by_device.trusts(&fingerprint), form == fingerprint);
    }
}

#[test]
fn a30_only_whole_fingerprints_are_read() {
    let zeros = "0".repeat(66);
    for (value, digits) in [
        ("", 0),
        (&DIGITS[..8], 8),
        (&DIGITS[..62], 62),
        (&DIGITS[1..], 63),
        (&format!("{DIGITS}0"), 65),
        // 66 digits, of which the first two are no type that there is.
        (&format!("06{DIGITS}"), 66),
        (&zeros, 66),
        (&format!("05{DIGITS}05"), 68),
        (&DIGITS.repeat(2), 128),
    ] {
        let wanted = |name: &str| UriError::Length {
            name: name.into(),
            digits,
        };
        assert_eq!(
            refused(&format!("xmpp:a@b?omemo-sid-7={value}")),
            wanted("omemo-sid-7"),
        );
        for name in ["trust", "distrust"] {
            let text = format!("xmpp:a@b?trust-message;encryption=urn:xmpp:omemo:2;{name}={value}");
            assert_eq!(refused(&text), wanted(name));
        }
        // Nothing is saved by a good one beside it.
        let beside = format!("xmpp:a@b?omemo-sid-8={DIGITS};omemo-sid-7={value}");
        assert_eq!(refused(&beside), wanted("omemo-sid-7"));
    }
    assert_eq!(
        refused("xmpp:a@b?omemo-sid-7=623548d3").to_string(),
        "the fingerprint of omemo-sid-7 has 8 digits, and a whole one has 64"
    );
}

#[test]
fn quirk_36_what_is_not_hexadecimal_is_refused() {
    for value in [
        &DIGITS.replace('a', "g"),
        &DIGITS.replace('a', "%EF%BD%81"),
        &DIGITS.replace('a', "+"),
        // XEP-0434 has Base64 in messages, and not in URIs.
        "YjVI04NcbTPvXLaA95RO84HPcSvyOgEZ2r5cTyUs0C8%3D",
    ] {
        let expected = UriError::Digits {
            name: "omemo-sid-7".into(),
        };
        assert_eq!(refused(&format!("xmpp:a@b?omemo-sid-7={value}")), expected);
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    let other = DIGITS.replace('6', "7");
    assert_eq!(
        refused(&format!(
            "xmpp:a@b?omemo-sid-7={DIGITS};omemo-sid-7={other}"
        )),
        UriError::TwoKeys(id(7))
    );
    for (first, second) in [("trust", "distrust"), ("distrust", "trust")] {
        let text = format!(
            "xmpp:a@b?trust-message;encryption=urn:xmpp:omemo:2;{first}={DIGITS};{second}={}",
            DIGITS.to_uppercase()
        );
        assert_eq!(refused(&text), UriError::Contradiction(fingerprint(DIGITS)));
    }
    // A key that was moved to another id is no contradiction.
    let moved = format!("xmpp:a@b?omemo-sid-7={DIGITS};omemo-sid-8={DIGITS}");
    assert_eq!(VerificationUri::parse(&moved).unwrap().keys().len(), 2);
}

#[test]
fn what_is_no_such_uri_is_refused_with_the_reason() {
    for text in [
        "",
        "a@b",
        "mailto:a@b",
        "https://example.com/?omemo-sid-7=00",
        " : ",
    ] {
        assert_eq!(refused(text), UriError::Scheme, "{text}");
    }
    let query = format!("omemo-sid-7={DIGITS}");
    // Whose keys? An authority is who asks, not who is asked about.
    for path in ["//a@b", "//a@b/c@d", "///a@b", "//"] {
        assert_eq!(
            refused(&format!("xmpp:{path}?{query}")),
            UriError::Authority
        );
    }
    for path in [
        "",
        "/phone",
        "@b",
        "a@",
        "a@b@c",
        "a%2Fb@c",
        "a@b%2Fphone",
        "a%00@b",
    ] {
        let error = refused(&format!("xmpp:{path}?{query}"));
        assert!(matches!(error, UriError::Jid(_)), "{path}: {error:?}");
    }
    for path in ["a%@b", "a@b%", "a@b%4", "%+1@b", "%zz@b", "%C3@b", "a@b%é"] {
        let error = refused(&format!("xmpp:{path}?{query}"));
        assert_eq!(error, UriError::PercentEncoding, "{path}");
    }
    for device in ["", "0", "-1", "2147483648", "4294967296", "x", "7.0", "7 8"] {
        let error = refused(&format!("xmpp:a@b?omemo-sid-{device}={DIGITS}"));
        assert!(matches!(error, UriError::Device(_)), "{device}: {error:?}");
    }
    for query in [
        "",
        "?",
        "?message;body=hello",
        "?;;&",
        "?omemo-sid=1",
        "?trust=1",
    ] {
        let text = format!("xmpp:a@b{query}");
        assert_eq!(refused(&text), UriError::NoKeys, "{text}");
    }
}

#[test]
fn a_trust_message_says_once_that_it_is_about_omemo() {
    for parameters in [
        "".to_owned(),
        format!("trust={DIGITS}"),
        format!("encryption=;trust={DIGITS}"),
        format!("encryption=urn:xmpp:openpgp:0;trust={DIGITS}"),
        format!("encryption=urn:xmpp:omemo:2;encryption=urn:xmpp:openpgp:0;trust={DIGITS}"),
        format!("encryption=urn:xmpp:omemo:2;encryption=urn:xmpp:omemo:2;trust={DIGITS}"),
    ] {
        let text = format!("xmpp:a@b?trust-message;{parameters}");
        assert_eq!(refused(&text), UriError::Encryption, "{text}");
    }
    let empty = "xmpp:a@b?trust-message;encryption=urn:xmpp:omemo:2";
    assert_eq!(refused(empty), UriError::NoKeys);
    // In another place it is a parameter of some other purpose.
    let elsewhere = format!("xmpp:a@b?message;trust-message;trust={DIGITS}");
    assert_eq!(refused(&elsewhere), UriError::NoKeys);
}

/// RFC 5122's example of an address, and others whose characters mean something in a URI.
#[test]
fn addresses_come_back_from_their_encoding() {
    for (address, encoded) in [
        ("ji\u{159}i@čechy.example", "ji%C5%99i@%C4%8Dechy.example"),
        ("a;b=c@b", "a%3Bb%3Dc@b"),
        ("100%25?#@b", "100%2525%3F%23@b"),
        ("user+tag@b", "user%2Btag@b"),
        (r"call\20me@b", "call%5C20me@b"),
        ("capulet.example", "capulet.example"),
    ] {
        let uri = VerificationUri::of_device(jid(address), id(1), fingerprint(DIGITS));
        let text = uri.to_string();
        assert_eq!(text, format!("xmpp:{encoded}?omemo-sid-1={DIGITS}"));
        assert_eq!(VerificationUri::parse(&text), Ok(uri));
    }
    // An IRI is read as well (RFC 5122 §2.2).
    let iri = format!("xmpp:ji\u{159}i@b?omemo-sid-1={DIGITS}");
    assert_eq!(
        VerificationUri::parse(&iri).unwrap().jid(),
        &jid("ji\u{159}i@b")
    );
}

#[test]
fn a16_the_size_of_a_uri_is_bounded() {
    let device = |n: usize| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        let number = DeviceId::MAX - u32::try_from(n).unwrap();
        (id(number), Fingerprint::new(bytes))
    };
    // The longest that can be: every byte of the longest local part is written as three.
    let longest = jid(&format!("{}@b", "ü".repeat(511)));
    let most = VerificationUri::of_devices(longest.clone(), (0..MAX_URI_KEYS).map(device));
    let text = most.clone().unwrap().to_string();
    assert!(text.len() <= MAX_URI_BYTES / 2);
    assert_eq!(VerificationUri::parse(&text), most);

    let too_many = VerificationUri::of_devices(longest, (0..=MAX_URI_KEYS).map(device));
    assert_eq!(too_many, Err(UriError::TooManyKeys));
    let text = format!("{text};omemo-sid-1={DIGITS}");
    assert_eq!(refused(&text), UriError::TooManyKeys);
    let fingerprints = || (0..=MAX_URI_KEYS).map(|n| device(n).1);
    for (trusted, distrusted) in [(128, 129), (257, 0), (0, 257)] {
        let uri = VerificationUri::trust_message(
            jid("a@b"),
            Version::Omemo2,
            fingerprints().take(trusted),
            fingerprints().skip(trusted).take(distrusted),
        );
        assert_eq!(uri, Err(UriError::TooManyKeys));
    }

    let long = format!("xmpp:{}@b?omemo-sid-1={DIGITS}", "a".repeat(4000));
    assert_eq!(refused(&long), UriError::TooLong);
    let long = format!(
        "xmpp:a@b?omemo-sid-1={DIGITS};{}",
        "a".repeat(MAX_URI_BYTES)
    );
    assert_eq!(refused(&long), UriError::TooLong);
}

fn any_jid() -> impl Strategy<Value = BareJid> {
    (
        "[a-z0-9!#$%()*+,.;=?\\[\\]\\\\^_`{|}~ü本-]{1,20}",
        "[a-z0-9]{1,10}(\\.[a-z]{2,6})?",
    )
        .prop_filter_map("an address", |(local, domain)| {
            BareJid::parse(&format!("{local}@{domain}")).ok()
        })
}

fn any_fingerprint() -> impl Strategy<Value = Fingerprint> {
    any::<[u8; 32]>().prop_map(Fingerprint::new)
}

fn any_uri() -> impl Strategy<Value = VerificationUri> {
    let fingerprints = || proptest::collection::vec(any_fingerprint(), 0..6);
    let devices = proptest::collection::btree_map(1..=DeviceId::MAX, any_fingerprint(), 1..6);
    let by_device = (any_jid(), devices).prop_map(|(jid, devices)| {
        let devices = devices.into_iter().map(|(number, key)| (id(number), key));
        VerificationUri::of_devices(jid, devices).unwrap()
    });
    let version = proptest::sample::select(&Version::ALL[..]);
    let trust_message = (any_jid(), version, fingerprints(), fingerprints()).prop_filter_map(
        "a trust message",
        |(jid, version, trusted, distrusted)| {
            VerificationUri::trust_message(jid, version, trusted, distrusted).ok()
        },
    );
    prop_oneof![by_device, trust_message]
}

proptest! {
    #[test]
    fn round_trip(uri in any_uri()) {
        let text = uri.to_string();
        prop_assert!(text.is_ascii());
        prop_assert_eq!(VerificationUri::parse(&text), Ok(uri));
    }

    #[test]
    fn quirk_36_separators_and_case_change_nothing(
        uri in any_uri(),
        places in proptest::collection::vec((any::<prop::sample::Index>(), "[- :\u{a0}]|%20|%2D"), 0..20),
        upper in any::<bool>(),
    ) {
        let text = uri.to_string();
        // Within the last fingerprint.
        let (head, digits) = text.split_at(text.len() - 64);
        let mut digits = if upper { digits.to_uppercase() } else { digits.to_owned() };
        let mut places: Vec<_> = places.into_iter().map(|(at, separator)| (at.index(65), separator)).collect();
        places.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        for (at, separator) in places {
            digits.insert_str(at, &separator);
        }
        prop_assert_eq!(VerificationUri::parse(&format!("{head}{digits}")), Ok(uri));
    }

    #[test]
    fn a30_no_changed_digit_goes_unnoticed(uri in any_uri(), at in 0..64_usize, digit in "[0-9a-f]") {
        let text = uri.to_string();
        let at = text.len() - 64 + at;
        let mut changed = text.clone();
        changed.replace_range(at..=at, &digit);
        prop_assert_eq!(VerificationUri::parse(&changed) == Ok(uri), changed == text);
    }

    #[test]
    fn any_text_is_safe(text in "\\PC{0,60}|xmpp:[a-z@%/]{0,8}[?][a-f0-9;=&%#-]{0,40}|xmpp:a@b[?](trust-message;)?(encryption=urn:xmpp:omemo:2;)?((trust|distrust|omemo-sid-[0-9]{1,10})=(05)?[0-9a-fA-F]{64};?){0,3}") {
        if let Ok(uri) = VerificationUri::parse(&text) {
            prop_assert_eq!(VerificationUri::parse(&uri.to_string()), Ok(uri));
        }
    }
}
