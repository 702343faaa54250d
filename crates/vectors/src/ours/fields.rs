//! The fields of requests and answers.

use omemo_ratchet::{Randomness, RandomnessError, Role};
use serde_json::{Map, Value};

use super::Refusal;

/// The fields of a request, by name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(super) const fn new(fields: &'a Map<String, Value>) -> Self {
        Self(fields)
    }

    fn value(&self, name: &str) -> Result<&'a Value, Refusal> {
        self.0.get(name).ok_or_else(|| lacking(name))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a str, Refusal> {
        self.value(name)?.as_str().ok_or_else(|| lacking(name))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        self.value(name)?.as_bool().ok_or_else(|| lacking(name))
    }

    pub(super) fn number(&self, name: &str) -> Result<u32, Refusal> {
        let number = self.value(name)?.as_u64();
        number
            .and_then(|number| u32::try_from(number).ok())
            .ok_or_else(|| lacking(name))
    }

    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, Refusal> {
        hex::decode(self.text(name)?).map_err(|_| lacking(name))
    }

    pub(super) fn array<const N: usize>(&self, name: &str) -> Result<[u8; N], Refusal> {
        self.bytes(name)?.try_into().map_err(|_| lacking(name))
    }

    pub(super) fn inner(&self, name: &str) -> Result<Self, Refusal> {
        let fields = self.value(name)?.as_object();
        fields.map(Fields).ok_or_else(|| lacking(name))
    }

    pub(super) fn list(&self, name: &str) -> Result<Vec<Self>, Refusal> {
        let list = self.value(name)?.as_array().ok_or_else(|| lacking(name))?;
        list.iter()
            .map(|fields| fields.as_object().map(Fields).ok_or_else(|| lacking(name)))
            .collect()
    }

    /// The random bytes of this request.
    pub(super) fn randomness(&self) -> Result<Given<'a>, Refusal> {
        self.inner("randomness").map(Given)
    }
}

/// Random bytes by role, as a request gives them; what it does not give cannot be drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a>(Fields<'a>);

impl Randomness for Given<'_> {
    fn fill(&mut self, role: Role, out: &mut [u8]) -> Result<(), RandomnessError> {
        let name = match role {
            Role::EphemeralKey => "ephemeral-key",
            Role::RatchetKey => "ratchet-key",
            Role::PayloadKey => "payload-key",
            Role::PayloadIv => "payload-iv",
            // A bundle in a request names one prekey, so that there is no choice.
            Role::PreKeyChoice => {
                out.fill(0);
                return Ok(());
            }
            _ => return Err(RandomnessError),
        };
        let bytes = self.0.bytes(name).map_err(|_| RandomnessError)?;
        if bytes.len() != out.len() {
            return Err(RandomnessError);
        }
        out.copy_from_slice(&bytes);
        Ok(())
    }
}

/// Random bytes for one role.
#[derive(Debug)]
pub(super) struct One(pub(super) Role, pub(super) Vec<u8>);

impl Randomness for One {
    fn fill(&mut self, role: Role, out: &mut [u8]) -> Result<(), RandomnessError> {
        if role != self.0 || out.len() != self.1.len() {
            return Err(RandomnessError);
        }
        out.copy_from_slice(&self.1);
        Ok(())
    }
}

/// An answer's fields.
pub(super) fn output<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Bytes in an answer.
pub(super) fn bytes(bytes: impl AsRef<[u8]>) -> Value {
    hex::encode(bytes).into()
}

fn lacking(name: &str) -> Refusal {
    Refusal::Request(format!(
        "the field {name:?} is missing or of the wrong form"
    ))
}
