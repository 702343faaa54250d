//! Key derivations and single messages of the ratchet.

use omemo_ratchet::hazmat::{self, Correspondents, PlainMessage};
use omemo_ratchet::{Inbound, Version};

use super::fields::{Fields, bytes, output};
use super::{Outcome, Refusal};

pub(super) fn root_step(version: Version, input: &Fields<'_>) -> Outcome {
    let (root, chain) =
        hazmat::root_step(version, &input.array("root_key")?, &input.array("shared")?);
    Ok(output([
        ("root_key", bytes(root)),
        ("chain_key", bytes(chain)),
    ]))
}

pub(super) fn chain_step(input: &Fields<'_>) -> Outcome {
    let (message_key, chain) = hazmat::chain_step(&input.array("chain_key")?);
    Ok(output([
        ("message_key", bytes(message_key)),
        ("chain_key", bytes(chain)),
    ]))
}

pub(super) fn message_keys(version: Version, input: &Fields<'_>) -> Outcome {
    let (encryption, mac, iv) = hazmat::message_keys(version, &input.array("message_key")?);
    Ok(output([
        ("encryption_key", bytes(encryption)),
        ("mac_key", bytes(mac)),
        ("iv", bytes(iv)),
    ]))
}

pub(super) fn seal(version: Version, input: &Fields<'_>) -> Outcome {
    let correspondents = correspondents(version, input)?;
    let message = PlainMessage {
        ratchet_key: hazmat::decode_key(version, &input.bytes("ratchet_key")?)?,
        number: input.number("number")?,
        previous: input.number("previous")?,
        plaintext: input.bytes("plaintext")?,
    };
    let key = input.array("message_key")?;
    let frame = hazmat::seal_frame(version, &key, &correspondents, &message);
    Ok(output([("frame", bytes(frame))]))
}

pub(super) fn open(version: Version, input: &Fields<'_>) -> Outcome {
    let correspondents = correspondents(version, input)?;
    let message = match Inbound::parse(version, &input.bytes("frame")?)? {
        Inbound::KeyExchange(exchange) => exchange.message().clone(),
        Inbound::Message(message) => message,
    };
    let key = input.array("message_key")?;
    let plaintext = hazmat::open_frame(&key, &correspondents, &message)?;
    let ratchet_key = hazmat::encode_key(version, message.ratchet_key());
    Ok(output([
        ("plaintext", bytes(&*plaintext)),
        ("ratchet_key", bytes(ratchet_key)),
        ("number", message.number().into()),
        ("previous", message.previous().into()),
    ]))
}

fn correspondents(version: Version, input: &Fields<'_>) -> Result<Correspondents, Refusal> {
    let identity =
        |name| hazmat::decode_identity(version, &input.bytes(name)?).map_err(Refusal::from);
    Ok(Correspondents {
        sender: identity("sender")?,
        receiver: identity("receiver")?,
        sender_initiated: input.flag("sender_initiated")?,
    })
}
