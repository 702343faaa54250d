//! `<trust-message/>` (XEP-0434).

use omemo_ratchet::Fingerprint;

use super::{at, element, jid, written};
use crate::stanza::limits::MAX_DECISIONS;
use crate::stanza::malformed::Malformed;
use crate::stanza::trust_message::{Decision, build, is_trust_message, parse};

/// The example of XEP-0434 §4.
const EXAMPLE: &str =
    "<trust-message xmlns='urn:xmpp:tm:1' usage='urn:xmpp:atm:1' encryption='urn:xmpp:omemo:2'>
  <key-owner jid='alice@example.org'>
    <trust>aFABnX7Q/rbTgjBySYzrT2FsYCVYb49mbca5yB734KQ=</trust>
    <trust>IhpPjiKLchgrAG5cpSfTvdzPjZ5v6vTOluHEUehkgCA=</trust>
  </key-owner>
  <key-owner jid='bob@example.com'>
    <trust>YjVI04NcbTPvXLaA95RO84HPcSvyOgEZ2r5cTyUs0C8=</trust>
    <distrust>tCP1CI3pqSTVGzFYFyPYUMfMZ9Ck/msmfD0wH/VtJBM=</distrust>
    <distrust>2fhJtrgoMJxfLI3084/YkYh9paqiSiLFDVL2m0qAgX4=</distrust>
  </key-owner>
</trust-message>";

#[test]
fn rule_36_the_example_is_read() {
    let decisions = parse(&element(EXAMPLE)).expect("the specification's own");
    let facts: Vec<_> = decisions
        .iter()
        .map(|said| (said.owner.as_str(), said.key.as_bytes()[0], said.trust))
        .collect();
    let (alice, bob) = ("alice@example.org", "bob@example.com");
    assert_eq!(
        facts,
        [
            (alice, 0x68, true),
            (alice, 0x22, true),
            (bob, 0x62, true),
            (bob, 0xb4, false),
            (bob, 0xd9, false),
        ]
    );
    assert!(decisions.iter().all(|said| said.decided_at.is_none()));
    assert!(is_trust_message(&element(EXAMPLE)));
}

#[test]
fn rule_36_what_is_built_is_read_again() {
    let said = |owner, n, trust, seconds| Decision {
        owner: jid(owner),
        key: Fingerprint::new([n; 32]),
        trust,
        decided_at: Some(at(seconds)),
    };
    let decisions = [
        said("alice@example.org", 1, true, 1_800_000_000),
        said("alice@example.org", 2, false, 1_800_000_001),
        said("bob@example.com", 3, true, 1_800_000_002),
    ];
    let built = build(&decisions);
    assert_eq!(parse(&built).expect("our own"), decisions);
    let text = written(&built);
    assert_eq!(text.matches("<key-owner").count(), 2, "{text}");
    assert!(!text.contains("ns0:"), "default namespaces: {text}");
}

#[test]
fn rule_36_other_purposes_and_other_keys_say_nothing() {
    for (from, to) in [
        ("urn:xmpp:atm:1", "urn:xmpp:atm:0"),
        ("urn:xmpp:omemo:2", "urn:xmpp:ox:0"),
        ("usage=", "used="),
    ] {
        let other = element(&EXAMPLE.replace(from, to));
        assert_eq!(parse(&other).expect("tolerated"), []);
        assert!(is_trust_message(&other), "and yet nobody is shown it");
    }
    assert!(parse(&element("<trust-message xmlns='urn:xmpp:tm:0'/>")).is_err());
}

#[test]
fn rule_36_damaged_entries_are_passed_over() {
    let text = EXAMPLE
        .replace("alice@example.org", "@")
        .replace("tCP1CI3p", "tCP1")
        .replace("2fhJtrgo", "!!!!!!!!");
    let decisions = parse(&element(&text)).expect("tolerated");
    assert_eq!(decisions.len(), 1);
    assert_eq!(decisions[0].owner, jid("bob@example.com"));
}

#[test]
fn rule_36_there_may_not_be_too_many() {
    let key = "<trust>aFABnX7Q/rbTgjBySYzrT2FsYCVYb49mbca5yB734KQ=</trust>";
    let message = |count| {
        element(&format!(
            "<trust-message xmlns='urn:xmpp:tm:1' usage='urn:xmpp:atm:1' encryption='urn:xmpp:omemo:2'>\
             <key-owner jid='a@b'>{}</key-owner></trust-message>",
            key.repeat(count)
        ))
    };
    assert_eq!(
        parse(&message(MAX_DECISIONS)).map(|all| all.len()),
        Ok(MAX_DECISIONS)
    );
    let refused = parse(&message(MAX_DECISIONS + 1));
    assert!(matches!(refused, Err(Malformed::TooMany { .. })));
}
