//! `omemo label`: what people call this device.

use crate::failure::Failure;
use crate::home::Home;
use crate::live::{Live, password};
use crate::report::{Report, note};

/// Shows the label, or changes it and publishes it.
pub(crate) async fn label(
    home: &Home,
    text: Option<String>,
    none: bool,
    report: Report,
) -> Result<(), Failure> {
    let mut account = home.account()?;
    if text.is_none() && !none {
        let label = account.label()?;
        return Ok(report.label(label.as_deref())?);
    }
    let password = password(home)?;
    let _nothing_to_send_offline = account.rename(text.as_deref())?;
    let published = async {
        let mut live = Live::start(home, account, password)?;
        live.ready().await?;
        live.quit().await
    };
    if let Err(failure) = published.await {
        note("The label is kept, and published as soon as the device is.");
        return Err(failure);
    }
    Ok(report.label(text.as_deref())?)
}
