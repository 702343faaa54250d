//! `device-lists`: `<devices/>` and legacy's `<list/>` as text.

use omemo_ratchet::Version;

use super::Disagreement;
use super::faults;
use super::layer::Layer;
use super::seed::Seed;
use super::xml::Verdict::{Accepted, Limited, Tolerated};
use super::xml::{self, Form, NO_NUMBERS, Reader, Sample, base64};
use crate::implementation::Operation;

pub(super) const ABOUT: &str = "The list of an account's devices as text. Entries that are damaged are skipped, so that one of them does not \
     take the other devices away. Whether a label's signature is right is asked once the device's key is known.";

pub(super) fn write(layer: &mut Layer) -> Result<(), Disagreement> {
    let list = List(layer.version);
    let seed = layer.seed("labels");
    let mut reader = Reader {
        layer,
        operation: Operation::ParseDevices,
    };
    let xml = list.xml("<device id='27183'/><device id='1'/><device id='2147483647'/>");
    let sample = Sample {
        root: list.root(),
        namespace: xml::namespace(list.0),
        xml: &xml,
    };
    let about = "A list with the least and the greatest id.";
    let output = reader.read("devices", about, Accepted, &*xml)?;
    xml::spellings(&mut reader, &output, sample)?;
    reader.all(few_devices(list))?;
    ids(&mut reader, list)?;
    let label = Label::new(&seed);
    match list.0 {
        Version::Legacy => {
            let about = "An attribute that only omemo:2 has.";
            let xml = list.among(&label.device(label.text));
            reader.read("label-ignored", about, Accepted, xml)?;
        }
        _ => {
            reader.all(labels(list, &label))?;
            reader.all(no_labels(list, &label))?;
        }
    }
    faults::write(&mut reader, sample)?;
    let many = list.xml(&"<device/>".repeat(1_025));
    reader.read(
        "too-many-devices",
        "1,025 entries.",
        Limited("too-many"),
        many,
    )?;
    Ok(())
}

/// A list of a protocol.
#[derive(Debug, Clone, Copy)]
struct List(Version);

impl List {
    const fn root(self) -> &'static str {
        match self.0 {
            Version::Legacy => "list",
            _ => "devices",
        }
    }

    fn xml(self, devices: &str) -> String {
        let (root, namespace) = (self.root(), xml::namespace(self.0));
        format!("<{root} xmlns='{namespace}'>{devices}</{root}>")
    }

    /// A list of a device in question between two others.
    fn among(self, device: &str) -> String {
        self.xml(&format!("<device id='31415'/>{device}<device id='4223'/>"))
    }
}

fn few_devices(list: List) -> [Form<'static>; 5] {
    let (root, namespace) = (list.root(), xml::namespace(list.0));
    let empty = format!("<{root} xmlns='{namespace}'/>");
    // The schema of legacy wants a device.
    let nobody = match list.0 {
        Version::Legacy => Tolerated,
        _ => Accepted,
    };
    [
        ("nobody", "No devices.", nobody, empty),
        (
            "one",
            "One device.",
            Accepted,
            list.xml("<device id='27183'/>"),
        ),
        (
            "twice",
            "An id twice is one device.",
            Tolerated,
            list.among("<device id='31415'/>"),
        ),
        (
            "stranger",
            "An entry of another namespace is no device.",
            Accepted,
            list.among("<device xmlns='urn:example:future' id='5'/>"),
        ),
        (
            "text",
            "A device with something inside.",
            Accepted,
            list.among("<device id='5'><name>Juliet</name></device>"),
        ),
    ]
}

fn ids(reader: &mut Reader<'_>, list: List) -> Result<(), Disagreement> {
    let with = |id: &str| list.among(&format!("<device id='{id}'/>"));
    reader.all([
        (
            "id-zeros",
            "A number with zeros before it.",
            Accepted,
            with("0077"),
        ),
        (
            "id-white-space",
            "White space around a number.",
            Tolerated,
            with(" 77\n"),
        ),
        ("id-zero", "No device has the id 0.", Tolerated, with("0")),
        (
            "id-32-bits",
            "An id above the greatest one.",
            Tolerated,
            with("2147483648"),
        ),
        (
            "id-missing",
            "An entry without an id.",
            Tolerated,
            list.among("<device/>"),
        ),
        (
            "id-plus",
            "A number with a plus sign, which XML Schema 1.0 does not know.",
            Tolerated,
            with("+77"),
        ),
    ])?;
    for (name, about, text) in NO_NUMBERS {
        reader.read(format!("id-{name}"), about, Tolerated, with(text))?;
    }
    Ok(())
}

/// A signed label.
struct Label {
    text: &'static str,
    signature: String,
    identity: Seed,
}

impl Label {
    fn new(seed: &Seed) -> Self {
        let text = "Juliet\u{2019}s balcony \u{1f339}";
        let identity = seed.part("identity");
        let signature = base64(xml::signature(&identity, text.as_bytes()));
        Self {
            text,
            signature,
            identity,
        }
    }

    fn device(&self, text: &str) -> String {
        format!(
            "<device id='5' label='{text}' labelsig='{}'/>",
            base64(xml::signature(&self.identity, text.as_bytes()))
        )
    }
}

fn labels(list: List, label: &Label) -> Vec<Form<'static>> {
    let (text, signature) = (label.text, &label.signature);
    let referenced = text.replace('\u{1f339}', "&#x1f339;");
    let folded = xml::folded(signature);
    let long = "\u{1f339}".repeat(52);
    vec![
        (
            "label",
            "A label with a signature.",
            Accepted,
            list.among(&label.device(text)),
        ),
        (
            "label-references",
            "A label with a reference to a character.",
            Accepted,
            list.among(&format!(
                "<device id='5' label='{referenced}' labelsig='{signature}'/>"
            )),
        ),
        (
            "label-52",
            "A label of 52 code points, which are 208 bytes.",
            Accepted,
            list.among(&label.device(&long)),
        ),
        (
            "label-signature-white-space",
            "White space in base64.",
            Tolerated,
            list.among(&format!(
                "<device id='5' label='{text}' labelsig='{folded}'/>"
            )),
        ),
    ]
}

/// The device stays, the label does not.
fn no_labels(list: List, label: &Label) -> Vec<Form<'static>> {
    let (text, signature) = (label.text, &label.signature);
    let with = |attributes: &str| list.among(&format!("<device id='5' {attributes}/>"));
    let signed = |signature: &str| with(&format!("label='{text}' labelsig='{signature}'"));
    let unpadded = signature.trim_end_matches('=');
    vec![
        (
            "label-53",
            "A label of 53 code points is too long.",
            Accepted,
            list.among(&label.device(&"x".repeat(53))),
        ),
        (
            "label-empty",
            "An empty label is none.",
            Tolerated,
            list.among(&label.device("")),
        ),
        (
            "label-unsigned",
            "A label without a signature is none.",
            Accepted,
            with(&format!("label='{text}'")),
        ),
        (
            "label-signature-only",
            "A signature without a label.",
            Tolerated,
            with(&format!("labelsig='{signature}'")),
        ),
        (
            "label-signature-empty",
            "An empty signature is none.",
            Tolerated,
            signed(""),
        ),
        (
            "label-signature-short",
            "A signature of 63 bytes is none.",
            Tolerated,
            signed(&base64([5; 63])),
        ),
        (
            "label-signature-long",
            "A signature of 65 bytes is none.",
            Tolerated,
            signed(&base64([5; 65])),
        ),
        (
            "label-signature-base64",
            "A signature in damaged base64 is none.",
            Tolerated,
            signed(unpadded),
        ),
        (
            "label-namespace",
            "A label in a namespace is another attribute.",
            Accepted,
            with(&format!(
                "xmlns:a='urn:example:a' a:label='{text}' labelsig='{signature}'"
            )),
        ),
    ]
}
