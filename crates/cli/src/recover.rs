//! `omemo recover`: after a store was put back to an older state.

use std::time::Duration;

use omemo::Account;
use omemo_tokio::Event;

use crate::failure::Failure;
use crate::happening::Happening;
use crate::home::Home;
use crate::live::{Live, password};
use crate::report::{Report, say};

/// How long publishing the new keys may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Makes new keys and sessions. What the server holds is received first, since only the old keys
/// open it. `sure`: a person says that the store was put back, though nothing shows it.
pub(crate) async fn recover(home: &Home, sure: bool, report: Report) -> Result<(), Failure> {
    let mut account = home.account()?;
    let password = password(home)?;
    if sure {
        // before we are online, where every answer would be encrypted from the old state
        let _nothing_to_send_offline = account.put_back()?;
    }
    let mut live = Live::start(home, account, password)?;
    live.online().await?;
    live.caught_up().await?;
    if !live.client.ask(Account::restored).await? {
        live.quit().await?;
        return Err(Failure::told(
            "nothing shows that this device was put back to an older state. If you know that it was: omemo recover --anyway",
        ));
    }
    live.client.call(Account::recover).await?;
    let recovered = async {
        loop {
            if let Event::Account(event @ omemo::Event::Recovered) = live.next().await? {
                return Ok::<_, Failure>(Happening::of(&event));
            }
        }
    };
    let happening = tokio::time::timeout(PATIENCE, recovered)
        .await
        .map_err(|_| {
            Failure::told(
                "the new keys could not be published in time; it goes on with the next omemo listen",
            )
        })??;
    live.quit().await?;
    if let (true, Some(happening)) = (report.json, happening) {
        return Ok(report.happening(&happening)?);
    }
    Ok(say(
        "The device has new keys under its old fingerprint; contacts need not compare it again.",
    )?)
}
