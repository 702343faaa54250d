//! `omemo deactivate`: takes this device, or the whole account, off the server and erases its secrets.

use std::time::Duration;

use omemo::Removal;
use omemo_tokio::Event;

use crate::failure::Failure;
use crate::happening::Happening;
use crate::home::Home;
use crate::live::{Live, password};
use crate::report::{Report, note, say};

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(180);

pub(crate) async fn deactivate(
    home: &mut Home,
    whole_account: bool,
    sure: bool,
    report: Report,
) -> Result<(), Failure> {
    if !sure {
        return Err(Failure::told(
            "this erases the keys of this device for ever, and messages that were sent to it and not read are lost. If you are sure: omemo deactivate --yes",
        ));
    }
    let removal = if whole_account {
        Removal::Account
    } else {
        Removal::Device
    };
    let password = password(home)?;
    let mut account = home.account()?;
    // first, so that nothing makes a new device here once this one's keys are erased
    home.give_up()?;
    let _nothing_to_send_offline = account.deactivate(removal)?;
    let gone = async {
        let mut live = Live::start(home, account, password)?;
        let event = tokio::time::timeout(PATIENCE, deactivated(&mut live))
            .await
            .map_err(|_| Failure::told("the server has not answered in time"))??;
        live.quit().await?;
        Ok::<_, Failure>(event)
    };
    let event = match gone.await {
        Ok(event) => event,
        Err(failure) => {
            note(
                "The device is given up and not off the server yet: omemo deactivate --yes goes on.",
            );
            return Err(failure);
        }
    };
    home.erase()?;
    if let omemo::Event::Deactivated { incomplete } = &event {
        for refused in incomplete {
            note(&format!("The server did not do everything: {refused}."));
        }
    }
    if let (true, Some(happening)) = (report.json, Happening::of(&event)) {
        return Ok(report.happening(&happening)?);
    }
    Ok(say(&format!(
        "The device of {} is removed and its keys are erased. omemo init makes a new one.",
        home.jid()
    ))?)
}

async fn deactivated(live: &mut Live<'_>) -> Result<omemo::Event, Failure> {
    loop {
        if let Event::Account(event @ omemo::Event::Deactivated { .. }) = live.next().await? {
            return Ok(event);
        }
    }
}
