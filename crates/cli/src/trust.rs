//! `omemo trust` and `omemo distrust`: a person's decision about a key. Needs no connection.

use omemo::{CallerError, Error, Trust};

use crate::args::Decision;
use crate::failure::Failure;
use crate::home::Home;
use crate::report::{Report, say};

pub(crate) fn decide(
    home: &Home,
    decision: &Decision,
    trust: Trust,
    report: Report,
) -> Result<(), Failure> {
    let Some(fingerprint) = decision.fingerprint() else {
        return Err(Failure::told(
            "this is no fingerprint: it has 64 hexadecimal digits, in eight groups of eight",
        ));
    };
    let jid = &decision.jid;
    match home.account()?.decide(jid, &fingerprint, trust) {
        // nothing is sent without a connection: what others have to be told waits in the store
        Ok(_) => {}
        Err(Error::Caller(CallerError::UnknownKey(_))) => {
            return Err(Failure::told(format!(
                "no device of {jid} with this fingerprint was ever seen. Look at them with omemo devices {jid}"
            )));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(say(&format!(
        "{}\nof {jid} is now {trust}.",
        report.palette.fingerprint(&fingerprint)
    ))?)
}
