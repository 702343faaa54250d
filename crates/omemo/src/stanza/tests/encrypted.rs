use proptest::prelude::*;

use super::{device, element, jid, written};
use crate::stanza::encrypted::{Encrypted, EncryptedKey};
use crate::stanza::limits::{MAX_KEYS, MAX_PAYLOAD_BYTES};
use crate::stanza::malformed::Malformed;
use crate::stanza::{legacy, omemo2};

const OMEMO2: &str = "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='27183'>\
    <keys jid='juliet@capulet.lit'><key rid='31415'>AQID</key></keys>\
    <keys jid='romeo@montague.lit'><key rid='1337'>BAUG</key><key kex='true' rid='12321'>BwgJ</key></keys>\
    </header><payload>CgsMDQ==</payload></encrypted>";

const LEGACY: &str = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='27183'>\
    <key rid='31415'>AQID</key><key prekey='true' rid='12321'>BwgJ</key><iv>AAECAwQFBgcICQoL</iv>\
    </header><payload>CgsMDQ==</payload></encrypted>";

fn key(jid: Option<&str>, rid: u32, is_key_exchange: bool, data: &[u8]) -> EncryptedKey {
    EncryptedKey {
        jid: jid.map(super::jid),
        rid: device(rid),
        is_key_exchange,
        data: Ok(data.to_vec()),
    }
}

#[test]
fn omemo2_parses() {
    let expected = Encrypted {
        sid: device(27183),
        keys: vec![
            key(Some("juliet@capulet.lit"), 31415, false, &[1, 2, 3]),
            key(Some("romeo@montague.lit"), 1337, false, &[4, 5, 6]),
            key(Some("romeo@montague.lit"), 12321, true, &[7, 8, 9]),
        ],
        iv: None,
        payload: Some(vec![10, 11, 12, 13]),
    };
    assert_eq!(omemo2::encrypted::parse(&element(OMEMO2)), Ok(expected));
}

#[test]
fn omemo2_builds() {
    let encrypted = omemo2::encrypted::parse(&element(OMEMO2)).unwrap();
    assert_eq!(written(&omemo2::encrypted::build(&encrypted)), OMEMO2);
}

#[test]
fn omemo2_groups_keys_by_account_when_it_builds() {
    let encrypted = Encrypted {
        sid: device(1),
        keys: vec![
            key(Some("a@x"), 1, false, &[1]),
            key(Some("b@x"), 2, true, &[2]),
            key(Some("a@x"), 3, false, &[3]),
        ],
        iv: None,
        payload: None,
    };
    insta::assert_snapshot!(
        written(&omemo2::encrypted::build(&encrypted)),
        @"<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'><keys jid='a@x'><key rid='1'>AQ==</key><key rid='3'>Aw==</key></keys><keys jid='b@x'><key kex='true' rid='2'>Ag==</key></keys></header></encrypted>"
    );
}

#[test]
fn legacy_parses_and_builds() {
    let encrypted = legacy::encrypted::parse(&element(LEGACY)).unwrap();
    let expected = Encrypted {
        sid: device(27183),
        keys: vec![
            key(None, 31415, false, &[1, 2, 3]),
            key(None, 12321, true, &[7, 8, 9]),
        ],
        iv: Some((0..12).collect()),
        payload: Some(vec![10, 11, 12, 13]),
    };
    assert_eq!(encrypted, expected);
    assert_eq!(written(&legacy::encrypted::build(&encrypted)), LEGACY);
}

#[test]
fn empty_messages_have_no_payload() {
    let omemo2 = element(
        "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'><keys jid='a@x'><key rid='2'>AQ==</key></keys></header></encrypted>",
    );
    assert_eq!(omemo2::encrypted::parse(&omemo2).unwrap().payload, None);
    let legacy = element(
        "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2'>AQ==</key><iv>AQ==</iv></header></encrypted>",
    );
    assert_eq!(legacy::encrypted::parse(&legacy).unwrap().payload, None);
}

#[test]
fn legacy_payload_needs_an_iv() {
    let missing = element(
        "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2'>AQ==</key></header><payload>AQ==</payload></encrypted>",
    );
    assert_eq!(
        legacy::encrypted::parse(&missing),
        Err(Malformed::NoChild {
            parent: "header",
            child: "iv"
        })
    );
}

#[test]
fn quirk_04_booleans_in_every_spelling() {
    for (text, expected) in [
        ("true", true),
        ("1", true),
        ("TRUE", true),
        ("True", true),
        (" true ", true),
        ("false", false),
        ("0", false),
        ("", false),
        ("yes", false),
    ] {
        let xml = format!(
            "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'><keys jid='a@x'><key kex='{text}' rid='2'>AQ==</key></keys></header></encrypted>"
        );
        let parsed = omemo2::encrypted::parse(&element(&xml)).unwrap();
        assert_eq!(parsed.keys[0].is_key_exchange, expected, "{text:?}");
    }
}

#[test]
fn rule_22_a_key_counts_under_our_own_jid_only() {
    let encrypted = omemo2::encrypted::parse(&element(OMEMO2)).unwrap();
    let found = |account: &str, rid| encrypted.keys_for(&jid(account), device(rid)).count();
    assert_eq!(found("romeo@montague.lit", 1337), 1);
    assert_eq!(found("ROMEO@Montague.LIT", 1337), 1);
    assert_eq!(found("juliet@capulet.lit", 1337), 0);
    assert_eq!(found("romeo@montague.lit", 31415), 0);
}

#[test]
fn quirk_10_a_message_without_keys_is_one() {
    for xml in [
        "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'/><payload>AQ==</payload></encrypted>",
        "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'><keys jid='a@x'/></header></encrypted>",
    ] {
        assert_eq!(
            omemo2::encrypted::parse(&element(xml)).unwrap().keys,
            vec![]
        );
    }
}

#[test]
fn quirk_12_the_same_rid_twice_gives_both() {
    let twice = element(
        "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2'>AQ==</key><key rid='2'>Ag==</key></header></encrypted>",
    );
    let encrypted = legacy::encrypted::parse(&twice).unwrap();
    let own = jid("anybody@capulet.lit");
    let data: Vec<_> = encrypted
        .keys_for(&own, device(2))
        .map(|key| key.data.clone())
        .collect();
    assert_eq!(data, vec![Ok(vec![1]), Ok(vec![2])]);
}

#[test]
fn quirk_16_whitespace_in_base64_means_nothing() {
    let folded = element(
        "<encrypted xmlns='urn:xmpp:omemo:2'><header sid=' 1 '><keys jid='a@x'><key rid='2'>\n  AQ\r\n\tID\n</key></keys></header><payload>\n CgsM\n DQ==\n</payload></encrypted>",
    );
    let encrypted = omemo2::encrypted::parse(&folded).unwrap();
    assert_eq!(encrypted.keys[0].data, Ok(vec![1, 2, 3]));
    assert_eq!(encrypted.payload, Some(vec![10, 11, 12, 13]));
}

#[test]
fn quirk_16_padding_is_strict() {
    for bad in [
        "AQ", "AQ=", "AQ===", "AQID=", "A Q = ", "AQ==AQ==", "AR==", "A-_=", "\u{e9}",
    ] {
        let xml = format!(
            "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'/><payload>{bad}</payload></encrypted>"
        );
        assert_eq!(
            omemo2::encrypted::parse(&element(&xml)),
            Err(Malformed::Base64 { element: "payload" }),
            "{bad:?}"
        );
    }
}

#[test]
fn quirk_19_bad_rids_are_skipped() {
    for bad in [
        "0",
        "-1",
        "2147483648",
        "99999999999999999999",
        "+5",
        "0x5",
        "",
        "five",
    ] {
        let xml = format!(
            "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='{bad}'>AQ==</key><key>AQ==</key><key rid='2147483647'>Ag==</key></header></encrypted>"
        );
        let encrypted = legacy::encrypted::parse(&element(&xml)).unwrap();
        assert_eq!(
            encrypted.keys,
            vec![key(None, 2_147_483_647, false, &[2])],
            "{bad:?}"
        );
    }
}

#[test]
fn quirk_37_jids_are_normalised_and_bad_ones_skipped() {
    let xml = element(
        "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'>\
         <keys jid='@'><key rid='1'>AQ==</key></keys><keys><key rid='1'>AQ==</key></keys>\
         <keys jid='Juliet@Capulet.LIT/balcony'><key rid='2'>Ag==</key></keys></header></encrypted>",
    );
    let encrypted = omemo2::encrypted::parse(&xml).unwrap();
    assert_eq!(
        encrypted.keys,
        vec![key(Some("juliet@capulet.lit"), 2, false, &[2])]
    );
}

#[test]
fn damage_in_a_key_of_others_does_not_matter() {
    let xml = element(
        "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'><keys jid='a@x'><key rid='1'>!</key><key rid='2'>Ag==</key></keys></header></encrypted>",
    );
    let encrypted = omemo2::encrypted::parse(&xml).unwrap();
    assert_eq!(
        encrypted.keys[0].data,
        Err(Malformed::Base64 { element: "key" })
    );
    assert_eq!(encrypted.keys[1].data, Ok(vec![2]));
    let rebuilt = omemo2::encrypted::parse(&omemo2::encrypted::build(&encrypted)).unwrap();
    assert_eq!(
        rebuilt.keys,
        encrypted.keys[1..],
        "a damaged key is not written"
    );
}

#[test]
fn prefixes_order_languages_and_strangers_do_not_matter() {
    let plain = omemo2::encrypted::parse(&element(OMEMO2)).unwrap();
    let decorated = element(
        "<o:encrypted xmlns:o='urn:xmpp:omemo:2' xml:lang='en' o:x='y'>\n <o:payload future='1'>CgsMDQ==</o:payload>\n \
         <payload xmlns='urn:other'>!</payload><o:header later='' sid='27183'><o:news/>\
         <o:keys jid='juliet@capulet.lit' xml:lang='it'><o:key rid='31415'>AQ<o:x/>ID</o:key><key rid='5'>!</key></o:keys>\
         <o:keys jid='romeo@montague.lit'><o:key rid='1337'>BAUG</o:key><o:key rid='12321' kex='1'>BwgJ</o:key></o:keys>\
         </o:header></o:encrypted>",
    );
    assert_eq!(omemo2::encrypted::parse(&decorated), Ok(plain));
}

#[test]
fn what_is_wrong_is_named() {
    let error = |xml: &str| {
        omemo2::encrypted::parse(&element(xml))
            .unwrap_err()
            .to_string()
    };
    insta::assert_snapshot!(error("<body/>"), @"this is <body/>, where <encrypted/> in its own namespace belongs");
    insta::assert_snapshot!(error("<encrypted xmlns='urn:xmpp:omemo:2'/>"), @"<encrypted/> has no <header/>");
    insta::assert_snapshot!(error("<encrypted xmlns='urn:xmpp:omemo:2'><header/></encrypted>"), @r#"<header/> has no attribute "sid""#);
    insta::assert_snapshot!(error("<encrypted xmlns='urn:xmpp:omemo:2'><header sid='0'/></encrypted>"), @r#"the attribute "sid" of <header/> is not a device id"#);
    insta::assert_snapshot!(error("<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'/><payload/><payload/></encrypted>"), @"<encrypted/> has more than one <payload/>");
}

#[test]
fn the_protocols_do_not_read_each_other() {
    assert!(omemo2::encrypted::parse(&element(LEGACY)).is_err());
    assert!(legacy::encrypted::parse(&element(OMEMO2)).is_err());
}

#[test]
fn a22_too_many_keys_are_refused() {
    let keys = "<key rid='1'>AQ==</key>".repeat(MAX_KEYS);
    let omemo2 = |keys: &str| {
        omemo2::encrypted::parse(&element(&format!(
            "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'><keys jid='a@x'>{keys}</keys></header></encrypted>"
        )))
    };
    let legacy = |keys: &str| {
        legacy::encrypted::parse(&element(&format!(
            "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'>{keys}</header></encrypted>"
        )))
    };
    assert_eq!(omemo2(&keys).unwrap().keys.len(), MAX_KEYS);
    assert_eq!(legacy(&keys).unwrap().keys.len(), MAX_KEYS);
    let keys = keys + "<key rid='0'/>";
    let refused = Malformed::TooMany {
        what: "keys in the message",
        limit: MAX_KEYS,
    };
    assert_eq!(omemo2(&keys), Err(refused.clone()));
    assert_eq!(legacy(&keys), Err(refused));
}

#[test]
fn a22_a_payload_of_ten_megabytes_is_refused() {
    use minidom::Element;
    let with_payload = |bytes: usize| {
        let text = "A".repeat(bytes.div_ceil(3) * 4);
        let ns = omemo2::NAMESPACE;
        let mut encrypted =
            element("<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'/></encrypted>");
        encrypted.append_child(Element::builder("payload", ns).append(text).build());
        omemo2::encrypted::parse(&encrypted)
    };
    assert!(with_payload(MAX_PAYLOAD_BYTES).is_ok());
    assert_eq!(
        with_payload(10_000_000),
        Err(Malformed::TooLong {
            what: "payload",
            limit: MAX_PAYLOAD_BYTES
        })
    );
}

fn any_key(with_jid: bool) -> impl Strategy<Value = EncryptedKey> {
    let data = proptest::collection::vec(any::<u8>(), 0..200);
    (0..4_u8, 1..=0x7fff_ffff_u32, any::<bool>(), data).prop_map(
        move |(account, rid, is_key_exchange, data)| {
            let account = format!("user{account}@capulet.lit");
            key(
                with_jid.then_some(account.as_str()),
                rid,
                is_key_exchange,
                &data,
            )
        },
    )
}

fn any_message(with_jid: bool) -> impl Strategy<Value = Encrypted> {
    let bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300));
    let keys = proptest::collection::vec(any_key(with_jid), 0..20);
    (1..=0x7fff_ffff_u32, keys, bytes()).prop_map(move |(sid, mut keys, payload)| {
        keys.sort_by(|one, other| one.jid.cmp(&other.jid));
        Encrypted {
            sid: device(sid),
            keys,
            iv: (!with_jid).then(|| vec![7; 12]),
            payload,
        }
    })
}

proptest! {
    #[test]
    fn omemo2_round_trip(message in any_message(true)) {
        let xml = written(&omemo2::encrypted::build(&message));
        prop_assert_eq!(omemo2::encrypted::parse(&element(&xml)), Ok(message));
    }

    #[test]
    fn legacy_round_trip(message in any_message(false)) {
        let xml = written(&legacy::encrypted::build(&message));
        prop_assert_eq!(legacy::encrypted::parse(&element(&xml)), Ok(message));
    }
}
