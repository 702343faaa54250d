//! `omemo send`: one message, until the server has it.

use std::time::Duration;

use omemo::{BareJid, Chat, Outgoing, Randomness, Role, Served, SystemRandomness, Unserved};
use omemo_tokio::Event;

use crate::failure::Failure;
use crate::home::Home;
use crate::live::{Live, password};
use crate::report::Report;

/// How long a message may take from its encryption to the server's receipt.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) async fn send(
    home: &Home,
    to: BareJid,
    text: &str,
    report: Report,
) -> Result<(), Failure> {
    check(text)?;
    let account = home.account()?;
    let mut live = Live::start(home, account, password(home)?)?;
    live.ready().await?;
    write(live, Chat::Direct(to), text, report).await
}

/// A message without a text would be refused.
pub(crate) fn check(text: &str) -> Result<(), Failure> {
    if text.is_empty() {
        return Err(Failure::told("the message is empty"));
    }
    Ok(())
}

/// Sends a text, and waits until the server has it.
pub(crate) async fn write(
    live: Live<'_>,
    chat: Chat,
    text: &str,
    report: Report,
) -> Result<(), Failure> {
    let id = message_id()?;
    let outgoing = Outgoing::text(id.clone(), chat.clone(), text);
    live.client.send(outgoing).await?;
    deliver(live, &id, &chat, report).await
}

/// Waits until the server has a message, and reports who can read it.
pub(crate) async fn deliver(
    mut live: Live<'_>,
    id: &str,
    chat: &Chat,
    report: Report,
) -> Result<(), Failure> {
    let outcome = tokio::time::timeout(PATIENCE, outcome(&mut live, id))
        .await
        .map_err(|_| {
            Failure::told(
                "the server has not confirmed the message in time. It waits, encrypted, and goes out with the next omemo listen",
            )
        })??;
    live.quit().await?;
    let to = chat.jid();
    report.sent(to, &outcome.served, &outcome.unserved)?;
    // alone in a room, our own other devices are all that there is
    let is_room = matches!(chat, Chat::Room(_));
    let mut served = outcome.served.iter();
    if served.any(|served| is_room || served.device.jid == *to) {
        Ok(())
    } else {
        Err(Failure::NobodyServed)
    }
}

struct Outcome {
    served: Vec<Served>,
    unserved: Vec<Unserved>,
}

async fn outcome(live: &mut Live<'_>, id: &str) -> Result<Outcome, Failure> {
    let mut sealed = None;
    let mut is_sent = false;
    loop {
        match live.next().await? {
            Event::Account(omemo::Event::Sealed {
                id: of,
                served,
                unserved,
                ..
            }) if of == id => sealed = Some(Outcome { served, unserved }),
            Event::Account(omemo::Event::Refused {
                id: of, unserved, ..
            }) if of == id => {
                return Ok(Outcome {
                    served: Vec::new(),
                    unserved,
                });
            }
            Event::Account(omemo::Event::Unsent { id: of, reason, .. }) if of == id => {
                return Err(Failure::told(format!("the message was given up: {reason}")));
            }
            Event::Sent { id: of } if of == id => is_sent = true,
            _ => {}
        }
        if is_sent && let Some(outcome) = sealed.take() {
            return Ok(outcome);
        }
    }
}

/// A new message's id.
pub(crate) fn message_id() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    SystemRandomness
        .fill(Role::StanzaId, &mut bytes)
        .map_err(|error| Failure::told(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
