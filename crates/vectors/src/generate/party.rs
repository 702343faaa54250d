//! Devices with given keys, for cases in which somebody talks.

use omemo_ratchet::Version;
use serde_json::{Map, Value, json};

use super::Disagreement;
use super::points;
use super::seed::Seed;
use crate::implementation::{Answer, Implementation, Operation, Request};
use crate::ours::Ours;

/// What signs: XEdDSA by the library, with a nonce of the seed.
fn signature(version: Version, seed: &Seed, id: u32) -> String {
    let message = points::wire(version, &points::public(&signed_pre_key(seed, id)));
    let request = Request {
        operation: Operation::Sign,
        protocol: version,
        input: object(json!({
            "secret": seed.part("identity").hex(32),
            "message": hex::encode(message),
            "nonce": seed.part("nonce").part(id).hex(64),
        })),
    };
    match Ours::new().perform(&request) {
        Ok(Answer::Output(output)) => text(&output, "signature"),
        _ => String::new(),
    }
}

fn signed_pre_key(seed: &Seed, id: u32) -> Seed {
    seed.part("signed prekey").part(id)
}

fn pre_key(seed: &Seed, id: u32) -> Seed {
    seed.part("prekey").part(id)
}

/// A device: everything about it follows from its seed.
#[derive(Debug, Clone)]
pub(super) struct Party {
    version: Version,
    seed: Seed,
    device_id: u32,
}

impl Party {
    pub(super) const fn new(version: Version, seed: Seed, device_id: u32) -> Self {
        Self {
            version,
            seed,
            device_id,
        }
    }

    /// The input of [`Operation::Device`]: signed prekey 1 and prekeys 1 to 3.
    pub(super) fn device(&self) -> Value {
        let pre_keys: Vec<_> = (1..=3)
            .map(|id| json!({"id": id, "secret": pre_key(&self.seed, id).hex(32)}))
            .collect();
        json!({
            "identity_secret": self.seed.part("identity").hex(32),
            "device_id": self.device_id,
            "signed_pre_keys": [self.signed_pre_key(1)],
            "pre_keys": pre_keys,
        })
    }

    /// A signed prekey with its secret.
    pub(super) fn signed_pre_key(&self, id: u32) -> Value {
        json!({
            "id": id,
            "secret": signed_pre_key(&self.seed, id).hex(32),
            "signature": signature(self.version, &self.seed, id),
        })
    }

    /// A bundle with one of each.
    pub(super) fn bundle(&self, signed: u32, one_time: u32) -> Value {
        let wire = |seed: &Seed| hex::encode(points::wire(self.version, &points::public(seed)));
        json!({
            "identity_key": hex::encode(self.identity()),
            "signed_pre_key_id": signed,
            "signed_pre_key": wire(&signed_pre_key(&self.seed, signed)),
            "signature": signature(self.version, &self.seed, signed),
            "pre_key_id": one_time,
            "pre_key": wire(&pre_key(&self.seed, one_time)),
        })
    }

    /// The identity key on the wire.
    pub(super) fn identity(&self) -> Vec<u8> {
        points::identity(self.version, &self.seed.part("identity"))
    }

    /// Fresh random bytes for one step.
    pub(super) fn randomness(&self, step: usize) -> Value {
        let seed = self.seed.part("randomness").part(step);
        json!({"ephemeral-key": seed.part("ephemeral").hex(32), "ratchet-key": seed.part("ratchet").hex(32)})
    }

    /// The device as it lives: outside of the case, so that only what it sends is seen there.
    pub(super) fn alive(&self) -> Result<Alive, Disagreement> {
        let mut alive = Alive {
            party: self.clone(),
            ours: Ours::new(),
            steps: 0,
        };
        alive.ask(Operation::Device, self.device())?;
        Ok(alive)
    }
}

/// A device on the other side of a case.
#[derive(Debug)]
pub(super) struct Alive {
    party: Party,
    ours: Ours,
    steps: usize,
}

impl Alive {
    fn ask(
        &mut self,
        operation: Operation,
        input: Value,
    ) -> Result<Map<String, Value>, Disagreement> {
        let request = Request {
            operation,
            protocol: self.party.version,
            input: object(input),
        };
        self.steps += 1;
        match self.ours.perform(&request) {
            Ok(Answer::Output(output)) => Ok(output),
            Ok(answer) => Err(disagreement(operation, answer)),
            Err(broken) => Err(disagreement(
                operation,
                Answer::Unsupported(broken.to_string()),
            )),
        }
    }

    fn randomness(&self) -> Value {
        self.party.randomness(self.steps)
    }

    pub(super) fn initiate(&mut self, bundle: &Value) -> Result<(), Disagreement> {
        let randomness = self.randomness();
        let input = json!({"peer": "them", "bundle": bundle, "randomness": randomness});
        self.ask(Operation::Initiate, input).map(drop)
    }

    pub(super) fn seal(&mut self, plaintext: &str) -> Result<Vec<u8>, Disagreement> {
        let output = self.ask(
            Operation::Seal,
            json!({"peer": "them", "plaintext": plaintext}),
        )?;
        Ok(hex::decode(text(&output, "frame")).unwrap_or_default())
    }

    pub(super) fn open(&mut self, frame: &[u8]) -> Result<(), Disagreement> {
        let randomness = self.randomness();
        let input = json!({"peer": "them", "frame": hex::encode(frame), "randomness": randomness});
        self.ask(Operation::Open, input).map(drop)
    }
}

fn disagreement(operation: Operation, answer: Answer) -> Disagreement {
    Disagreement {
        case: "the other side".into(),
        operation,
        answer,
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// A text among the fields of an answer.
pub(super) fn text(fields: &Map<String, Value>, name: &str) -> String {
    let text = fields.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}
