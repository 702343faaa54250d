//! `omemo devices`: whose keys would be used.

use std::time::Duration;

use omemo::{BareJid, Device, DeviceId};
use omemo_tokio::Event;

use crate::failure::Failure;
use crate::home::Home;
use crate::live::{Live, password};
use crate::report::{Report, note, say};

/// How long lists and bundles may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn devices(
    home: &Home,
    of: Option<BareJid>,
    report: Report,
) -> Result<(), Failure> {
    let jid = of.unwrap_or_else(|| home.jid().clone());
    let mut account = home.account()?;
    let known = account.devices(&jid)?;
    let live = Live::start(home, account, password(home)?)?;
    let devices = match inspect(live, &jid).await {
        Err(Failure::Offline(reason)) if !known.is_empty() => {
            note(&format!("{reason}\nThis is what was known before:"));
            known
        }
        other => other?,
    };
    Ok(report.devices(&jid, &devices)?)
}

async fn inspect(mut live: Live<'_>, jid: &BareJid) -> Result<Vec<Device>, Failure> {
    live.ready().await?;
    live.client.inspect(jid.clone()).await?;
    let inspected = async {
        loop {
            match live.next().await? {
                Event::Account(omemo::Event::Inspected { jid: of }) if of == *jid => {
                    return Ok::<(), Failure>(());
                }
                _ => {}
            }
        }
    };
    match tokio::time::timeout(PATIENCE, inspected).await {
        Ok(result) => result?,
        Err(_) => note("Not everything could be fetched in time. This is what is known:"),
    }
    let whose = jid.clone();
    let devices = live
        .client
        .ask(move |account| account.devices(&whose))
        .await?;
    live.quit().await?;
    Ok(devices)
}

/// Takes another device of ours off the list.
pub(crate) async fn remove(home: &Home, device: u32) -> Result<(), Failure> {
    let device = DeviceId::new(device).map_err(|error| Failure::told(error.to_string()))?;
    let mut live = Live::start(home, home.account()?, password(home)?)?;
    live.ready().await?;
    live.client
        .call(move |account| account.remove_device(device))
        .await?;
    let removed = async {
        loop {
            match live.next().await? {
                Event::Account(omemo::Event::DeviceRemoved {
                    device: of,
                    incomplete,
                }) if of == device => return Ok::<_, Failure>(incomplete),
                _ => {}
            }
        }
    };
    let incomplete = tokio::time::timeout(PATIENCE, removed)
        .await
        .map_err(|_| {
            Failure::told(
                "the server has not answered in time; look with omemo devices and try again",
            )
        })??;
    live.quit().await?;
    for refused in incomplete {
        note(&format!("The server did not do everything: {refused}."));
    }
    Ok(say(&format!("Device {device} is removed."))?)
}
