//! `omemo replace-session`: sessions made anew by hand, when a contact cannot read us (XEP-0384 §6).

use std::collections::BTreeSet;
use std::time::Duration;

use omemo::{Address, BareJid, DeviceId, Version};
use omemo_tokio::Event;

use crate::args::ReplaceSession;
use crate::failure::Failure;
use crate::happening::Happening;
use crate::home::Home;
use crate::live::{Live, password};
use crate::report::{Report, note, say};

/// How long bundles may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sessions that are to be made anew.
type Wanted = BTreeSet<(Version, Address)>;

pub(crate) async fn replace_session(
    home: &Home,
    options: ReplaceSession,
    report: Report,
) -> Result<(), Failure> {
    let mut live = Live::start(home, home.account()?, password(home)?)?;
    live.ready().await?;
    let mut wanted = Wanted::new();
    match options.jid {
        Some(jid) => {
            let device = options.device.map(DeviceId::new).transpose();
            let device = device.map_err(|error| Failure::told(error.to_string()))?;
            wanted = sessions(&live, jid.clone(), device).await?;
            live.client
                .call(move |account| account.replace_sessions(&jid, device))
                .await?;
        }
        None => {
            live.client
                .call(omemo::Account::replace_all_sessions)
                .await?;
        }
    }
    let replaced = tokio::time::timeout(PATIENCE, settled(&mut live, &mut wanted, report)).await;
    let replaced = replaced.unwrap_or(Ok(0))?;
    live.quit().await?;
    if !wanted.is_empty() {
        note("Not every device has answered; the rest is done with the next omemo listen.");
    }
    if report.json {
        return Ok(());
    }
    Ok(say(&format!("Sessions made anew: {replaced}."))?)
}

/// The sessions with an account's devices, or with one of them.
async fn sessions(
    live: &Live<'_>,
    jid: BareJid,
    only: Option<DeviceId>,
) -> Result<Wanted, Failure> {
    let devices = live
        .client
        .ask(move |account| account.devices(&jid))
        .await?;
    Ok(devices
        .into_iter()
        .filter(|device| !device.own && only.is_none_or(|id| id == device.address.device))
        .flat_map(|device| {
            let address = device.address;
            device
                .sessions
                .into_iter()
                .map(move |version| (version, address.clone()))
        })
        .collect())
}

async fn settled(
    live: &mut Live<'_>,
    wanted: &mut Wanted,
    report: Report,
) -> Result<usize, Failure> {
    let mut replaced = 0;
    loop {
        let Event::Account(event) = live.next().await? else {
            continue;
        };
        match &event {
            omemo::Event::SessionReplaced { device, version } => {
                wanted.remove(&(*version, device.clone()));
                replaced += 1;
            }
            omemo::Event::SessionNotReplaced {
                device, version, ..
            } => {
                wanted.remove(&(*version, device.clone()));
            }
            _ => continue,
        }
        if let Some(happening) = Happening::of(&event) {
            report.happening(&happening)?;
        }
        if wanted.is_empty() {
            return Ok(replaced);
        }
    }
}
