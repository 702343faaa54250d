//! `omemo devices`: whose keys would be used, and which devices of ours there are.

use std::time::Duration;

use omemo::{Address, BareJid, CallerError, Device, DeviceId, Error};
use omemo_tokio::Event;

use crate::failure::Failure;
use crate::happening::Happening;
use crate::home::Home;
use crate::live::{Live, password};
use crate::report::{Report, note, say};

/// How long lists and bundles may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a removal may take: the library gives up by itself before.
const REMOVAL: Duration = Duration::from_secs(150);

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
    live.online().await?;
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
pub(crate) async fn remove(home: &Home, device: DeviceId, report: Report) -> Result<(), Failure> {
    let mut live = Live::start(home, home.account()?, password(home)?)?;
    live.ready().await?;
    live.client
        .call(move |account| account.remove_device(device))
        .await?;
    let removed = async {
        loop {
            match live.next().await? {
                Event::Account(event @ omemo::Event::DeviceRemoved { device: of, .. })
                    if of == device =>
                {
                    return Ok::<_, Failure>(event);
                }
                _ => {}
            }
        }
    };
    let event = tokio::time::timeout(REMOVAL, removed).await.map_err(|_| {
        Failure::told("the server has not answered in time; look with omemo devices and try again")
    })??;
    live.quit().await?;
    if let (true, Some(happening)) = (report.json, Happening::of(&event)) {
        report.happening(&happening)?;
    }
    match event {
        omemo::Event::DeviceRemoved { incomplete, .. } if !incomplete.is_empty() => {
            Err(Failure::told(format!(
                "device {device} is not removed completely: {}",
                incomplete.join("; ")
            )))
        }
        _ if report.json => Ok(()),
        _ => Ok(say(&format!("Device {device} is removed."))?),
    }
}

/// A person agrees that a device is served in the legacy protocol from now on.
pub(crate) fn allow_legacy(
    home: &Home,
    jid: BareJid,
    device: DeviceId,
    report: Report,
) -> Result<(), Failure> {
    let address = Address { jid, device };
    match home.account()?.allow_downgrade(&address) {
        Ok(()) => Ok(report.done(&Happening::legacy_allowed(&address))?),
        Err(Error::Caller(CallerError::UnknownDevice(_))) => Err(Failure::told(format!(
            "device {address} has not gone from omemo:2 to legacy: there is nothing to allow. Look at it with omemo devices {}",
            address.jid
        ))),
        Err(error) => Err(error.into()),
    }
}
