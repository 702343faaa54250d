//! `conversations`: what happens to sessions in the course of time.

use serde_json::json;

use super::Disagreement;
use super::layer::Layer;
use super::talk::Talk;
use crate::case::Flag;
use crate::implementation::Operation;

pub(super) const ABOUT: &str = "Whole conversations, seen from one device: loss, another order, repetition, restarts, several sessions with a \
     device, rotation, limits. All randomness is given, by role, so that what the device sends is given too.";

pub(super) fn write(layer: &mut Layer) -> Result<(), Disagreement> {
    for who in ["initiator", "responder"] {
        back_and_forth(layer, who)?;
        lost_and_late(layer, who)?;
        repeated(layer, who)?;
        forged(layer, who)?;
        restarted(layer, who)?;
    }
    both_begin(layer)?;
    begun_again(layer)?;
    prekey_used_twice(layer)?;
    rotation(layer)?;
    strangers(layer)?;
    jumps(layer)?;
    store_limit(layer)
}

/// A conversation that one of the two begins; the first message has been read, and answered.
fn begun<'a>(
    layer: &'a mut Layer,
    id: &str,
    about: &str,
    who: &str,
) -> Result<Talk<'a>, Disagreement> {
    let mut talk = Talk::begin(layer, &format!("{id}-{who}"), about)?;
    if who == "initiator" {
        talk.we_initiate("romeo")?;
        talk.tell("romeo")?;
        talk.hear("romeo")?;
    } else {
        talk.they_initiate("romeo", 1, 1)?;
        talk.hear("romeo")?;
        talk.tell("romeo")?;
    }
    Ok(talk)
}

fn back_and_forth(layer: &mut Layer, who: &str) -> Result<(), Disagreement> {
    let mut talk = begun(
        layer,
        "back-and-forth",
        "Messages in turn and in bursts, all in order.",
        who,
    )?;
    for burst in [1, 1, 3, 1, 5] {
        for _ in 0..burst {
            talk.tell("romeo")?;
        }
        for _ in 0..burst {
            talk.hear("romeo")?;
        }
    }
    talk.end();
    Ok(())
}

fn lost_and_late(layer: &mut Layer, who: &str) -> Result<(), Disagreement> {
    let mut talk = begun(
        layer,
        "lost",
        "Messages of the peer are lost, within a chain and at its end.",
        who,
    )?;
    for lost in [1, 2, 0, 4] {
        talk.hear("romeo")?;
        for _ in 0..lost {
            talk.they_seal("romeo")?;
        }
        talk.hear("romeo")?;
        for _ in 0..lost {
            talk.they_seal("romeo")?;
        }
        talk.tell("romeo")?;
    }
    talk.hear("romeo")?;
    talk.end();

    let mut talk = begun(
        layer,
        "late",
        "Messages arrive in another order, some after the ratchet has turned twice.",
        who,
    )?;
    let mut late = Vec::new();
    for _ in 0..3 {
        let frames = [(); 4].map(|()| talk.they_seal("romeo"));
        let [one, two, three, four] = frames;
        talk.we_open("romeo", &three?)?;
        talk.we_open("romeo", &one?)?;
        late.push(two?);
        late.push(four?);
        talk.tell("romeo")?;
    }
    talk.hear("romeo")?;
    while let Some(frame) = late.pop() {
        talk.we_open("romeo", &frame)?;
    }
    talk.tell("romeo")?;
    talk.end();
    Ok(())
}

fn repeated(layer: &mut Layer, who: &str) -> Result<(), Disagreement> {
    let mut talk = begun(
        layer,
        "repeated",
        "Each message arrives again, at once and later, and opens once.",
        who,
    )?;
    let mut frames = Vec::new();
    for _ in 0..3 {
        let frame = talk.they_seal("romeo")?;
        let skipped = talk.they_seal("romeo")?;
        talk.we_open("romeo", &frame)?;
        talk.we_refuse("already-used", "romeo", &frame)?;
        frames.push(frame);
        frames.push(skipped);
    }
    // The skipped ones have not been read yet.
    for frame in frames.iter().skip(1).step_by(2) {
        talk.we_open("romeo", frame)?;
    }
    talk.tell("romeo")?;
    talk.hear("romeo")?;
    for frame in &frames {
        talk.we_refuse_somehow("romeo", frame)?;
    }
    talk.hear("romeo")?;
    talk.end();
    Ok(())
}

fn forged(layer: &mut Layer, who: &str) -> Result<(), Disagreement> {
    let mut talk = begun(
        layer,
        "forged",
        "Between good messages come spoilt ones of every chain: nothing of them remains.",
        who,
    )?;
    for _ in 0..3 {
        let (early, frame) = (talk.they_seal("romeo")?, talk.they_seal("romeo")?);
        for at in [frame.len() - 1, frame.len() / 2] {
            let mut spoilt = frame.clone();
            if let Some(byte) = spoilt.get_mut(at) {
                *byte ^= 0x10;
            }
            talk.we_refuse_somehow("romeo", &spoilt)?;
        }
        talk.we_open("romeo", &frame)?;
        let mut spoilt = early.clone();
        if let Some(byte) = spoilt.last_mut() {
            *byte ^= 1;
        }
        talk.we_refuse_somehow("romeo", &spoilt)?;
        talk.we_open("romeo", &early)?;
        talk.tell("romeo")?;
    }
    talk.end();
    Ok(())
}

fn restarted(layer: &mut Layer, who: &str) -> Result<(), Disagreement> {
    let mut talk = begun(
        layer,
        "restarted",
        "The device restarts between all steps.",
        who,
    )?;
    let mut late = Vec::new();
    for _ in 0..3 {
        talk.we(Operation::Restart, json!({}))?;
        late.push(talk.they_seal("romeo")?);
        talk.hear("romeo")?;
        talk.we(Operation::Restart, json!({}))?;
        talk.tell("romeo")?;
        talk.we(Operation::Restart, json!({}))?;
        talk.tell("romeo")?;
    }
    talk.hear("romeo")?;
    for frame in late {
        talk.we(Operation::Restart, json!({}))?;
        talk.we_open("romeo", &frame)?;
    }
    talk.end();
    Ok(())
}

fn both_begin(layer: &mut Layer) -> Result<(), Disagreement> {
    let mut talk = Talk::begin(
        layer,
        "both-begin",
        "Both sides begin at the same time: both first messages open, and the session of the newest message is used on.",
    )?;
    talk.we_initiate("romeo")?;
    let ours = talk.we_seal("romeo")?;
    talk.they_initiate("romeo", 1, 1)?;
    let theirs = talk.they_seal("romeo")?;
    talk.we_open("romeo", &theirs)?;
    talk.they_open("romeo", &ours)?;
    for _ in 0..2 {
        talk.tell("romeo")?;
        talk.hear("romeo")?;
    }
    talk.end();
    Ok(())
}

fn begun_again(layer: &mut Layer) -> Result<(), Disagreement> {
    let mut talk = begun(
        layer,
        "begun-again",
        "The peer begins anew: what is under way in the old session still opens, and we write in the new one.",
        "responder",
    )?;
    let late = [talk.they_seal("romeo")?, talk.they_seal("romeo")?];
    talk.they_initiate("romeo", 1, 2)?;
    talk.hear("romeo")?;
    let [first, second] = late;
    talk.we_open("romeo", &second)?;
    talk.hear("romeo")?;
    talk.tell("romeo")?;
    talk.we_open("romeo", &first)?;
    talk.hear("romeo")?;
    talk.end();

    let mut talk = begun(
        layer,
        "begun-again-by-us",
        "We begin anew: the new session is used from its first message on.",
        "initiator",
    )?;
    talk.we_initiate("romeo")?;
    talk.tell("romeo")?;
    talk.hear("romeo")?;
    talk.tell("romeo")?;
    talk.end();
    Ok(())
}

fn prekey_used_twice(layer: &mut Layer) -> Result<(), Disagreement> {
    let mut talk = Talk::begin(
        layer,
        "prekey-used-twice",
        "While the archive is read a prekey is kept: two senders that drew the same one are both read.",
    )?;
    for name in ["romeo", "mercutio"] {
        talk.they_initiate(name, 1, 1)?;
        talk.hear(name)?;
    }
    talk.we(Operation::ForgetPreKey, json!({"id": 1}))?;
    for name in ["mercutio", "romeo"] {
        talk.tell(name)?;
        talk.hear(name)?;
    }
    talk.they_initiate("benvolio", 1, 1)?;
    let frame = talk.they_seal("benvolio")?;
    talk.we_refuse("unknown-prekey", "benvolio", &frame)?;
    talk.end();
    Ok(())
}

fn rotation(layer: &mut Layer) -> Result<(), Disagreement> {
    let mut talk = Talk::begin(
        layer,
        "rotation",
        "A key exchange with the old signed prekey opens while that is kept, and no longer.",
    )?;
    for (name, pre_key) in [("romeo", 1), ("mercutio", 2)] {
        talk.they_initiate(name, 1, pre_key)?;
    }
    let (romeo, mercutio) = (talk.they_seal("romeo")?, talk.they_seal("mercutio")?);
    let new = talk.signed_pre_key(2);
    talk.we(Operation::AddSignedPreKey, new)?;
    talk.they_initiate("benvolio", 2, 3)?;
    talk.hear("benvolio")?;
    talk.we_open("romeo", &romeo)?;
    talk.we(Operation::ForgetSignedPreKey, json!({"id": 1}))?;
    talk.we_refuse("unknown-signed-prekey", "mercutio", &mercutio)?;
    talk.tell("romeo")?;
    talk.hear("romeo")?;
    talk.tell("benvolio")?;
    talk.end();
    Ok(())
}

fn strangers(layer: &mut Layer) -> Result<(), Disagreement> {
    let mut talk = begun(
        layer,
        "stranger",
        "A message for which there is no session, and one under a false name.",
        "responder",
    )?;
    talk.they_initiate("mercutio", 1, 2)?;
    talk.hear("mercutio")?;
    talk.tell("mercutio")?;
    let frame = talk.they_seal("mercutio")?;
    talk.we_refuse_somehow("romeo", &frame)?;
    talk.we_refuse("no-session", "tybalt", &frame)?;
    talk.we_open("mercutio", &frame)?;
    talk.end();
    Ok(())
}

/// How many keys one message may skip.
fn jumps(layer: &mut Layer) -> Result<(), Disagreement> {
    let limit = layer.version.suite().max_jump();
    for (id, about, jump, allowed) in [
        (
            "jump-allowed",
            "A message that skips as many keys as one message may.",
            limit,
            true,
        ),
        (
            "jump-too-far",
            "A message that skips one key more than one message may.",
            limit + 1,
            false,
        ),
    ] {
        let mut talk = begun(layer, id, about, "responder")?.flag(Flag::Limit);
        for _ in 0..jump {
            talk.they_seal("romeo")?;
        }
        let frame = talk.they_seal("romeo")?;
        if allowed {
            talk.we_open("romeo", &frame)?;
        } else {
            talk.we_refuse("too-far-ahead", "romeo", &frame)?;
        }
        talk.end();
    }
    Ok(())
}

/// How many skipped keys are kept for a session, the newest ones.
fn store_limit(layer: &mut Layer) -> Result<(), Disagreement> {
    let limit = layer.version.suite().max_stored_skipped();
    let mut talk = begun(
        layer,
        "store-limit",
        "More keys are skipped than are kept for a session: the oldest go first.",
        "responder",
    )?
    .flag(Flag::Limit);
    let mut frames = Vec::new();
    for _ in 0..limit / 2 {
        frames.push(talk.they_seal("romeo")?);
    }
    talk.hear("romeo")?;
    for _ in 0..=limit / 2 {
        frames.push(talk.they_seal("romeo")?);
    }
    talk.hear("romeo")?;
    let mut frames = frames.into_iter();
    if let (Some(oldest), Some(kept)) = (frames.next(), frames.next()) {
        talk.we_refuse("already-used", "romeo", &oldest)?;
        talk.we_open("romeo", &kept)?;
    }
    if let Some(newest) = frames.next_back() {
        talk.we_open("romeo", &newest)?;
    }
    talk.end();
    Ok(())
}
