//! `omemo replace-session`: sessions made anew by hand, when a contact cannot read us (XEP-0384 §6).

use std::collections::BTreeSet;
use std::time::Duration;

use omemo::{Account, Address, Version};
use omemo_tokio::Event;

use crate::args::ReplaceSession;
use crate::failure::Failure;
use crate::happening::Happening;
use crate::home::Home;
use crate::live::{Live, password};
use crate::report::{Report, say};

/// How long bundles may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What became of the sessions that were to be made anew.
#[derive(Default)]
struct Outcome {
    /// Not yet.
    open: BTreeSet<(Version, Address)>,
    replaced: usize,
    failed: usize,
}

pub(crate) async fn replace_session(
    home: &Home,
    options: ReplaceSession,
    report: Report,
) -> Result<(), Failure> {
    let mut live = Live::start(home, home.account()?, password(home)?)?;
    live.ready().await?;
    let ReplaceSession { jid, device, .. } = options;
    let whose = jid.clone();
    live.client
        .call(move |account| match jid {
            Some(jid) => account.replace_sessions(&jid, device),
            None => account.replace_all_sessions(),
        })
        .await?;
    let mut outcome = Outcome {
        open: still_open(&live).await?,
        ..Outcome::default()
    };
    // what is still open when the time is over is told below
    if let Ok(result) =
        tokio::time::timeout(PATIENCE, settled(&mut live, &mut outcome, report)).await
    {
        result?;
    }
    live.quit().await?;
    match whose {
        Some(jid) if outcome.is_nothing() => Err(Failure::told(format!(
            "no device of {jid} is known: omemo devices {jid} looks for them"
        ))),
        _ => outcome.tell(report),
    }
}

impl Outcome {
    fn is_nothing(&self) -> bool {
        self.open.is_empty() && self.replaced == 0 && self.failed == 0
    }

    fn tell(&self, report: Report) -> Result<(), Failure> {
        let Self {
            open,
            replaced,
            failed,
        } = self;
        if *failed > 0 || !open.is_empty() {
            let open = open.len();
            return Err(Failure::told(format!(
                "sessions made anew: {replaced}; failed: {failed}; without an answer yet: {open}. The last are made with the next omemo listen"
            )));
        }
        if report.json {
            return Ok(());
        }
        Ok(say(&format!("Sessions made anew: {replaced}."))?)
    }

    fn note(&mut self, event: &Event, report: Report) -> Result<(), Failure> {
        let Event::Account(event) = event else {
            return Ok(());
        };
        match event {
            omemo::Event::SessionReplaced { device, version } => {
                self.open.remove(&(*version, device.clone()));
                self.replaced += 1;
            }
            omemo::Event::SessionNotReplaced {
                device, version, ..
            } => {
                self.open.remove(&(*version, device.clone()));
                self.failed += 1;
            }
            _ => return Ok(()),
        }
        if let Some(happening) = Happening::of(event) {
            report.happening(&happening)?;
        }
        Ok(())
    }
}

async fn still_open(live: &Live<'_>) -> Result<BTreeSet<(Version, Address)>, Failure> {
    let open = live.client.ask(Account::replacing).await?;
    Ok(open.into_iter().collect())
}

async fn settled(
    live: &mut Live<'_>,
    outcome: &mut Outcome,
    report: Report,
) -> Result<(), Failure> {
    while !outcome.open.is_empty() {
        let event = live.next().await?;
        outcome.note(&event, report)?;
    }
    Ok(())
}
