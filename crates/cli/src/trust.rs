//! `omemo trust` and `omemo distrust`: a person's decision about a key. Needs no connection; other
//! devices of ours are told with the next one, if the policy is automatic.

use omemo::{Address, CallerError, Error, Event, Output, Trust, VerificationUri};

use crate::args::{Decision, Verification};
use crate::failure::Failure;
use crate::happening::Happening;
use crate::home::Home;
use crate::live::tell;
use crate::report::Report;

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
    let output = home.account()?.verify(&uri)?;
    let mut outcome = Err(Failure::told("these are this device's own keys"));
    for event in &output.events {
        if let Event::Verified {
            jid,
            decided,
            held,
            contradicted,
        } = event
        {
            let level = |key| match uri.distrusts(key) {
                true => Trust::Distrusted,
                false => Trust::Verified,
            };
            for key in decided {
                report.decided(jid, key, level(key), true)?;
            }
            for key in held {
                report.decided(jid, key, level(key), false)?;
            }
            outcome = verdict(outcome, decided.len() + held.len(), contradicted);
        }
    }
    follow(&output, report)?;
    outcome
}

/// What the command's end says of a URI.
fn verdict(
    nothing: Result<(), Failure>,
    decisions: usize,
    contradicted: &[Address],
) -> Result<(), Failure> {
    if !contradicted.is_empty() {
        let devices: Vec<_> = contradicted.iter().map(ToString::to_string).collect();
        return Err(Failure::told(format!(
            "device {} is known with another key than the URI gives it, and was left as it is: the URI is old, or somebody else's key is published. Compare all eight groups before you trust either",
            devices.join(", device ")
        )));
    }
    if decisions == 0 { nothing } else { Ok(()) }
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
        Ok(output) => {
            report.decided(jid, &fingerprint, trust, true)?;
            follow(&output, report)
        }
        Err(Error::Caller(CallerError::UnknownKey(_))) => Err(Failure::told(format!(
            "no device of {jid} with this fingerprint was ever seen. Look at them with omemo devices {jid}"
        ))),
        Err(error) => Err(error.into()),
    }
}

/// What else a decision has changed. Nothing is sent without a connection: what others have to be told
/// waits in the store.
fn follow(output: &Output, report: Report) -> Result<(), Failure> {
    for event in &output.events {
        if let Some(happening) = Happening::of(event) {
            tell(event);
            report.happening(&happening)?;
        }
    }
    Ok(())
}
