//! Tests of the elements, one file for each concern; literal stanzas throughout.

mod bundle;
mod datetime;
mod devices;
mod encrypted;
mod envelope;
mod iq;
mod small;
mod trust_message;
mod wrapper;

use minidom::Element;

use super::text;
use crate::{BareJid, DeviceId, Timestamp};

/// The element that a client reads from its stream.
fn element(xml: &str) -> Element {
    text::parse(xml).expect("the test's own XML")
}

fn written(element: &Element) -> String {
    text::to_string(element).expect("an element of ours can be written")
}

fn jid(text: &str) -> BareJid {
    BareJid::parse(text).expect("the test's own JID")
}

fn device(id: u32) -> DeviceId {
    DeviceId::new(id).expect("the test's own device id")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}
