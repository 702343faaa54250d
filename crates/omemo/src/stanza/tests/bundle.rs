use omemo_ratchet::Bundle;
use proptest::prelude::*;

use super::{element, written};
use crate::stanza::limits::MAX_PRE_KEYS;
use crate::stanza::malformed::Malformed;
use crate::stanza::{legacy, omemo2};

const OMEMO2: &str = "<bundle xmlns='urn:xmpp:omemo:2'><spk id='1'>AQID</spk><spks>BAUG</spks><ik>BwgJ</ik>\
    <prekeys><pk id='1'>CgsM</pk><pk id='100'>DQ4P</pk></prekeys></bundle>";

const LEGACY: &str = "<bundle xmlns='eu.siacs.conversations.axolotl'>\
    <signedPreKeyPublic signedPreKeyId='1'>AQID</signedPreKeyPublic><signedPreKeySignature>BAUG</signedPreKeySignature>\
    <identityKey>BwgJ</identityKey><prekeys><preKeyPublic preKeyId='1'>CgsM</preKeyPublic>\
    <preKeyPublic preKeyId='100'>DQ4P</preKeyPublic></prekeys></bundle>";

fn bundle() -> Bundle {
    Bundle {
        identity_key: vec![7, 8, 9],
        signed_pre_key_id: 1,
        signed_pre_key: vec![1, 2, 3],
        signed_pre_key_signature: vec![4, 5, 6],
        pre_keys: vec![(1, vec![10, 11, 12]), (100, vec![13, 14, 15])],
    }
}

#[test]
fn both_parse_and_build() {
    assert_eq!(omemo2::bundle::parse(&element(OMEMO2)), Ok(bundle()));
    assert_eq!(legacy::bundle::parse(&element(LEGACY)), Ok(bundle()));
    assert_eq!(written(&omemo2::bundle::build(&bundle())), OMEMO2);
    assert_eq!(written(&legacy::bundle::build(&bundle())), LEGACY);
}

#[test]
fn rule_09_signed_prekeys_and_prekeys_may_share_an_id() {
    let parsed = omemo2::bundle::parse(&element(OMEMO2)).unwrap();
    assert_eq!((parsed.signed_pre_key_id, parsed.pre_keys[0].0), (1, 1));
}

#[test]
fn quirk_16_whitespace_and_strangers_do_not_matter() {
    let folded = OMEMO2
        .replace("AQID", "\n AQ\r\n ID ")
        .replace("BAUG", "\tBAUG\n")
        .replace(
            "<prekeys>",
            "<prekeys xml:lang='en' n='1'>\n <pk xmlns='urn:other' id='4'>AAAA</pk><other/>",
        )
        .replace("<ik>", "<later/><ik x='y'>");
    assert_eq!(omemo2::bundle::parse(&element(&folded)), Ok(bundle()));
    let folded = LEGACY
        .replace("AQID", "\n AQ\r\n ID ")
        .replace("DQ4P", "DQ\n4P");
    assert_eq!(legacy::bundle::parse(&element(&folded)), Ok(bundle()));
}

#[test]
fn quirk_17_id_zero_is_read() {
    let zero = OMEMO2.replace("id='1'", "id='0'");
    let parsed = omemo2::bundle::parse(&element(&zero)).unwrap();
    assert_eq!((parsed.signed_pre_key_id, parsed.pre_keys[0].0), (0, 0));
}

#[test]
fn quirk_19_damaged_prekeys_are_skipped() {
    let damaged = OMEMO2.replace(
        "<pk id='100'>",
        "<pk>AAAA</pk><pk id='-1'>AAAA</pk><pk id='x'>AAAA</pk><pk id='5'>!</pk><pk id='100'>",
    );
    assert_eq!(omemo2::bundle::parse(&element(&damaged)), Ok(bundle()));
    let damaged = LEGACY.replace(
        "<preKeyPublic preKeyId='100'>",
        "<preKeyPublic>AAAA</preKeyPublic><preKeyPublic preKeyId='5'>!</preKeyPublic><preKeyPublic preKeyId='100'>",
    );
    assert_eq!(legacy::bundle::parse(&element(&damaged)), Ok(bundle()));
}

#[test]
fn what_is_missing_is_named() {
    let error = |from: &str, to: &str| {
        omemo2::bundle::parse(&element(&OMEMO2.replace(from, to)))
            .unwrap_err()
            .to_string()
    };
    insta::assert_snapshot!(error("<ik>BwgJ</ik>", ""), @"<bundle/> has no <ik/>");
    insta::assert_snapshot!(error("<spk id='1'>AQID</spk>", ""), @"<bundle/> has no <spk/>");
    insta::assert_snapshot!(error("<spk id='1'>", "<spk>"), @r#"<spk/> has no attribute "id""#);
    insta::assert_snapshot!(error("<spk id='1'>", "<spk id='4294967296'>"), @r#"the attribute "id" of <spk/> is not a whole number"#);
    insta::assert_snapshot!(error("BAUG", "BAU"), @"the text of <spks/> is not base64");
    let error = |from: &str, to: &str| {
        legacy::bundle::parse(&element(&LEGACY.replace(from, to)))
            .unwrap_err()
            .to_string()
    };
    insta::assert_snapshot!(error("prekeys", "keys"), @"<bundle/> has no <prekeys/>");
    insta::assert_snapshot!(error("BwgJ", "*"), @"the text of <identityKey/> is not base64");
}

#[test]
fn a22_too_many_prekeys_and_long_keys_are_refused() {
    let many = |count: usize| {
        let keys: String = (1..=count)
            .map(|id| format!("<pk id='{id}'>AAAA</pk>"))
            .collect();
        let xml = OMEMO2.replace("<pk id='1'>CgsM</pk><pk id='100'>DQ4P</pk>", &keys);
        omemo2::bundle::parse(&element(&xml))
    };
    assert_eq!(many(MAX_PRE_KEYS).unwrap().pre_keys.len(), MAX_PRE_KEYS);
    assert_eq!(
        many(MAX_PRE_KEYS + 1),
        Err(Malformed::TooMany {
            what: "prekeys in the bundle",
            limit: MAX_PRE_KEYS
        })
    );
    let long = OMEMO2.replace("BwgJ", &"AAAA".repeat(1_000));
    assert!(matches!(
        omemo2::bundle::parse(&element(&long)),
        Err(Malformed::TooLong { what: "ik", .. })
    ));
}

proptest! {
    #[test]
    fn round_trip(
        identity_key in proptest::collection::vec(any::<u8>(), 0..40),
        signed_pre_key_id in any::<u32>(),
        signed_pre_key in proptest::collection::vec(any::<u8>(), 0..40),
        signed_pre_key_signature in proptest::collection::vec(any::<u8>(), 0..70),
        pre_keys in proptest::collection::vec((any::<u32>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..30),
    ) {
        let bundle = Bundle { identity_key, signed_pre_key_id, signed_pre_key, signed_pre_key_signature, pre_keys };
        let read = omemo2::bundle::parse(&element(&written(&omemo2::bundle::build(&bundle))));
        prop_assert_eq!(read.as_ref(), Ok(&bundle));
        let read = legacy::bundle::parse(&element(&written(&legacy::bundle::build(&bundle))));
        prop_assert_eq!(read, Ok(bundle));
    }
}
