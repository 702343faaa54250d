//! `omemo opt-out`: asking a contact for plain text, and deciding when a contact asks (XEP-0384 §5.7).

use omemo::{BareJid, Chat, OptOutAnswer};

use crate::args::OptOut;
use crate::failure::Failure;
use crate::happening::Happening;
use crate::home::Home;
use crate::live::{Live, password};
use crate::report::Report;
use crate::send::{deliver, message_id};

pub(crate) async fn opt_out(home: &Home, options: OptOut, report: Report) -> Result<(), Failure> {
    let OptOut {
        jid,
        reason,
        plain_text,
        keep_encrypting,
        ..
    } = options;
    if plain_text {
        answer(home, &jid, OptOutAnswer::PlainText)?;
        return Ok(report.done(&Happening::plain_text(&jid))?);
    }
    if keep_encrypting {
        answer(home, &jid, OptOutAnswer::KeepEncrypting)?;
        return Ok(report.done(&Happening::keep_encrypting(&jid))?);
    }
    let mut live = Live::start(home, home.account()?, password(home)?)?;
    live.ready().await?;
    let id = message_id()?;
    let (message, to) = (id.clone(), jid.clone());
    live.client
        .call(move |account| account.opt_out(message, &to, reason.as_deref()))
        .await?;
    deliver(live, &id, &Chat::Direct(jid), report).await
}

fn answer(home: &Home, jid: &BareJid, answer: OptOutAnswer) -> Result<(), Failure> {
    let mut account = home.account()?;
    if account.opted_out(jid)?.is_none() {
        return Err(Failure::told(format!("{jid} has not asked for plain text")));
    }
    let _nothing_to_send_offline = account.answer_opt_out(jid, answer)?;
    Ok(())
}
