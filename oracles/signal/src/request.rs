//! Requests and answers of the shim protocol.

use serde_json::{Map, Value, json};

use crate::device::{Bundle, Chance, Keys, Oracle, Refusal, Secret, SignedPreKey};
use crate::hex;

/// Which protocol a request must be for.
const PROTOCOL: &str = "legacy";

/// An answer.
pub enum Answer {
    Output(Value),
    Refused(String),
    Unsupported(&'static str),
}

impl Answer {
    pub fn into_field(self) -> (&'static str, Value) {
        match self {
            Self::Output(value) => ("output", value),
            Self::Refused(reason) => ("refused", Value::String(reason)),
            Self::Unsupported(reason) => ("unsupported", Value::String(reason.to_owned())),
        }
    }
}

impl From<Result<Value, Refusal>> for Answer {
    fn from(result: Result<Value, Refusal>) -> Self {
        match result {
            Ok(output) => Self::Output(output),
            Err(reason) => Self::Refused(reason),
        }
    }
}

/// The device that the shim holds, if there is one yet.
pub struct Shim<O> {
    device: Option<O>,
}

impl<O: Oracle> Shim<O> {
    pub const fn new() -> Self {
        Self { device: None }
    }

    pub fn answer(&mut self, request: &Value) -> Answer {
        let operation = request.get("operation").and_then(Value::as_str);
        if operation == Some("hello") {
            let (name, version) = O::NAME;
            return Answer::Output(
                json!({"name": name, "version": version, "protocols": [PROTOCOL]}),
            );
        }
        if request.get("protocol").and_then(Value::as_str) != Some(PROTOCOL) {
            return Answer::Unsupported("the library speaks legacy only");
        }
        let nothing = Map::new();
        let input = Input(
            request
                .get("input")
                .and_then(Value::as_object)
                .unwrap_or(&nothing),
        );
        match operation.unwrap_or_default() {
            "public-key" => public_key::<O>(&input).into(),
            "encode-identity" => encode_identity::<O>(&input).into(),
            "verify" => verify::<O>(&input).into(),
            "device" => self.begin(&input).into(),
            "initiate" => self.initiate(&input).into(),
            "seal" => self.seal(&input).into(),
            "open" => self.open(&input).into(),
            "restart" => self.restart().into(),
            "add-signed-pre-key" => self.add_signed_pre_key(&input).into(),
            "forget-signed-pre-key" => self
                .forget(&input, |keys, id| {
                    keys.signed_pre_keys.remove(&id);
                })
                .into(),
            "forget-pre-key" => self
                .forget(&input, |keys, id| {
                    keys.pre_keys.remove(&id);
                })
                .into(),
            _ => Answer::Unsupported("the library's interface has nothing of the kind"),
        }
    }

    fn device(&mut self) -> Result<&mut O, Refusal> {
        self.device
            .as_mut()
            .ok_or_else(|| "no device yet".to_owned())
    }

    fn begin(&mut self, input: &Input) -> Result<Value, Refusal> {
        let mut keys = Keys {
            identity_secret: input.secret("identity_secret")?,
            device_id: input.id("device_id")?,
            ..Keys::default()
        };
        for key in input.list("signed_pre_keys")? {
            let (id, key) = key.signed_pre_key()?;
            keys.signed_pre_keys.insert(id, key);
        }
        for key in input.list("pre_keys")? {
            keys.pre_keys.insert(key.id("id")?, key.secret("secret")?);
        }
        self.device = Some(O::new(keys)?);
        Ok(json!({}))
    }

    fn initiate(&mut self, input: &Input) -> Result<Value, Refusal> {
        let bundle = input.object("bundle")?;
        let bundle = Bundle {
            identity_key: bundle.bytes("identity_key")?,
            signed_pre_key_id: bundle.id("signed_pre_key_id")?,
            signed_pre_key: bundle.bytes("signed_pre_key")?,
            signature: bundle.bytes("signature")?,
            pre_key_id: bundle.id("pre_key_id")?,
            pre_key: bundle.bytes("pre_key")?,
        };
        let chance = Chance::once(input.randomness(&["ephemeral-key", "ratchet-key"])?);
        self.device()?
            .initiate(input.text("peer")?, &bundle, chance)?;
        Ok(json!({}))
    }

    fn seal(&mut self, input: &Input) -> Result<Value, Refusal> {
        let plaintext = input.bytes("plaintext")?;
        let sealed = self.device()?.seal(input.text("peer")?, &plaintext)?;
        Ok(json!({"frame": hex::encode(&sealed.frame), "key_exchange": sealed.key_exchange}))
    }

    fn open(&mut self, input: &Input) -> Result<Value, Refusal> {
        let frame = input.bytes("frame")?;
        let chance = Chance::repeated(input.randomness(&["ratchet-key"])?);
        let plaintext = self.device()?.open(input.text("peer")?, &frame, chance)?;
        Ok(json!({"plaintext": hex::encode(&plaintext)}))
    }

    fn restart(&mut self) -> Result<Value, Refusal> {
        if let Some(device) = self.device.take() {
            self.device = Some(device.restart()?);
        }
        Ok(json!({}))
    }

    fn add_signed_pre_key(&mut self, input: &Input) -> Result<Value, Refusal> {
        let (id, key) = input.signed_pre_key()?;
        self.device()?.keys().signed_pre_keys.insert(id, key);
        Ok(json!({}))
    }

    fn forget(&mut self, input: &Input, what: fn(&mut Keys, u32)) -> Result<Value, Refusal> {
        let id = input.id("id")?;
        what(self.device()?.keys(), id);
        Ok(json!({}))
    }
}

fn public_key<O: Oracle>(input: &Input) -> Result<Value, Refusal> {
    let key = O::public_key(&input.secret("secret")?)?;
    Ok(json!({"public": hex::encode(key.get(1..).unwrap_or_default())}))
}

fn encode_identity<O: Oracle>(input: &Input) -> Result<Value, Refusal> {
    let key = O::public_key(&input.secret("secret")?)?;
    Ok(json!({"key": hex::encode(&key)}))
}

fn verify<O: Oracle>(input: &Input) -> Result<Value, Refusal> {
    O::verify(
        &input.bytes("identity_key")?,
        &input.bytes("message")?,
        &input.bytes("signature")?,
    )?;
    Ok(json!({}))
}

/// The fields of a request.
struct Input<'a>(&'a Map<String, Value>);

impl<'a> Input<'a> {
    fn text(&self, name: &str) -> Result<&'a str, Refusal> {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| format!("the request lacks {name}"))
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, Refusal> {
        hex::decode(self.text(name)?).ok_or_else(|| format!("{name} is not hexadecimal"))
    }

    fn secret(&self, name: &str) -> Result<Secret, Refusal> {
        let bytes = self.bytes(name)?;
        Secret::try_from(bytes).map_err(|_| format!("{name} does not have 32 bytes"))
    }

    fn id(&self, name: &str) -> Result<u32, Refusal> {
        self.0
            .get(name)
            .and_then(Value::as_u64)
            .and_then(|id| u32::try_from(id).ok())
            .ok_or_else(|| format!("the request lacks {name}, or it does not fit"))
    }

    fn object(&self, name: &str) -> Result<Self, Refusal> {
        self.0
            .get(name)
            .and_then(Value::as_object)
            .map(Self)
            .ok_or_else(|| format!("the request lacks {name}"))
    }

    fn list(&self, name: &str) -> Result<impl Iterator<Item = Self> + use<'a>, Refusal> {
        let values = self.0.get(name).and_then(Value::as_array);
        let values = values.ok_or_else(|| format!("the request lacks {name}"))?;
        Ok(values.iter().filter_map(Value::as_object).map(Self))
    }

    fn signed_pre_key(&self) -> Result<(u32, SignedPreKey), Refusal> {
        let key = SignedPreKey {
            secret: self.secret("secret")?,
            signature: self.bytes("signature")?,
        };
        Ok((self.id("id")?, key))
    }

    /// The given randomness of these roles, as far as there is any.
    fn randomness(&self, roles: &[&str]) -> Result<Vec<Secret>, Refusal> {
        let Ok(given) = self.object("randomness") else {
            return Ok(Vec::new());
        };
        roles
            .iter()
            .filter(|role| given.0.contains_key(**role))
            .map(|role| given.secret(role))
            .collect()
    }
}
