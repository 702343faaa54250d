//! `omemo label`: what people call this device.

use crate::failure::Failure;
use crate::home::Home;
use crate::live::{Live, password};
use crate::report::Report;

/// Shows the label, or changes it and publishes it.
pub(crate) async fn label(
    home: &mut Home,
    text: Option<String>,
    none: bool,
    report: Report,
) -> Result<(), Failure> {
    let mut account = home.account()?;
    if text.is_none() && !none {
        let label = account.label()?;
        return Ok(report.label(label.as_deref())?);
    }
    // from now on the store has the word, not what `init` was told
    home.forget_label()?;
    let _nothing_to_send_offline = account.rename(text.as_deref())?;
    let mut live = Live::start(home, account, password(home)?)?;
    live.ready().await?;
    live.quit().await?;
    Ok(report.label(text.as_deref())?)
}
