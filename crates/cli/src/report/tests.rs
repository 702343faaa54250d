//! The shape of the lines, which scripts rely on.

use super::*;

fn json(line: &Line<'_>) -> String {
    serde_json::to_string(line).unwrap()
}

#[test]
fn json_lines_keep_their_shape() {
    let ready = Line::Ready {
        jid: "a@b",
        device: 7,
        fingerprint: "00".into(),
    };
    assert_eq!(
        json(&ready),
        r#"{"event":"ready","jid":"a@b","device":7,"fingerprint":"00"}"#
    );
    let message = Line::Message {
        id: Some("m1"),
        from: "a@b",
        device: 7,
        protocol: omemo::namespace(Version::Omemo2),
        body: "hi\n",
        trust: "blind",
        chat: "a@b",
    };
    assert_eq!(
        json(&message),
        r#"{"event":"message","id":"m1","from":"a@b","device":7,"protocol":"urn:xmpp:omemo:2","body":"hi\n","trust":"blind","chat":"a@b"}"#
    );
    let undecryptable = Line::Undecryptable {
        from: "a@b",
        device: None,
        protocol: omemo::namespace(Version::Legacy),
        reason: "why".into(),
    };
    assert_eq!(
        json(&undecryptable),
        r#"{"event":"undecryptable","from":"a@b","device":null,"protocol":"eu.siacs.conversations.axolotl","reason":"why"}"#
    );
    let sent = Line::Sent {
        to: "a@b",
        served: vec![ServedDevice {
            jid: "a@b",
            device: 7,
            protocol: "p",
        }],
        unserved: vec![UnservedDevice {
            jid: "a@b",
            device: Some(8),
            reason: "r".into(),
        }],
    };
    assert_eq!(
        json(&sent),
        r#"{"event":"sent","to":"a@b","served":[{"jid":"a@b","device":7,"protocol":"p"}],"unserved":[{"jid":"a@b","device":8,"reason":"r"}]}"#
    );
    assert_eq!(
        json(&Line::Error { message: "m" }),
        r#"{"event":"error","message":"m"}"#
    );
}

#[test]
fn the_uri_is_what_other_clients_scan() {
    let jid = BareJid::parse("jüliet@capulet.example").unwrap();
    let uri = uri(
        &jid,
        DeviceId::new(42).unwrap(),
        &Fingerprint::new([0xab; 32]),
    );
    let digits = "ab".repeat(32);
    assert_eq!(
        uri,
        format!("xmpp:j%C3%BCliet@capulet.example?omemo-sid-42={digits}")
    );
}

#[test]
fn terminals_obey_nobody_else() {
    assert_eq!(
        harmless("a\x1b[2Jb\n\tc\u{202e}"),
        "a\u{fffd}[2Jb\n\tc\u{fffd}"
    );
}
