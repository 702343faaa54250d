//! `omemo init`: a new device, published.

use std::path::PathBuf;

use crate::args::Init;
use crate::failure::Failure;
use crate::home::Home;
use crate::live::{Live, password};
use crate::report::Report;

pub(crate) async fn init(folder: PathBuf, init: &Init, report: Report) -> Result<(), Failure> {
    let home = Home::prepare(folder, init)?;
    let password = password(&home)?;
    let mut account = home.account()?;
    if let Some(label) = &init.label {
        let _nothing_to_send_offline = account.rename(Some(label))?;
    }
    let mut live = Live::start(&home, account, password)?;
    live.online().await?;
    home.save()?;
    // with this comes the archive's newest id, which the next command begins from
    let ready = live.ready().await?;
    live.quit().await?;
    Ok(report.ready(home.jid(), ready.device, &ready.fingerprint)?)
}
