//! `omemo recover`: after a store was put back to an older state.

use std::time::Duration;

use omemo_tokio::Event;

use crate::failure::Failure;
use crate::home::Home;
use crate::live::{Live, password};
use crate::report::say;

/// How long publishing the new keys may take.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) async fn recover(home: &Home) -> Result<(), Failure> {
    let mut account = home.account()?;
    let _nothing_to_send_offline = account.recover()?;
    let mut live = Live::start(home, account, password(home)?)?;
    let recovered = async {
        while !matches!(live.next().await?, Event::Account(omemo::Event::Recovered)) {}
        Ok::<(), Failure>(())
    };
    tokio::time::timeout(PATIENCE, recovered)
        .await
        .map_err(|_| {
            Failure::told(
                "the new keys could not be published in time; it goes on with the next omemo listen",
            )
        })??;
    live.quit().await?;
    Ok(say(
        "The device has new keys under its old fingerprint; contacts need not compare it again.",
    )?)
}
