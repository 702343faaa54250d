//! Every form of the command line, and what is refused.

use clap::CommandFactory;

use super::*;

fn parse(line: &[&str]) -> Result<Args, clap::Error> {
    Args::try_parse_from([&["omemo"], line].concat())
}

#[test]
fn the_definition_is_sound() {
    Args::command().debug_assert();
}

#[test]
fn every_form_of_the_interface_is_read() {
    for line in [
        "demo",
        "demo --show-stanzas",
        "--data d init a@b",
        "init a@b --server h:1 --ca-file c.pem --label me --protocols legacy",
        "--data d send a@b hello --json",
        "send a@b hello --data d",
        "listen --json --echo --count 3 --for 9",
        "room join r@c",
        "room join r@c --nick me --create --member a@b --member c@d --json",
        "room send r@c hello --nick me --json",
        "room listen r@c --count 1 --for 9 --json",
        "devices",
        "devices a@b --json",
        "trust a@b 0011",
        "trust --uri xmpp:a@b",
        "distrust a@b 0011 2233",
        "devices remove 7",
        "label",
        "label Balcony --json",
        "label --none",
        "opt-out a@b --reason compliance --json",
        "opt-out a@b --plain-text",
        "opt-out a@b --keep-encrypting",
        "replace-session a@b --device 7",
        "replace-session --all --json",
        "recover",
        "recover --anyway --json",
        "init a@b --policy automatic --anchor f",
        "devices remove 7 --json",
        "devices allow-legacy a@b 7",
        "trust a@b 0011 --json",
        "distrust a@b 0011 --json",
        "deactivate --yes --json",
        "deactivate --yes",
        "deactivate --account --yes",
        "fingerprint --qr",
        "fingerprint --json",
        "file encrypt photo.jpg",
        "file encrypt p -o out --url https://a/b --cipher aes-256-cbc --media-type image/jpeg --json",
        "file decrypt aesgcm://a/b#00 p.enc -o p",
        "file decrypt - p.enc -o p --json",
        "vectors verify",
        "vectors verify d --json",
        "vectors run --against shim --deviations f d --json",
        "vectors serve",
        "vectors generate d",
    ] {
        parse(&line.split(' ').collect::<Vec<_>>()).unwrap_or_else(|e| panic!("{line}: {e}"));
    }
}

#[test]
fn nonsense_is_refused() {
    for line in [
        "",
        "send a@b",
        "send a@b/resource hi",
        "send @ hi",
        "init a@b --server nowhere",
        "init a@b --protocols omemo3",
        "listen --count many",
        "trust a@b",
        "room",
        "room send r@c",
        "room join r@c/nick",
        "file",
        "file encrypt",
        "file encrypt p --cipher rot13",
        "file decrypt aesgcm://a/b#00 p.enc",
        "file decrypt -o p",
        "trust a@b 00 --uri xmpp:a@b",
        "devices remove many",
        "devices remove 0",
        "devices allow-legacy a@b",
        "replace-session a@b --device 0",
        "init a@b --policy nobody",
        "label Balcony --none",
        "opt-out",
        "opt-out a@b --plain-text --keep-encrypting",
        "replace-session",
        "replace-session a@b --all",
        "vectors",
        "vectors run",
    ] {
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(parse(&words).unwrap_err().exit_code(), 2, "{line}");
    }
}

#[test]
fn a_text_may_begin_with_a_dash() {
    let Command::Send { text, json, .. } =
        parse(&["send", "a@b", "--hi", "--json"]).unwrap().command
    else {
        panic!("not send");
    };
    assert_eq!((text.as_str(), json), ("--hi", true));
}

#[test]
fn fingerprints_come_whole_or_in_groups() {
    let whole = "00112233".repeat(8);
    let grouped = ["00112233"; 8].join(" ");
    for text in [
        vec![whole.as_str()],
        vec![grouped.as_str()],
        vec!["00112233"; 8],
    ] {
        let line = [&["trust", "a@b"], text.as_slice()].concat();
        let Command::Trust(verification) = parse(&line).unwrap().command else {
            panic!("not trust");
        };
        let decision = verification.decision().unwrap();
        assert_eq!(decision.fingerprint().unwrap().to_string(), grouped);
    }
}
