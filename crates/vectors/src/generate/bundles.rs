//! `bundles`: `<bundle/>` as text.

use omemo_ratchet::Version;

use super::Disagreement;
use super::faults;
use super::layer::Layer;
use super::points;
use super::seed::Seed;
use super::xml::Verdict::{Accepted, Hardened, Limited, Refused, Tolerated};
use super::xml::{self, NO_NUMBERS, Reader, Sample, base64};
use crate::implementation::Operation;

pub(super) const ABOUT: &str = "The element <bundle/> as text. Whether its keys are keys, its signature is right and its prekeys are \
     enough is asked later: most bundles here have two prekeys, so that they can be read.";

pub(super) fn write(layer: &mut Layer) -> Result<(), Disagreement> {
    let version = layer.version;
    let bundle = Bundle::new(version, &layer.seed("bundle"), 2);
    let hundred = Bundle::new(version, &layer.seed("hundred"), 100).xml();
    let mut reader = Reader {
        layer,
        operation: Operation::ParseBundle,
    };
    let xml = bundle.xml();
    let sample = Sample {
        root: "bundle",
        namespace: xml::namespace(version),
        xml: &xml,
    };
    let output = reader.read("bundle", "A bundle.", Accepted, &*xml)?;
    reader.read(
        "prekeys-100",
        "As many prekeys as a bundle should have.",
        Accepted,
        hundred,
    )?;
    xml::spellings(&mut reader, &output, sample)?;
    reader.same(&output, orders(&bundle))?;
    white_space(&mut reader, &bundle, &output)?;
    ids(&mut reader, &bundle)?;
    pre_keys(&mut reader, &bundle)?;
    missing(&mut reader, &bundle)?;
    broken_base64(&mut reader, &bundle)?;
    faults::write(&mut reader, sample)
}

/// How the protocol calls the parts.
struct Names {
    signed_pre_key: &'static str,
    signed_pre_key_id: &'static str,
    signature: &'static str,
    identity_key: &'static str,
    pre_key: &'static str,
    pre_key_id: &'static str,
}

const OMEMO2: Names = Names {
    signed_pre_key: "spk",
    signed_pre_key_id: "id",
    signature: "spks",
    identity_key: "ik",
    pre_key: "pk",
    pre_key_id: "id",
};

const LEGACY: Names = Names {
    signed_pre_key: "signedPreKeyPublic",
    signed_pre_key_id: "signedPreKeyId",
    signature: "signedPreKeySignature",
    identity_key: "identityKey",
    pre_key: "preKeyPublic",
    pre_key_id: "preKeyId",
};

/// A bundle in parts, each of them text.
#[derive(Clone)]
struct Bundle {
    version: Version,
    names: &'static Names,
    /// With the attribute around it, as ` id='1'`.
    signed_pre_key_id: String,
    signed_pre_key: String,
    signature: String,
    identity_key: String,
    /// Whole elements.
    pre_keys: Vec<String>,
}

impl Bundle {
    fn new(version: Version, seed: &Seed, pre_keys: u32) -> Self {
        let names = match version {
            Version::Legacy => &LEGACY,
            _ => &OMEMO2,
        };
        let identity = seed.part("identity");
        let signed_pre_key = points::wire(version, &points::public(&seed.part("signed")));
        let signature = xml::signature(&identity, &signed_pre_key);
        let mut bundle = Self {
            version,
            names,
            signed_pre_key_id: format!(" {}='7'", names.signed_pre_key_id),
            signed_pre_key: base64(signed_pre_key),
            signature: base64(signature),
            identity_key: base64(points::identity(version, &identity)),
            pre_keys: Vec::new(),
        };
        for id in 1..=pre_keys {
            let key = points::wire(version, &points::public(&seed.part(id)));
            let attribute = format!(" {}='{id}'", names.pre_key_id);
            bundle
                .pre_keys
                .push(bundle.pre_key(&attribute, &base64(key)));
        }
        bundle
    }

    fn pre_key(&self, id: &str, key: &str) -> String {
        let name = self.names.pre_key;
        format!("<{name}{id}>{key}</{name}>")
    }

    /// A further prekey.
    fn and(&self, id: &str, key: &str) -> Self {
        let mut bundle = self.clone();
        let pre_key = self.pre_key(id, key);
        bundle.pre_keys.insert(1, pre_key);
        bundle
    }

    /// The four parts, in the order of the specifications.
    fn parts(&self) -> [String; 4] {
        let Names {
            signed_pre_key,
            signature,
            identity_key,
            ..
        } = self.names;
        [
            format!(
                "<{signed_pre_key}{}>{}</{signed_pre_key}>",
                self.signed_pre_key_id, self.signed_pre_key
            ),
            format!("<{signature}>{}</{signature}>", self.signature),
            format!("<{identity_key}>{}</{identity_key}>", self.identity_key),
            format!("<prekeys>{}</prekeys>", self.pre_keys.concat()),
        ]
    }

    fn xml(&self) -> String {
        self.of(&self.parts())
    }

    fn of(&self, parts: &[String]) -> String {
        let namespace = xml::namespace(self.version);
        format!("<bundle xmlns='{namespace}'>{}</bundle>", parts.concat())
    }

    /// With other text in one of the four parts, which stand in this order.
    fn with(&self, part: usize, text: &str) -> String {
        let mut bundle = self.clone();
        match part {
            0 => bundle.signed_pre_key = text.into(),
            1 => bundle.signature = text.into(),
            _ => bundle.identity_key = text.into(),
        }
        bundle.xml()
    }

    fn with_signed_pre_key_id(&self, id: &str) -> String {
        let attribute = format!(" {}='{id}'", self.names.signed_pre_key_id);
        let bundle = Self {
            signed_pre_key_id: attribute,
            ..self.clone()
        };
        bundle.xml()
    }

    fn part_names(&self) -> [(&'static str, &'static str); 4] {
        [
            ("spk", self.names.signed_pre_key),
            ("spks", self.names.signature),
            ("ik", self.names.identity_key),
            ("prekeys", "prekeys"),
        ]
    }

    fn texts(&self) -> [&str; 3] {
        [&self.signed_pre_key, &self.signature, &self.identity_key]
    }
}

fn orders(bundle: &Bundle) -> [xml::Form<'static>; 1] {
    let mut parts = bundle.parts();
    parts.reverse();
    // The schema of legacy is a sequence, that of omemo:2 is not.
    let verdict = match bundle.version {
        Version::Legacy => Tolerated,
        _ => Accepted,
    };
    let about = "The parts in another order.";
    [("order", about, verdict, bundle.of(&parts))]
}

fn white_space(
    reader: &mut Reader<'_>,
    bundle: &Bundle,
    output: &serde_json::Map<String, serde_json::Value>,
) -> Result<(), Disagreement> {
    let folded = Bundle {
        signed_pre_key: xml::folded(&bundle.signed_pre_key),
        signature: xml::folded(&bundle.signature),
        identity_key: xml::folded(&bundle.identity_key),
        ..bundle.clone()
    };
    let section = format!("<![CDATA[{}]]>", bundle.identity_key);
    let about = "White space in base64, which clients in use write.";
    let with_space = bundle.with_signed_pre_key_id(" 7\n");
    reader.same(
        output,
        [
            ("base64-white-space", about, Tolerated, folded.xml()),
            (
                "cdata",
                "A section of character data is text.",
                Accepted,
                bundle.with(2, &section),
            ),
            (
                "spk-id-white-space",
                "White space around a number.",
                Tolerated,
                with_space,
            ),
            (
                "spk-id-zeros",
                "A number with zeros before it.",
                Accepted,
                bundle.with_signed_pre_key_id("007"),
            ),
        ],
    )
}

fn ids(reader: &mut Reader<'_>, bundle: &Bundle) -> Result<(), Disagreement> {
    let attribute = |id: &str| format!(" {}='{id}'", bundle.names.pre_key_id);
    let with = |id: &str| bundle.and(&attribute(id), &bundle.signed_pre_key).xml();
    let greatest = "2147483647";
    reader.all([
        (
            "spk-id-greatest",
            "The greatest id that a signed prekey can have.",
            Accepted,
            bundle.with_signed_pre_key_id(greatest),
        ),
        (
            "pk-id-greatest",
            "The greatest id that a prekey can have.",
            Accepted,
            with(greatest),
        ),
        (
            "pk-id-of-spk",
            "A prekey and the signed prekey may have the same id.",
            Accepted,
            with("7"),
        ),
        (
            "spk-id-zero",
            "A signed prekey 0, which is no id, but which a client in use numbers so.",
            Tolerated,
            bundle.with_signed_pre_key_id("0"),
        ),
        (
            "pk-id-zero",
            "A prekey 0, which is no id, but which a client in use numbers so.",
            Tolerated,
            with("0"),
        ),
        (
            "spk-id-32-bits",
            "An id of 32 bits is above the greatest one, which is for later to refuse.",
            Tolerated,
            bundle.with_signed_pre_key_id("4294967295"),
        ),
        (
            "pk-id-32-bits",
            "A prekey whose id is above the greatest one: the others can be used.",
            Tolerated,
            with("4294967295"),
        ),
        (
            "pk-id-twice",
            "Two prekeys of one id.",
            Tolerated,
            with("1"),
        ),
    ])?;
    let missing = Bundle {
        signed_pre_key_id: String::new(),
        ..bundle.clone()
    };
    let elsewhere = Bundle {
        signed_pre_key_id: format!(
            " xmlns:a='urn:example:a' a:{}='7'",
            bundle.names.signed_pre_key_id
        ),
        ..bundle.clone()
    };
    reader.all([
        (
            "spk-id-missing",
            "The signed prekey has no id.",
            Refused("missing-attribute"),
            missing.xml(),
        ),
        (
            "spk-id-namespace",
            "The id of the signed prekey is in a namespace.",
            Refused("missing-attribute"),
            elsewhere.xml(),
        ),
        (
            "spk-id-plus",
            "A number with a plus sign, which XML Schema 1.0 does not know.",
            Hardened("attribute-value"),
            bundle.with_signed_pre_key_id("+7"),
        ),
    ])?;
    for (name, about, text) in NO_NUMBERS {
        let xml = bundle.with_signed_pre_key_id(text);
        reader.read(
            format!("spk-id-{name}"),
            about,
            Refused("attribute-value"),
            xml,
        )?;
    }
    Ok(())
}

/// A damaged prekey is skipped, and the bundle serves.
fn pre_keys(reader: &mut Reader<'_>, bundle: &Bundle) -> Result<(), Disagreement> {
    let key = &bundle.signed_pre_key;
    let attribute = |id: &str| format!(" {}='{id}'", bundle.names.pre_key_id);
    let mut damaged = bundle.clone();
    for (_, _, text) in NO_NUMBERS {
        damaged
            .pre_keys
            .insert(1, bundle.pre_key(&attribute(text), key));
    }
    let mut none = bundle.clone();
    none.pre_keys.clear();
    let mut stranger = bundle.clone();
    stranger.pre_keys.insert(
        0,
        format!(
            "<{} xmlns='urn:example:future'{}>{key}</{0}>",
            bundle.names.pre_key,
            attribute("9")
        ),
    );
    let name = bundle.names.pre_key;
    let many = Bundle {
        pre_keys: vec![format!("<{name}/>").repeat(1_025)],
        ..bundle.clone()
    };
    reader.all([
        (
            "pk-id-damaged",
            "Prekeys whose ids are none are skipped.",
            Tolerated,
            damaged.xml(),
        ),
        (
            "pk-id-missing",
            "A prekey without an id is skipped.",
            Tolerated,
            bundle.and("", key).xml(),
        ),
        (
            "pk-base64",
            "A prekey that is no base64 is skipped.",
            Tolerated,
            bundle.and(&attribute("9"), "*").xml(),
        ),
        (
            "pk-stranger",
            "A prekey of another namespace is none.",
            Accepted,
            stranger.xml(),
        ),
        (
            "prekeys-none",
            "No prekeys, which is for later to refuse.",
            Tolerated,
            none.xml(),
        ),
        (
            "prekeys-too-many",
            "1,025 prekeys.",
            Limited("too-many"),
            many.xml(),
        ),
    ])
}

fn missing(reader: &mut Reader<'_>, bundle: &Bundle) -> Result<(), Disagreement> {
    let refused = Refused("missing-child");
    for (at, (part, name)) in bundle.part_names().into_iter().enumerate() {
        let parts = bundle.parts();
        let all_but = |other: Option<String>| {
            let parts: Vec<_> = (0..)
                .zip(&parts)
                .filter_map(|(number, text)| {
                    if number == at {
                        other.clone()
                    } else {
                        Some(text.clone())
                    }
                })
                .collect();
            bundle.of(&parts)
        };
        let own = parts.get(at).cloned().unwrap_or_default();
        let elsewhere = own.replacen(
            &format!("<{name}"),
            &format!("<{name} xmlns='urn:example:other'"),
            1,
        );
        let deeper = format!("<more>{own}</more>");
        reader.read(
            format!("{part}-missing"),
            "A part is missing.",
            refused,
            all_but(None),
        )?;
        reader.read(
            format!("{part}-namespace"),
            "A part is in another namespace.",
            refused,
            all_but(Some(elsewhere)),
        )?;
        let twice = format!("{own}{own}");
        reader.read(
            format!("{part}-twice"),
            "A part is there twice: of two readers each might take another one.",
            Hardened("repeated-child"),
            all_but(Some(twice)),
        )?;
        reader.read(
            format!("{part}-deeper"),
            "A part lies deeper than it should.",
            refused,
            all_but(Some(deeper)),
        )?;
    }
    let empty = bundle.of(&[]);
    reader.read("nothing-inside", "A bundle without parts.", refused, empty)?;
    Ok(())
}

fn broken_base64(reader: &mut Reader<'_>, bundle: &Bundle) -> Result<(), Disagreement> {
    let long = base64([5; 1_027]);
    for (at, ((part, _), good)) in bundle
        .part_names()
        .into_iter()
        .zip(bundle.texts())
        .enumerate()
    {
        for (name, about, text) in xml::bad_base64(good) {
            reader.read(
                format!("{part}-base64-{name}"),
                about,
                Refused("base64"),
                bundle.with(at, &text),
            )?;
        }
        let id = format!("{part}-too-long");
        let about = "1,027 bytes, where no key and no signature has more than 64.";
        reader.read(id, about, Limited("too-long"), bundle.with(at, &long))?;
    }
    Ok(())
}
