//! How a device gets published, as a small state machine a protocol (XEP-0384 §5.3).
//!
//! ```text
//! FetchList -> CheckId? -> PublishBundle <-> ConfigureBundle -> VerifyBundle
//!           -> RefetchList -> PublishList <-> ConfigureList -> Settled
//! ```
//!
//! It knows what answer leads to which step and nothing else: the engine asks the question of the
//! current step and feeds the answer in. Servers differ in what they refuse; the cures are here.

mod answer;

use std::time::Duration;

pub(crate) use self::answer::{Answer, BundleFound, Effect, Ours, Refusal, RefusalKind};
use crate::Timestamp;
use crate::stanza::devices::DeviceList;

/// The first wait before a device that was taken off the list announces itself again. Two clients
/// that fight over a list must not do so at full speed.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// A server that has no node to publish on is asked again while pauses are shorter than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a changed bundle waits after the last two were published. Every key exchange changes it, so
/// that strangers could make us publish without end: each rest is twice as long as the one before,
/// until nothing has changed for the longest.
const FIRST_REST: Duration = Duration::from_secs(2);
const LONGEST_REST: Duration = Duration::from_secs(300);

/// How far our device is published in one protocol.
#[derive(Debug, Clone)]
pub(crate) struct Publishing {
    step: Step,
    /// It was published in this stream: messages may leave.
    ready: bool,
    /// Our own list as the server last showed it.
    pub(crate) list: DeviceList,
    /// What the server takes as options when the bundle is published.
    options: Options,
    /// The bundle node's configuration was set by hand.
    configured_bundle: bool,
    configured_list: bool,
    /// The server has confirmed something that it did not have.
    changed: bool,
    /// Somebody took our device off the list.
    reannouncing: bool,
    /// The server has kept us waiting in this stream.
    stalled: bool,
    /// The list has to be looked at again: it is not as we want it any more.
    amend: bool,
    /// The server may pass over what we publish with: nodes are configured by hand, too.
    configures: bool,
    /// What the server refused last, for people.
    refused: Option<String>,
    /// The bundle revision that was sent last, and when.
    sent: Option<(u64, Timestamp)>,
    /// When the server confirmed a bundle last, and how long the next one waits from then.
    rest: Option<(Timestamp, Duration)>,
    /// A new bundle waits for the end of the rest.
    resting_until: Option<Timestamp>,
    pause: Duration,
}

/// Where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    FetchList,
    /// Our id stood on the list before we ever published: whose is it?
    CheckId,
    VerifyBundle {
        after_publishing: bool,
    },
    PublishBundle,
    ConfigureBundle {
        max_items: &'static str,
        then: Then,
    },
    /// The list may have changed since it was fetched, and publishing an old one would wipe whoever
    /// joined in between.
    RefetchList,
    PublishList,
    ConfigureList,
    Settled,
    Paused {
        until: Timestamp,
    },
    Off,
}

/// What follows on a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Publish,
    Verify,
}

/// Which options go with a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Options {
    /// All that the specification wants.
    All,
    /// Without `max_items`, which some servers refuse.
    WithoutMaxItems,
    /// None: the server refuses even what the node was configured to.
    None,
}

impl Publishing {
    pub(crate) fn start() -> Self {
        Self {
            step: Step::FetchList,
            ready: false,
            list: DeviceList::default(),
            options: Options::All,
            configured_bundle: false,
            configured_list: false,
            changed: false,
            reannouncing: false,
            stalled: false,
            amend: false,
            configures: false,
            refused: None,
            sent: None,
            rest: None,
            resting_until: None,
            pause: FIRST_PAUSE,
        }
    }

    pub(crate) const fn step(&self) -> &Step {
        &self.step
    }

    pub(crate) const fn options(&self) -> Options {
        self.options
    }

    pub(crate) const fn is_ready(&self) -> bool {
        self.ready
    }

    /// Whether nothing is left to do: the list is as we want it, as far as the server has shown.
    pub(crate) fn is_settled(&self) -> bool {
        self.step == Step::Settled && !self.amend
    }

    pub(crate) fn is_off(&self) -> bool {
        self.step == Step::Off
    }

    /// What the server refused last.
    pub(crate) fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }

    /// What we want on the list has changed: as soon as nothing else is under way it is fetched,
    /// compared and published.
    pub(crate) const fn amend(&mut self) {
        self.amend = true;
    }

    /// The server does not say that it heeds publish-options.
    pub(crate) const fn distrust_options(&mut self) {
        self.configures = true;
    }

    /// Whether it is worth waiting for: neither done nor given up, and the server answers.
    pub(crate) fn is_under_way(&self) -> bool {
        !self.ready && !self.stalled && self.step != Step::Off
    }

    /// Whether a question has to be asked now.
    pub(crate) fn has_question(&self) -> bool {
        !matches!(self.step, Step::Settled | Step::Off | Step::Paused { .. })
    }

    /// When it goes on by itself.
    pub(crate) fn wake(&self) -> Option<Timestamp> {
        match self.step {
            Step::Paused { until } => Some(until),
            Step::Settled => self.resting_until,
            _ => None,
        }
    }

    /// A bundle of this revision is sent now.
    pub(crate) fn sends(&mut self, revision: u64, now: Timestamp) {
        self.sent = Some((revision, now));
    }

    /// The revision of the bundle that was sent last, and when.
    pub(crate) const fn sent(&self) -> Option<(u64, Timestamp)> {
        self.sent
    }

    /// Goes on after a pause, or with a bundle that has changed.
    pub(crate) fn resume(&mut self, now: Timestamp, bundle_confirmed: bool) {
        self.resting_until = None;
        match self.step {
            Step::Paused { until } if until <= now => self.step = Step::FetchList,
            Step::Settled => match self.rest_until(now) {
                None if !bundle_confirmed => self.step = Step::PublishBundle,
                _ if self.configures && !self.configured_bundle => {
                    self.step = configure("max", Then::Verify);
                }
                _ if self.configures && !self.configured_list => self.step = Step::ConfigureList,
                _ if self.amend => {
                    self.amend = false;
                    self.step = Step::RefetchList;
                }
                until => self.resting_until = until.filter(|_| !bundle_confirmed),
            },
            _ => {}
        }
    }

    /// Until when the next bundle waits. A clock that went back ends the rest.
    fn rest_until(&self, now: Timestamp) -> Option<Timestamp> {
        let (since, rest) = self.rest.filter(|(since, _)| *since <= now)?;
        (now.since(since) < rest).then(|| since.after(rest))
    }

    /// The server has a bundle: the next one waits longer than this one did.
    fn begin_rest(&mut self, now: Timestamp) {
        let rest = match self.rest {
            Some((since, rest)) if now.since(since) < LONGEST_REST + rest => {
                (rest * 2).clamp(FIRST_REST, LONGEST_REST)
            }
            _ => Duration::ZERO,
        };
        self.rest = Some((now, rest));
    }

    /// This protocol cannot be published.
    pub(crate) fn give_up(&mut self) {
        self.step = Step::Off;
        self.ready = false;
    }

    /// Something happened to our own list that the event does not show.
    pub(crate) fn look_again(&mut self) {
        if self.step == Step::Settled {
            self.step = Step::FetchList;
        }
    }

    /// Our own list was pushed.
    pub(crate) fn pushed(&mut self, list: DeviceList, listed: bool, now: Timestamp) {
        self.list = list;
        if !listed && self.step == Step::Settled {
            self.reannouncing = true;
            self.pause(now);
        }
    }

    /// Takes the answer to the question of the current step.
    pub(crate) fn answered(&mut self, answer: Answer, ours: Ours, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Answer::Refused(refusal) = &answer {
            self.refused = Some(refusal.text.clone());
        }
        match (self.step.clone(), answer) {
            (_, Answer::Nothing) => self.pause(now),
            (Step::FetchList, Answer::List(list)) => {
                self.list = list;
                self.step = match () {
                    () if ours.id_taken && !ours.announced => Step::CheckId,
                    () if ours.bundle_confirmed => Step::VerifyBundle {
                        after_publishing: false,
                    },
                    () => Step::PublishBundle,
                };
            }
            (Step::RefetchList, Answer::List(list)) => {
                self.list = list;
                if ours.listed {
                    effects.push(Effect::Announced);
                    self.settle(&mut effects);
                } else {
                    self.step = Step::PublishList;
                }
            }
            (Step::CheckId, Answer::Bundle(BundleFound::Current | BundleFound::Stale)) => {
                effects.push(Effect::Announced);
                self.step = Step::PublishBundle;
            }
            (Step::CheckId, Answer::Bundle(_)) => effects.push(Effect::DrawNewId),
            (Step::VerifyBundle { after_publishing }, Answer::Bundle(found)) => {
                self.verified(found, after_publishing, ours, &mut effects);
            }
            (Step::PublishBundle, Answer::Confirmed) => {
                effects.push(Effect::BundlePublished);
                self.changed = true;
                self.begin_rest(now);
                let unconfigured =
                    self.options == Options::WithoutMaxItems && !self.configured_bundle;
                self.step = if unconfigured {
                    configure("max", Then::Verify)
                } else {
                    Step::VerifyBundle {
                        after_publishing: true,
                    }
                };
            }
            (Step::PublishBundle, Answer::Refused(refusal)) => {
                self.bundle_refused(refusal, ours, now, &mut effects);
            }
            (Step::ConfigureBundle { then, .. }, Answer::Confirmed) => {
                self.configured_bundle = true;
                self.step = after_configuring(then);
            }
            (Step::ConfigureBundle { max_items, then }, Answer::Refused(refusal)) => {
                self.configuration_refused(max_items, then, refusal, &mut effects);
            }
            (Step::PublishList, Answer::Confirmed) => {
                effects.push(Effect::Announced);
                self.changed = true;
                self.settle(&mut effects);
            }
            (Step::PublishList, Answer::Refused(refusal))
                if refusal.kind == RefusalKind::PreconditionNotMet && !self.configured_list =>
            {
                self.step = Step::ConfigureList;
            }
            (Step::ConfigureList, Answer::Confirmed) => {
                self.configured_list = true;
                // once we are on the list nothing new has to be on it, and an old one must not be
                self.step = if self.ready {
                    Step::RefetchList
                } else {
                    Step::PublishList
                };
            }
            (Step::ConfigureList, Answer::Refused(refusal)) if self.ready => {
                effects.push(Effect::Lacks(format!(
                    "it does not let us configure the node of the list ({}); \
                     perhaps not everybody can read it",
                    refusal.text
                )));
                self.configured_list = true;
                self.step = Step::RefetchList;
            }
            (
                Step::VerifyBundle {
                    after_publishing: true,
                },
                Answer::Refused(refusal),
            ) => {
                effects.push(Effect::Lacks(format!(
                    "it does not show us our own bundle ({})",
                    refusal.text
                )));
                self.step = Step::RefetchList;
            }
            (_, Answer::Refused(refusal)) => self.pause_or_turn_off(refusal, now, &mut effects),
            // an answer that does not fit the step says nothing; ask again later
            (_, Answer::List(_) | Answer::Bundle(_) | Answer::Confirmed) => self.pause(now),
        }
        effects
    }

    fn verified(
        &mut self,
        found: BundleFound,
        after_publishing: bool,
        ours: Ours,
        effects: &mut Vec<Effect>,
    ) {
        if found != BundleFound::Current && !after_publishing {
            self.step = Step::PublishBundle;
            return;
        }
        // one that changed while it was on its way says nothing about the server, and is sent again
        // after a rest
        if found != BundleFound::Current && ours.bundle_confirmed {
            effects.push(Effect::Lacks(
                "it confirmed our bundle and does not hold it (persistent-items, max_items); \
                 others may be unable to write to this device"
                    .into(),
            ));
        }
        if ours.listed {
            effects.push(Effect::Announced);
            self.settle(effects);
        } else {
            self.step = Step::RefetchList;
        }
    }

    fn bundle_refused(
        &mut self,
        refusal: Refusal,
        ours: Ours,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        match refusal.kind {
            RefusalKind::PreconditionNotMet if !self.configured_bundle => {
                self.step = configure("max", Then::Publish);
            }
            RefusalKind::PreconditionNotMet if self.options != Options::None => {
                effects.push(Effect::Lacks(
                    "it refuses publish-options that match the node's configuration; \
                     the bundle is published without them"
                        .into(),
                ));
                self.options = Options::None;
            }
            // Configured first, so that a node that keeps one item does not lose another
            // device's bundle to ours.
            RefusalKind::OptionUnknown | RefusalKind::Other
                if ours.shared_node && self.options == Options::All =>
            {
                effects.push(Effect::Lacks(
                    "it refuses max_items in publish-options; the node is configured instead"
                        .into(),
                ));
                self.options = Options::WithoutMaxItems;
                self.step = configure("max", Then::Publish);
            }
            _ => self.pause_or_turn_off(refusal, now, effects),
        }
    }

    fn configuration_refused(
        &mut self,
        max_items: &'static str,
        then: Then,
        refusal: Refusal,
        effects: &mut Vec<Effect>,
    ) {
        self.step = match (refusal.kind, max_items) {
            // no node yet: publishing makes it
            (RefusalKind::NotFound, _) => after_configuring(then),
            (_, "max") => configure("100", then),
            _ => {
                effects.push(Effect::Lacks(format!(
                    "it does not let us configure the bundle node ({}); \
                     the bundles of several devices may evict each other, or not be readable by all",
                    refusal.text
                )));
                self.configured_bundle = true;
                after_configuring(then)
            }
        };
    }

    fn settle(&mut self, effects: &mut Vec<Effect>) {
        if self.changed || !self.ready {
            effects.push(Effect::Published {
                again: self.reannouncing,
            });
        }
        self.ready = true;
        self.changed = false;
        self.reannouncing = false;
        self.step = Step::Settled;
    }

    /// Publishing makes the node, yet ejabberd says that there is none if it makes another meanwhile.
    fn pause_or_turn_off(&mut self, refusal: Refusal, now: Timestamp, effects: &mut Vec<Effect>) {
        let tripped = refusal.kind == RefusalKind::NotFound && self.pause < PATIENCE;
        if self.ready || tripped {
            self.pause(now);
        } else {
            self.give_up();
            effects.push(Effect::Off(refusal.text));
        }
    }

    fn pause(&mut self, now: Timestamp) {
        self.stalled = true;
        self.step = Step::Paused {
            until: now.after(self.pause),
        };
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}

const fn configure(max_items: &'static str, then: Then) -> Step {
    Step::ConfigureBundle { max_items, then }
}

const fn after_configuring(then: Then) -> Step {
    match then {
        Then::Publish => Step::PublishBundle,
        Then::Verify => Step::VerifyBundle {
            after_publishing: true,
        },
    }
}
