//! The generator of this project's vectors: always the same bytes.
//!
//! A case states what it asks and whether that is accepted, or refused for which reason; what is put out then comes from
//! the library, and other implementations confirm it (see the table in the vectors' README). The generator stops where the
//! library disagrees with the case, so that a change of behaviour cannot slip into the vectors.

mod bundles;
mod conversations;
mod derivations;
mod device_lists;
mod elements;
mod envelopes;
mod exchanges;
mod faults;
mod frames;
mod keys;
mod layer;
mod messages;
mod party;
mod payloads;
mod points;
mod protobuf;
mod protocols;
mod seed;
mod signatures;
mod talk;
mod unfit_bundles;
mod xml;

use omemo_ratchet::Version;

use crate::case::VectorFile;
use crate::implementation::{Answer, Operation};

use self::layer::Layer;

/// The library does not do what a case says.
#[derive(Debug, thiserror::Error)]
#[error("case {case}, {operation}: {answer:?}, which is not what the case says")]
#[non_exhaustive]
pub struct Disagreement {
    /// The case's name.
    pub case: String,
    /// The step.
    pub operation: Operation,
    /// What the library does.
    pub answer: Answer,
}

/// A file for each protocol: its name, what it is about, and who writes its cases.
struct Chapter {
    layer: &'static str,
    about: &'static str,
    versions: &'static [Version],
    write: fn(&mut Layer) -> Result<(), Disagreement>,
}

const CHAPTERS: &[Chapter] = &[
    Chapter {
        layer: "keys",
        about: keys::ABOUT,
        versions: &Version::ALL,
        write: keys::write,
    },
    Chapter {
        layer: "signatures",
        about: signatures::ABOUT,
        versions: &Version::ALL,
        write: signatures::write,
    },
    Chapter {
        layer: "x3dh",
        about: derivations::X3DH,
        versions: &Version::ALL,
        write: derivations::write_x3dh,
    },
    Chapter {
        layer: "kdf",
        about: derivations::KDF,
        versions: &Version::ALL,
        write: derivations::write_kdf,
    },
    Chapter {
        layer: "messages",
        about: messages::ABOUT,
        versions: &Version::ALL,
        write: messages::write,
    },
    Chapter {
        layer: "key-exchanges",
        about: exchanges::ABOUT,
        versions: &Version::ALL,
        write: exchanges::write,
    },
    Chapter {
        layer: "conversations",
        about: conversations::ABOUT,
        versions: &Version::ALL,
        write: conversations::write,
    },
    Chapter {
        layer: "payloads",
        about: payloads::ABOUT,
        versions: &Version::ALL,
        write: payloads::write,
    },
    Chapter {
        layer: "bundles",
        about: bundles::ABOUT,
        versions: &Version::ALL,
        write: bundles::write,
    },
    Chapter {
        layer: "device-lists",
        about: device_lists::ABOUT,
        versions: &Version::ALL,
        write: device_lists::write,
    },
    Chapter {
        layer: "elements",
        about: elements::ABOUT,
        versions: &Version::ALL,
        write: elements::write,
    },
    Chapter {
        layer: "envelopes",
        about: envelopes::ABOUT,
        versions: &[Version::Omemo2],
        write: envelopes::write,
    },
];

/// Makes all files, by name.
///
/// # Errors
///
/// [`Disagreement`] where the library does not do what the cases say.
pub fn generate() -> Result<Vec<(String, VectorFile)>, Disagreement> {
    let mut files = Vec::new();
    for chapter in CHAPTERS {
        for version in chapter.versions {
            let mut layer = Layer::new(chapter.layer, *version, chapter.about);
            (chapter.write)(&mut layer)?;
            let name = format!(
                "{}-{}",
                chapter.layer,
                omemo::short_name(*version).replace(':', "")
            );
            files.push((name, layer.finish()));
        }
    }
    Ok(files)
}
