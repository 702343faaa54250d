//! `omemo deactivate`: takes this device, or the whole account, off the server and erases its secrets.

use std::time::Duration;

use omemo::Removal;
use omemo_tokio::Event;

use crate::failure::Failure;
use crate::home::Home;
use crate::live::{Live, password};
use crate::report::{note, say};

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(180);

pub(crate) async fn deactivate(
    home: &Home,
    whole_account: bool,
    sure: bool,
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
    let mut account = home.account()?;
    let _nothing_to_send_offline = account.deactivate(removal)?;
    let mut live = Live::start(home, account, password(home)?)?;
    let removed = async {
        loop {
            if let Event::Account(omemo::Event::Deactivated { incomplete }) = live.next().await? {
                return Ok::<_, Failure>(incomplete);
            }
        }
    };
    let incomplete = tokio::time::timeout(PATIENCE, removed)
        .await
        .map_err(|_| {
            Failure::told("the server has not answered; run omemo deactivate --yes again to go on")
        })??;
    live.quit().await?;
    home.erase()?;
    for refused in incomplete {
        note(&format!("The server did not do everything: {refused}."));
    }
    Ok(say(&format!(
        "The device of {} is removed and its keys are erased. omemo init makes a new one.",
        home.jid()
    ))?)
}
