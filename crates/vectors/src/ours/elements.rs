//! Elements as text.

use omemo::hazmat::{self, ElementError};
use omemo_ratchet::Version;
use serde_json::{Map, Value};

use super::fields::{Fields, bytes, output};
use super::{Outcome, Refusal};

impl From<ElementError> for Refusal {
    fn from(error: ElementError) -> Self {
        Self::Reason(error.name())
    }
}

pub(super) fn bundle(version: Version, input: &Fields<'_>) -> Outcome {
    let bundle = hazmat::parse_bundle(version, input.text("xml")?)?;
    let pre_keys = bundle
        .pre_keys
        .iter()
        .map(|(id, key)| Value::from(vec![Value::from(*id), bytes(key)]));
    Ok(output([
        ("identity_key", bytes(&bundle.identity_key)),
        ("signed_pre_key_id", bundle.signed_pre_key_id.into()),
        ("signed_pre_key", bytes(&bundle.signed_pre_key)),
        ("signature", bytes(&bundle.signed_pre_key_signature)),
        ("pre_keys", pre_keys.collect::<Vec<_>>().into()),
    ]))
}

pub(super) fn devices(version: Version, input: &Fields<'_>) -> Outcome {
    let devices = hazmat::parse_devices(version, input.text("xml")?)?;
    let devices = devices.into_iter().map(|device| {
        let mut fields = output([("id", device.id.get().into())]);
        if let Some(label) = device.label {
            fields.insert("label".into(), label.into());
        }
        Value::Object(fields)
    });
    Ok(output([("devices", devices.collect::<Vec<_>>().into())]))
}

pub(super) fn message(version: Version, input: &Fields<'_>) -> Outcome {
    let message = hazmat::parse_message(version, input.text("xml")?)?;
    let keys = message.keys.into_iter().map(|key| {
        let mut fields = Map::new();
        if let Some(jid) = key.jid {
            fields.insert("jid".into(), jid.as_str().into());
        }
        fields.insert("rid".into(), key.rid.get().into());
        fields.insert("key".into(), bytes(key.data));
        Value::Object(fields)
    });
    let mut fields = output([
        ("sid", message.sid.get().into()),
        ("keys", keys.collect::<Vec<_>>().into()),
    ]);
    for (name, value) in [("iv", message.iv), ("payload", message.payload)] {
        if let Some(value) = value {
            fields.insert(name.into(), bytes(value));
        }
    }
    Ok(fields)
}

pub(super) fn envelope(version: Version, input: &Fields<'_>) -> Outcome {
    if version != Version::Omemo2 {
        return Err(Refusal::Request("legacy has no envelopes".into()));
    }
    let envelope = hazmat::parse_envelope(input.text("xml")?.as_bytes())?;
    let content = envelope
        .content
        .iter()
        .map(|element| format!("{{{}}}{}", element.ns(), element.name()));
    let mut fields = output([("content", content.collect::<Vec<_>>().into())]);
    for (name, jid) in [("from", envelope.from), ("to", envelope.to)] {
        if let Some(jid) = jid {
            fields.insert(name.into(), jid.as_str().into());
        }
    }
    if let Some(time) = envelope.time {
        fields.insert("time".into(), time.seconds().into());
    }
    Ok(fields)
}
