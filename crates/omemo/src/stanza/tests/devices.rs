use proptest::prelude::*;

use super::{device, element, written};
use crate::stanza::devices::{DeviceList, SignedLabel};
use crate::stanza::limits::MAX_LISTED_DEVICES;
use crate::stanza::malformed::Malformed;
use crate::stanza::{legacy, omemo2};

/// 64 zero bytes.
const SIGNATURE: &str =
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";

fn ids(list: &DeviceList) -> Vec<u32> {
    list.devices.iter().map(|device| device.id.get()).collect()
}

fn omemo2_list(entries: &str) -> DeviceList {
    omemo2::devices::parse(&element(&format!(
        "<devices xmlns='urn:xmpp:omemo:2'>{entries}</devices>"
    )))
    .unwrap()
}

#[test]
fn omemo2_parses_and_builds() {
    let xml = format!(
        "<devices xmlns='urn:xmpp:omemo:2'><device id='12345' label='Dino' labelsig='{SIGNATURE}'/><device id='4223'/></devices>"
    );
    let list = omemo2::devices::parse(&element(&xml)).unwrap();
    assert_eq!(ids(&list), [12345, 4223]);
    let label = SignedLabel {
        text: "Dino".into(),
        signature: vec![0; 64],
    };
    assert_eq!(list.devices[0].label, Some(label));
    assert_eq!(list.devices[1].label, None);
    assert_eq!(written(&omemo2::devices::build(&list)), xml);
}

#[test]
fn legacy_parses_and_builds() {
    let xml = "<list xmlns='eu.siacs.conversations.axolotl'><device id='12345'/><device id='4223'/></list>";
    let list = legacy::devices::parse(&element(xml)).unwrap();
    assert_eq!(ids(&list), [12345, 4223]);
    assert_eq!(written(&legacy::devices::build(&list)), xml);
}

#[test]
fn legacy_knows_no_labels() {
    let xml = format!(
        "<list xmlns='eu.siacs.conversations.axolotl'><device id='1' label='x' labelsig='{SIGNATURE}'/></list>"
    );
    let list = legacy::devices::parse(&element(&xml)).unwrap();
    assert_eq!(list.devices[0].label, None);
    let label = SignedLabel {
        text: "y".into(),
        signature: vec![1; 64],
    };
    let own = list.with_own(device(2), Some(label));
    insta::assert_snapshot!(
        written(&legacy::devices::build(&own)).replace(SIGNATURE, "SIG"),
        @"<list xmlns='eu.siacs.conversations.axolotl'><device id='1' label='x' labelsig='SIG'/><device id='2'/></list>"
    );
}

#[test]
fn an_empty_list_is_one() {
    assert_eq!(omemo2_list(""), DeviceList::default());
    insta::assert_snapshot!(
        written(&omemo2::devices::build(&DeviceList::default())),
        @"<devices xmlns='urn:xmpp:omemo:2'/>"
    );
}

#[test]
fn quirk_19_bad_ids_are_skipped_and_the_list_kept() {
    let list = omemo2_list(
        "<device id='0'/><device id='-5'/><device id='2147483648'/><device/><device id='x'/>\
         <device id='1'/><device id='2147483647'/><device xmlns='urn:other' id='3'/>",
    );
    assert_eq!(ids(&list), [1, 2_147_483_647]);
}

#[test]
fn of_two_entries_with_one_id_the_first_counts() {
    let list = omemo2_list("<device id='1' a='first'/><device id='2'/><device id='1' a='second'/>");
    assert_eq!(ids(&list), [1, 2]);
    assert!(written(&omemo2::devices::build(&list)).contains("first"));
}

#[test]
fn rule_07_unsigned_labels_and_long_ones_are_ignored() {
    let label = |attributes: &str| {
        omemo2_list(&format!("<device id='1' {attributes}/>")).devices[0]
            .label
            .clone()
    };
    let with_text = |text: &str| label(&format!("label='{text}' labelsig='{SIGNATURE}'"));
    assert!(with_text("Conversations on Pixel 3").is_some());
    assert!(with_text(&"\u{1f4f1}".repeat(52)).is_some());
    assert_eq!(with_text(&"\u{1f4f1}".repeat(53)), None);
    assert_eq!(with_text(""), None);
    assert_eq!(label("label='x'"), None);
    assert_eq!(label("label='x' labelsig=''"), None);
    assert_eq!(label("label='x' labelsig='AAAA'"), None);
    assert_eq!(label("label='x' labelsig='!'"), None);
}

#[test]
fn rule_07_no_label_of_32_bytes_is_ever_signed() {
    assert!(SignedLabel::fits("Laptop"));
    assert!(SignedLabel::fits(&"x".repeat(52)));
    assert!(!SignedLabel::fits(&"x".repeat(53)));
    assert!(!SignedLabel::fits(&"x".repeat(32)));
    assert!(
        !SignedLabel::fits(&"\u{e9}".repeat(16)),
        "32 bytes of UTF-8"
    );
    assert!(SignedLabel::fits(&"\u{e9}".repeat(32)), "64 bytes of UTF-8");
    assert!(!SignedLabel::fits(""));
}

#[test]
fn rule_06_other_entries_stay_verbatim_when_ours_is_added() {
    let entries = "<device id='7' label='unsigned' since='2026'><note xmlns='urn:other' a='b'>text</note></device>\
        <device id='-1' odd='yes'/><more xmlns='urn:extension'/>";
    let list = omemo2_list(entries);
    assert!(!list.contains(device(9)));
    let label = SignedLabel {
        text: "Ours".into(),
        signature: vec![0; 64],
    };
    let list = list.with_own(device(9), Some(label));
    assert!(list.contains(device(9)));
    insta::assert_snapshot!(
        written(&omemo2::devices::build(&list)).replace(SIGNATURE, "SIG"),
        @"<devices xmlns='urn:xmpp:omemo:2'><device id='7' label='unsigned' since='2026'><note xmlns='urn:other' a='b'>text</note></device><device id='9' label='Ours' labelsig='SIG'/><device id='-1' odd='yes'/><more xmlns='urn:extension'/></devices>"
    );
}

#[test]
fn our_own_entry_is_written_anew() {
    let list = omemo2_list("<device id='1' x='y'/><device id='2'/>").with_own(device(1), None);
    insta::assert_snapshot!(
        written(&omemo2::devices::build(&list)),
        @"<devices xmlns='urn:xmpp:omemo:2'><device id='1'/><device id='2'/></devices>"
    );
}

#[test]
fn a22_a_list_of_ten_thousand_devices_is_refused_as_a_whole() {
    let list = |count: usize| {
        let entries: String = (1..=count)
            .map(|id| format!("<device id='{id}'/>"))
            .collect();
        let omemo2 = element(&format!(
            "<devices xmlns='urn:xmpp:omemo:2'>{entries}</devices>"
        ));
        let legacy = element(&format!(
            "<list xmlns='eu.siacs.conversations.axolotl'>{entries}</list>"
        ));
        (
            omemo2::devices::parse(&omemo2),
            legacy::devices::parse(&legacy),
        )
    };
    let (omemo2, legacy) = list(MAX_LISTED_DEVICES);
    assert!(omemo2.is_ok() && legacy.is_ok());
    let refused = Err(Malformed::TooMany {
        what: "devices on the list",
        limit: MAX_LISTED_DEVICES,
    });
    for count in [MAX_LISTED_DEVICES + 1, 10_000] {
        assert_eq!(list(count), (refused.clone(), refused.clone()));
    }
}

#[test]
fn the_protocols_do_not_read_each_other() {
    assert!(
        omemo2::devices::parse(&element("<list xmlns='eu.siacs.conversations.axolotl'/>")).is_err()
    );
    assert!(legacy::devices::parse(&element("<devices xmlns='urn:xmpp:omemo:2'/>")).is_err());
    assert!(omemo2::devices::parse(&element("<list xmlns='urn:xmpp:omemo:2'/>")).is_err());
}

proptest! {
    #[test]
    fn round_trip(wanted in proptest::collection::btree_set(1..=0x7fff_ffff_u32, 0..50), label in "[ -~]{1,52}") {
        let mut list = DeviceList::default();
        for id in &wanted {
            let label = SignedLabel { text: label.clone(), signature: vec![3; 64] };
            list = list.with_own(device(*id), Some(label));
        }
        let read = omemo2::devices::parse(&element(&written(&omemo2::devices::build(&list)))).unwrap();
        prop_assert_eq!(ids(&read), ids(&list));
        for (read, own) in read.devices.iter().zip(&list.devices) {
            prop_assert_eq!(&read.label, &own.label);
        }
        let read = legacy::devices::parse(&element(&written(&legacy::devices::build(&list)))).unwrap();
        prop_assert_eq!(ids(&read), ids(&list));
    }
}
