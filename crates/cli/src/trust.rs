//! `omemo trust` and `omemo distrust`: a person's decision about a key. Needs no connection; other
//! devices of ours are told with the next one, if the policy is automatic.

use omemo::{CallerError, Error, Event, Trust, VerificationUri};

use crate::args::{Decision, Verification};
use crate::failure::Failure;
use crate::home::Home;
use crate::report::{Report, say};

/// Trusts one key, or all that a QR code names.
pub(crate) fn trust(
    home: &Home,
    verification: Verification,
    report: Report,
) -> Result<(), Failure> {
    if let Some(uri) = &verification.uri {
        return verify(home, uri, report);
    }
    match verification.decision() {
        Some(decision) => decide(home, &decision, Trust::Verified, report),
        None => Ok(()),
    }
}

fn verify(home: &Home, text: &str, report: Report) -> Result<(), Failure> {
    let uri: VerificationUri = text
        .parse()
        .map_err(|error| Failure::told(format!("the URI cannot be used: {error}")))?;
    // nothing is sent without a connection: what others have to be told waits in the store
    let output = home.account()?.verify(&uri)?;
    for event in &output.events {
        let Event::Verified {
            jid,
            decided,
            held,
            contradicted,
        } = event
        else {
            continue;
        };
        for key in decided {
            say(&format!(
                "{}\nof {jid} is decided as the URI says.",
                report.palette.fingerprint(key)
            ))?;
        }
        for key in held {
            say(&format!(
                "{}\nof {jid} was not seen yet; it is decided when it is.",
                report.palette.fingerprint(key)
            ))?;
        }
        if !contradicted.is_empty() {
            let devices: Vec<_> = contradicted.iter().map(ToString::to_string).collect();
            return Err(Failure::told(format!(
                "device {} is known with another key than the URI gives it, and was left as it is: the URI is old, or somebody else's key is published. Compare all eight groups before you trust either",
                devices.join(", device ")
            )));
        }
    }
    Ok(())
}

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
