//! What we tell others that we can do (XEP-0030, XEP-0115). The `+notify` features in it make
//! servers push device lists to us.

use omemo::Element;
use tokio_xmpp::parsers::caps::{Caps, compute_disco, hash_caps, query_caps};
use tokio_xmpp::parsers::disco::{DiscoInfoQuery, DiscoInfoResult, Identity};
use tokio_xmpp::parsers::hashes::Algo;
use tokio_xmpp::parsers::ns;

/// Names this software to others; clients look nothing up there.
const NODE: &str = "urn:x-omemo:tokio";

/// Our capabilities.
#[derive(Debug, Clone)]
pub(crate) struct Capabilities {
    info: DiscoInfoResult,
    caps: Option<Caps>,
}

impl Capabilities {
    /// Those of this crate and the account's.
    pub(crate) fn new(account: Vec<String>) -> Self {
        let own = [ns::CAPS, ns::DISCO_INFO, ns::PING];
        let info = DiscoInfoResult {
            node: None,
            identities: vec![Identity {
                category: "client".into(),
                type_: "console".into(),
                lang: None,
                name: Some("omemo".into()),
            }],
            features: account
                .into_iter()
                .chain(own.map(ToOwned::to_owned))
                .collect(),
            extensions: Vec::new(),
        };
        let caps = hash_caps(&compute_disco(&info), Algo::Sha_1)
            .ok()
            .map(|hash| Caps::new(NODE, hash));
        Self { info, caps }
    }

    /// `<presence/>`, which makes us reachable.
    pub(crate) fn presence(&self) -> Element {
        Element::builder("presence", ns::JABBER_CLIENT)
            .append_all(self.caps.clone().map(Element::from))
            .build()
    }

    /// The answer to a `disco#info` query, if it asks for us.
    pub(crate) fn answer(&self, query: &Element) -> Option<Element> {
        let asked = DiscoInfoQuery::try_from(query.clone()).ok()?.node;
        let ours = self.caps.clone().and_then(|caps| query_caps(caps).node);
        (asked.is_none() || asked == ours).then(|| {
            DiscoInfoResult {
                node: asked,
                ..self.info.clone()
            }
            .into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_in_the_presence_can_be_asked_about() {
        let capabilities = Capabilities::new(vec!["urn:xmpp:omemo:2:devices+notify".into()]);
        let presence = capabilities.presence();
        let caps = presence.get_child("c", ns::CAPS).unwrap();
        let node = format!(
            "{}#{}",
            caps.attr("node").unwrap(),
            caps.attr("ver").unwrap()
        );
        let ask = |node: Option<String>| {
            let answer = capabilities.answer(&DiscoInfoQuery { node }.into())?;
            Some(DiscoInfoResult::try_from(answer).unwrap())
        };
        let answer = ask(Some(node.clone())).unwrap();
        assert_eq!(answer.node, Some(node));
        assert!(answer.features.contains("urn:xmpp:omemo:2:devices+notify"));
        assert_eq!(ask(None).unwrap().features, answer.features);
        assert!(ask(Some("another".into())).is_none());
    }
}
