//! This project's library as an implementation among others.

mod device;
mod elements;
mod fields;
mod keys;
mod messages;
mod payloads;
mod reason;

use omemo_ratchet::Version;
use serde_json::{Map, Value};

use crate::implementation::{Answer, Broken, Implementation, Operation, Request};

use self::device::Device;
use self::fields::Fields;

/// This project's library, driven through its public functions (for single steps, those of the features `hazmat`).
#[derive(Debug, Default)]
pub struct Ours {
    device: Option<Device>,
}

/// What an operation gives.
type Outcome = Result<Map<String, Value>, Refusal>;

/// Why an operation gives nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Refusal {
    /// The input is refused, for a reason with this name.
    Reason(&'static str),
    /// The request lacks something, or the operation has no meaning in this protocol.
    Request(String),
}

impl Ours {
    /// The library, without a device yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { device: None }
    }

    fn dispatch(&mut self, version: Version, operation: Operation, input: &Fields<'_>) -> Outcome {
        match operation {
            Operation::Hello => Ok(hello()),
            Operation::PublicKey => keys::public_key(input),
            Operation::DiffieHellman => keys::diffie_hellman(input),
            Operation::DecodeKey => keys::decode_key(version, input),
            Operation::DecodeIdentity => keys::decode_identity(version, input),
            Operation::EncodeIdentity => keys::encode_identity(version, input),
            Operation::Sign => keys::sign(input),
            Operation::Verify => keys::verify(version, input),
            Operation::X3dhInitiate => keys::x3dh_initiate(version, input),
            Operation::X3dhRespond => keys::x3dh_respond(version, input),
            Operation::RootStep => messages::root_step(version, input),
            Operation::ChainStep => messages::chain_step(input),
            Operation::MessageKeys => messages::message_keys(version, input),
            Operation::SealMessage => messages::seal(version, input),
            Operation::OpenMessage => messages::open(version, input),
            Operation::SealPayload => payloads::seal(version, input),
            Operation::OpenPayload => payloads::open(version, input),
            Operation::OpenEmpty => payloads::open_empty(version, input),
            Operation::ParseBundle => elements::bundle(version, input),
            Operation::ParseDevices => elements::devices(version, input),
            Operation::ParseMessage => elements::message(version, input),
            Operation::ParseEnvelope => elements::envelope(version, input),
            Operation::Device => {
                self.device = Some(Device::parse(version, input)?);
                Ok(Map::new())
            }
            _ => self
                .device
                .as_mut()
                .ok_or_else(|| Refusal::Request("there is no device yet".into()))?
                .perform(operation, input),
        }
    }
}

impl Implementation for Ours {
    fn perform(&mut self, request: &Request) -> Result<Answer, Broken> {
        let fields = Fields::new(&request.input);
        let outcome = self.dispatch(request.protocol, request.operation, &fields);
        Ok(match outcome {
            Ok(output) => Answer::Output(output),
            Err(Refusal::Reason(reason)) => Answer::Refused(reason.into()),
            Err(Refusal::Request(words)) => Answer::Unsupported(words),
        })
    }
}

fn hello() -> Map<String, Value> {
    let protocols: Vec<_> = Version::ALL.into_iter().map(omemo::short_name).collect();
    fields::output([
        ("name", "omemo".into()),
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("protocols", protocols.into()),
    ])
}
