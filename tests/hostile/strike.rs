//! A stanza of the attack arrives. Whatever is refused must have changed nothing.

use omemo::{Account, Event, UndecryptableReason, Version};

use crate::rows::dump;
use crate::world::World;

impl World {
    /// Hands a stanza to a device that is online, and compares its rows when the stanza was refused.
    pub fn strike(&mut self, at: usize, text: &str) {
        if !self.devices[at].online || self.devices[at].account.is_none() {
            return;
        }
        // what was due anyway is done before
        self.call(at, Account::tick);
        let jids = self.jids.clone();
        let before = self.look(at, {
            let jids = jids.clone();
            move |tx| dump(tx, &jids)
        });
        let events = self.deliver(at, text);
        let heals = self.devices[at].heals_legacy();
        if events.is_empty() || !events.iter().all(|event| is_refusal(event, heals)) {
            return;
        }
        self.observer.counts.refused += 1;
        let after = self.look(at, move |tx| dump(tx, &jids));
        check_unchanged(at, &events, &before, &after);
    }
}

/// What was refused has changed nothing.
pub fn check_unchanged(at: usize, events: &[Event], before: &[String], after: &[String]) {
    let lost: Vec<_> = before.iter().filter(|line| !after.contains(line)).collect();
    let new: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
    assert!(
        before == after,
        "REFUSED: {at} refused a stanza ({events:?}) and changed all the same:\n- {lost:#?}\n+ {new:#?}"
    );
}

/// Whether nothing may follow from it. One without a session is answered with a session in omemo:2, and in legacy a broken
/// session may be healed.
fn is_refusal(event: &Event, heals: bool) -> bool {
    match event {
        Event::Undecryptable {
            reason, version, ..
        } => *reason != UndecryptableReason::NoSession && !(heals && *version == Version::Legacy),
        _ => false,
    }
}
