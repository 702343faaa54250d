//! The few stanzas and stream elements that a connection needs beside those of the account.

use omemo::{Element, Randomness, Role, SystemRandomness};
use tokio_xmpp::minidom::ElementBuilder;
use tokio_xmpp::minidom::rxml::xml_ncname;
use tokio_xmpp::parsers::{ns, sm};

/// An id that nobody can guess, so that nobody else can answer in the server's name.
///
/// Without randomness from the operating system it is empty, and answers to it are not believed.
pub(crate) fn random_id() -> String {
    let mut bytes = [0; 12];
    match SystemRandomness.fill(Role::StanzaId, &mut bytes) {
        Ok(()) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(_) => String::new(),
    }
}

/// A question to our own account or server.
pub(crate) fn iq_get(id: &str, payload: impl Into<Element>) -> Element {
    iq("get", id).append(payload.into()).build()
}

/// A request to our own account or server.
pub(crate) fn iq_set(id: &str, payload: impl Into<Element>) -> Element {
    iq("set", id).append(payload.into()).build()
}

/// XEP-0199.
pub(crate) fn ping(id: &str) -> Element {
    iq_get(id, Element::bare("ping", ns::PING))
}

/// The answer to a request, with or without content.
pub(crate) fn result(request: &Element, payload: Option<Element>) -> Element {
    answer(request, "result").append_all(payload).build()
}

/// "We do not do this" (RFC 6120 §8.3.3.19).
pub(crate) fn refusal(request: &Element) -> Element {
    let error = Element::builder("error", ns::JABBER_CLIENT)
        .attr(xml_ncname!("type").into(), "cancel")
        .append(Element::bare("service-unavailable", ns::XMPP_STANZAS))
        .build();
    answer(request, "error").append(error).build()
}

/// Whether it asks something of us, so that it must be answered.
pub(crate) fn is_request(stanza: &Element) -> bool {
    stanza.is("iq", ns::JABBER_CLIENT) && matches!(stanza.attr("type"), Some("get" | "set"))
}

/// The id of a result or an error.
pub(crate) fn answered_id(stanza: &Element) -> Option<&str> {
    let answers = stanza.is("iq", ns::JABBER_CLIENT)
        && matches!(stanza.attr("type"), Some("result" | "error"));
    stanza.attr("id").filter(|id| answers && !id.is_empty())
}

pub(crate) fn sm_request() -> Element {
    sm::R.into()
}

pub(crate) fn sm_answer(handled: u32) -> Element {
    sm::A::new(handled).into()
}

fn iq(kind: &str, id: &str) -> ElementBuilder {
    Element::builder("iq", ns::JABBER_CLIENT)
        .attr(xml_ncname!("type").into(), kind)
        .attr(xml_ncname!("id").into(), id)
}

fn answer(request: &Element, kind: &str) -> ElementBuilder {
    iq(kind, request.attr("id").unwrap_or_default())
        .attr(xml_ncname!("to").into(), request.attr("from"))
}
