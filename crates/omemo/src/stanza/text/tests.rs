use minidom::{Element, Node};
use proptest::prelude::*;

use super::read::check;
use super::{parse, parse_fragment, to_string};
use crate::stanza::limits::{MAX_ATTRIBUTES, MAX_DEPTH, MAX_NODES, MAX_TOKEN_BYTES, MAX_XML_BYTES};
use crate::stanza::malformed::Malformed;

fn rewritten(xml: &str) -> String {
    to_string(&parse(xml).unwrap()).unwrap()
}

#[test]
fn a_stanza_without_a_namespace_is_a_client_s() {
    let message = parse("<message><body>hi</body><x xmlns='u'><y/></x></message>").unwrap();
    assert!(message.is("message", "jabber:client"));
    assert!(message.has_child("body", "jabber:client"));
    assert!(message.get_child("x", "u").unwrap().has_child("y", "u"));
    assert!(parse_fragment("<message/>").unwrap().is("message", ""));
}

#[test]
fn whitespace_around_a_stanza_does_not_matter() {
    assert!(parse("\n\t <message/>\r\n").is_ok());
}

#[test]
fn namespaces_are_written_as_defaults() {
    insta::assert_snapshot!(
        rewritten("<m:message xmlns:m='jabber:client' xmlns:a='u'><a:x a:y='1' y='2' xml:lang='en'><m:z/></a:x></m:message>"),
        @"<message xmlns='jabber:client'><x xmlns='u' y='2' xml:lang='en' xmlns:ns0='u' ns0:y='1'><z xmlns='jabber:client'/></x></message>"
    );
}

#[test]
fn what_has_no_namespace_says_so() {
    insta::assert_snapshot!(rewritten("<x xmlns=''><y xmlns='u'><z xmlns=''/></y></x>"), @"<x xmlns=''><y xmlns='u'><z xmlns=''/></y></x>");
}

#[test]
fn the_namespace_of_xml_keeps_its_prefix() {
    insta::assert_snapshot!(rewritten("<x xmlns='u'><xml:y a='1'><z/></xml:y></x>"), @"<x xmlns='u'><xml:y a='1'><z/></xml:y></x>");
}

#[test]
fn special_characters_survive() {
    let text = "<&>'\"\r\n\t\u{85}\u{2028}\u{fffd}\u{10ffff}]]>";
    let mut element = Element::builder("x", "a'&<\"").append(text).build();
    element.set_attr(
        minidom::rxml::Namespace::NONE,
        "a".try_into().unwrap(),
        text,
    );
    let xml = to_string(&element).unwrap();
    let read = parse(&xml).unwrap();
    assert_eq!(read.text(), text);
    assert_eq!(read.attr("a"), Some(text));
    assert_eq!(read.ns(), "a'&<\"");
    assert_eq!(to_string(&read).unwrap(), xml);
}

#[test]
fn declarations_that_contradict_each_other_do_not_matter() {
    // Elements as other parsers hand them in keep their declarations. Writing them back by those
    // would end the program: the prefix of the root is declared once more.
    let hostile: Element = "<p:a xmlns:p='x'><p:b xmlns:p='y' p:c='1'/></p:a>"
        .parse()
        .unwrap();
    insta::assert_snapshot!(
        to_string(&hostile).unwrap(),
        @"<a xmlns='x'><b xmlns='y' xmlns:ns0='y' ns0:c='1'/></a>"
    );
}

#[test]
fn what_xml_cannot_say_is_not_written() {
    for bad in ["\0", "\u{1}", "\u{b}", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
        let element = Element::builder("x", "u").append(bad).build();
        assert!(
            matches!(to_string(&element), Err(Malformed::Xml(_))),
            "{bad:?}"
        );
    }
    for bad in ["", "a b", "a:b", "1", "<"] {
        assert!(
            matches!(to_string(&Element::bare(bad, "u")), Err(Malformed::Xml(_))),
            "{bad:?}"
        );
    }
    let reserved = Element::bare("x", "http://www.w3.org/2000/xmlns/");
    assert!(matches!(to_string(&reserved), Err(Malformed::Xml(_))));
    let mut element = Element::bare("x", "u");
    element.set_attr(
        minidom::rxml::Namespace::NONE,
        "xmlns".try_into().unwrap(),
        "v",
    );
    assert!(matches!(to_string(&element), Err(Malformed::Xml(_))));
}

#[test]
fn a22_bombs_and_everything_else_that_xmpp_forbids() {
    for bad in [
        "",
        "   ",
        "text",
        "<message",
        "<message>",
        "</message>",
        "<message></body>",
        "<message/><message/>",
        "<message/>text",
        "text<message/>",
        "<?xml version='1.0'?><message/>",
        "<?php ?><message/>",
        "<!DOCTYPE message><message/>",
        "<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;&lol;'>]><message>&lol2;</message>",
        "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><message/>",
        "<message>&lol;</message>",
        "<message>&#0;</message>",
        "<message>&#xd800;</message>",
        "<message>&#xffffffffff;</message>",
        "<message>&#;</message>",
        "<message>&#x;</message>",
        "<message>&;</message>",
        "<message>\u{1}</message>",
        "<message><!-- comment --></message>",
        "<message a='1' a='2'/>",
        "<message xmlns:a='u' xmlns:b='u' a:x='1' b:x='2'/>",
        "<message a=1/>",
        "<message a/>",
        "<p:message/>",
        "<message p:a='1'/>",
        "<message xmlns:xml='u'/>",
        "<message xmlns:xmlns='u'/>",
        "<message xmlns:p=''/>",
        "<a:b:c xmlns:a='u'/>",
        "</stream><message/>",
        "<message/></stream>",
        "<message/></stream><stream>",
        "<stream>",
    ] {
        assert!(matches!(parse(bad), Err(Malformed::Xml(_))), "{bad}");
    }
}

#[test]
fn a22_sections_of_cdata_are_text() {
    assert_eq!(
        parse("<body><![CDATA[<a>&lt;]]></body>").unwrap().text(),
        "<a>&lt;"
    );
}

fn nested(depth: usize) -> String {
    "<a>".repeat(depth) + &"</a>".repeat(depth)
}

#[test]
fn a22_depth_is_limited_in_every_direction() {
    let deepest = parse(&nested(MAX_DEPTH)).unwrap();
    assert_eq!(check(&deepest), Ok(()));
    assert_eq!(
        to_string(&deepest).unwrap().matches("<a").count(),
        MAX_DEPTH
    );
    let refused = Malformed::TooDeep { limit: MAX_DEPTH };
    assert_eq!(parse(&nested(MAX_DEPTH + 1)), Err(refused.clone()));
    assert_eq!(parse(&nested(100_000)), Err(refused.clone()));
    let deeper = Element::builder("a", "jabber:client")
        .append(deepest)
        .build();
    assert_eq!(check(&deeper), Err(refused.clone()));
    assert_eq!(to_string(&deeper), Err(refused));
}

#[test]
fn a22_attributes_are_limited() {
    let with = |count: usize| {
        let attributes: String = (0..count).map(|n| format!(" a{n}=''")).collect();
        format!("<message{attributes}/>")
    };
    assert!(check(&parse(&with(MAX_ATTRIBUTES)).unwrap()).is_ok());
    let refused = Err(Malformed::TooMany {
        what: "attributes of one element",
        limit: MAX_ATTRIBUTES,
    });
    assert_eq!(parse(&with(MAX_ATTRIBUTES + 1)), refused);
    let handed_in: Element = with(MAX_ATTRIBUTES + 1)
        .replace("<message", "<message xmlns='u'")
        .parse()
        .unwrap();
    assert_eq!(check(&handed_in), refused.map(|_| ()));
    assert!(
        parse(&format!(
            "<message a='{}'/>",
            "x".repeat(MAX_TOKEN_BYTES + 1)
        ))
        .is_err()
    );
    assert!(parse(&format!("<{}/>", "x".repeat(MAX_TOKEN_BYTES + 1))).is_err());
}

#[test]
fn a22_nodes_are_limited() {
    let with = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count));
    let most = parse(&with(MAX_NODES - 1)).unwrap();
    assert_eq!(check(&most), Ok(()));
    let refused = Malformed::TooMany {
        what: "elements and texts",
        limit: MAX_NODES,
    };
    assert_eq!(parse(&with(MAX_NODES)), Err(refused.clone()));
    let mut handed_in = most;
    handed_in.append_node(Node::Text("x".into()));
    assert_eq!(check(&handed_in), Err(refused));
}

#[test]
fn a22_bytes_are_limited() {
    let with = |bytes: usize| format!("<a>{}</a>", "x".repeat(bytes - "<a></a>".len()));
    assert!(parse(&with(MAX_XML_BYTES)).is_ok());
    let refused = Malformed::TooLong {
        what: "the stanza",
        limit: MAX_XML_BYTES,
    };
    assert_eq!(parse(&with(MAX_XML_BYTES + 1)), Err(refused.clone()));
    let handed_in = Element::builder("a", "u")
        .append("x".repeat(10_000_000))
        .build();
    assert_eq!(check(&handed_in), Err(refused));
}

#[test]
fn a22_the_longest_attributes_that_are_written_are_read() {
    for filling in ["x", "&", "\n", "\u{e9}"] {
        let value = filling.repeat(MAX_TOKEN_BYTES / filling.len());
        let mut element = Element::bare("a", value.as_str());
        let name = minidom::rxml::NcName::try_from("a").unwrap();
        element.set_attr(minidom::rxml::Namespace::NONE, name.clone(), value.as_str());
        element.set_attr("n".into(), name.clone(), value.as_str());
        element.set_attr(value.clone().into(), name, "");
        let read = parse(&to_string(&element).unwrap()).unwrap();
        assert_eq!(read, element, "{filling:?}");
        let longer = Element::bare("a", value + filling);
        assert!(matches!(to_string(&longer), Err(Malformed::TooLong { .. })));
    }
}

#[test]
fn a22_a_long_namespace_cannot_be_declared_without_end() {
    let long = "n".repeat(60_000);
    let xml = format!("<a xmlns:l='{long}'>{}</a>", "<l:b/>".repeat(10_000));
    let bomb = parse(&xml).unwrap();
    assert_eq!(
        to_string(&bomb),
        Err(Malformed::TooLong {
            what: "the stanza",
            limit: MAX_XML_BYTES
        })
    );
}

#[test]
fn a22_escaping_is_counted() {
    let with = |count: usize| Element::builder("a", "u").append("&".repeat(count)).build();
    let most = with((MAX_XML_BYTES - "<a xmlns='u'></a>".len()) / "&amp;".len());
    assert!(parse(&to_string(&most).unwrap()).is_ok());
    assert!(to_string(&with(MAX_XML_BYTES / "&amp;".len())).is_err());
}

#[test]
fn a22_a_text_is_one_node_however_much_of_it_is_escaped() {
    let text = "<&>".repeat(100_000);
    let element = Element::builder("a", "u").append(text.as_str()).build();
    assert_eq!(parse(&to_string(&element).unwrap()).unwrap().text(), text);
    let sections = "<![CDATA[x]]>".repeat(100_000);
    let read = parse(&format!("<a>{sections}</a>")).unwrap();
    assert_eq!(read.nodes().count(), 1);
}

/// Trees as peers may send them.
fn any_element() -> impl Strategy<Value = Element> {
    let name = "[a-z_][a-z0-9._-]{0,8}";
    let namespace = prop_oneof![
        Just("jabber:client".to_owned()),
        Just(String::new()),
        Just("http://www.w3.org/XML/1998/namespace".to_owned()),
        "[a-z:&<>'\" ]{1,12}",
    ];
    let text = "[ -~\t\n\r\u{a0}-\u{d7ff}\u{1f300}-\u{1f5ff}]{1,20}";
    let attribute = (namespace.clone(), name, text);
    let leaf = (name, namespace, proptest::collection::vec(attribute, 0..4));
    let bare = leaf.clone().prop_map(|(name, namespace, attributes)| {
        let mut element = Element::bare(name, namespace);
        for (namespace, name, value) in attributes {
            if name != "xmlns" {
                element.set_attr(namespace.into(), name.try_into().unwrap(), value);
            }
        }
        element
    });
    bare.prop_recursive(5, 40, 5, move |inner| {
        let child = prop_oneof![
            inner.clone().prop_map(Node::Element),
            text.prop_map(Node::Text)
        ];
        (inner, proptest::collection::vec(child, 0..5)).prop_map(|(mut parent, children)| {
            for child in children {
                match child {
                    Node::Element(child) => drop(parent.append_child(child)),
                    // Two texts side by side are one when they are read.
                    Node::Text(text) => parent.append_text(text),
                }
            }
            parent
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(element in any_element()) {
        let xml = to_string(&element).unwrap();
        let read = parse(&xml).unwrap();
        prop_assert_eq!(&read, &element);
        prop_assert_eq!(check(&read), Ok(()));
        prop_assert_eq!(&to_string(&read).unwrap(), &xml);
        prop_assert_eq!(to_string(&parse_fragment(&xml).unwrap()).unwrap(), xml);
    }

    #[test]
    fn others_read_what_is_written(element in any_element()) {
        let xml = to_string(&element).unwrap();
        // The other parser does not know that the prefix `xml` is always declared.
        prop_assume!(!xml.contains("<xml:"));
        prop_assert_eq!(xml.parse::<Element>().unwrap(), element);
    }

    #[test]
    fn what_is_read_can_be_written(xml in "(<[a-c]( [a-c]='[ -~]{0,3}'| xmlns(:[a-c])?='[a-c]?')?/?>|</[a-c]>|[ -~]{0,3}|&#x?[0-9a-f]{0,6};|\\PC){0,12}") {
        if let Ok(element) = parse(&xml) {
            let once = to_string(&element).unwrap();
            prop_assert_eq!(parse(&once).unwrap(), element);
        }
    }

    #[test]
    fn any_text_is_safe(xml in "\\PC{0,200}") {
        let _ = parse(&xml);
    }
}
