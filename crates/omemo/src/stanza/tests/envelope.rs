use minidom::Element;
use omemo_ratchet::{Randomness, RandomnessError, Role};
use proptest::prelude::*;

use super::{at, element, jid, written};
use crate::stanza::body::body;
use crate::stanza::limits::MAX_PAYLOAD_BYTES;
use crate::stanza::malformed::Malformed;
use crate::stanza::sce::{Envelope, EnvelopeError};

/// Answers every draw with one byte.
struct Always(u8);

impl Randomness for Always {
    fn fill(&mut self, role: Role, out: &mut [u8]) -> Result<(), RandomnessError> {
        assert_eq!(role, Role::Padding);
        out.fill(self.0);
        Ok(())
    }
}

fn envelope(content: Vec<Element>) -> Envelope {
    Envelope {
        content,
        from: Some(jid("romeo@montague.lit")),
        to: Some(jid("juliet@capulet.lit")),
        time: Some(at(1_795_348_800)),
    }
}

fn built(envelope: &Envelope, byte: u8) -> String {
    let bytes = envelope.build(&mut Always(byte)).unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn parse(content: &str) -> Vec<String> {
    let xml =
        format!("<envelope xmlns='urn:xmpp:sce:1'><content>{content}</content><rpad/></envelope>");
    let envelope = Envelope::parse(xml.as_bytes()).unwrap();
    envelope.content.iter().map(written).collect()
}

#[test]
fn an_envelope_is_written_with_default_namespaces() {
    let reaction = element(
        "<x:reactions xmlns:x='urn:xmpp:reactions:0' id='1'><x:reaction>+1</x:reaction></x:reactions>",
    );
    let text = built(&envelope(vec![body("Hello & goodbye"), reaction]), 0);
    insta::assert_snapshot!(
        text,
        @"<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>Hello &amp; goodbye</body><reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>+1</reaction></reactions></content><from jid='romeo@montague.lit'/><to jid='juliet@capulet.lit'/><time stamp='2026-11-22T12:00:00Z'/><rpad></rpad></envelope>"
    );
}

#[test]
fn rule_18_short_envelopes_have_256_bytes_and_up_to_200_more() {
    let mut short = envelope(vec![body("hi")]);
    short.time = None;
    let fill = |byte: u8| u32::from_le_bytes([byte; 4]) % 201;
    for byte in [0, 1, 7, 99, 255] {
        assert_eq!(
            built(&short, byte).len(),
            256 + fill(byte) as usize,
            "{byte}"
        );
    }
    let long = envelope(vec![body(&"x".repeat(1_000))]);
    let bare = built(&long, 0).len();
    for byte in [1, 7, 255] {
        assert_eq!(
            built(&long, byte).len(),
            bare + fill(byte) as usize,
            "{byte}"
        );
    }
}

#[test]
fn rule_18_all_lengths_of_padding_occur() {
    /// The number of each envelope, and padding of zeros.
    struct Counting {
        envelope: u32,
        number_next: bool,
    }
    impl Randomness for Counting {
        fn fill(&mut self, _: Role, out: &mut [u8]) -> Result<(), RandomnessError> {
            if self.number_next {
                out.copy_from_slice(&self.envelope.to_le_bytes());
                self.envelope += 1;
            }
            self.number_next = !self.number_next;
            Ok(())
        }
    }
    let envelope = envelope(vec![body(&"x".repeat(300))]);
    let mut rng = Counting {
        envelope: 0,
        number_next: true,
    };
    let mut lengths: Vec<usize> = (0..201)
        .map(|_| envelope.build(&mut rng).unwrap().len())
        .collect();
    lengths.sort_unstable();
    let first = lengths[0];
    assert_eq!(lengths, (first..=first + 200).collect::<Vec<_>>());
}

#[test]
fn padding_needs_no_escaping() {
    struct Ramp;
    impl Randomness for Ramp {
        fn fill(&mut self, _: Role, out: &mut [u8]) -> Result<(), RandomnessError> {
            for (byte, value) in out.iter_mut().zip((0..=255_u8).cycle()) {
                *byte = value;
            }
            Ok(())
        }
    }
    let bytes = Envelope::default().build(&mut Ramp).unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let padding = text
        .split("<rpad>")
        .nth(1)
        .unwrap()
        .split("</rpad>")
        .next()
        .unwrap();
    assert!(padding.len() > 150, "{padding}");
    assert!(
        padding
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    );
}

#[test]
fn what_was_written_is_read() {
    let envelope = envelope(vec![
        body("Hello\n<world> & \u{1f339}"),
        element("<x xmlns='jabber:x:oob'><url>u</url></x>"),
    ]);
    for byte in [0, 3, 200] {
        assert_eq!(
            Envelope::parse(built(&envelope, byte).as_bytes()),
            Ok(envelope.clone())
        );
    }
    let empty = Envelope::default();
    assert_eq!(Envelope::parse(built(&empty, 9).as_bytes()), Ok(empty));
}

#[test]
fn rule_18_affixes_may_be_absent_and_stand_anywhere() {
    let xml = "<envelope xmlns='urn:xmpp:sce:1'>\n <from jid='Romeo@montague.lit/orchard'/>\n <content>\n  \
        <active xmlns='http://jabber.org/protocol/chatstates'/>\n </content>\n <future a='b'/></envelope>";
    let envelope = Envelope::parse(xml.as_bytes()).unwrap();
    assert_eq!(envelope.from, Some(jid("romeo@montague.lit")));
    assert_eq!((envelope.to, envelope.time), (None, None));
    assert_eq!(envelope.content.len(), 1);
}

#[test]
fn rule_20_long_padding_is_never_refused() {
    let padding = "x".repeat(MAX_PAYLOAD_BYTES - 200);
    let xml = format!(
        "<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>hi</body></content><rpad>{padding}</rpad></envelope>"
    );
    assert_eq!(
        Envelope::parse(xml.as_bytes()).unwrap().content,
        vec![body("hi")]
    );
}

#[test]
fn rule_21_a_body_counts_in_its_own_namespace_only() {
    assert_eq!(parse("<body>hi</body>"), Vec::<String>::new());
    assert_eq!(parse("<body xmlns=''>hi</body>"), Vec::<String>::new());
    assert_eq!(
        parse("<body xmlns='jabber:client'>hi</body>"),
        ["<body xmlns='jabber:client'>hi</body>"]
    );
    let prefixed =
        "<e:envelope xmlns:e='urn:xmpp:sce:1'><e:content><body>hi</body></e:content></e:envelope>";
    assert_eq!(
        Envelope::parse(prefixed.as_bytes()).unwrap().content,
        vec![]
    );
    let prefixed = "<e:envelope xmlns:e='urn:xmpp:sce:1' xmlns='jabber:client'><e:content><body>hi</body></e:content></e:envelope>";
    assert_eq!(
        Envelope::parse(prefixed.as_bytes()).unwrap().content,
        vec![body("hi")]
    );
}

#[test]
fn rule_21_what_is_for_servers_is_dropped() {
    let forbidden = "<store xmlns='urn:xmpp:hints'/><no-copy xmlns='urn:xmpp:hints'/>\
        <stanza-id xmlns='urn:xmpp:sid:0' id='x' by='y'/><addresses xmlns='http://jabber.org/protocol/address'/>\
        <address xmlns='http://jabber.org/protocol/address'/><encryption xmlns='urn:xmpp:eme:0' namespace='x'/>\
        <occupant-id xmlns='urn:xmpp:occupant-id:0' id='x'/><delay xmlns='urn:xmpp:delay' stamp='x'/>\
        <h:store xmlns:h='urn:xmpp:hints'/>";
    let allowed = "<origin-id xmlns='urn:xmpp:sid:0' id='x'/>";
    assert_eq!(
        parse(&format!("{forbidden}{allowed}{forbidden}")),
        [allowed]
    );
    let all = element(&format!(
        "<content xmlns='urn:xmpp:sce:1'>{forbidden}{allowed}</content>"
    ));
    let envelope = envelope(all.children().cloned().collect());
    let sent = Envelope::parse(built(&envelope, 0).as_bytes()).unwrap();
    assert_eq!(
        sent.content.iter().map(written).collect::<Vec<_>>(),
        [allowed],
        "nor is it sent"
    );
}

#[test]
fn rule_21_what_is_no_envelope_is_refused() {
    let good = "<envelope xmlns='urn:xmpp:sce:1'><content/></envelope>";
    assert!(Envelope::parse(good.as_bytes()).is_ok());
    for bad in [
        "",
        " ",
        "hello",
        "<envelope/>",
        "<envelope xmlns='urn:xmpp:sce:0'><content/></envelope>",
        "<content xmlns='urn:xmpp:sce:1'/>",
        "<envelope xmlns='urn:xmpp:sce:1'/>",
        "<envelope xmlns='urn:xmpp:sce:1'><content xmlns='urn:other'/></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><content/><content/></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><content/><from/></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><content/><from jid=''/></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><content/><from jid='a@b'/><from jid='c@d'/></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><content/><to jid='@'/></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><content/><time stamp='yesterday'/></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><content/></envelope><envelope xmlns='urn:xmpp:sce:1'><content/></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><content/></envelope>rest",
        "<envelope xmlns='urn:xmpp:sce:1'><content/>",
        "<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'></content></envelope>",
        "<!DOCTYPE e [<!ENTITY a 'b'>]><envelope xmlns='urn:xmpp:sce:1'><content/></envelope>",
        "<?xml version='1.0'?><envelope xmlns='urn:xmpp:sce:1'><content/></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><content>&undeclared;</content></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><content><!-- c --></content></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><content>&#0;</content></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><content a='1' a='2'/></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><p:content/></envelope>",
        "</stream><envelope xmlns='urn:xmpp:sce:1'><content/></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><content/></envelope></stream>",
        "<envelope xmlns='urn:xmpp:sce:1'><content/></envelope></stream><stream>",
    ] {
        assert!(Envelope::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    assert_eq!(Envelope::parse(&[0xff, 0xfe]), Err(Malformed::NotUtf8));
}

#[test]
fn a22_large_and_deep_envelopes_are_refused() {
    let large = vec![b' '; MAX_PAYLOAD_BYTES + 1];
    assert_eq!(
        Envelope::parse(&large),
        Err(Malformed::TooLong {
            what: "the envelope",
            limit: MAX_PAYLOAD_BYTES
        })
    );
    let deep = format!(
        "<envelope xmlns='urn:xmpp:sce:1'><content>{}{}</content></envelope>",
        "<a xmlns='u'>".repeat(1_000),
        "</a>".repeat(1_000)
    );
    assert!(matches!(
        Envelope::parse(deep.as_bytes()),
        Err(Malformed::TooDeep { .. })
    ));
}

#[test]
fn a22_content_that_could_not_be_stored_is_refused() {
    let long = "n".repeat(60_000);
    let bomb = format!(
        "<envelope xmlns='urn:xmpp:sce:1' xmlns:l='{long}'><content>{}</content></envelope>",
        "<l:b/>".repeat(1_000)
    );
    assert!(matches!(
        Envelope::parse(bomb.as_bytes()),
        Err(Malformed::TooLong { .. })
    ));
}

#[test]
fn content_that_is_no_xml_is_refused_when_it_is_built() {
    let nul = envelope(vec![body("a\0b")]);
    assert!(matches!(
        nul.build(&mut Always(0)),
        Err(EnvelopeError::Content(Malformed::Xml(_)))
    ));
}

proptest! {
    #[test]
    fn round_trip(text in "\\PC{0,300}", seconds in 0..253_402_300_799_i64, byte in any::<u8>()) {
        let mut envelope = envelope(vec![body(&text)]);
        envelope.time = Some(at(seconds));
        // An element without a text and one with an empty text are the same XML.
        if text.is_empty() {
            envelope.content = vec![];
        }
        prop_assert_eq!(Envelope::parse(built(&envelope, byte).as_bytes()), Ok(envelope));
    }

    #[test]
    fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Envelope::parse(&bytes);
    }
}
