//! `omemo init`: a new device, published.

use std::path::PathBuf;
use std::time::Duration;

use omemo_tokio::Event;

use crate::args::Init;
use crate::failure::Failure;
use crate::home::Home;
use crate::live::{Live, password};
use crate::report::Report;

/// How long is waited for the archive's newest id, which the next command begins from.
const ARCHIVE: Duration = Duration::from_secs(10);

pub(crate) async fn init(folder: PathBuf, init: &Init, report: Report) -> Result<(), Failure> {
    let home = Home::prepare(folder, init)?;
    let password = password(&home)?;
    let mut live = Live::start(&home, home.account()?, password)?;
    let ready = live.ready().await?;
    home.save()?;
    let caught_up = async {
        while !matches!(live.next().await?, Event::CaughtUp) {}
        Ok::<(), Failure>(())
    };
    if let Ok(result) = tokio::time::timeout(ARCHIVE, caught_up).await {
        result?;
    }
    live.quit().await?;
    Ok(report.ready(home.jid(), ready.device, &ready.fingerprint)?)
}
