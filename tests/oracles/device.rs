//! One of the two devices of a conversation: its keys, and how it is asked to do something.

use std::collections::{BTreeMap, BTreeSet};

use omemo_ratchet::Version;
use omemo_tests::chance::Chance;
use omemo_vectors::{Answer, Expected, Implementation, Operation, Ours, Request, Step};
use serde_json::{Map, Value, json};

/// How each side names the other.
const PEER: &str = "peer";

/// A conversation that went wrong, in words.
pub(crate) type Wrong = String;

/// What a device has published.
#[derive(Debug)]
struct Published {
    secret: String,
    /// As it stands on the wire.
    public: String,
}

/// A device behind an implementation.
pub(crate) struct Device<'a> {
    pub(crate) name: &'a str,
    implementation: &'a mut dyn Implementation,
    version: Version,
    identity_secret: String,
    device_id: u64,
    signed_pre_keys: Vec<(u32, Published, String)>,
    pre_keys: BTreeMap<u32, Published>,
    /// The prekeys that bundles were made of.
    offered: BTreeSet<u32>,
    /// Every request and its answer, as the steps of a case.
    pub(crate) steps: Vec<Step>,
    /// The newest answer, for people.
    pub(crate) last: String,
}

impl<'a> Device<'a> {
    /// A device with keys that chance draws.
    pub(crate) fn begin(
        name: &'a str,
        implementation: &'a mut dyn Implementation,
        version: Version,
        chance: &mut Chance,
    ) -> Result<Self, Wrong> {
        let mut device = Self {
            name,
            implementation,
            version,
            identity_secret: hex(&chance.bytes(32)),
            device_id: 1 + chance.below(0x7fff_ffff),
            signed_pre_keys: Vec::new(),
            pre_keys: BTreeMap::new(),
            offered: BTreeSet::new(),
            steps: Vec::new(),
            last: String::new(),
        };
        let signed = device.draw_signed_pre_key(chance)?;
        for _ in 0..=2 + chance.below(5) {
            let id = draw_id(chance);
            let pre_key = Published::draw(version, chance)?;
            device.pre_keys.insert(id, pre_key);
        }
        let pre_keys: Vec<_> = device
            .pre_keys
            .iter()
            .map(|(id, key)| json!({"id": id, "secret": key.secret}))
            .collect();
        device.output(
            Operation::Device,
            json!({
                "identity_secret": device.identity_secret, "device_id": device.device_id,
                "signed_pre_keys": [signed], "pre_keys": pre_keys,
            }),
        )?;
        Ok(device)
    }

    /// Draws a signed prekey; gives what its device is told of it.
    fn draw_signed_pre_key(&mut self, chance: &mut Chance) -> Result<Value, Wrong> {
        let id = draw_id(chance);
        let key = Published::draw(self.version, chance)?;
        let sign = json!({
            "secret": self.identity_secret, "message": key.public, "nonce": hex(&chance.bytes(64)),
        });
        let signature = text(&compute(self.version, Operation::Sign, sign)?, "signature")?;
        let told = json!({"id": id, "secret": key.secret, "signature": signature});
        self.signed_pre_keys.push((id, key, signature));
        Ok(told)
    }

    /// A new signed prekey, beside the ones before.
    pub(crate) fn rotate(&mut self, chance: &mut Chance) -> Result<(), Wrong> {
        let told = self.draw_signed_pre_key(chance)?;
        self.output(Operation::AddSignedPreKey, told).map(drop)
    }

    /// The current signed prekey and one prekey that was not offered yet, if there is one left.
    pub(crate) fn bundle(&mut self, chance: &mut Chance) -> Result<Option<Value>, Wrong> {
        let left: Vec<_> = self
            .pre_keys
            .keys()
            .filter(|id| !self.offered.contains(*id))
            .copied()
            .collect();
        if left.is_empty() {
            return Ok(None);
        }
        let pre_key_id = left[chance.index(left.len())];
        self.offered.insert(pre_key_id);
        let identity = json!({"secret": self.identity_secret});
        let identity = compute(self.version, Operation::EncodeIdentity, identity)?;
        let (signed_pre_key_id, signed_pre_key, signature) =
            self.signed_pre_keys.last().expect("a device has one");
        Ok(Some(json!({
            "identity_key": text(&identity, "key")?,
            "signed_pre_key_id": signed_pre_key_id,
            "signed_pre_key": signed_pre_key.public,
            "signature": signature,
            "pre_key_id": pre_key_id,
            "pre_key": self.pre_keys[&pre_key_id].public,
        })))
    }

    pub(crate) fn current_signed_pre_key(&self) -> u32 {
        self.signed_pre_keys.last().expect("a device has one").0
    }

    pub(crate) fn initiate(&mut self, bundle: &Value, chance: &mut Chance) -> Result<(), Wrong> {
        let randomness = json!({
            "ephemeral-key": hex(&chance.bytes(32)), "ratchet-key": hex(&chance.bytes(32)),
        });
        let input = json!({"peer": PEER, "bundle": bundle, "randomness": randomness});
        self.output(Operation::Initiate, input).map(drop)
    }

    /// The frame, and whether it is a key exchange.
    pub(crate) fn seal(&mut self, plaintext: &[u8]) -> Result<(Vec<u8>, bool), Wrong> {
        let input = json!({"peer": PEER, "plaintext": hex(plaintext)});
        let output = self.output(Operation::Seal, input)?;
        let key_exchange = output.get("key_exchange").and_then(Value::as_bool);
        let key_exchange = key_exchange.ok_or("seal does not say whether it is a key exchange")?;
        Ok((unhex(&text(&output, "frame")?)?, key_exchange))
    }

    /// The plaintext, or why there is none.
    pub(crate) fn open(
        &mut self,
        frame: &[u8],
        chance: &mut Chance,
    ) -> Result<Result<Vec<u8>, String>, Wrong> {
        let randomness = json!({"ratchet-key": hex(&chance.bytes(32))});
        let input = json!({"peer": PEER, "frame": hex(frame), "randomness": randomness});
        match self.ask(Operation::Open, input)? {
            Answer::Output(output) => Ok(Ok(unhex(&text(&output, "plaintext")?)?)),
            Answer::Refused(reason) => Ok(Err(reason)),
            Answer::Unsupported(reason) => Err(format!("open is unsupported: {reason}")),
        }
    }

    pub(crate) fn restart(&mut self) -> Result<(), Wrong> {
        self.output(Operation::Restart, json!({})).map(drop)
    }

    pub(crate) fn forget_pre_key(&mut self, id: u32) -> Result<(), Wrong> {
        self.output(Operation::ForgetPreKey, json!({"id": id}))
            .map(drop)
    }

    pub(crate) fn forget_signed_pre_key(&mut self, id: u32) -> Result<(), Wrong> {
        self.output(Operation::ForgetSignedPreKey, json!({"id": id}))
            .map(drop)
    }

    fn output(&mut self, operation: Operation, input: Value) -> Result<Map<String, Value>, Wrong> {
        let name = self.name;
        match self.ask(operation, input)? {
            Answer::Output(output) => Ok(output),
            other => Err(format!("{name}: {operation} gave {other:?}")),
        }
    }

    fn ask(&mut self, operation: Operation, input: Value) -> Result<Answer, Wrong> {
        let request = request(self.version, operation, input);
        let answer = self.implementation.perform(&request).map_err(|broken| {
            self.last = broken.to_string();
            format!("{}: {broken}", self.name)
        })?;
        self.last = format!("{operation} gave {answer:?}");
        if let Some(expected) = Expected::of(answer.clone()) {
            self.steps.push(Step {
                operation,
                input: request.input,
                expected,
            });
        }
        Ok(answer)
    }
}

impl Published {
    fn draw(version: Version, chance: &mut Chance) -> Result<Self, Wrong> {
        let secret = hex(&chance.bytes(32));
        let public = compute(version, Operation::PublicKey, json!({"secret": secret}))?;
        let prefix = match version {
            Version::Legacy => "05",
            _ => "",
        };
        let public = format!("{prefix}{}", text(&public, "public")?);
        Ok(Self { secret, public })
    }
}

/// Ids that both protocols allow.
fn draw_id(chance: &mut Chance) -> u32 {
    u32::try_from(1 + chance.below(0x00ff_fffe)).expect("three bytes")
}

/// What needs no device is computed by our side: the other one would not accept it if it were wrong.
fn compute(
    version: Version,
    operation: Operation,
    input: Value,
) -> Result<Map<String, Value>, Wrong> {
    match Ours::new().perform(&request(version, operation, input)) {
        Ok(Answer::Output(output)) => Ok(output),
        other => Err(format!("our {operation} gave {other:?}")),
    }
}

fn request(version: Version, operation: Operation, input: Value) -> Request {
    let Value::Object(input) = input else {
        panic!("the input of {operation} is an object")
    };
    Request {
        operation,
        protocol: version,
        input,
    }
}

fn text(output: &Map<String, Value>, field: &str) -> Result<String, Wrong> {
    output
        .get(field)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| format!("an answer lacks {field}: {output:?}"))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Result<Vec<u8>, Wrong> {
    let digits: Option<Vec<_>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2));
    let digits = digits.ok_or_else(|| format!("not hexadecimal: {text}"))?;
    Ok(digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(16 * pair[0] + pair[1]).expect("two digits"))
        .collect())
}
